"""What Dagster shows before anything runs: one set of assets per connection, and a plain sign for a broken file."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.location import build_definitions
from mlc_pipelines.assets.steps import steps_of
from mlc_pipelines.wiring.connections import find, folder

DEMO = (folder() / "demo.yaml").read_text()


@pytest.fixture
def connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    (tmp_path / "demo.yaml").write_text(DEMO)
    return tmp_path


def test_the_graph_of_a_connection(connections: Path) -> None:
    """Assets, what they need, their checks, pool and partitions: a change here is a change for every analyst."""
    graph = build_definitions().resolve_asset_graph()
    shown = {
        key.path[-1]: (
            sorted(dep.path[-1] for dep in graph.get(key).parent_keys),
            sorted(check.name for check in graph.get_check_keys_for_assets({key})),
            sorted(graph.get(key).pools or []),
            graph.get(key).partitions_def is not None,
        )
        for key in graph.get_all_asset_keys()
    }
    pool = ["anaplan_finance_meridian_fp_a"]
    site = shown["budget_posting"][2]
    assert ["erp_127_0_0_1_8765_meridian_meridian"] == site
    approved, noted = ["cells_all_exported", "plan_approved"], ["destination_allowed", "journals_match_plan"]
    posted = ["journals_approved", "ledger_matches_plan", "no_stray_drafts"]
    assert {
        "approved_budget": ([], approved, pool, True),
        "budget_journals": (["approved_budget"], noted, [], True),
        "budget_posting": (["budget_journals"], sorted([*posted, "posted_matches_plan"]), site, True),
        "approved_forecast": ([], approved, pool, True),
        "forecast_journals": (["approved_forecast"], noted, [], True),
        "forecast_posting": (["forecast_journals"], posted, site, True),
        "close_calendar": ([], ["loaded_in_time"], [], False),
        "audit_trail": ([], ["trail_is_clean"], [], False),
        "fit_report": ([], ["ready_to_load"], [], False),
        "refused_records": ([], ["nothing_refused"], [], False),
        "chart_of_accounts": ([], [], [], False),
        "cost_centers": ([], [], [], False),
        "plan_members": ([], [], [], False),
        "member_map": (
            ["chart_of_accounts", "cost_centers", "plan_members"],
            ["codes_unchanged", "mapping_table_sound"],
            [],
            False,
        ),
        "gl_actuals": ([], ["lines_match_ledger"], [], True),
        "actuals_csv": (["gl_actuals", "member_map"], ["cells_match_lines", "signs_match_classes"], [], True),
        "actuals_import": (["actuals_csv"], ["model_matches_cells", "rows_all_taken", "sign_off"], pool, True),
        "period_changes": ([], [], [], True),
        "vendors": ([], ["announced_came", "each_key_once", "fields_published"], [], False),
        "bills": ([], ["announced_came", "each_key_once", "fields_published"], [], True),
    } == shown


LISTS = """  lists:
    accounts: {by: items, name: "{code} {name}", parent: "T_{account_class}", keep: [parent]}
"""


def test_lists_are_synchronized_before_members_are_read_where_declared(connections: Path) -> None:
    """list_sync stands between the ERP's codes and the plan's members, in the model's pool, and only where the connection asks for it."""
    (connections / "demo.yaml").write_text(DEMO + LISTS)
    graph = build_definitions().resolve_asset_graph()
    sync, members = (graph.get(dg.AssetKey(["demo", name])) for name in ("list_sync", "plan_members"))
    assert {"chart_of_accounts", "cost_centers"} == {key.path[-1] for key in sync.parent_keys}
    assert {"list_sync"} == {key.path[-1] for key in members.parent_keys}
    assert {"anaplan_finance_meridian_fp_a"} == set(sync.pools or [])
    job = build_definitions().resolve_job_def("demo_reference")
    assert dg.AssetKey(["demo", "list_sync"]) in job.asset_layer.executable_asset_keys


@pytest.mark.parametrize(
    ("read", "figures", "legs"),
    [
        ("journals", "ytd", {"lines_match_ledger", "opening_matches_before", "closing_matches_ledger"}),
        ("balances", "periodic", {"balances_match_ledger", "opening_matches_before"}),
    ],
)
def test_the_checks_are_those_of_the_way_of_reading(connections: Path, read: str, figures: str, legs: set[str]) -> None:
    """What reading a period proves depends on what is read and which figures go on; the checks of gl_actuals say it."""
    said = DEMO.replace("    ledger: ACTUAL\n", f"    ledger: ACTUAL\n    read: {read}\n")
    (connections / "demo.yaml").write_text(said.replace("  actuals:\n", f"  actuals:\n    figures: {figures}\n"))
    graph = build_definitions().resolve_asset_graph()
    assert legs == {check.name for check in graph.get_check_keys_for_assets({dg.AssetKey(["demo", "gl_actuals"])})}


def test_periods_stand_in_fiscal_order(connections: Path) -> None:
    """Partition keys come from the declared calendar, adjustment periods in their place."""
    job = build_definitions().resolve_job_def("demo_actuals")
    assert job.partitions_def is not None
    keys = job.partitions_def.get_partition_keys()
    assert ["FY2025-P12", "FY2025-P13", "FY2026-P01"] == keys[11:14]
    assert 39 == len(keys)


def test_every_job_sleeps_while_another_run_is_in_the_model(connections: Path) -> None:
    """The executor belongs to the whole location, jobs of single buttons in Dagit included."""
    named = find("demo")
    jobs = build_definitions().get_repository_def().get_all_jobs()
    assert {f"{named.name}_reference", f"{named.name}_actuals"} <= {job.name for job in jobs}
    assert {"one_process"} == {job.executor_def.name for job in jobs}


def test_a_broken_file_is_shown_and_takes_nothing_down(connections: Path) -> None:
    """The broken connection appears by name with its error; the good one is complete."""
    (connections / "acme.yaml").write_text(DEMO.replace("ledger: ACTUAL", "ledgr: ACTUAL"))
    definitions = build_definitions()
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert {
        "acme/connection_error",
        *(f"demo/{step.name}" for step in steps_of(find("demo"))),
        "demo/close_calendar",
        "demo/vendors",
        "demo/bills",
        "demo/fit_report",
        "demo/refused_records",
        "demo/period_changes",
        "audit_trail",
    } == keys
    spec = definitions.resolve_asset_graph().get(dg.AssetKey(["acme", "connection_error"]))
    assert "acme.yaml" in (spec.description or "")
    assert "erp" in (spec.description or "")
    assert "ledgr" in (spec.description or "")


def test_two_connections_into_one_model_share_its_pool(connections: Path) -> None:
    """The pool is the model's, however many connections write into it."""
    (connections / "second.yaml").write_text(DEMO)
    graph = build_definitions().resolve_asset_graph()
    pools = {tuple(graph.get(dg.AssetKey([name, "actuals_import"])).pools or []) for name in ("demo", "second")}
    assert 1 == len(pools)


def test_loading_definitions_stays_light() -> None:
    """Servers that only show definitions load no pandas, no HTTP client, no database and touch no network."""
    program = (
        "import sys; from mlc_pipelines.definitions import defs; defs().resolve_asset_graph();"
        "heavy = {'pandas', 'pyarrow', 'httpx', 'urllib3.connectionpool', 'cryptography.hazmat'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()


def test_every_step_speaks_to_people(connections: Path) -> None:
    """Each asset has a description, an owner and a kind."""
    graph = build_definitions().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.owners
        assert node.kinds
