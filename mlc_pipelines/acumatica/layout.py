"""How a site lays out a row of the inquiry, learned from its first one, and the columns of all rows laid out alike.

A block is cut at every `{"value":`, and field by field each piece must be one JSON value followed by exactly the bytes that lead to
the next field. So a block that passes is, byte for byte, the rows that were taken from it. Anything else (another order of
fields, an error beside a value, a blank too many) makes it unusual: whoever asks then decodes it with care.
"""

import operator
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
_OPEN = b'{"value":'
_APART = b",\n"  # no JSON text holds a bare line end, so what stands between two of these is whole
_REMEMBERED = 20_000

_records = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_texts = msgspec.json.Decoder(list[str | None]).decode
_value_objects = msgspec.json.Decoder(dict[str, dict[str, Scalar]]).decode


class UnusualError(Exception):
    """The block is not laid out as the first row was, or not of these books and this period: nothing was taken from it."""


class _Anything(msgspec.Struct):
    """Takes any object and keeps nothing of it: for the sake of the decoder's own checks."""


_require_json = msgspec.json.Decoder(_Anything).decode


class _Last(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    value: Scalar = None


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

    def __init__(self, order: Sequence[str], beside: Mapping[str, bytes], fixed: Fixed) -> None:
        self._order, self._beside, self._fixed = order, beside, fixed
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
        self._valued |= {name for name in self._order if b'"%s":' % name.encode() + _OPEN in block}
        self._empty |= {name for name in self._order if _empty(name) in block}
        self._arrange()
        return before != len(self._valued) + len(self._empty)

    def _arrange(self) -> None:
        """Fields that never had a value belong to the bytes between the others."""
        self._names = names = [name for name in self._order if name in self._valued]
        self._groups = _grouped(self._order, self._valued)
        self._starts = [names.index(group[0]) for group in self._groups]
        self._leads_on = [
            b"},"
            + b"".join(
                _empty(name) + b","
                for name in self._order[self._order.index(one[-1]) + 1 : self._order.index(next_one[0])]
            )
            + b'"%s":' % next_one[0].encode()
            + _OPEN
            for one, next_one in pairwise(self._groups)
        ]
        self._known = {
            group: _Known(group, leads_on, self._fixed)
            for group, leads_on in zip(self._groups, self._leads_on, strict=False)
            if not {*group}.isdisjoint(FIXED)
        }
        self._edges = msgspec.json.Decoder(_edges_of(names[-1], self._beside)).decode

    def _filled(self, block: bytes) -> bytes:
        """The block with empty fields in the same shape as others. No text can hold such a name: its quotes would be escaped."""
        for name in self._empty & self._valued:
            block = block.replace(_empty(name), _empty(name)[:-2] + b'{"value":null}')
        return block

    def _read(self, block: bytes) -> Fields:
        first, cells = self._cells(block)
        rows = len(cells) // len(self._groups)
        found = Fields(rows)
        for at, group in enumerate(self._groups[:-1]):
            self._take(group, cells.slice(at * rows, rows), self._leads_on[at], found)
        self._take_last(block[1:first], cells.slice(len(cells) - rows), found)
        return found

    def _cells(self, block: bytes) -> tuple[int, pa.BinaryArray]:
        """Where the first value stands, and the cells of all rows, group after group: from the first value to the next group's."""
        whole = pa.Array.from_buffers(
            pa.binary(), 1, [None, pa.py_buffer(np.array([0, len(block)], "<i4")), pa.py_buffer(block)]
        )
        pieces = pc.split_pattern(whole, _OPEN).flatten()
        rows, rest = divmod(len(pieces) - 1, len(self._names))
        if rest or not rows:
            raise UnusualError
        offsets = np.frombuffer(pieces.buffers()[1], "<i4")[: len(pieces)]
        values = offsets[1:] + len(_OPEN) * np.arange(1, len(pieces), dtype="<i4")
        starts = np.append(values.reshape(rows, -1)[:, self._starts], np.int32(len(block)))
        cells = pa.Array.from_buffers(pa.binary(), len(starts) - 1, [None, pa.py_buffer(starts), pa.py_buffer(block)])
        by_group = np.arange(len(cells), dtype="<i4").reshape(rows, -1).T.ravel()
        return int(values[0]), cells.take(pa.array(by_group))

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
            found.texts[name] = pa.array(_texts_of(_values(cells, leads_on)), pa.string())
        elif name in AMOUNTS:
            found.amounts[name] = _values(cells, leads_on)
            _require_json(b"".join((b'{"":[', _joined(found.amounts[name], _APART), b"]}")))
        else:
            _require_json(b"".join((b'{"":[{"value":', _joined(_values(cells, leads_on), b'},\n{"value":'), b"}]}")))

    def _take_last(self, head: bytes, cells: pa.BinaryArray, found: Fields) -> None:
        """The last field of each row with all that stands between it and the next row's first: beginnings and ends of records, by turns."""
        name, leads_on = self._names[-1], b',"%s":' % self._names[0].encode() + _OPEN
        if name in {*AMOUNTS, *FIXED}:
            raise UnusualError
        inner = _values(cells.slice(0, len(cells) - 1), leads_on)
        if not head.endswith(leads_on):
            raise UnusualError
        between = b'},\n{"%s":' % name.encode() + _OPEN
        ends = [_joined(inner, between)] if len(inner) else []
        edges = self._edges(b"[" + between.join([head[: -len(leads_on)], *ends, cells[-1].as_py()]))
        beginnings, endings = edges[::2], edges[1::2]
        kinds = [{*map(type, map(_last, some))} for some in (beginnings, endings)]
        if len(endings) != found.rows or kinds != [{type(None)}, {_Last}]:
            raise UnusualError
        values = [edge.last.value for edge in endings]
        if name in TEXTS:
            found.texts[name] = pa.array(values, pa.string())
        elif name in CODES:
            coded = pa.array(values, pa.string()).dictionary_encode("encode")
            found.codes[name] = Coded(coded.indices, coded.dictionary.to_pylist())


def layout_of(block: bytes, fixed: Fixed) -> Layout:
    """As the first record of a JSON array is laid out. Raises UnusualError when it is not one that can be read by its layout."""
    records = _records(block)
    members = {name: bytes(value) for name, value in _members(records[0]).items()} if records else {}
    order = [name for name, value in members.items() if value.startswith(b"{") and name != _BAG]
    if not _USED.issubset(order) or not all(name.isidentifier() for name in order):
        raise UnusualError
    return Layout(order, {name: value for name, value in members.items() if name not in order}, fixed)


def _grouped(order: Sequence[str], valued: Set[str]) -> list[tuple[str, ...]]:
    """Neighbours that are looked at as one, because at most one of them has more than one value; the last field stands alone."""
    groups: list[tuple[str, ...]] = []
    last = next(name for name in reversed(order) if name in valued)
    for before, name in pairwise(["", *order]):
        if name not in valued:
            continue
        together = {*groups[-1], name} if groups and before in groups[-1] else {name}
        joins = len(together) > 1 and name != last and together <= {*CODES, *FIXED} and len(together - {*FIXED}) <= 1
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


_last = operator.attrgetter("last")


def _edges_of(last: str, beside: Mapping[str, bytes]) -> Any:
    """A list of ends and beginnings of records: only the last field and what stands beside the fields has a place there.

    beside: names and values of the first record's other members, id and the like, which are of one kind in all of them.
    """
    others: list[Any] = [
        (f"_{number}", _kind_of(value), msgspec.field(default=None, name=name))
        for number, (name, value) in enumerate(beside.items())
    ]
    ending: list[Any] = [("last", _Last | None, msgspec.field(default=None, name=last))]
    return list[msgspec.defstruct("Edge", [*ending, *others], gc=False, forbid_unknown_fields=True)]  # type: ignore[misc]


def _kind_of(value: bytes) -> Any:
    if value.startswith(b"{"):
        return _Anything | None
    return int | None if value[:1].isdigit() else str | None


def _empty(name: str) -> bytes:
    return b'"%s":{}' % name.encode()


def _joined(cells: pa.BinaryArray, between: bytes) -> memoryview:
    whole = pa.ListArray.from_arrays(pa.array([0, len(cells)], pa.int32()), cells)
    return memoryview(pc.binary_join(whole, between)[0].as_buffer())


def _values(cells: pa.BinaryArray, leads_on: bytes) -> pa.BinaryArray:
    """The values alone, once it is sure that the same bytes stand behind each."""
    if not pc.all(pc.ends_with(cells, leads_on), min_count=0).as_py():
        raise UnusualError
    return pc.binary_slice(cells, 0, -len(leads_on))


def _texts_of(values: pa.BinaryArray) -> list[str | None]:
    texts = _texts(b"".join((b"[", _joined(values, _APART), b"]")))
    if len(texts) != len(values):
        raise UnusualError
    return texts
