"""mlc refused: records that were refused, until somebody has dealt with them."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from mlc_pipelines.store.home import Store
from mlc_pipelines.store.refusals import OPEN, RESOLVED, WAIVED


@click.group()
def refused() -> None:
    """Records that the plan refused, or that have no member there. Each stays until a load that agrees takes it, or until it is waived by name."""


@refused.command("list")
@click.argument("connection")
@click.option("--all", "every", is_flag=True, help="Also those that were resolved or waived.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def list_(connection: str, every: bool, as_json: bool) -> None:
    """What is refused in CONNECTION: which record of which period, why, since when, with how much money."""
    from mlc_pipelines.cli.tables import show
    from mlc_pipelines.flows.refused import as_table
    from mlc_pipelines.wiring.connections import find

    named = find(connection)
    held = Store.open().refusals(named.name).all(*((OPEN, RESOLVED, WAIVED) if every else (OPEN,)))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in held]))
    elif held:
        show("Refused records", as_table(held))
    else:
        click.echo(f"{named.name}: nothing is refused.")


@refused.command()
@click.argument("connection")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--because", required=True, help="The reason, which is kept with your name.")
def waive(connection: str, numbers: Sequence[int], because: str) -> None:
    """Stop waiting for the records of these NUMBERS, as `mlc refused list` shows them. The period does not agree by it."""
    from mlc_pipelines.wiring.connections import find
    from mlc_pipelines.wiring.versions import logbook_of

    named, store = find(connection), Store.open()
    logbook = logbook_of(named, store)
    for number in numbers:
        done = store.refusals(named.name).waive(number, because, logbook)
        click.echo(f"{done.period} {done.record}: waived by {done.who}. {done.why}")
    store.trail.checkpoint()
