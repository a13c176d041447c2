"""When nothing is begun: hours of the week, by the clock on a wall."""

from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from mlc_pipelines.anaplan.quiet import QuietHours
from mlc_pipelines.wiring.parts import WEEK, Setting, Text, Weekday

Hours = Annotated[tuple[Annotated[str, Field(pattern=r"^\d\d:\d\d ?- ?\d\d:\d\d$")], ...], Field(min_length=1)]
Days = Annotated[tuple[Weekday, ...], Field(min_length=1)]


class QuietTimes(Setting):
    """When no load begins, by the clock on the wall of time_zone: hours like 07:00-09:30, or 22:00-06:00 into the next day; days on which they begin."""

    time_zone: Text
    hours: Hours
    days: Days = WEEK
    then: Literal["wait", "stop"] = "wait"

    @model_validator(mode="after")
    def _understood(self) -> "QuietTimes":
        self.build()
        return self

    def build(self) -> QuietHours:
        return quiet_hours(zone_of(self.time_zone), self.hours, self.days, self.then)


def quiet_hours(
    zone: ZoneInfo, hours: tuple[str, ...], days: tuple[Weekday, ...], then: Literal["wait", "stop"] = "wait"
) -> QuietHours:
    """Raises ValueError where the hours cannot be understood."""
    return QuietHours(zone, tuple(_span(text) for text in hours), frozenset(WEEK.index(day) for day in days), then)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError for any other."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time_zone {name!r} is not known; write it like Europe/Berlin") from None


def _span(text: str) -> tuple[time, time]:
    begin, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    if begin == end:
        raise ValueError(f"hours {text!r} begin and end at the same time; write for instance 00:00-12:00")
    return begin, end
