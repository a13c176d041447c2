"""Fiscal periods, and the calendar that puts them in order. No clock: the same configuration gives the same keys everywhere."""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from mlc_pipelines.ledger.errors import DataError

_KEY = re.compile(r"FY(\d{4})([A-Za-z0-9]{0,8})-P(\d{2})")


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """One accounting period. year is the year it is named by (its end year by default), number counts from 1.

    An adjustment period has no days of its own: start and end are both the last day of the year.
    suffix: what tells two fiscal years of one number apart, such as a short year after the calendar was changed; "" nearly always.
    beside: of an adjustment period, the number of the ordinary period that it stands beside; 0 otherwise.
    """

    year: int
    number: int
    start_on: date
    end_on: date
    adjustment: bool = False
    suffix: str = ""
    beside: int = 0

    @property
    def key(self) -> str:
        """The partition key, `FY2026-P03`, or `FY2026B-P03` in a year with a suffix; the adjustment period simply has the next number."""
        return period_key(self.year, self.number, self.suffix)

    def label(self, pattern: str) -> str:
        """The period in a planning model's words: {number}, {year}, {yy}, {suffix} are filled in, %b, %y and their like by strftime.

        The month is that of the period's middle day, so that a 4-4-5 period is called by the month in which most of it lies. An adjustment
        period has the label of the ordinary period it stands beside; a version of its own keeps the two apart.
        """
        middle = self.start_on + (self.end_on - self.start_on) // 2
        said = {
            "number": self.beside or self.number,
            "year": self.year,
            "yy": f"{self.year % 100:02d}",
            "suffix": self.suffix,
        }
        return middle.strftime(pattern).format(**said)


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
                next_step="Choose another period, or extend `calendar` in the connection file.",
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
            periods.append(_adjustment_after(periods[-1]))
    return FiscalCalendar(tuple(periods))


def _adjustment_after(last: FiscalPeriod) -> FiscalPeriod:
    """The adjustment period of the year that ends with this ordinary period: its last day only."""
    return replace(last, number=last.number + 1, start_on=last.end_on, adjustment=True, beside=last.number)


@dataclass(frozen=True, slots=True)
class YearEnd:
    """When a year of whole weeks ends: on the `last` such weekday of the month, or on the one `nearest` to the month's last day.

    month: 1 to 12; weekday: 0 is Monday. A year is counted by the calendar year of that month, also where the nearest such day lies in the next one.
    """

    month: int
    weekday: int
    rule: str = "last"

    def of(self, year: int) -> date:
        last_day = date(year, self.month, calendar.monthrange(year, self.month)[1])
        back = last_day - timedelta(days=(last_day.weekday() - self.weekday) % 7)
        if self.rule == "nearest" and (last_day - back).days > _HALF_A_WEEK:
            return back + timedelta(days=7)
        return back


_DECEMBER = 12
_HALF_A_WEEK = 3
_WEEKS = 52


def weeks_calendar(
    first_year: int,
    last_year: int,
    *,
    pattern: Sequence[int],
    year_end: YearEnd,
    named_by: str = "end",
    long_period: int = 0,
    adjustment: bool = False,
) -> FiscalCalendar:
    """Years of 52 or 53 whole weeks: 4-4-5 and its sisters, 13 periods of four weeks.

    pattern: weeks of each period, 52 in all. long_period: the period that takes the 53rd week, where there is one; the last one unless named.
    named_by "start" names a year by the calendar year in which it begins, as far as that differs.
    """
    if sum(pattern) != _WEEKS:
        raise DataError(f"The weeks of the periods {'-'.join(map(str, pattern))} add up to {sum(pattern)}, not to 52.")
    periods: list[FiscalPeriod] = []
    for year in range(first_year, last_year + 1):
        ended = year + 1 if named_by == "start" and year_end.month < _DECEMBER else year
        starts_on, ends_on = year_end.of(ended - 1) + timedelta(days=1), year_end.of(ended)
        weeks = list(pattern)
        weeks[(long_period or len(weeks)) - 1] += ((ends_on - starts_on).days + 1) // 7 - _WEEKS
        for number, length in enumerate(weeks, start=1):
            periods.append(FiscalPeriod(year, number, starts_on, starts_on + timedelta(days=7 * length - 1)))
            starts_on += timedelta(days=7 * length)
        if adjustment:
            periods.append(_adjustment_after(periods[-1]))
    return FiscalCalendar(tuple(periods))


def calendar_of(periods: Sequence[FiscalPeriod]) -> FiscalCalendar:
    """A calendar of given periods, in fiscal order, as an ERP or a file tells them; adjustment periods are set beside the ordinary one before them.

    Raises DataError naming the first period that stands twice, or that does not begin on the day after the one before it ended.
    """
    placed: list[FiscalPeriod] = []
    ordinary: FiscalPeriod | None = None
    for one in sorted(
        periods, key=lambda one: (one.start_on if not one.adjustment else one.end_on, one.adjustment, one.key)
    ):
        if any(one.key == other.key for other in placed):
            raise DataError(f"Period {one.key} stands in the fiscal calendar twice.")
        if one.adjustment:
            placed.append(replace(one, beside=ordinary.number if ordinary else 0))
            continue
        if ordinary and one.start_on != ordinary.end_on + timedelta(days=1):
            raise DataError(
                f"Period {one.key} begins on {one.start_on}, but {ordinary.key} before it ends on {ordinary.end_on}."
            )
        placed.append(one)
        ordinary = one
    if not placed:
        raise DataError("The fiscal calendar has no periods.")
    return FiscalCalendar(tuple(placed))


def _months(year: int, opens_in: int, first_month: int) -> list[FiscalPeriod]:
    months: list[FiscalPeriod] = []
    for number in range(1, 13):
        years_on, month_index = divmod(first_month + number - 2, 12)
        calendar_year, month = opens_in + years_on, month_index + 1
        last_day = calendar.monthrange(calendar_year, month)[1]
        months.append(FiscalPeriod(year, number, date(calendar_year, month, 1), date(calendar_year, month, last_day)))
    return months
