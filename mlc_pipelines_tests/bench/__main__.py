"""Run the benches and show one table. Ends with 1 only when a contender came to other figures, never because of speed."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mlc_pipelines_tests.bench import aggregate, audit, baq, cells_file, dagster_run, extract, period, upload
from mlc_pipelines_tests.bench.measure import Bench, Row, compile_ours, run
from mlc_pipelines_tests.bench.server import served


@contextmanager
def extract_bench(quick: bool) -> Iterator[Bench]:
    with served("canned", "20000" if quick else "200000") as server:
        yield extract.bench(server)


@contextmanager
def documented_bench(quick: bool) -> Iterator[Bench]:
    with served("documented", "20000" if quick else "200000") as server:
        yield extract.bench(server, "extract all fields")


@contextmanager
def baq_bench(quick: bool) -> Iterator[Bench]:
    with served("20000" if quick else "1000000", module="mlc_pipelines_tests.bench.baq_server") as server:
        yield baq.bench(server)


@contextmanager
def aggregate_bench(quick: bool) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield aggregate.bench(100_000 if quick else 1_000_000, Path(folder))


@contextmanager
def csv_bench(quick: bool) -> Iterator[Bench]:
    yield cells_file.bench(26_400 if quick else 264_000)


@contextmanager
def audit_bench(quick: bool) -> Iterator[Bench]:
    yield audit.append_bench(20_000 if quick else 1_000_000)


@contextmanager
def audit_verify_bench(quick: bool) -> Iterator[Bench]:
    yield audit.verify_bench(20_000 if quick else 1_000_000)


@contextmanager
def audit_events_bench(quick: bool) -> Iterator[Bench]:
    yield audit.events_bench(50 if quick else 2_000)


@contextmanager
def audit_load_bench(quick: bool) -> Iterator[Bench]:
    lines = 5_000 if quick else 1_000_000
    with served("sandbox", period.PERIOD, str(lines)) as server:
        yield audit.load_bench(server, lines)


@contextmanager
def period_bench(quick: bool) -> Iterator[Bench]:
    lines = 5_000 if quick else 60_000
    with served("sandbox", period.PERIOD, str(lines)) as server:
        yield period.bench(server, lines)


@contextmanager
def large_period_bench(quick: bool) -> Iterator[Bench]:
    lines = 10_000 if quick else 200_000
    with served("sandbox", period.PERIOD, str(lines)) as server:
        yield period.bench(server, lines)


@contextmanager
def upload_bench(quick: bool) -> Iterator[Bench]:
    yield from _uploads(upload.near_bench, 20_000_000 if quick else 200_000_000)


@contextmanager
def far_upload_bench(quick: bool) -> Iterator[Bench]:
    yield from _uploads(upload.far_bench, 20_000_000 if quick else 200_000_000)


@contextmanager
def large_upload_bench(quick: bool) -> Iterator[Bench]:
    yield from _uploads(upload.large_bench, 50_000_000 if quick else 1_000_000_000)


def _uploads(bench: Callable[[Mapping[str, Any], Path], Bench], size: int) -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        served(*upload.LINE, module="mlc_pipelines_tests.bench.receiver") as server,
    ):
        yield bench(server, upload.write_file(Path(folder), size))


@contextmanager
def dagster_bench(quick: bool) -> Iterator[Bench]:
    with served("sandbox", period.PERIOD, "2000" if quick else "5000") as server:
        yield dagster_run.bench(server)


BENCHES = {
    "extract": extract_bench,
    "extract-all-fields": documented_bench,
    "baq": baq_bench,
    "aggregate": aggregate_bench,
    "csv": csv_bench,
    "audit": audit_bench,
    "audit-verify": audit_verify_bench,
    "audit-events": audit_events_bench,
    "audit-load": audit_load_bench,
    "upload": upload_bench,
    "upload-far": far_upload_bench,
    "upload-large": large_upload_bench,
    "period": period_bench,
    "period-large": large_period_bench,
    "dagster": dagster_bench,
}


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice(list(BENCHES)), help="Run this one; may be given more than once."
)
@click.option("--rounds", default=3, show_default=True, help="How often each contender takes its turn.")
@click.option("--quick", is_flag=True, help="Small sizes: shows that everything runs; goals are for the full sizes.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON on standard output.")
def main(only: Sequence[str], rounds: int, quick: bool, as_json: bool) -> None:
    """Our cost beside that of the tools a user would pick first, as ratios of one run."""
    compile_ours()
    rows: list[Row] = []
    for name in only or BENCHES:
        with BENCHES[name](quick) as bench:
            click.echo(f"{name}: {bench.title}", err=True)
            rows += run(bench, rounds, lambda said: click.echo(f"  {said}", err=True))
    click.echo(json.dumps([asdict(row) for row in rows], indent=1) if as_json else table(rows))
    sys.exit(1 if any(row.differs for row in rows) else 0)


def table(rows: Sequence[Row]) -> str:
    """Medians of the rounds; x is the contender's figure over ours; memory is what the work took above the idle process."""
    titles = (
        "bench",
        "contender",
        "CPU s",
        "x",
        "wall s",
        "x",
        "peak MB",
        "x",
        "with start: CPU s",
        "x",
        "peak MB",
        "x",
        "goal",
        "met",
    )
    shown = [titles, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in shown) for at in range(len(titles))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in shown]
    wrong = [f"DIFFERS  {row.bench}, {row.contender}: {row.differs}" for row in rows if row.differs]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], *wrong])


def _cells(row: Row) -> tuple[str, ...]:
    figures: list[str] = []
    for name, form in (
        ("cpu_seconds", ".2f"),
        ("wall_seconds", ".2f"),
        ("peak_mb", ".0f"),
        ("whole_cpu_seconds", ".2f"),
        ("whole_peak_mb", ".0f"),
    ):
        figures += [format(row.figures[name], form), f"{row.ratios[name]:.1f}"]
    goals = [goal for goal, _, _ in row.goals]
    met = ["yes" if met else "NO" for _, _, met in row.goals]
    return (row.bench, row.contender, *figures, ", ".join(goals), ", ".join(met))


if __name__ == "__main__":
    main()
