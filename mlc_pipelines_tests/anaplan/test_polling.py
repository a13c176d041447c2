"""How late the end of a task is noticed, and how many looks that takes, whatever its length. Time is simulated: nothing waits."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.anaplan.tasks import Action, Runner
from mlc_pipelines.ledger.errors import SetupError

ACTION = Action("/models/M/imports/112000000001", "import A", "", True)
SHARE, LEAST_SECONDS = 0.15, 0.5
BUDGET_PER_MINUTE = 600  # of the whole tenant [S APIMD]


@dataclass
class Wire:
    """The calls of a runner, answered from a simulated clock: one task, which ends so many seconds after its start."""

    ends_after: float
    latency: float
    now: float = 0.0
    polls: list[float] = field(default_factory=list)
    started_at: float = 0.0

    @property
    def caller(self) -> "Wire":
        return self

    def write(self, method: str, path: str, **_: Any) -> Any:
        self.now += self.latency
        self.started_at = self.now
        return _Started()

    def get(self, path: str, **_: Any) -> dict[str, Any]:
        self.polls.append(self.now)
        self.now += self.latency
        state = "COMPLETE" if self.polls[-1] + self.latency / 2 >= self.started_at + self.ends_after else "IN_PROGRESS"
        return {"task": {"taskId": "T", "taskState": state}}

    def list(self, path: str, key: str, **_: str) -> list[dict[str, Any]]:
        return []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


class _Started:
    status, wrote, call = 200, True, "POST"

    def json(self) -> dict[str, Any]:
        return {"task": {"taskId": "T", "taskState": "NOT_STARTED"}}


def config(**changes: Any) -> AnaplanConfig:
    return AnaplanConfig(auth_url="https://a.example", api_url="https://b.example", workspace="W", model="M", **changes)


def watched(seconds: float, latency: float = 0.0, **changes: Any) -> tuple[float, Wire]:
    """How late the end was noticed, and the calls that were made."""
    wire = Wire(seconds, latency)
    runner = Runner(wire, config(**changes), sleep=wire.sleep, clock=wire.clock)  # type: ignore[arg-type]
    assert "COMPLETE" == runner.run(ACTION).task["taskState"]
    return wire.now - wire.started_at - seconds, wire


def most_in_a_minute(polls: list[float]) -> int:
    return max(sum(1 for other in polls if at <= other < at + 60) for at in polls[:: max(1, len(polls) // 50)])


@settings(max_examples=120, deadline=None)
@given(seconds=st.floats(0.5, 1800), latency=st.sampled_from([0.0, 0.02, 0.2]), seed=st.integers(0, 10_000))
def test_the_end_of_a_task_is_noticed_in_time(seconds: float, latency: float, seed: int) -> None:
    """At most 15 % of its length (or half a second) late, in a quarter of the tenant's requests at the most."""
    random.seed(seed)
    late, wire = watched(seconds, latency)
    assert late <= max(SHARE * seconds, LEAST_SECONDS) + latency
    assert most_in_a_minute(wire.polls) <= BUDGET_PER_MINUTE / 4
    assert len(wire.polls) <= 30 + 100 + seconds / 4


@pytest.mark.parametrize(("seconds", "polls_max"), [(0.5, 7), (2, 26), (10, 60), (60, 100), (300, 160), (1800, 500)])
def test_so_many_looks_at_a_task_of_this_length(seconds: float, polls_max: int) -> None:
    """Far fewer than once a second as soon as it takes minutes; long ones are asked after every 5 s, as Anaplan recommends."""
    assert len(watched(seconds)[1].polls) <= polls_max


def test_floor_and_cap_are_the_connections_to_set() -> None:
    """Where a tenant is short of requests, no two looks are nearer than its floor."""
    _, wire = watched(1800, poll_floor_seconds=5.0, poll_cap_seconds=30.0)
    gaps = [after - before for before, after in zip(wire.polls, wire.polls[1:], strict=False)]
    assert 4.999 <= min(gaps)
    assert 30.001 >= max(gaps) > 20.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"poll_floor_seconds": 0.01},
        {"poll_share": 0.001},
        {"poll_floor_seconds": 6.0, "poll_cap_seconds": 5.0},
        {"upload_workers": 0},
        {"upload_workers": 9},
        {"chunk_bytes": 999_999},
        {"chunk_bytes": 50_000_001},
    ],
)
def test_settings_beyond_what_the_service_bears_are_refused(wrong: dict[str, Any]) -> None:
    """Looking all the time would spend every request of the tenant."""
    with pytest.raises(SetupError, match="|".join(wrong)):
        config(**wrong)


def table(write: Callable[[str], object] = print) -> None:
    """For a report: lengths, looks and lateness, the worst of many."""
    for seconds in (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800):
        runs = [watched(seconds * random.uniform(1, 1.1), 0.02) for _ in range(200)]
        polls = sorted(len(wire.polls) for _, wire in runs)
        worst = max(late for late, _ in runs)
        peak = max(most_in_a_minute(wire.polls) for _, wire in runs)
        write(
            f"{seconds:7.1f} s  polls {polls[100]:4}  worst {worst:.2f} s = {worst / seconds:.1%}  most in a minute {peak}"
        )
