"""mlc load: one period from ledger to plan, by hand."""

import json
from collections.abc import Callable

import click

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.spend import load_spend, read_spend_slice
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk


@click.command()
@click.argument("connection")
@click.argument("period")
@click.option("--dry-run", is_flag=True, help="Read, map and check everything, but send nothing to the plan.")
@click.option(
    "--accept-shrunk",
    is_flag=True,
    help="Send PERIOD although nearly all of its figures are gone since it last agreed.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def load(connection: str, period: str, dry_run: bool, accept_shrunk: bool, as_json: bool) -> None:
    """Bring the posted actuals of PERIOD (FY2026-P03), and AP spend where declared, into the plan of CONNECTION and prove them equal."""
    progress = None if as_json else progress_on_terminal()
    with open_desk(find(connection), progress=progress, accept_shrunk=[period] if accept_shrunk else ()) as desk:
        desk.calendar.period(period)  # a period that does not exist is told before anything is read
        reports = refresh_reference(desk)
        reports += [read_slice(desk, period), write_slice(desk, period)] if dry_run else load_actuals(desk, period)
        if desk.spend:
            spend = desk.on_spend()
            reports += (
                [read_spend_slice(spend, period), write_slice(spend, period)] if dry_run else load_spend(desk, period)
            )
    if as_json:
        click.echo(
            json.dumps(
                {
                    "connection": connection,
                    "period": period,
                    "sent": not dry_run,
                    "steps": [facts_of(one) for one in reports],
                }
            )
        )
        return
    for report in reports:
        show_report(report)
    click.echo("Nothing was sent (dry run)." if dry_run else f"{connection} {period}: plan and ledger agree.")


def progress_on_terminal() -> Callable[[str], None]:
    """Each sentence with its time, on standard error."""
    from rich.console import Console  # costs 50 ms, which scripts need not wait for

    said = Console(stderr=True, log_path=False)
    return lambda sentence: said.log(sentence)


def show_report(report: Report) -> None:
    """What a step did, and below it what asks for a look though the step is done."""
    click.echo(f"{report.step}: {report.summary}")
    for notice in report.notices:
        if not notice.good:
            click.echo(f"  {notice.name}: {notice.said}")


def facts_of(report: Report) -> dict[str, object]:
    return {
        "step": report.step,
        "summary": report.summary,
        "file": report.artefact,
        "counts": dict(report.counts),
        "amounts": {title: str(money.decimal) for title, money in report.amounts.items()},
        "texts": dict(report.texts),
        "legs": [{"leg": leg.name, "agreed": leg.agreed, "compared": leg.compared} for leg in report.legs],
        "notices": [{"name": one.name, "good": one.good, "said": one.said} for one in report.notices],
    }
