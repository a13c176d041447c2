"""Rows of a large JSON array, block by block."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.transport.rows import array_of, read_rows, rows_in

DECODE = msgspec.json.Decoder(list[dict[str, Any]]).decode

TEXTS = st.text(max_size=12) | st.sampled_from(
    ["}, {", "},{", "]}", '"', "[{", '}] , "Results": [', "\\", "é漢🙂", "\n\t"]
)
RECORDS = st.dictionaries(TEXTS, TEXTS | st.integers(-(2**53), 2**53) | st.none(), max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


def read(path: Path, text: str | bytes, **options: Any) -> list[dict[str, Any]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [row for rows in read_rows(path, DECODE, **options) for row in rows]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(RECORDS, max_size=12),
    st.integers(1, 300),
    st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 0}, {"indent": 2}, {"indent": 90}]),
    st.booleans(),
    st.booleans(),
)
def test_every_record_arrives_once_and_in_order(
    folder: Path, rows: list[dict[str, Any]], block: int, layout: dict[str, Any], member: bool, ascii_only: bool
) -> None:
    """For any records, block size and layout: the same records as a decoder that reads the whole file at once."""
    content = {"Ledger": "ACTUAL", "Results": rows, "note": "]}] , {"} if member else rows
    text = json.dumps(content, ensure_ascii=ascii_only, **layout)
    name = "Results" if member else ""
    assert rows == read(folder / "any.json", text, member=name, block_bytes=block)
    found = rows_in(text.encode(), lambda inside: DECODE(array_of(inside)), member=name, block_bytes=block)
    assert rows == [row for some in found for row in some]


@settings(deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=6), st.integers(1, 120), st.data())
def test_a_file_cut_anywhere_is_never_taken_for_whole(
    folder: Path, rows: list[dict[str, Any]], block: int, data: st.DataObject
) -> None:
    """P16: whatever is missing at the end, the reading ends in a DataError."""
    text = json.dumps({"Results": rows}).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(DataError):
        read(folder / "cut.json", cut, member="Results", block_bytes=block)


def test_a_block_holds_no_more_than_its_bytes(folder: Path) -> None:
    """Memory does not grow with the answer: many blocks, each of bounded length."""
    rows = [{"number": number, "text": "x" * 50} for number in range(5000)]
    path = folder / "many.json"
    path.write_text(json.dumps(rows))
    blocks = list(read_rows(path, DECODE, block_bytes=10_000))
    assert rows == [row for block in blocks for row in block]
    assert len(blocks) >= path.stat().st_size // 10_000
    assert max(len(json.dumps(block)) for block in blocks) <= 10_000 + 2


@pytest.mark.parametrize("between", [",", ", ", " ,\n", "," + " " * 200])
def test_blocks_join_without_loss_whatever_stands_between_records(folder: Path, between: str) -> None:
    """Compact as a server writes it, or pretty with deep indentation: every block size from tiny to the whole file."""
    rows = [{"a": number} for number in range(30)]
    text = "[" + between.join(f'{{"a":{row["a"]}}}' for row in rows) + "]"
    for block in (1, 7, 20, 64, 250, 10_000):
        assert rows == read(folder / "joined.json", text, block_bytes=block)


def test_a_record_larger_than_a_block_is_read(folder: Path) -> None:
    """One long description is no reason to stop."""
    rows = [{"a": 1}, {"text": "},{" * 30_000}, {"a": 2}]
    assert rows == read(folder / "huge.json", json.dumps(rows), block_bytes=64)


def test_records_with_many_lines_of_their_own_are_read(folder: Path) -> None:
    """A batch with dozens of lines inside is one record, wherever a block ends."""
    rows = [{"batch": number, "lines": [{"line": line} for line in range(60)]} for number in range(20)]
    for block in (50, 333, 1000, 4000):
        assert rows == read(folder / "nested.json", json.dumps(rows), block_bytes=block)


@pytest.mark.parametrize("text", ['{"Results": []}', '{"Results" : [ \r\n ] , "x": 1}'])
def test_an_empty_list_is_no_rows(folder: Path, text: str) -> None:
    """Nothing posted is an answer, not an error."""
    assert [] == read(folder / "empty.json", text, member="Results")


@pytest.mark.parametrize(
    ("text", "member", "complaint"),
    [
        ("", "", "is empty"),
        ('{"message": "busy"}', "Results", "has no list of Results"),
        ('{"Results": {"a": 1}}', "Results", "has no list of Results"),
        ('{"Results": []}', "", "has no list of records"),
        ('{"Results": [{"a": NaN}]}', "Results", "cannot be read"),
        ('{"Results": [{"a": Infinity}, {"a": 1}]}', "Results", "cannot be read"),
        ('{"Results": [{"a": 1}, 7]}', "Results", "cannot be read"),
        ('{"Results": [{"a": 1},]}', "Results", "cannot be read"),
        ('{"Results": [{"a": 1}] trailing', "Results", "not whole JSON"),
        ('[{"a": 1}] {"b": 2}', "", "not whole JSON"),
        ('{"Results": [{"a": 1}], "Results": [{"a": 2}]}', "Results", "another list of Results"),
        ('{"old": {"Results": [{"a": 1}]}, "Results": [{"a": 2}]}', "Results", "another list of Results"),
    ],
)
def test_what_is_not_the_list_that_was_meant_is_refused(folder: Path, text: str, member: str, complaint: str) -> None:
    """Empty, missing, malformed, doubled: each is a DataError that names what was read."""
    with pytest.raises(DataError, match=f"the lines of FY2026-P01.*{complaint}"):
        read(folder / "odd.json", text, member=member, what="the lines of FY2026-P01")


def test_the_message_leads_to_the_record_at_fault(folder: Path) -> None:
    """The complaint tells among which records to look."""
    rows = ", ".join([f'{{"a": {number}}}' for number in range(100)] + ['{"a": NaN}'] + ['{"a": 1}'] * 100)
    with pytest.raises(DataError, match=r"among those from record (\d+) on") as refusal:
        read(folder / "fault.json", f"[{rows}]", block_bytes=80)
    assert 80 < int(refusal.value.what.split("from record ")[1].split(" on")[0]) <= 101
