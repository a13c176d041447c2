"""How a site lays out a row of the inquiry, learned from its first one, and the columns of all rows laid out alike.

A block is cut at every `{"value":`, and field by field each piece must be one JSON value followed by exactly the bytes that lead to
the next field, after the last field to the end of the record. What then stands before the next record's first field must be
that record's beginning (id, rowNumber, note). So a block that passes is, byte for byte, the rows that were taken from it.
Anything else (another order of fields, an error beside a value, a blank too many) makes it unusual: whoever asks then decodes
it with care.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

AMOUNTS = ("DebitAmountInBaseCurrency", "CreditAmountInBaseCurrency")
TEXTS = ("RefNumber", "TransactionDescription", "LastModifiedDateTime")
CODES = ("Module", "BatchNumber", "Branch", "Account", "Subaccount", "TransactionDate")
FIXED = ("Ledger", "PeriodID", "Posted", "Released")

Scalar = str | int | float | bool | None
Fixed = Mapping[str, tuple[Scalar, ...]]

_USED = {*AMOUNTS, *TEXTS, *CODES, *FIXED}
_BAG = "custom"  # an object of every record that is no value object
_ERROR = "error"
_OPEN = b'{"value":'
_APART = b",\n"  # no JSON text holds a bare line end, so what stands between two of these is whole
_REMEMBERED = 20_000
_STRIP = 1 << 19  # what is compared at once: arrays as large as a block would be new memory from the system each time

_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_texts = msgspec.json.Decoder(list[str | None]).decode
_value_objects = msgspec.json.Decoder(dict[str, dict[str, Scalar]]).decode


class UnusualError(Exception):
    """The block is not laid out as the first row was, or not of these books and this period: nothing was taken from it."""


class _Anything(msgspec.Struct):
    """Takes any object and keeps nothing of it: for the sake of the decoder's own checks."""


