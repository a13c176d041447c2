"""The close calendar over random calendars: every period once, in order, without gaps; and what is made up after an outage."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.closing import Blackout, Cadence, CloseCalendar, Due, Step
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, YearEnd, monthly_calendar, weeks_calendar
from mlc_pipelines.ledger.workdays import BusinessDay, BusinessDays, DayAfter, DayOfMonth, DayRule

ZONES = [ZoneInfo(name) for name in ("America/Denver", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")]
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MONTHS = st.builds(
    lambda month, adjustment: monthly_calendar(2024, 2026, first_month=month, adjustment=adjustment),
    st.integers(1, 12),
    st.booleans(),
)
WEEKS = st.builds(
    lambda pattern, month, weekday, rule, adjustment: weeks_calendar(
        2024, 2026, pattern=pattern, year_end=YearEnd(month, weekday, rule), adjustment=adjustment
    ),
    st.sampled_from([(4, 4, 5) * 4, (4, 5, 4) * 4, (5, 4, 4) * 4, (4,) * 13]),
    st.integers(1, 12),
    st.integers(0, 6),
    st.sampled_from(["last", "nearest"]),
    st.booleans(),
)
RULES: st.SearchStrategy[DayRule] = st.one_of(
    st.builds(BusinessDay, st.integers(-10, 15)),
    st.builds(DayAfter, st.integers(-20, 60), st.sampled_from(["next", "previous", "stay"])),
    st.builds(DayOfMonth, st.integers(1, 31), st.sampled_from(["next", "previous", "stay"])),
)
HOLIDAYS = st.frozensets(st.dates(date(2022, 12, 1), date(2027, 12, 31)), max_size=60)
WORKDAYS = st.builds(lambda weekend, off: BusinessDays(weekend, (off,)), st.frozensets(st.integers(0, 6), max_size=4), HOLIDAYS)  # fmt: skip


@st.composite
def closes(draw: st.DrawFn) -> CloseCalendar:
    fiscal: FiscalCalendar = draw(st.one_of(MONTHS, WEEKS))
    zone = draw(st.sampled_from(ZONES))
    steps = tuple(Step(f"s{number}", rule, draw(TIMES)) for number, rule in enumerate(draw(st.lists(RULES, min_size=1, max_size=3))))  # fmt: skip
    return CloseCalendar(fiscal, zone, zone, draw(WORKDAYS), steps)


ALL_TIME = (datetime(2022, 1, 1, tzinfo=UTC), datetime(2028, 12, 31, tzinfo=UTC))


@settings(max_examples=40, deadline=None)
@given(closes())
def test_every_period_comes_once_per_step_in_fiscal_order(close: CloseCalendar) -> None:
    """No period is left out, none comes twice, none overtakes another; and the moments of one period are those of all of them."""
    found = close.between(*ALL_TIME)
    assert found == sorted(found, key=lambda due: due.at)
    for step in close.steps:
        assert close.fiscal.keys == [due.period for due in found if due.step == step.name]
    for key in close.fiscal.keys[::7]:
        assert close.of_period(key) == [due for due in found if due.period == key]


@settings(max_examples=20, deadline=None)
@given(closes(), TIMES, st.integers(1, 40))
def test_windows_that_meet_hold_what_the_whole_holds(close: CloseCalendar, at: time, days: int) -> None:
    """Asked for day by day or all at once: the same moments, each once, so that no tick can lose or double one."""
    close = replace(close, cadence=Cadence((at,)))
    start = datetime(2025, 1, 1, 12, tzinfo=UTC)
    edges = [start + timedelta(days=days) * number for number in range(4)]
    pieces = [due for begin, end in pairwise(edges) for due in close.between(begin, end)]
    assert close.between(edges[0], edges[-1]) == pieces
    assert len({due.key for due in pieces}) == len(pieces)


@settings(max_examples=15, deadline=None)
@given(st.one_of(MONTHS, WEEKS), st.sampled_from(ZONES), TIMES)
def test_J01_each_day_belongs_to_one_open_period(fiscal: FiscalCalendar, zone: ZoneInfo, at: time) -> None:
    """A load each day: as many as there are days, one on each, over both nights of the clock and over every border of a period."""
    close = CloseCalendar(fiscal, zone, zone, BusinessDays(), (), Cadence((at,)))
    found = close.between(*ALL_TIME)
    first, last = fiscal.periods[0].start_on, fiscal.periods[-1].end_on
    assert [first + timedelta(days=number) for number in range((last - first).days + 1)] == [
        due.at.astimezone(zone).date() for due in found
    ]
    assert all(fiscal.period(due.period).start_on <= due.at.astimezone(zone).date() for due in found)


DENVER = ZONES[0]
WEEK = timedelta(days=7)


@pytest.fixture
def close() -> CloseCalendar:
    """Each business day at 06:00, provisional on WD+1 and final on WD+5; years from January."""
    steps = (
        Step("flash", BusinessDay(1), time(8), "provisional"),
        Step("final", BusinessDay(5), time(18)),
    )
    calendar = monthly_calendar(2025, 2027)
    return CloseCalendar(calendar, DENVER, DENVER, BusinessDays(), steps, Cadence((time(6),), business_days=True))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nothing_yet(due: Due) -> bool:
    return False


def test_H04_a_week_without_a_daemon_is_made_up_once(close: CloseCalendar) -> None:
    """From Friday to Thursday nothing ran: February is asked for as its newest step says, March once, whatever number of mornings was missed."""
    found = close.missing(utc("2026-03-05T15:00"), WEEK, nothing_yet)
    assert ["FY2026-P02-flash-20260302T1500Z", "FY2026-P03-open-20260305T1300Z"] == [due.key for due in found]
    assert ["provisional", "provisional"] == [due.figures for due in found]


def test_what_was_asked_for_is_not_asked_for_again(close: CloseCalendar) -> None:
    """The next tick finds only what fell due since."""
    first = close.missing(utc("2026-03-05T15:00"), WEEK, nothing_yet)
    asked = {due.key for due in first}
    assert [] == close.missing(utc("2026-03-05T15:05"), WEEK, lambda due: due.key in asked)
    later = close.missing(utc("2026-03-07T01:00"), WEEK, lambda due: due.key in asked)
    assert ["FY2026-P02-final-20260307T0100Z", "FY2026-P03-open-20260306T1300Z"] == [due.key for due in later]


def test_a_moment_counts_from_its_instant_on(close: CloseCalendar) -> None:
    """Not a microsecond before, and for as long as it is made up."""
    at, moment = utc("2026-03-07T01:00"), timedelta(microseconds=1)  # Friday, 18:00 in Denver
    ticks = [at - moment, at, at + WEEK, at + WEEK + moment]
    told = [[due.step for due in close.missing(now, WEEK, nothing_yet) if due.period == "FY2026-P02"] for now in ticks]
    assert [["flash"], ["final"], ["final"], []] == told


@settings(max_examples=20, deadline=None)
@given(closes(), TIMES, st.lists(st.integers(5, 6 * 24 * 60), min_size=5, max_size=20))
def test_H04_whatever_the_outages_every_step_is_asked_for_or_covered_by_a_later_one(
    close: CloseCalendar, at: time, pauses: list[int]
) -> None:
    """Ticks with random pauses of up to six days: no moment twice, and each period loaded by the first tick after each of its moments."""
    close = replace(close, cadence=Cadence((at,)))
    start = now = utc("2025-02-20T00:00")
    asked: dict[str, tuple[Due, datetime]] = {}
    for minutes in pauses:
        now += timedelta(minutes=minutes)
        for due in close.missing(now, WEEK, lambda due: due.key in asked):
            assert due.key not in asked
            asked[due.key] = (due, now)
    loads = [(due.period, tick) for due, tick in asked.values()]
    ticks = [start + timedelta(minutes=sum(pauses[: number + 1])) for number in range(len(pauses))]
    for due in close.between(start, now):
        next_tick = min(tick for tick in ticks if tick >= due.at)
        assert (due.period, next_tick) in loads
    assert len(loads) == len(set(loads))


def test_quiet_times_without_end_are_refused(close: CloseCalendar) -> None:
    """A blackout of a year leaves no moment: it is told, and nothing is put off for months in silence."""
    blocked = replace(close, quiet=(Blackout(utc("2026-01-01T00:00"), utc("2027-01-01T00:00")),))
    with pytest.raises(DataError, match="leave no moment within 60 days"):
        blocked.of_period("FY2026-P03")


def test_days_without_work_are_refused() -> None:
    """Where no business day comes within sixty days, the declaration is wrong."""
    never = BusinessDays(frozenset(range(7)))
    with pytest.raises(DataError, match="No business day"):
        never.first_from(date(2026, 1, 1))
