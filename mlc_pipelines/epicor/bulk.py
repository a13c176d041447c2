"""The rows of a page as columns: whoever reads a million lines holds no object for any of them.

A page is decoded some hundred rows at a time, and only their columns are kept. A page that cannot be read so is read as a whole, so that
it is refused in the same words as any other answer.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import NoneType, SimpleNamespace
from typing import Any, get_args, overload

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.epicor.wire import page_of
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.transport.rows import rows_in

_BLOCK_BYTES = 256 << 10
_BETWEEN = "\x1e"  # no JSON value holds a bare control character
_ARROW = {
    frozenset({str}): pa.string(),
    frozenset({int}): pa.int64(),
    frozenset({bool}): pa.bool_(),
}


class Bulk(Sequence[Any]):
    """The rows of a page. A single one is made when it is asked for, with the attributes of its type.

    Amounts are the very texts that were sent; a column whose values may be of several kinds is one of texts.
    """

    def __init__(self, columns: pa.RecordBatch) -> None:
        self._columns = columns
        self._distinct: dict[str, list[Any]] = {}

    def column(self, name: str) -> pa.Array:
        return self._columns[name]

    def distinct(self, name: str) -> list[Any]:
        if name not in self._distinct:
            self._distinct[name] = self._columns[name].unique().to_pylist()
        return self._distinct[name]

    def taken(self, which: npt.NDArray[np.bool_]) -> "Bulk":
        """Those rows alone."""
        return self if which.all() else Bulk(self._columns.filter(pa.array(which)))

    def __len__(self) -> int:
        rows: int = self._columns.num_rows
        return rows

    @overload
    def __getitem__(self, at: int) -> Any: ...

    @overload
    def __getitem__(self, at: slice) -> "Bulk": ...

    def __getitem__(self, at: int | slice) -> Any:
        places = range(len(self))[at]
        if isinstance(places, int):
            [row] = self._columns.slice(places, 1).to_pylist()
            return SimpleNamespace(**row)
        return Bulk(self._columns.slice(places.start, len(places)))


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
        kinds = {
            one.name: frozenset({*get_args(one.type)} or {one.type}) - {NoneType} for one in msgspec.structs.fields(row)
        }
        self._raw = [kind == {msgspec.Raw} for kind in kinds.values()]
        self._mixed = [kind not in _ARROW for kind in kinds.values()]
        self._schema = pa.schema([(name, _ARROW.get(kind, pa.string())) for name, kind in kinds.items()])
        self._rows = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._whole = rows_of(row)

    def __call__(self, body: bytes) -> Bulk:
        """A whole page. Raises MsgspecError as any decoder does."""
        try:
            blocks = [*rows_in(body, self._block, member="value", block_bytes=_BLOCK_BYTES)]
        except DataError:
            blocks = [self._columns(self._whole(body))]
        return Bulk(pa.concat_batches(blocks))

    def _block(self, array: bytes) -> pa.RecordBatch:
        return self._columns(self._rows(array))

    def _columns(self, rows: Sequence[Any]) -> pa.RecordBatch:
        if not rows:
            return pa.RecordBatch.from_pylist([], self._schema)
        values = zip(*map(msgspec.structs.astuple, rows), strict=True)
        arrays = [
            _texts(column) if raw else _column(column, field, mixed=mixed)
            for column, field, raw, mixed in zip(values, self._schema, self._raw, self._mixed, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def _texts(values: Sequence[msgspec.Raw]) -> pa.StringArray:
    """Values as they were written."""
    return pc.split_pattern(pa.array([_BETWEEN.encode().join(values)], pa.string()), _BETWEEN).flatten()


def _column(values: tuple[Any, ...], field: pa.Field, *, mixed: bool) -> pa.Array:
    """Most columns have one value for many rows, which costs a third when it is noticed."""
    rows, same = len(values), values.count(values[0]) == len(values)
    said = values[:1] if same else values
    if mixed:
        said = tuple(None if one is None else str(one) for one in said)
    try:
        return pa.repeat(pa.scalar(said[0], field.type), rows) if same else pa.array(said, field.type)
    except (OverflowError, pa.ArrowInvalid):
        raise msgspec.ValidationError(f"{field.name} is a number that has too many digits") from None
