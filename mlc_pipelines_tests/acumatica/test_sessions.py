"""Sessions: none stays open that anybody could still close, never more than allowed, and a full licence is waited for."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.connection import in_the_open, sign_out_all_left
from mlc_pipelines.acumatica.sessions import sign_out_left
from mlc_pipelines.ledger.errors import TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.secret import redacted

ROOT = Path(__file__).parents[2]
METHODS = ("oauth_password", "cookie")
Config = Callable[..., AcumaticaConfig]
TOGETHER: dict[str, Any] = {"lines_from": "transactions", "page_batches": 3, "sessions": 4, "parallel": 3}
"""Two runs at a time that want three sessions each, of which there are four."""

KILLED = """
import json, sys
from mlc_pipelines_tests.acumatica.random_runs import client
from mlc_pipelines.store.home import Store
from pathlib import Path
said = json.loads(sys.argv[1])
with client(said, Store.open(Path(said["home"]), "sqlite:///" + said["home"] + "/mlc.db")) as ledger:
    ledger.identity()
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'mlc.db'}")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def connect(config: Config, credential: AcumaticaCredential, store: Store) -> Callable[..., Acumatica]:
    def build(**changes: Any) -> Acumatica:
        seats, contracts = store.seats("demo"), store.contracts
        return Acumatica(config(**changes), credential, sleep=lambda _: None, seats=seats, contracts=contracts)

    return build


def order(sandbox: Sandbox, store: Store, auth: str, **more: Any) -> str:
    erp = sandbox.info["acumatica"]
    said = {"erp": erp, "home": str(store.home), "control_url": sandbox.info["control_url"], "auth": auth, **more}
    return json.dumps(said)


@pytest.mark.parametrize("auth", METHODS)
def test_a_session_is_written_down_before_it_is_used_and_struck_off(
    config: Config, credential: AcumaticaCredential, sandbox: Sandbox, store: Store, auth: str
) -> None:
    """At the moment of writing no call of the session has gone out; during the run one record stands; after it none."""
    calls_before: list[int] = []

    class Watched:
        @contextmanager
        def claim(self, site: str, **how: Any) -> Iterator[Any]:
            with store.seats("demo").claim(site, **how) as seat:
                written = seat.opened

                def opened(proof: Mapping[str, str]) -> None:
                    calls_before.append(sum(session.calls for session in sandbox.site.sessions.values()))
                    written(proof)

                yield type("Seat", (), {"opened": staticmethod(opened), "closed": staticmethod(seat.closed)})()

        def close_left(self, site: str, sign_out: Any) -> int:
            return store.seats("demo").close_left(site, sign_out)

    with Acumatica(config(auth=auth), credential, seats=Watched()) as ledger:
        ledger.identity()
        assert [True] == [one.alive for one in store.seats("x").all()]
    assert [0] == calls_before
    assert [] == store.seats("x").all()


@pytest.mark.parametrize("auth", METHODS)
def test_b20_what_a_killed_run_left_open_the_next_one_closes(
    connect: Callable[..., Acumatica], sandbox: Sandbox, store: Store, auth: str
) -> None:
    """SIGKILL leaves the session open at the site; the next run signs it out first, even on a licence of one seat."""
    sandbox.set_switches(acumatica={"max_sessions": 1})
    command = [sys.executable, "-c", KILLED, order(sandbox, store, auth)]
    killed = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    assert "open\n" == killed.stdout.readline()
    killed.kill()
    killed.communicate()
    assert 1 == sandbox.site.sessions_open()
    with connect(auth=auth) as ledger:
        assert "ACTUAL" == ledger.identity().ledger
    assert (0, []) == (sandbox.site.sessions_open(), store.seats("x").all())


def test_a_session_that_could_not_be_signed_out_is_closed_by_the_next_run(
    connect: Callable[..., Acumatica], config: Config, sandbox: Sandbox, store: Store
) -> None:
    """The failing sign-out is an error now, and its record stays until somebody gets through; asking by hand does it too."""
    fault = {"match": "auth/logout", "times": 3, "action": {"kind": "status", "status": 503}}
    sandbox.traffic.plant(fault)
    with pytest.raises(TransientError, match="auth/logout"), connect() as ledger:
        ledger.identity()
    assert (1, [False]) == (sandbox.site.sessions_open(), [one.alive for one in store.seats("x").all()])
    assert 1 == sign_out_all_left(config(), store.seats("by hand"), lambda _: None)
    assert (0, []) == (sandbox.site.sessions_open(), store.seats("x").all())


