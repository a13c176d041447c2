"""Which columns a declared extract has, by what the service or the query publishes about itself, and their values as typed columns.

Text stays text, decimals keep every digit. A date or time is kept as it is written, without offset: Kinetic writes dates as midnights and
times by the server's own clock, mostly without saying where that is [C MCP, KERI]. One with an offset loses it, and keeps its day.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import field

from mlc_pipelines.epicor.metadata import Kind, Published
from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.decimals import DECIMAL, Refuse, decimal_column
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.extracts import ExtractRule, fields_leg

WRITTEN = pa.timestamp("us")
_NAMED = 8
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d)?")
_TYPES: Mapping[str, tuple[pa.DataType, Any]] = {
    "Edm.String": (pa.string(), str | None),
    "Edm.Guid": (pa.string(), str | None),
    "Edm.Boolean": (pa.bool_(), bool | None),
    "Edm.Byte": (pa.int64(), int | None),
    "Edm.SByte": (pa.int64(), int | None),
    "Edm.Int16": (pa.int64(), int | None),
    "Edm.Int32": (pa.int64(), int | None),
    "Edm.Int64": (pa.int64(), int | None),
    "Edm.Decimal": (DECIMAL, msgspec.Raw),
    "Edm.Double": (pa.string(), msgspec.Raw),
    "Edm.Single": (pa.string(), msgspec.Raw),
    "Edm.DateTimeOffset": (WRITTEN, str | None),
    "Edm.DateTime": (WRITTEN, str | None),
    "Edm.Date": (WRITTEN, str | None),
}
_TELLS_APART = {"Edm.String", "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64"}
_COUNTS = _TELLS_APART - {"Edm.String"}

Where = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what Kinetic calls its type, and what that is with us."""

    name: str
    type: str

    @property
    def kept_as(self) -> pa.DataType:
        return _TYPES[self.type][0]

    @property
    def decoded_as(self) -> Any:
        return _TYPES[self.type][1]

    @property
    def is_count(self) -> bool:
        return self.type in _COUNTS

    @property
    def is_day(self) -> bool:
        return bool(self.kept_as == WRITTEN)


@dataclass(frozen=True)
class Shape:
    """The columns of an extract, and below expanded sets those of their rows. leg: that all of them are published.

    called: columns that a decoded record has as attributes of these names; column number n is attribute f<n> otherwise.
    """

    columns: tuple[Column, ...]
    below: Mapping[str, tuple[Column, ...]]
    leg: Leg
    called: Mapping[str, str] = field_of(default_factory=dict)

    def column(self, name: str) -> Column:
        return next(one for one in self.columns if one.name == name)

    @property
    def types(self) -> dict[str, str]:
        below = {f"{name}/{one.name}": one.type for name, rows in self.below.items() for one in rows}
        return {one.name: one.type for one in self.columns} | below

    @property
    def schema(self) -> pa.Schema:
        plain = [pa.field(one.name, one.kept_as) for one in self.columns]
        return pa.schema([*plain, *(pa.field(name, _list_of(rows)) for name, rows in self.below.items())])

    @cached_property
    def attributes(self) -> dict[str, str]:
        """Column -> attribute of a decoded record."""
        return {one.name: self.called.get(one.name, f"f{at}") for at, one in enumerate(self.columns)}

    def value(self, record: Any, name: str) -> Any:
        """The value of a column by name."""
        return value_of(getattr(record, self.attributes[name]))

    def row(self) -> type[Any]:
        """The type that decodes a record; expanded set number n is d<n> with its link cut<n>."""
        fields: list[Any] = [
            (attribute, *rest)
            for attribute, (_, *rest) in zip(self.attributes.values(), _decoded(self.columns), strict=True)
        ]
        for number, (name, columns) in enumerate(self.below.items()):
            below = msgspec.defstruct("Below", _decoded(columns), gc=False)
            fields.append((f"d{number}", list[below], field(name=name)))  # type: ignore[valid-type]
            fields.append((f"cut{number}", str | None, field(name=f"{name}@odata.nextLink", default=None)))
        return msgspec.defstruct("Record", fields, kw_only=True)

    def table(self, records: Sequence[Any], where: Where) -> pa.Table:
        """Records as columns, in their order. where names a record, for messages."""
        columns = [_values(one, _of(records, self.attributes[one.name]), where) for one in self.columns]
        columns += [_lists(records, at, name, rows, where) for at, (name, rows) in enumerate(self.below.items())]
        return pa.Table.from_arrays(columns, schema=self.schema)


