"""The tenant's requests per minute, refusals for a while, odd statuses, deadlines: counted by the sandbox."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.errors import SetupError, TransientError, UncertainError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.store.budget import SharedBudget
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.caller import Limits

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]
HEADER = ("Account", "Cost Center", "Period", "Version", "Amount")
ANY = "(GET|POST|PUT|DELETE) /2/0/"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = tmp_path_factory.mktemp("budget")
    store = Store.open(home, f"sqlite:///{home / 'mlc.db'}")
    yield store
    store.engine.dispose()


@pytest.fixture
def budget(store: Store, hands: Any, request: pytest.FixtureRequest) -> Iterator[SharedBudget]:
    """The real one, on the hands' clock."""
    with SharedBudget(store.engine, request.node.name, 600, sleep=hands.sleep, clock=hands.clock) as budget:
        yield budget


@pytest.fixture
def load(connect: Connect, budget: SharedBudget, three_rows: Path, tmp_path: Path) -> Callable[..., int]:
    """One load from first look to read-back, as a flow does it; returns rows taken."""

    def run(**changes: Any) -> int:
        with connect(given={"budget": budget}, **changes) as plan:
            plan.require_import("Load GL Actuals", HEADER)
            plan.wait_until_free()
            plan.export_file("Export GL Actuals", tmp_path / "before.csv")
            taken = plan.import_file("Load GL Actuals", three_rows).rows_taken
            plan.export_file("Export GL Actuals", tmp_path / "after.csv")
        return taken or 0

    return run


# -- 429 --------------------------------------------------------------------------------------------------------------


def test_b10_retry_after_is_obeyed_by_everybody(connect: Connect, store: Store, plant: Plant, hands: Any) -> None:
    """429 with 7 seconds: neither the refused client nor another one of the installation calls before."""
    given = {"budget": SharedBudget(store.engine, "b10", 600, sleep=hands.sleep, clock=hands.clock)}
    other = {"budget": SharedBudget(store.engine, "b10", 600, sleep=hands.sleep, clock=hands.clock)}
    with connect(given=other) as second, connect(given=given, limits=Limits(attempts=1)) as first:
        second.key()
        plant("GET /2/0/workspaces", kind="status", status=429, headers={"Retry-After": "7"})
        with pytest.raises(TransientError, match="429"):
            first.key()
        refused_at = hands.clock()
        second.read_members("Accounts")
        assert 7 <= hands.clock() - refused_at


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("-5", 10, 14),
        ("soon", 10, 14),
        ("Mon, 05 Jan 2015 12:00:00 GMT", 10, 14),
        ("9999999", 120, 124),
        ("0", 10, 14),
    ],
)
def test_b11_odd_retry_after_is_clamped_or_replaced(
    load, plant: Plant, hands: Any, said: str, least: float, most: float
) -> None:
    """Never longer than two minutes; what names no time to come is the ten seconds that Anaplan suggests."""
    fault = plant(ANY, skip=3, kind="status", status=429, headers={"Retry-After": said})
    assert 3 == load()
    assert 1 == fault.fired
    assert least <= sum(hands.slept) <= most + 1


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("POST /token/authenticate", id="log-in"),
        pytest.param(r"GET .*/imports/\d+/tasks/[0-9A-F]{32}$", id="poll"),
        pytest.param("PUT .*/chunks/0", id="chunk"),
        pytest.param("POST .*/imports/.*/tasks$", id="start"),
        pytest.param("POST .*/complete", id="complete"),
    ],
)
def test_b13_a_refusal_anywhere_is_waited_out(load, plant: Plant, sandbox: Sandbox, calls: Calls, call: str) -> None:
    """On the log-in, a poll, a chunk and the start of the import; the import runs exactly once."""
    fault = plant(call, kind="status", status=429, headers={"Retry-After": "3"})
    assert 3 == load()
    assert 1 == fault.fired
    assert 1 == len([one for one in sandbox.tenant.log()["actions"] if one["kind"] == "imports"])


def test_b13_a_start_that_was_refused_and_carried_out_is_not_repeated(load, plant: Plant, sandbox: Sandbox) -> None:
    """429 after the effect: the list of tasks is looked at before anything is sent again."""
    plant("POST .*/imports/.*/tasks$", kind="status", status=429, after=True, headers={"Retry-After": "3"})
    assert 3 == load()
    assert 1 == len([one for one in sandbox.tenant.log()["actions"] if one["kind"] == "imports"])


