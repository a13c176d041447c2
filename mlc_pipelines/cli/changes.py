"""mlc changes: which periods are no longer what was loaded."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find

if TYPE_CHECKING:
    from mlc_pipelines.flows.desk import Desk
    from mlc_pipelines.flows.watch import Look


@click.command()
@click.argument("connection")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    help="Look again from this moment on, such as 2026-03-01T00:00+00:00; the watch goes on from there.",
)
def changes(connection: str, since: datetime | None) -> None:
    """Ask the ERP what changed since the last look, list the periods of CONNECTION that wait to be read again, and what changed in those that were final.
    Nothing is loaded.
    """
    from mlc_pipelines.flows.signoff import to_compare
    from mlc_pipelines.flows.since_agreed import compare
    from mlc_pipelines.flows.watch import look_from, waiting
    from mlc_pipelines.wiring.rooms import open_desk
    from mlc_pipelines.wiring.watching import watch

    store = Store.open()
    named = find(connection)
    with open_desk(named, store=store) as desk:
        if since:
            look_from(desk, since)
        found = watch(named, desk, click.echo)
        _show_look(found)
        for period in to_compare(store, connection):
            compare(desk, period)
        _show_suspended(desk)
    waits = waiting(store, connection)
    for one in waits:
        click.echo(f"{one.period} waits to be read again ({one.reason}): mlc load {connection} {one.period}")
    if not waits:
        click.echo("No period waits to be read again.")


def _show_look(found: "Look") -> None:
    click.echo(
        f"{len(found.batches)} batches changed between {found.since:%Y-%m-%d %H:%M} and {found.until:%Y-%m-%d %H:%M} UTC, by the ERP's clock."
    )
    for batch, period, at in found.batches.itertuples(index=False):
        click.echo(f"  {batch}  {period}  {at:%Y-%m-%d %H:%M:%S}")
    for batch, _, at in found.ahead.itertuples(index=False):
        click.echo(f"  FutureTimestamp({batch}): {at:%Y-%m-%d} is later than the ERP's own now; correct it there.")
    for what, periods in (("opened", found.opened), ("closed", found.closed), ("opened again", found.reopened)):
        for period in periods:
            click.echo(f"{period} was {what} in the ERP.")


def _show_suspended(desk: "Desk") -> None:
    """The periods that were final and are not any more, with the journals that differ."""
    from mlc_pipelines.cli.tables import show
    from mlc_pipelines.flows.signoff import sign_off
    from mlc_pipelines.flows.since_agreed import journals_table

    for period in desk.calendar.keys:
        held = sign_off(desk.store, desk.connection, period)
        if held.suspended and held.agreed:
            click.echo(f"{period} was final and is suspended. {held.said}")
            if held.suspended.changes:
                show(period, journals_table(desk.store, held.suspended, str(held.agreed.reading["currency"])))