_require_json = msgspec.json.Decoder(_Anything).decode


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few values: which of them each row has."""

    which: pa.Int32Array
    values: list[str | None]


@dataclass(slots=True)
class Fields:
    """The fields of some rows. The fixed ones are not among them: they were what they must be."""

    rows: int
    codes: dict[str, Coded] = field(default_factory=dict)
    texts: dict[str, pa.StringArray] = field(default_factory=dict)
    amounts: dict[str, pa.BinaryArray] = field(default_factory=dict)  # as written, each a JSON value


class Layout:
    """The value objects of a row in their order, and what was seen of them: with a value, empty, or now this and now that."""

    def __init__(self, order: Sequence[str], before: Mapping[str, bytes], after: bytes, fixed: Fixed) -> None:
        """before: the first record's members ahead of its fields, which are of one kind in all records; after: its end, alike in all."""
        self._order, self._after, self._fixed = order, after, fixed
        self._begin = msgspec.json.Decoder(_beginnings_of(before)).decode
        self._valued = {*_USED}
        self._empty: set[str] = set()
        self._arrange()

    def fields(self, block: bytes) -> Fields:
        """All rows of a whole JSON array. Raises UnusualError, or MsgspecError, UnicodeDecodeError or ArrowException for the same reason."""
        try:
            return self._read(self._filled(block))
        except UnusualError:
            if not self._has_learned(block):
                raise
            return self._read(self._filled(block))

    def _has_learned(self, block: bytes) -> bool:
        """Whether a field is empty here that never was, or has a value for the first time."""
        before = len(self._valued) + len(self._empty)
        unseen = {*self._order} - self._valued
        self._valued |= {name for name in unseen if b'"%s":' % name.encode() + _OPEN in block}
        # One pass finds all that are empty: most never are, and each by itself would be sought to the block's end.
        parts = block.split(_empty("")[1:])
        self._empty |= {*self._order} & {part.rpartition(b'"')[2].decode("utf-8", "replace") for part in parts}
        self._arrange()
        return before != len(self._valued) + len(self._empty)

    def _arrange(self) -> None:
        """Fields that never had a value belong to the bytes between the others."""
        self._names = names = [name for name in self._order if name in self._valued]
        self._groups = _grouped(self._order, self._valued)
        self._starts = [names.index(group[0]) for group in self._groups]
        self._opens = b"," + self._empties("", names[0]) + b'"%s":' % names[0].encode() + _OPEN
        self._leads_on = [
            b"}," + self._empties(one[-1], next_one[0]) + b'"%s":' % next_one[0].encode() + _OPEN
            for one, next_one in pairwise(self._groups)
        ]
        self._leads_on.append(b"}" + (b"," + self._empties(names[-1], ""))[:-1] + self._after)
        self._known = {
            group: _Known(group, leads_on, self._fixed)
            for group, leads_on in zip(self._groups, self._leads_on, strict=True)
            if not {*group}.isdisjoint(FIXED)
        }

    def _empties(self, name: str, next_name: str) -> bytes:
        """The fields between two others ("" for the ends of the record), none of which ever had a value."""
        start = self._order.index(name) + 1 if name else 0
        return b"".join(
            _empty(one) + b"," for one in self._order[start : self._order.index(next_name) if next_name else None]
        )

    def _filled(self, block: bytes) -> bytes:
        """The block with empty fields in the same shape as others. No text can hold such a name: its quotes would be escaped."""
        for name in self._empty & self._valued:
            block = block.replace(_empty(name), _empty(name)[:-2] + b'{"value":null}')
        return block

    def _read(self, block: bytes) -> Fields:
        first, cells = self._cells(block)
        rows = len(cells) // (len(self._groups) + 1)
        found = Fields(rows)
        for at, (group, leads_on) in enumerate(zip(self._groups, self._leads_on, strict=True)):
            self._take(group, cells.slice(at * rows, rows), leads_on, found)
        self._require_beginnings(block[:first], cells.slice(len(cells) - rows), rows)
        return found

    def _cells(self, block: bytes) -> tuple[int, pa.BinaryArray]:
        """Where the first value stands, and the cells of all rows, group after group: from the first value to the next group's.

        The cells of the last group end where the record ends; behind them come those from there to the next row's first value.
        """
        values = _found(_OPEN, block)
        rows, rest = divmod(len(values), len(self._names))
        if rest or not rows:
            raise UnusualError
        starts = values.reshape(rows, -1)[:, self._starts]
        starts = np.column_stack((starts, self._ends(block, starts)))
        cells = _slices(block, np.append(starts, np.int32(len(block))))
        return int(values[0]), cells.take(pa.array(np.arange(len(cells), dtype="<i4").reshape(rows, -1).T.ravel()))

    def _ends(self, block: bytes, starts: Any) -> Any:
        """Where each record ends: behind the first bytes after its last value that are the end of a record."""
        until = np.append(starts[1:, 0], np.int32(len(block)))
        last = _slices(block, np.append(np.column_stack((starts[:, -1], until)), np.int32(len(block))))
        every_second = pa.array(np.arange(0, len(last), 2, dtype="<i4"))
        at = pc.find_substring(last.take(every_second), self._leads_on[-1]).to_numpy()
        if at.min() < 0:
            raise UnusualError
        return starts[:, -1] + at + np.int32(len(self._leads_on[-1]))

    def _take(self, group: tuple[str, ...], cells: pa.BinaryArray, leads_on: bytes, found: Fields) -> None:
        if group in self._known:
            coded, known = cells.dictionary_encode(), self._known[group]
            values = [known[cell] for cell in coded.dictionary.to_pylist()]
            for name, column in zip(group, zip(*values, strict=True), strict=True):
                found.codes[name] = Coded(coded.indices, [*column])
            return
        [name] = group
        if name in CODES:
            coded = cells.dictionary_encode()
            found.codes[name] = Coded(coded.indices, _texts_of(_values(coded.dictionary, leads_on)))
        elif name in TEXTS:
            if not _all(pc.ends_with(cells, leads_on)):
                raise UnusualError
            if _are_plain(cells, leads_on):
                found.texts[name] = _inside(cells, leads_on)
            else:
                found.texts[name] = pa.array(_texts_of(_values(cells, leads_on)), pa.string())
        elif name in AMOUNTS:
            found.amounts[name] = _values(cells, leads_on)
            _require_json(b"".join((b'{"":[', _joined(found.amounts[name], _APART), b"]}")))
        else:
            values = _values(cells.dictionary_encode().dictionary, leads_on)
            if len(_items(_listed(values))) != len(values):
                raise UnusualError

    def _require_beginnings(self, head: bytes, cells: pa.BinaryArray, rows: int) -> None:
        """Between two records stand a comma and the beginning of the second; before the first one a bracket, behind the last one too."""
        inner = _values(cells.slice(0, rows - 1), self._opens)
        if not head.endswith(self._opens) or cells[-1].as_py() != b"]" or not _all(pc.starts_with(inner, b",{")):
            raise UnusualError
        between = b"}\n"
        others = [_joined(inner, between)] if len(inner) else []
        if len(self._begin(between.join([head[: -len(self._opens)], *others, b"]"]))) != rows:
            raise UnusualError


