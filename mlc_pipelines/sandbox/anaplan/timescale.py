"""Time in a model: its periods with quarters and years as parents, by calendar months or by whole weeks.

Anaplan's calendars of weeks: the builder picks the pattern, the weekday and month that the year ends with, and the period
that takes the 53rd week; of 13 periods one quarter has four. Reference: anaplan 9, 11.3 and the help pages on the model
calendar [S]; how the periods of such a calendar are labelled is not recorded, hence the switch `week_labels` [I].
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mlc_pipelines.sandbox.anaplan.dimension import TIME_ID, Dimension, Member

MONTHS = "Calendar Months/Quarters/Years"
WEEKS = "Weeks: 4-4-5, 4-5-4 or 5-4-4"
FOUR_WEEKS = "Weeks: 13 4-week Periods"
"""As the API names the types of calendars [C: SDK]."""

PATTERNS = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13x4": (4,) * 13,
}
"""Weeks of each period."""

WEEKS_IN_YEAR = 52

Span = tuple[date, date]
"""First and last day of a period."""


@dataclass(frozen=True, slots=True)
class Month:
    """A period of the model calendar, whatever its length; `year` is that of the fiscal year's label, `number` runs from 1."""

    label: str
    year: int
    number: int
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class YearEnd:
    """The last such weekday of a month, or the one nearest to its last day; Monday is 0."""

    month: int
    weekday: int
    nearest: bool = False

    def of(self, year: int) -> date:
        """The last day of a fiscal year."""
        last = date(year, self.month, calendar.monthrange(year, self.month)[1])
        back = (last.weekday() - self.weekday) % 7
        return last + timedelta(days=7 - back if self.nearest and back > 3 else -back)


SEPTEMBER = YearEnd(month=9, weekday=5)
"""The last Saturday of September."""


class Calendar(Dimension):
    """Time: periods, quarters and years ("Jul 24", "Q1 FY25", "FY25")."""

    def __init__(
        self,
        kind: str,
        years: Mapping[int, Sequence[Span]],
        *,
        labels: str = "month",
        quarters: Sequence[int] = (3, 3, 3, 3),
        prefix: str = "FY",
    ) -> None:
        """Years by the number that names them. `labels`: number ("P01 FY26") or month ("Oct 25", where most of it lies).

        `quarters` are the periods in each. ValueError where two periods would have one label, as 13 have by month.
        """
        self.kind, self.years, self.labels, self.quarters, self.prefix = kind, years, labels, quarters, prefix
        self.first_year, self.last_year, self.periods_in_year = min(years), max(years), sum(quarters)
        self.months: dict[str, Month] = {}
        self.closing: set[tuple[str, str]] = set()
        """Pairs of a period and the quarter or year that it closes."""
        members: list[Member] = []
        for year in years:
            self._add_year(year, members)
        super().__init__(TIME_ID, "Time", members)

    def _add_year(self, year: int, members: list[Member]) -> None:
        year_member = Member(f"50{year}000000", self.year_label(year))
        months = [self._month(year, number, *span) for number, span in enumerate(self.years[year], start=1)]
        for quarter, length in enumerate(self.quarters, start=1):
            quarter_member = Member(f"50{year}0{quarter}0000", f"Q{quarter} {year_member.name}", parent=year_member.id)
            ended = sum(self.quarters[:quarter])
            for month in months[ended - length : ended]:
                members.append(Member(f"50{year}00{month.number:02d}00", month.label, parent=quarter_member.id))
            members.append(quarter_member)
            self.closing.add((months[ended - 1].label, quarter_member.name))
        members.append(year_member)
        self.closing.add((months[-1].label, year_member.name))

    def _month(self, year: int, number: int, start: date, end: date) -> Month:
        middle = start + (end - start) // 2
        label = f"{middle:%b %y}" if self.labels == "month" else f"P{number:02d} {self.year_label(year)}"
        if label in self.months:
            raise ValueError(f"two periods would be called {label}; label them by number")
        self.months[label] = Month(label, year, number, start, end)
        return self.months[label]

    def year_label(self, year: int) -> str:
        """The label of a fiscal year, such as FY25."""
        return f"{self.prefix}{year % 100:02d}"

    def take_over(self, other: "Calendar") -> None:
        """The periods of another calendar; the members are put in place by the model."""
        self.years, self.labels, self.months, self.closing = other.years, other.labels, other.months, other.closing


def month_calendar(first_year: int, last_year: int, start_month: int) -> Calendar:
    """Years of twelve calendar months, named by the calendar year in which they end."""
    years = {
        year: [_calendar_month(year, number, start_month) for number in range(1, 13)]
        for year in range(first_year, last_year + 1)
    }
    return Calendar(MONTHS, years)


def _calendar_month(year: int, number: int, start_month: int) -> Span:
    months = start_month - 1 + number - 1
    calendar_year, month = year - (1 if start_month > 1 else 0) + months // 12, months % 12 + 1
    return date(calendar_year, month, 1), date(calendar_year, month, calendar.monthrange(calendar_year, month)[1])


def week_calendar(
    first_year: int,
    last_year: int,
    pattern: str = "4-4-5",
    *,
    year_end: YearEnd = SEPTEMBER,
    long_period: int = 0,
    long_quarter: int = 4,
    labels: str = "number",
) -> Calendar:
    """Years of whole weeks, named by the calendar year of their last month.

    `long_period` takes the 53rd week of a year that has one, the last period unless named; of 13 periods four stand in the
    `long_quarter`.
    """
    weeks, ends = PATTERNS[pattern], {year: year_end.of(year) for year in range(first_year - 1, last_year + 1)}
    years = {
        year: _week_periods(ends[year - 1] + timedelta(days=1), ends[year], weeks, long_period or len(weeks))
        for year in range(first_year, last_year + 1)
    }
    if len(weeks) == 12:
        return Calendar(WEEKS, years, labels=labels)
    quarters = [4 if quarter == long_quarter else 3 for quarter in range(1, 5)]
    return Calendar(FOUR_WEEKS, years, labels=labels, quarters=quarters)


def _week_periods(start: date, end: date, weeks: Sequence[int], long_period: int) -> list[Span]:
    extra = ((end - start).days + 1) // 7 - WEEKS_IN_YEAR
    periods: list[Span] = []
    for number, length in enumerate(weeks, start=1):
        days = 7 * (length + (extra if number == long_period else 0))
        periods.append((start, start + timedelta(days=days - 1)))
        start += timedelta(days=days)
    return periods
