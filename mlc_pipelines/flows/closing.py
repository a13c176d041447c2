"""The close calendar as people read it: the coming moments, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from mlc_pipelines.ledger.closing import OPEN, CloseCalendar, Due

TITLES = ("when", "period", "what", "figures", "times", "until", "UTC", "beware")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the calendar: a step of a period, or all loads of an open period together (times: how many, until: the last of them)."""

    first: Due
    last: Due
    times: int

    def cells(self, close: CloseCalendar) -> tuple[str, ...]:
        """As texts under TITLES, in the local time of the close."""
        first, many = self.first, self.times > 1
        return (
            _local(first.at, close),
            first.period,
            "open period" if first.step == OPEN else first.step,
            first.figures,
            str(self.times),
            _local(self.last.at, close) if many else "",
            f"{first.at:%Y-%m-%d %H:%M}",
            f"put off from {_local(first.planned_at, close)} by quiet times" if first.at != first.planned_at else "",
        )


def coming(close: CloseCalendar, start: datetime, end: datetime) -> list[Line]:
    """What is to come from start to end, in order of the first moment of each line."""
    found = close.between(start, end)
    lines = [Line(due, due, 1) for due in found if due.step != OPEN]
    lines += _together([due for due in found if due.step == OPEN])
    return sorted(lines, key=lambda line: line.first.at)


def _together(opened: Sequence[Due]) -> Iterator[Line]:
    ordered = sorted(opened, key=lambda due: (due.period, due.at))
    for _, group in groupby(ordered, key=lambda due: due.period):
        of_period = list(group)
        yield Line(of_period[0], of_period[-1], len(of_period))


def ends_early(close: CloseCalendar, end: datetime) -> str:
    """A warning where the fiscal calendar has no period for the end of what is shown; "" where it has."""
    last = close.fiscal.periods[-1]
    if last.end_on >= end.astimezone(close.erp_zone).date():
        return ""
    return f"The fiscal calendar ends with {last.key} on {last.end_on}: extend `calendar` in the connection file."


def year_after(start: datetime) -> datetime:
    """The same day and time a year later; 1 March for 29 February."""
    try:
        return start.replace(year=start.year + 1)
    except ValueError:
        return start.replace(year=start.year + 1, month=3, day=1)


def midnight(day: date, close: CloseCalendar) -> datetime:
    """The beginning of a day where the close is at home."""
    return datetime(day.year, day.month, day.day, tzinfo=close.zone)


def _local(at: datetime, close: CloseCalendar) -> str:
    return f"{at.astimezone(close.zone):%a %Y-%m-%d %H:%M}"
