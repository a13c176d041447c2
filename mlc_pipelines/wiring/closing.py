"""What a connection file may say of its close: time zone, holidays, steps, the open period's cadence, quiet times."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, NaiveDatetime, model_validator

from mlc_pipelines.ledger import closing, workdays
from mlc_pipelines.ledger.closing import REACH, Blackout, Cadence, CloseCalendar, Quiet
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, split_key
from mlc_pipelines.wiring.holidays import holidays_of
from mlc_pipelines.wiring.parts import WEEK, Setting, Text, Weekday
from mlc_pipelines.wiring.quiet import Days, Hours, quiet_hours, zone_of

_HOUR = 60
_DAY_RULE = re.compile(r"(WD|D)([+-]?\d{1,3})")
_FURTHEST = {"WD": 200, "D": 300}
_MONTH_DAYS = 31


def _clock_text(value: object) -> object:
    """YAML reads 18:00 without quotes as 1080, the minutes of the day; it is a time all the same."""
    if isinstance(value, int) and not isinstance(value, bool) and _HOUR <= value < 24 * _HOUR:
        return f"{value // _HOUR:02d}:{value % _HOUR:02d}"
    if not isinstance(value, str) or not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value.strip()):
        raise ValueError(f"{value!r} is not a time of day; write it like 06:30")
    return value.strip().rjust(5, "0")


Clock = Annotated[str, BeforeValidator(_clock_text)]


def _understood(day: int | str) -> int | str:
    rule_of(day, "next")
    return day


def rule_of(day: int | str, roll: workdays.Roll) -> workdays.DayRule:
    """The rule that is meant by WD+3, D+10 or 5. Raises ValueError for anything else."""
    if isinstance(day, int) and 1 <= day <= _MONTH_DAYS:
        return workdays.DayOfMonth(day, roll)
    match = _DAY_RULE.fullmatch(str(day).replace(" ", "").upper())
    if match is None or abs(int(match[2])) > _FURTHEST[match[1]]:
        raise ValueError(
            f"day {day!r} is not understood; write WD+3 (business days after the period's end), WD-1 (before it), D+10 (days), or 5 (day of the month)"
        )
    return workdays.BusinessDay(int(match[2])) if match[1] == "WD" else workdays.DayAfter(int(match[2]), roll)


class CloseStep(Setting):
    """One step of the close: its day, and the time of that day.

    day: WD+3, WD-1 (business days), D+10 (days), or 5 (day of the month). roll: where D and days of the month go that are not worked.
    dates: days of single periods. periods, numbers: which periods have the step. when_quiet: go to the next allowed moment, or leave it out.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    day: Annotated[int | str, AfterValidator(_understood)] = ""
    at: Clock = "06:00"
    figures: Literal["provisional", "final"] = "final"
    periods: Literal["every", "ordinary", "adjustment"] = "every"
    numbers: tuple[Annotated[int, Field(ge=1, le=99)], ...] = ()
    dates: dict[Text, date] = Field(default_factory=dict)
    roll: workdays.Roll = "next"
    when_quiet: Literal["shift", "skip"] = "shift"

    @model_validator(mode="after")
    def _whole(self) -> "CloseStep":
        if not self.day and not self.dates:
            raise ValueError(f"the step {self.name} has no `day` and no `dates`; give one of them")
        if self.name == closing.OPEN:
            raise ValueError("a step cannot be called open: that is what loads of the open period are called")
        if "roll" in self.model_fields_set and str(self.day).upper().startswith("WD"):
            raise ValueError(f"day {self.day} is a business day by itself; delete `roll`")
        for key in self.dates:
            split_key(key)
        return self

    def build(self, fiscal: FiscalCalendar) -> closing.Step:
        for key, day in self.dates.items():
            if abs(day - fiscal.period(key).end_on) > REACH:
                raise SetupError(
                    f"The step {self.name} of {key} is dated {day}, more than {REACH.days} days from the period's end.",
                    next_step="Correct `close.steps` in the connection file.",
                )
        return closing.Step(
            self.name,
            rule_of(self.day, self.roll) if self.day else None,
            time.fromisoformat(self.at),
            self.figures,
            self.periods,
            frozenset(self.numbers),
            self.dates,
            self.when_quiet,
        )


