"""The watch over loaded periods where time or chance is against it, by the ERP's own clock; what it finds on every ERP: battery/test_watch.py."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mlc_pipelines.acumatica.changes import moment
from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.reference import map_members, read_chart, read_cost_centers, read_members
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.signoff import FINAL, PROVISIONAL, sign_off
from mlc_pipelines.flows.steps import EXTRACT
from mlc_pipelines.flows.watch import BATCHES, look, waiting
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.store import clock
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.trail.verify import verify

PERIOD = "FY2026-P03"


def post(sandbox: Sandbox, period: str = PERIOD, ledger: str = "ACTUAL") -> str:
    """Somebody posts a journal of 10.00."""
    lines = [Line(0, "6100", "010-000", "HQ", 1000, 0, "", ""), Line(0, "1010", "010-000", "HQ", 0, 1000, "", "")]
    return sandbox.books.post(ledger, period, "HQ", "Posted", "late", lines, now=sandbox.clock.now()).number


@pytest.fixture
def loaded(desk: Desk, sandbox: Sandbox) -> Desk:
    """Two periods loaded and agreed; some time has gone by."""
    for read in (read_chart, read_cost_centers, read_members, map_members):
        read(desk)
    for period in (PERIOD, "FY2026-P04"):
        load_actuals(desk, period)
    sandbox.clock.advance(3600)
    return desk


def waits(desk: Desk) -> list[tuple[str, str]]:
    return [(one.period, one.reason) for one in waiting(desk.store, desk.connection)]


def test_looks_overlap_and_report_nothing_twice(loaded: Desk, sandbox: Sandbox) -> None:
    """A journal committed late, with a time before the last look's end, is found by the overlap; the one already seen is not told again."""
    seen = post(sandbox)
    look(loaded)
    late = post(sandbox, "FY2026-P04")
    sandbox.books.batch(late).modified_at -= timedelta(minutes=5)
    assert [f"GL {late}"] == list(look(loaded).batches["batch"])
    assert 0 == len(look(loaded).batches)
    assert seen != late


@pytest.mark.parametrize("minutes", [-10, 10])
def test_d07_the_erps_clock_decides(desk: Desk, sandbox: Sandbox, minutes: int) -> None:
    """D07: an ERP ten minutes ahead or behind loses nothing: only its own times are compared."""
    sandbox.clock.advance(60 * minutes)
    look(desk)
    sandbox.clock.advance(1)
    post(sandbox)
    assert [PERIOD] == list(look(desk).batches["period"])


