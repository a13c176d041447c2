"""Contenders side by side: each in a fresh process, in turns, round after round; the median of the rounds' ratios counts."""

import compileall
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlc_pipelines

_RUN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Goal:
    """At least so many times our cost (`times`), or at most so many megabytes (`at_most`). figure: which of the figures."""

    figure: str
    times: float = 0.0
    at_most: float = 0.0

    def __str__(self) -> str:
        return (
            f"{_SHORT[self.figure]} >= {self.times:g}x"
            if self.times
            else f"{_SHORT[self.figure]} < {self.at_most:g} MB"
        )


_SHORT = {
    "cpu_seconds": "CPU",
    "wall_seconds": "wall",
    "peak_mb": "memory",
    "whole_cpu_seconds": "CPU with start",
    "whole_peak_mb": "memory with imports",
}


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to do the work: a function of a bench module. The first contender of a bench is ours."""

    name: str
    function: str
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """What is compared. before: what to do ahead of each contender's turn, outside the measurement; it may add to the setting."""

    name: str
    title: str
    module: str
    setting: Mapping[str, Any]
    contenders: tuple[Contender, ...]
    before: Callable[[], Mapping[str, Any]] = dict
    truth: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One contender's figures: medians over the rounds, and medians of its ratios to ours."""

    bench: str
    contender: str
    figures: Mapping[str, float]
    ratios: Mapping[str, float]
    goals: tuple[tuple[str, float, bool], ...] = ()
    differs: str = ""
    rounds: tuple[Mapping[str, float], ...] = field(default=(), repr=False)


class ContenderFailedError(Exception):
    """A contender ended without a result; the message holds what it said."""


def compile_ours() -> None:
    """Compile our modules, as the installer has compiled those of the others: where Python is told to write nothing, each start would compile ours anew."""
    for place in (*mlc_pipelines.__path__, Path(__file__).parent):
        compileall.compile_dir(place, quiet=1)


def run(bench: Bench, rounds: int, said: Callable[[str], None] = lambda _: None) -> list[Row]:
    """All contenders of a bench. Raises ContenderFailedError when one of them breaks."""
    readings: dict[str, list[dict[str, Any]]] = {one.name: [] for one in bench.contenders}
    for number in range(rounds):
        turn = number % len(bench.contenders)
        for one in bench.contenders[turn:] + bench.contenders[:turn]:
            readings[one.name].append(once(bench, one))
            said(
                f"{bench.name}: round {number + 1} of {rounds}: {one.name} {readings[one.name][-1]['cpu_seconds']:.2f} CPU s"
            )
    ours = readings[bench.contenders[0].name]
    return [_row(bench, one, readings[one.name], ours) for one in bench.contenders]


def once(bench: Bench, one: Contender) -> dict[str, Any]:
    """One contender, once, in a fresh process."""
    setting = json.dumps({**bench.setting, **bench.before()})
    command = [sys.executable, "-m", f"{__package__}.contender", bench.module, one.function, setting]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_RUN_SECONDS, env=_environment()
    )
    if done.returncode:
        raise ContenderFailedError(f"{bench.name}, {one.name}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    sys.stderr.write(done.stderr)  # what a contender has to tell beside its figures
    reading: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reading


def _environment() -> dict[str, str]:
    """One thread per library, so that CPU seconds mean the same for all."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **one_thread}


def _row(bench: Bench, one: Contender, readings: list[dict[str, Any]], ours: list[dict[str, Any]]) -> Row:
    rounds = [{name: reading[name] for name in _SHORT} for reading in readings]
    figures = {name: statistics.median(each[name] for each in rounds) for name in _SHORT}
    pairs = list(zip(rounds, ours, strict=True))
    ratios = {name: statistics.median(theirs[name] / max(own[name], 0.001) for theirs, own in pairs) for name in _SHORT}
    judged = tuple(_judged(goal, figures, ratios) for goal in one.goals)
    expected = bench.truth if bench.truth is not None else ours[0]["result"]
    wrong = [reading["result"] for reading in readings if reading["result"] != expected]
    differs = f"came to {wrong[0]}, expected was {expected}" if wrong else ""
    return Row(bench.name, one.name, figures, ratios, judged, differs, tuple(rounds))


def _judged(goal: Goal, figures: Mapping[str, float], ratios: Mapping[str, float]) -> tuple[str, float, bool]:
    if goal.times:
        return str(goal), ratios[goal.figure], ratios[goal.figure] >= goal.times
    return str(goal), figures[goal.figure], figures[goal.figure] < goal.at_most