_EVERY_HOURS = Literal["1h", "2h", "3h", "4h", "6h", "8h", "12h"]


class OpenPeriod(Setting):
    """How often the open period is loaded: every business_day, day, weekday (fri), or so many hours (4h, the first of them at `at`)."""

    every: Literal["business_day", "day"] | Weekday | _EVERY_HOURS
    at: Clock = "06:00"
    when_quiet: Literal["shift", "skip"] = "skip"

    def build(self) -> Cadence:
        at = time.fromisoformat(self.at)
        times: tuple[time, ...] = (at,)
        if self.every in get_args(_EVERY_HOURS):
            hours = int(self.every.removesuffix("h"))
            times = tuple(at.replace(hour=hour) for hour in range(at.hour % hours, 24, hours))
        weekdays = frozenset({WEEK.index(self.every)}) if self.every in WEEK else frozenset(range(7))
        return Cadence(times, weekdays, self.every == "business_day", self.when_quiet)


class QuietWeek(Setting):
    """Hours of the week in which nothing is begun, in the close's time zone; 22:00-06:00 goes into the next day. days: those on which they begin."""

    hours: Hours
    days: Days = WEEK


class BlackoutSpan(Setting):
    """A span in which nothing is begun, in the close's time zone: an upgrade, a freeze of the plan."""

    begin: NaiveDatetime
    end: NaiveDatetime

    @model_validator(mode="after")
    def _in_order(self) -> "BlackoutSpan":
        if self.end <= self.begin:
            raise ValueError(f"the blackout ends at {self.end}, not after it begins at {self.begin}")
        return self


class Close(Setting):
    """The close calendar: when which period is loaded by itself, once its schedule is switched on in Dagit.

    erp_time_zone: where the ERP's day begins and ends, which decides what period is open; the same zone unless said. holidays: countries, regions (DE-BY)
    and exchanges (NYSE), added together. make_up_days: how long after its moment a missed load is still made up.
    """

    time_zone: Text
    erp_time_zone: str = ""
    weekend: tuple[Weekday, ...] = ("sat", "sun")
    holidays: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{2,5}(-.{1,30})?$")], ...] = ()
    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()
    steps: Annotated[tuple[CloseStep, ...], Field(min_length=1)]
    open_period: OpenPeriod | None = None
    quiet_hours: tuple[QuietWeek, ...] = ()
    blackouts: tuple[BlackoutSpan, ...] = ()
    make_up_days: int = Field(7, ge=1, le=60)

    @model_validator(mode="after")
    def _understood(self) -> "Close":
        zone_of(self.erp_time_zone or self.time_zone)
        self._quiet()
        names = [step.name for step in self.steps]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two steps are called {twice[0]}; give each a name of its own")
        if both := sorted(set(self.days_off) & set(self.working_days)):
            raise ValueError(f"{both[0]} is a day off and a working day; delete one of them")
        if len(set(self.weekend)) == len(WEEK):
            raise ValueError("weekend names all seven days; no business day is left")
        return self

    def build(self, fiscal: FiscalCalendar, also_quiet: Sequence[Quiet] = ()) -> CloseCalendar:
        """The calendar of these periods. also_quiet: what is declared elsewhere. Raises SetupError for holidays that nobody knows."""
        zone = zone_of(self.time_zone)
        days = workdays.BusinessDays(
            frozenset(WEEK.index(day) for day in self.weekend),
            tuple(holidays_of(code) for code in self.holidays),
            frozenset(self.days_off),
            frozenset(self.working_days),
        )
        return CloseCalendar(
            fiscal,
            zone,
            zone_of(self.erp_time_zone) if self.erp_time_zone else zone,
            days,
            tuple(step.build(fiscal) for step in self.steps),
            self.open_period.build() if self.open_period else None,
            (*self._quiet(), *also_quiet),
        )

    def _quiet(self) -> tuple[Quiet, ...]:
        zone = zone_of(self.time_zone)
        week = (quiet_hours(zone, one.hours, one.days) for one in self.quiet_hours)
        spans = (Blackout(*(_instant(at, self) for at in (one.begin, one.end))) for one in self.blackouts)
        return (*week, *spans)


def _instant(at: datetime, close: Close) -> datetime:
    return at.replace(tzinfo=zone_of(close.time_zone)).astimezone(UTC)