def test_J05_our_clock_is_set_back_an_hour_while_a_period_is_loaded(
    desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load goes on and agrees; what changed afterwards is found although our clock calls it earlier; what was taken in does not wait again."""
    real, minutes = clock.now, timedelta(0)
    monkeypatch.setattr(clock, "now", lambda: real() - minutes)
    for read in (read_chart, read_cost_centers, read_members, map_members):
        read(desk)
    look(desk)
    post(sandbox)
    look(desk)
    read_slice(desk, PERIOD)
    minutes = timedelta(hours=1)
    write_slice(desk, PERIOD)
    load_slice(desk, PERIOD)
    assert AGREED == desk.store.history.loads(desk.connection, PERIOD)[-1].state
    assert [] == waits(desk)
    sandbox.clock.advance(60)
    post(sandbox)
    look(desk)
    assert [(PERIOD, BATCHES)] == waits(desk)
    assert () == verify(desk.store.trail, full=True).findings


def test_J08_a_period_that_closes_while_it_is_loaded(desk: Desk, sandbox: Sandbox) -> None:
    """It is finished with the figures as of the recorded moment of reading, which counts as read while it was open: provisional, until it is read again."""
    sandbox.books.periods[PERIOD].status = "Open"
    for read in (read_chart, read_cost_centers, read_members, map_members):
        read(desk)

    def close(said: str) -> None:
        if said.startswith(f"{PERIOD}: reading "):
            post(sandbox)  # the last one before somebody closes the period
            sandbox.books.periods[PERIOD].status = "Closed"

    before = sandbox.clock.now()
    load_actuals(replace(desk, progress=close), PERIOD)
    reading = desk.store.history.require_step(desk.connection, EXTRACT, PERIOD)
    assert "Open" == reading.facts["erp_status"]
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(reading.facts["read_at"]) <= sandbox.clock.now()
    assert AGREED == desk.store.history.loads(desk.connection, PERIOD)[-1].state
    assert PROVISIONAL == sign_off(desk.store, desk.connection, PERIOD).state
    load_actuals(desk, PERIOD)
    assert FINAL == sign_off(desk.store, desk.connection, PERIOD).state


def test_J10_a_batch_dated_2099_is_told_once_and_nothing_after_it_is_missed(loaded: Desk, sandbox: Sandbox) -> None:
    """The mark stays at the ERP's own now. The batch is named as dated ahead of it, once, and what is posted afterwards is found."""
    wrong = post(sandbox, "FY2026-P04")
    sandbox.books.batch(wrong).modified_at = datetime(2099, 1, 1, tzinfo=UTC)
    first = look(loaded)
    assert sandbox.clock.now() >= first.until
    assert [f"GL {wrong}"] == list(first.ahead["batch"])
    sandbox.clock.advance(7_200)
    late = post(sandbox)
    second = look(loaded)
    assert [f"GL {late}"] == list(second.batches["batch"])
    assert [] == list(second.ahead["batch"])


@pytest.mark.parametrize("text", ["2026-03-01T10:00:00", "2026-03-01", "", None, "01.03.2026 10:00"])
def test_d08_a_time_that_can_be_read_in_two_ways_is_refused(text: str | None) -> None:
    """D08: without an offset it could be the user's zone or the site's; nobody guesses."""
    with pytest.raises(DataError, match="GL000001"):
        moment(text, "GL GL000001")


def test_d08_seven_digits_and_other_zones_are_read() -> None:
    """D08: what says its offset is one moment, however it is written."""
    assert moment("2026-03-01T10:00:00.1234567+02:00", "x") == moment("2026-03-01T08:00:00.123456Z", "x")


def test_another_ledgers_journals_touch_nothing(loaded: Desk, sandbox: Sandbox) -> None:
    """Statistical postings do not ask for actuals to be read again."""
    post(sandbox, ledger="STAT")
    assert 0 == len(look(loaded).batches)


@pytest.mark.prove
def test_killed_before_the_mark_moves_nothing_is_lost_or_told_twice(loaded: Desk, sandbox: Sandbox) -> None:
    """The periods are written down first: a look that dies before the mark moves is simply made again."""
    look(loaded)
    post(sandbox)
    with loaded.store.engine.begin() as db:
        db.exec_driver_sql("CREATE TRIGGER dies BEFORE INSERT ON marks BEGIN SELECT RAISE(ABORT, 'killed'); END")
    with pytest.raises(Exception, match="killed"):
        look(loaded)
    assert [(PERIOD, BATCHES)] == waits(loaded)
    with loaded.store.engine.begin() as db:
        db.exec_driver_sql("DROP TRIGGER dies")
    assert [PERIOD] == list(look(loaded).batches["period"])
    assert [(PERIOD, BATCHES)] == waits(loaded)
    assert 1 == len(loaded.store.notices.after(loaded.connection, 0))


@pytest.mark.prove
def test_a_change_after_a_killed_look_is_told_anew(loaded: Desk, sandbox: Sandbox) -> None:
    """The killed look named the period and it was loaded; what is posted after that makes it wait again."""
    look(loaded)
    post(sandbox)
    with loaded.store.engine.begin() as db:
        db.exec_driver_sql("CREATE TRIGGER dies BEFORE INSERT ON marks BEGIN SELECT RAISE(ABORT, 'killed'); END")
    with pytest.raises(Exception, match="killed"):
        look(loaded)
    with loaded.store.engine.begin() as db:
        db.exec_driver_sql("DROP TRIGGER dies")
    load_actuals(loaded, PERIOD)
    post(sandbox)
    look(loaded)
    assert [(PERIOD, BATCHES)] == waits(loaded)


def test_a_load_that_failed_leaves_its_period_waiting(loaded: Desk, sandbox: Sandbox) -> None:
    """Only an agreed load ends the waiting."""
    post(sandbox)
    look(loaded)
    loaded.store.history.end_load(loaded.store.history.begin_load(loaded.connection, PERIOD, "x"), "DIRTY")
    assert [(PERIOD, BATCHES)] == waits(loaded)
