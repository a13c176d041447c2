"""One session for a run, closed whatever happens; licences are waited for; a server that slows us down is noticed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlc_pipelines.epicor.client import Epicor, close_left_sessions
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.ledger.errors import SetupError, TransientError, WaitingError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store

Connect = Callable[..., Epicor]
ROOT = Path(__file__).parents[2]
KILLED = """
import json, sys
from pathlib import Path
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.secret import Secret
said = json.loads(sys.argv[1])
erp, store = said["erp"], Store.open(Path(said["home"]), "sqlite:///" + said["home"] + "/mlc.db")
config = EpicorConfig(url=erp["url"], company=erp["company"], book=erp["book"], cost_center_segment=2)
credential = EpicorCredential(*(Secret(erp[name], name) for name in ("api_key", "username", "password")))
with Epicor(config, credential, seats=store.seats("demo")) as ledger:
    ledger.identity()
    print("open", flush=True)
    sys.stdin.readline()
"""
LOGIN, LOGOUT = "SessionModSvc/Login", "SessionModSvc/Logout"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'mlc.db'}")
    yield opened
    opened.engine.dispose()


def calls(sandbox: Sandbox, part: str) -> int:
    return sum(part in request.path for request in sandbox.traffic.requests)


def test_one_session_for_a_run(connect: Connect, sandbox: Sandbox) -> None:
    """Opened at the first question, held, closed at the end."""
    with connect() as ledger:
        assert 0 == sandbox.kinetic.sessions_open()
        ledger.read_accounts()
        ledger.read_periods()
        assert 1 == sandbox.kinetic.sessions_open()
    assert (1, 1, 0) == (calls(sandbox, LOGIN), calls(sandbox, LOGOUT), sandbox.kinetic.sessions_open())


def test_no_session_where_none_is_wanted(connect: Connect, sandbox: Sandbox) -> None:
    """Each call then claims a licence for itself."""
    with connect(session=False) as ledger:
        ledger.identity()
    assert (0, 0) == (calls(sandbox, LOGIN), calls(sandbox, LOGOUT))


def test_nothing_asked_nothing_opened(connect: Connect, sandbox: Sandbox) -> None:
    """A client that is not used calls nobody."""
    with connect():
        pass
    assert [] == sandbox.traffic.requests


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_b20_the_session_is_closed_after_a_failure_too(connect: Connect, sandbox: Sandbox, auth: str) -> None:
    """The first error stays the one that is told."""
    sandbox.set_switches(epicor={"denied": ["Erp.BO.COAActCatSvc"]})
    with pytest.raises(SetupError, match="COAActCat"), connect(auth=auth) as ledger:
        ledger.read_accounts()
    assert 0 == sandbox.kinetic.sessions_open()


def test_b20_a_reading_that_nobody_followed_to_its_end(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Stopped in the middle: the session is closed all the same."""
    with connect(page=50) as ledger:
        next(iter(ledger.read_posted(december)))
    assert 0 == sandbox.kinetic.sessions_open()


def test_a_failing_logout_never_hides_the_first_error(connect: Connect, sandbox: Sandbox) -> None:
    """It is noted beside it; alone it is the error."""
    sandbox.traffic.plant({"match": LOGOUT, "times": -1, "action": {"kind": "status", "status": 503}})
    with pytest.raises(SetupError, match="no book NONE") as caught, connect(book="NONE") as ledger:
        ledger.identity()
    assert "Closing the session failed as well" in caught.value.__notes__[0]
    with pytest.raises(TransientError, match="Logout"), connect() as ledger:
        ledger.identity()


def test_a_session_that_ended_is_opened_again_once(connect: Connect, sandbox: Sandbox) -> None:
    """410: nothing was carried out, so the call is repeated in a new one."""
    with connect() as ledger:
        ledger.identity()
        sandbox.kinetic.end_sessions()
        assert len(ledger.read_periods()) > 20
    assert (2, 0) == (calls(sandbox, LOGIN), sandbox.kinetic.sessions_open())


def test_a_session_that_ends_at_once_again_is_told(connect: Connect, sandbox: Sandbox) -> None:
    """No endless opening."""
    sandbox.traffic.plant({"match": "GLBooks", "times": -1, "action": {"kind": "status", "status": 410}})
    with pytest.raises(SetupError, match="its session has ended"), connect() as ledger:
        ledger.identity()
    assert 2 == calls(sandbox, LOGIN)


