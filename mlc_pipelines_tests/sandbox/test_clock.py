"""The sandbox's clock."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mlc_pipelines.sandbox.clock import Clock

START = datetime(2026, 8, 14, 9, 0, tzinfo=UTC)


def test_the_clock_ticks_from_its_start_and_never_back() -> None:
    """It starts at the given instant, shows UTC, and goes forward."""
    clock = Clock(START.astimezone(timezone(timedelta(hours=-6))))
    first, second = clock.now(), clock.now()
    assert START <= first <= second
    assert UTC == first.tzinfo


def test_advance_and_reset() -> None:
    """Pushes add up, and a reset undoes them all."""
    clock = Clock(START)
    clock.advance(1800)
    assert START + timedelta(minutes=40) <= clock.advance(600) <= clock.now()
    assert clock.reset() < START + timedelta(minutes=30)


def test_a_clock_stands_still_or_runs_faster_until_it_is_reset() -> None:
    """At speed 0 only pushes move it; at a million an instant is days; a reset is the real speed again."""
    clock = Clock(START)
    still = clock.run(0)
    assert [still, still + timedelta(seconds=5)] == [clock.now(), clock.advance(5)]
    before = clock.run(1e6)
    time.sleep(0.001)
    assert before + timedelta(seconds=1000) <= clock.now()
    assert clock.reset() < START + timedelta(hours=1)


def test_a_naive_start_is_refused() -> None:
    """An instant without a zone is no instant."""
    with pytest.raises(ValueError, match="no time zone"):
        Clock(datetime(2026, 8, 14))  # noqa: DTZ001
