"""mlc connections: the files of the connection folder, seen and checked."""

import click

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.wiring.connections import folder, read_all


@click.group()
def connections() -> None:
    """The connection files."""


@connections.command("list")
def list_() -> None:
    """Every connection with its systems; a broken one with its error."""
    named, broken = read_all()
    for one in named:
        erp, plan = one.settings.erp, one.settings.anaplan
        click.echo(f"{one.name}: {erp.system} {erp.said} -> Anaplan {plan.workspace} / {plan.model}")
    for other in broken:
        click.echo(f"{other.name}: broken. {other.error.what}")


@connections.command()
def check() -> None:
    """Read every file strictly; ends with exit code 3 if one cannot be used."""
    named, broken = read_all()
    if broken:
        raise SetupError(
            f"{len(broken)} of {len(named) + len(broken)} connection files in {folder()} cannot be used.\n"
            + "\n".join(f"  {one.error.what}" for one in broken),
            next_step="Correct the files named above.",
        )
    click.echo(f"{len(named)} connection files in {folder()}, all usable.")
