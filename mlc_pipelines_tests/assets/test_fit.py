"""The fit report in Dagit: a table, counts, and one check that tells whether a first load may begin."""

import dagster as dg
import pytest

from mlc_pipelines.assets.fit import fit_definitions
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.calendars import CalendarFile
from mlc_pipelines.wiring.connections import Named


@pytest.mark.parametrize(("state", "ready"), [("UNLOCKED", True), ("ARCHIVED", False)])
def test_the_check_tells_whether_a_first_load_may_begin(demo: Named, sandbox: Sandbox, state: str, ready: bool) -> None:
    """The asset is there either way, for what is missing is its content; nothing is started in the model."""
    sandbox.set_switches(anaplan={"model_state": state})
    with dg.DagsterInstance.ephemeral() as instance:
        done = fit_definitions(demo).resolve_job_def("demo_fit").execute_in_process(instance=instance)
        [event] = done.asset_materializations_for_node("demo__fit_report")
        [check] = done.get_asset_check_evaluations()
    assert (ready, "ready_to_load") == (check.passed, check.check_name)
    assert (0 if ready else 1) == event.metadata["missing"].value
    rows = event.metadata["Findings"].value.records
    assert ("missing" if not ready else "beware") == rows[0].data["state"]
    assert [] == sandbox.tenant.log()["actions"]
    store = Store.open()
    [entry] = store.trail.entries(connection="demo", kind="fit_report")
    assert check.description == entry.event["query"]["summary"]
    assert store.history.require_step("demo", "fit_report").artefact == entry.event["artefacts"]["file"]


def test_a_connection_without_its_calendar_still_has_its_report(demo: Named) -> None:
    """Where the calendar file is missing, no other asset can be shown; the report can, and says who mends it."""
    settings = demo.settings.model_copy(update={"calendar": CalendarFile(kind="file", file="nowhere.csv")})
    jobs = fit_definitions(Named(demo.name, demo.file, settings)).resolve_all_job_defs()
    assert "demo_fit" in {job.name for job in jobs}
