"""mlc signoff: how each period stands, and all that became of it."""

import json

import click

from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find


@click.group()
def signoff() -> None:
    """How each period stands: provisional, final, suspended, in doubt, as then. Nothing is asked of any system."""


@signoff.command("list")
@click.argument("connection")
@click.option("--json", "as_json", is_flag=True, help="As one JSON list for scripts.")
def list_(connection: str, as_json: bool) -> None:
    """How each loaded period of CONNECTION stands, and why."""
    import pandas as pd

    from mlc_pipelines.cli.tables import show
    from mlc_pipelines.flows.signoff import NONE, sign_off

    store, named = Store.open(), find(connection)
    every = [sign_off(store, connection, period) for period in named.calendar.keys]
    held = [one for one in every if one.state != NONE or one.said]
    if as_json:
        rows = [
            {
                "period": one.period,
                "state": one.state,
                "agreed_at": one.agreed.at if one.agreed else "",
                "said": one.said,
            }
            for one in held
        ]
        click.echo(json.dumps(rows))
        return
    shown = [
        (one.period, one.state, one.agreed.at[:16].replace("T", " ") if one.agreed else "", one.said) for one in held
    ]
    show(
        f"Sign-offs of {connection}",
        pd.DataFrame(shown, columns=["period", "state", "agreed at (UTC)", "why"], dtype=object),
    )
    click.echo(f"{len(every) - len(held)} of {len(every)} periods were never loaded.")


@signoff.command()
@click.argument("connection")
@click.argument("period")
def history(connection: str, period: str) -> None:
    """All that became of PERIOD of CONNECTION, oldest first: every agreement, what the ERP did, every suspension with its journals."""
    from mlc_pipelines.cli.tables import show
    from mlc_pipelines.flows.signoff import sign_off
    from mlc_pipelines.flows.since_agreed import journals_table

    store = Store.open()
    find(connection).calendar.period(period)
    rows = store.standings(connection).of_period(period)
    currency = ""
    for row in rows:
        run = f" (run {row.run})" if row.run else ""
        click.echo(f"{row.at[:19].replace('T', ' ')} UTC  {row.state.lower()}: {row.note}{run}")
        currency = str(row.reading.get("currency", currency))
        if row.changes:
            show("", journals_table(store, row, currency))
    click.echo(f"{period} is {sign_off(store, connection, period)}.")
