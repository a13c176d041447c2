"""Any entity of the endpoint as a table: fields and types from what the endpoint itself publishes, records by the recipe of `records`."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.records import Key, Reading, Source, any_of, quoted, within
from mlc_pipelines.acumatica.shapes import Shape, fields_of, list_of, shape_of, struct_of
from mlc_pipelines.acumatica.typed import CONTRACT, Field, column, moment_text, value_of
from mlc_pipelines.ledger.control import compare
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.extracts import ANNOUNCED_CAME, EACH_KEY_ONCE, ExtractRead, ExtractRule, Stamps, frame_of_keys
from mlc_pipelines.ledger.fiscal import FiscalPeriod


class Entries(Source[Any]):
    """Records of one extract, decoded into a type made for its shape: field number n is attribute f<n>, expanded field number n is d<n>."""

    many, busy, changes_void = "Records", "changed", False

    def __init__(self, rule: ExtractRule, shape: Shape, period: FiscalPeriod | None) -> None:
        self.rule, self.shape, self.period = rule, shape, period
        self.one = f"{rule.source} record"
        self.scope = f"extract {rule.name}" + (f" {period.key}" if period else "")
        names = [one.name for one in shape.fields]
        self._keys = [names.index(name) for name in rule.keys]
        self._stamp = names.index(rule.modified) if rule.modified else None
        self._period = names.index(rule.by_period) if rule.by_period else None

    def value(self, record: Any, at: int) -> Any:
        """Field number `at` of a record, or of a row below it."""
        return value_of(getattr(record, f"f{at}"))

    def key(self, record: Any) -> Key:
        return tuple(self.value(record, at) for at in self._keys)

    def stamp(self, record: Any) -> str:
        return "" if self._stamp is None else moment_text(self.value(record, self._stamp))

    def literals(self, key: Key) -> list[str]:
        """A key in the filter language."""
        kinds = [self.shape.fields[at].kind for at in self._keys]
        return [quoted(str(part)) if kind.quoted else str(part) for part, kind in zip(key, kinds, strict=True)]

    @property
    def where(self) -> str:
        """The declared filter, and the period in every spelling it may be shown in."""
        parts = [f"({self.rule.filter})"] if self.rule.filter else []
        if self.period is not None:
            said = " or ".join(f"{self.rule.by_period} eq {quoted(text)}" for text in self.spellings)
            parts.append(f"({said})")
        return " and ".join(parts)

    @property
    def spellings(self) -> tuple[str, ...]:
        if self.period is None:
            return ()
        if self.rule.period_format == "YYYYMM":
            return (f"{self.period.year:04d}{self.period.number:02d}",)
        return periods.spellings(self.period)

    def narrowed(self, more: str) -> str:
        return " and ".join(part for part in (self.where, more) if part)

    def required(self, records: list[Any]) -> list[Any]:
        """The records, once it is sure that each has its key and belongs to the period that was asked for."""
        for record in records:
            key = self.key(record)
            if None in key or "" in key:
                raise self._odd(f"A record of {self.rule.source} came without its key {', '.join(self.rule.keys)}.")
            if self._period is not None and (said := self.value(record, self._period)) not in self.spellings:
                raise self._odd(
                    f"{self.some([key])}: {self.rule.by_period} is {said!r}, asked for was {' or '.join(self.spellings)}."
                )
        return records

    def _odd(self, what: str) -> DataError:
        return DataError(
            what,
            holds="Nothing was kept.",
            next_step=f"Check `extracts.{self.rule.name}` in the connection file with the Acumatica administrator.",
        )

    def broken(self, complaint: str, keys: Any, *, times: int) -> DataError:
        """As everywhere, with the leg that shows it on the screen."""
        error = super().broken(complaint, keys, times=times)
        once, came = (frame_of_keys([(" ".join(map(str, key)),) for key in keys], ["key"], n) for n in (1, times))
        name, left = (EACH_KEY_ONCE, "keys") if times > 1 else (ANNOUNCED_CAME, "announced")
        if times == 1:
            once, came = once.assign(amount_minor=0), once
        leg = compare(name, self.scope, (left, once), ("came", came), keys=["key"], unit="rows")
        error.leg, error.legs = name, (leg,)
        return error

    def table(self, records: Sequence[Any]) -> pa.Table:
        """Records as columns, in their order."""

        def where(row: int) -> str:
            return f"{self.scope}, {' '.join(map(str, self.key(records[row])))}"

        columns = [
            column(one, [self.value(record, at) for record in records], where)
            for at, one in enumerate(self.shape.fields)
        ]
        columns += [self._lists(records, at, name) for at, name in enumerate(self.shape.rows)]
        return pa.Table.from_arrays(columns, schema=self.shape.schema)

    def _lists(self, records: Sequence[Any], at: int, name: str) -> pa.Array:
        """An expanded field: rows of details, or one linked record, as a list in each record."""
        found = [_as_rows(getattr(record, f"d{at}")) for record in records]
        if None in found:
            missing = self.key(records[found.index(None)])
            raise self._odd(f"{self.some([missing])} came without {name}, which was asked for.")
        lengths = [len(rows or ()) for rows in found]
        owners = [row for row, length in enumerate(lengths) for _ in range(length)]
        flat = [row for rows in found for row in rows or ()]

        def where(row: int) -> str:
            return f"{self.scope}, {' '.join(map(str, self.key(records[owners[row]])))}, {name}"

        fields = self.shape.rows[name]
        columns = [column(one, [self.value(row, number) for row in flat], where) for number, one in enumerate(fields)]
        offsets = [0]
        for length in lengths:
            offsets.append(offsets[-1] + length)
        structs = pa.StructArray.from_arrays(columns, fields=list(struct_of(fields)))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=list_of(fields))


def _as_rows(found: Any) -> list[Any] | None:
    return found if found is None or isinstance(found, list) else [found]


class _Records(Entries):
    """Records of an entity. Value objects travel around each field [C]."""

    def __init__(self, site: Connection, rule: ExtractRule, shape: Shape, period: FiscalPeriod | None) -> None:
        super().__init__(rule, shape, period)
        self._site = site
        self._type = _boxed_record(shape)
        brief = [*rule.keys, *filter(None, (rule.modified, rule.by_period))]
        self._brief = ",".join(dict.fromkeys(brief))
        self._select = ",".join(shape.types) if rule.select else ""

    def value(self, record: Any, at: int) -> Any:
        return value_of(getattr(record, f"f{at}").value)

    def headers(self) -> list[Any]:
        return self.required(self._site.list(self.rule.entity, self._type, select=self._brief, where=self.where))

    def between(self, first: Key, last: Key) -> list[Any]:
        return self._whole(within(self.rule.keys, self.literals(first), self.literals(last)))

    def named(self, keys: Sequence[Key]) -> list[Any]:
        return self._whole(f"({any_of(self.rule.keys, [self.literals(key) for key in keys])})")

    def _whole(self, which: str) -> list[Any]:
        return self.required(
            self._site.list(
                self.rule.entity,
                self._type,
                select=self._select,
                expand=",".join(self.rule.expand),
                where=self.narrowed(which),
            )
        )


def read_entity(site: Connection, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
    """Records of an entity of the endpoint. Errors as `records.Reading.pages` and `shape_of`."""
    what = f"Endpoint {site.config.endpoint}/{site.config.version} of {site.config.system}"
    shape = shape_of(rule, fields_of(site.contract()), rule.entity, CONTRACT, what)
    return collected(_Records(site, rule, shape, period), held)


def collected(source: Entries, held: Stamps) -> ExtractRead:
    """What the recipe brings, each record in its newest state; those that went away while we read are left out."""
    reading = Reading(source, source.rule.page)
    newest: dict[Key, Any] = {}
    for records in reading.pages({key: stamp for key, stamp in held.items() if stamp}):
        newest |= {source.key(record): record for record in records}
    rows = source.table([record for key, record in newest.items() if key in reading.announced])
    return ExtractRead(rows, reading.announced, source.shape.types, (source.shape.leg,))


def _boxed_record(shape: Shape) -> type[Any]:
    """The type that decodes a record of this shape; an unknown field is skipped, an `error` beside a value is refused."""
    plain = [_boxed_field(at, one) for at, one in enumerate(shape.fields)]
    below = []
    for at, (name, fields) in enumerate(shape.rows.items()):
        row = msgspec.defstruct(
            "Row", [_boxed_field(number, one) for number, one in enumerate(fields)], bases=(wire.Record,)
        )
        below.append((f"d{at}", list[row] | row | None, msgspec.field(default=None, name=name)))  # type: ignore[valid-type]
    return msgspec.defstruct("Record", [*plain, *below], bases=(wire.Record,))


def _boxed_field(at: int, one: Field) -> tuple[str, Any, Any]:
    return f"f{at}", one.kind.boxed, msgspec.field(default=one.kind.boxed(), name=one.name)