@pytest.mark.parametrize("body", ["{}", '{"returnObj":""}', '{"returnObj":null}'])
def test_a_login_without_a_session(connect: Connect, sandbox: Sandbox, body: str) -> None:
    """Never is an empty session named in a call."""
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": body}
    sandbox.traffic.plant({"match": LOGIN, "times": -1, "action": action})
    with pytest.raises(SetupError, match="without a session"), connect() as ledger:
        ledger.identity()
    assert 0 == calls(sandbox, "GLBooks")


@pytest.mark.parametrize("status", [401, 503])
def test_b20_all_licences_taken_is_waited_for_and_then_told(connect: Connect, sandbox: Sandbox, status: int) -> None:
    """Somebody else has the right of way: the run ends as waiting, and says for what."""
    sandbox.set_switches(epicor={"max_sessions": 1, "licence_status": status})
    other = sandbox.kinetic.open_session()
    with (
        pytest.raises(
            WaitingError, match=r"^WAITING: All licences of Epicor IVM are taken(?s:.*)`erp.license: web_service`"
        ),
        connect(session_wait_seconds=30) as ledger,
    ):
        ledger.identity()
    sandbox.kinetic.close_session(other)
    with connect() as ledger:
        ledger.identity()


def test_b20_without_a_session_each_call_waits_for_a_licence(connect: Connect, sandbox: Sandbox) -> None:
    """A call then needs a free one for itself."""
    sandbox.set_switches(epicor={"max_sessions": 1})
    sandbox.kinetic.open_session()
    with connect(session=False, session_wait_seconds=0) as ledger, pytest.raises(WaitingError, match="All licences"):
        ledger.identity()


def test_b20_a_licence_that_becomes_free_meanwhile(
    config: Callable[..., EpicorConfig], credential: EpicorCredential, sandbox: Sandbox
) -> None:
    """The run goes on by itself."""
    sandbox.set_switches(epicor={"max_sessions": 1})
    other = sandbox.kinetic.open_session()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if seconds >= 10:
            sandbox.kinetic.close_session(other)

    with Epicor(config(), credential, sleep=sleep) as ledger:
        assert "MAIN" == ledger.identity().ledger
    assert any(seconds >= 10 for seconds in pauses)


def test_the_kind_of_licence_is_claimed(connect: Connect, sandbox: Sandbox) -> None:
    """With the log-in and with each call."""
    sent: list[dict[str, str]] = []
    with connect(license="web_service", plant="NORTH") as ledger:
        session = ledger._site._session
        session.headers()
        sent.append(session.headers())
    [headers] = sent
    licence = json.loads(headers["License"])
    assert "00000003-9439-4B30-A6F4-6D2FD4B9FD0F" == licence["ClaimedLicense"]
    assert json.loads(headers["SessionInfo"])["SessionID"] == licence["SessionID"]
    assert {"Plant": "NORTH"} == json.loads(headers["CallSettings"])


@pytest.mark.parametrize(("delay_ms", "told"), [(0, False), (60, True)])
def test_the_delay_of_a_shared_licence_is_noticed(
    connect: Connect, sandbox: Sandbox, delay_ms: int, told: bool
) -> None:
    """Kinetic slows each call by 20 s when web service licences run out: the report says so."""
    sandbox.set_switches(epicor={"shared_licence_ms": delay_ms})
    with connect(slow_call_seconds=0.05 if told else 18.0) as ledger:
        ledger.identity()
        warnings = " ".join(ledger.identity().warnings)
    assert told == ("delays those who share one by 20 seconds a call" in warnings)


def test_b20_what_a_killed_run_left_open_the_next_one_closes(
    config: Callable[..., EpicorConfig], credential: EpicorCredential, sandbox: Sandbox, store: Store
) -> None:
    """What a run opened is written down before it is used; nobody else's session is touched."""
    theirs = sandbox.kinetic.open_session()
    said = json.dumps({"erp": sandbox.info["epicor"], "home": str(store.home)})
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, said], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert b"open\n" == run.stdout.readline()
        run.kill()
    assert 2 == sandbox.kinetic.sessions_open()
    assert 1 == close_left_sessions(config(), credential, store.seats("by hand"), sleep=lambda _: None)
    assert 1 == sandbox.kinetic.sessions_open()
    sandbox.kinetic.close_session(theirs)
