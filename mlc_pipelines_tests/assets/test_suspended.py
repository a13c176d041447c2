"""The watch over final periods in Dagster: what is asked for when, by what the connection says; what a person sees meanwhile."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.assets.readiness import not_ready
from mlc_pipelines.cli import cli
from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.as_then import THEN
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.replay import replay
from mlc_pipelines.flows.signoff import sign_off
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.store import clock
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

PERIOD = "FY2026-P03"
FRIDAY = datetime(2026, 2, 13, 20, 0, tzinfo=UTC)
"""Afternoon in Denver; Monday the 16th is Presidents' Day."""


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Our own clock, which stands still until it is set."""
    times = [FRIDAY]
    monkeypatch.setattr(clock, "now", lambda: times[-1])
    return times


def watched(demo: Named, again: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The demo connection with another answer to when a final period is asked for again."""
    text = demo.file.read_text().replace(
        "watch: {every_minutes: 15}", f'watch: {{every_minutes: 15, again: {again}, at: "07:30"}}'
    )
    (folder / "demo.yaml").write_text(text)
    monkeypatch.setenv("MLC_CONNECTIONS", str(folder))
    return find("demo")


def final(named: Named, sandbox: Sandbox, now: list[datetime]) -> None:
    """A closed period that was loaded and agreed; a journal is posted into it afterwards."""
    with open_desk(named, sleep=briefly) as desk:
        refresh_reference(desk)
        load_actuals(desk, PERIOD)
    now.append(FRIDAY.replace(minute=30))
    sandbox.clock.advance(3600)
    lines = [Line(0, "6100", "010-000", "HQ", 1000, 0, "", ""), Line(0, "1010", "010-000", "HQ", 0, 1000, "", "")]
    sandbox.books.post("ACTUAL", PERIOD, "HQ", "Posted", "late", lines, now=sandbox.clock.now())


class Ticks:
    """The sensor's ticks, and what Dagster keeps of them: results without a run are reported as its daemon does it."""

    def __init__(self, named: Named) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.definitions = connection_definitions(named)
        self.sensor = self.definitions.resolve_sensor_def("demo_changes")
        self.cursor: str | None = None
        self.red: list[dg.AssetCheckEvaluation] = []

    def tick(self) -> tuple[list[tuple[str | None, str | None]], str]:
        """Jobs with their periods, and what is said where nothing is asked for."""
        context = dg.build_sensor_context(instance=self.instance, definitions=self.definitions, cursor=self.cursor)
        seen = self.sensor.evaluate_tick(context)
        self.cursor = seen.cursor
        self.red = [one for one in seen.asset_events if isinstance(one, dg.AssetCheckEvaluation)]
        for one in self.red:
            self.instance.report_runless_asset_event(one)
        return [(one.job_name, one.partition_key) for one in seen.run_requests or []], seen.skip_message or ""


def test_at_once_the_period_is_asked_for_and_shown_in_red(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime]
) -> None:
    """The tick that finds the change asks for the period, and turns the check beside its figures red, once."""
    named = watched(demo, "at_once", tmp_path, monkeypatch)
    final(named, sandbox, now)
    ticks = Ticks(named)
    assert [("demo_actuals", PERIOD)] == ticks.tick()[0]
    [red] = ticks.red
    assert ("sign_off", PERIOD, False) == (red.check_name, red.partition, red.passed)
    assert f"{PERIOD} is suspended." in str(red.description)
    assert [("demo_actuals", PERIOD)] == ticks.tick()[0]
    assert [] == ticks.red


@pytest.mark.prove
def test_on_the_next_business_day_it_is_listed_first_and_asked_for_then(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime]
) -> None:
    """Found on a Friday, a holiday on Monday: asked for on Tuesday at 07:30 in Denver. What changed is listed at once, and stands in the red check."""
    named = watched(demo, "next_business_day", tmp_path, monkeypatch)
    final(named, sandbox, now)
    ticks = Ticks(named)
    assert [("demo_changes_listed", PERIOD)] == ticks.tick()[0]
    job = ticks.definitions.resolve_job_def("demo_changes_listed")
    done = job.execute_in_process(instance=ticks.instance, partition_key=PERIOD)
    [event] = done.get_asset_materialization_events()
    [shown_by_run] = done.get_asset_check_evaluations()
    assert ("sign_off", PERIOD, False) == (shown_by_run.check_name, shown_by_run.partition, shown_by_run.passed)
    assert "1 new" in str(event.materialization.metadata["summary"].value)
    now.append(datetime(2026, 2, 17, 14, 29, tzinfo=UTC))
    asked, said = ticks.tick()
    assert [] == asked
    assert "asked for again from 2026-02-17 14:30 UTC on" in said
    [red] = ticks.red
    assert red.partition is None, (
        "Dagster keeps one result of a partition that belongs to no run, and fails the tick that brings another"
    )
    shown = red.metadata["Journals that changed"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert {"6100", "1010"} == {str(record.data["account"]) for record in shown.records}
    now.append(datetime(2026, 2, 17, 14, 30, tzinfo=UTC))
    assert [("demo_actuals", PERIOD)] == ticks.tick()[0]


def test_the_check_turns_green_again_where_no_figure_differs(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime]
) -> None:
    """Told of a change and suspended; looked into, confirmed without any load, and shown so beside the period, however often."""
    named = watched(demo, "next_business_day", tmp_path, monkeypatch)
    with open_desk(named, sleep=briefly) as desk:
        refresh_reference(desk)
        load_actuals(desk, PERIOD)
    ticks = Ticks(named)
    for number in (1, 2):
        Store.open().notices.keep("demo", "MLC GL Changes", f"n{number}", number, [PERIOD])
        assert [("demo_changes_listed", PERIOD)] == ticks.tick()[0]
        assert [False] == [one.passed for one in ticks.red]
        job = ticks.definitions.resolve_job_def("demo_changes_listed")
        [shown] = job.execute_in_process(instance=ticks.instance, partition_key=PERIOD).get_asset_check_evaluations()
        assert (True, PERIOD) == (shown.passed, shown.partition)
        assert f"{PERIOD} is final." in str(shown.description)


