"""Datasets as they come and go: arrays of rows by table, each row with the change it stands for in RowMod.

A dataset goes from call to call with all of its columns; nothing is stored before an Update [S EPG; C MCP, GLC1, GLC2]. A row that lacks columns is
refused when it is to be stored [C NPM]; with which words is not told [I]. Reference: epicor 6.1.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.epicor import wire
from mlc_pipelines.sandbox.epicor.errors import BUSINESS, RefusalError
from mlc_pipelines.sandbox.ironvale.tables import TABLES

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = dict[str, Any]
Tables = dict[str, list[Row]]

ADDED, CHANGED, DELETED = "A", "U", "D"
NO_ROW_ID = "00000000-0000-0000-0000-000000000000"


def business(text: str, table: str = "", method: str = "") -> RefusalError:
    """400: a rule of the business was broken [S EPG; C OCA: the shape]."""
    about = {name: value for name, value in (("Table", table), ("Method", method)) if value}
    return RefusalError(400, text, BUSINESS, [{"Message": text, "Type": "Error", **about}])


def parameter(given: Mapping[str, Any], name: str) -> Any:
    """A parameter of a method, its name with case. Raises the 400 for one that was not sent."""
    if name not in given:
        raise RefusalError(400, f"Parameter {name} is not found in the input object")
    return given[name]


def day_of(said: Any, name: str) -> date | None:
    """The day of a date as text, its time of day left out."""
    if said in (None, ""):
        return None
    try:
        return date.fromisoformat(str(said)[:10])
    except ValueError:
        raise RefusalError(400, f"{name}: {said!r} is no date.") from None


def read(site: "Kinetic", tables: Iterable[str], given: Mapping[str, Any]) -> Tables:
    """The rows of `ds` by table, only the columns that were sent; tables and columns that there are not do no harm [I]."""
    said = parameter(given, "ds")
    if not isinstance(said, dict):
        raise RefusalError(400, "Parameter ds is not a dataset.")
    return {table: [_row(site, table, row) for row in said.get(table) or []] for table in tables}


def _row(site: "Kinetic", table: str, said: Any) -> Row:
    if not isinstance(said, dict):
        raise RefusalError(400, f"A row of {table} is not an object.")
    columns = site.shelf.columns(table).sources
    return {columns[name][0]: _typed(f"{table}.{name}", value, columns[name][1]) for name, value in said.items() if name in columns}  # fmt: skip


def _typed(name: str, value: Any, letter: str) -> Any:
    try:
        match letter:
            case "t":
                return day_of(value, name)
            case "d":
                return Decimal(str(value or 0)).quantize(Decimal("0.01"))
            case "i" | "l":
                return int(value or 0)
            case "b":
                return value is True or str(value).lower() == "true"
    except (InvalidOperation, ValueError, TypeError):
        raise RefusalError(400, f"{name}: {value!r} does not fit its type.") from None
    return "" if value is None else str(value)


def shown(site: "Kinetic", tables: Mapping[str, list[Row]], others: Iterable[str] = ()) -> dict[str, Any]:
    """The dataset as it is answered: all columns of every row, tables without rows too."""
    made = {}
    for table, rows in tables.items():
        columns = site.shelf.columns(table)
        made[table] = wire.shown(site, columns, list(columns.sources), rows)
    return {**made, **{name: [] for name in others}, "ExtensionTables": []}


def blank(table: str, **values: Any) -> Row:
    """A new row of a table, as GetNew gives it: nothing of it is stored."""
    return {**TABLES[table].blank, "SysRowID": NO_ROW_ID, **values, "RowMod": ADDED}


def at_hand(rows: list[Row], table: str) -> Row:
    """The row that a method is about: the last one that is new or being changed. Raises a 400 without any."""
    for row in reversed(rows):
        if row.get("RowMod") in (ADDED, CHANGED):
            return row
    raise business(f"{table} has not been found.", table)


def key_of(table: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of the key columns of a row."""
    return tuple(row[name] for name in TABLES[table].key)
