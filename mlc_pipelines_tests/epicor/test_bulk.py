"""Rows that are read in columns are the rows that are read one by one, or they are left to that way."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.epicor import bulk, wire
from mlc_pipelines.epicor.bulk import Decoder
from mlc_pipelines.epicor.layout import Layout, UnusualError

Row = dict[str, Any]
ROW = wire.with_segments(wire.LINES, 3).row
ATTRIBUTES = [one.name for one in msgspec.structs.fields(ROW)]

NASTY = st.text(max_size=8) | st.sampled_from(
    [
        '","BookID":"PLAN',
        '":',
        ":",
        '"SegValue1":',
        "},{",
        '"},{"Company":"',
        "\\",
        '\\"',
        "\\\\",
        "null",
        ",",
        "é漢🙂",
        "\n\t\x1e\x00",
        ',\n"',
        "}]",
    ]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1)


def line(number: int = 1, **changes: Any) -> Row:
    """A row as a query shows it, in its order, with columns that we do not use; changes replace or add."""
    return {
        "Company": "IVM",
        "BookID": "MAIN",
        "FiscalYear": 2026,
        "FiscalYearSuffix": "",
        "FiscalPeriod": 3,
        "FiscalCalendarID": "F445",
        "CloseFiscalPeriod": 0,
        "JournalCode": "GJ",
        "JournalNum": number // 2,
        "JournalLine": number,
        "Description": "Audit",
        "CommentText": "",
        "JEDate": "2025-12-01T00:00:00",
        "PostedDate": "2025-12-01T00:00:00",
        "Posted": True,
        "GroupID": "JE1",
        "COACode": "MAIN",
        "SegValue1": "6520",
        "SegValue2": "420",
        "SegValue3": "MF",
        "DebitAmount": 12.5,
        "BookDebitAmount": 12.5,
        "BookCreditAmount": 0.0,
        "Statistical": False,
        "APInvoiceNum": "",
        "Plant": "MfgSys",
        "SysRevID": 100 + number,
        "RowIdent": f"{number:08d}",
        **changes,
    }


def block(rows: list[Row], **layout: Any) -> bytes:
    return json.dumps(rows, **{"separators": (",", ":"), **layout}).encode()


def with_care(text: bytes) -> list[Row]:
    rows = msgspec.json.decode(text, type=list[ROW])  # type: ignore[valid-type]
    return [{name: written(name, getattr(row, name)) for name in ATTRIBUTES} for row in rows]


def written(name: str, value: Any) -> Any:
    """Amounts are texts, and so is what may be of several kinds."""
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return str(value) if name in {"statistical", "customer_invoice", "check"} and value is not None else value


def in_columns(text: bytes, *before: bytes) -> list[Row]:
    """Read by the layout that these other blocks have taught."""
    layout = Layout(ROW)
    for one in (*before, text):
        read = layout.read(memoryview(one)[1:-1])
    said = {name: column.to_pylist() for name, column in read.columns.items()}
    alike = {name: written(name, getattr(read.one, name)) for name in ATTRIBUTES}
    return [{**alike, **{name: values[at] for name, values in said.items()}} for at in range(read.rows)]


changed = st.fixed_dictionaries(
    {"JournalNum": NUMBERS, "SysRevID": NUMBERS},
    optional={
        "Description": NASTY | st.none(),
        "CommentText": NASTY | st.none(),
        "PostedDate": NASTY | st.none(),
        "Posted": st.booleans(),
        "SegValue1": NASTY,
        "SegValue2": NASTY | st.none(),
        "DebitAmount": st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        "BookDebitAmount": st.floats(allow_nan=False, allow_infinity=False) | NUMBERS | st.none() | st.just("1.50"),
        "Statistical": st.booleans() | st.integers(0, 2) | st.none(),
        "APInvoiceNum": NASTY | st.none(),
        "RowIdent": NASTY,
    },
)
TAUGHT = block([line(1), line(2, SysRevID=7, Description="Other", RowIdent="x")])


@settings(deadline=None, max_examples=60)
@given(st.lists(changed, min_size=2, max_size=8), st.booleans())
def test_whatever_the_texts_hold_the_rows_are_the_same(rows: list[Row], ascii_only: bool) -> None:
    """Brackets, quotes, escapes, whole pieces of JSON inside a text, empty values here and there: all read in columns, and nothing else than one by one."""
    text = block([line(number, **one) for number, one in enumerate(rows)], ensure_ascii=ascii_only)
    assert with_care(text) == in_columns(text, TAUGHT)


@settings(deadline=None, max_examples=100)
@given(st.lists(changed, min_size=1, max_size=4), st.data())
def test_no_change_of_a_byte_is_read_otherwise_than_with_care(rows: list[Row], data: st.DataObject) -> None:
    """Some bytes left out, doubled or replaced anywhere: the block is refused as unusual, or it is what is read one by one."""
    text = block([line(number, **one) for number, one in enumerate(rows)])
    start = data.draw(st.integers(1, len(text) - 2))
    end = data.draw(st.integers(start, min(start + 12, len(text) - 1)))
    others = [
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
        b'"a":1,',
        b'"BookID":"PLAN",',
        b'":',
    ]
    require_the_same(text[:start] + data.draw(st.sampled_from(others)) + text[end:])


@settings(deadline=None, max_examples=100)
@given(st.lists(changed, min_size=1, max_size=3), st.data())
def test_pieces_of_one_row_in_another_are_not_taken_for_columns(rows: list[Row], data: st.DataObject) -> None:
    """A slice of a block put in at any place, so that names, quotes and brackets stand where others are expected."""
    text = block([line(number, **one) for number, one in enumerate(rows)])
    start = data.draw(st.integers(0, len(text) - 1))
    piece = text[start : start + data.draw(st.integers(1, 120))]
    at = data.draw(st.integers(1, len(text) - 1))
    require_the_same(text[:at] + piece + text[at:])


def require_the_same(text: bytes) -> None:
    try:
        found = in_columns(text, TAUGHT)
    except UnusualError:
        return
    assert with_care(text) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"Company": None},
        {"FiscalYear": "2026"},
        {"JournalNum": "5"},
        {"JournalNum": 1.5},
        {"JournalLine": 10**30},
        {"Description": 7},
        {"Posted": 1},
        {"Nested": {"a": "b"}},
    ],
)
def test_a_row_of_other_kinds_is_left_to_the_careful_way(changes: Mapping[str, Any]) -> None:
    """Whatever does not fit the type of a row is judged where it has a name."""
    with pytest.raises(UnusualError):
        in_columns(block([line(1), line(2, **changes)]), TAUGHT)


def test_columns_that_change_places_are_told_by_their_names() -> None:
    """Two names of the same length, from some block on in the other order."""
    rows = [line(number, SegValue1=str(number), SegValue2=str(-number)) for number in range(4)]
    keys = [*rows[0]]
    one, other = keys.index("SegValue1"), keys.index("SegValue2")
    keys[one], keys[other] = keys[other], keys[one]
    turned = block([{key: row[key] for key in keys} for row in rows])
    assert with_care(turned) == in_columns(turned, block(rows))


@pytest.mark.parametrize("layout", [{"indent": 1}, {"separators": (", ", ": ")}])
def test_another_layout_is_left_to_the_careful_way(layout: dict[str, Any]) -> None:
    """Blanks between names and values."""
    with pytest.raises(UnusualError):
        in_columns(block([line(1), line(2)], **layout))


def test_other_columns_from_some_block_on_are_learned() -> None:
    """A query that gets a column while it is read, or shows them in another order."""
    new = block([line(number, New=number) for number in range(4)])
    turned = block([dict(reversed(line(number).items())) for number in range(4)])
    assert with_care(new) == in_columns(new, TAUGHT)
    assert with_care(turned) == in_columns(turned, TAUGHT, new)


@pytest.mark.parametrize("layout", [{}, {"indent": 2}], ids=["usual", "unusual"])
def test_a_page_of_many_blocks_is_whole(monkeypatch: pytest.MonkeyPatch, layout: dict[str, Any]) -> None:
    """Blocks are put together in order; columns that vary in some blocks only, too; what a row says can be asked for, and rows can be cut off."""
    monkeypatch.setattr(bulk, "_BLOCK_BYTES", 4000)
    rows = [
        line(number, Description=f"Line {max(number, 20)}", SegValue2=None if number % 7 else "1")
        for number in range(60)
    ]
    page = Decoder(ROW)(json.dumps({"@odata.context": "x", "value": rows}, **layout).encode())
    careful = with_care(block(rows))
    assert careful == [vars(row) for row in page]
    assert careful[3:9] == [vars(row) for row in page[3:9]]
    assert careful[-1] == vars(page[-1])
    assert ["Line 20", "Line 21"] == page.distinct("description")[:2]
    kept = bulk.kept(page, {"description": {"Line 59", "Line 20"}, "company": {"IVM"}})
    assert [*range(21), 59] == bulk.listed(kept, "line")
    assert 0 == len(bulk.kept(page, {"company": {"IVC"}}))


def test_an_empty_page_has_no_rows() -> None:
    """As the last one of a reading has none."""
    page = Decoder(ROW)(b'{"value":[]}')
    assert (0, []) == (len(page), page.column("company").to_pylist())


def test_a_number_beyond_64_bits_is_refused() -> None:
    """It is none of Kinetic's, and no column of ours could hold it."""
    with pytest.raises(msgspec.ValidationError, match="journal_number is a number that has too many digits"):
        Decoder(ROW)(json.dumps({"value": [line(JournalNum=10**30)]}).encode())
