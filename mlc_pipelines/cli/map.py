"""mlc map: codes and members, paired up by people."""

import json

import click

from mlc_pipelines.cli.load import facts_of, progress_on_terminal
from mlc_pipelines.cli.tables import show
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.suggest import suggest_members
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk


@click.group()
def map() -> None:  # noqa: A001  # the name of the command
    """Codes of the ERP and members of the plan."""


@map.command()
@click.argument("connection")
@click.option("--count", default=3, show_default=True, help="How many members for each code.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def suggest(connection: str, count: int, as_json: bool) -> None:
    """The members that codes without one may belong to, best first, with the reasons and the money at stake. Nothing is changed."""
    with open_desk(find(connection), progress=None if as_json else progress_on_terminal()) as desk:
        refresh_reference(desk)
        report = suggest_members(desk, count=count)
    if as_json:
        click.echo(json.dumps({**facts_of(report), "suggestions": report.tables["Suggestions"].to_dict("records")}))
        return
    click.echo(report.summary)
    if len(report.tables["Suggestions"]):
        show("Suggestions", report.tables["Suggestions"])
        click.echo(
            "To take one: add a line code,member to the mapping file of the connection, then materialize member_map."
        )
