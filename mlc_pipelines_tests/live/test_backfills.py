"""Replay over many periods, two companies at once, under a live Dagster: one writer per model, two models at work, and nobody needed after a kill."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import folder
from mlc_pipelines_tests.live.conftest import Live, Served, started, until

CONNECTIONS = ("demo", "demo_epicor")
TWO_YEARS = [f"FY{year}-P{number:02d}" for year in (2025, 2026) for number in range(1, 13)]
ACTUALS = ("gl_actuals", "actuals_csv", "actuals_import")
JOURNALS_KEPT = 6
_NOT_NEEDED = ("plans", "extracts", "ap_spend", "close", "watch")

Running = tuple[Live, Served, Sandbox]


@pytest.fixture
def running(
    demo_epicor: object, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """Both sample companies, with actuals alone and few journals in each period: this is about runs, not about lines."""
    place = tmp_path / "connections"
    place.mkdir()
    for name in CONNECTIONS:
        (place / f"{name}.yaml").write_text(_actuals_alone((folder() / f"{name}.yaml").read_text()))
    monkeypatch.setenv("MLC_CONNECTIONS", str(place))
    thin(sandbox)
    sandbox.set_switches(anaplan={"task_seconds": 3.0})  # long enough for a kill to meet somebody in a model
    with started(tmp_path, kept_up=True) as (live, served):
        for connection in CONNECTIONS:
            assert "SUCCESS" == live.wait(live.launch(f"{connection}_reference"))
        yield live, served, sandbox


def _actuals_alone(said: str) -> str:
    file = yaml.safe_load(said)
    chosen = {name: value for name, value in file["attributes"].items() if name not in _NOT_NEEDED}
    chosen["mapping"].pop("vendors", None)
    return yaml.safe_dump({**file, "attributes": chosen})


def thin(sandbox: Sandbox) -> None:
    """The second company's books, which would take longest. The first one's stay: a closed period of fewer journals has signs that nobody believes."""
    for journals in sandbox.ironvale.journals.values():
        del journals[JOURNALS_KEPT:]


def replay(live: Live, periods: Sequence[str]) -> dict[str, str]:
    """A backfill of each connection, both at once; connection -> id."""
    return {connection: live.backfill_of(connection, ACTUALS, periods) for connection in CONNECTIONS}


def newest(connection: str, periods: Sequence[str]) -> list[int]:
    """The number of the newest agreed load of each period that has one."""
    attempts = [Store.open().history.loads(connection, period) for period in periods]
    return [loads[-1].id for loads in attempts if loads and loads[-1].state == AGREED]


def require_same_end(running: Running, backfills: dict[str, str], periods: Sequence[str], seconds: float) -> None:
    """Dagster calls both backfills done, every period of both has agreed since they began, nobody met another in a model."""
    live, _, sandbox = running
    until(lambda: {"COMPLETED_SUCCESS"} == {live.backfill_state(one) for one in backfills.values()}, seconds)
    for connection, backfill in backfills.items():
        assert dict.fromkeys(periods, "SUCCESS") == live.states_of_backfill(backfill)
        assert len(periods) == len(newest(connection, periods))
    assert [] == sandbox.tenant.log()["overlaps"]


def at_once(sandbox: Sandbox) -> bool:
    """Whether an action is under way in each of the two models."""
    models = {action["model"] for action in sandbox.tenant.log()["actions"] if not action["ended"]}
    return len(models) == len(CONNECTIONS)


@pytest.mark.prove
def test_24_periods_of_two_connections_at_once(running: Running) -> None:
    """48 runs: all agreed, one writer per model at a time, and the two models at work side by side.

    The first action in a model takes long, so that the other company need not be met by chance: its first run comes meanwhile, or never did go beside it.
    """
    live, _, sandbox = running
    sandbox.set_switches(anaplan={"task_seconds": 90.0})
    backfills = replay(live, TWO_YEARS)
    until(lambda: at_once(sandbox), 300)
    sandbox.set_switches(anaplan={"task_seconds": 0.05})
    require_same_end(running, backfills, TWO_YEARS, 900)


VICTIMS = {"run worker": "--multiprocessing-fork", "code server": "grpc", "daemon": "dagster._daemon"}
"""What is killed -> a word of its command line."""


@pytest.mark.prove
def test_H01_H02_whatever_is_killed_in_the_middle_the_backfill_ends_agreed_without_a_person(running: Running) -> None:
    """SIGKILL of the processes that do the work, of the code server, and of the daemon, each while a backfill of two months is under way."""
    for quarter, (victim, word) in enumerate(VICTIMS.items()):
        months = TWO_YEARS[12 + 3 * quarter :][:2]
        kill_in_the_middle(running, victim, word, months)


def kill_in_the_middle(running: Running, victim: str, word: str, months: Sequence[str]) -> None:
    live, served, sandbox = running
    before = len(sandbox.tenant.log()["actions"])
    backfills = replay(live, months)
    until(lambda: len(sandbox.tenant.log()["actions"]) > before, 300)  # somebody is in a model
    killed = served.processes(word)
    assert killed, victim
    for process in killed:
        os.kill(process, signal.SIGKILL)
    require_same_end(running, backfills, months, 900)
