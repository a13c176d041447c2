"""Running a query: its parameters, its joins, the options on its finished result, and what it tells of its columns. Reference: epicor 3."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlc_pipelines.sandbox.epicor import metadata, options, schema, wire
from mlc_pipelines.sandbox.epicor.baqs import BAQS, Baq
from mlc_pipelines.sandbox.epicor.columns import Columns, column_reader
from mlc_pipelines.sandbox.epicor.comparing import COMPARE
from mlc_pipelines.sandbox.epicor.errors import RefusalError, bad_address, bad_query, denied
from mlc_pipelines.sandbox.epicor.options import Options
from mlc_pipelines.sandbox.epicor.picked import Picked
from mlc_pipelines.sandbox.epicor.reading import Reading
from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]
Given = Sequence[tuple[str, str]]
Condition = tuple[tuple[str, str, str], list[Any]]
"""Table, column and comparison, and the values of which one must do."""


CONSTANTS = {"CurrentCompany", "CurrentUserID", "UserID", "PlantID", "CurrentPlant", "Today", "CurrentLanguage"}
ROW_IDENT = "RowIdent"


class Queries:
    """The queries of one instance."""

    def __init__(self, site: Kinetic, reading: Reading) -> None:
        """They page and misbehave as entity sets do."""
        self._site = site
        self._reading = reading

    def data(self, name: str, query: Given, address: str) -> bytes:
        """The rows of a query. Raises 404, the denial of one not shared, the time-out by switch, and 400s for options that cannot be read."""
        baq, switches = self._found(name), self._site.switches
        if name in switches["baq_timeout"]:
            raise RefusalError(
                switches["baq_timeout_status"], "Execution Timeout Expired.", "Ice.Common.EpicorServerException"
            )
        given = [(key, value) for key, value in query if not key.startswith("$")]
        wanted = options.read(dict(query))
        columns = self._columns(baq)
        rows = self._selected(baq, columns, given, wanted)
        rows = rows.at(rows.places[: switches["baq_max_rows"] or None])
        names = options.selected(wanted.select, columns)
        page, tail = self._reading.page(name, baq.table, self._reading.mishandled(name, rows), wanted)
        value = wire.shown(self._site, columns, names, page)
        return wire.encoded(
            {"@odata.context": f"{address}/$metadata#Epicor.DynamicQuery.{name}", **tail, "value": value}
        )

    def described(self, name: str, *, as_json: bool) -> bytes:
        """$metadata of a query: its columns with their types; that it has one in this form is ours [I]."""
        baq = self._found(name)
        types: metadata.Types = {name: (self._columns(baq), (ROW_IDENT,), {})}
        return (metadata.as_json if as_json else metadata.as_xml)(types, {"Data": name})

    def _found(self, name: str) -> Baq:
        if name not in BAQS or name in self._site.switches["baq_missing"]:
            raise bad_address(name)
        if name in self._site.switches["baq_not_shared"]:
            raise denied(f"BaqSvc.{name}", self._site.switches["denied_status"])
        return BAQS[name]

    def _columns(self, baq: Baq) -> Columns:
        return self._site.shelf.keep(("baq columns", baq.name), lambda: self._described(baq))

    def _described(self, baq: Baq) -> Columns:
        """Table_Field -> (the same, letter), renamed or left out by switch."""
        removed, aliases = self._site.switches["baq_removed"], self._site.switches["baq_aliases"]
        found = {}
        for table, names in baq.columns.items():
            for name in names.split():
                column = f"{table}_{name}"
                if f"{baq.name}/{column}" not in removed:
                    alias = aliases.get(f"{baq.name}/{column}", column)
                    found[alias] = (column, schema.tables()[table].columns[name])
        found[ROW_IDENT] = (ROW_IDENT, "g")
        return Columns(f"Epicor.DynamicQuery.{baq.name}", found)

    # -- running ------------------------------------------------------------------------------------------------------

    def _selected(self, baq: Baq, columns: Columns, given: Given, wanted: Options) -> Picked:
        """The finished result, and only then the filter and the order [S KLB]."""
        key = ("baq", baq.name, tuple(given), wanted.filter, wanted.orderby)
        return self._site.shelf.keep(key, lambda: self._select(baq, columns, given, wanted))

    def _select(self, baq: Baq, columns: Columns, given: Given, wanted: Options) -> Picked:
        shelf = self._site.shelf
        order = options.ordering(wanted.orderby, columns)
        test = shelf.parsed(wanted.filter, columns).test if wanted.filter else None
        if CONSTANTS & {name for name, _ in given}:
            return Picked([])
        conditions = self._conditions(baq, given)
        rows = shelf.rows(baq.table, where=_pushed(baq, conditions))
        run = Run(self._site, baq, conditions)
        places = [place for place, row in enumerate(rows) if run.holds(row)]
        result = Picked(rows, places, run.flat)
        if test is None and not order:
            return result
        return result.at([places[at] for at in shelf.places(list(result), columns, test, order)])

    def _conditions(self, baq: Baq, given: Given) -> list[Condition]:
        """What its author has fixed, and what the parameters ask for; one parameter several times is a list."""
        asked: dict[str, list[Any]] = {}
        for name, text in given:
            if name in baq.parameters:
                table, column, _ = baq.parameters[name]
                asked.setdefault(name, []).append(_value(name, text, schema.tables()[table].columns[column]))
        fixed = [((table, column, "eq"), [value]) for (table, column), value in baq.fixed.items()]
        return fixed + [(baq.parameters[name], values) for name, values in asked.items()]


class Run:
    """One run of a query: which rows of its table it takes, and how it shows them."""

    def __init__(self, site: Kinetic, baq: Baq, conditions: Sequence[Condition]) -> None:
        """Make all look-ups ready."""
        shelf = site.shelf
        self._table = baq.table
        self._joins = []
        for table, by in baq.joins.items():
            owners = [(one.rpartition(".")[0] or baq.table, one.rpartition(".")[2]) for one in by.values()]
            self._joins.append((table, owners, shelf.children(table, tuple(by))))
        self._tests = [
            (table, _condition(shelf.columns(table).require(column), how, values, fold=site.switches["ignore_case"]))
            for (table, column, how), values in conditions
        ]
        self._shown = [
            (table, [(f"{table}_{name}", name) for name in names.split()]) for table, names in baq.columns.items()
        ]

    def holds(self, row: Row) -> bool:
        """Whether a row of the table is in the result. What its table alone can tell is looked at first."""
        if not all(test(row) for table, test in self._tests if table == self._table):
            return False
        others = [(table, test) for table, test in self._tests if table != self._table]
        parts = self._joined(row) if others else {}
        return all(table in parts and test(parts[table]) for table, test in others)

    def flat(self, row: Row) -> Row:
        """A row of the result; columns of a table that has nothing for it stay empty."""
        parts, flat = self._joined(row), {ROW_IDENT: row["SysRowID"]}
        for table, names in self._shown:
            if found := parts.get(table):
                flat |= {name: found[column] for name, column in names}
        return flat

    def _joined(self, row: Row) -> dict[str, Row]:
        """The row with those of the other tables that belong to it."""
        parts = {self._table: row}
        for table, owners, index in self._joins:
            hits = index.get(tuple(parts.get(owner, {}).get(column) for owner, column in owners), ())
            if hits:
                parts[table] = hits[0]
        return parts


def _pushed(baq: Baq, conditions: Sequence[Condition]) -> dict[str, Any]:
    """The conditions that the books themselves can look up."""
    return {
        column: values[0]
        for (table, column, how), values in conditions
        if table == baq.table and how == "eq" and len(values) == 1
    }


def _value(name: str, text: str, letter: str) -> Any:
    """The value of a parameter by the type of its column. Raises a 400 [I]."""
    try:
        if letter in "il":
            return int(text)
        if letter == "t":
            at = datetime.fromisoformat(text)
            return at if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError as error:
        raise bad_query(f"Invalid value '{text}' for parameter {name}.") from error
    return text == "true" if letter == "b" else text


def _condition(spot: tuple[str, str], comparison: str, values: list[Any], *, fold: bool) -> Callable[[Row], bool]:
    read, compare = column_reader(*spot, folded=fold), COMPARE[comparison][1]
    wanted = [value.casefold() if fold and isinstance(value, str) else value for value in values]
    return lambda row: any((found := read(row)) is not None and compare(found, value) for value in wanted)