def test_p14_a_storm_costs_at_most_half_as_many_calls_again(load, sandbox: Sandbox) -> None:
    """Everything is refused for a minute, then there is one request every 6 seconds; with polls as they come."""
    assert 3 == load()
    clean = len(sandbox.traffic.requests)
    sandbox.traffic.requests.clear()
    sandbox.set_switches(anaplan={"rate_per_minute": 10})
    assert 3 == load(limits=Limits(attempts=6))
    stormy = len(sandbox.traffic.requests)
    assert clean * 1.5 >= stormy


def test_p14_a_storm_without_end_ends(connect: Connect, budget: SharedBudget, plant: Plant, calls: Calls) -> None:
    """As many attempts as stated, then the refusal itself."""
    plant("GET /2/0/workspaces", times=-1, kind="status", status=429, headers={"Retry-After": "5"})
    with connect(given={"budget": budget}) as plan, pytest.raises(TransientError, match="429"):
        plan.key()
    assert 3 == len(calls("GET /2/0/workspaces"))


# -- other statuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_b14_a_burst_on_reads_is_sat_out(load, plant: Plant, status: int) -> None:
    """Five in a row on one call, within the attempts."""
    fault = plant("GET .*/exports", times=5, kind="status", status=status)
    assert 3 == load(limits=Limits(attempts=6))
    assert 5 == fault.fired


@pytest.mark.parametrize("status", [500, 503])
def test_b14_a_burst_of_twenty_ends_with_the_call_named(
    connect: Connect, plant: Plant, calls: Calls, status: int
) -> None:
    """Longer than the attempts: an error that names call and status, never an endless loop."""
    plant("GET .*/lists$|GET .*/lists\\?", times=20, kind="status", status=status)
    with connect() as plan, pytest.raises(TransientError, match=f"GET .*/lists answered {status}"):
        plan.read_members("Accounts")
    assert 3 == len(calls("GET .*/lists"))


def test_b16_an_error_inside_a_good_answer_is_an_error(connect: Connect, plant: Plant) -> None:
    """200 outside, 403 inside: not an empty list."""
    body = '{"status": {"code": 403, "message": "Forbidden"}}'
    plant("GET .*/imports", times=-1, kind="status", status=200, headers=JSON, body=body)
    with connect() as plan, pytest.raises(SetupError, match="error inside a good answer"):
        plan.require_import("Load GL Actuals", HEADER)


def test_b17_a_sign_in_page_is_never_parsed(connect: Connect, plant: Plant) -> None:
    """A web page under the content type of data."""
    plant("GET .*/imports", times=-1, kind="html", content_type="application/json")
    with connect() as plan, pytest.raises(SetupError, match="a web page instead of data"):
        plan.require_import("Load GL Actuals", HEADER)


@pytest.mark.parametrize("status", [204, 206, 304])
def test_b19_an_unexpected_status_is_named(connect: Connect, plant: Plant, status: int) -> None:
    """No content, a part, or nothing new, where a whole list is expected."""
    plant("GET .*/imports", times=-1, kind="status", status=status)
    with connect() as plan, pytest.raises(SetupError, match=f"GET .*/imports answered {status}"):
        plan.require_import("Load GL Actuals", HEADER)


def test_410_is_moved_and_asked_for_again(load, plant: Plant) -> None:
    """Anaplan's help: moved, retry."""
    fault = plant("GET .*/imports", kind="status", status=410)
    assert 3 == load()
    assert 1 == fault.fired


def test_a16_a_read_is_sent_on_within_the_site_only(
    connect: Connect, plant: Plant, sandbox: Sandbox, place: str
) -> None:
    """The same host is followed; another one is named and never called, with or without a token."""
    plant(
        "GET /2/0/workspaces\\?",
        kind="status",
        status=307,
        headers={"Location": "/2/0/workspaces/?limit=5000&offset=0"},
    )
    with connect() as plan:
        assert sandbox.info["anaplan"]["model_id"] == plan.key()
    plant(
        "GET .*/imports", times=-1, kind="status", status=307, headers={"Location": "http://elsewhere.test/2/0/imports"}
    )
    with connect() as plan, pytest.raises(SetupError, match=r"redirected to http://elsewhere\.test"):
        plan.require_import("Load GL Actuals", HEADER)


