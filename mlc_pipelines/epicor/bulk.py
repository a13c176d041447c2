"""The rows of a page as columns: whoever reads a million lines holds no object for any of them.

A page is decoded some hundred rows at a time, which stay in the processor's cache, and only their columns are kept. Most columns of a page
hold one value in all its rows, and are kept as that. A page that cannot be read so is read as a whole, so that it is refused in the same words
as any other answer.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, overload

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.epicor.layout import Layout, UnusualError, types_of
from mlc_pipelines.epicor.wire import page_of
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.transport.rows import array_of, rows_in

_BLOCK_BYTES = 1 << 21
_BETWEEN = "\x1e"  # no JSON value holds a bare control character
_ARROW = {
    frozenset({str}): pa.string(),
    frozenset({int}): pa.int64(),
    frozenset({bool}): pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class Same:
    """A column that has one value in all rows."""

    value: Any


class Bulk(Sequence[Any]):
    """The rows of a page. A single one is made when it is asked for, with the attributes of its type.

    Amounts are the very texts that were sent; a column whose values may be of several kinds is one of texts.
    """

    def __init__(self, rows: int, schema: pa.Schema, columns: Mapping[str, "Same | pa.Array"]) -> None:
        self._rows = rows
        self.schema = schema
        self._columns = columns
        self._distinct: dict[str, list[Any]] = {}

    def column(self, name: str) -> pa.Array:
        column = self._columns[name]
        if isinstance(column, Same):
            return pa.repeat(pa.scalar(column.value, self.schema.field(name).type), self._rows)
        return column

    def coded(self, name: str) -> pa.DictionaryArray:
        """The texts of a column as codes, "" for none."""
        column = self._columns[name]
        if isinstance(column, Same):
            return pa.DictionaryArray.from_arrays(np.zeros(self._rows, np.int32), pa.array([column.value or ""]))
        return (column.fill_null("") if column.null_count else column).dictionary_encode()

    def same(self, name: str) -> Same | None:
        """The one value of a column that is known to have no other."""
        column = self._columns[name]
        return column if isinstance(column, Same) else None

    def distinct(self, name: str) -> list[Any]:
        """The values of a column, each once."""
        column = self._columns[name]
        if isinstance(column, Same):
            return [column.value] if self._rows else []
        if name not in self._distinct:
            self._distinct[name] = column.unique().to_pylist()
        return self._distinct[name]

    def taken(self, which: npt.NDArray[np.bool_]) -> "Bulk":
        """Those rows alone."""
        if which.all():
            return self
        mask, rows = pa.array(which), int(which.sum())
        return self._with(rows, lambda column: column.filter(mask))

    def _with(self, rows: int, cut: Callable[[pa.Array], pa.Array]) -> "Bulk":
        columns = {name: one if isinstance(one, Same) else cut(one) for name, one in self._columns.items()}
        return Bulk(rows, self.schema, columns)

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, at: int) -> Any: ...

    @overload
    def __getitem__(self, at: slice) -> "Bulk": ...

    def __getitem__(self, at: int | slice) -> Any:
        places = range(self._rows)[at]
        if isinstance(places, range):
            return self._with(len(places), lambda column: column.slice(places.start, len(places)))
        row = {name: one.value if isinstance(one, Same) else one[places].as_py() for name, one in self._columns.items()}
        return SimpleNamespace(**row)


def together(parts: Sequence[Bulk]) -> Bulk:
    """The rows of all parts, of which there is one at least, one after another."""
    if len(parts) == 1:
        return parts[0]
    rows, schema = sum(map(len, parts)), parts[0].schema
    columns: dict[str, Same | pa.Array] = {}
    for name in schema.names:
        values = [one.same(name) for one in parts if len(one)]
        if values and values[0] is not None and all(one == values[0] for one in values):
            columns[name] = values[0]
        else:
            columns[name] = pa.concat_arrays([one.column(name) for one in parts])
    return Bulk(rows, schema, columns)


def distinct(rows: Sequence[Any], name: str) -> Iterable[Any]:
    """The values of one attribute, each once, in the order in which they came."""
    if isinstance(rows, Bulk):
        return rows.distinct(name)
    return dict.fromkeys(getattr(row, name) for row in rows)


def listed(rows: Sequence[Any], name: str) -> list[Any]:
    """One attribute of all rows."""
    if not isinstance(rows, Bulk):
        return [getattr(row, name) for row in rows]
    column = rows.column(name)
    whole = pa.types.is_integer(column.type) and not column.null_count
    values: list[Any] = column.to_numpy().tolist() if whole else column.to_pylist()
    return values


def numbers(rows: Sequence[Any], name: str) -> npt.NDArray[Any]:
    """The same of whole numbers."""
    return rows.column(name).to_numpy() if isinstance(rows, Bulk) else np.array(listed(rows, name))


def kept(rows: Sequence[Any], of: Mapping[str, Collection[Any]]) -> Sequence[Any]:
    """The rows whose attributes have one of the values named for them."""
    if not isinstance(rows, Bulk):
        return [row for row in rows if all(getattr(row, name) in known for name, known in of.items())]
    which = np.ones(len(rows), bool)
    for name, known in of.items():
        if not set(rows.distinct(name)).issubset(known):
            column = rows.column(name)
            which &= pc.is_in(column, pa.array([*known], column.type)).to_numpy(zero_copy_only=False)
    return rows.taken(which)


def rows_of(row: type[msgspec.Struct]) -> Callable[[bytes], Sequence[Any]]:
    """Decodes pages of a type of rows into objects of it."""
    page = msgspec.json.Decoder(page_of(row)).decode
    return lambda body: page(body).value


class Decoder:
    """Decodes pages of a type of rows into columns."""

    def __init__(self, row: type[msgspec.Struct]) -> None:
        kinds = {one.name: types_of(one.type) for one in msgspec.structs.fields(row)}
        self._schema = pa.schema([(name, _ARROW.get(kind, pa.string())) for name, kind in kinds.items()])
        self._ways = [_way_of(kind, field) for kind, field in zip(kinds.values(), self._schema, strict=True)]
        self._rows = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._whole = rows_of(row)
        self._layout = Layout(row)
        self._alike: tuple[Any, dict[str, Same]] = None, {}

    def __call__(self, body: bytes) -> Bulk:
        """A whole page. Raises MsgspecError as any decoder does."""
        blocks: list[Any]
        try:
            blocks = [*rows_in(body, self._block, member="value", block_bytes=_BLOCK_BYTES)]
        except DataError:
            blocks = [self._bulk(self._whole(body))]
        return together(blocks)

    def _block(self, records: memoryview) -> Bulk:
        try:
            read = self._layout.read(records)
        except UnusualError:
            return self._bulk(self._rows(array_of(records)))
        if self._alike[0] is not read.one:
            values = zip(self._schema, msgspec.structs.astuple(read.one), strict=True)
            self._alike = read.one, {field.name: Same(_plain(value, field)) for field, value in values}
        return Bulk(read.rows, self._schema, {**self._alike[1], **read.columns})

    def _bulk(self, rows: Sequence[Any]) -> Bulk:
        if not rows:
            return Bulk(0, self._schema, {one.name: pa.array([], one.type) for one in self._schema})
        columns = [
            way(values)
            for way, values in zip(self._ways, zip(*map(msgspec.structs.astuple, rows), strict=True), strict=True)
        ]
        return Bulk(len(rows), self._schema, dict(zip(self._schema.names, columns, strict=True)))


def _way_of(kind: frozenset[Any], field: pa.Field) -> Callable[[tuple[Any, ...]], Same | pa.Array]:
    """How the values of an attribute become a column."""
    if kind == {msgspec.Raw}:
        return _texts
    if kind in _ARROW:
        return lambda values: _column(values, field)
    return lambda values: _column(tuple(None if one is None else str(one) for one in values), field)


def _plain(value: Any, field: pa.Field) -> Any:
    """A value as it stands in a column."""
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return str(value) if field.type == pa.string() and value is not None else value


def _texts(values: Sequence[msgspec.Raw]) -> pa.StringArray:
    """Values as they were written."""
    return pc.split_pattern(pa.array([_BETWEEN.encode().join(values)], pa.string()), _BETWEEN).flatten()


def _column(values: tuple[Any, ...], field: pa.Field) -> Same | pa.Array:
    first = values[0]
    same = values.count(first) == len(values)
    try:
        said = pa.array(values[:1] if same else values, field.type)
    except (OverflowError, pa.ArrowInvalid):
        raise msgspec.ValidationError(f"{field.name} is a number that has too many digits") from None
    return Same(first) if same else said
