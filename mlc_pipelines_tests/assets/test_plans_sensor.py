"""The sensor on approved plans: one preview for each approval, over the whole fiscal year; nothing is posted."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.sandbox.anaplan import planner
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import clock
from mlc_pipelines.wiring.connections import Named

YEAR = "FY2027"
PERIODS = [f"FY2027-P{number:02d}" for number in range(1, 14)]


@pytest.fixture
def budget(demo: Named, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The budget alone, in the first month of its year."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 7, 15, tzinfo=UTC))
    plans = {"budget": demo.settings.plans["budget"]}
    return Named(demo.name, demo.file, demo.settings.model_copy(update={"plans": plans}))


def tick(definitions: dg.Definitions) -> list[dg.RunRequest]:
    sensor = definitions.resolve_sensor_def("demo_approved_plans")
    assert isinstance(sensor, dg.SensorDefinition)
    assert dg.DefaultSensorStatus.STOPPED == sensor.default_status
    return list(sensor.evaluate_tick(dg.build_sensor_context(definitions=definitions)).run_requests or [])


def test_an_approval_is_asked_for_under_one_key(budget: Named, sandbox: Sandbox) -> None:
    """Until it was previewed the same one; not while it is withdrawn; a new approval is another key. The run covers the periods of the year."""
    definitions = connection_definitions(budget)
    [asked] = tick(definitions)
    assert [asked.run_key] == [one.run_key for one in tick(definitions)]
    ends = [asked.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")]
    assert [PERIODS[0], PERIODS[-1]] == ends
    assert {"approved_budget", "budget_journals"} == {key.path[-1] for key in asked.asset_selection or []}
    model = next(one for one in sandbox.tenant.models() if one.name == budget.settings.anaplan.model)
    planner.withdraw(sandbox.tenant, f"{YEAR} Budget", model=model.id)
    assert [] == tick(definitions)
    planner.approve(sandbox.tenant, f"{YEAR} Budget", model=model.id)
    [anew] = tick(definitions)
    assert anew.run_key != asked.run_key


@pytest.mark.prove
def test_what_was_previewed_is_not_asked_for_again(budget: Named, sandbox: Sandbox) -> None:
    """Whoever asked for the preview: all periods of the year are materialized by it, and nothing is written into the ERP."""
    definitions = connection_definitions(budget)
    [asked] = tick(definitions)
    job = definitions.resolve_job_def("demo_budget_preview")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, tags=dict(asked.tags)).success
        assert set(PERIODS) == instance.get_materialized_partitions(dg.AssetKey(["demo", "budget_journals"]))
    assert [] == tick(definitions)
    assert not [row for row in sandbox.traffic.requests if row.method == "PUT" and "JournalTransaction" in row.path]


def test_a_year_that_is_over_is_not_looked_at(budget: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody plans it any more."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 7, 1, tzinfo=UTC))
    assert [] == tick(connection_definitions(budget))


def test_a_year_that_nobody_plans_yet_is_no_fault(budget: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """FY2025 is in the calendar and not in the plan's list; the other years are looked at all the same. Where no year is there, the name is wrong."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2025, 6, 15, tzinfo=UTC))
    asked = {one.tags["dagster/asset_partition_range_start"] for one in tick(connection_definitions(budget))}
    assert {"FY2026-P01", "FY2027-P01"} == asked
    plan = budget.settings.plans["budget"]
    wrong = plan.approval.model_copy(update={"member": "Plan {year}"})
    plans = {"budget": plan.model_copy(update={"approval": wrong})}
    of_wrong = Named(budget.name, budget.file, budget.settings.model_copy(update={"plans": plans}))
    with pytest.raises(Exception, match="0 members 'Plan 2025'"):
        tick(connection_definitions(of_wrong))
