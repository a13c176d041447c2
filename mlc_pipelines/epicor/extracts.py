"""Any entity set, or any query, as a table: columns as they are published, each record once, and only what changed where rows carry a version.

An entity set is listed first, by key and row version; then what is not held in that version is read; then it is listed again: only when two
lists agree is the reading whole. A query is read whole, for its filter is applied to the finished result anyway [S EPG].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import field

from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.metadata import Kind
from mlc_pipelines.epicor.odata import REVISION, Feed, any_of, both, moment, pages, text
from mlc_pipelines.epicor.shapes import Shape, shape_of
from mlc_pipelines.ledger.control import compare
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError
from mlc_pipelines.ledger.extracts import ANNOUNCED_CAME, EACH_KEY_ONCE, ExtractRead, ExtractRule, Stamps, frame_of_keys
from mlc_pipelines.ledger.fiscal import FiscalPeriod

Key = tuple[str | int, ...]

_ROUNDS = 3
_NAMED = 5
_FEW = 500
_COMPANY = "Company"
_PERIOD, _YEAR, _SUFFIX = "FiscalPeriod", "FiscalYear", "FiscalYearSuffix"


def read_entity(site: Connection, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
    """Records of an entity set, "Erp.BO.VendorSvc/Vendors". Raises SetupError when it is not there; errors else as `_Records.read`."""
    service, _, name = rule.entity.partition("/")
    if not name or "/" in name:
        raise _wrong(rule, f"entity is {rule.entity!r}; write it like Erp.BO.VendorSvc/Vendors")
    published = site.published(service)
    kind = published.rows_of(name)
    if kind is None:
        there = ", ".join(sorted(published.sets)) or "none"
        raise _wrong(rule, f"{service} has no entity set {name}; it has {there}")
    versions = REVISION if REVISION in kind.columns else ""
    if rule.modified not in {"", REVISION}:
        raise _wrong(rule, f"modified is {rule.modified}; what tells every change of a row is {REVISION}")
    more = [*_by(rule, kind), *filter(None, [versions, _COMPANY])]
    shape = shape_of(rule, published, kind, more, f"{rule.entity} of {site.config.system}")
    called = {_COMPANY: "company", **({versions: "revision"} if versions else {})}
    records = _Records(site, rule, replace(shape, called=called), _by(rule, kind), period, rule.entity, versions)
    return records.read(held) if versions else records.read_whole(held)


def read_query(site: Connection, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
    """Rows of a query, all of them; those held in their present version are left out. Errors as `_Records.read_whole`."""
    name = quote(rule.inquiry, safe="")
    published = site.published(f"BaqSvc/{name}")
    kind = max(published.kinds.values(), key=lambda one: len(one.columns))
    company = next((one for one in kind.columns if one == _COMPANY or one.endswith(f"_{_COMPANY}")), "")
    more = [*_by(rule, kind), *filter(None, [company])]
    shape = shape_of(rule, published, kind, more, f"Query {rule.inquiry} of {site.config.system}")
    called = {company: "company"} if company else {}
    records = _Records(site, rule, replace(shape, called=called), _by(rule, kind), period, f"BaqSvc/{name}/Data", "")
    return records.read_whole(held)


def _by(rule: ExtractRule, kind: Kind) -> list[str]:
    """The columns that say in which period a record stands: period, year and suffix of one table, or a date."""
    if not rule.by_period:
        return []
    if not rule.by_period.endswith(_PERIOD):
        if kind.columns.get(rule.by_period, "Edm.Date") not in {"Edm.Date", "Edm.DateTimeOffset", "Edm.DateTime"}:
            raise _wrong(rule, f"by_period {rule.by_period} is neither a date nor a {_PERIOD}")
        return [rule.by_period]
    table = rule.by_period.removesuffix(_PERIOD)
    return [rule.by_period, table + _YEAR, *([table + _SUFFIX] if table + _SUFFIX in kind.columns else [])]


@dataclass
class _Records:
    """Records of one extract. by: the columns that name the period."""

    site: Connection
    rule: ExtractRule
    shape: Shape
    by: Sequence[str]
    period: FiscalPeriod | None
    path: str
    revision: str

    @property
    def scope(self) -> str:
        return f"extract {self.rule.name}" + (f" {self.period.key}" if self.period else "")

    def read(self, held: Stamps) -> ExtractRead:
        """What is not held in its present version.

        Raises DataError naming records that do not come although they are in the list, TransientError when they never rest.
        """
        kept: dict[Key, Any] = {}
        held = held if self.rule.modified else {}
        for _ in range(_ROUNDS):
            announced = self._listed()
            wanted = {key: number for key, number in announced.items() if held.get(key) != str(number)}
            missing = {key: number for key, number in wanted.items() if key not in kept or kept[key].revision != number}
            if not missing:
                return self._told([kept[key] for key in wanted], announced)
            kept |= {self.key(record): record for record in self._wanted(missing, len(announced))}
        if lacking := [key for key in missing if key not in kept]:
            raise self._broken("are in the list but did not come", lacking, times=0)
        raise TransientError(
            f"The {self.scope} was still being changed after {_ROUNDS} readings.",
            holds="Nothing was kept.",
            next_step="Read it again later.",
        )

    def read_whole(self, held: Stamps) -> ExtractRead:
        """All records, read once; those held in their present version are left out. Raises DataError naming keys that stand twice."""
        records: list[Any] = []
        announced: dict[Key, int | None] = {}
        twice: list[Key] = []
        try:
            for record in self._records(self._feed(self.shape)):
                key = self.key(record)
                number = self.shape.value(record, self.rule.modified) if self.rule.modified else None
                twice += [key] if key in announced else []
                announced[key] = number
                if number is None or held.get(key) != str(number):
                    records.append(record)
        except DataError:
            if not twice:  # rows of one key have no order, so pages of them cannot be told apart either
                raise
        if twice:
            raise self._broken("came twice", twice, times=2)
        return self._told(records, announced)

    def key(self, record: Any) -> Key:
        key = tuple(self.shape.value(record, name) for name in self.rule.keys)
        if None in key:
            raise self._odd(f"A record of {self.rule.source} came without its key {', '.join(self.rule.keys)}")
        return key

    def _told(self, records: Sequence[Any], announced: Mapping[Key, int | None]) -> ExtractRead:
        def where(row: int) -> str:
            return f"{self.scope}, {' '.join(map(str, self.key(records[row])))}"

        stamped = bool(self.rule.modified)
        stamps = {key: str(number) if stamped and number is not None else "" for key, number in announced.items()}
        return ExtractRead(self.shape.table(records, where), stamps, self.shape.types, (self.shape.leg,))

    def _listed(self) -> dict[Key, int]:
        """Key and version of each record; one that is written meanwhile counts as it is now."""
        names = dict.fromkeys([*self.rule.keys, *self.by, *self.shape.called])
        shape = replace(self.shape, columns=tuple(map(self.shape.column, names)), below={})
        listing = replace(self, shape=shape)
        return {listing.key(one): one.revision for one in listing._records(replace(listing._feed(shape), page=0))}

    def _wanted(self, missing: Mapping[Key, int], of: int) -> Iterator[Any]:
        """Whole records: a few by their versions, many by reading on from the lowest."""
        feed, numbers = self._feed(self.shape), sorted(missing.values())
        few = len(numbers) <= _FEW and len(numbers) * 2 < of
        conditions = any_of(self.revision, numbers) if few else iter([f"{self.revision} ge {numbers[0]}"])
        for condition in conditions:
            yield from (one for one in self._records(feed.narrowed(condition)) if self.key(one) in missing)

    def _records(self, feed: Feed[Any]) -> Iterator[Any]:
        for page in pages(self.site, feed):
            for record in page:
                self._require_of_period(record)
                yield record

    def _require_of_period(self, record: Any) -> None:
        if self.period is None:
            return
        said = [self.shape.value(record, name) for name in self.by]
        if len(self.by) == 1:
            fits = self.period.start_on.isoformat() <= str(said[0])[:10] <= self.period.end_on.isoformat()
        else:
            fits = [said[0], said[1], *(one or "" for one in said[2:])] == [
                self.period.number,
                self.period.year,
                self.period.suffix,
            ][: len(said)]
        if not fits:
            raise self._odd(
                f"{self._some([self.key(record)])}: {', '.join(self.by)} are {said}, asked for was {self.period.key}"
            )

    def _feed(self, shape: Shape) -> Feed[Any]:
        below = [f"{name}($select={','.join(one.name for one in columns)})" for name, columns in shape.below.items()]
        options = self._parameters() if self.rule.inquiry else {"$expand": ",".join(below)}
        chosen = bool(self.rule.select) or not self.rule.inquiry
        return Feed(
            what=self.scope[0].upper() + self.scope[1:],
            path=self.path,
            row=self._row(shape),
            key=self.rule.keys,
            where=both(f"({self.rule.filter})" if self.rule.filter else "", self._of_period()),
            revision=self.revision,
            select=tuple(one.name for one in shape.columns) if chosen else (),
            options=options,
            page=self.rule.page,
        )

    def _row(self, shape: Shape) -> type[Any]:
        """A record; one of a query without a company of its own is taken to be of the company that was asked for."""
        if "company" in shape.called.values():
            return shape.row()
        own: list[Any] = [("company", str, field(default=self.site.config.company))]
        return msgspec.defstruct("Record", own, bases=(shape.row(),), kw_only=True)

    def _of_period(self) -> str:
        """The condition for records of the period. A query may have it in its parameters as well."""
        if self.period is None:
            return ""
        if len(self.by) == 1:
            begins, ends = self.period.start_on, self.period.end_on + timedelta(days=1)
            return both(f"{self.by[0]} ge {moment(begins)}", f"{self.by[0]} lt {moment(ends)}")
        values = (str(self.period.number), str(self.period.year), text(self.period.suffix))
        return both(*(f"{name} eq {value}" for name, value in zip(self.by, values, strict=False)))

    def _parameters(self) -> dict[str, str]:
        """The declared parameters, in which {company} and the parts of the period stand for themselves."""
        known: dict[str, object] = {"{company}": self.site.config.company, "{book}": self.site.config.book}
        if self.period:
            known |= {"{year}": self.period.year, "{suffix}": self.period.suffix, "{period}": self.period.number}
            known |= {"{from}": self.period.start_on, "{to}": self.period.end_on}
        said = dict(self.rule.parameters)
        for name, value in known.items():
            said = {parameter: given.replace(name, str(value)) for parameter, given in said.items()}
        return said

    def _broken(self, complaint: str, keys: Sequence[Key], *, times: int) -> DataError:
        """Records that did not come exactly once, with the leg that shows it on the screen."""
        error = self._odd(f"{self._some(keys)} {complaint}")
        once, came = (frame_of_keys([(" ".join(map(str, key)),) for key in keys], ["key"], n) for n in (1, times))
        name, left = (EACH_KEY_ONCE, "keys") if times > 1 else (ANNOUNCED_CAME, "announced")
        leg = compare(name, self.scope, (left, once), ("came", came), keys=["key"], unit="rows")
        error.leg, error.legs = name, (leg,)
        return error

    def _some(self, keys: Sequence[Key]) -> str:
        named = [" ".join(map(str, key)) for key in keys[:_NAMED]]
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        return f"{self.rule.source} {', '.join(named)}{more} of {self.scope}"

    def _odd(self, what: str) -> DataError:
        return DataError(
            f"{what}.",
            holds="Nothing was kept.",
            next_step=f"Check `extracts.{self.rule.name}` in the connection file (its keys above all) with the Kinetic administrator.",
        )


def _wrong(rule: ExtractRule, complaint: str) -> SetupError:
    return SetupError(
        f"Extract {rule.name} cannot be read: {complaint}.",
        holds="Nothing was read.",
        next_step=f"Correct `extracts.{rule.name}` in the connection file.",
    )
