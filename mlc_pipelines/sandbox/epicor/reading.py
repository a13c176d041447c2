"""Reads of entity sets: lists, one row by its key, children below a parent, and children read by themselves.

A child set read by itself is a trap measured on live servers: a filter sees the children of the first `$skip + $top` parents only, and `$orderby`
by anything but SysRowID is a 500 [C SUG]. Which other filters fail is not told: here those with text functions [I]. Reference: epicor 2.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from mlc_pipelines.sandbox.epicor import options, schema, wire
from mlc_pipelines.sandbox.epicor.errors import bad_address, bad_query, hidden_failure, no_record
from mlc_pipelines.sandbox.epicor.options import Expand, Options
from mlc_pipelines.sandbox.epicor.picked import Picked
from mlc_pipelines.sandbox.epicor.schema import EntitySet, Service
from mlc_pipelines.sandbox.epicor.shelf import reader
from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]
HEADER_EXPENSES = "APIHAPInvExps"


@dataclass(frozen=True, slots=True)
class Call:
    """Where a read goes: the service, the company of the path, and the address below which the sets are."""

    service: Service
    company: str
    address: str


class Reading:
    """The reads of one instance."""

    def __init__(self, site: Kinetic) -> None:
        """Nothing has been read so far."""
        self._site = site
        self._pages: Counter[str] = Counter()

    # -- lists --------------------------------------------------------------------------------------------------------

    def listed(self, call: Call, name: str, query: Mapping[str, str]) -> bytes:
        """The answer to GET of a set. Raises what options that cannot be read deserve."""
        wanted, one = options.read(query), self._set(call, name)
        rows = self._child_rows(call, one, wanted) if one.parent else self._top_rows(call, one, wanted)
        return self._answer(call, one, rows, wanted, query)

    def _top_rows(self, call: Call, one: EntitySet, wanted: Options) -> Picked:
        company = None if one.name in self._site.switches["foreign_rows"] else call.company
        asked = "" if one.name in self._site.switches["ignore_filter"] else wanted.filter
        return self._site.shelf.selected(one.table, company, asked, wanted.orderby)

    def _child_rows(self, call: Call, one: EntitySet, wanted: Options) -> Picked:
        """The window of parents, their children, and only then the filter."""
        shelf = self._site.shelf
        columns = shelf.columns(one.table)
        order = options.ordering(wanted.orderby, columns)
        if any(name != "SysRowID" for name, _ in order):
            raise hidden_failure()
        found = shelf.parsed(wanted.filter, columns) if wanted.filter else None
        if found is not None and found.functions:
            raise hidden_failure()
        below = self._below(call, one, wanted, windowed=found is not None and not found.names <= {"Company"})
        return Picked(below, shelf.places(below, columns, found.test if found else None, order))

    def _below(self, call: Call, one: EntitySet, wanted: Options, *, windowed: bool) -> Sequence[Row]:
        """The rows of a child set in the order of their topmost parents, perhaps of the first of those only."""
        line = [one]
        while line[0].parent:
            line.insert(0, call.service.sets[line[0].parent])
        rows: Sequence[Row] = self._site.shelf.rows(line[0].table, call.company)
        if windowed:
            top = self._site.switches["default_rows"] if wanted.top is None else wanted.top
            rows = rows[: wanted.skip + top]
        for parent, child in pairwise(line):
            rows = [below for row in rows for below in self.children(parent, child, row)]
        return rows

    def children(self, parent: EntitySet, child: EntitySet, row: Row) -> Sequence[Row]:
        """The rows of a child set that hang below one row."""
        shelf = self._site.shelf
        keys = shelf.keys(parent.table)
        columns = shelf.columns(child.table)
        own = tuple(_like(key, columns.sources) for key in keys)
        found = shelf.children(child.table, own).get(reader(shelf.columns(parent.table), keys)(row), [])
        if child.table == "APInvExp":
            of_header = child.name == HEADER_EXPENSES
            return [one for one in found if (not one.get("InvoiceLine")) == of_header]
        return found

    def _answer(self, call: Call, one: EntitySet, rows: Picked, wanted: Options, query: Mapping[str, str]) -> bytes:
        names = options.selected(wanted.select, self._site.shelf.columns(one.table))
        rows = self.mishandled(one.name, rows)
        page, tail = self.page(one.name, one.table, rows, wanted)
        value = self._expanded(call, one, page, names, wanted.expand)
        chosen = f"({wanted.select})" if wanted.select else ""
        answer = {"@odata.context": f"{call.address}/$metadata#{one.name}{chosen}", **tail, "value": value}
        return wire.encoded(answer | self._next(f"{call.address}/{one.name}", query, wanted, len(page), len(rows)))

    def mishandled(self, name: str, rows: Picked) -> Picked:
        """The rows of a set or BAQ, its last ones missing or standing twice by switch."""
        drop, repeat = (self._site.switches[switch].get(name, 0) for switch in ("drop_rows", "repeat_rows"))
        if not drop and not repeat:
            return rows
        places = list(rows.places)[: max(0, len(rows) - drop)]
        twice = max(0, len(places) - repeat)
        return rows.at([*places[:twice], *(place for place in places[twice:] for _ in range(2))])

    def page(self, name: str, table: str, rows: Picked, wanted: Options) -> tuple[list[Row], dict[str, Any]]:
        """The page asked for, and what is told of the whole. Without `$top` it is 100 rows, silently [S EPG, KLB]."""
        switches = self._site.switches
        rows = rows if wanted.orderby else self._site.ordered(rows)
        top = switches["default_rows"] if wanted.top is None else wanted.top
        top = min(top, switches["page_max"] or top)
        stop = wanted.skip + top
        if switches["page_short"] and wanted.top is not None and wanted.top > 1:
            self._pages[name] += 1
            if self._pages[name] == 2 and stop < len(rows):
                stop = max(wanted.skip, stop - switches["page_short"])
        page = rows.between(wanted.skip, stop)
        self._site.meddling.happen(table, page)
        return page, {"@odata.count": max(0, len(rows) + switches["count_off"])} if wanted.count else {}

    def _next(self, address: str, query: Mapping[str, str], wanted: Options, shown: int, total: int) -> dict[str, str]:
        kind, begun = self._site.switches["nextlink"], wanted.skip
        asked = total if wanted.top is None else wanted.skip + wanted.top
        if kind == "none" or begun + shown >= min(total, asked):
            return {}
        rest = {} if wanted.top is None else {"$top": str(wanted.top - shown)}
        further = {**query, **rest, "$skip": str(begun if kind == "loops" else begun + shown)}
        if kind == "other host":
            address = "https://elsewhere.example" + address[address.find("/", len("https://")) :]
        said = "&".join(f"{name}={quote(value, safe='')}" for name, value in further.items())
        return {"@odata.nextLink": f"{address}?{said}"}

    # -- one row, and what hangs below it -----------------------------------------------------------------------------

    def single(self, call: Call, name: str, keys: str, query: Mapping[str, str]) -> bytes:
        """One row by its key. Raises 404, by type, for a key that nobody has or that is none of this set."""
        wanted, one, row = options.read(query), self._set(call, name), self.row(call, name, keys)
        names = options.selected(wanted.select, self._site.shelf.columns(one.table))
        [shown] = self._expanded(call, one, [row], names, wanted.expand)
        return wire.encoded({"@odata.context": f"{call.address}/$metadata#{name}/$entity", **shown})

    def below(self, call: Call, name: str, keys: str, child: str, query: Mapping[str, str]) -> bytes:
        """The children of one row."""
        wanted, one, below = options.read(query), self._set(call, name), self._child(call, name, child)
        rows = self.children(one, below, self.row(call, name, keys))
        shelf = self._site.shelf
        columns = shelf.columns(below.table)
        test = shelf.parsed(wanted.filter, columns).test if wanted.filter else None
        places = shelf.places(rows, columns, test, options.ordering(wanted.orderby, columns))
        return self._answer(call, below, Picked(rows, places), wanted, query)

    def row(self, call: Call, name: str, keys: str) -> Row:
        """The row that a key names."""
        table = schema.tables()[self._set(call, name).table]
        names = self._site.shelf.keys(table.name)
        given = options.keys_of(keys, names)
        if given is None:
            raise bad_address(f"{name}({keys})")
        columns = self._site.shelf.columns(table.name)
        read, asked = reader(columns, names), _texts([given[key] for key in names])
        where = {key: _typed(given[key], table.columns[key]) for key in names}
        rows = self._site.shelf.rows(table.name, call.company, where)
        found = next((row for row in rows if _texts(read(row)) == asked), None)
        if found is None:
            raise no_record()
        return found

    # -- expanding ----------------------------------------------------------------------------------------------------

    def _expanded(
        self, call: Call, one: EntitySet, rows: Sequence[Row], names: Sequence[str], expand: Sequence[Expand]
    ) -> list[dict[str, Any]]:
        columns = self._site.shelf.columns(one.table)
        value = wire.shown(self._site, columns, names, rows)
        most = self._site.switches["expand_max"]
        for wish in expand:
            child = self._child(call, one.name, wish.name)
            chosen = options.selected(wish.select, self._site.shelf.columns(child.table))
            for row, shown in zip(rows, value, strict=True):
                found = self.children(one, child, row)
                shown[child.name] = self._expanded(call, child, found[: most or None], chosen, wish.expand)
                if most and len(found) > most:
                    shown[f"{child.name}@odata.nextLink"] = f"{call.address}/{child.name}?$skip={most}"
        return value

    def _child(self, call: Call, name: str, child: str) -> EntitySet:
        found = call.service.children(name).get(child)
        if found is None:
            raise bad_query(f"Could not find a property named '{child}' on type 'Erp.{self._set(call, name).table}'.")
        return found

    def _set(self, call: Call, name: str) -> EntitySet:
        if name not in call.service.sets:
            raise bad_address(name)
        return call.service.sets[name]


def _like(key: str, sources: Mapping[str, Any]) -> str:
    """A key column as the child has it: PONum is PONUM there [S SNO, KERI]."""
    return key if key in sources else next(name for name in sources if name.casefold() == key.casefold())


def _typed(text: str, letter: str) -> Any:
    return int(text) if letter in "il" and text.isdecimal() else text


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(value).casefold() for value in values)