def test_a16_a_write_is_never_sent_on(connect: Connect, plant: Plant, three_rows: Path, sandbox: Sandbox) -> None:
    """Not even within the site: the start of an import is looked up instead."""
    plant("POST .*/imports/.*/tasks$", times=-1, kind="status", status=307, headers={"Location": "/2/0/again"})
    with connect() as plan, pytest.raises((SetupError, UncertainError), match="redirected"):
        plan.import_file("Load GL Actuals", three_rows)
    assert [] == [one for one in sandbox.tenant.log()["actions"] if one["kind"] == "imports"]


# -- deadline and size ------------------------------------------------------------------------------------------------


def test_p15_a_call_has_a_deadline_as_a_whole(connect: Connect, plant: Plant) -> None:
    """A13, A14: however slowly it comes."""
    plant("GET /2/0/", times=-1, kind="delay", seconds=0.4)
    with (
        connect(limits=Limits(attempts=1, deadline_seconds=0.15)) as plan,
        pytest.raises(TransientError, match="no whole answer"),
    ):
        plan.read_members("Accounts")


def test_p15_an_answer_has_a_largest_size(connect: Connect) -> None:
    """Counted as it is decompressed."""
    with (
        connect(limits=Limits(attempts=1, body_bytes_max=2000)) as plan,
        pytest.raises(SetupError, match="more than 2,000 bytes"),
    ):
        plan.read_members("Accounts")


# -- two processes ----------------------------------------------------------------------------------------------------

PROGRAM = """
import json, sys, time
from pathlib import Path
from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.store.budget import SharedBudget
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.secret import Secret
said = json.loads(sys.argv[1])
store = Store.open(Path(said["home"]), said["url"])
config = AnaplanConfig(auth_url=said["auth_url"], api_url=said["api_url"], workspace="w", model="m")
credential = AnaplanCredential(Secret(said["username"], "user"), Secret(said["password"], "password"), "demo")
sys.stdin.readline()

def sleep(seconds):
    time.sleep(seconds / said["speed"])

def clock():
    return said["epoch"] + (time.time() - said["epoch"]) * said["speed"]

end = clock() + said["seconds"]
kept = {"wait_seconds": said["wait"], "sleep": sleep, "clock": clock}
with SharedBudget(store.engine, said["name"], said["per_minute"], **kept) as budget:
    api = Api(config, credential, budget=budget)
    sent = 0
    try:
        while clock() < end:
            api.get("/workspaces")
            sent += 1
    except WaitingError:
        pass
    print(sent, flush=True)
"""


def two_processes(sandbox: Sandbox, store: Store, *, speed: float, **said: Any) -> list[int]:
    """What each of two processes has sent, on a clock that runs so many times as fast as the wall's, the sandbox's too."""
    sandbox.clock.run(speed)
    info = {name: sandbox.info["anaplan"][name] for name in ("auth_url", "api_url", "username", "password")}
    kept = {"home": str(store.home), "url": str(store.engine.url), "epoch": time.time(), "speed": speed}
    command = [sys.executable, "-c", PROGRAM, json.dumps({**info, **kept, **said})]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    return [int(one.communicate()[0]) for one in both]


@pytest.mark.prove
def test_two_processes_never_exceed_the_bucket_together(sandbox: Sandbox, store: Store, calls: Calls) -> None:
    """As fast as they can, 60 a minute: the sandbox counts 60 with the log-ins, and refuses nobody."""
    sandbox.set_switches(anaplan={"rate_per_minute": 60})
    sent = two_processes(sandbox, store, speed=1, name="one minute", per_minute=60, wait=0, seconds=50)
    assert 60 == sum(sent) + len(calls("POST /token/authenticate"))
    assert 60 >= sandbox.tenant.bucket.report()["peak_60s"]
    assert 0 == sandbox.tenant.bucket.report()["refused"]


@pytest.mark.prove
def test_two_processes_keep_to_every_minute(sandbox: Sandbox, store: Store) -> None:
    """Over two and a half minutes: no 60 seconds with more than 240, both get their share, nobody is refused."""
    sandbox.set_switches(anaplan={"rate_per_minute": 240})
    sent = two_processes(sandbox, store, speed=4, name="two minutes", per_minute=240, wait=300, seconds=150)
    rate = sandbox.tenant.bucket.report()
    assert 240 >= rate["peak_60s"]
    assert 0 == rate["refused"]
    assert 400 <= sum(sent)
    assert min(sent) >= max(sent) / 2
