"""The close calendar: at which moments which fiscal period is to be loaded, and which of them were missed. It has no clock of its own.

    steps      days after (or before) the end of a period: provisional on WD+1, final on WD+5
    cadence    while a period is open: every business day, every Friday, every four hours

Times are those of the clock on the wall of a time zone. A time that the clock leaves out in spring is an hour later by it, one that it shows twice in
autumn is the first of the two: each comes once. Which period is the open one is decided by the ERP's own day, which may be another zone's.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod
from mlc_pipelines.ledger.workdays import BusinessDays, DayRule

Figures = Literal["provisional", "final"]
WhenQuiet = Literal["shift", "skip"]
OPEN = "open"
"""The name of what the cadence asks for, as steps have names of their own."""

REACH = timedelta(days=400)
"""No step lies further from the end of its period: rules are refused beyond it."""

_DAY = timedelta(days=1)
_SHIFTS_MAX = 500
_LONGEST_QUIET = timedelta(days=60)


class Quiet(Protocol):
    """A time in which nothing is begun: hours of the week, a blackout."""

    def ends_at(self, now: datetime) -> datetime | None:
        """Its end, in UTC, where now lies in it; None outside."""


@dataclass(frozen=True, slots=True)
class Blackout:
    """One span in which nothing is begun, from one instant to another."""

    begins_at: datetime
    finishes_at: datetime

    def ends_at(self, now: datetime) -> datetime | None:
        return self.finishes_at if self.begins_at <= now < self.finishes_at else None


@dataclass(frozen=True)
class Step:
    """One step of the close. rule: its day; dates: days of single periods, by key, instead; without a rule only those periods have the step.

    of: whether it belongs to ordinary periods, to adjustment periods, or to every one. numbers: only periods of these numbers; all where empty.
    """

    name: str
    rule: DayRule | None
    at: time
    figures: Figures = "final"
    of: Literal["every", "ordinary", "adjustment"] = "every"
    numbers: frozenset[int] = frozenset()
    dates: Mapping[str, date] = field(default_factory=dict)
    when_quiet: WhenQuiet = "shift"

    def day(self, period: FiscalPeriod, days: BusinessDays) -> date | None:
        """Its day for this period, None where the period has no such step."""
        if period.key in self.dates:
            return self.dates[period.key]
        kinds = {"every", "adjustment" if period.adjustment else "ordinary"}
        if self.rule is None or self.of not in kinds or (self.numbers and period.number not in self.numbers):
            return None
        return self.rule.of(period.end_on, days)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often the open period is loaded. weekdays: Monday = 0. business_days: only on days that are worked. at: times of such a day."""

    at: tuple[time, ...]
    weekdays: frozenset[int] = frozenset(range(7))
    business_days: bool = False
    when_quiet: WhenQuiet = "skip"

    def on(self, day: date, days: BusinessDays) -> bool:
        return day.weekday() in self.weekdays and (not self.business_days or days.works(day))


@dataclass(frozen=True, slots=True)
class Due:
    """One moment at which one period is to be loaded. planned_at: when it would have been without quiet times. Both in UTC."""

    at: datetime
    period: str
    step: str
    figures: Figures
    planned_at: datetime

    @property
    def key(self) -> str:
        """What this moment is called for ever: by it a run is found that was asked for already."""
        return f"{self.period}-{self.step}-{self.at:%Y%m%dT%H%MZ}"