def shape_of(rule: ExtractRule, published: Published, kind: Kind, more: Sequence[str], what: str) -> Shape:
    """The columns that the rule asks for, and `more`. Raises SetupError naming those that are not published or do not serve."""
    plain = [name for name in rule.select if "/" not in name] or [
        one for one, said in kind.columns.items() if said in _TYPES
    ]
    top = list(dict.fromkeys([*rule.keys, *plain, *([rule.modified] if rule.modified else []), *more]))
    kinds = {name: published.kind(kind.children.get(name, "")) for name in rule.expand}
    below = {name: _below(rule, name, kinds[name]) for name in rule.expand}
    known = {name: said for name, said in kind.columns.items() if said in _TYPES}
    known |= {f"{name}/{one}": said for name, of in kinds.items() for one, said in of.columns.items() if said in _TYPES}
    declared = [*top, *(f"{name}/{one}" for name, ones in below.items() for one in ones)]
    lacking = [name for name in declared if name not in known] + [
        name for name in rule.expand if name not in kind.children
    ]
    leg = fields_leg(
        [*declared, *rule.expand], [name for name in [*declared, *rule.expand] if name not in lacking], rule.name
    )
    if lacking:
        raise _lacking(rule, lacking, what, leg)
    shape = Shape(
        tuple(Column(name, known[name]) for name in top),
        {name: tuple(Column(one, known[f"{name}/{one}"]) for one in ones) for name, ones in below.items()},
        leg,
    )
    wrong = [
        f"key {one} is {shape.column(one).type}" for one in rule.keys if shape.column(one).type not in _TELLS_APART
    ]
    if rule.modified and not shape.column(rule.modified).is_count:
        wrong.append(
            f"modified {rule.modified} is {shape.column(rule.modified).type}; what tells changes to the row is SysRevID"
        )
    if wrong:
        raise SetupError(
            f"Extract {rule.name} cannot be read: {'; '.join(wrong)}.",
            holds="Nothing was read.",
            next_step=f"Correct `extracts.{rule.name}` in the connection file.",
        )
    return shape


def _below(rule: ExtractRule, name: str, kind: Kind) -> list[str]:
    chosen = [one.removeprefix(f"{name}/") for one in rule.select if one.startswith(f"{name}/")]
    return chosen or [one for one, said in kind.columns.items() if said in _TYPES]


def _lacking(rule: ExtractRule, names: Sequence[str], what: str, leg: Leg) -> SetupError:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    error = SetupError(
        f"{what} does not publish {', '.join(names[:_NAMED])}{more} as something that can be kept.",
        holds="Nothing was read.",
        next_step=f"Correct `extracts.{rule.name}` in the connection file, or ask the Kinetic administrator what became of the columns.",
    )
    error.leg, error.legs = leg.name, (leg,)
    return error


def _decoded(columns: Sequence[Column]) -> list[tuple[str, Any, Any]]:
    """Fields of a type that decodes these columns; a number that is kept by its digits is the very text that was sent."""
    return [
        (
            f"f{at}",
            one.decoded_as,
            field(default=msgspec.Raw(b"") if one.decoded_as is msgspec.Raw else None, name=one.name),
        )
        for at, one in enumerate(columns)
    ]


def value_of(raw: Any) -> Any:
    """A decoded value; a number kept as it was sent is its own text, without quotes where it was sent as a text."""
    if not isinstance(raw, msgspec.Raw):
        return raw
    text = bytes(raw).decode("ascii", "replace").strip('"')
    return None if text in {"", "null"} else text


def _of(records: Sequence[Any], name: str) -> list[Any]:
    return [value_of(getattr(record, name)) for record in records]


def _values(column: Column, values: Sequence[Any], where: Where) -> pa.Array:
    """Values as a column. Raises DataError naming the record, the column and the text for a value that does not fit without loss."""

    def refuse(text: str, complaint: str, row: int) -> DataError:
        return DataError(
            f"{where(row)}: {column.name} is {text[:60]!r}, {complaint}.",
            holds="Nothing was kept.",
            next_step="Correct the record in Kinetic, or leave the column out with `select`.",
        )

    if column.kept_as == DECIMAL:
        return decimal_column(values, refuse)
    if column.is_day:
        return pa.array([_written(text, row, refuse) for row, text in enumerate(values)], WRITTEN)
    return pa.array(values, column.kept_as)


def _written(text: str | None, row: int, refuse: Refuse) -> datetime | None:
    """A date or time as it is written; no more than six digits of a second are kept."""
    if text is None:
        return None
    if not (found := _TIME.fullmatch(text)):
        raise refuse(text, "which is no date or time", row)
    return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}{(found[3] or '')[:7]}")


def _lists(records: Sequence[Any], at: int, name: str, columns: Sequence[Column], where: Where) -> pa.Array:
    """An expanded set as a list in each record."""
    found = [getattr(record, f"d{at}") for record in records]
    if None in found:
        raise DataError(
            f"{where(found.index(None))} came without {name}, which was asked for.",
            holds="Nothing was kept.",
            next_step="Have the Kinetic administrator check the user's field security for it.",
        )
    cut = [row for row, record in enumerate(records) if getattr(record, f"cut{at}")]
    if cut:
        raise SetupError(
            f"Kinetic sent only a part of {name} of {where(cut[0])}.",
            holds="Nothing was kept.",
            next_step="Leave it out with `expand`, or read it by a query (`inquiry`), which has no lists within rows.",
        )
    owners = [row for row, rows in enumerate(found) for _ in rows]
    flat = [one for rows in found for one in rows]
    offsets = [0]
    for rows in found:
        offsets.append(offsets[-1] + len(rows))

    def where_below(row: int) -> str:
        return f"{where(owners[row])}, {name}"

    arrays = [_values(one, _of(flat, f"f{number}"), where_below) for number, one in enumerate(columns)]
    structs = pa.StructArray.from_arrays(arrays, fields=list(_struct_of(columns)))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=_list_of(columns))


def _list_of(rows: Sequence[Column]) -> pa.ListType:
    """A list of records; its part is called as Parquet calls it, so that a file that was read and written again is the same file."""
    return pa.list_(pa.field("element", _struct_of(rows)))


def _struct_of(rows: Sequence[Column]) -> pa.StructType:
    return pa.struct([pa.field(one.name, one.kept_as) for one in rows])
