"""Fiscal periods, and the calendar that puts them in order. No clock: the same configuration gives the same keys everywhere."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from mlc_pipelines.ledger.errors import DataError

_KEY = re.compile(r"FY(\d{4})([A-Za-z0-9]{0,8})-P(\d{2})")


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """One accounting period. year is the year it is named by (its end year by default), number counts from 1.

    An adjustment period has no days of its own: start and end are both the last day of the year.
    suffix: what tells two fiscal years of one number apart, such as a short year after the calendar was changed; "" nearly always.
    """

    year: int
    number: int
    start_on: date
    end_on: date
    adjustment: bool = False
    suffix: str = ""

    @property
    def key(self) -> str:
        """The partition key, `FY2026-P03`, or `FY2026B-P03` in a year with a suffix; the adjustment period simply has the next number."""
        return period_key(self.year, self.number, self.suffix)


def period_key(year: int, number: int, suffix: str = "") -> str:
    return f"FY{year:04d}{suffix}-P{number:02d}"


def split_key(key: str) -> tuple[int, str, int]:
    """Year, suffix and number of a key. Raises DataError for any other text."""
    if not (match := _KEY.fullmatch(key)):
        raise DataError(f"{key!r} is not a fiscal period.", next_step="Write it like FY2026-P03.")
    return int(match[1]), match[2], int(match[3])


def from_iso(key: str, start_on: str, end_on: str, *, adjustment: bool = False) -> FiscalPeriod:
    """A period by its key, with its dates as a ledger told them (ISO days)."""
    year, suffix, number = split_key(key)
    return FiscalPeriod(year, number, date.fromisoformat(start_on), date.fromisoformat(end_on), adjustment, suffix)


@dataclass(frozen=True)
class FiscalCalendar:
    """All periods of a connection in fiscal order."""

    periods: tuple[FiscalPeriod, ...]

    @property
    def keys(self) -> list[str]:
        return [period.key for period in self.periods]

    @cached_property
    def _by_key(self) -> dict[str, FiscalPeriod]:
        return {period.key: period for period in self.periods}

    def period(self, key: str) -> FiscalPeriod:
        """The period of a key. Raises DataError, naming the calendar's range, when it has none."""
        split_key(key)
        if key not in self._by_key:
            raise DataError(
                f"Period {key} does not exist in this connection's fiscal calendar, which runs from {self.keys[0]} to {self.keys[-1]}.",
                holds="Nothing was read or sent.",
                next_step="Choose another period, or extend `calendar.last_year` in the connection file.",
            )
        return self._by_key[key]


def monthly_calendar(
    first_year: int, last_year: int, *, first_month: int = 1, named_by: str = "end", adjustment: bool = False
) -> FiscalCalendar:
    """Twelve calendar months a year from any first month, with a thirteenth adjustment period where the ledger has one.

    named_by: "end" names a year by the calendar year in which it ends (July 2025 to June 2026 is FY2026), "start" by its first.
    """
    periods: list[FiscalPeriod] = []
    for year in range(first_year, last_year + 1):
        opens_in = year - 1 if first_month > 1 and named_by == "end" else year
        periods += _months(year, opens_in, first_month)
        if adjustment:
            last_day = periods[-1].end_on
            periods.append(FiscalPeriod(year, 13, last_day, last_day, adjustment=True))
    return FiscalCalendar(tuple(periods))


def _months(year: int, opens_in: int, first_month: int) -> list[FiscalPeriod]:
    months: list[FiscalPeriod] = []
    for number in range(1, 13):
        years_on, month_index = divmod(first_month + number - 2, 12)
        calendar_year, month = opens_in + years_on, month_index + 1
        last_day = calendar.monthrange(calendar_year, month)[1]
        months.append(FiscalPeriod(year, number, date(calendar_year, month, 1), date(calendar_year, month, last_day)))
    return months
