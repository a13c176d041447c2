"""What the shipped dagster.yaml makes of killed processes, in short; live/test_backfills.py kills real ones in the middle of backfills."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._daemon.monitoring import concurrency

from mlc_pipelines.assets.launcher import WatchedRunLauncher
from mlc_pipelines.cli.demo import project_folder

POOL = "anaplan_finance_meridian_fp_a"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with the project's own settings, in a folder of its own."""
    shutil.copy(project_folder() / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


@dg.op
def work() -> None: ...


@dg.job
def load() -> None:
    work()


def test_H01_a_killed_run_is_begun_again_and_one_that_said_why_is_not(shipped: dg.DagsterInstance) -> None:
    """Retries are for processes that ended without a word. A step that failed waits for a person, so nothing is written blindly again."""
    assert shipped.run_retries_enabled
    assert 3 == shipped.run_retries_max_retries
    assert not shipped.run_retries_retry_on_asset_or_op_failure
    assert shipped.run_monitoring_enabled


@pytest.mark.parametrize("end", ["none", "killed", "killed and fetched"])
def test_H02_run_monitoring_sees_that_a_process_is_gone(shipped: dg.DagsterInstance, end: str) -> None:
    """Also when its code server went with it. A process that ended and was not fetched by its parent is gone too."""
    launcher = shipped.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.supports_check_run_worker_health
    run = shipped.create_run_for_job(load, tags={GRPC_INFO_TAG: '{"host": "localhost", "socket": "/tmp/code"}'})
    assert WorkerStatus.RUNNING == launcher.check_run_worker_health(run).status, "nothing is known of it yet"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        shipped.report_engine_event("Started process for run.", run, EngineEventData.in_process(process.pid))
        if end != "none":
            process.send_signal(signal.SIGKILL)
            os.waitid(os.P_PID, process.pid, os.WEXITED | (0 if end == "killed and fetched" else os.WNOWAIT))
        found = launcher.check_run_worker_health(run)
        process.kill()
    assert (WorkerStatus.RUNNING if end == "none" else WorkerStatus.NOT_FOUND) == found.status
    elsewhere = shipped.create_run_for_job(load, tags={GRPC_INFO_TAG: '{"host": "code.example", "port": 4000}'})
    shipped.report_engine_event("Started process for run.", elsewhere, EngineEventData.in_process(process.pid))
    assert WorkerStatus.RUNNING == launcher.check_run_worker_health(elsewhere).status, "another machine's process"


def test_H05_a_leaked_slot_is_free_within_a_minute_of_the_runs_end(
    shipped: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ended, its slot was left behind: with the shipped settings run monitoring gives it back before 60 seconds are over."""
    storage = shipped.event_log_storage
    storage.initialize_concurrency_limit_to_default(POOL)
    ended = load.execute_in_process(instance=shipped)
    assert storage.claim_concurrency_slot(POOL, ended.run_id, "work").is_claimed
    settings = shipped.run_monitoring_settings
    latest = settings["free_slots_after_run_end_seconds"] + settings["poll_interval_seconds"]
    assert latest < 60
    later = datetime.now(UTC) + timedelta(seconds=latest)
    monkeypatch.setattr(concurrency, "get_current_datetime", lambda: later)
    daemon = SimpleNamespace(instance=shipped)
    assert [None] == list(concurrency.execute_concurrency_slots_iteration(daemon, logging.getLogger("test")))  # type: ignore[arg-type]
    assert [] == storage.get_concurrency_info(POOL).claimed_slots
