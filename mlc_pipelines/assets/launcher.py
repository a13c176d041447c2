"""How runs are started on one machine: as Dagster does it, and a run whose process is gone is noticed within seconds.

Dagster's own launcher leaves that to the code server that started the process. Where that one is gone as well (killed, out of memory, the machine
started again) the run would count as started for hours, and hold up its period, its backfill and its slot [C dagster 1.13.27: default_run_launcher].
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import DagsterRun
from dagster._config import UserConfigSchema
from dagster._core.events import DagsterEventType
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._serdes import ConfigurableClassData

_PROCESSES = Path("/proc")


class WatchedRunLauncher(DefaultRunLauncher):
    """Named in dagster.yaml under `run_launcher`; run monitoring asks it about every started run."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData,
        config_value: Mapping[str, Any],  # noqa: ARG003  Dagster's own signature
    ) -> "WatchedRunLauncher":
        return cls(inst_data=inst_data)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """NOT_FOUND when the process that the run itself named does not live any more.

        A code server that is reached over a network may be another machine: nobody here can tell, and the run is left to its longest time.
        """
        process = self._process(run)
        if '"socket"' not in run.tags.get(GRPC_INFO_TAG, "") or process is None or lives(process):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"process {process}, which did the work, is gone")

    def _process(self, run: DagsterRun) -> int | None:
        """The number of the process, as it wrote it down when it began; None before that."""
        events = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        found = [
            value.value
            for event in events
            if event.dagster_event is not None
            for name, value in event.dagster_event.engine_event_data.metadata.items()
            if name == "pid"
        ]
        return int(str(found[-1])) if found else None


def lives(process: int) -> bool:
    """Whether a process of that number works; one that has ended and was not fetched by its parent does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the number went to somebody else's process
        return False
    status = _PROCESSES / str(process) / "stat"
    if not status.exists():
        return not _PROCESSES.joinpath("self").exists()  # a system without /proc, or ended just now
    return status.read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
