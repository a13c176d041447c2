"""Quiet hours follow the clock on the wall, also on the two nights on which it is changed; loads wait or end as WAITING."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.quiet import QuietHours
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Anaplan]
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quiet(*spans: str, days: range = range(7), **rest: Any) -> QuietHours:
    pairs = tuple((time.fromisoformat(span[:5]), time.fromisoformat(span[6:])) for span in spans)
    return QuietHours(BERLIN, pairs, frozenset(days), **rest)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-15T07:59", "2026-01-15T08:00"),  # 08:59 in winter
        ("2026-01-15T08:00", None),  # 09:00: over
        ("2026-07-15T06:30", "2026-07-15T07:00"),  # 08:30 in summer, an hour earlier by UTC
        ("2026-07-15T07:30", None),
        ("2026-01-15T06:59", None),  # before
    ],
)
def test_hours_follow_daylight_saving(now: str, end: str | None) -> None:
    """08:00 to 09:00 in Berlin is another hour in UTC in summer than in winter."""
    assert (at(end) if end else None) == quiet("08:00-09:00").ends_at(at(now))


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-15T22:30", "2026-01-16T05:00"),  # 23:30, until 06:00 on the next day
        ("2026-01-16T04:59", "2026-01-16T05:00"),
        ("2026-01-16T05:00", None),
        ("2026-10-24T21:00", "2026-10-25T05:00"),  # the night with one hour more
        ("2026-03-28T22:00", "2026-03-29T04:00"),  # the night with one hour less
    ],
)
def test_a_night_ends_on_the_next_day(now: str, end: str | None) -> None:
    """22:00 to 06:00, also over the nights on which the clock is changed."""
    assert (at(end) if end else None) == quiet("22:00-06:00").ends_at(at(now))


@pytest.mark.parametrize("now", ["2026-10-25T00:10", "2026-10-25T01:20"])
def test_j_an_hour_that_comes_twice_is_quiet_as_a_whole(now: str) -> None:
    """02:00 to 02:30 comes twice: it is over when its second time is over."""
    assert at("2026-10-25T01:30") == quiet("02:00-02:30").ends_at(at(now))


def test_an_end_in_the_hour_that_is_left_out_is_no_earlier() -> None:
    """02:30 does not exist on that night: quiet lasts until 03:30 by the new time."""
    assert at("2026-03-29T01:30") == quiet("01:00-02:30").ends_at(at("2026-03-29T00:30"))


def test_days_are_those_on_which_it_begins() -> None:
    """Friday night lasts into Saturday; Saturday night is free."""
    nights = quiet("22:00-06:00", days=range(4, 5))
    assert at("2026-01-17T05:00") == nights.ends_at(at("2026-01-17T02:00"))
    assert nights.ends_at(at("2026-01-18T02:00")) is None


def test_spans_that_meet_are_one() -> None:
    """Nothing begins in the instant between two of them."""
    assert at("2026-01-15T10:00") == quiet("08:00-09:00", "09:00-11:00").ends_at(at("2026-01-15T07:30"))


class Wall:
    """A time of day that sleeping moves."""

    def __init__(self, now: str) -> None:
        self.now = at(now)
        self.said: list[str] = []


@pytest.fixture
def visit(connect: Connect, hands: Any) -> Callable[..., tuple[Anaplan, Wall]]:
    def build(now: str, **changes: Any) -> tuple[Anaplan, Wall]:
        wall = Wall(now)
        begun = hands.clock()

        def tell() -> datetime:
            return wall.now + (datetime.fromtimestamp(hands.clock(), UTC) - datetime.fromtimestamp(begun, UTC))

        return connect(given={"now": tell, "say": wall.said.append}, **changes), wall

    return build


def test_a_load_waits_until_they_are_over(visit, hands: Any, sandbox: Sandbox) -> None:
    """The reason and the end are told once, in the people's own time; nothing is called meanwhile."""
    plan, wall = visit("2026-01-15T07:00", quiet=quiet("08:00-09:00"))
    with plan:
        plan.wait_until_welcome()
    assert 3600 <= hands.clock() <= 3602
    assert ["2026-01-15 09:00 Europe/Berlin" in said for said in wall.said] == [True]
    assert [] == sandbox.traffic.requests


def test_a_load_ends_waiting_where_that_is_configured(visit, hands: Any) -> None:
    """At once, with the end of the quiet hours in the message."""
    plan, _ = visit("2026-01-15T07:00", quiet=quiet("08:00-09:00", then="stop"))
    with plan, pytest.raises(WaitingError, match=r"WAITING: .*quiet hours until 2026-01-15 09:00 Europe/Berlin"):
        plan.wait_until_welcome()
    assert 0 == hands.clock()
