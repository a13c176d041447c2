"""Business days, and the rules that say on which day after (or before) the end of a fiscal period something is done. No clock."""

import calendar
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

from mlc_pipelines.ledger.errors import DataError

Roll = Literal["next", "previous", "stay"]

_DAY = timedelta(days=1)
_LONGEST_REST = 60


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Which days are worked. weekend: weekdays that are not, Monday = 0. holidays: of every country, region or exchange that counts, added together.

    days_off: the company's own; working_days: days that are worked all the same, whatever else is said of them.
    """

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: tuple[Container[date], ...] = ()
    days_off: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        if day in self.working_days:
            return True
        return (
            day.weekday() not in self.weekend
            and day not in self.days_off
            and not any(day in some for some in self.holidays)
        )

    def first_from(self, day: date, direction: int = 1) -> date:
        """The day itself where it is worked, else the next one that is; the one before it for direction -1. Raises DataError where none comes."""
        for number in range(_LONGEST_REST + 1):
            if self.works(found := day + direction * number * _DAY):
                return found
        raise DataError(
            f"No business day lies within {_LONGEST_REST} days of {day}.",
            next_step="Correct `weekend`, `holidays` and `days_off` under `close` in the connection file.",
        )

    def rolled(self, day: date, roll: Roll) -> date:
        """Where something planned for this day goes when the day is not worked."""
        return day if roll == "stay" else self.first_from(day, 1 if roll == "next" else -1)


class DayRule(Protocol):
    """On which day a step of the close is done."""

    def of(self, end_on: date, days: BusinessDays) -> date: ...


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """`WD+3`: the third business day after the period's last day. `WD+0`: the last business day of the period itself; `WD-1`: the one before that."""

    number: int

    def of(self, end_on: date, days: BusinessDays) -> date:
        ahead = self.number > 0
        direction = 1 if ahead else -1
        found = days.first_from(end_on + _DAY if ahead else end_on, direction)
        for _ in range(self.number - 1 if ahead else -self.number):
            found = days.first_from(found + direction * _DAY, direction)
        return found


@dataclass(frozen=True, slots=True)
class DayAfter:
    """`D+10`: so many days after the period's last day, worked or not; `D-2`: before it."""

    number: int
    roll: Roll = "next"

    def of(self, end_on: date, days: BusinessDays) -> date:
        return days.rolled(end_on + self.number * _DAY, self.roll)


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """The first such day of a month after the period's end. In a month that is too short for it, its last day: the 29th is 28 February three years out of four."""

    day: int
    roll: Roll = "next"

    def of(self, end_on: date, days: BusinessDays) -> date:
        found = self._in(end_on.year, end_on.month)
        if found <= end_on:
            years, month = divmod(end_on.month, 12)
            found = self._in(end_on.year + years, month + 1)
        return days.rolled(found, self.roll)

    def _in(self, year: int, month: int) -> date:
        return date(year, month, min(self.day, calendar.monthrange(year, month)[1]))
