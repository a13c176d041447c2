"""Rows of Kinetic as columns, with the checks that every row must pass."""

from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.epicor.bulk import Bulk, distinct, listed
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


def days(values: Sequence[str | None] | pa.Array, name: str, where: Where) -> pa.Array:
    """The day of each date. They travel as midnights, mostly without offset [C MCP, KERI].

    Raises DataError naming the first one with another time of day, which could mean the day before or after, or in another form (D08).
    """
    said = codes(values) if isinstance(values, Sequence) else values.dictionary_encode()
    plain = pc.match_substring_regex(said.dictionary, _MIDNIGHT)
    if pc.all(plain, min_count=0).as_py() is False:
        strange = pc.index(plain, False).as_py()
        row = pc.index(said.indices, pa.scalar(strange, said.indices.type)).as_py()
        raise DataError(
            f"{where(row)}: {name} is {said.dictionary[strange].as_py()[:40]!r}, which does not say a day without doubt.",
            holds="Nothing was loaded.",
            next_step=NEXT_STEP,
        )
    return pc.utf8_slice_codeunits(said.dictionary, 0, 10).take(said.indices)


def account_column(rows: Rows, chart: Chart, where: Where) -> list[str]:
    """The account segment of each row. Raises DataError naming the first row without one."""
    values = list(map(attrgetter(f"s{chart.account}"), rows))
    _require_filled(values, chart, where)
    return values


def coded_accounts(rows: Bulk, chart: Chart, where: Where) -> pa.DictionaryArray:
    """The same as codes."""
    values = rows.column(f"s{chart.account}").dictionary_encode()
    if values.null_count or "" in values.dictionary.to_pylist():
        _require_filled(values.to_pylist(), chart, where)
    return values


def _require_filled(values: Sequence[str | None], chart: Chart, where: Where) -> None:
    for row, value in enumerate(values):
        if not value:
            raise DataError(
                f"{where(row)}: SegValue{chart.account}, the account, is missing.",
                holds="Nothing was loaded.",
                next_step=NEXT_STEP,
            )


def subaccount_column(rows: Rows, chart: Chart) -> list[str]:
    """The other segments of each row in physical order, empty ones too: "110|MF", "110|"."""
    if not chart.others:
        return [""] * len(rows)
    parts = [list(map(attrgetter(f"s{number}"), rows)) for number in chart.others]
    return [BETWEEN.join([part or "" for part in one]) for one in zip(*parts, strict=True)]


def coded_subaccounts(rows: Bulk, chart: Chart) -> pa.DictionaryArray:
    """The same as codes."""
    if not chart.others:
        return pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), pa.array([""]))
    return coded_together([rows.coded(f"s{number}") for number in chart.others], BETWEEN)


def coded_together(parts: Sequence[pa.DictionaryArray], between: str) -> pa.DictionaryArray:
    """Several codes as one, put together once for each combination that occurs."""
    first, *others = parts
    which, said = first.indices, first.dictionary.cast(pa.string())
    for other in others:
        also = other.dictionary.cast(pa.string())
        if len(said) == 1:  # nothing to count
            which, said = other.indices, pc.binary_join_element_wise(said[0], also, between)
        elif len(also) == 1:
            said = pc.binary_join_element_wise(said, also[0], between)
        else:
            size = max(len(also), 1)
            pair = pa.array(which.to_numpy().astype(np.int64) * size + other.indices.to_numpy()).dictionary_encode()
            which, (ours, theirs) = pair.indices, np.divmod(pair.dictionary.to_numpy(), size)
            said = pc.binary_join_element_wise(said.take(pa.array(ours)), also.take(pa.array(theirs)), between)
    together = pa.DictionaryArray.from_arrays(which, said)
    # Two combinations may read alike: "A 1" with 2, and "A" with "1 2".
    return (
        together if pc.count_distinct(said).as_py() == len(said) else together.dictionary_decode().dictionary_encode()
    )


def require_of(rows: Rows, books: Books, period: FiscalPeriod | None, where: Where) -> None:
    """Every row stands in these books, and in this period where one is given; whatever a filter was taken for."""
    require(rows, "book", {books.ledger}, "BookID", where)
    require(rows, "calendar", {books.calendar}, "FiscalCalendarID", where)
    if period is not None:
        require(rows, "year", {period.year}, "FiscalYear", where)
        require(rows, "suffix", {period.suffix, period.suffix or None}, "FiscalYearSuffix", where)
        require(rows, "number", {period.number}, "FiscalPeriod", where)


def require(rows: Rows, attribute: str, allowed: Collection[Any], name: str, where: Where) -> None:
    """The same for one attribute of all rows."""
    if not set(distinct(rows, attribute)).issubset(allowed):
        require_only(listed(rows, attribute), allowed, name, where)


def require_only(values: Sequence[Any], allowed: Collection[Any], name: str, where: Where) -> None:
    """Refuse the first row whose value is none of the allowed ones."""
    if set(values).issubset(allowed):
        return
    row, value = next((row, value) for row, value in enumerate(values) if value not in allowed)
    raise DataError(
        f"{where(row)}: {name} is {value!r}, expected was {' or '.join(map(str, sorted(one for one in allowed if one is not None)))}.",
        holds="Nothing was loaded.",
        next_step=NEXT_STEP,
    )
