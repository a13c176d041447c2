"""mlc lists: list members after the ERP's codes."""

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mlc_pipelines.flows.lists import require_declared, sync_lists
from mlc_pipelines.flows.reference import read_chart, read_cost_centers
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk

_SHOWN = 100


@click.group()
def lists() -> None:
    """Anaplan lists that follow the ERP's codes."""


@lists.command("sync")
@click.argument("connection")
@click.option("--dry-run", is_flag=True, help="Show what would change, and send nothing.")
def sync(connection: str, dry_run: bool) -> None:
    """Bring the lists that CONNECTION declares up to the ERP's codes: new members, names, parents, properties. Deletes nothing."""
    progress = Console(stderr=True, log_path=False)
    with open_desk(find(connection), progress=progress.log) as desk:
        require_declared(desk)
        read_chart(desk)
        read_cost_centers(desk)
        report = sync_lists(desk, dry_run=dry_run)
    for title, rows in report.tables.items():
        if rows.empty:
            continue
        table = Table(*rows.columns, title=title, box=SIMPLE_HEAD, title_justify="left")
        for row in rows.head(_SHOWN).itertuples(index=False):
            table.add_row(*map(str, row))
        Console(width=160 if not Console().is_terminal else None).print(table)
        if len(rows) > _SHOWN:
            click.echo(f"... and {len(rows) - _SHOWN:,} more")
    click.echo(f"{connection}: {report.summary}")
