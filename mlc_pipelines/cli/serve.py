"""mlc serve: Dagit, its daemon and the code server, each started again when it ends, whatever it ended by."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from mlc_pipelines.cli.demo import project_folder

_CODE_SERVER = "code server"
_WAIT_FOR_CODE = {"DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1"}
"""A backfill waits while the code server is being started again; else it would take its assets for deleted, and fail for good [C dagster 1.13.27: asset_backfill]."""
_LOCATION = "mlc_pipelines"
_MODULE = "mlc_pipelines.definitions"
_LOOK_SECONDS = 0.5
_STEADY_SECONDS = 60.0
_LONGEST_PAUSE = 30.0
_STOP_SECONDS = 20.0


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where Dagit answers. It has no log-in of its own."
)
@click.option("--port", default=3000, show_default=True, help="Port for Dagit.")
def serve(host: str, port: int) -> None:
    """Keep Dagit, schedules and sensors running, for a machine on which nobody sits. Ctrl-C or SIGTERM ends everything; runs end as cancelled.

    `dagster dev` serves for trying; it ends when its daemon ends, and loses a code server for good. Under `mlc serve` each of the three is started
    again, and what was under way goes on: docs/running.md.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    root = project_folder()
    with tempfile.TemporaryDirectory(prefix="mlc-") as folder, _parts(root, Path(folder), host, port) as parts:
        try:
            while True:
                for part in parts:
                    part.look()
                time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            click.echo("Stopping ...")


@dataclass
class Part:
    """One of the processes, and when it was and will be started. A part that ends at once, again and again, is given growing pauses."""

    name: str
    command: list[str]
    root: Path
    door: Path
    process: "subprocess.Popen[bytes] | None" = None
    pause: float = 0.0
    started_at: float = field(default_factory=time.monotonic)
    start_at: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Start it if it does not run and its time has come."""
        now = time.monotonic()
        if self.process is not None and (ended := self.process.poll()) is not None:
            steady = now - self.started_at > _STEADY_SECONDS
            self.pause = 1.0 if steady or not self.pause else min(self.pause * 2, _LONGEST_PAUSE)
            self.process, self.start_at = None, now + self.pause
            click.echo(f"{self.name} ended with {ended}; it is started again in {self.pause:.0f} s.", err=True)
        if self.process is None and now >= self.start_at and self._has_its_turn():
            environment = {"DAGSTER_HOME": str(self.root), **os.environ, **_WAIT_FOR_CODE}
            self.process, self.started_at = subprocess.Popen(self.command, cwd=self.root, env=environment), now

    def _has_its_turn(self) -> bool:
        """The others begin once the code server answers: what they cannot load at their start they would show as broken."""
        if self.name == _CODE_SERVER:
            self.door.unlink(missing_ok=True)
            return True
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.door)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)

    def wait(self, give_up_at: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(give_up_at - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            click.echo(f"{self.name} did not end in time and is killed.", err=True)
            self.process.kill()
            self.process.wait()


@contextmanager
def _parts(root: Path, folder: Path, host: str, port: int) -> Iterator[list[Part]]:
    """The three of them, code server first; ended in the other order."""
    door, workspace = folder / "code", folder / "workspace.yaml"
    workspace.write_text(f"load_from:\n  - grpc_server: {{socket: {door}, location_name: {_LOCATION}}}\n")
    commands: Mapping[str, list[str]] = {
        _CODE_SERVER: ["dagster", "api", "grpc", "--socket", str(door), "-m", _MODULE, "--location-name", _LOCATION],
        "daemon": ["dagster._daemon", "run", "-w", str(workspace)],
        "Dagit": ["dagster_webserver", "-w", str(workspace), "-h", host, "-p", str(port)],
    }
    parts = [Part(name, [sys.executable, "-m", *words], root, door) for name, words in commands.items()]
    try:
        yield parts
    finally:
        give_up_at = time.monotonic() + _STOP_SECONDS
        for part in reversed(parts):
            part.stop()
        for part in reversed(parts):
            part.wait(give_up_at)
