"""Records in bulk: their columns, the canonical line of each, and the hash of every 64 lines. No Python object per record."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.trail import merkle

CODED = pa.dictionary(pa.int32(), pa.string())
RECORD = pa.schema(
    [
        ("source", CODED),  # system and entity that it was read from
        ("source_key", CODED),  # of the document there: "GL GL000123"
        ("source_line", pa.int64()),
        ("modified_at", CODED),  # by the source's clock
        ("mapping", CODED),  # version of the mapping that it went through
        ("target", CODED),  # cell or journal line that it went into
        ("amount_minor", pa.int64()),  # what this record brings to its target, debit positive
        ("before_minor", pa.int64()),  # what the target held before; null where nobody knows
        ("after_minor", pa.int64()),  # what it held afterwards
        ("currency", CODED),
        ("outcome", CODED),
        ("reason", CODED),  # why that outcome, "" where it needs none
    ]
)
"""One row per figure moved. A text is never null, "" says that there is none; a number may be null."""

LEAF_LINES = 64
SLICE_ROWS = 1 << 16  # canonical text of so many records lies in memory at once


def to_records(table: pa.Table, **same: str) -> pa.Table:
    """A table of some of the columns, coded or not, as records; same: texts that hold for all rows. What is not given is "" or null.

    Raises DataError on a column that records do not have, of another type, and on a text that is null.
    """
    if unknown := (set(table.column_names) | set(same)) - set(RECORD.names):
        raise DataError(f"Records of the audit trail have no column {', '.join(sorted(unknown))}.")
    columns = [_column(table, field, same.get(field.name, "")) for field in RECORD]
    return pa.table(columns, schema=RECORD)


def _column(table: pa.Table, field: pa.Field, same: str) -> pa.ChunkedArray | pa.Array:
    if field.name not in table.column_names:
        if field.type != CODED:
            return pa.nulls(len(table), field.type)
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(table), np.int32)), pa.array([same]))
    column = table[field.name]
    if field.type != CODED and pa.types.is_integer(column.type):
        return column.cast(field.type)
    if field.type != CODED or not _is_text(column.type):
        raise DataError(f"Column {field.name} of the records for the audit trail has type {column.type}.")
    coded = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    require_no_gaps(field.name, coded)
    return coded.cast(CODED)


def _is_text(kind: pa.DataType) -> bool:
    """Coded texts come from the ledger's frames, large ones from pandas."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return plain in (pa.string(), pa.large_string())


def require_no_gaps(name: str, column: pa.ChunkedArray) -> None:
    """Raises DataError when a coded text is null, by its code or in the list of codes."""
    if column.null_count or any(chunk.dictionary.null_count for chunk in column.chunks):
        raise DataError(
            f"Column {name} of the records for the audit trail has empty places; a text that is not there is ''."
        )


def lines_of(records: pa.Table) -> Iterator[pa.StringArray]:
    """The canonical line of each record: a JSON array of the columns in their order, and a line feed. Slice by slice."""
    records = records.unify_dictionaries()
    for low in range(0, len(records), SLICE_ROWS):
        columns = [_one_chunk(column) for column in records.slice(low, SLICE_ROWS).columns]
        yield _joined(columns)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _joined(columns: list[pa.Array]) -> pa.StringArray:
    """What is the same in all rows becomes part of the text between two columns, which costs nothing."""
    pieces: list[Any] = []
    between = "["
    for column in columns:
        before, values, after = _written(column)
        if isinstance(values, str):
            between += before + values + after + ","
        else:
            pieces += [pa.scalar(between + before), values]
            between = after + ","
    pieces.append(pa.scalar(between[:-1] + "]\n"))
    return pc.binary_join_element_wise(*pieces, "") if len(pieces) > 1 else pa.array([pieces[0].as_py()] * len(column))


def _written(column: pa.Array) -> tuple[str, Any, str]:
    """What stands before, as, and after a column's values; one text where all rows have the same."""
    if pa.types.is_integer(column.type):
        if column.null_count == len(column):
            return "", "null", ""
        return "", pc.fill_null(pc.cast(column, pa.string()), "null"), ""
    texts = _escaped(column.dictionary)
    return '"', texts[0].as_py() if len(texts) == 1 else pc.take(texts, column.indices), '"'


def _escaped(texts: pa.StringArray) -> pa.StringArray:
    """As JSON writes them within quotes. Only the few that hold a quote, a backslash or a control character are touched."""
    offsets = _offsets(texts)
    held = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    if not ((held < 0x20) | (held == 0x22) | (held == 0x5C)).any():
        return texts
    strange = pc.match_substring_regex(texts, '["\\\\\\x00-\\x1f]')
    written = [json.dumps(text, ensure_ascii=False)[1:-1] for text in texts.filter(strange).to_pylist()]
    return pc.replace_with_mask(texts, strange, pa.array(written, pa.string()))


def _offsets(texts: pa.StringArray) -> Any:
    if not len(texts):
        return np.zeros(1, np.int32)
    return np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]


def text_of(lines: pa.StringArray) -> memoryview:
    """All lines, one after the other."""
    offsets = _offsets(lines)
    return memoryview(lines.buffers()[2] or b"")[offsets[0] : offsets[-1]]


class Leaves:
    """Takes lines in order and hashes every 64 of them; the last leaf may hold fewer."""

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self.records = 0
        self._open = sha256(merkle.LEAF)
        self._room = LEAF_LINES

    def add(self, lines: pa.StringArray) -> None:
        self.records += len(lines)
        rows = [0, *range(self._room, len(lines), LEAF_LINES), len(lines)]  # where one leaf ends and the next begins
        text, cuts = memoryview(lines.buffers()[2]), _offsets(lines)[rows].tolist()
        for low, high, taken in zip(cuts, cuts[1:], np.diff(rows).tolist(), strict=False):
            self._open.update(text[low:high])
            self._room -= taken
            if not self._room:
                self.done.append(self._open.digest())
                self._open, self._room = sha256(merkle.LEAF), LEAF_LINES

    def all(self) -> list[bytes]:
        return self.done if self._room == LEAF_LINES else [*self.done, self._open.digest()]


def leaves_of(records: pa.Table) -> Leaves:
    leaves = Leaves()
    for lines in lines_of(records):
        leaves.add(lines)
    return leaves