def layout_of(block: bytes, fixed: Fixed) -> Layout:
    """As the first record of a JSON array is laid out. Raises UnusualError when it is not one that can be read by its layout."""
    records = _items(block)
    members = {name: bytes(value) for name, value in _members(records[0]).items()} if records else {}
    order = [name for name, value in members.items() if value.startswith(b"{") and name != _BAG]
    if not _USED.issubset(order) or _ERROR in members or not all(name.isidentifier() for name in members):
        raise UnusualError
    names = [*members]
    start, end = names.index(order[0]), names.index(order[-1]) + 1
    if not start or names[start:end] != order:
        raise UnusualError
    after = b"".join(b',"%s":' % name.encode() + members[name] for name in names[end:])
    return Layout(order, {name: members[name] for name in names[:start]}, after + b"}", fixed)


def _grouped(order: Sequence[str], valued: Set[str]) -> list[tuple[str, ...]]:
    """Neighbours that are looked at as one, because at most one of them has more than one value."""
    groups: list[tuple[str, ...]] = []
    for before, name in pairwise(["", *order]):
        if name not in valued:
            continue
        together = {*groups[-1], name} if groups and before in groups[-1] else {name}
        joins = len(together) > 1 and together <= {*CODES, *FIXED} and len(together - {*FIXED}) <= 1
        groups[-1:] = [(*groups[-1], name)] if joins else [*groups[-1:], (name,)]
    return groups


class _Known(dict[bytes, tuple[Scalar, ...]]):
    """The cells of a group that were met before, and the values they hold; a new one is decoded."""

    def __init__(self, group: Sequence[str], leads_on: bytes, fixed: Fixed) -> None:
        super().__init__()
        self._names, self._leads_on, self._fixed = [*group], leads_on, fixed
        self._opening = b'{"%s":' % group[0].encode() + _OPEN

    def __missing__(self, cell: bytes) -> tuple[Scalar, ...]:
        said = _value_objects(self._opening + cell[: 1 - len(self._leads_on)] + b"}")
        if (
            not cell.endswith(self._leads_on)
            or [*said] != self._names
            or any([*one] != ["value"] for one in said.values())
        ):
            raise UnusualError
        values = tuple(one["value"] for one in said.values())
        if not all(map(self._is_allowed, self._names, values)):
            raise UnusualError
        if len(self) >= _REMEMBERED:
            self.clear()
        self[cell] = values
        return values

    def _is_allowed(self, name: str, value: Scalar) -> bool:
        """A fixed field has one of its values, and 1 is not True; all other codes are text."""
        if name in self._fixed:
            return any(value == one and type(value) is type(one) for one in self._fixed[name])
        return value is None or isinstance(value, str)


