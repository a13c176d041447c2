"""mlc map: codes and members, paired up by people."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click
import pandas as pd

from mlc_pipelines.cli.load import facts_of, progress_on_terminal
from mlc_pipelines.cli.tables import show
from mlc_pipelines.flows import mapping as desk_work
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.steps import MAPPING_SOUND
from mlc_pipelines.flows.suggest import suggest_members
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.mappings import ACCEPTED, PROPOSED, Change
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import actuals_target, open_desk, spend_target

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
_WHY = click.option("--why", required=True, help="The reason, which is kept.")
_FROM = click.option(
    "--from", "since", default="", help="Fiscal period from which it holds (FY2027-P01); without, from the beginning."
)
_OF = click.option(
    "--of",
    "dimension",
    type=click.Choice(["account", "cost_center", "vendor"]),
    help="Which kind of code is meant, where several have it.",
)


@click.group()
def map() -> None:  # noqa: A001  # the name of the command
    """Codes of the ERP and members of the plan. What you do is kept under your name (MLC_USER, or your log-in)."""


@map.command()
@click.argument("connection")
@click.option("--count", default=3, show_default=True, help="How many members for each code.")
@_JSON
def suggest(connection: str, count: int, as_json: bool) -> None:
    """The members that codes without one may belong to, best first, with the reasons and the money at stake. Nothing is changed."""
    with _at_desk(find(connection), quiet=as_json) as desk:
        refresh_reference(desk)
        report = suggest_members(desk, count=count)
    if as_json:
        click.echo(json.dumps({**facts_of(report), "suggestions": report.tables["Suggestions"].to_dict("records")}))
        return
    click.echo(report.summary)
    if len(report.tables["Suggestions"]):
        show("Suggestions", report.tables["Suggestions"])
        click.echo(
            f"To take one: `mlc map accept {connection} CODE MEMBER --why ...`, which somebody else then accepts."
        )


@map.command()
@click.argument("connection")
@click.argument("code")
@click.argument("member")
@_FROM
@_OF
@_WHY
def accept(connection: str, code: str, member: str, since: str, dimension: str | None, why: str) -> None:
    """Send CODE to MEMBER (its code) from a period on. You propose it; somebody else accepts it by giving the same command. It counts from the next map on."""
    named = find(connection)
    alone = named.settings.mapping.same_person
    with _at_desk(named, quiet=True) as desk:
        done = desk_work.accept(desk, code, member, why, since=since, dimension=dimension or "", same_person=alone)
    _told(connection, done, f"mlc map accept {connection} {code} {member}")


@map.command()
@click.argument("connection")
@click.argument("code")
@_FROM
@_OF
@click.option("--proposal", is_flag=True, help="Take back what is only proposed, whatever it is.")
@_WHY
def withdraw(connection: str, code: str, since: str, dimension: str | None, proposal: bool, why: str) -> None:
    """Take back a proposal for CODE; or have its accepted entry go, which somebody else accepts by giving the same command."""
    named = find(connection)
    how = {"take_back": proposal, "same_person": named.settings.mapping.same_person}
    with _at_desk(named, quiet=True) as desk:
        done = desk_work.withdraw(desk, code, why, since=since, dimension=dimension or "", **how)
    _told(connection, done, f"mlc map withdraw {connection} {code}")


@map.command("list")
@click.argument("connection")
@_JSON
def list_(connection: str, as_json: bool) -> None:
    """Every entry of the files and of the mapping desk that counts, and what waits for acceptance. Neither system is called."""
    named = find(connection)
    at = Store.open().mappings(connection)
    targets = [actuals_target(named, at.entries())]
    if named.settings.ap_spend:
        targets.append(spend_target(named, at.entries()))
    entries = {one: None for target in targets for rule in target.rules for one in rule.entries}
    rows = [
        {"dimension": one.dimension, "code": one.code, "member": one.member, "from": one.since, "source": one.source}
        for one in entries
    ]
    _shown(as_json, {"entries": rows, "waiting": [_row(one) for one in at.waiting()]})


@map.command()
@click.argument("connection")
@_JSON
def history(connection: str, as_json: bool) -> None:
    """What was proposed, accepted and withdrawn, by whom and why; and each version of the mapping with its first use."""
    at = Store.open().mappings(connection)
    versions = [{"version": one.version, "first used": one.used_at, "by": one.who} for one in at.versions()]
    _shown(as_json, {"changes": [_row(one) for one in at.changes()], "versions": versions})


@map.command()
@click.argument("connection")
@_JSON
def check(connection: str, as_json: bool) -> None:
    """Read codes and members again, and say what is wrong with the mapping tables. Ends with exit code 1 where figures are concerned."""
    with _at_desk(find(connection), quiet=as_json) as desk:
        report = refresh_reference(desk)[-1]
    sound = next(one for one in report.notices if one.name == MAPPING_SOUND)
    if as_json:
        click.echo(
            json.dumps({"said": sound.said, "serious": sound.serious, "findings": sound.rows.to_dict("records")})
        )
    else:
        click.echo(sound.said)
        if len(sound.rows):
            show("To look at in the mapping tables", sound.rows)
    sys.exit(1 if sound.serious else 0)


@contextmanager
def _at_desk(named: Named, *, quiet: bool) -> Iterator[Desk]:
    with open_desk(named, progress=None if quiet else progress_on_terminal()) as desk:
        yield desk


def _told(connection: str, done: Change, command: str) -> None:
    if done.state == PROPOSED:
        when = f" --from {done.since}" if done.since else ""
        click.echo(f"Proposed: {done}. It waits for somebody else: `{command}{when} --why ...`")
    elif done.state == ACCEPTED:
        click.echo(f"Accepted: {done}. It counts from the next member map on: materialize {connection}/member_map.")
    else:
        click.echo(f"Taken back: {done}.")


def _row(one: Change) -> dict[str, object]:
    said: dict[str, object] = {
        "proposal": one.proposal,
        "state": one.state,
        "what": str(one),
        "by": one.who,
        "why": one.why,
    }
    return {**said, "at": one.at[:19].replace("T", " ")}


def _shown(as_json: bool, tables: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    if as_json:
        click.echo(json.dumps(tables))
        return
    for title, rows in tables.items():
        if rows:
            show(title.capitalize(), pd.DataFrame(rows))
        else:
            click.echo(f"{title.capitalize()}: none.")
