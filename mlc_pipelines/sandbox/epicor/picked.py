"""Some rows of a table in some order, made only when looked at: a page of a large table costs what the page costs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
SPAN = 8
"""A page whose rows lie at most so many times its length apart is cut out in one piece."""


class Picked:
    """Rows by their places in `rows`; `view` shows each of them as something else."""

    def __init__(
        self, rows: Sequence[Row], places: Sequence[int] | None = None, view: Callable[[Row], Row] | None = None
    ) -> None:
        """All rows, or those at these places."""
        self._rows = rows
        self._view = view
        self.places = range(len(rows)) if places is None else places

    def __len__(self) -> int:
        """How many there are."""
        return len(self.places)

    def __iter__(self) -> Iterator[Row]:
        """One after the other; all of them in one go where they are neighbours."""
        return iter(self.made(self.places))

    def at(self, places: Sequence[int]) -> "Picked":
        """Others of the same rows."""
        return Picked(self._rows, places, self._view)

    def between(self, start: int, stop: int) -> list[Row]:
        """The rows from one to before another, made."""
        return self.made(self.places[start:stop])

    def made(self, places: Sequence[int]) -> list[Row]:
        """The rows at these places of the table."""
        if not places:
            return []
        low, high = min(places), max(places) + 1
        if high - low <= SPAN * len(places):
            piece = self._rows[low:high]
            found = [piece[place - low] for place in places]
        else:
            found = [self._rows[place] for place in places]
        return [self._view(row) for row in found] if self._view else found
