"""Extracts in Dagster: what an analyst sees of a list of records, good or bad."""

import dagster as dg
import pytest

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named


@pytest.fixture(autouse=True)
def few_books(sandbox: Sandbox) -> None:
    sandbox.books.batches[:] = [one for one in sandbox.books.batches if one.period in {"FY2026-P02", "FY2026-P03"}]


def run(demo: Named, asset: str, period: str | None = None) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("only", dg.AssetSelection.assets(dg.AssetKey(["demo", asset])))
    definitions = dg.Definitions.merge(connection_definitions(demo), dg.Definitions(jobs=[job]))
    return definitions.resolve_job_def("only").execute_in_process(partition_key=period, raise_on_error=False)


def test_a_good_extract_shows_rows_columns_and_proof(demo: Named) -> None:
    """Row count and columns where Dagster shows them for every table; first rows, newest change, hash; three passed checks."""
    result = run(demo, "bills", "FY2026-P03")
    [event] = result.asset_materializations_for_node("demo__bills")
    shown = event.metadata
    columns = {one.name: one.type for one in shown["dagster/column_schema"].value.columns}
    assert {
        "Amount": "decimal128(28, 8)",
        "Details": "list of records",
        "Details/Amount": "decimal128(28, 8)",
    }.items() <= columns.items()
    assert shown["rows"].value == shown["dagster/row_count"].value == 52
    assert {"First rows", "newest modification", "file (SHA-256)", "summary"} <= set(shown)
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert {"fields_published": True, "each_key_once": True, "announced_came": True} == checks


def test_a_field_that_is_gone_is_a_red_check(demo: Named, sandbox: Sandbox) -> None:
    """Nothing is materialized; the check names the field."""
    sandbox.set_switches(acumatica={"removed": ["Vendor/VendorID"]})
    result = run(demo, "vendors")
    assert not result.success
    [check] = result.get_asset_check_evaluations()
    assert ("fields_published", False) == (check.check_name, check.passed)
    assert "VendorID" in str(check.metadata["What differs"].value)
    assert [] == result.asset_materializations_for_node("demo__vendors")


def test_plain_extracts_have_a_job(demo: Named) -> None:
    """One run brings all of them up to date; those by period are asked for by period."""
    job = connection_definitions(demo).resolve_job_def("demo_extracts")
    assert {dg.AssetKey(["demo", "vendors"])} == set(job.asset_layer.selected_asset_keys)


def test_descriptions_say_what_is_read(demo: Named) -> None:
    graph = connection_definitions(demo).resolve_asset_graph()
    said = {name: graph.get(dg.AssetKey(["demo", name])).description or "" for name in ("vendors", "bills")}
    assert "kept up to date by LastModifiedDateTime; one row per VendorID" in said["vendors"]
    assert "whole for each fiscal period (PostPeriod)" in said["bills"]


def test_everything_is_read_again_on_demand(demo: Named) -> None:
    """The job reads only what changed; `whole: true` in the run's configuration reads all."""
    job = connection_definitions(demo).resolve_job_def("demo_extracts")
    read = []
    for whole in (False, False, True):
        result = job.execute_in_process(run_config={"ops": {"demo__vendors": {"config": {"whole": whole}}}})
        [event] = result.asset_materializations_for_node("demo__vendors")
        read.append(event.metadata["records read"].value)
    assert [10, 0, 10] == read
