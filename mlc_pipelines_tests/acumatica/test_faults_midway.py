"""What goes wrong between two calls of one reading, or after a write has left: right figures or a named error, and nothing left open."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import SetupError, TransientError, UncertainError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.company import Batch, Line
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits

Connect = Callable[..., Acumatica]
PAGE = r"GET .*JournalTransaction.*[$]expand=Details"
BY_BATCHES: dict[str, Any] = {"lines_from": "transactions", "page_batches": 60}
TOGETHER: dict[str, Any] = {**BY_BATCHES, "sessions": 3, "parallel": 3}
METHODS = ("oauth_password", "cookie")
RELEASE = ("JournalTransaction", "ReleaseJournalTransaction")


def lines_of(connect: Connect, period: FiscalPeriod, **changes: Any) -> pa.Table:
    with connect(**changes) as ledger:
        return pa.Table.from_batches(ledger.read_posted(period))


def posted(sandbox: Sandbox, period: FiscalPeriod) -> int:
    return len(sandbox.books.posted_lines("ACTUAL", period.key))


# -- signed out in the middle -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", METHODS)
@pytest.mark.parametrize("ways", [BY_BATCHES, TOGETHER], ids=["alone", "together"])
def test_b04_sessions_that_somebody_ended_are_opened_again(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, auth: str, ways: dict[str, Any]
) -> None:
    """The site restarts, or an administrator ends all sessions, between two pages: each reader signs in once more and goes on."""
    with connect(auth=auth, **ways) as ledger:
        batches = ledger.read_posted(march)
        first = next(batches)
        sandbox.site.close_all()
        lines = pa.Table.from_batches([first, *batches])
    assert posted(sandbox, march) == len(lines)
    assert 0 == sandbox.site.sessions_open()


@pytest.mark.parametrize("auth", METHODS)
@pytest.mark.parametrize("action", [{"kind": "status", "status": 503}, {"kind": "reset"}], ids=["busy", "reset"])
def test_b02_b20_a_refused_session_is_not_replaced_before_it_has_ended(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, auth: str, action: dict[str, Any]
) -> None:
    """401 for a session that lives, and its sign-out fails: that is tried again, so that no session is left of which nobody knows."""
    refused = {"match": PAGE, "action": {"kind": "status", "status": 401}}
    faults = sandbox.traffic.plant_all([refused, {"match": "auth/logout", "action": action}])
    assert posted(sandbox, march) == len(lines_of(connect, march, auth=auth, **BY_BATCHES))
    assert [1, 1] == [fault.fired for fault in faults]
    assert 0 == sandbox.site.sessions_open()


@pytest.mark.parametrize("auth", METHODS)
def test_a14_b01_a_slow_site_and_a_session_that_ends_in_between(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, auth: str
) -> None:
    """Half of an answer, a pause, the rest; and an hour goes by for the ERP before a page: it is read all the same."""
    slow = {"match": PAGE, "times": 2, "action": {"kind": "stall", "keep": 0.5, "seconds": 0.1}}
    hour = {"kind": "control", "path": "/control/clock", "body": {"advance": 4000}}
    faults = sandbox.traffic.plant_all([slow, {"match": PAGE, "action": hour}])
    assert posted(sandbox, march) == len(lines_of(connect, march, auth=auth, **BY_BATCHES))
    assert [2, 1] == [fault.fired for fault in faults]
    sandbox.clock.advance(4000)
    assert 0 == sandbox.site.sessions_open()


@pytest.mark.parametrize("ways", [BY_BATCHES, TOGETHER], ids=["alone", "together"])
def test_a14_slower_than_the_deadline_is_told(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, ways: dict[str, Any]
) -> None:
    """A page that does not come whole in time is asked for again as often as declared, then named."""
    sandbox.traffic.plant({"match": PAGE, "times": -1, "action": {"kind": "stall", "keep": 0.5, "seconds": 3}})
    with pytest.raises(TransientError, match=r"JournalTransaction got no whole answer"):
        lines_of(connect, march, limits=Limits(attempts=1, deadline_seconds=0.5), **ways)
    assert 0 == sandbox.site.sessions_open()


# -- changed in the middle --------------------------------------------------------------------------------------------


def test_b08_an_endpoint_that_vanishes_midway_is_named(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """It was on the site's list when the run began; a 404 later is not read as an empty page and not asked for again."""
    with connect(**BY_BATCHES) as ledger:
        batches = ledger.read_posted(march)
        next(batches)
        sandbox.set_switches(acumatica={"versions": ["25.200.001"]})
        with pytest.raises(SetupError, match="JournalTransaction"):
            list(batches)
    assert [404] == [one.status for one in sandbox.traffic.requests if one.status == 404]


