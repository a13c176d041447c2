"""A19: packets that are lost, repeated and turned around on the way, by the kernel's own TCP: a load takes longer, and that is all."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MISSING = [tool for tool in ("unshare", "ip") if shutil.which(tool) is None]


@pytest.mark.prove
@pytest.mark.skipif(
    os.geteuid() != 0 or bool(MISSING) or not Path("/dev/net/tun").exists(),
    reason="a line of its own takes root, unshare, ip and /dev/net/tun",
)
def test_a19_a_line_that_loses_repeats_and_turns_around_packets_only_delays(tmp_path: Path) -> None:
    """Five in a hundred of each: all cells are there, and the import was started once."""
    driver = [sys.executable, "-m", "mlc_pipelines_tests.battery.lossy_line", str(tmp_path), "5"]
    done = subprocess.run(["unshare", "--net", *driver], capture_output=True, text=True, timeout=300, check=False)
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["equal"]
    assert 1 == sum("/imports/" in path for path in told["tasks"])
    assert min(told["packets"].values()) > 20, told["packets"]
