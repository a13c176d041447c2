"""Runs in Dagster: what an analyst sees after a good period, and after a bad one."""

from collections.abc import Iterator

import dagster as dg
import pytest

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.settings import SyncedList

PERIOD = "FY2026-P03"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run(demo: Named, instance: dg.DagsterInstance, job: str, period: str | None = None) -> dg.ExecuteInProcessResult:
    definitions = connection_definitions(demo)
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, partition_key=period, raise_on_error=False
    )


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    [event] = result.asset_materializations_for_node(f"demo__{asset}")
    return {title: value.value for title, value in event.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


def test_a_good_period_shows_its_proof(demo: Named, instance: dg.DagsterInstance) -> None:
    """All legs stand as passed checks of the period; counts and totals are there to read and to draw."""
    assert run(demo, instance, "demo_reference").success
    result = run(demo, instance, "demo_actuals", PERIOD)
    assert result.success
    legs = ["cells_match_lines", "lines_match_ledger", "model_matches_cells", "rows_all_taken", "signs_match_classes"]
    assert dict.fromkeys([*legs, "sign_off"], True) == checks(result)
    read, file, load = (metadata(result, asset) for asset in ("gl_actuals", "actuals_csv", "actuals_import"))
    assert "equal to the trial balance" in str(read["summary"])
    assert {"lines", "debits", "credits", "debits, whole USD", "Largest accounts"} <= set(read)
    assert {"cells", "cells with zero", "unmapped code pairs", "unmapped amount", "Unmapped codes"} <= set(file)
    assert load["rows sent"] == load["rows taken"]
    assert "plan and ledger agree" in str(load["summary"])


def test_a_leg_that_fails_is_a_red_check_and_materializes_nothing(
    demo: Named, instance: dg.DagsterInstance, sandbox: Sandbox
) -> None:
    """Lost lines: the check is red with the account and the difference, the step fails, the partition stays missing, the import does not start."""
    run(demo, instance, "demo_reference")
    sandbox.set_switches(acumatica={"drop_rows": 1})
    result = run(demo, instance, "demo_actuals", PERIOD)
    assert not result.success
    assert {"lines_match_ledger": False} == checks(result)
    assert [] == list(instance.get_materialized_partitions(dg.AssetKey(["demo", "gl_actuals"])))
    [failed] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    shown = failed.step_failure_data.user_failure_data
    assert shown is not None
    assert ["What happened", "What now holds", "What to do next"] == list(shown.metadata)
    assert "difference" in str(shown.description)


def test_refused_rows_are_shown_with_their_reason(demo: Named, instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
    """The failed step carries the table of refused rows."""
    run(demo, instance, "demo_reference")
    sandbox.set_switches(anaplan={"reject_rows": 2})
    result = run(demo, instance, "demo_actuals", PERIOD)
    [failed] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    shown = failed.step_failure_data.user_failure_data
    assert shown is not None
    table = shown.metadata["Refused rows"].value
    assert 2 == len(table.records)  # type: ignore[union-attr]
    assert {"rows_all_taken": False, "model_matches_cells": False} == {
        name: passed for name, passed in checks(result).items() if name in {"rows_all_taken", "model_matches_cells"}
    }
    assert ["rows", "rows sent", "rows reported", "difference"] == titles_of_differences(result, "rows_all_taken")
    assert {"cells sent", "cells in the model"} <= set(titles_of_differences(result, "model_matches_cells"))


def titles_of_differences(result: dg.ExecuteInProcessResult, check: str) -> list[str]:
    """The columns of the table `What differs`."""
    [found] = [one for one in result.get_asset_check_evaluations() if one.check_name == check]
    return [column.name for column in found.metadata["What differs"].schema.columns]  # type: ignore[union-attr]


@pytest.mark.parametrize("period", ["FY2027-P09"])
def test_a_period_that_is_not_there_yet_is_refused(demo: Named, instance: dg.DagsterInstance, period: str) -> None:
    """Dagit offers future periods too; loading one says that nothing can be posted in it yet."""
    run(demo, instance, "demo_reference")
    result = run(demo, instance, "demo_actuals", period)
    [failed] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "Inactive" in str(failed.step_failure_data.user_failure_data)


def test_figures_without_a_map_say_what_to_run(demo: Named, instance: dg.DagsterInstance) -> None:
    """Materializing figures before reference data names the asset that is missing."""
    result = run(demo, instance, "demo_actuals", PERIOD)
    [failed] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "demo/member_map" in str(failed.step_failure_data.user_failure_data)


@pytest.mark.prove
def test_refused_rows_are_explained_on_the_check(demo: Named, instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
    """The red check shows why the figures differ, row by row, and the journal lines behind them."""
    run(demo, instance, "demo_reference")
    sandbox.set_switches(anaplan={"reject_rows": 2})
    result = run(demo, instance, "demo_actuals", PERIOD)
    [check] = [one for one in result.get_asset_check_evaluations() if one.check_name == "rows_all_taken"]
    why = check.metadata["Why the figures differ"].value
    assert 2 == len(why.records)  # type: ignore[union-attr]
    assert {"cause", "difference", "ledger account", "lines"} <= set(why.records[0].data)  # type: ignore[union-attr]
    assert check.metadata["Why the figures differ: largest journal lines behind each cell"].value.records  # type: ignore[union-attr]


@pytest.mark.prove
def test_a_code_that_changed_is_a_warning_and_one_that_lost_its_member_is_red(
    demo: Named, instance: dg.DagsterInstance, sandbox: Sandbox
) -> None:
    """S38: codes stay aligned, or somebody is told. The check stops nothing."""

    def noticed() -> dg.AssetCheckEvaluation:
        result = run(demo, instance, "demo_reference")
        assert result.success
        return next(one for one in result.get_asset_check_evaluations() if one.check_name == "codes_unchanged")

    assert noticed().passed
    assert noticed().passed
    sandbox.tenant.edit_member("Accounts", "A1010", name="Our bank")
    renamed = noticed()
    assert (False, dg.AssetCheckSeverity.WARN) == (renamed.passed, renamed.severity)
    [row] = renamed.metadata["What changed"].value.records  # type: ignore[union-attr]
    assert ("list Accounts", "A1010", "name", "Our bank") == tuple(
        row.data[title] for title in ("where", "code", "change", "now")
    )
    sandbox.tenant.edit_member("Accounts", "A1020", remove=True)
    lost = noticed()
    assert (False, dg.AssetCheckSeverity.ERROR) == (lost.passed, lost.severity)
    assert "1020" in str(lost.description)
    assert noticed().passed


def test_lists_are_synchronized_in_the_reference_job(
    demo: Named, instance: dg.DagsterInstance, sandbox: Sandbox
) -> None:
    """Missing accounts become members, are read, and are mapped, all in one run; the table says what was new."""
    rule = SyncedList.model_validate(
        {"by": "items", "name": "{code} {name}", "parent": "T_{account_class}", "keep": ["parent"]}
    )
    synced = Named("demo", demo.file, demo.settings.model_copy(update={"lists": {"accounts": rule}}))
    result = run(synced, instance, "demo_reference")
    assert result.success
    assert 2 == metadata(result, "list_sync")["new members"]
    assert 0 == metadata(result, "member_map")["codes without a member"]
    assert {"A7770", "A8880"} <= {one["code"] for one in sandbox.tenant.truth_members("Accounts")}
