"""One writer per model: two processes at once never overlap, also when one is killed in the middle (H01, H02, P11)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named

LOAD = [sys.executable, "-m", "mlc_pipelines.cli", "load", "demo"]


def start(period: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*LOAD, period], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
    )


def until(happened: Callable[[], bool], seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up_at, "did not happen"
        time.sleep(0.02)


def imports_of(sandbox: Sandbox) -> list[dict[str, object]]:
    return [action for action in sandbox.tenant.log()["actions"] if action["kind"] == "imports"]


def test_two_processes_never_overlap(demo: Named, sandbox: Sandbox) -> None:
    """Both periods arrive, and the sandbox saw no upload or action of one inside the other's."""
    sandbox.set_switches(anaplan={"task_seconds": 0.5})
    both = [start("FY2026-P01"), start("FY2026-P02")]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [0, 0] == [process.returncode for process in both], said
    assert [] == sandbox.tenant.log()["overlaps"]
    assert 2 == len(imports_of(sandbox))


@pytest.mark.prove
def test_a_writer_killed_in_the_middle_leaves_no_overlap(demo: Named, sandbox: Sandbox) -> None:
    """kill -9 while its import runs: the other waits for the model to be free, then loads; the killed period can be loaded again."""
    sandbox.set_switches(anaplan={"task_seconds": 2.0})
    first = start("FY2026-P01")
    until(lambda: len(imports_of(sandbox)) == 1)
    second = start("FY2026-P02")
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    said = second.communicate(timeout=120)[0]
    assert 0 == second.returncode, said
    again = start("FY2026-P01")
    said = again.communicate(timeout=120)[0]
    assert 0 == again.returncode, said
    assert [] == sandbox.tenant.log()["overlaps"]
