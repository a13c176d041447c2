"""The columns that a read may name, and how their values are read for comparing and sorting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from mlc_pipelines.sandbox.epicor.errors import unknown_property
from mlc_pipelines.sandbox.epicor.schema import EMPTY

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that may be named: name -> (name in the row, letter), and the entity's name for complaints."""

    kind: str
    sources: Mapping[str, tuple[str, str]]

    def require(self, name: str) -> tuple[str, str]:
        """Name in the row and letter. Raises the 400 of an unknown property."""
        if name not in self.sources:
            raise unknown_property(name, self.kind)
        return self.sources[name]


def column_reader(source: str, letter: str, *, folded: bool) -> Callable[[Row], Any]:
    """How a column is read for comparing: texts perhaps without case, days as their midnight."""
    default = EMPTY[letter]
    if letter == "s" and folded:
        return lambda row: (row.get(source) or default).casefold()
    if letter == "t":
        return lambda row: instant(row.get(source))
    if letter == "g":
        return lambda row: str(row.get(source, default)).lower()
    return lambda row: row.get(source, default)


def instant(value: date | None) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)
