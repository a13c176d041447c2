"""The read-only methods of a business object: GetRows, GetList, GetByID and by SysRowID, by GET or by POST.

Answers carry the dataset in `returnObj` and by-reference values in `parameters`; `morePages` is spelt in the plural by every schema [S SNO].
The first page is 0 for one client and 1 for another, so both are the first here [C NPM, KDV]. Reference: epicor 1.1, 2.3, 6.1.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from mlc_pipelines.sandbox.epicor import schema, where, wire
from mlc_pipelines.sandbox.epicor.errors import RefusalError, bad_address, no_record
from mlc_pipelines.sandbox.epicor.reading import Call, Reading
from mlc_pipelines.sandbox.epicor.schema import EntitySet
from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]
METHODS = ("GetRows", "GetList", "GetByID", "GetBySysRowID", "GetBySysRowIDs")
"""Those that may be asked by GET as well [S EPG, SNO]."""


class Methods:
    """The methods of one instance."""

    def __init__(self, site: Kinetic, reading: Reading) -> None:
        """They share the reads of the entity sets."""
        self._site = site
        self._reading = reading

    def call(self, call: Call, method: str, given: Mapping[str, Any]) -> bytes:
        """The answer to a method; parameter names are case-exact. Raises 404 for a method that there is not, or for no record."""
        match method:
            case "GetRows":
                rows, more = self._page(self._found(call, given), given)
                return wire.encoded({"returnObj": self._dataset(call, rows, given), "parameters": {"morePages": more}})
            case "GetList":
                rows, more = self._page(
                    self._matching(call, call.service.top, _clause(given.get("whereClause"))), given
                )
                shown = {f"{call.service.top.table}List": self._shown(call.service.top, rows), "ExtensionTables": []}
                return wire.encoded({"returnObj": shown, "parameters": {"morePages": more}})
            case "GetByID":
                return wire.encoded(
                    {"returnObj": self._dataset(call, [self._by_id(call, given)], {}), "parameters": {}}
                )
            case "GetBySysRowID":
                return self._by_row_ids(call, [given.get("id", "")])
            case "GetBySysRowIDs":
                ids = given.get("ids", "")
                return self._by_row_ids(call, ids.split(",") if isinstance(ids, str) else ids)
        raise bad_address(method)

    def list_view(self, call: Call, query: Mapping[str, str]) -> bytes:
        """`/List`, which runs GetList and takes the `$` options [S SNO]."""
        return self._reading.listed(call, call.service.top.name, query)

    def reader_list(self, call: Call, given: Mapping[str, Any]) -> bytes:
        """Ice.Lib.BOReaderSvc/GetList over another service; the shape of its answer is ours [I]."""
        rows = self._matching(call, call.service.top, _clause(given.get("whereClause")))
        columns = given.get("columnList") or []
        names = columns.split(",") if isinstance(columns, str) else list(columns)
        for name in names:
            self._site.shelf.columns(call.service.top.table).require(name)
        return wire.encoded(
            {"returnObj": {f"{call.service.top.table}List": self._shown(call.service.top, rows, names)}}
        )

    # -- finding ------------------------------------------------------------------------------------------------------

    def _found(self, call: Call, given: Mapping[str, Any]) -> Sequence[Row]:
        top = call.service.top
        return self._matching(call, top, _clause(given.get(f"whereClause{top.table}")))

    def _matching(self, call: Call, one: EntitySet, clause: str) -> Sequence[Row]:
        rows = self._site.shelf.rows(one.table, call.company)
        if not clause:
            return rows
        test = self._site.shelf.parsed(clause, self._site.shelf.columns(one.table), loose=True).test
        return [row for row in rows if test(row)]

    def _page(self, rows: Sequence[Row], given: Mapping[str, Any]) -> tuple[Sequence[Row], bool]:
        size, page = (int(given.get(name) or 0) for name in ("pageSize", "absolutePage"))
        size = size or len(rows)
        begun = (max(page, 1) - 1) * size
        return rows[begun : begun + size], begun + size < len(rows)

    def _by_id(self, call: Call, given: Mapping[str, Any]) -> Row:
        """The document of a key: parameters are its columns with a small first letter, the company left out [S SNO: vendorNum, groupID]."""
        table = schema.tables()[call.service.top.table]
        values = {}
        for key in self._site.shelf.keys(table.name):
            name = parameter(key)
            if key not in ("Company", "Company1") and name not in given:
                raise RefusalError(400, f"Parameter {name} is not found in the input object")
            values[key] = call.company if key in ("Company", "Company1") else given[name]
        quoted = ",".join(f"{key}='{str(value).replace(chr(39), chr(39) * 2)}'" for key, value in values.items())
        return self._reading.row(call, call.service.top.name, quoted)

    def _by_row_ids(self, call: Call, ids: Sequence[Any]) -> bytes:
        table = call.service.top.table
        wanted = {str(one).strip().lower() for one in ids}
        rows = [row for row in self._site.shelf.rows(table, call.company) if row["SysRowID"].lower() in wanted]
        if not rows:
            raise no_record()
        return wire.encoded({"returnObj": self._dataset(call, rows, {}), "parameters": {}})

    # -- datasets -----------------------------------------------------------------------------------------------------

    def _dataset(self, call: Call, rows: Sequence[Row], given: Mapping[str, Any]) -> dict[str, Any]:
        """Documents with all that hangs below them, one list per table. A child's where-clause picks among the children."""
        found: dict[str, list[dict[str, Any]]] = {}
        below: dict[str, Sequence[Row]] = {call.service.top.name: rows}
        for one in call.service.sets.values():
            if one.parent is not None:
                parent = call.service.sets[one.parent]
                hung = [row for above in below[parent.name] for row in self._reading.children(parent, one, above)]
                clause = _clause(given.get(f"whereClause{one.table}"))
                if clause:
                    test = self._site.shelf.parsed(clause, self._site.shelf.columns(one.table), loose=True).test
                    hung = [row for row in hung if test(row)]
                below[one.name] = hung
        for table, sets in groupby(call.service.sets.values(), key=lambda one: one.table):
            found.setdefault(table, []).extend(row for one in sets for row in self._shown(one, below[one.name]))
        return {**found, "ExtensionTables": []}

    def _shown(self, one: EntitySet, rows: Sequence[Row], names: Sequence[str] = ()) -> list[dict[str, Any]]:
        columns = self._site.shelf.columns(one.table)
        return wire.shown(self._site, columns, list(names) or list(columns.sources), rows)


def parameter(column: str) -> str:
    """BookID -> bookID, PONum -> poNum, COACode -> coaCode: how methods name a key column; the run of capitals is ours [I]."""
    capitals = len(column) - len(column.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    head = 1 if capitals <= 1 or capitals == len(column) else capitals - 1
    return column[:head].lower() + column[head:]


def _clause(said: Any) -> str:
    return where.from_where(said) if isinstance(said, str) and said.strip() else ""
