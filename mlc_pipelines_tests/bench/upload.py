"""A CSV file into Anaplan: on loopback (what it costs), and over a line of 40 ms and 20 MB/s a connection (how long it takes).

Each reads the file from disk and sends it gzipped, with its own defaults: ours in order, anaplan-sdk 25 MB at a time, as many at once
as there are cores. Log-in and looking up ids are not counted. The receiver keeps what came; it is unpacked and compared afterwards.
"""

import hashlib
import json
import os
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal
from mlc_pipelines_tests.bench.receiver import FILE

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
WORKSPACE, MODEL = "8a8b8c8d8a8b8c8d8a8b8c8d8a8b8c8d", "75A40874E6B64FA3AE0743278996850F"
LINE = ("0.04", "20000000")
_HEADER = b"Account,Cost Center,Period,Version,Amount\n"
_ROWS_AT_ONCE = 60_000


def near_bench(server: Mapping[str, Any], file: Path) -> Bench:
    """CPU, on loopback."""
    return Bench(
        "upload",
        f"upload {file.stat().st_size:,} bytes, loopback",
        __name__,
        _setting(server["port"], server, file),
        (
            Contender("mlc_pipelines", "ours", (Goal("peak_mb", at_most=200),)),
            Contender("anaplan-sdk upload_file", "sdk", (Goal("cpu_seconds", times=10),)),
        ),
        truth=truth_of(file),
    )


def far_bench(server: Mapping[str, Any], file: Path) -> Bench:
    """Wall time, over the slow line."""
    return Bench(
        "upload far",
        f"upload {file.stat().st_size:,} bytes, 40 ms and 20 MB/s a connection",
        __name__,
        _setting(server["far_port"], server, file),
        (
            Contender("mlc_pipelines", "ours", (Goal("peak_mb", at_most=200),)),
            Contender("mlc_pipelines, 4 chunks at a time", "ours_several"),
            Contender("anaplan-sdk upload_file", "sdk", (Goal("wall_seconds", times=4),)),
        ),
        truth=truth_of(file),
    )


def large_bench(server: Mapping[str, Any], file: Path) -> Bench:
    """Memory, for a large file."""
    goals = (Goal("peak_mb", at_most=200),)
    return Bench(
        "upload large",
        f"upload {file.stat().st_size:,} bytes, loopback",
        __name__,
        _setting(server["port"], server, file),
        (
            Contender("mlc_pipelines", "ours", goals),
            Contender("mlc_pipelines, 4 chunks at a time", "ours_several", goals),
        ),
        truth=truth_of(file),
    )


def write_file(folder: Path, size: int) -> Path:
    """A file of actuals of about so many bytes: codes in quotes, amounts of many sizes, no block like another."""
    import numpy as np

    path, random, start = folder / f"actuals_{size}.csv", np.random.default_rng(2026), 0
    with path.open("wb") as file:
        file.write(_HEADER)
        while file.tell() < size:
            minor = random.integers(-50_000_000, 50_000_000, _ROWS_AT_ONCE).tolist()
            rows = [
                f'"A{1000 + number // 120:05d}","CC_{number % 120:03d}","Sep 25","Actual",{amount / 100:.2f}\n'
                for number, amount in enumerate(minor, start)
            ]
            file.write("".join(rows).encode())
            start += _ROWS_AT_ONCE
    return path


def truth_of(file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def ours(setting: Mapping[str, Any], **choices: Any) -> Work:
    from mlc_pipelines.anaplan.api import Api
    from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
    from mlc_pipelines.anaplan.upload import upload
    from mlc_pipelines.transport.secret import Secret

    address = f"http://127.0.0.1:{setting['port']}"
    config = AnaplanConfig(auth_url=address, api_url=f"{address}/2/0", workspace=WORKSPACE, model=MODEL, **choices)
    api = Api(config, AnaplanCredential(Secret("bench", "username"), Secret("bench", "password")))
    place = f"/workspaces/{WORKSPACE}/models/{MODEL}/files/{FILE}"
    api.list(f"{place}/chunks", "chunks")  # logs in, as the other has before it is measured

    def work() -> None:
        upload(api, place, FILE, Path(setting["file"]), chunk_bytes=config.chunk_bytes, workers=config.upload_workers)
        api.close(None)

    return work, _held(setting)


def ours_several(setting: Mapping[str, Any]) -> Work:
    return ours(setting, upload_workers=4)


def sdk(setting: Mapping[str, Any]) -> Work:
    """anaplan-sdk as it comes. Its address is built in, so its transport is handed one that puts ours in its place."""
    import anaplan_sdk
    import httpx2

    class Here(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=setting["port"])
            return super().handle_request(request)

    client = anaplan_sdk.Client(WORKSPACE, MODEL, token="bench", transport=Here())

    def work() -> None:
        client.upload_file(int(FILE), Path(setting["file"]).read_bytes())

    return work, _held(setting)


def _setting(port: int, server: Mapping[str, Any], file: Path) -> dict[str, Any]:
    return {"port": port, "held_at": f"http://127.0.0.1:{server['port']}/held", "file": os.fspath(file)}


def _held(setting: Mapping[str, Any]) -> Callable[[Any], Mapping[str, Any]]:
    """What the receiver holds, by its own account."""

    def summarise(_: Any) -> Mapping[str, Any]:
        with urllib.request.urlopen(setting["held_at"], timeout=600) as answer:
            held: dict[str, Any] = json.load(answer)
        return held

    return summarise
