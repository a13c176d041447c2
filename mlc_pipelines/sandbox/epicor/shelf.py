"""The tables as they can be seen just now: rows of one company, filtered and sorted, kept as long as nothing changes.

Bulk reads come page by page with the same question, so which rows a question picks is kept until the books or the switches change.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mlc_pipelines.sandbox.epicor import filters, options, schema, standing
from mlc_pipelines.sandbox.epicor.columns import Columns
from mlc_pipelines.sandbox.epicor.comparing import Filter, Test
from mlc_pipelines.sandbox.epicor.picked import Picked

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]
Worked = TypeVar("Worked")
KEPT_MOST = 64
AT_ONCE = 1000

LOOKED_UP = {
    *("Company", "Company1", "BookID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod", "JournalCode", "JournalNum"),
    *("FiscalCalendarID", "Posted", "SourceModule", "GroupID", "VendorNum", "InvoiceNum"),
}
"""Columns by which the books find rows without looking at all of them."""


class Shelf:
    """What one instance has worked out of its books."""

    def __init__(self, site: "Kinetic") -> None:
        """Start with nothing."""
        self._site = site
        self._lock = threading.RLock()
        self._state: Hashable = None
        self._kept: dict[Hashable, Any] = {}

    def keep(self, key: Hashable, work: Callable[[], Worked]) -> Worked:
        """What the work gives, done once as long as neither books nor switches change."""
        with self._lock:
            if self._state != self._site.state:
                self._kept.clear()
                self._state = self._site.state
            if key not in self._kept:
                worked = work()
                if len(self._kept) >= KEPT_MOST:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = worked
            found: Worked = self._kept[key]
            return found

    def rows(self, table: str, company: str | None = None, where: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """The rows of a table that can be seen now: of one company or of all, and only those with these values, as far as the books can look up.

        The caller tests them all the same: what the books cannot look up is left out of `where` here.
        """
        asked = looked_up(table, company, where or {})
        return self.keep(("rows", table, frozenset(asked.items())), lambda: standing.visible(self._site, table, asked))

    def columns(self, table: str) -> Columns:
        """The columns that may be named, those that only the books know included, the removed ones left out."""
        return self.keep(("columns", table), lambda: self._columns(table))

    def _columns(self, table: str) -> Columns:
        described = schema.tables()[table]
        rows = self.rows(table)
        sample = rows[0] if rows else {}
        removed = {one.partition("/")[2] for one in self._site.switches["removed"] if one.startswith(f"{table}/")}
        if table in standing.BUDGETS and not self._site.switches["budget_codes"]:
            removed.add(standing.BUDGET_CODE)
        found = {name: (name, letter) for name, letter in described.columns.items() if name not in removed}
        unknown = [name for name in sample if name not in described.columns and name not in removed]
        return Columns(described.kind, found | {name: (name, schema.letter_of(sample[name])) for name in unknown})

    def keys(self, table: str) -> tuple[str, ...]:
        """The key columns of a table in this release."""
        return self.keep(("keys", table), lambda: self._keys(table))

    def _keys(self, table: str) -> tuple[str, ...]:
        columns = self.columns(table).sources
        return tuple(name for name in schema.tables()[table].keys if name in columns)

    def selected(self, table: str, company: str | None, filter_: str, orderby: str) -> Picked:
        """The rows that a filter leaves, in the order asked for. Raises the 400s and the 500 of options that cannot be read."""
        return self.keep(
            ("selected", table, company, filter_, orderby), lambda: self._select(table, company, filter_, orderby)
        )

    def _select(self, table: str, company: str | None, filter_: str, orderby: str) -> Picked:
        columns = self.columns(table)
        order = options.ordering(orderby, columns)
        if not filter_:
            rows = self.rows(table, company)
            return Picked(rows, self.places(rows, columns, None, order))
        found = self.parsed(filter_, columns)
        rows = self.rows(table, company, found.equal)
        asked = looked_up(table, company, found.equal)
        if self._site.meddling.lies_over(table):
            return Picked(rows, self.places(rows, columns, found.test, order))
        if not _by_revision(table, rows):
            return Picked(rows, self.places(rows, columns, found.beyond(asked), order))
        start, test = _first_above(rows, found.above("SysRevID")), found.beyond(asked, above="SysRevID")
        if order not in ([("SysRevID", False)], [("SysRevID", True)]):
            return Picked(rows, self.places(rows, columns, test, order, start))
        places = self.places(rows, columns, test, (), start)  # they stand like that: nothing is made to be sorted
        return Picked(rows, places[::-1] if order[0][1] else places)

    def parsed(self, text: str, columns: Columns, *, loose: bool = False) -> Filter:
        """A filter as this instance's collation reads it; `loose` for where-clauses."""
        return filters.parse(text, columns, ignore_case=self._site.switches["ignore_case"], loose=loose)

    def places(
        self,
        rows: Sequence[Row],
        columns: Columns,
        test: Test | None,
        order: Sequence[tuple[str, bool]],
        start: int = 0,
    ) -> Sequence[int]:
        """Where the rows stand that pass the test, in this order: by several columns, empty values before all others."""
        fold = self._site.switches["ignore_case"]
        keys = [_sortable(*columns.require(name), fold=fold) for name, _ in order]
        if test is None and not keys:
            return range(start, len(rows))
        found = [
            (place, [key(row) for key in keys])
            for place, row in enumerate(_from(rows, start), start)
            if test is None or test(row)
        ]
        for at, (_, downwards) in reversed(list(enumerate(order))):
            found.sort(key=lambda one, at=at: one[1][at], reverse=downwards)  # type: ignore[misc]
        return [place for place, _ in found]

    def children(self, table: str, keys: tuple[str, ...]) -> Mapping[tuple[Any, ...], list[Row]]:
        """The rows of a table by the values of these columns, for hanging them below their parents."""
        return self.keep(("children", table, keys), lambda: self._children(table, keys))

    def _children(self, table: str, keys: tuple[str, ...]) -> Mapping[tuple[Any, ...], list[Row]]:
        read = reader(self.columns(table), keys)
        found: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows(table):
            found.setdefault(read(row), []).append(row)
        return found


