"""One period as one Dagster run: reference data and all steps of the slice, in Dagster's own processes; its children count.

Ours: python -m mlc_pipelines.assets.launch, and `dagster asset materialize` with our definitions (one process for all steps).
The other: the same assets by Dagster's default, `dagster asset materialize` with a process for every step.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal
from mlc_pipelines_tests.bench.period import PERIOD, fresh_start, held_cells

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
_GOALS = (Goal("cpu_seconds", times=3), Goal("wall_seconds", times=3))


def bench(server: Mapping[str, Any]) -> Bench:
    return Bench(
        "dagster",
        "one Dagster run of a period",
        __name__,
        {"info": server["info"], "url": server["url"]},
        (
            Contender("assets.launch, in process", "launched"),
            Contender("asset materialize, our definitions", "materialized_in_process"),
            Contender("asset materialize, process per step", "materialized_by_default", _GOALS),
        ),
        before=lambda: {"home": fresh_start(server)},
    )


def launched(setting: Mapping[str, Any]) -> Work:
    return _command(setting, ["mlc_pipelines.assets.launch", "demo", PERIOD])


def materialized_in_process(setting: Mapping[str, Any]) -> Work:
    return _command(setting, _materialize("mlc_pipelines.definitions"))


def materialized_by_default(setting: Mapping[str, Any]) -> Work:
    return _command(setting, _materialize("mlc_pipelines_tests.bench.multiprocess"))


def _materialize(module: str) -> list[str]:
    return ["dagster", "asset", "materialize", "--select", "*", "--partition", PERIOD, "-m", module]


def _command(setting: Mapping[str, Any], arguments: list[str]) -> Work:
    """A Python module run with a Dagster home of its own."""
    home = Path(tempfile.mkdtemp(prefix="bench-dagster-"))
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = {
        **os.environ,
        "MLC_HOME": setting["home"],
        "MLC_SANDBOX_URL": setting["url"],
        "DAGSTER_HOME": str(home),
    }

    def work() -> None:
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-4000:])

    return work, lambda _: held_cells(setting)
