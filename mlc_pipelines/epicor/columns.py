"""Rows of Kinetic as columns, with the checks that every row must pass."""

from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.epicor.chart import BETWEEN, Chart
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod

Where = Callable[[int], str]
Rows = Sequence[Any]

_MIDNIGHT = r"^\d{4}-\d\d-\d\d(T00:00:00(\.0+)?(Z|[+-]\d\d:\d\d)?)?$"

NEXT_STEP = "Ask the Kinetic administrator whether the instance, or the query that is read, was changed; load again when it is mended."


def texts(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def codes(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def days(values: Sequence[str | None], name: str, where: Where) -> pa.Array:
    """The day of each date. They travel as midnights, mostly without offset [C MCP, KERI].

    Raises DataError naming the first one with another time of day, which could mean the day before or after, or in another form (D08).
    """
    said = texts(values)
    plain = pc.match_substring_regex(said, _MIDNIGHT)
    if pc.all(plain, min_count=0).as_py() is False:
        row = pc.index(plain, False).as_py()
        raise DataError(
            f"{where(row)}: {name} is {str(values[row])[:40]!r}, which does not say a day without doubt.",
            holds="Nothing was loaded.",
            next_step=NEXT_STEP,
        )
    return pc.utf8_slice_codeunits(said, 0, 10)


def account_column(rows: Rows, chart: Chart, where: Where) -> list[str]:
    """The account segment of each row. Raises DataError naming the first row without one."""
    values = list(map(attrgetter(f"s{chart.account}"), rows))
    for row, value in enumerate(values):
        if not value:
            raise DataError(
                f"{where(row)}: SegValue{chart.account}, the account, is missing.",
                holds="Nothing was loaded.",
                next_step=NEXT_STEP,
            )
    return values


def subaccount_column(rows: Rows, chart: Chart) -> list[str]:
    """The other segments of each row in physical order, empty ones too: "110|MF", "110|"."""
    if not chart.others:
        return [""] * len(rows)
    parts = [list(map(attrgetter(f"s{number}"), rows)) for number in chart.others]
    return [BETWEEN.join([part or "" for part in one]) for one in zip(*parts, strict=True)]


def require_of(rows: Rows, books: Books, period: FiscalPeriod | None, where: Where) -> None:
    """Every row stands in these books, and in this period where one is given; whatever a filter was taken for."""
    require_only([row.book for row in rows], {books.ledger}, "BookID", where)
    require_only([row.calendar for row in rows], {books.calendar}, "FiscalCalendarID", where)
    if period is not None:
        require_only([row.year for row in rows], {period.year}, "FiscalYear", where)
        require_only([row.suffix or "" for row in rows], {period.suffix}, "FiscalYearSuffix", where)
        require_only([row.number for row in rows], {period.number}, "FiscalPeriod", where)


def require_only(values: Sequence[Any], allowed: Collection[Any], name: str, where: Where) -> None:
    """Refuse the first row whose value is none of the allowed ones."""
    if set(values).issubset(allowed):
        return
    row, value = next((row, value) for row, value in enumerate(values) if value not in allowed)
    raise DataError(
        f"{where(row)}: {name} is {value!r}, expected was {' or '.join(map(str, sorted(allowed)))}.",
        holds="Nothing was loaded.",
        next_step=NEXT_STEP,
    )


def is_statistical(row: Any) -> bool:
    """Whether a line counts something else than money; 2 says that it counts both [I]."""
    return row.statistical is True or row.statistical == 1
