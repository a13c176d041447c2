"""Requests per minute: one log for all processes, never more than stated in any minute, each in its turn."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.store.budget import SharedBudget, _first_room
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.schema import request_grants

BEGINNING = 1_800_000_000.0


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def budget(store: Store, time: Time) -> Callable[..., SharedBudget]:
    """A caller of its own, as another process would make it."""

    def make(per_minute: int = 60, name: str = "tenant", wait_seconds: float = 600.0) -> SharedBudget:
        return SharedBudget(
            store.engine, name, per_minute, wait_seconds=wait_seconds, sleep=time.sleep, clock=time.clock
        )

    return make


def peak(times: list[float]) -> int:
    """Most requests in any 60 seconds."""
    return max(sum(1 for other in times if first <= other < first + 60) for first in times)


def permits(store: Store) -> int:
    with store.engine.connect() as db:
        return int(db.execute(sa.select(sa.func.coalesce(sa.func.sum(request_grants.c.permits), 0))).scalar_one())


def test_what_fits_leaves_at_once(budget, time: Time) -> None:
    """A whole minute's worth may be sent without a pause."""
    with budget() as one:
        assert [0.0] * 60 == [one.take() for _ in range(60)]
    assert [] == time.slept


def test_no_minute_has_more_than_stated(budget, time: Time) -> None:
    """Two callers, 300 requests: in no 60 seconds more than 60, and hardly less than that on the long run."""
    sent: list[float] = []
    with budget() as one, budget() as other:
        for _ in range(150):
            for caller in (one, other):
                caller.take()
                sent.append(time.now)
                time.now += 0.01
    assert 60 >= peak(sent)
    assert 300 / 60 * 75 > sent[-1] - sent[0]


def test_callers_take_turns(budget, time: Time) -> None:
    """Nobody waits until the other has finished: both get about the same share of each minute."""
    took: list[str] = []
    with budget(20) as one, budget(20) as other:
        for _ in range(60):
            for name, caller in (("one", one), ("other", other)):
                caller.take()
                took.append(name)
    assert 30 == took[:60].count("one")


def test_what_was_not_used_is_given_back(budget, store: Store) -> None:
    """The log ends with what was really sent, so the next run is not kept waiting for nothing."""
    with budget() as one:
        for _ in range(20):
            one.take()
    assert 20 == permits(store)


def test_rare_callers_take_one_at_a_time(budget, store: Store, time: Time) -> None:
    """A poll every 10 seconds does not use up blocks."""
    with budget() as one:
        for _ in range(6):
            one.take()
            time.now += 10
        assert 6 == permits(store)


def test_two_tenants_do_not_wait_for_each_other(budget, time: Time) -> None:
    """Each has its own minute."""
    with budget(5, "one") as one, budget(5, "other") as other:
        for _ in range(5):
            one.take()
            other.take()
    assert [] == time.slept


def test_b10_a_refusal_makes_everybody_pause(budget, time: Time) -> None:
    """429 with 7 seconds: the other process sends nothing before that either, though it held permits."""
    with budget() as one, budget() as other:
        for _ in range(3):
            other.take()
        one.refused(7.0)
        other.take()
    assert 7.0 <= time.now - BEGINNING < 9.5


def test_b11_a_refusal_without_a_time_is_ten_seconds(budget, time: Time) -> None:
    """Where Anaplan names no time, it suggests ten seconds."""
    with budget() as one:
        one.refused(0.0)
        one.take()
    assert 10.0 <= time.now - BEGINNING < 12.5


def test_a_shorter_refusal_does_not_end_a_longer_one(budget, time: Time) -> None:
    """Two answers crossed: the later end counts."""
    with budget() as one:
        one.refused(60.0)
        one.refused(1.0)
        one.take()
    assert 60.0 <= time.now - BEGINNING


def test_p14_who_is_refused_again_and_again_goes_slower(budget, time: Time) -> None:
    """Somebody else uses the tenant's requests, so that there is one every 6 seconds: few of ours are refused, and the pace comes back."""
    free_at, refusals = time.now, 0
    with budget() as one:
        for _ in range(20):
            one.take()
            while time.now < free_at:
                refusals += 1
                one.refused(6.0)
                one.take()
            free_at = time.now + 6.0
        assert 5 >= refusals
        time.now += 120
        slept = len(time.slept)
        for _ in range(10):
            one.take()
        assert slept == len(time.slept)


def test_waiting_ends_and_says_what_for(budget) -> None:
    """The limit on waiting is kept; nothing is wrong, and the message says who could do what."""
    with budget(5, wait_seconds=30.0) as one:
        for _ in range(5):
            one.take()
        with pytest.raises(WaitingError, match=r"WAITING: the 5 requests a minute to tenant") as end:
            one.take()
    assert "requests_per_minute" in end.value.next_step


def test_a_clock_that_was_wrong_does_not_stop_everybody(budget, time: Time) -> None:
    """Lines and pauses from a far future are not believed."""
    time.now += 86_400
    with budget(5) as ahead:
        for _ in range(5):
            ahead.take()
        ahead.refused(100.0)
    time.now = BEGINNING
    with budget(5) as one:
        one.take()
    assert BEGINNING == time.now


def test_threads_of_one_client_share_it(budget) -> None:
    """Chunks are sent in parallel: together no more than there is."""
    with budget(100) as one:
        threads = [threading.Thread(target=lambda: [one.take() for _ in range(20)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 80 <= one.per_minute - one._block.left


@given(
    st.lists(st.tuples(st.floats(0, 200), st.integers(1, 16)), max_size=60),
    st.integers(1, 16),
)
def test_the_first_room_is_never_too_early(wishes: list[tuple[float, int]], size: int) -> None:
    """Whatever the order of wishes: no window of the log ever holds more than the limit."""
    log: list[tuple[float, int]] = []
    now = 0.0
    for pause, permits in [*wishes, (0.0, size)]:
        now += pause
        log.append(_first_room(log, now, permits, 20))
    for end, _ in log:
        assert 20 >= sum(permits for at, permits in log if end - 69.999 < at <= end)


PROGRAM = """
import sys
from pathlib import Path
from mlc_pipelines.store.home import Store
from mlc_pipelines.ledger.errors import WaitingError
store = Store.open(Path(sys.argv[1]), sys.argv[2])
took = 0
with store.budget("tenant", 200, wait_seconds=0) as budget:
    sys.stdin.readline()
    try:
        while True:
            budget.take()
            took += 1
    except WaitingError:
        print(took, flush=True)
"""


def test_two_processes_get_no_more_than_one_minute_together(start, store: Store) -> None:
    """Both take as fast as they can until the minute is used up: together exactly its number, without a lost update."""
    url = f"sqlite:///{store.home / 'mlc.db'}"
    both = [start(PROGRAM, store.home, url) for _ in range(2)]
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    took = [int(one.communicate()[0]) for one in both]
    assert 200 == sum(took)
