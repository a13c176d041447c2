"""mlc login: a person logs in once, so that later runs can."""

import click

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.log_in import Invitation
from mlc_pipelines.wiring import custody
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.log_in import SYSTEMS, log_in, systems_to_log_in


@click.command()
@click.argument("connection")
@click.option("--system", type=click.Choice(SYSTEMS), help="Which one, where both systems of the connection need it.")
@click.option(
    "--wait-minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.01, 60),
    help="How long the browser may take.",
)
def login(connection: str, system: str | None, wait_minutes: float) -> None:
    """Log in to a system of CONNECTION once, as a person (OAuth). Its later runs go on by themselves; Ctrl-C changes nothing."""
    named = find(connection)
    chosen = system or _only_one(named.name, systems_to_log_in(named))
    name = log_in(named, chosen, show=_show, wait_seconds=wait_minutes * 60)
    custody.told(Store.open(), custody.LOGGED_IN, name, connection=connection, system=chosen)
    click.echo(f"Logged in to {chosen}. The log-in is kept, encrypted, beside credential {name}.")


def _only_one(connection: str, systems: list[str]) -> str:
    if len(systems) > 1:
        raise click.UsageError(
            f"Connection {connection} needs a log-in for {' and '.join(systems)}: choose with --system."
        )
    if not systems:
        raise SetupError(
            f"Connection {connection} logs in everywhere without a person: there is nothing to do.",
            holds="Nothing was stored.",
            next_step="Where a person shall log in once, write `auth: oauth_device` or `auth: oauth_code` into the connection file.",
        )
    return systems[0]


def _show(invitation: Invitation) -> None:
    """Where to go; flushed, since somebody waits for it."""
    if invitation.code:
        click.echo(f"Open {invitation.address} in any browser and type in the code {invitation.code}")
    else:
        click.echo(f"Open this address in a browser on this machine:\n{invitation.address}")
    click.echo(f"Waiting for you to agree there, {invitation.minutes:.0f} minutes at most ...")