@pytest.mark.prove
def test_by_a_person_it_is_never_asked_for_by_itself(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime]
) -> None:
    """The sensor says what waits; the command lists it, and the person's own load gives the new sign-off."""
    named = watched(demo, "by_person", tmp_path, monkeypatch)
    final(named, sandbox, now)
    ticks = Ticks(named)
    ticks.tick()
    done = CliRunner().invoke(cli, ["changes", "demo"])
    assert (0, None) == (done.exit_code, done.exception)
    assert f"{PERIOD} was final and is suspended. 1 journal is not what was agreed: 1 new." in done.output
    assert f"{PERIOD} waits to be read again (changed batches): mlc load demo {PERIOD}" in done.output
    now.append(datetime(2026, 5, 1, tzinfo=UTC))
    asked, said = ticks.tick()
    assert [] == asked
    assert "a person asks for it again" in said
    with open_desk(named, sleep=briefly) as desk:
        load_actuals(desk, PERIOD)
    assert "final" == sign_off(Store.open(), "demo", PERIOD).state
    told = CliRunner().invoke(cli, ["signoff", "history", "demo", PERIOD]).output
    assert ["final", "suspended", "suspended", "suspended", "final"] == [
        line.split()[3].strip(":") for line in told.splitlines() if " UTC  " in line
    ]
    assert f"{PERIOD} is final" in told
    listed = CliRunner().invoke(cli, ["signoff", "list", "demo", "--json"]).output
    assert '"state": "final"' in listed


@pytest.mark.prove
def test_kept_figures_turn_the_check_red_and_wait_like_a_change(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime]
) -> None:
    """A final period into which somebody put figures of then is not overwritten by itself where the connection leaves that to a person."""
    named = watched(demo, "by_person", tmp_path, monkeypatch)
    final(named, sandbox, now)
    with open_desk(named, sleep=briefly) as desk:
        desk.store.history.doubt("demo", PERIOD, "somebody looked at it and wondered")
        replay(desk, PERIOD, figures=THEN, load=1)
    ticks = Ticks(named)
    asked, said = ticks.tick()
    assert [] == asked
    assert f"{PERIOD} was final and is as then: The figures of load 1" in said
    [red] = ticks.red
    assert ("sign_off", False, True) == (red.check_name, red.passed, f"{PERIOD} is as then." in str(red.description))
    listed = CliRunner().invoke(cli, ["signoff", "list", "demo", "--json"]).output
    assert '"state": "as then"' in listed


def test_a_business_day_must_be_declared(demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """next_business_day without a close calendar is refused when the file is read."""
    text = demo.file.read_text().replace("watch: {every_minutes: 15}", "watch: {again: next_business_day}")
    (tmp_path / "demo.yaml").write_text(text[: text.index("  close:")] + text[text.index("  extracts:") :])
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    with pytest.raises(Exception, match="declare `close`"):
        find("demo")


def test_nothing_is_asked_for_while_the_fit_report_is_not_ready(demo: Named, sandbox: Sandbox) -> None:
    """What is missing is said where people look why nothing happens; that there is no report yet likewise."""
    assert "No fit report was made yet" in not_ready(Store.open(), "never_looked_at")
    store = Store.open()
    store.notices.keep("demo", "MLC GL Changes", "n1", 1, [PERIOD])
    store.history.record_step("demo", "fit_report", "", "", {"state": "not yet", "summary": "2 things are missing."})
    asked, said = Ticks(demo).tick()
    assert [] == asked
    assert "is not ready" in said
    assert "2 things are missing." in said
    store.history.record_step("demo", "fit_report", "", "", {"state": "ready", "summary": ""})
    assert [("demo_actuals", PERIOD)] == Ticks(demo).tick()[0]


@pytest.mark.parametrize(("chosen", "asked"), [("at_cadence", []), ("at_once", [("demo_actuals", "FY2026-P08")])])
def test_the_open_period_waits_for_its_own_cadence(
    demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime], chosen: str, asked: list[object]
) -> None:
    """Every posting changes it: the schedule loads it on the next business day anyhow. A period that has ended is asked for at once, as before."""
    named = watched(demo, f"at_once, open_period: {chosen}", tmp_path, monkeypatch)
    Store.open().notices.keep("demo", "MLC GL Changes", "n1", 1, ["FY2026-P08"])
    found, said = Ticks(named).tick()
    assert asked == found
    assert bool(asked) != (
        "FY2026-P08 is open and has changed. By the connection file it is asked for again from 2026-02-17 13:00 UTC on."
        in said
    )
    Store.open().notices.keep("demo", "MLC GL Changes", "n2", 2, ["FY2026-P07"])
    assert ("demo_actuals", "FY2026-P07") in Ticks(named).tick()[0]
