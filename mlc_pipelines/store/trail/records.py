"""Records in bulk: their columns, the canonical line of each, and the hash of every 64 lines. No Python object per record."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
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
SLICE_ROWS = 1 << 14  # canonical text of so many records lies in memory at once


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
    if not len(records):  # somebody may have cut them all away
        return
    records = records.unify_dictionaries()
    pieces = _pieces(records)
    for low in range(0, len(records), SLICE_ROWS):
        part = records.slice(low, SLICE_ROWS)
        lines = pc.binary_join_element_wise(*(piece.of(part) for piece in pieces), "")
        yield pa.repeat(lines, len(part)) if isinstance(lines, pa.Scalar) else lines  # all records may be the same


@dataclass
class _Piece:
    """A piece of a line: one column with the text around its values, or a text alone. Coded columns have that text in their list of texts, which is short."""

    column: str = ""
    before: str = ""
    texts: pa.StringArray | None = None
    after: str = ""

    def of(self, part: pa.Table) -> Any:
        if not self.column:
            return pa.scalar(self.before)
        values = _one_chunk(part[self.column])
        return _number_texts(values) if self.texts is None else pc.take(self.texts, values.indices)

    def closed(self) -> "_Piece":
        if self.texts is not None:
            self.texts = pc.binary_join_element_wise(self.before, self.texts, self.after, "")
        return self


def _pieces(records: pa.Table) -> list[_Piece]:
    """The pieces of every line. What is the same in all records, and what stands between two columns, becomes part of its neighbour where that is coded."""
    pieces, between = [_Piece(before="")], "["
    for name in records.column_names:
        column = records[name]
        if (same := _same(column)) is not None:
            between += same + ","
        elif pa.types.is_dictionary(column.type):
            pieces.append(_Piece(name, between + '"', _escaped(column.chunk(0).dictionary), '"'))
            between = ","
        else:
            _stand(pieces, between)
            pieces.append(_Piece(name))
            between = ","
    _stand(pieces, between[:-1] + "]\n")
    return [piece.closed() for piece in pieces if piece.column or piece.before]


def _stand(pieces: list[_Piece], text: str) -> None:
    """Put a text behind the last piece."""
    if pieces[-1].texts is None:
        pieces.append(_Piece(before=text))
    else:
        pieces[-1].after += text


def _same(column: pa.ChunkedArray) -> str | None:
    """What all records have in a column, as it is written; None where they differ."""
    if not pa.types.is_dictionary(column.type):
        return "null" if column.null_count == len(column) else None
    texts = column.chunk(0).dictionary
    return f'"{_escaped(texts)[0].as_py()}"' if len(texts) == 1 else None


def _number_texts(column: pa.Array) -> pa.StringArray:
    return pc.fill_null(pc.cast(column, pa.string()), "null")


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


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
