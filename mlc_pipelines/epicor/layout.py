"""How a page lays out its rows, learned from some of them, and the columns of all rows laid out alike.

One serializer writes them all: the same columns in the same order, most of them with one value in every row. The places of all values are found
at once, by what stands behind a name. What varies must be one JSON value each; everything else must be, byte for byte, what it is in
the first row, and that one is decoded with all checks. So a block that passes is the rows that were taken from it. Anything else (another order of
columns, a blank too many) makes it unusual: whoever asks then decodes it row by row.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import NoneType
from typing import Any, get_args

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.transport.rows import array_of

Places = npt.NDArray[np.int32]

_QUOTE, _COLON, _ESCAPE, _BLANK, _COMMA, _BRACE = b'":\\ ,}'
_PLAIN_NAME = re.compile(r"\w+", re.ASCII)
_APART = b",\n"  # no JSON text holds a bare line end, so what stands between two of these is whole
_PARTS_OF_NUMBERS = b"0123456789+-.eEtrufalsn,}"
_TRIALS = 8  # so many unusual blocks in a row, and the site has habits of its own
_LESSONS = 30  # each costs more than to decode the block

_members = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_values = msgspec.json.Decoder(list[str | int | float | bool | None]).decode
_texts = msgspec.json.Decoder(list[str]).decode


class UnusualError(Exception):
    """The block is not laid out as those before: nothing was taken from it."""


class _Anything(msgspec.Struct):
    """Takes any object and keeps nothing of it: for the sake of the decoder's own checks."""


_require_json = msgspec.json.Decoder(_Anything).decode


class Kind(IntEnum):
    """What the values of a column are, and in which order columns are taken from a block."""

    TEXT = 0  # always in quotes, and taken without them
    TEXT_UNUSED = 1
    WHOLE = 2  # never in quotes, and taken with the comma or bracket behind it
    AMOUNT = 3  # the same, kept as it is written
    NUMBER_UNUSED = 4
    OTHER = 5
    OTHER_UNUSED = 6


_NUMBERS = {Kind.WHOLE, Kind.AMOUNT, Kind.NUMBER_UNUSED}
_TEXTS = {Kind.TEXT, Kind.TEXT_UNUSED}
_KINDS = {frozenset({int}): Kind.WHOLE, frozenset({msgspec.Raw}): Kind.AMOUNT}


@dataclass(frozen=True, slots=True)
class Rows:
    """The columns that vary, by attribute, and one row in place of all for the others."""

    rows: int
    columns: Mapping[str, pa.Array]
    one: Any


def types_of(said: Any) -> frozenset[Any]:
    """The types a value may have, beside none at all."""
    return frozenset({*get_args(said)} or {said}) - {NoneType}


