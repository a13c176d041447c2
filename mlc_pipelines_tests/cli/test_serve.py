"""`mlc serve` in short: each part is started again, the others wait for the code server; live/test_backfills.py kills the real ones."""

import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_pipelines.cli.serve import Part


@pytest.fixture
def door() -> Iterator[Path]:
    """Where the code server will answer; a short path, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="mlc-") as folder:
        yield Path(folder) / "code"


def part(tmp_path: Path, door: Path, does: str) -> Part:
    return Part("daemon", [sys.executable, "-c", does], tmp_path, door)


def looked_until(one: Part, tries: int = 200) -> None:
    """Look again and again until it runs."""
    for _ in range(tries):
        one.look()
        if one.process is not None:
            return
        time.sleep(0.05)
    raise AssertionError("it was not started")


def test_a_part_that_ended_is_started_again_with_its_settings(tmp_path: Path, door: Path, monkeypatch) -> None:
    """Whatever it ended by; without DAGSTER_HOME the project's folder counts; backfills wait for code that is being loaded again."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    say = "import os; open('said', 'a').write(os.environ['DAGSTER_HOME'] + os.environ['DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR'] + '\\n'); os.kill(os.getpid(), 9)"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()
        one = part(tmp_path, door, say)
        for _ in range(2):
            looked_until(one)
            assert one.process is not None
            assert -9 == one.process.wait(30)
            one.look()
            assert one.process is None
    assert [f"{tmp_path}1"] * 2 == (tmp_path / "said").read_text().splitlines()
    assert 2.0 == one.pause, "the second time it waits longer"


@pytest.mark.prove
def test_the_others_wait_for_the_code_server(tmp_path: Path, door: Path) -> None:
    """What Dagit cannot load at its start it would show as broken."""
    one = part(tmp_path, door, "import time; time.sleep(60)")
    one.look()
    assert one.process is None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()
        one.look()
        assert one.process is not None
        one.stop()
        one.wait(time.monotonic() + 10)
