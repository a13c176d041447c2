"""Under a live Dagster: runs from Dagit's own interface, a backfill of a job, a writer killed in the middle."""

import os
import re
import signal
from decimal import Decimal

import pytest

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store, default_home
from mlc_pipelines_tests.live.conftest import Live, until

AROUND_YEAR_ENDS = ["FY2025-P12", "FY2025-P13", "FY2026-P01", "FY2026-P13", "FY2027-P01", "FY2027-P02"]


def agreed(period: str) -> bool:
    loads = Store.open().history.loads("demo", period)
    return bool(loads) and loads[-1].state == AGREED


def no_overlap(sandbox: Sandbox) -> bool:
    return not sandbox.tenant.log()["overlaps"]


def total_held(sandbox: Sandbox) -> Decimal:
    return sum((abs(Decimal(cell["amount"])) for cell in sandbox.tenant.truth_cells()), Decimal(0))


def test_a_run_from_dagit_ends_agreed(live: Live, sandbox: Sandbox) -> None:
    """Reference data, then one period, launched as the screen does it."""
    assert "SUCCESS" == live.wait(live.launch("demo_reference"))
    assert "SUCCESS" == live.wait(live.launch("demo_actuals", "FY2026-P03"))
    assert agreed("FY2026-P03")
    assert total_held(sandbox) > 0


@pytest.mark.prove
def test_H11_a_backfill_of_a_job_around_year_ends_and_one_of_its_periods_launched_beside_it(
    live: Live, sandbox: Sandbox
) -> None:
    """Adjustment periods among them: every run succeeds, every slice agrees, nobody ever met another in the model, and no figure is there twice. Whole years: test_backfills.py."""
    assert "SUCCESS" == live.wait(live.launch("demo_reference"))
    backfill = live.backfill("demo_actuals", AROUND_YEAR_ENDS)
    by_hand = live.launch("demo_actuals", AROUND_YEAR_ENDS[0])
    until(lambda: live.backfill_state(backfill).startswith("COMPLETED"), 300)
    assert dict.fromkeys(AROUND_YEAR_ENDS, "SUCCESS") == live.states_of_backfill(backfill)
    assert "SUCCESS" == live.wait(by_hand)
    assert all(agreed(period) for period in AROUND_YEAR_ENDS)
    assert no_overlap(sandbox)
    held = total_held(sandbox)
    assert "SUCCESS" == live.wait(live.launch("demo_actuals", AROUND_YEAR_ENDS[0]))
    assert held == total_held(sandbox)


@pytest.mark.prove
def test_H02_a_run_killed_in_the_middle_lets_the_next_one_wait_and_is_begun_again(live: Live, sandbox: Sandbox) -> None:
    """kill -9 of the run worker while its import runs: no overlap in the sandbox's log, the other period loads, the killed one is begun again by itself."""
    assert "SUCCESS" == live.wait(live.launch("demo_reference"))
    sandbox.set_switches(anaplan={"task_seconds": 4.0})
    first = live.launch("demo_actuals", "FY2026-P01")
    until(lambda: any(action["kind"] == "imports" for action in sandbox.tenant.log()["actions"]), 120)
    second = live.launch("demo_actuals", "FY2026-P02")
    os.kill(writer(), signal.SIGKILL)
    assert live.wait(first).startswith("FAILURE")
    assert "SUCCESS" == live.wait(second, 300)
    until(lambda: agreed("FY2026-P01"), 300)
    assert agreed("FY2026-P02")
    assert no_overlap(sandbox)


def writer() -> int:
    """The process that holds the model's fence, as the lock file tells people."""
    [lock] = default_home().glob("locks/model *.lock")
    return int(re.search(r"process (\d+)", lock.read_text())[1])  # type: ignore[index]
