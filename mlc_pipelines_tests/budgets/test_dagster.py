"""Plans in Dagster: previewed for a period or for a range of them, approved by a person, posted in one run; what the checks show, green and red."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines_tests.budgets.office import ANALYST, changed, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, SECOND, Articles, Native, PlanBook, Statistical, Way, ways

Run = dg.ExecuteInProcessResult


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("MLC_USER", ANALYST)
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run(named: Named, instance: dg.DagsterInstance, job: str, first: str, last: str = "") -> Run:
    """A job of the connection for one period, or for a range of them in a single run, as a backfill of these assets makes it."""
    found = connection_definitions(named).resolve_job_def(f"{named.name}_{job}")
    if not last:
        return found.execute_in_process(instance=instance, partition_key=first, raise_on_error=False)
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return found.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def checks(result: Run) -> dict[str, bool]:
    return {one.check_name: one.passed for one in result.get_asset_check_evaluations()}


def metadata(result: Run, asset: str) -> dict[str, object]:
    event = result.asset_materializations_for_node(asset)[-1]
    return {title: value.value for title, value in event.metadata.items()}


def failure(result: Run) -> str:
    """What stands on the failed step: all parts of its message."""
    assert not result.success
    [failed] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    shown = failed.step_failure_data.user_failure_data
    assert shown is not None
    assert {"What happened", "What now holds", "What to do next"} <= set(shown.metadata)
    return f"{shown.description} {shown.metadata}"


def approve(way: Way, content: str) -> None:
    with open_office(way) as office:
        office.approve(content)


def shown(instance: dg.DagsterInstance, result: Run, named: Named, step: str) -> set[AssetCheckExecutionRecordStatus]:
    """How Dagit shows the checks of a step after a run: each planned one counts, and one without a result is called skipped."""
    node = connection_definitions(named).resolve_asset_graph().get(dg.AssetKey([named.name, step]))
    history = instance.event_log_storage.get_asset_check_execution_history
    return {one.status for check in node.check_keys for one in history(check, limit=50) if one.run_id == result.run_id}


@ways(Statistical, also=[Native, PlanBook])
def test_a_range_of_periods_is_previewed_approved_and_posted_in_one_run(way: Way, instance: dg.DagsterInstance) -> None:
    """Every check stands there and passed; the partitions are materialized; a second backfill writes nothing and says so."""
    named = changed(way.named, way.plan)
    preview = run(named, instance, f"{way.plan}_preview", FIRST, SECOND)
    assert preview.success
    legs = {"cells_all_exported", "plan_approved", "journals_match_plan", "destination_allowed"}
    assert dict.fromkeys(legs | ({"journals_balance"} if way.balances else set()), True) == checks(preview)
    told = metadata(preview, f"{way.connection}__{way.plan}_journals")
    assert {"By account", "By period", "Journals", "prepared by", "debits to be written"} <= set(told)
    assert [] == way.writes()
    unapproved = run(named, instance, f"{way.plan}_posting", FIRST, SECOND)
    assert "Nobody has approved" in failure(unapproved)
    [red] = unapproved.get_asset_check_evaluations()
    assert ("journals_approved", False) == (red.check_name, red.passed)
    assert "Nobody has approved" in str(red.metadata["What happened"].value)
    assert [] == way.writes()
    approve(way, str(told["content to approve"]))
    posting = run(named, instance, f"{way.plan}_posting", FIRST, SECOND)
    assert posting.success, failure(posting)
    legs = {"journals_approved", "no_stray_drafts"} | ({"posted_matches_plan"} if way.journals else set())
    legs |= set() if way.journals and named.settings.plans[way.plan].shared else {"ledger_matches_plan"}
    assert dict.fromkeys(legs, True) == checks(posting)
    assert {AssetCheckExecutionRecordStatus.SUCCEEDED} == shown(instance, posting, named, f"{way.plan}_posting")
    expected = (-125_050, 30_001)
    assert expected == tuple(way.totals(FIRST)[way.targets[what]] for what in ("fees", "travel"))
    assert {FIRST, SECOND} == instance.get_materialized_partitions(dg.AssetKey([way.connection, f"{way.plan}_posting"]))
    before = way.writes()
    again = run(named, instance, f"{way.plan}_posting", FIRST, SECOND)
    assert again.success
    assert "already posted as" in str(metadata(again, f"{way.connection}__{way.plan}_posting")["summary"])
    assert before == way.writes()


@ways(also=[Articles])
def test_one_period_waits_for_a_person_in_the_erp(way: Way, instance: dg.DagsterInstance) -> None:
    """One partition of the same job; the step is red with what it waits for, nothing is materialized, and the same run finishes it afterwards."""
    named = changed(way.named, way.plan)
    assert run(named, instance, f"{way.plan}_preview", FIRST).success
    with open_office(way) as office:
        office.approve(office.preview().texts["content to approve"])
    waits = run(named, instance, f"{way.plan}_posting", FIRST)
    assert "GL505510" in failure(waits)
    assert not instance.get_materialized_partitions(dg.AssetKey([way.connection, f"{way.plan}_posting"]))
    way.release()
    posting = run(named, instance, f"{way.plan}_posting", FIRST)
    assert posting.success
    assert {"journals_approved": True, "ledger_matches_plan": True, "no_stray_drafts": True} == checks(posting)


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_a_refused_destination_is_a_red_check(way: Way, instance: dg.DagsterInstance) -> None:
    """The actual ledger, whatever the file says: red where an analyst looks, with the message; nothing written."""
    named, before = changed(way.named, way.plan, destination__ledger="ACTUAL"), way.trial_balance()
    result = run(named, instance, f"{way.plan}_preview", FIRST)
    assert "plans are never written there" in failure(result)
    assert (False, True) == (checks(result)["destination_allowed"], checks(result)["plan_approved"])
    assert ([], before) == (way.writes(), way.trial_balance())


@ways(also=[Statistical])
def test_a_stray_journal_is_a_red_check_that_names_it(way: Way, instance: dg.DagsterInstance) -> None:
    """The leg that does not agree stands there with what differs; the one that does stands beside it."""
    with open_office(way) as office:
        office.issue()
    account, _ = way.write_beside(FIRST)
    result = run(changed(way.named, way.plan), instance, f"{way.plan}_posting", FIRST)
    assert account in failure(result)
    assert {"posted_matches_plan": True, "ledger_matches_plan": False} == checks(result)


def test_plans_and_actuals_share_no_job(sites: object) -> None:
    """What brings actuals in never starts what writes a plan back, and each plan has two jobs, for a person looks in between."""
    for name in ("demo", "demo_epicor"):
        definitions = connection_definitions(find(name))
        actuals = definitions.resolve_job_def(f"{name}_actuals").asset_layer.executable_asset_keys
        reference = definitions.resolve_job_def(f"{name}_reference").asset_layer.executable_asset_keys
        for plan in ("budget", "forecast"):
            of_plan = {f"approved_{plan}", f"{plan}_journals", f"{plan}_posting"}
            assert not of_plan & {key.path[-1] for key in actuals | reference}
            preview = definitions.resolve_job_def(f"{name}_{plan}_preview").asset_layer.executable_asset_keys
            posting = definitions.resolve_job_def(f"{name}_{plan}_posting").asset_layer.executable_asset_keys
            assert of_plan == {key.path[-1] for key in preview | posting}
            assert {f"{plan}_posting"} == {key.path[-1] for key in posting}
