"""mlc changes: which periods are no longer what was loaded."""

from datetime import datetime

import click

from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find


@click.command()
@click.argument("connection")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    help="Look again from this moment on, such as 2026-03-01T00:00+00:00; the watch goes on from there.",
)
def changes(connection: str, since: datetime | None) -> None:
    """Ask the ERP what changed since the last look, and list the periods of CONNECTION that wait to be read again. Nothing is loaded."""
    from mlc_pipelines.flows.watch import look, look_from, waiting
    from mlc_pipelines.wiring.rooms import open_desk

    store = Store.open()
    with open_desk(find(connection), store=store) as desk:
        if since:
            look_from(desk, since)
        found = look(desk)
    click.echo(
        f"{len(found.batches)} batches changed between {found.since:%Y-%m-%d %H:%M} and {found.until:%Y-%m-%d %H:%M} UTC, by the ERP's clock."
    )
    for batch, period, at in found.batches.itertuples(index=False):
        click.echo(f"  {batch}  {period}  {at:%Y-%m-%d %H:%M:%S}")
    waits = waiting(store, connection)
    for one in waits:
        click.echo(f"{one.period} waits to be read again ({one.reason}): mlc load {connection} {one.period}")
    if not waits:
        click.echo("No period waits to be read again.")
