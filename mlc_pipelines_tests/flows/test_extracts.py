"""Declared extracts are kept whole, brought up to date by the ERP's own clock, and proved key by key."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlc_pipelines.flows.extracts import read_extract
from mlc_pipelines.flows.report import Report
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, legs_of, merged
from mlc_pipelines.sandbox import payables
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly


@pytest.fixture(autouse=True)
def few_books(sandbox: Sandbox) -> None:
    sandbox.books.batches[:] = [one for one in sandbox.books.batches if one.period in {"FY2026-P02", "FY2026-P03"}]


def read(demo: Named, name: str, period: str = "", *, whole: bool = False) -> tuple[Report, pa.Table]:
    """Reads an extract as a run of its own would: with a session, and the ERP's time, of that moment."""
    with open_desk(demo, sleep=briefly) as desk:
        report = read_extract(desk, name, period, whole=whole)
        return report, pq.read_table(desk.store.artefacts.path(report.artefact))


def names(table: pa.Table) -> dict[str, str]:
    return dict(zip(table["VendorID"].to_pylist(), table["VendorName"].to_pylist(), strict=True))


def shift(sandbox: Sandbox, **by: float) -> None:
    sandbox.clock.advance(timedelta(**by).total_seconds())


def test_a_period_of_bills_is_one_file(demo: Named, sandbox: Sandbox) -> None:
    """Amounts and details of the period's bills, equal to the journals behind them; what people see tells rows, columns and proof."""
    report, table = read(demo, "bills", "FY2026-P03")
    truth = sum(
        payables.payable_minor(one) for one in payables.bill_batches(sandbox.books) if one.period == "FY2026-P03"
    )
    assert truth == sum(int(amount * 100) for amount in table["Amount"].to_pylist())
    assert truth == sum(int(row["Amount"] * 100) for rows in table["Details"].to_pylist() for row in rows)
    assert ["fields_published", "each_key_once", "announced_came"] == [leg.name for leg in report.legs if leg.agreed]
    assert len(table) == report.counts["rows"]
    assert ["Amount", "decimal128(28, 8)", "DecimalValue"] in report.tables["Columns"].to_numpy().tolist()
    assert "2025-" in report.texts["newest modification"]


def test_the_same_records_are_the_same_file(demo: Named, sandbox: Sandbox) -> None:
    """Read whole or brought up to date, in whatever order they come: the same content has the same hash."""
    first, _ = read(demo, "vendors")
    sandbox.set_switches(acumatica={"order": "scrambled"})
    assert first.artefact == read(demo, "vendors")[0].artefact
    assert first.artefact == read(demo, "vendors", whole=True)[0].artefact


def test_only_what_changed_is_read_and_what_is_gone_is_dropped(demo: Named, sandbox: Sandbox) -> None:
    """One renamed, one new, one deleted: two records are read, and the file is what the ERP holds."""
    read(demo, "vendors")
    shift(sandbox, hours=3)
    vendors, now = sandbox.site.vendors, sandbox.clock.now()
    vendors["V00002"].name, vendors["V00002"].modified_at = "Brightwater Holding", now
    vendors["V00011"] = payables.Vendor("V00011", "New Ink", "SERVICE", "30D", "ink@vendor.example", now, now)
    del vendors["V00007"]
    report, table = read(demo, "vendors")
    assert {code: vendor.name for code, vendor in sorted(vendors.items())} == names(table)
    assert (2, 1) == (report.counts["records read"], report.counts["records gone"])
    assert report.artefact == read(demo, "vendors", whole=True)[0].artefact


@pytest.mark.parametrize("minutes", [10, pytest.param(-10, marks=pytest.mark.prove)])
def test_d07_what_was_changed_just_before_the_last_reading_is_read_again(
    demo: Named, sandbox: Sandbox, minutes: int
) -> None:
    """By the ERP's own clock, however wrong that is: a record it was just writing may not have had its final state."""
    shift(sandbox, minutes=minutes)
    sandbox.site.vendors["V00003"].modified_at = sandbox.clock.now() - timedelta(minutes=5)
    sandbox.site.vendors["V00004"].modified_at = sandbox.clock.now() - timedelta(minutes=15)
    assert 10 == read(demo, "vendors")[0].counts["records read"]
    assert 1 == read(demo, "vendors")[0].counts["records read"]


def test_everything_is_read_again_after_some_days(demo: Named, sandbox: Sandbox) -> None:
    """Details can change without a new stamp on their record; a reading of everything, now and then, finds that."""
    read(demo, "vendors")
    sandbox.site.vendors["V00004"].email = "new@vendor.example"
    assert 0 == read(demo, "vendors")[0].counts["records read"]
    shift(sandbox, days=8)
    report, table = read(demo, "vendors")
    assert 10 == report.counts["records read"]
    assert "new@vendor.example" in str(table["MainContact"].to_pylist())


def test_another_declaration_starts_anew(demo: Named, tmp_path: Path) -> None:
    """What was kept under another choice of fields is not mixed with the new one."""
    read(demo, "vendors")
    other = demo.file.read_text().replace("expand: [MainContact]", "select: [VendorName]")
    (tmp_path / "demo.yaml").write_text(other)
    report, table = read(find("demo", tmp_path), "vendors")
    assert ["VendorID", "VendorName", "LastModifiedDateTime"] == table.column_names
    assert 10 == report.counts["records read"]


@pytest.mark.parametrize(
    ("name", "period", "kind", "complaint"),
    [
        ("vendor", "", SetupError, "there are: vendors, bills"),
        ("bills", "", SetupError, "bills is read by fiscal period"),
        ("vendors", "FY2026-P03", SetupError, "vendors is not read by period"),
        ("bills", "FY2027-P09", DataError, "Inactive in the ERP"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    demo: Named, name: str, period: str, kind: type[Exception], complaint: str
) -> None:
    with pytest.raises(kind, match=complaint):
        read(demo, name, period)


RULE = ExtractRule("x", ("Id",), entity="X", modified="At")


def rows(*ids: str) -> pa.Table:
    return pa.table({"Id": list(ids), "At": pa.array([None] * len(ids), pa.timestamp("us", tz="UTC"))})


def test_kept_and_new_records_become_one_table() -> None:
    """By key: what was read replaces what was kept, what is not announced goes, the order is that of the keys."""
    came = ExtractRead(rows("B", "A"), {("A",): "", ("B",): "", ("C",): ""}, {})
    assert ["A", "B", "C"] == merged(rows("B", "C", "D"), came, RULE)["Id"].to_pylist()


@pytest.mark.parametrize(
    ("held", "leg"),
    [(rows("A", "A", "B"), "each_key_once"), (rows("A"), "announced_came"), (rows("A", "B", "C"), "announced_came")],
)
def test_a_key_twice_missing_or_left_over_is_a_leg_that_fails(held: pa.Table, leg: str) -> None:
    """The checks look at the file that is kept, not at how it came about."""
    legs = legs_of(held, {("A",): "", ("B",): ""}, RULE, "x")
    assert [leg] == [one.name for one in legs if not one.agreed]
