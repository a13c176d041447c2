"""Quiet hours: when a model belongs to its people, by the clock on their wall."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Spans of local time in which no load begins. zone follows daylight saving; an end at or before its start lies on the next day.

    days: weekdays on which a span begins, Monday = 0. then: wait until it is over, or end as WAITING at once.
    """

    zone: ZoneInfo
    spans: tuple[tuple[time, time], ...]
    days: frozenset[int] = frozenset(range(7))
    then: Literal["wait", "stop"] = "wait"

    def ends_at(self, now: datetime) -> datetime | None:
        """The end, in UTC, of the quiet hours that now lies in; None outside of them. Spans that meet or overlap are one."""
        end, seen = now, False
        for begins, ends in sorted(self._around(now)):
            if begins <= end < ends:
                end, seen = ends, True
        return end if seen else None

    def _around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        today = now.astimezone(self.zone).date()
        for day in (today + timedelta(days=number) for number in range(-1, 3)):
            if day.weekday() in self.days:
                for start, stop in self.spans:
                    last = day if stop > start else day + timedelta(days=1)
                    yield min(self._instants(day, start)), max(self._instants(last, stop))

    def _instants(self, day: date, at: time) -> list[datetime]:
        """Both readings of a wall time: they differ where the clock repeats an hour or leaves one out, and then all of it is quiet."""
        return [datetime.combine(day, at.replace(fold=fold), self.zone).astimezone(UTC) for fold in (0, 1)]
