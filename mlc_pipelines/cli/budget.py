"""mlc budget: approved plans back into the ledger, previewed, approved, posted once."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import pandas as pd

from mlc_pipelines.cli.load import facts_of, progress_on_terminal, show_report
from mlc_pipelines.cli.tables import show
from mlc_pipelines.flows import approval as approvals
from mlc_pipelines.flows.approved import read_approved
from mlc_pipelines.flows.budgets import post_plan
from mlc_pipelines.flows.by_hand import abandon_journal, record_reversal, reopen_journal, sweep_drafts
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.preview import preview_plan
from mlc_pipelines.flows.report import Report
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk

_PLAN = click.option("--plan", default="budget", show_default=True, help="Which of the connection's plans.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
_BECAUSE = click.option("--because", required=True, help="The reason, which is kept.")


@click.group()
def budget() -> None:
    """Approved plans back into the ledger. YEAR is a fiscal year, like FY2027; what you do is kept under your name (MLC_USER, or your log-in)."""


@budget.command()
@click.argument("connection")
@click.argument("year")
@_PLAN
@_JSON
def preview(connection: str, year: str, plan: str, as_json: bool) -> None:
    """Export the approved plan of YEAR and show the journals it makes, beside what the ERP holds. Nothing is written."""
    with _at_desk(connection, quiet=as_json) as desk:
        route = desk.route(plan)
        reports = [read_approved(desk, route, year), preview_plan(desk, route, year)]
    _told(connection, year, reports, as_json)
    if not as_json and reports[-1].counts["journals"]:
        click.echo(f"To approve it, as somebody else: {reports[-1].texts['to approve it']}")


@budget.command()
@click.argument("connection")
@click.argument("year")
@click.argument("content")
@_PLAN
def approve(connection: str, year: str, content: str, plan: str) -> None:
    """Approve the journals of the newest preview of YEAR. CONTENT is what it shows, or the first characters of it."""
    with _at_desk(connection, quiet=True) as desk:
        given = approvals.approve(desk, desk.route(plan), year, content)
    click.echo(f"{given.by} approved content {given.content_hash[:16]} at {given.at[:19]} UTC. {given.evidence}.")


@budget.command()
@click.argument("connection")
@click.argument("year")
@_PLAN
@_BECAUSE
def withdraw(connection: str, year: str, plan: str, because: str) -> None:
    """Take the approval of the newest preview of YEAR back. What is posted stays posted."""
    with _at_desk(connection, quiet=True) as desk:
        content = approvals.withdraw(desk, desk.route(plan), year, because)
    click.echo(f"The approval of content {content[:16]} is withdrawn.")


@budget.command()
@click.argument("connection")
@click.argument("year")
@click.option(
    "--period", "periods", multiple=True, help="Only this fiscal period (FY2027-P03); may be given several times."
)
@_PLAN
@_JSON
def post(connection: str, year: str, periods: Sequence[str], plan: str, as_json: bool) -> None:
    """Post the approved journals of YEAR, each once, and prove that the ERP holds the plan. Give it again to take up what waits."""
    with _at_desk(connection, quiet=as_json) as desk:
        report = post_plan(desk, desk.route(plan), year, periods)
    _told(connection, year, [report], as_json)


@budget.command()
@click.argument("connection")
@_JSON
def status(connection: str, as_json: bool) -> None:
    """Every journal of the plans of CONNECTION: its state, its number in the ERP, and why it stands where it stands."""
    with _at_desk(connection, quiet=True) as desk:
        rows = [
            {
                "plan": draft.plan,
                "version": draft.version,
                "issue": draft.issue,
                "period": draft.period,
                "state": posting.state,
                "journal": posting.number,
                "why": posting.note,
                "reference": draft.reference,
            }
            for route in desk.routes.values()
            for year in dict.fromkeys(one.key.partition("-")[0] for one in desk.calendar.periods)
            for draft, posting, _ in desk.postings.of_plan(route.plan_of(year))
        ]
    if as_json:
        click.echo(json.dumps(rows))
    elif rows:
        show("Journals", pd.DataFrame(rows))
    else:
        click.echo(f"{connection}: no journal was ever previewed.")


@budget.command()
@click.argument("connection")
@click.argument("reference")
@_BECAUSE
def abandon(connection: str, reference: str, because: str) -> None:
    """Give the journal of REFERENCE (MLC-...) up: its drafts in the ERP are deleted, and it is never posted."""
    with _at_desk(connection, quiet=True) as desk:
        posting = abandon_journal(desk, reference, because)
    click.echo(f"{reference}: {posting.state}.")


@budget.command()
@click.argument("connection")
@click.argument("reference")
@_BECAUSE
def reopen(connection: str, reference: str, because: str) -> None:
    """Let the journal of REFERENCE (MLC-...), which is in conflict, be worked on again after it was put right in the ERP."""
    with _at_desk(connection, quiet=True) as desk:
        posting = reopen_journal(desk, reference, because)
    click.echo(f"{reference}: {posting.state}. Give `mlc budget post` to take it up.")


@budget.command("reversed")
@click.argument("connection")
@click.argument("journal")
@click.option("--by", required=True, help="Number of the journal that reverses it, as the ERP shows it.")
@_PLAN
@_BECAUSE
def reversed_(connection: str, journal: str, by: str, plan: str, because: str) -> None:
    """Say that the released JOURNAL of a plan was reversed in the ERP. Both are read back and must cancel out; then reopen or abandon the posting."""
    with _at_desk(connection, quiet=True) as desk:
        found = record_reversal(desk, desk.route(plan), journal, by, because)
    click.echo(f"{found.number} ({found.reference}) counts no more: {by} takes it back.")


@budget.command()
@click.argument("connection")
def sweep(connection: str) -> None:
    """Delete drafts that the ERP of CONNECTION made late, of journals that are posted or given up; tell of the others."""
    with _at_desk(connection, quiet=True) as desk:
        found = sweep_drafts(desk)
    for line in found or ["There are no drafts to clear away."]:
        click.echo(line)


@contextmanager
def _at_desk(connection: str, *, quiet: bool) -> Iterator[Desk]:
    with open_desk(find(connection), progress=None if quiet else progress_on_terminal()) as desk:
        yield desk


def _told(connection: str, year: str, reports: Sequence[Report], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"connection": connection, "year": year, "steps": [facts_of(one) for one in reports]}))
        return
    for report in reports:
        show_report(report)
        for title, frame in report.tables.items():
            if len(frame):
                show(title, frame)
