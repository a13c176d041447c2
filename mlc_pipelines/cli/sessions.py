"""mlc sessions: API sessions of the ERP that runs of this installation have open, and those that killed runs left open."""

import click

from mlc_pipelines.ledger.errors import TransientError
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import read_all
from mlc_pipelines.wiring.ledgers import close_left_sessions


@click.group()
def sessions() -> None:
    """Open API sessions of the ERP. Each holds one of the few seats of its licence."""


@sessions.command("list")
def list_() -> None:
    """Every session that is written down: in use by a living run, or left open by one that was killed."""
    found = Store.open().seats("mlc sessions").all()
    for one in found:
        state = "in use" if one.alive else "left open; `mlc sessions close` signs it out"
        click.echo(f"{one.site}  {one.holder}  since {one.opened_at[:19]} UTC  {state}")
    if not found:
        click.echo("No session is open.")


@sessions.command()
def close() -> None:
    """Sign out what killed runs left open. The next run of a connection does the same by itself."""
    store = Store.open()
    closed = sum(close_left_sessions(one, store) for one in read_all()[0])
    click.echo(f"{closed} sessions signed out.")
    if left := [one for one in store.seats("mlc sessions").all() if not one.alive]:
        raise TransientError(
            f"{len(left)} sessions could not be signed out: {', '.join(sorted({one.site for one in left}))}.",
            holds="They end by themselves within the hour.",
            next_step="Try again when the site can be reached, with its connection file in the connections folder.",
        )
