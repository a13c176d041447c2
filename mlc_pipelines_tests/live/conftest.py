"""A live Dagster for tests: its own home and state, driven over GraphQL as Dagit drives it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlc_pipelines.cli.demo import project_folder
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named

LOCATION = {"repositoryLocationName": "mlc_pipelines", "repositoryName": "__repository__"}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True)
class Live:
    """A running `dagster dev`."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def launch(self, job: str, period: str = "") -> str:
        """Start a job's run, as the Launchpad does; returns the run id."""
        tags = [{"key": "dagster/partition", "value": period}] if period else []
        launched = self.ask(
            """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            params={"selector": {**LOCATION, "jobName": job}, "runConfigData": {}, "executionMetadata": {"tags": tags}},
        )["launchPipelineExecution"]
        return str(launched["run"]["runId"])

    def backfill(self, job: str, periods: list[str]) -> str:
        launched = self.ask(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={
                "selector": {"repositorySelector": LOCATION, "partitionSetName": f"{job}_partition_set"},
                "partitionNames": periods,
            },
        )["launchPartitionBackfill"]
        return str(launched["backfillId"])

    def state(self, run: str) -> str:
        found = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run)["runOrError"]
        return str(found["status"])

    def states_of_backfill(self, backfill: str) -> dict[str, str]:
        """Period -> state of its run."""
        found = self.ask(
            """query($tag: String!) { runsOrError(filter: {tags: [{key: "dagster/backfill", value: $tag}]}, limit: 500) {
                 ... on Runs { results { status tags { key value } } } } }""",
            tag=backfill,
        )["runsOrError"]["results"]
        tags = [({tag["key"]: tag["value"] for tag in run["tags"]}, run["status"]) for run in found]
        return {keyed["dagster/partition"]: status for keyed, status in tags}

    def wait(self, run: str, seconds: float = 180) -> str:
        """The final state; for a failed run with what its steps said."""
        until(lambda: self.state(run) in ENDED, seconds)
        state = self.state(run)
        return state if state == "SUCCESS" else f"{state} {self.complaints(run)}".strip()

    def complaints(self, run: str) -> str:
        found = self.ask(
            """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
                 ... on ExecutionStepFailureEvent { stepKey error { message } }
                 ... on RunFailureEvent { message } } } } }""",
            id=run,
        )["logsForRun"]["events"]
        return " | ".join(f"{event['stepKey']}: {event['error']['message']}" for event in found if event.get("stepKey"))


def until(happened: Callable[[], bool], seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up_at, f"did not happen within {seconds} seconds"
        time.sleep(0.2)


@pytest.fixture
def live(demo: Named, sandbox: Sandbox, tmp_path: Path) -> Iterator[Live]:
    """`dagster dev` on a free port, with the project's own dagster.yaml and workspace.yaml, in a home of its own."""
    root = project_folder()
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(root / name, tmp_path / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "dagster.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            running = Live(f"http://127.0.0.1:{port}")
            until(lambda: _loaded(running), 120)
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            finally:
                _kill_session(process.pid)


def _loaded(live: Live) -> bool:
    try:
        workspace = live.ask("{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }")[
            "workspaceOrError"
        ]
    except (httpx.HTTPError, ValueError):
        return False
    return ["LOADED"] == [entry["loadStatus"] for entry in workspace["locationEntries"]]


def _kill_session(session: int) -> None:
    """Whatever is left of the session, run workers included."""
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        return
