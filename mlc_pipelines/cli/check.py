"""mlc check: what is there and what is missing before the first load, and who can mend it."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from mlc_pipelines.flows.fit import fit_report
from mlc_pipelines.flows.fit_page import page_of
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fit import (
    BEWARE,
    BOTH,
    BROKEN,
    ENGINEER,
    FINE,
    MISSING,
    NOT_CHECKED,
    NOT_YET,
    READY,
    Finding,
    FitReport,
)
from mlc_pipelines.wiring.connections import Broken, Named, read_all
from mlc_pipelines.wiring.fit import open_premises

EXIT_CODES = {READY: 0, NOT_YET: 1, BROKEN: 3}
_COLORS = {MISSING: "red", BEWARE: "yellow", NOT_CHECKED: "bright_black", FINE: "green"}


@click.command()
@click.argument("connection", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as a page of its own.")
@click.option("--all", "every", is_flag=True, help="Show what is fine as well.")
def check(connection: str | None, as_json: bool, html: Path | None, every: bool) -> None:
    """Look at both systems of CONNECTION (of all, without one) and say what is missing before the first load. Nothing is written into any system.

    Ends with exit code 0 when ready, 1 when not yet, 3 when a file, a credential or a system could not be opened.
    """
    reports = [_report(one, quiet=as_json) for one in _chosen(connection)]
    if html:
        html.write_text(page_of(reports), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"connections": [facts_of(report) for report in reports]}))
    else:
        for report in reports:
            _show(report, every=every)
        if html:
            click.echo(f"The report is in {html}.")
    sys.exit(max((EXIT_CODES[report.state] for report in reports), default=0))


def _chosen(connection: str | None) -> Iterable[Named | Broken]:
    """The connection of that name, or all; a broken file among them. Raises SetupError listing the names there are."""
    named, broken = read_all()
    every: list[Named | Broken] = [*named, *broken]
    chosen = [one for one in every if connection in {None, one.name}]
    if not chosen:
        names = ", ".join(one.name for one in every) or "none"
        raise SetupError(
            f"There is no connection {connection!r}; there are: {names}." if connection else "There is no connection.",
            next_step="Check the name, or set MLC_CONNECTIONS to the folder of your connection files.",
        )
    return chosen


def _report(one: Named | Broken, *, quiet: bool) -> FitReport:
    """The report; of a file that cannot be used, its one line."""
    if isinstance(one, Broken):
        error = one.error
        unusable = Finding(
            "set_up.file", "Connection file", BOTH, MISSING, error.what, ENGINEER, error.next_step, gate=True
        )
        return FitReport(one.name, datetime.now(UTC), (unusable,))
    with open_premises(one) as premises:
        if quiet or not sys.stderr.isatty():
            return fit_report(premises)
        from rich.console import Console  # costs 50 ms, which scripts need not wait for

        with Console(stderr=True).status(f"Looking at {one.name}") as status:
            return fit_report(premises, progress=lambda said: status.update(f"{one.name}: {said}"))


def facts_of(report: FitReport) -> dict[str, object]:
    return {
        "connection": report.connection,
        "state": report.state,
        "at": report.at.isoformat(),
        "summary": report.summary,
        "findings": [
            {
                "check": one.check,
                "title": one.title,
                "system": one.area,
                "state": one.state,
                "said": one.said,
                "who": one.who,
                "next_step": one.next_step,
            }
            for one in report.findings
        ],
    }


def _show(report: FitReport, *, every: bool) -> None:
    """What is to be mended, by person; what was not checked; and, where asked for, what is fine."""
    for who in dict.fromkeys(one.who for one in report.objections):
        click.echo(click.style(f"{who}:", bold=True))
        for one in report.objections:
            if one.who == who:
                _line(one.state, f"{one.area}, {one.title}", one.said)
                if one.next_step:
                    click.echo(f"      {one.next_step}")
    waiting = [one for one in report.findings if one.state == NOT_CHECKED]
    for said in dict.fromkeys(one.said for one in waiting):
        _line(NOT_CHECKED, "; ".join(one.title for one in waiting if one.said == said), said)
    for one in report.findings if every else ():
        if one.state == FINE:
            _line(FINE, f"{one.area}, {one.title}", one.said)
    click.echo(report.summary)


def _line(state: str, title: str, said: str) -> None:
    click.echo(f"  {click.style(state, fg=_COLORS[state])}  {title}: {said}")