def looked_up(table: str, company: str | None, where: Mapping[str, Any]) -> dict[str, Any]:
    """What the books look up by themselves: values of columns that they know, where no other spelling of the code could be meant."""
    described, key = schema.tables()[table].columns, schema.company_of(table)
    asked = {
        name: value
        for name, value in where.items()
        if name in LOOKED_UP and name in described and not (isinstance(value, str) and value != value.upper())
    }
    if table != "GLJrnDtl":  # people name the groups they enter, in whatever spelling
        asked.pop("GroupID", None)
    return asked | ({key: company} if company is not None and key else {})


def _from(rows: Sequence[Row], start: int) -> Iterator[Row]:
    """The rows from one on, not all of them made at once."""
    if not start:
        yield from rows
        return
    for at in range(start, len(rows), AT_ONCE):
        yield from rows[at : at + AT_ONCE]


def _by_revision(table: str, rows: Sequence[Row]) -> bool:
    """Whether the rows stand by rising row versions: journal lines do in the books, unless something lies over them."""
    return table == "GLJrnDtl" and not isinstance(rows, list)


def _first_above(rows: Sequence[Row], rev: int | None) -> int:
    """From where on the row versions are higher."""
    if rev is None:
        return 0
    return bisect_right(range(len(rows)), rev, key=lambda place: rows[place]["SysRevID"])


def reader(columns: Columns, names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    """What reads the values of these columns from a row."""
    spots = [(columns.require(name)[0], schema.EMPTY[columns.require(name)[1]]) for name in names]
    return lambda row: tuple([row.get(source, default) for source, default in spots])


def _sortable(source: str, letter: str, *, fold: bool) -> Callable[[Row], Any]:
    default = schema.EMPTY[letter]
    if letter == "s" and fold:
        return lambda row: (row.get(source) or "").casefold()
    if letter == "t":
        return lambda row: (row.get(source) is not None, str(row.get(source)))
    return lambda row: row.get(source, default)
