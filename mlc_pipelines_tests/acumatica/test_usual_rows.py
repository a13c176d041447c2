"""Rows that are read in bulk are the rows that are read with care, or they are left to the careful way."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.acumatica import inquiry
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.columns import UsualRows
from mlc_pipelines.acumatica.layout import UnusualError
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import monthly_calendar

MARCH = monthly_calendar(2026, 2026, first_month=7).period("FY2026-P03")
BOOKS = Books("MERIDIAN", "ACTUAL", "Actual", "USD", frozenset({"HQ", "WEST"}), True, "", 100)
Row = dict[str, Any]

NASTY = st.text(max_size=8) | st.sampled_from(
    [
        '"},"Ledger":{"value":"STAT"',
        '{"value":',
        '"},"Module":',
        '"CustomerVendor":{}',
        "},{",
        '},"custom":{}},{"id":"',
        "\\",
        '\\"',
        "null",
        ":{}",
        "é漢🙂",
        "\n\t\x1e\x00",
        ',\n"',
        "}]",
    ]
)
CENTS = st.integers(-(10**12), 10**12)


def line(number: int = 1, **changes: Any) -> Row:
    """A row as the site writes it, in its order; changes replace, add or (None) empty fields."""
    fields: Row = {
        "Account": "0010",
        "BatchNumber": f"GL{number:06d}",
        "Branch": "HQ",
        "CreditAmountInBaseCurrency": 0.25,
        "CustomerVendor": "C001",
        "DebitAmountInBaseCurrency": 12.5,
        "LastModifiedDateTime": "2025-09-30T10:00:00.123+00:00",
        "Ledger": "ACTUAL",
        "Module": "GL",
        "PeriodID": "032026",
        "Posted": True,
        "RefNumber": "INV-1",
        "Released": True,
        "Subaccount": "010-ADV",
        "TransactionDate": "2025-09-30T00:00:00+00:00",
        "TransactionDescription": "Audit",
        **changes,
    }
    objects = {name: {} if value is None else {"value": value} for name, value in fields.items()}
    return {"id": f"5f0c1a7e-{number:012x}", "rowNumber": number, "note": None, **objects, "custom": {}}


def block(rows: list[Row] | list[str], **layout: Any) -> bytes:
    said = [row if isinstance(row, str) else json.dumps(row, **{"separators": (",", ":"), **layout}) for row in rows]
    return f"[{','.join(said)}]".encode()


def plain(batch: pa.RecordBatch) -> list[Row]:
    rows: list[Row] = batch.to_pylist()
    return rows


def with_care(rows: bytes) -> list[Row]:
    return plain(inquiry.to_batch(inquiry.Columns(inquiry.decoded(rows)), BOOKS, MARCH))


def in_bulk(rows: bytes, first: bytes | None = None) -> list[Row]:
    """Read by the layout of `first`, which is another block of the same answer."""
    usual = UsualRows(BOOKS, MARCH)
    if first is not None:
        usual.batch(first)
    return plain(usual.batch(rows))


changed = st.fixed_dictionaries(
    {},
    optional={
        "Account": NASTY,
        "BatchNumber": NASTY,
        "Branch": st.sampled_from(["HQ", "WEST"]),
        "CustomerVendor": NASTY | st.none(),
        "LastModifiedDateTime": NASTY | st.none(),
        "Module": NASTY,
        "PeriodID": st.sampled_from(["032026", "03-2026"]),
        "RefNumber": NASTY | st.none(),
        "Subaccount": NASTY,
        "TransactionDate": NASTY | st.none(),
        "TransactionDescription": NASTY | st.none(),
    },
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(changed, CENTS, CENTS), min_size=1, max_size=8), st.booleans())
def test_whatever_the_texts_hold_the_rows_are_the_same(rows: list[tuple[Row, int, int]], ascii_only: bool) -> None:
    """Brackets, quotes, escapes, whole pieces of JSON inside a text, empty fields here and there: all read in bulk, and nothing else than with care."""
    written = []
    for number, (changes, debit, credit) in enumerate(rows):
        text = json.dumps(line(number, **changes), ensure_ascii=ascii_only, separators=(",", ":"))
        text = text.replace('InBaseCurrency":{"value":0.25', f'InBaseCurrency":{{"value":{credit}e-2', 1)
        text = text.replace(
            'InBaseCurrency":{"value":12.5', f'InBaseCurrency":{{"value":{debit // 100}.{debit % 100:02d}00', 1
        )
        written.append(text)
    text = block(written)
    assert with_care(text) == in_bulk(text, first=block([line()]))


@settings(deadline=None, max_examples=60)
@given(st.lists(changed, min_size=1, max_size=4), st.data())
def test_no_change_of_a_byte_is_read_otherwise_than_with_care(rows: list[Row], data: st.DataObject) -> None:
    """Some bytes left out, doubled or replaced anywhere: the bulk way refuses the block, or reads what the careful way reads."""
    text = block([line(number, **changes) for number, changes in enumerate(rows)])
    start = data.draw(st.integers(1, len(text) - 2))
    end = data.draw(st.integers(start, min(start + 12, len(text) - 1)))
    instead = data.draw(
        st.sampled_from(
            [
                b"",
                b'"',
                b"{",
                b"}",
                b",",
                b"0",
                b"e",
                b"-",
                b"\\",
                b"null",
                b"\n",
                b"\xff",
                b'"error":"no",',
                b'"Ledger":{},',
                b'{"value":',
            ]
        )
    )
    broken = text[:start] + instead + text[end:]
    try:
        found = in_bulk(broken, first=block([line()]))
    except UnusualError:
        return
    assert with_care(broken) == found


@settings(deadline=None, max_examples=40)
@given(st.lists(changed, min_size=1, max_size=3), st.data())
def test_pieces_of_one_row_in_another_are_not_taken_for_fields(rows: list[Row], data: st.DataObject) -> None:
    """A slice of a block put in at any place, so that names, quotes and brackets stand where others are expected."""
    text = block([line(number, **changes) for number, changes in enumerate(rows)])
    start = data.draw(st.integers(0, len(text) - 1))
    piece = text[start : start + data.draw(st.integers(1, 120))]
    at = data.draw(st.integers(1, len(text) - 1))
    broken = text[:at] + piece + text[at:]
    try:
        found = in_bulk(broken, first=block([line()]))
    except UnusualError:
        return
    assert with_care(broken) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"Ledger": "STAT"},
        {"Ledger": None},
        {"PeriodID": "042026"},
        {"Posted": False},
        {"Posted": 1},
        {"Released": None},
        {"Branch": "EAST"},
        {"Branch": None},
        {"Account": None},
        {"Account": 10},
        {"Module": None},
        {"BatchNumber": None},
        {"Subaccount": None},
        {"DebitAmountInBaseCurrency": None},
        {"DebitAmountInBaseCurrency": "1"},
        {"DebitAmountInBaseCurrency": 0.001},
        {"CreditAmountInBaseCurrency": 1e17},
        {"RefNumber": 7},
        {"TransactionDescription": 7},
    ],
)
def test_a_line_that_does_not_belong_is_left_to_the_careful_way(changes: Row) -> None:
    """Another ledger, period, branch or state, a missing code, a bad amount: refused there by name, never taken in bulk."""
    text = block([line(1), line(2, **changes), line(3)])
    with pytest.raises(UnusualError):
        in_bulk(text, first=block([line()]))
    with pytest.raises((DataError, inquiry.msgspec.ValidationError)):
        with_care(text)


def edited(old: str, new: str) -> bytes:
    rows = [json.dumps(line(number), separators=(",", ":")) for number in (1, 2, 3)]
    assert old in rows[1]
    return block([rows[0], rows[1].replace(old, new, 1), rows[2]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"value":"ACTUAL"}', '{"value":"ACTUAL","error":"no"}'),
        ('{"value":"INV-1"}', '{"value":"INV-1","error":"no"}'),
        ('{"value":"0010"}', '{"value":"0010","error":"no"}'),
        ('{"value":12.5}', '{"value":12.5,"error":"no"}'),
        ('{"value":"C001"}', '{"value":"C001"},{"x":2}'),
        ('{"value":"C001"}', '{"value":"C001",2}'),
        ('{"value":"INV-1"}', '{"value":"}'),
        ('{"value":"INV-1"}', '{"value":"INV"-"1"}'),
        ('{"value":"INV-1"}', '{"value":"INV\x01"}'),
        ('"note":null', '"note":null},{"id":"x"'),
        ('{"id"', '"id"'),
        ('"rowNumber":2,', '"rowNumber":{"x":1,'),
        ('"custom":{}}', '"custom":{"x":1}}'),
        ('"custom":{}', '"error":"no","custom":{}'),
        ('"custom":{}', '"Ledger":{},"custom":{}'),
        ('"note":null', '"note":null,"Posted":{}'),
        ('"Ledger":{"value":"ACTUAL"},', ""),
        ('"custom":{}}', '"custom":{}},{"id":1}'),
        ('{"id"', '{"id":1},{"id"'),
        ('},"custom":{}', "}"),
        ('"id"', '"TransactionDescription":{},"id"'),
        ('"custom":{}', '"TransactionDescription":{ "value":"twice"},"custom":{}'),
    ],
)
def test_what_stands_beside_the_values_counts(old: str, new: str) -> None:
    """An error beside a value or a record, a field twice or missing, a record too many: never overlooked."""
    try:
        text = edited(old, new)
        found = in_bulk(text, first=block([line()]))
    except UnusualError:
        return
    assert with_care(text) == found


def test_values_that_make_up_for_each_other_do_not_pass() -> None:
    """A lone quote in one row and two too many in the next: as many quotes as there should be, and yet neither is a text."""
    rows = [json.dumps(line(number), separators=(",", ":")) for number in (1, 2, 3)]
    rows[1] = rows[1].replace('"INV-1"', '"', 1)
    rows[2] = rows[2].replace('"INV-1"', '"INV"1"', 1)
    with pytest.raises(UnusualError):
        in_bulk(block(rows), first=block([line()]))


@pytest.mark.parametrize("first", [{"error": "no"}, {"error": None}])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_an_error_of_the_first_record_is_no_part_of_the_layout(first: Row, at_the_end: bool) -> None:
    """The layout is learned from the first record, but an error is never something that all records may have."""
    row = {**line(1), **first} if at_the_end else {**first, **line(1)}
    with pytest.raises(UnusualError):
        in_bulk(block([row, line(2), {**line(3), "error": "no"}]))


@pytest.mark.parametrize(
    "layout", [{"separators": (", ", ": ")}, {"indent": 2}, {"sort_keys": True}], ids=["blanks", "lines", "order"]
)
def test_other_layouts_come_to_the_same(layout: dict[str, Any]) -> None:
    """Blanks, line ends and another order of names change how the rows are read, not what they are."""
    rows = [line(number, RefNumber=f"INV-{number}") for number in range(20)]
    read = inquiry.to_lines(BOOKS, MARCH)
    assert with_care(block(rows)) == plain(read(block(rows, **layout)))


def test_fields_that_are_empty_in_some_rows_stay_on_the_fast_way() -> None:
    """The site writes {} for an empty field; most lines have no customer, and many no reference."""
    rows = [
        line(number, CustomerVendor=None if number % 3 else "C1", RefNumber=None if number % 2 else "R")
        for number in range(30)
    ]
    assert with_care(block(rows)) == in_bulk(block(rows))
    assert with_care(block(rows)) == in_bulk(block(rows), first=block([line()]))
    assert [None] * 3 == [row["reference"] for row in in_bulk(block([line(n, RefNumber=None) for n in range(3)]))]


def test_a_site_without_subaccounts() -> None:
    """Where the connection declares none, an empty subaccount is the code ""."""
    books = Books("MERIDIAN", "ACTUAL", "Actual", "USD", frozenset({"HQ"}), False, "", 100)
    rows = block([line(1, Subaccount=None), line(2, Subaccount=None)])
    assert ["", ""] == [row["subaccount"] for row in plain(UsualRows(books, MARCH).batch(rows))]


def test_a_further_field_at_the_end_is_no_hindrance() -> None:
    """Whichever field comes last shares its piece with the end of the record."""
    for last in ("TransactionType", "UsrProject"):
        rows = block([line(number, **{last: None if number % 2 else "x"}) for number in range(5)])
        assert with_care(rows) == in_bulk(rows)


def test_the_first_row_decides_the_layout() -> None:
    """A first block without one of the fields has no layout; the next one may have."""
    usual = UsualRows(BOOKS, MARCH)
    whole = line()
    lacking = {name: value for name, value in whole.items() if name != "Posted"}
    with pytest.raises(UnusualError):
        usual.batch(block([lacking]))
    with pytest.raises(UnusualError):
        usual.batch(b"[]")
    assert 1 == len(usual.batch(block([whole])))