@dataclass(frozen=True)
class CloseCalendar:
    """The close of one connection. zone: whose clock the times are read from; erp_zone: where the ERP's day begins and ends."""

    fiscal: FiscalCalendar
    zone: ZoneInfo
    erp_zone: ZoneInfo
    days: BusinessDays
    steps: tuple[Step, ...]
    cadence: Cadence | None = None
    quiet: tuple[Quiet, ...] = ()

    def of_period(self, key: str) -> list[Due]:
        """Every moment of one period, in order. Raises DataError for a period that the calendar does not have."""
        period = self.fiscal.period(key)
        return sorted([*self._steps_of(period), *self._cadence_of(period)], key=self._order)

    def between(self, start: datetime, end: datetime) -> list[Due]:
        """Every moment from start up to, not including, end, in order; at one moment in fiscal order."""
        first, last = start.date(), end.date()
        near = [one for one in self.fiscal.periods if first - REACH <= one.end_on and one.start_on <= last + REACH]
        steps = (due for one in near for due in self._steps_of(one))
        shifted = self.cadence is not None and self.cadence.when_quiet == "shift"
        since, until = first - (_LONGEST_QUIET if shifted else 2 * _DAY), last + 2 * _DAY
        opened = (due for one in near for due in self._cadence_of(one, since, until))
        return sorted((due for each in (steps, opened) for due in each if start <= due.at < end), key=self._order)

    def missing(self, now: datetime, back: timedelta, asked: Callable[[Due], bool]) -> list[Due]:
        """What is due by now and was not asked for, in fiscal order: of each period only the newest moment, since every load reads its period whole.

        So a week without a daemon is made up by one load of each period, not by one for each moment that was missed. back: how long after its moment
        something is still made up.
        """
        newest = {due.period: due for due in self.between(now - back, now + timedelta(microseconds=1))}
        return [due for due in sorted(newest.values(), key=lambda due: self._places[due.period]) if not asked(due)]

    def open_at(self, moment: datetime) -> FiscalPeriod | None:
        """The ordinary period that the ERP's day of this moment belongs to; None outside of the calendar."""
        day = moment.astimezone(self.erp_zone).date()
        place = bisect_right(self._starts, day) - 1
        found = self._ordinary[place] if place >= 0 else None
        return found if found and day <= found.end_on else None

    def next_load_of_open(self, key: str, now: datetime) -> datetime | None:
        """When the period is loaded next by its cadence, or by its first step where no moment of it is left; None where it is not the open one, or has no cadence."""
        open_now = self.open_at(now)
        if self.cadence is None or open_now is None or open_now.key != key:
            return None
        return next((due.at for due in self.of_period(key) if due.at > now), None)

    def next_business_day(self, moment: datetime, at: time) -> datetime:
        """That time of the first day after this moment that is worked, by the clock of the close."""
        day = moment.astimezone(self.zone).date() + _DAY
        return self._instant(self.days.first_from(day), at)

    def quiet_until(self, now: datetime) -> datetime | None:
        """When something that no step plans may begin, in UTC; None where it may now."""
        after = self._after_quiet(now)
        return None if after == now else after

    def _steps_of(self, period: FiscalPeriod) -> Iterator[Due]:
        for step in self.steps:
            if day := step.day(period, self.days):
                yield from self._due(self._instant(day, step.at), period, step.name, step.figures, step.when_quiet)

    def _cadence_of(self, period: FiscalPeriod, since: date = date.min, until: date = date.max) -> Iterable[Due]:
        """Those planned on the days from since to until. Once per moment: where quiet times shift several to their end, or the clock of spring two to one,
        one is left.
        """
        if self.cadence is None or period.adjustment:
            return []
        found: dict[datetime, Due] = {}
        # Days of two zones are up to 26 hours apart.
        day, last = max(period.start_on - 2 * _DAY, since), min(period.end_on + 2 * _DAY, until)
        while day <= last:
            for at in self.cadence.at if self.cadence.on(day, self.days) else ():
                if self.open_at(moment := self._instant(day, at)) == period:
                    for due in self._due(moment, period, OPEN, "provisional", self.cadence.when_quiet):
                        found.setdefault(due.at, due)
            day += _DAY
        return found.values()

    def _due(
        self, planned: datetime, period: FiscalPeriod, step: str, figures: Figures, when_quiet: WhenQuiet
    ) -> Iterator[Due]:
        at = self._after_quiet(planned)
        if at == planned or when_quiet == "shift":
            yield Due(at, period.key, step, figures, planned)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    def _after_quiet(self, planned: datetime) -> datetime:
        """The moment itself, or the first one after it that no quiet time covers. Raises DataError where they leave none."""
        moment = planned
        for _ in range(_SHIFTS_MAX):
            ends = [end for one in self.quiet if (end := one.ends_at(moment))]
            if not ends:
                return moment
            if (moment := max(ends)) - planned > _LONGEST_QUIET:
                break
        raise DataError(
            f"Quiet hours and blackouts leave no moment within {_LONGEST_QUIET.days} days after {planned:%Y-%m-%d %H:%M} UTC.",
            next_step="Shorten `quiet_hours` or `blackouts` in the connection file.",
        )

    @cached_property
    def _ordinary(self) -> list[FiscalPeriod]:
        return [one for one in self.fiscal.periods if not one.adjustment]

    @cached_property
    def _starts(self) -> list[date]:
        return [one.start_on for one in self._ordinary]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.fiscal.keys)}

    def _order(self, due: Due) -> tuple[datetime, int, int]:
        """By moment, then in fiscal order; of one period the steps in the order in which they are declared, after the cadence."""
        names = [OPEN, *(step.name for step in self.steps)]
        return due.at, self._places[due.period], names.index(due.step)
