"""The schedule of the close under an injected clock: each period is asked for when it is due, once, whatever happens to the daemon."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from mlc_pipelines.assets.closing import close_definitions
from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.assets.location import build_definitions
from mlc_pipelines.assets.schedules import close_schedule
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import clock
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Daemon:
    """Ticks of the demo connection's schedule at any time; what it asks for becomes runs, as the real one does it."""

    def __init__(self, named: Named, instance: DagsterInstance, context: dg.ScheduleEvaluationContext) -> None:
        self.named = named
        self.schedule = close_schedule(self.named, "demo_close", lambda: self.now)
        self.instance, self.context = instance, context
        self.now, self.said = utc("2026-03-01T00:00"), ""

    def decide(self, at: str) -> list[dg.RunRequest]:
        """A tick that is killed before its runs are launched."""
        self.now = utc(at)
        seen = self.schedule.evaluate_tick(self.context)
        self.said = seen.skip_message or ""
        return list(seen.run_requests or [])

    def tick(self, at: str, status: DagsterRunStatus = DagsterRunStatus.SUCCESS) -> list[str]:
        asked = self.decide(at)
        for one in asked:
            run = DagsterRun("demo_close", str(uuid.uuid4()), status=status, tags=dict(one.tags))
            self.instance.add_run(run)
        return [str(one.run_key) for one in asked]


@pytest.fixture(scope="module")
def ticking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DagsterInstance, dg.ScheduleEvaluationContext]]:
    """One instance for all tests here: to make one takes longer than any of them."""
    repository = connection_definitions(find("demo")).get_repository_def()
    with (
        DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance,
        dg.build_schedule_context(instance, repository_def=repository) as context,
    ):
        yield instance, context


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What the store writes is written at the daemon's time."""
    if "daemon" in request.fixturenames:
        daemon = request.getfixturevalue("daemon")
        monkeypatch.setattr(clock, "now", lambda: daemon.now)


@pytest.fixture
def daemon(demo: Named, ticking: tuple[DagsterInstance, dg.ScheduleEvaluationContext]) -> Daemon:
    """No run was ever asked for."""
    instance, context = ticking
    instance.run_storage.wipe()
    return Daemon(demo, instance, context)


FRIDAY, FLASH, MONDAY = "FY2026-P08-open-20260227T1300Z", "FY2026-P08-flash-20260302T1300Z", "FY2026-P09-open-20260302T1300Z"  # fmt: skip


def test_a_close_from_day_to_day(daemon: Daemon) -> None:
    """February 2026 in Denver: the last Friday, WD+1 with the first load of March, nothing in between, WD+5 at 18:00."""
    assert [FRIDAY] == daemon.tick("2026-02-27T13:00")
    assert [] == daemon.tick("2026-02-27T13:05")
    assert [] == daemon.tick("2026-03-02T12:55")
    assert [FLASH, MONDAY] == daemon.tick("2026-03-02T13:00")
    assert ["FY2026-P09-open-20260306T1300Z"] == daemon.tick("2026-03-06T13:00")
    assert ["FY2026-P08-final-20260307T0100Z"] == daemon.tick("2026-03-07T01:00")
    assert [] == daemon.tick("2026-03-07T01:05")


def test_H04_a_daemon_away_for_a_week_makes_up_once(daemon: Daemon) -> None:
    """Ticks that Dagster catches up all see the same clock: the first asks once for each period, the others find it asked for."""
    daemon.tick("2026-02-27T13:00")
    missed = ["FY2026-P08-flash-20260302T1300Z", "FY2026-P09-open-20260306T1300Z"]
    assert missed == daemon.tick("2026-03-06T18:00")
    assert [[], [], []] == [daemon.tick("2026-03-06T18:00") for _ in range(3)]


def test_H04_a_daemon_killed_before_it_launched_asks_again(daemon: Daemon) -> None:
    """What was decided and not launched is still due; what one of two runs was launched for is not asked for twice."""
    first, _second = daemon.decide("2026-03-02T13:00")
    assert [FLASH, MONDAY] == [one.run_key for one in daemon.decide("2026-03-02T13:00")]
    daemon.instance.add_run(DagsterRun("demo_close", str(uuid.uuid4()), status=DagsterRunStatus.SUCCESS, tags=dict(first.tags)))  # fmt: skip
    assert [MONDAY] == daemon.tick("2026-03-02T13:05")


def test_a_failed_run_waits_for_a_person(daemon: Daemon) -> None:
    """It is not asked for over and over; the next moment of the same period is."""
    assert [FLASH, MONDAY] == daemon.tick("2026-03-02T13:00", DagsterRunStatus.FAILURE)
    assert [] == daemon.tick("2026-03-02T13:05")
    assert ["FY2026-P09-open-20260303T1300Z"] == daemon.tick("2026-03-03T13:00")


def test_H11_a_period_that_is_still_being_loaded_is_not_queued_behind_itself(daemon: Daemon) -> None:
    """A run of Monday that still works on Wednesday: Tuesday and Wednesday are one load, once it is over."""
    assert [FLASH, MONDAY] == daemon.tick("2026-03-02T13:00", DagsterRunStatus.STARTED)
    assert [[], []] == [daemon.tick(at) for at in ("2026-03-03T13:00", "2026-03-04T13:00")]
    for run in daemon.instance.get_runs():
        daemon.instance.delete_run(run.run_id)
        daemon.instance.add_run(run.with_status(DagsterRunStatus.SUCCESS))
    assert ["FY2026-P09-open-20260304T1300Z"] == daemon.tick("2026-03-04T15:00")