def _beginnings_of(before: Mapping[str, bytes]) -> Any:
    """A list of records of which only these members are there."""
    fields: list[Any] = [
        (f"_{number}", _kind_of(value), msgspec.field(default=None, name=name))
        for number, (name, value) in enumerate(before.items())
    ]
    return list[msgspec.defstruct("Beginning", fields, gc=False, forbid_unknown_fields=True)]  # type: ignore[misc]


def _kind_of(value: bytes) -> Any:
    if value.startswith(b"{"):
        return _Anything | None
    return int | None if value[:1].isdigit() else str | None


def _empty(name: str) -> bytes:
    return b'"%s":{}' % name.encode()


def _found(sought: bytes, block: bytes) -> Any:
    """The place behind each `{"value":` of the block: a bracket, and eight bytes that are compared as one number."""
    first, others = sought[:1], sought[1:]
    letters = np.frombuffer(block, np.uint8)[: -len(sought)]
    strips = range(0, max(len(letters), 1), _STRIP)
    after = np.concatenate([np.flatnonzero(letters[at : at + _STRIP] == ord(first)) + (at + 1) for at in strips])
    eights = np.ndarray((len(block) - 7,), "<u8", block, 0, (1,))
    return (after[eights[after] == np.frombuffer(others, "<u8")[0]] + len(others)).astype("<i4")


def _slices(block: bytes, starts: Any) -> pa.BinaryArray:
    """The block from each of these places to the next, without a copy. Raises UnusualError where one is before its predecessor."""
    if (np.diff(starts) < 0).any():
        raise UnusualError
    return pa.Array.from_buffers(pa.binary(), len(starts) - 1, [None, pa.py_buffer(starts), pa.py_buffer(block)])


def _joined(cells: pa.BinaryArray, between: bytes) -> memoryview:
    whole = pa.ListArray.from_arrays(pa.array([0, len(cells)], pa.int32()), cells)
    return memoryview(pc.binary_join(whole, between)[0].as_buffer())


def _listed(values: pa.BinaryArray) -> bytes:
    return b"".join((b"[", _joined(values, _APART), b"]"))


def _values(cells: pa.BinaryArray, leads_on: bytes) -> pa.BinaryArray:
    """The values alone, once it is sure that the same bytes stand behind each."""
    if not _all(pc.ends_with(cells, leads_on)):
        raise UnusualError
    return pc.binary_slice(cells, 0, -len(leads_on))


def _all(those: pa.BooleanArray) -> bool:
    return bool(pc.all(those, min_count=0).as_py())


def _are_plain(cells: pa.BinaryArray, leads_on: bytes) -> bool:
    """Whether each value is a text in quotes, without escapes, bare control characters or further quotes: it holds what is written."""
    starts = np.frombuffer(cells.buffers()[1], "<i4")[cells.offset : cells.offset + len(cells) + 1]
    shortest = int(np.diff(starts).min()) - len(leads_on)
    if shortest < 2 or not (_all(pc.starts_with(cells, b'"')) and _all(pc.ends_with(cells, b'"' + leads_on))):
        return False
    written = np.frombuffer(cells.buffers()[2], np.uint8)[starts[0] : starts[-1]]
    quotes = len(cells) * (2 + leads_on.count(b'"'))
    return not ((written < ord(" ")) | (written == ord("\\"))).any() and np.count_nonzero(written == ord('"')) == quotes


def _inside(cells: pa.BinaryArray, leads_on: bytes) -> pa.StringArray:
    """What stands between the quotes of each value."""
    return pc.binary_slice(cells, 1, -1 - len(leads_on)).cast(pa.string())


def _texts_of(values: pa.BinaryArray) -> list[str | None]:
    texts = _texts(_listed(values))
    if len(texts) != len(values):
        raise UnusualError
    return texts
