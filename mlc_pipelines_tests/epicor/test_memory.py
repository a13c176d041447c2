"""However long a period is, reading it takes little memory beyond a client at rest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlc_pipelines.sandbox.ironvale import Line
from mlc_pipelines.sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
PERIOD = ("FY2026-P03", "2025-11-23", "2025-12-27")
MB_MOST = 300


@pytest.mark.parametrize("by_query", [False, True], ids=["entity-set", "query"])
@pytest.mark.parametrize(
    "journals",
    [pytest.param(100, id="10k"), pytest.param(1_000, id="100k", marks=pytest.mark.prove)],
)
def test_c17_reading_a_period_takes_less_than_300_mb(
    sandbox: Sandbox, tmp_path: Path, by_query: bool, journals: int
) -> None:
    """Every line comes, in one process of its own that is measured from rest to its highest point; no clock decides."""
    books, now = sandbox.ironvale, sandbox.clock.now()
    for number in range(1, journals + 1):
        lines = [Line("6520", "420", "MF", number, 0), Line("2110", "", "", 0, number)] * 50
        books.post("MAIN", PERIOD[0], lines, description=f"Many lines, {number}", now=now)
    said = {"erp": sandbox.info["epicor"], "folder": str(tmp_path), "period": PERIOD, "by_query": by_query}
    command = [sys.executable, "-m", "mlc_pipelines_tests.epicor.reading_memory", json.dumps(said)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    truth = books.truth("MAIN", PERIOD[0])
    assert journals * 100 <= told["lines"]
    assert sum(debit for *_, debit, _ in truth) == told["debit_minor"]
    assert sum(credit for *_, credit in truth) == told["credit_minor"]
    assert told["peak_mb"] - told["idle_mb"] < MB_MOST, told
