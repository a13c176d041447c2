"""When a CloudWorks schedule may start its job: every instant that fits its words.

A schedule names a wall time and a zone, yet runs on UTC, and the zone does not follow daylight saving [S COMM-cw]; which of the
zone's offsets counts is not recorded. So each offset that the zone has within the year gives an instant of its own, and a load keeps
clear of all of them. Field names and types of schedule: [S CW-MD].
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mlc_pipelines.ledger.errors import DataError

_LAST = 5


def possible_runs(schedule: Mapping[str, Any], begin: datetime, end: datetime) -> list[datetime]:
    """Every instant in [begin, end], in UTC and in order, at which the schedule may start; none for one that is not active.

    Raises DataError for a schedule that cannot be understood.
    """
    if schedule.get("status", "Active") != "Active":
        return []
    try:
        return sorted({at for at in _starts(schedule, begin, end) if begin <= at <= end})
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        said = ", ".join(f"{name} {schedule[name]!r}" for name in ("type", "time", "timezone") if name in schedule)
        raise DataError(
            f"The schedule ({said or 'of an unknown shape'}) cannot be understood ({error}).",
            next_step="Keep loads away from it with `anaplan.quiet_hours` in the connection file.",
        ) from None


def _starts(schedule: Mapping[str, Any], begin: datetime, end: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(schedule["timezone"])
    first, last = begin.date() - timedelta(days=2), end.date() + timedelta(days=2)
    if text := schedule.get("startDate"):
        first = max(first, date.fromisoformat(str(text)[:10]))
    if text := schedule.get("endDate"):
        last = min(last, date.fromisoformat(str(text)[:10]))
    day = first
    while day <= last:
        if _runs_on(schedule, day):
            for moment in _moments(schedule):
                for offset in _offsets(zone, day.year):
                    yield (datetime.combine(day, time(), UTC) + moment) - offset
        day += timedelta(days=1)


def _runs_on(schedule: Mapping[str, Any], day: date) -> bool:
    weekday, month_days = day.isoweekday() % 7, monthrange(day.year, day.month)[1]  # Sunday = 0 [S]
    match schedule["type"]:
        case "daily":
            return True
        case "weekly" | "hourly":
            return weekday in _weekdays(schedule)
        case "monthly_specific_day":
            # What a month without that day does is not recorded: its last day may count.
            return day.day == min(int(schedule["dayOfMonth"]), month_days)
        case "monthly_relative_weekday":
            which = int(schedule["repeatEvery"])
            is_last = which >= _LAST and day.day + 7 > month_days
            return weekday in _weekdays(schedule) and (is_last or (day.day - 1) // 7 + 1 == which)
        case kind:
            raise ValueError(f"unknown type {kind!r}")


def _weekdays(schedule: Mapping[str, Any]) -> set[int]:
    """`daysOfWeek` in the documents' table, `dayOfWeek` in their sample [S CW-MD]; every day where neither names one."""
    said = schedule.get("daysOfWeek") or schedule.get("dayOfWeek")
    if said is None or said == []:
        return set(range(7))
    return {int(one) % 7 for one in (said if isinstance(said, list) else [said])}


def _moments(schedule: Mapping[str, Any]) -> Iterator[timedelta]:
    """Time since local midnight of each start within a day."""
    if schedule["type"] != "hourly":
        yield _since_midnight(schedule["time"])
        return
    moment, until = _since_midnight(schedule["fromTime"]), _since_midnight(schedule["toTime"])
    until += timedelta(days=1) if until < moment else timedelta(0)
    step = timedelta(hours=max(int(schedule.get("repeatEvery") or 1), 1))
    while moment <= until:
        yield moment
        moment += step


def _since_midnight(text: str) -> timedelta:
    at = time.fromisoformat(text)
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _offsets(zone: ZoneInfo, year: int) -> set[timedelta]:
    """The offsets that the zone has within a year: one, or two with daylight saving."""
    middays = [datetime(year, month, 1, 12, tzinfo=zone) for month in range(1, 13)]
    return {midday.utcoffset() or timedelta(0) for midday in middays}
