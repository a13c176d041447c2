"""A live Dagster for tests: its own home and state, driven over GraphQL as Dagit drives it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
        """Asked again for a while where nobody answers: it may be about to be started again."""
        give_up_at = time.monotonic() + 90
        while True:
            try:
                return self.ask_once(query, **variables)
            except httpx.TransportError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.5)

    def ask_once(self, query: str, **variables: Any) -> dict[str, Any]:
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

    def backfill_of(self, connection: str, assets: Sequence[str], periods: Sequence[str]) -> str:
        """Chosen assets over chosen periods, as the button "Materialize" of an asset's page launches it."""
        launched = self.ask(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={
                "assetSelection": [{"path": [connection, asset]} for asset in assets],
                "partitionNames": list(periods),
            },
        )["launchPartitionBackfill"]
        return str(launched["backfillId"])

    def state(self, run: str) -> str:
        found = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run)["runOrError"]
        return str(found["status"])

    def states_of_backfill(self, backfill: str) -> dict[str, str]:
        """Period -> state of its newest run."""
        found = self.ask(
            """query($tag: String!) { runsOrError(filter: {tags: [{key: "dagster/backfill", value: $tag}]}, limit: 500) {
                 ... on Runs { results { status tags { key value } } } } }""",
            tag=backfill,
        )["runsOrError"]["results"]
        tags = [({tag["key"]: tag["value"] for tag in run["tags"]}, run["status"]) for run in found]
        return {keyed["dagster/partition"]: status for keyed, status in reversed(tags)}  # they come newest first

    def backfill_state(self, backfill: str) -> str:
        found = self.ask(
            "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }",
            id=backfill,
        )["partitionBackfillOrError"]
        return str(found["status"])

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
    """Asks more and more seldom: every question to Dagit is work for the machine that is waited for."""
    give_up_at, pause = time.monotonic() + seconds, 0.2
    while not happened():
        assert time.monotonic() < give_up_at, f"did not happen within {seconds} seconds"
        time.sleep(pause)
        pause = min(2, pause * 1.2)


@pytest.fixture
def live(demo: Named, sandbox: Sandbox, tmp_path: Path) -> Iterator[Live]:
    """`dagster dev` on a free port, with the project's own dagster.yaml and workspace.yaml, in a home of its own."""
    with started(tmp_path) as (running, _):
        yield running


@contextmanager
def started(home: Path, *, kept_up: bool = False) -> Iterator[tuple[Live, "Served"]]:
    """`dagster dev`, or `mlc serve` where it is to be kept up, with the project's own dagster.yaml, in a home of its own; loaded."""
    root = project_folder()
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(root / name, home / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": str(root)}
    served = ["mlc_pipelines.cli", "serve", "--port", str(port)]
    words = served if kept_up else ["dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    with (home / "dagster.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            running = Live(f"http://127.0.0.1:{port}")
            until(lambda: _loaded(running), 180)
            yield running, Served(home)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            finally:
                _kill_session(process.pid)


@dataclass(frozen=True)
class Served:
    """What runs for a home."""

    home: Path

    def processes(self, *words: str) -> list[int]:
        """Those whose command line has all the words, oldest first."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                said, home = (place / "cmdline").read_bytes().decode(), (place / "environ").read_bytes()
            except OSError:
                continue  # it has ended
            mine = f"DAGSTER_HOME={self.home}".encode() in home.split(b"\0")
            if mine and all(word in said.split("\0") for word in words):
                found.append(int(place.name))
        return sorted(found)


def _loaded(live: Live) -> bool:
    try:
        workspace = live.ask_once(
            "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }"
        )["workspaceOrError"]
    except (httpx.HTTPError, ValueError):
        return False
    found = [
        (one["loadStatus"], one["locationOrLoadError"]["__typename"])
        for one in workspace["locationEntries"]
        if one["locationOrLoadError"]
    ]
    return [("LOADED", "RepositoryLocation")] == found


def _kill_session(session: int) -> None:
    """Whatever is left of the session, run workers included."""
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        return