def test_a_period_that_is_not_open_in_the_erp_is_waited_for(daemon: Daemon, sandbox: Sandbox) -> None:
    """No failed run each business day: the tick says what is waited for, and once the ERP has opened it, it is asked for as its newest moment says."""
    sandbox.books.periods["FY2026-P09"].status = "Inactive"
    assert [FLASH] == daemon.tick("2026-03-02T13:00")
    assert [] == daemon.tick("2026-03-02T13:20")
    assert "FY2026-P09 is due and is waited for: it is not open in the ERP yet (Inactive)." == daemon.said
    calls = sandbox.traffic.counts()["acumatica"]
    assert [] == daemon.tick("2026-03-02T13:25")
    assert calls == sandbox.traffic.counts()["acumatica"]
    sandbox.books.periods["FY2026-P09"].status = "Open"
    assert ["FY2026-P09-open-20260303T1300Z"] == daemon.tick("2026-03-03T13:40")


def test_nothing_is_loaded_before_the_fit_report_is_ready(daemon: Daemon) -> None:
    """What was due meanwhile is made up once it is."""
    history = Store.open().history
    history.record_step("demo", "fit_report", "", "", {"state": "not yet", "summary": "1 thing is missing."})
    assert [] == daemon.tick("2026-03-02T13:00")
    assert "is not ready" in daemon.said
    history.record_step("demo", "fit_report", "", "", {"state": "ready", "summary": ""})
    assert [FLASH, MONDAY] == daemon.tick("2026-03-02T13:05")


def test_the_run_says_what_it_was_asked_for(daemon: Daemon) -> None:
    """Provisional or final, by which step, for which partition: on the run's tags."""
    [final] = [one for one in daemon.decide("2026-03-07T01:00") if one.partition_key == "FY2026-P08"]
    tags = {key: final.tags[key] for key in ("mlc/close", "mlc/figures", "mlc/asked_by", "dagster/partition")}
    assert {
        "mlc/close": "demo/FY2026-P08-final-20260307T0100Z",
        "mlc/figures": "final",
        "mlc/asked_by": "close calendar, final",
        "dagster/partition": "FY2026-P08",
    } == tags


def test_the_close_of_a_year_asks_for_every_moment_once(daemon: Daemon) -> None:
    """Looked at each moment of the calendar, and five minutes later: what it says is what was asked for, each once."""
    close = daemon.named.close
    start, end = utc("2026-06-26T00:00"), utc("2026-07-10T00:00")
    asked: list[str] = []
    for due_at in sorted({due.at for due in close.between(start, end)}):
        for late in (timedelta(), timedelta(minutes=5)):
            asked += daemon.tick((due_at + late).strftime("%Y-%m-%dT%H:%M"))
    due = [one.key for one in close.between(start, end)]
    assert sorted(due) == sorted(asked)
    assert len(set(asked)) == len(asked)


def test_it_is_off_until_somebody_switches_it_on() -> None:
    """Each connection with a close has a schedule of its own, off on a fresh installation."""
    definitions = build_definitions()
    found = {one.name: one for one in definitions.schedules or []}
    assert {"demo_close", "demo_epicor_close", "audit_trail_each_night"} == set(found)
    assert {dg.DefaultScheduleStatus.STOPPED} == {one.default_status for one in found.values()}  # type: ignore[union-attr]


def test_the_job_reads_codes_before_figures() -> None:
    """One run brings reference data up to date first; plans and extracts are no part of it."""
    job = build_definitions().resolve_job_def("demo_close")
    steps = {key.path[-1] for key in job.asset_layer.executable_asset_keys}
    assert {"chart_of_accounts", "cost_centers", "plan_members", "member_map", "gl_actuals", "actuals_csv", "actuals_import"} == steps  # fmt: skip


def test_the_calendar_is_a_table_in_dagit() -> None:
    """Twelve months from now on, by the clock of the close; nothing is asked of any system."""
    named = find("demo")
    definitions = close_definitions(named, [], lambda: utc("2026-03-01T00:00"))
    [asset] = [one for one in definitions.assets or [] if isinstance(one, dg.AssetsDefinition)]
    result = dg.materialize([asset], instance=DagsterInstance.ephemeral())
    [event] = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    shown = metadata["The coming twelve months"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert ("Mon 2026-03-02 06:00", "FY2026-P08", "flash", "provisional") == tuple(
        str(shown.records[0].data[title]) for title in ("when", "period", "what", "figures")
    )
    assert "America/Denver" == metadata["time zone"].value
    assert 251 + 24 == metadata["loads"].value


def test_a_run_of_the_close_brings_codes_and_figures(demo: Named) -> None:
    """With nothing materialized before: one run in one order, and what it was asked for stands beside the figures. May 2026 is still open in the ERP."""
    job = connection_definitions(demo).resolve_job_def("demo_close")
    tags = {"mlc/close": "demo/FY2026-P11-flash-20260601T1200Z", "mlc/figures": "provisional", "mlc/asked_by": "close calendar, flash"}  # fmt: skip
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, partition_key="FY2026-P11", tags=tags)
    [event] = result.asset_materializations_for_node("demo__actuals_import")
    shown = {title: value.value for title, value in event.metadata.items()}
    assert (
        "close calendar, flash, as provisional figures (demo/FY2026-P11-flash-20260601T1200Z)" == shown["asked for by"]
    )
    assert "provisional: " == shown["sign-off"][:13]
    assert "Open in the ERP" == shown["sign-off"][-15:]
    [check] = [one for one in result.get_asset_check_evaluations() if one.check_name == "sign_off"]
    assert (True, "FY2026-P11") == (check.passed, check.partition)
    assert "FY2026-P11 is provisional" in str(check.description)
