"""However long a period is, reading it takes little memory beyond a client at rest."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines_tests.acumatica.test_busy import fill

ROOT = Path(__file__).parents[2]
PERIOD = "FY2026-P03"
BATCHES = {"lines_from": "transactions", "page_batches": 100, "sessions": 3, "parallel": 3}
MB_MOST = 300


@pytest.mark.parametrize(
    ("config", "batches", "lines"),
    [
        pytest.param({"lines_from": "inquiry"}, 500, 20, id="inquiry-10k"),
        pytest.param(BATCHES, 500, 20, id="transactions-10k"),
        pytest.param({"lines_from": "inquiry"}, 10_000, 100, id="inquiry-1m", marks=pytest.mark.prove),
        pytest.param(BATCHES, 10_000, 100, id="transactions-1m", marks=pytest.mark.prove),
    ],
)
def test_c17_reading_a_period_takes_less_than_300_mb(
    sandbox: Sandbox, tmp_path: Path, config: dict[str, Any], batches: int, lines: int
) -> None:
    """Every line comes, in one process of its own that is measured from rest to its highest point; no clock decides."""
    fill(sandbox.books, PERIOD, batches, lines)
    said = {"erp": sandbox.info["acumatica"], "folder": str(tmp_path), "period": PERIOD, "config": config}
    command = [sys.executable, "-m", "mlc_pipelines_tests.acumatica.reading_memory", json.dumps(said)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    posted = sandbox.books.posted_lines("ACTUAL", PERIOD)
    assert len(posted) == told["lines"]
    assert sum(line.debit_minor for line in posted) == told["debit_minor"]
    assert sum(line.credit_minor for line in posted) == told["credit_minor"]
    assert told["peak_mb"] - told["idle_mb"] < MB_MOST, told
