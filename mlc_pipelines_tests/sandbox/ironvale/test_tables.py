"""The tables: every column of the right kind, unique keys, parents that exist, row versions of their own, rows made when asked for."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlc_pipelines.sandbox.ironvale import Ironvale
from mlc_pipelines.sandbox.ironvale.tables import CHILDREN, SEGMENTS, TABLES

KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "decimal": (Decimal,),
    "bool": (bool,),
    "date": (date, type(None)),
    "datetime": (datetime, type(None)),
    "string": (str,),
    "guid": (str,),
}


def key_of(table: str, row: Any) -> tuple[Any, ...]:
    return tuple(row[column] for column in TABLES[table].key)


@pytest.mark.parametrize("table", list(TABLES))
def test_every_row_has_every_column_of_its_kind(seeded: Ironvale, table: str) -> None:
    """Rows show all columns of their table and no other, each with the kind of value that the table names."""
    columns, rows = TABLES[table].columns, seeded.rows(table)
    assert 0 < len(rows)
    for row in rows[:: max(len(rows) // 300, 1)]:
        assert list(columns) == list(row)
        wrong = {column: row[column] for column, kind in columns.items() if not isinstance(row[column], KINDS[kind])}
        assert {} == wrong
        assert not [column for column, kind in columns.items() if kind == "int" and isinstance(row[column], bool)]


@pytest.mark.parametrize("table", list(TABLES))
def test_keys_are_unique_and_rows_have_an_id(seeded: Ironvale, table: str) -> None:
    """No two rows share a key or a SysRowID, which is a real one."""
    rows = list(seeded.rows(table))
    assert len(rows) == len({key_of(table, row) for row in rows})
    assert len(rows) == len({row["SysRowID"] for row in rows})
    assert rows[0]["SysRowID"] == str(uuid.UUID(rows[0]["SysRowID"]))


def test_row_versions_are_one_rising_number_over_all_tables(seeded: Ironvale) -> None:
    """No two rows of the instance share a SysRevID, and none is beyond the last one given out."""
    revs = [row["SysRevID"] for table in TABLES for row in seeded.rows(table)]
    assert len(revs) == len(set(revs))
    assert 0 < min(revs)
    assert max(revs) <= seeded.last_rev


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.parent])
def test_children_have_parents(seeded: Ironvale, table: str) -> None:
    """The columns that join a row to its parent name a row that is there."""
    shape = TABLES[table]
    parents = {key_of(shape.parent, row) for row in seeded.rows(shape.parent)}
    assert [] == [row for row in seeded.rows(table) if tuple(row[own] for own, _ in shape.joins) not in parents]
    assert table in CHILDREN[shape.parent]


def test_a_join_may_be_spelled_otherwise() -> None:
    """Order lines have their order's number in capitals."""
    assert (("Company", "Company"), ("PONUM", "PONum")) == TABLES["PODetail"].joins


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("GLJrnDtl", {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3}),
        ("GLJrnDtl", {"JournalCode": "PJ", "SourceModule": "AP", "Posted": True, "SegValue1": "6510"}),
        ("GLJrnDtl", {"FiscalYear": 2024, "FiscalYearSuffix": "T", "VendorNum": 5}),
        ("GLPeriodBal", {"FiscalPeriod": 0, "BalanceType": "B"}),
        ("GLPeriodBal", {"BookID": "TAX", "FiscalYear": 2025, "SegValue2": "110"}),
        ("APInvHed", {"Company": "IVM", "FiscalYear": 2026, "FiscalPeriod": 3, "Posted": True}),
        ("APInvHed", {"DebitMemo": True}),
        ("APInvExpTGLC", {"VendorNum": 21, "BookID": "MAIN", "RecordType": "R"}),
        ("APInvDtl", {"Company": "IVM", "VendorNum": 1}),
        ("GLBudgetHd", {"BudgetCodeID": ""}),
        ("COASegValues", {"Company": "IVM", "SegmentNbr": 2}),
    ],
)
def test_asking_for_some_rows_gives_those_of_all(seeded: Ironvale, table: str, where: dict[str, Any]) -> None:
    """Whichever way they are found, the rows are those of the whole table that match."""
    wanted = [row for row in seeded.rows(table) if all(row[column] == value for column, value in where.items())]
    assert 0 < len(wanted)
    assert wanted == list(seeded.rows(table, where))


def test_one_invoice_is_found_by_its_key(seeded: Ironvale) -> None:
    """Header, lines and distributions of one invoice, and nothing for one that does not exist."""
    header = seeded.rows("APInvHed", {"Company": "IVM", "Posted": True})[40]
    where = {column: header[column] for column in TABLES["APInvHed"].key}
    assert [header] == list(seeded.rows("APInvHed", where))
    assert {header["InvoiceNum"]} == {row["InvoiceNum"] for row in seeded.rows("APInvDtl", where)}
    assert [] == list(seeded.rows("APInvExp", {**where, "InvoiceNum": "none"}))


def test_slices_are_those_of_a_list(seeded: Ironvale) -> None:
    """Places and slices mean what they mean in a list, across the borders of journals."""
    rows = seeded.rows("GLJrnDtl", {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3})
    everything = list(rows)
    for cut in (slice(0, 7), slice(5, 40), slice(-3, None), slice(10, 4), slice(0, 50, 7), slice(None, None, -1)):
        assert everything[cut] == rows[cut]
    assert (everything[11], everything[-1]) == (rows[11], rows[-1])
    with pytest.raises(IndexError, match="no row"):
        rows[len(rows)]


def test_lines_come_by_row_version(seeded: Ironvale) -> None:
    """Journal lines stand in the order of their SysRevID, those written again among the last."""
    revs = [row["SysRevID"] for row in seeded.rows("GLJrnDtl")]
    assert sorted(revs) == revs


def test_twenty_segments(seeded: Ironvale) -> None:
    """Every coding has twenty columns; this company uses three."""
    for table in ("GLJrnDtl", "GLPeriodBal", "GLAccount", "APInvExpTGLC"):
        assert set(SEGMENTS) <= set(TABLES[table].columns)
        row = seeded.rows(table)[0]
        assert {""} == {row[column] for column in SEGMENTS[3:]}


def test_an_account_in_full_is_as_active_as_its_parts(seeded: Ironvale) -> None:
    """A retired account and an expired department show in the accounts that are made of them."""
    accounts = {row["GLAccount1"]: row for row in seeded.rows("GLAccount", {"Company": "IVM"})}
    assert (True, False) == (accounts["6700|410|MF"]["Active"], accounts["6990|510|MF"]["Active"])
    assert (True, date(2025, 9, 27)) == (accounts["5510|710|NO"]["Active"], accounts["5510|710|NO"]["EffTo"])
    shown = {row["GLAccount"]: row for row in seeded.rows("GLAcctDisp", {"Company": "IVM"})}
    assert ("6700-410-MF", True, False) == tuple(
        shown["6700|410|MF"][column] for column in ("GLAcctDisp1", "IsGLAccount", "IsBalanceAcct")
    )
    assert (False, True, "I") == tuple(
        shown["5610|120"][column] for column in ("IsGLAccount", "IsBalanceAcct", "CatType")
    )


def test_names_that_do_not_exist_are_errors(seeded: Ironvale) -> None:
    with pytest.raises(KeyError, match="GLDailyBal"):
        seeded.rows("GLDailyBal")
    with pytest.raises(KeyError, match="ModifiedDate"):
        seeded.rows("GLJrnDtl", {"ModifiedDate": None})
