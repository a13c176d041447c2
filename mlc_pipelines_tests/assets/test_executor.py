"""A run that waits for its turn in a model: it sleeps meanwhile, looks again within a second, and goes on when the other has left."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.executor import Turns, one_process

MODEL, OTHER_RUN = "anaplan_finance_meridian_fp_a", "another run"


@dg.op(pool=MODEL)
def load() -> int:
    return 1


@dg.op
def told(loaded: int) -> None:
    assert loaded


@dg.job(executor_def=one_process)
def period() -> None:
    told(load())


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in which another run is in the model."""
    settings = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}, "telemetry": {"enabled": False}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=settings) as instance:
        instance.event_log_storage.initialize_concurrency_limit_to_default(MODEL)
        assert instance.event_log_storage.claim_concurrency_slot(MODEL, OTHER_RUN, "load").is_claimed
        yield instance


def test_a_run_sleeps_until_the_model_is_free_and_then_does_all_its_steps(
    taken: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every turn of the waiting loop sleeps, so that there are as many turns as naps; the other run leaves during the third."""
    naps: list[float] = []
    looks: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            taken.event_log_storage.free_concurrency_slots_for_run(OTHER_RUN)
        sleep(seconds)

    claim, sleep = Turns.claim, time.sleep
    monkeypatch.setattr("dagster._core.execution.plan.active.time.sleep", nap)
    monkeypatch.setattr(Turns, "claim", lambda *given: (looks.append(time.time()), claim(*given))[1])
    with dg.execute_job(dg.reconstructable(period), instance=taken) as done:
        assert done.success
        assert ["load", "told"] == [event.step_key for event in done.get_step_success_events()]
    long = [seconds for seconds in naps if seconds > 0.5]
    assert 3 <= len(long) <= len(looks) <= 2 * len(naps) + 1
    assert all(0 < seconds <= 1 for seconds in long)


@pytest.mark.prove
def test_the_hundredth_look_comes_a_second_after_the_one_before(
    taken: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    with Turns(taken, taken.create_run_for_job(period)) as turns:
        for _ in range(100):
            assert not turns.claim(MODEL, "load")
            assert turns.interval_to_next_pending_claim_check() == pytest.approx(1)
            clock[0] += 1.01
        taken.event_log_storage.free_concurrency_slots_for_run(OTHER_RUN)
        assert turns.claim(MODEL, "load")
        assert [] == turns.pending_claim_steps()