def test_c17_an_answer_larger_than_allowed_is_not_used(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """More than fits is refused while it comes, with the setting that makes it smaller."""
    limits = Limits(attempts=3, body_bytes_max=120_000)
    with pytest.raises(SetupError, match=r"(?s)JournalTransaction.*page_batches"):
        lines_of(connect, march, limits=limits, check_fields=False, **BY_BATCHES)
    smaller = {**BY_BATCHES, "page_batches": 25}
    assert posted(sandbox, march) == len(lines_of(connect, march, limits=limits, check_fields=False, **smaller))


# -- writes whose end nobody saw --------------------------------------------------------------------------------------


@pytest.fixture
def draft(sandbox: Sandbox) -> Batch:
    lines = [Line(0, "6100", "010-000", "HQ", 4200, 0)]
    return sandbox.books.post("STAT", "FY2026-P12", "HQ", "Balanced", "plan", lines, now=sandbox.clock.now())


@pytest.fixture
def site(config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential) -> Iterator[Connection]:
    with Connection(config(limits=Limits(deadline_seconds=1.0)), credential, sleep=lambda _: None) as opened:
        yield opened


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "reset", "after": True}, id="A04-carried-out-and-no-answer"),
        pytest.param({"kind": "delay", "seconds": 1.5}, id="A05-carried-out-after-we-gave-up"),
    ],
)
def test_a04_a05_a_release_that_took_effect_unseen_was_sent_once(
    site: Connection, sandbox: Sandbox, draft: Batch, action: dict[str, Any]
) -> None:
    """Nobody says done, nobody says failed: it is uncertain, and the ERP has one posted batch from one request."""
    site.list("Ledger", dict)
    fault = sandbox.traffic.plant({"match": "POST .*Release", "action": action})
    with pytest.raises(UncertainError):
        site.invoke(*RELEASE, {"Module": draft.module, "BatchNbr": draft.number})
    for _ in range(200):
        site.list("Ledger", dict)  # each call lets the site settle what it was asked for
        if draft.status == "Posted":
            break
        threading.Event().wait(0.02)
    assert "Posted" == draft.status
    assert (1, 1) == (fault.fired, sum("Release" in one.path for one in sandbox.traffic.requests))


# -- a bad line -------------------------------------------------------------------------------------------------------


@contextmanager
def bad_line(port: int, seed: int) -> Iterator[int]:
    """A way to that port on which everything comes in odd little pieces, as loss and repetition on the way look to whoever reads."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def carry(source: socket.socket, sink: socket.socket, dice: random.Random) -> None:
            try:
                while data := source.recv(65536):
                    while data:
                        size = dice.choice((1, 7, 100, 1000, 5000))
                        sink.sendall(data[:size])
                        data = data[size:]
                        if dice.random() < 0.02:
                            threading.Event().wait(0.002)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                source.close()
                sink.close()

        def serve() -> None:
            for number in range(10_000):
                try:
                    near, _ = door.accept()
                except OSError:
                    return
                far = socket.create_connection(("127.0.0.1", port))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=(*ends, random.Random(seed + number)), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1]


@pytest.mark.parametrize("ways", [{"lines_from": "inquiry"}, TOGETHER], ids=["inquiry", "together"])
def test_a19_a_bad_line_is_slower_only(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, ways: dict[str, Any]
) -> None:
    """However the bytes are cut on their way, the same lines arrive."""
    url = sandbox.info["acumatica"]["url"]
    port = int(url.rpartition(":")[2].partition("/")[0])
    with bad_line(port, seed=19) as there:
        lines = lines_of(connect, march, url=url.replace(str(port), str(there)), **ways)
    assert posted(sandbox, march) == len(lines)
    assert 0 == sandbox.site.sessions_open()
