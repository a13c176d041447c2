"""The audit trail in Dagster: verified as an asset, its signed head beside each materialization; a backfill over loaded periods changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.assets.trail import CHECK, trail_definitions
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.logbook import Logbook
from mlc_pipelines.wiring.connections import Named

PERIOD = "FY2026-P03"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def verified(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = trail_definitions().resolve_job_def("audit_trail_verification")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def recorded(store: Store) -> None:
    """Three events of a load, their head signed."""
    for number in range(3):
        Logbook(store.trail, "demo", "ana.lyst").append("gl_actuals", "MADE", note=str(number))


def change_an_old_entry(store: Store) -> None:
    """As the owner of the database can, who lifts the trigger first."""
    with store.engine.begin() as db:
        db.execute(sa.text("DROP TRIGGER IF EXISTS trail_no_update"))
        db.execute(sa.text("""UPDATE trail SET event = replace(event, '"note":"1"', '"note":"9"') WHERE number = 3"""))


def test_the_verification_is_green_with_the_head_and_red_with_the_place(
    furnished: Path, instance: dg.DagsterInstance
) -> None:
    """A clean trail is materialized with its signed head; a changed one fails, and the check names the entry."""
    store = Store.open()
    recorded(store)
    result = verified(instance)
    [event] = result.asset_materializations_for_node("audit_trail")
    assert store.trail.checkpoints.read()[0][-1].header == event.metadata["audit head"].value
    change_an_old_entry(store)
    result = verified(instance)
    [check] = result.get_asset_check_evaluations()
    assert (False, CHECK, False) == (result.success, check.check_name, check.passed)
    assert "entry 3: " in check.metadata["findings"].value


def test_it_runs_each_night_only_where_somebody_switches_that_on() -> None:
    """Off by default: the tail is verified at every run's start all the same."""
    [schedule] = trail_definitions().schedules or []
    assert dg.DefaultScheduleStatus.STOPPED == schedule.default_status


def test_the_tail_is_looked_at_while_nothing_runs(furnished: Path, instance: dg.DagsterInstance) -> None:
    """Clean: nothing is reported, since only the full verification may turn the check green. Changed: the check is red, once for each finding."""
    store = Store.open()
    [sensor] = trail_definitions().sensors or []
    assert isinstance(sensor, dg.SensorDefinition)
    assert dg.DefaultSensorStatus.STOPPED == sensor.default_status
    recorded(store)
    quiet = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(quiet, dg.SensorResult)
    assert ((), "") == (tuple(quiet.asset_events), quiet.cursor)
    change_an_old_entry(store)
    red = sensor(dg.build_sensor_context(instance=instance, cursor=""))
    assert isinstance(red, dg.SensorResult)
    [event] = red.asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    assert (CHECK, False, True) == (event.check_name, event.passed, "entry 3: " in str(event.description))
    again = sensor(dg.build_sensor_context(instance=instance, cursor=red.cursor))
    assert isinstance(again, dg.SensorResult)
    assert () == tuple(again.asset_events)


def test_a_backfill_over_a_loaded_period_sends_nothing_and_says_so(
    demo: Named, instance: dg.DagsterInstance, sandbox: Sandbox
) -> None:
    """What a backfill finds loaded and unchanged stays as it is; each materialization carries the signed head of the trail."""
    definitions = connection_definitions(demo)
    load = definitions.resolve_job_def("demo_actuals")
    assert definitions.resolve_job_def("demo_reference").execute_in_process(instance=instance).success
    first = load.execute_in_process(instance=instance, partition_key=PERIOD)
    sandbox.traffic.requests.clear()
    again = load.execute_in_process(instance=instance, partition_key=PERIOD, tags={"dagster/backfill": "abc"})
    assert first.success
    assert again.success
    [event] = again.asset_materializations_for_node("demo__actuals_import")
    assert "Nothing was sent" in str(event.metadata["summary"].value)
    assert not [row for row in sandbox.traffic.requests if row.method == "PUT" and "/chunks/" in row.path]
    head = Store.open().trail.checkpoints.read(1)[0][0].header
    assert head == event.metadata["audit head"].value