class Layout:
    """The columns of a page in their order, and which of them vary."""

    def __init__(self, row: type[msgspec.Struct]) -> None:
        self._of = {one.encode_name: (one.name, one.type) for one in msgspec.structs.fields(row)}
        self._row = msgspec.json.Decoder(row).decode
        self._names: list[str] = []
        self._varying: set[str] = set()
        self._quoted: set[str] = set()
        self._bare: set[str] = set()
        self._trials_left, self._lessons_left = _TRIALS, _LESSONS
        # Kept from block to block: fresh memory costs more than what is done with it.
        self._marks = np.empty((2, 0), bool)
        self._between: list[bytes] = []
        self._repeated = pa.array([], pa.binary())
        self._one: Any = None
        self._arrange()

    def read(self, block: memoryview) -> Rows:
        """All rows of a whole JSON array, of which the block is what stands between its brackets. Raises UnusualError."""
        if not self._trials_left:
            raise UnusualError
        self._trials_left -= 1
        try:
            found = self._read_or_learn(block)
        except (msgspec.MsgspecError, pa.ArrowException, UnicodeDecodeError) as error:
            raise UnusualError from error
        self._trials_left = _TRIALS
        return found

    def _read_or_learn(self, block: memoryview) -> Rows:
        try:
            return self._read(block)
        except UnusualError:
            if not self._has_learned(block):
                raise
            return self._read(block)

    def _has_learned(self, block: memoryview) -> bool:
        """Whether more columns vary than was known, or the columns are others."""
        if not self._lessons_left:
            return False
        self._lessons_left -= 1
        rows = _members(array_of(block))
        names = [*rows[0]] if rows else []
        if not names or any([*row] != names for row in rows) or not all(map(_PLAIN_NAME.fullmatch, names)):
            return False
        columns = {name: {bytes(row[name]) for row in rows} for name in names}
        varying = {name for name, values in columns.items() if len(values) > 1}
        quoted = {name for name, values in columns.items() if all(one.startswith(b'"') for one in values)}
        bare = {name for name, values in columns.items() if not any(one.startswith(b'"') for one in values)}
        if names == self._names:
            varying, quoted, bare = varying | self._varying, quoted & self._quoted, bare & self._bare
            if (varying, quoted, bare) == (self._varying, self._quoted, self._bare):
                return False
        self._names, self._varying, self._quoted, self._bare = names, varying, quoted, bare
        self._arrange()
        return True

    def _arrange(self) -> None:
        """Where values that vary begin and end: which end of a name, and how far from it. In which order they are taken: one kind after another."""
        ahead = [-len(f',"{name}') for name in self._names[1:]] + [-len(f'}},{{"{name}') for name in self._names[:1]]
        varying = [at for at, name in enumerate(self._names) if name in self._varying]
        self._ends = np.array([end for at in varying for end in (at, at + 1)], np.int32)
        inside = [int(self._kind(name) in _TEXTS) for name in self._names]
        behind = [int(self._kind(name) in _NUMBERS) - inside[at] for at, name in enumerate(self._names)]
        from_ends = [by for at in varying for by in (len('":') + inside[at], ahead[at] + behind[at])]
        self._from_ends = np.array(from_ends, np.int32)
        self._texts_at = [2 * place for place, at in enumerate(varying) if inside[at]]
        described = sorted((self._kind(self._names[at]), place) for place, at in enumerate(varying))
        self._places = np.array([2 * place + 1 for _, place in described], np.int32)
        taken = [self._names[varying[place]] for _, place in described]
        self._taken = {kind: [one for one in taken if self._kind(one) == kind] for kind in Kind}
        numbers = [name for name in taken if self._kind(name) in _NUMBERS]
        self._closing = np.array([_BRACE if name == self._names[-1] else _COMMA for name in numbers], np.uint8)

    def _kind(self, name: str) -> Kind:
        if name not in self._of:
            return (
                Kind.TEXT_UNUSED
                if name in self._quoted
                else Kind.NUMBER_UNUSED
                if name in self._bare
                else Kind.OTHER_UNUSED
            )
        types = types_of(self._of[name][1])
        if name in self._quoted and str in types:
            return Kind.TEXT
        return _KINDS.get(types, Kind.OTHER) if name in self._bare else Kind.OTHER

    def _read(self, block: memoryview) -> Rows:
        if not (self._varying and len(block)):
            raise UnusualError
        ends = self._ends_of_names(block)
        rows, width = len(ends), len(self._ends)
        cuts = np.take(ends, self._ends, axis=1) + self._from_ends
        size = np.array([len(block)], np.int32)
        cells = _slices(block, np.concatenate([size - size, cuts.ravel(), size]))
        one = self._require_alike(block, cuts, cells)
        values = (self._places[:, None] + np.arange(rows, dtype=np.int32) * width).ravel()
        return Rows(rows, self._columns_of(cells.take(pa.array(values)), rows), one)

    def _ends_of_names(self, block: memoryview) -> Places:
        """The place of the quote behind each name, row by row, each row with the first one of the next. No text holds a bare quote."""
        written = np.frombuffer(block, np.uint8)
        if self._marks.shape[1] < len(block):
            self._marks = np.empty((2, len(block) * 5 // 4), bool)
        quotes, colons = self._marks[:, : len(block) - 1]
        np.equal(written[:-1], _QUOTE, out=quotes)
        np.equal(written[1:], _COLON, out=colons)
        ends = np.flatnonzero(np.logical_and(quotes, colons, out=quotes)).astype(np.int32)
        if len(ends) % len(self._names):  # an escaped quote, or the one before a text that begins with a colon
            before = written[ends - 1]
            ends = ends[(before != _ESCAPE) & (before != _COLON)]
        rows, rest = divmod(len(ends), len(self._names))
        if rest or not rows:
            raise UnusualError
        each = np.empty((rows, len(self._names) + 1), np.int32)
        each[:, :-1] = ends.reshape(rows, -1)
        each[:-1, -1] = each[1:, 0]
        each[-1, -1] = len(block) - len("}") + len(f'}},{{"{self._names[0]}')
        return each

    def _require_alike(self, block: memoryview, cuts: Places, cells: pa.BinaryArray) -> Any:
        """The first row, once it is sure that all rows are the same but for the values that vary."""
        [first, last] = cuts[[0, -1]].tolist()
        head, tail = bytes(block[: first[0]]), bytes(block[last[-1] :])
        if not head.startswith(b"{") or block[-1] != _BRACE:
            raise UnusualError
        if any(block[first[at] - 1] != _QUOTE or block[first[at + 1]] != _QUOTE for at in self._texts_at):
            raise UnusualError
        between = [bytes(block[begin:end]) for begin, end in zip(first[1:-1:2], first[2::2], strict=True)]
        between.append(tail + b"," + head)
        if self._between != between:
            row = bytes(block[: first[-1]]) + tail
            if [*_members(b"[" + row + b"]")[0]] != self._names:
                raise UnusualError
            self._one, self._between, self._repeated = self._row(row), between, _repeated(between, len(cuts))
        inner = cells[1:-1]  # without what stands before the first row's first value and behind the last one's last
        if len(self._repeated) < len(inner):
            self._repeated = _repeated(between, len(cuts) * 5 // 4)
        if not pc.all(pc.equal(inner, self._repeated[: len(inner)]), min_count=0).as_py():
            raise UnusualError
        return self._one

    def _columns_of(self, values: pa.BinaryArray, rows: int) -> dict[str, pa.Array]:
        """The values, one column after another, as a row's type has them."""
        if _written(values).min(initial=_BLANK) < _BLANK:
            raise UnusualError
        ends = np.cumsum([0, *(len(self._taken[kind]) * rows for kind in Kind)]).tolist()
        texts, numbers = values[: ends[Kind.WHOLE]], values[ends[Kind.WHOLE] : ends[Kind.OTHER]]
        used = values[: ends[Kind.TEXT_UNUSED]]
        plain = _are_plain(texts)
        said = [] if plain else _each(_texts, texts, b'"')
        bare = _numbers(numbers, self._closing)
        whole, amounts = len(self._taken[Kind.WHOLE]) * rows, len(self._taken[Kind.AMOUNT]) * rows
        several = {
            Kind.TEXT: used.cast(pa.string()) if plain else pa.array(said[: len(used)], pa.string()),
            Kind.WHOLE: bare[:whole].cast(pa.int64()),
            Kind.AMOUNT: bare[whole : whole + amounts],
        }
        found = {
            self._of[name][0]: column[at * rows : (at + 1) * rows]
            for kind, column in several.items()
            for at, name in enumerate(self._taken[kind])
        }
        for at, name in enumerate(self._taken[Kind.OTHER]):
            attribute, kind = self._of[name]
            begin = ends[Kind.OTHER] + at * rows
            found[attribute] = _of_few(values[begin : begin + rows], kind)
        _each(_values, values[ends[Kind.OTHER_UNUSED] :])
        return found


def _slices(block: memoryview, cuts: Places) -> pa.BinaryArray:
    """The block from each of these places to the next, without a copy. Raises UnusualError where one is before its predecessor."""
    if (np.diff(cuts) < 0).any():
        raise UnusualError
    return pa.Array.from_buffers(pa.binary(), len(cuts) - 1, [None, pa.py_buffer(cuts), pa.py_buffer(block)])


def _repeated(between: Sequence[bytes], rows: int) -> pa.BinaryArray:
    """What stands between the values of so many rows, with nothing in the place of each value."""
    sizes = np.zeros((rows, 2 * len(between)), np.int32)
    sizes[:, 1::2] = [*map(len, between)]
    offsets = np.concatenate([sizes[0, :1], np.cumsum(sizes, dtype=np.int32)])
    known = np.packbits(np.arange(sizes.size) % 2, bitorder="little")
    said = [pa.py_buffer(one) for one in (known, offsets, b"".join(between) * rows)]
    return pa.Array.from_buffers(pa.binary(), sizes.size, said)


def _numbers(cells: pa.BinaryArray, closing: npt.NDArray[np.uint8]) -> pa.StringArray:
    """What each cell says, once it is sure to be one number, true, false or null, and what stands behind it to be what closes it in its column."""
    if not len(cells):
        return pa.array([], pa.string())
    offsets, written = _offsets(cells), _written(cells)
    if (written[offsets[1:] - offsets[0] - 1].reshape(len(closing), -1) != closing[:, None]).any():
        raise UnusualError
    numbers = written.tobytes()
    if numbers.translate(None, _PARTS_OF_NUMBERS) or numbers.count(b",") + numbers.count(b"}") != len(cells):
        raise UnusualError
    _require_json(b'{"":[' + numbers[:-1].replace(b"}", b",") + b"]}")
    ends = offsets - offsets[0] - np.arange(len(offsets), dtype=np.int32)
    said = [None, pa.py_buffer(ends), pa.py_buffer(numbers.translate(None, b",}"))]
    return pa.Array.from_buffers(pa.string(), len(cells), said)


def _are_plain(texts: pa.BinaryArray) -> bool:
    """Whether no text holds an escape, nor a quote, which would not be one text: then they say what is written."""
    written = _written(texts)
    return not ((written == _QUOTE).any() or (written == _ESCAPE).any())


def _of_few(cells: pa.BinaryArray, kind: Any) -> pa.Array:
    """Values of which there are few, each decoded once."""
    few = cells.dictionary_encode()
    values = _each(msgspec.json.Decoder(list[kind]).decode, few.dictionary)
    if types_of(kind) == {bool}:
        return pa.array(values, pa.bool_()).take(few.indices)
    if types_of(kind) == {msgspec.Raw}:
        return cells.cast(pa.string())
    return pa.array([None if one is None else str(one) for one in values], pa.string()).take(few.indices)


def _each(decode: Callable[[bytes], list[Any]], cells: pa.BinaryArray, quote: bytes = b"") -> list[Any]:
    """The value in each cell, where it stands without its quotes in those."""
    if not len(cells):
        return []
    values = decode(b"".join((b"[", quote, _joined(cells, quote + _APART + quote), quote, b"]")))
    if len(values) != len(cells):
        raise UnusualError
    return values


def _joined(cells: pa.BinaryArray, between: bytes) -> bytes:
    whole = pa.ListArray.from_arrays(pa.array([0, len(cells)], pa.int32()), cells)
    joined: bytes = pc.binary_join(whole, between)[0].as_py()
    return joined


def _offsets(cells: pa.BinaryArray) -> Places:
    return np.frombuffer(cells.buffers()[1], np.int32)[cells.offset : cells.offset + len(cells) + 1]


def _written(cells: pa.BinaryArray) -> npt.NDArray[np.uint8]:
    """What stands in all cells together."""
    offsets = _offsets(cells)
    return np.frombuffer(cells.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
