"""The bench of uploads compares like with like: every contender's file arrives as it was. No speed is judged here."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from mlc_pipelines_tests.bench import upload
from mlc_pipelines_tests.bench.measure import Bench
from mlc_pipelines_tests.bench.receiver import Receiver
from mlc_pipelines_tests.bench.wan import far_away


@pytest.fixture(scope="module")
def uploading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path]]:
    """A receiver and the slow line to it, made so fast that nobody waits, and a file of some megabytes."""
    receiver = Receiver()
    Thread(target=receiver.serve_forever, daemon=True).start()
    file = upload.write_file(tmp_path_factory.mktemp("upload"), 1_000_000)
    with far_away(receiver.server_port, round_trip_seconds=0.0, bytes_per_second=1e9) as far_port:
        yield {"port": receiver.server_port, "far_port": far_port}, file
    receiver.shutdown()
    receiver.server_close()


@pytest.mark.parametrize(
    ("bench", "contender"),
    [
        (upload.near_bench, "ours"),
        (upload.near_bench, "sdk"),
        (upload.far_bench, "ours"),
        (upload.large_bench, "ours_several"),
    ],
)
def test_every_upload_arrives_byte_for_byte(
    uploading: tuple[dict[str, Any], Path], bench: Callable[..., Bench], contender: str
) -> None:
    """By the receiver's own account, near and far."""
    server, file = uploading
    said = bench(server, file)
    work, summarise = getattr(upload, contender)(said.setting)
    assert said.truth == summarise(work())


def test_the_slow_line_takes_the_time_it_states() -> None:
    """2 MB at 10 MB/s and 40 ms are no less than 0.22 s: a line that is too fast would flatter whoever sends most."""
    receiver = Receiver()
    Thread(target=receiver.serve_forever, daemon=True).start()
    with far_away(receiver.server_port, round_trip_seconds=0.04, bytes_per_second=10e6) as port:
        begun = time.monotonic()
        httpx.put(f"http://127.0.0.1:{port}/chunks/0", content=bytes(2_000_000), timeout=60)
        assert time.monotonic() - begun >= 0.22
    receiver.shutdown()
    receiver.server_close()
