"""mlc extract: a declared list of records of the ERP, read and kept by hand."""

import json
import shutil
from pathlib import Path

import click
from rich.console import Console

from mlc_pipelines.flows.extracts import COLUMNS, read_extract
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk


@click.command()
@click.argument("connection")
@click.argument("name")
@click.argument("period", default="")
@click.option("--whole", is_flag=True, help="Read everything again, also what seems unchanged since it was kept last.")
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="Copy the Parquet file to this place as well."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def extract(connection: str, name: str, period: str, whole: bool, to: Path | None, as_json: bool) -> None:
    """Read the extract NAME of CONNECTION, for PERIOD (FY2026-P03) where it is read by period, and keep it as Parquet."""
    console = Console(stderr=True, log_path=False)
    with open_desk(find(connection), progress=console.log if not as_json else None) as desk:
        report = read_extract(desk, name, period, whole=whole)
        file = desk.store.artefacts.path(report.artefact)
    if to is not None:
        shutil.copyfile(file, to)
    if as_json:
        facts = {
            "connection": connection,
            "extract": name,
            "period": period,
            "counts": dict(report.counts),
            "file": report.artefact,
            "path": str(to or file),
            "columns": report.tables[COLUMNS].to_dict("records"),
            "legs": [{"leg": leg.name, "agreed": leg.agreed, "compared": leg.compared} for leg in report.legs],
        }
        click.echo(json.dumps(facts))
        return
    click.echo(f"{name}: {report.summary}")
    click.echo(str(to or file))
