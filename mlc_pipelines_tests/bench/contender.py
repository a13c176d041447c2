"""One contender in a process of its own: prepares, works, and prints what the work cost as one line of JSON.

    python -m mlc_pipelines_tests.bench.contender MODULE FUNCTION SETTING

FUNCTION(setting) does what is not measured (imports, inputs) and returns two functions: the work, and one that says in a few
figures what the work came to, which is not measured either.
"""

import gc
import importlib
import json
import resource
import sys
import time
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MB = 1_000_000


def main(module: str, function: str, setting: str) -> None:
    bare_mb = peak_mb()
    work, summarise = getattr(importlib.import_module(module), function)(json.loads(setting))
    gc.collect()
    forget_peak()
    idle_mb, cpu, wall = peak_mb(), _cpu_seconds(), time.perf_counter()
    product = work()
    cost = {"cpu_seconds": _cpu_seconds() - cpu, "wall_seconds": time.perf_counter() - wall}
    cost |= {"peak_mb": peak_mb() - idle_mb, "whole_cpu_seconds": _cpu_seconds(), "whole_peak_mb": peak_mb() - bare_mb}
    sys.stdout.write("\n" + json.dumps(cost | {"result": summarise(product)}) + "\n")


def peak_mb() -> float:
    """The most memory this program has held. Linux knows it per program; elsewhere the process's own maximum must do."""
    if _STATUS.is_file():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / _MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB


def forget_peak() -> None:
    """From now on only what is held from now on counts."""
    if _CLEAR.is_file():
        _CLEAR.write_text("5")


def _cpu_seconds() -> float:
    """Of all threads, and of all children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
