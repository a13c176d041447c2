"""Rows of the trail as they lie in the database, whatever somebody put there: nothing is believed of them yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.store.schema import trail

_TYPES: dict[str, type] = {
    one.name: int if isinstance(one.type, sa.Integer) else bytes if isinstance(one.type, sa.LargeBinary) else str
    for one in trail.columns
}
_HASHES = ("root", "header")
HEX_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of one row, as far as they are of the type they should be; wrong says what is not."""

    values: dict[str, Any]
    wrong: tuple[str, ...]

    @property
    def number(self) -> int | None:
        return self.values.get("number")


def read_rows(db: sa.Connection, after: int) -> Iterator[Row]:
    """All rows behind a number, in order; behind 0 all there are, with those that somebody put before the first or without a number."""
    if db.dialect.name == "sqlite":
        return _of_sqlite(db, "number > ? OR typeof(number) <> 'integer'" if after else "? = 0", after)
    return _of_others(db, trail.c.number > after if after else sa.true())


def find_row(db: sa.Connection, number: int) -> Row | None:
    """The row of one entry."""
    rows = (
        _of_sqlite(db, "number = ?", number)
        if db.dialect.name == "sqlite"
        else _of_others(db, trail.c.number == number)
    )
    return next(rows, None)


def _of_sqlite(db: sa.Connection, where: str, number: int) -> Iterator[Row]:
    named = ", ".join(
        f"typeof({one}), CASE typeof({one}) WHEN 'text' THEN CAST({one} AS BLOB) ELSE {one} END" for one in _TYPES
    )
    question = f"SELECT {named} FROM trail WHERE {where} ORDER BY number"  # noqa: S608 - our own words
    for row in db.exec_driver_sql(question, (number,)):
        yield _row({name: _told(row[2 * at], row[2 * at + 1]) for at, name in enumerate(_TYPES)})


def _of_others(db: sa.Connection, where: sa.ColumnElement[bool]) -> Iterator[Row]:
    for row in db.execute(trail.select().where(where).order_by(trail.c.number), execution_options={"yield_per": 200}):
        yield _row(dict(zip(_TYPES, row, strict=True)))


def _told(kind: str, value: Any) -> Any:
    """SQLite holds anything in any column, also text that is no Unicode, which is why text is asked for as bytes."""
    if kind != "text":
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _NoUnicode()


class _NoUnicode:
    """Stands for a text that cannot be read."""


def _row(found: dict[str, Any]) -> Row:
    wrong = tuple(f"its {name} is {_named(value)}" for name, value in found.items() if not _fits(name, value))
    return Row({name: value for name, value in found.items() if _fits(name, value)}, wrong)


def _fits(name: str, value: Any) -> bool:
    if type(value) is not _TYPES[name]:
        return False
    return not isinstance(value, str) or name not in _HASHES or (len(value) == 64 and HEX_DIGITS.issuperset(value))


def _named(value: Any) -> str:
    kinds = {
        str: "a text that does not fit",
        int: "a number",
        float: "a fraction",
        bytes: "bytes",
        _NoUnicode: "no Unicode",
    }
    return "empty" if value is None else kinds.get(type(value), type(value).__name__)
