"""The books of the second sample company as rows of Kinetic's tables: which file makes which table, and sequences made when asked for."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale

Row = Mapping[str, Any]
Where = dict[str, Any]
Piece = TypeVar("Piece")


class Rows(Sequence[Row], Generic[Piece]):
    """Rows that are made when asked for, from pieces of which each gives a known number of rows."""

    def __init__(self, pieces: Sequence[Piece], counts: Sequence[int], make: Callable[[Piece], Sequence[Row]]) -> None:
        """So many rows of each piece."""
        self._pieces, self._make = pieces, make
        self._starts = [0, *accumulate(counts)]

    def __len__(self) -> int:
        """How many rows there are."""
        return self._starts[-1]

    def __iter__(self) -> Iterator[Row]:
        """One after the other."""
        for piece in self._pieces:
            yield from self._make(piece)

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...

    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        """One row, or those of a slice: pieces outside of it are not made."""
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._between(start, stop)[::step] if step > 0 else list(self)[at]
        place = at + len(self) if at < 0 else at
        if not 0 <= place < len(self):
            raise IndexError(f"no row {at} of {len(self)}")
        return self._between(place, place + 1)[0]

    def _between(self, start: int, stop: int) -> list[Row]:
        if start >= stop:
            return []
        first = bisect_right(self._starts, start) - 1
        made: list[Row] = []
        for piece in self._pieces[first:]:
            made += self._make(piece)
            if self._starts[first] + len(made) >= stop:
                break
        return made[start - self._starts[first] : stop - self._starts[first]]


def make(books: "Ironvale", table: str, where: Where) -> Sequence[Row]:
    """The rows of a table in which these columns have these values."""
    # here and not above: they use this file
    from mlc_pipelines.sandbox.ironvale import (
        account_rows,
        balance_rows,
        chart_rows,
        journal_rows,
        order_rows,
        payable_rows,
        setup_rows,
    )

    makers: dict[str, Callable[[Ironvale, Where], Sequence[Row]]] = {}
    for one in (setup_rows, chart_rows, account_rows, journal_rows, balance_rows, payable_rows, order_rows):
        makers.update(one.MAKERS)
    if table in makers:
        return makers[table](books, where)
    return matching(list(books.kept.get(table, {}).values()), where)


def matching(rows: Sequence[Row], where: Where) -> Sequence[Row]:
    """Only the rows in which these columns have these values."""
    if not where:
        return rows
    return [row for row in rows if all(row[column] == value for column, value in where.items())]
