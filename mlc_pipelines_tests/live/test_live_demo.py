"""`mlc demo` as a newcomer meets it: table, Dagit's address, Ctrl-C ends everything."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mlc_pipelines.cli.demo import project_folder

_LOADED = ("demo/actuals_import", "demo_epicor/actuals_import", "demo_epicor/ap_spend_import")


@pytest.mark.prove
def test_the_demo_stays_until_ctrl_c_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    """It prints the agreed periods, Dagit answers with both of them materialized, and Ctrl-C ends every process."""
    for name in ("dagster.yaml", "workspace.yaml"):
        (tmp_path / name).write_text((project_folder() / name).read_text())
    command = [sys.executable, "-m", "mlc_pipelines.cli", "demo"]
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C ends" in line:
                break
        assert 6 == len(re.findall(r"FY2026-P0[12] .* yes", said)), said  # actuals of both companies, spend of one
        found = re.search(r"http://127\.0\.0\.1:\d+", said.partition("Dagit:")[2])
        assert found, said
        keys = ", ".join(f'{{path: ["{key}"]}}' for key in _LOADED).replace("/", '", "')
        query = f"{{ assetNodes(assetKeys: [{keys}]) {{ partitionStats {{ numMaterialized }} }} }}"
        answer = httpx.post(f"{found[0]}/graphql", json={"query": query}, timeout=30).json()
        assert [{"partitionStats": {"numMaterialized": 2}}] * len(_LOADED) == answer["data"]["assetNodes"]
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(60)
    assert [] == [
        path for path in Path("/proc").glob("[0-9]*/environ") if f"DAGSTER_HOME={tmp_path}".encode() in _read(path)
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # ended meanwhile