def test_b20_never_more_sessions_than_configured(connect: Callable[..., Acumatica], sandbox: Sandbox) -> None:
    """With one allowed, a second client waits within its limit and is told who holds it; with two allowed both work."""
    with connect() as first:
        first.identity()
        with connect(session_wait_seconds=5) as second, pytest.raises(TransientError, match=r"\(1\) are in use: demo"):
            second.identity()
        assert 1 == sandbox.site.sessions_most
        with connect(sessions=2) as second:
            second.identity()
    assert (2, 0) == (sandbox.site.sessions_most, sandbox.site.sessions_open())


def test_b20_a_full_licence_is_waited_for_within_the_limit(
    config: Config, credential: AcumaticaCredential, sandbox: Sandbox
) -> None:
    """Each pause differs from the last; when the limit has passed, the message says who sees the seats and who can free one."""
    sandbox.set_switches(acumatica={"max_sessions": 0})
    pauses: list[float] = []
    client = Acumatica(config(session_wait_seconds=120), credential, sleep=pauses.append)
    with (
        client as ledger,
        pytest.raises(TransientError, match=r"(?s)API Login Limit.*Waited 2 minutes.*SM604000.*SM201010"),
    ):
        ledger.identity()
    long = [pause for pause in pauses if pause >= 10]
    assert 120 <= sum(long) < 160
    assert len(long) == len(set(long))
    assert len([one for one in sandbox.traffic.requests if "token" in one.path]) <= 3 * (len(long) + 1)


def random_runs(sandbox: Sandbox, store: Store, auth: str, runs: int, config: Mapping[str, Any]) -> dict[str, Any]:
    arguments = order(sandbox, store, auth, runs=runs, seed=7, period="FY2026-P13", config=config)
    command = [sys.executable, "-m", "mlc_pipelines_tests.acumatica.random_runs", arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert 0 == done.returncode, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("auth", "ways", "runs"),
    [
        ("oauth_password", {}, 12),
        pytest.param("cookie", TOGETHER, 8, marks=pytest.mark.prove),
        pytest.param("oauth_password", {}, 200, marks=pytest.mark.prove),
        pytest.param("cookie", {}, 100, marks=pytest.mark.prove),
        pytest.param("oauth_password", TOGETHER, 100, marks=pytest.mark.prove),
    ],
)
def test_b20_random_failures_and_kills_leave_no_session_that_was_ever_used(
    connect: Callable[..., Acumatica], sandbox: Sandbox, store: Store, auth: str, ways: Mapping[str, Any], runs: int
) -> None:
    """After one more, undisturbed run every session that served a call is closed. One whose run died between the site's answer to
    the sign-in and the record of it was never used, and ends by itself. No run that came to its end read a wrong total."""
    truth = sandbox.books.truth("ACTUAL", "FY2026-P13")
    sandbox.set_switches(acumatica={"order": "scrambled"})
    told = random_runs(sandbox, store, auth, runs, ways)
    sandbox.traffic.clear_faults()
    with connect(auth=auth, **ways) as ledger:
        ledger.identity()
    right = {"debit": sum(row.debit_minor for row in truth), "credit": sum(row.credit_minor for row in truth)}
    assert [] == [one for one in told["finished"] if one != right]
    assert told["finished"]
    assert told["killed"]
    sandbox.site.sessions_open()
    assert [] == [one for one in sandbox.site.sessions.values() if one.calls]
    assert [] == store.seats("x").all()
    sandbox.clock.advance(3600)
    assert 0 == sandbox.site.sessions_open()


@pytest.mark.parametrize(
    ("proof", "hidden"),
    [
        ({"Authorization": "Bearer left-token-value"}, "left-token-value"),
        ({"Cookie": "ASP.NET_SessionId=left-cookie-value; CompanyID=Meridian Left"}, "left-cookie-value"),
    ],
)
def test_only_what_is_secret_of_a_left_session_is_blanked_out(
    config: Config, proof: dict[str, str], hidden: str
) -> None:
    """An echoed token is hidden; words like Bearer, or the name of a tenant, stay readable in every later message."""
    with in_the_open(config(), lambda _: None) as caller:
        sign_out_left(caller, proof)
    said = f"Bearer {hidden} of Meridian Left"
    assert "Bearer [secret] of Meridian Left" == redacted(said)
