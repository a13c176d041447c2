"""A load is ended by SIGKILL at each of its boundaries, and a replay brings the period to its end: nothing is recorded twice, or not at all."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.flows.attempts import LOAD_BEGUN, LOAD_ENDED, reference_of
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.steps import ACTUALS
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.battery.houses import Meridian, expected_cells, held_cells
from mlc_pipelines_tests.conftest import briefly
from mlc_pipelines_tests.flows.killed_load import PERIOD

KILLED = -9


class Loads:
    """The processes that load and replay, each in a home as it was after the reference data was read."""

    def __init__(self, process: "subprocess.Popen[str]", home: Path, house: Meridian) -> None:
        self.process, self.home, self.house = process, home, house
        self.serial = 0

    def run(self, home: Path, work: str, kill_at: int = 0) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"home": str(home), "work": work, "kill_at": kill_at}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def fresh(self) -> Path:
        """A home of its own, and a journal that changes the figures."""
        self.serial += 1
        home = self.home.with_name(f"home-{self.serial}")
        shutil.copytree(self.home, home)
        self.house.post(PERIOD, self.house.expense, self.house.centers[self.serial % 2], 100 + self.serial)
        return home

    def moments(self) -> list[str]:
        """At which a load can be killed, counted from 1."""
        names: list[str] = self.run(self.fresh(), "load")["moments"]
        return names


@pytest.fixture
def loads(demo: Any, home: Path, sandbox: Sandbox) -> Iterator[Loads]:
    with open_desk(find("demo"), sleep=briefly) as desk:
        refresh_reference(desk)
    command = [sys.executable, "-m", "mlc_pipelines_tests.flows.killed_load"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=dict(os.environ), **pipes) as process:
        yield Loads(process, home, Meridian(find("demo"), sandbox))
        process.stdin.close()


def require_replayed(loads: Loads, kill_at: int) -> None:
    home = loads.fresh()
    assert KILLED == loads.run(home, "load", kill_at)["ended"], kill_at
    assert 0 == loads.run(home, "replay")["ended"], kill_at
    assert expected_cells(loads.house, PERIOD) == held_cells(loads.house, PERIOD), kill_at
    store = Store.open(home, f"sqlite:///{home / 'mlc.db'}")
    assert Kind.CLEAN == verify(store.trail, full=True).kind, kill_at
    ended = {entry.event["reference"]: entry for entry in store.trail.entries(kind=LOAD_ENDED)}
    begun = Counter(entry.event["reference"] for entry in store.trail.entries(kind=LOAD_BEGUN))
    attempts = store.history.loads("demo", PERIOD)
    assert {reference_of(load.id): 1 for load in attempts} == begun == Counter(list(ended)), kill_at
    assert len(ended) == len(list(store.trail.entries(kind=LOAD_ENDED))), kill_at
    assert (AGREED, {AGREED, DIRTY}) == (attempts[-1].state, {AGREED, DIRTY} | {load.state for load in attempts}), (
        kill_at
    )
    for step in (ACTUALS.extract, ACTUALS.file):
        told = [entry.event["artefacts"]["file"] for entry in store.trail.entries(kind=step)]
        assert told == [one.artefact for one in store.history.steps("demo", PERIOD) if one.step == step], kill_at
    store.engine.dispose()


def test_H_a_load_that_was_killed_is_replayed(loads: Loads) -> None:
    """Where it matters most: before and after the commit of the intent, and of the end; what is recorded is recorded once."""
    commits = [place for place, name in enumerate(loads.moments(), start=1) if "commit" in name]
    for kill_at in (commits[-2], commits[-1]):
        require_replayed(loads, kill_at)


@pytest.mark.prove
def test_H_a_load_that_was_killed_at_each_commit_is_replayed(loads: Loads) -> None:
    """The same for every commit that records something, before and after it, and for every write to the plan that has left."""
    for kill_at, name in enumerate(loads.moments(), start=1):
        if "commit" in name or name.startswith("after"):
            require_replayed(loads, kill_at)
