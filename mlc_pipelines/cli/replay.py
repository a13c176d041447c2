"""mlc replay: a load done again."""

import json

import click

from mlc_pipelines.cli.load import facts_of, progress_on_terminal, show_report
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.rooms import open_desk

_WHEN = click.Choice(["now", "then"])


@click.command()
@click.argument("connection")
@click.argument("period")
@click.option(
    "--as-then",
    is_flag=True,
    help="From the kept files of an earlier load, exactly as then; otherwise from what the ERP says now.",
)
@click.option(
    "--mapping",
    type=_WHEN,
    default="now",
    show_default=True,
    help="The member map of now, or the one that the earlier load went through.",
)
@click.option(
    "--load", default=0, help="Which earlier load is meant by then, by its number; the newest attempt unless given."
)
@click.option(
    "--feed", type=click.Choice(["actuals", "ap_spend"]), default="actuals", show_default=True, help="Which figures."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def replay(connection: str, period: str, as_then: bool, mapping: str, load: int, feed: str, as_json: bool) -> None:
    """Do the load of PERIOD (FY2026-P03) of CONNECTION again. What the model holds already is not sent again, and that is said."""
    from mlc_pipelines.flows import replay as flow
    from mlc_pipelines.flows.as_then import NOW, THEN

    figures = THEN if as_then else NOW
    if load and THEN not in (figures, mapping):
        raise click.UsageError(
            f"--load {load} says which load is meant by then. Add --as-then for its figures, --mapping then for its mapping, or both. Nothing was read or sent."
        )
    with open_desk(find(connection), progress=None if as_json else progress_on_terminal()) as desk:
        at_work = desk.on_spend() if feed == "ap_spend" else desk
        reports = flow.replay(at_work, period, figures=figures, mapping=mapping, load=load)
    sent = bool(reports[-1].counts["rows sent"])
    if as_json:
        steps = [facts_of(one) for one in reports]
        click.echo(
            json.dumps(
                {
                    "connection": connection,
                    "period": period,
                    "figures": figures,
                    "mapping": mapping,
                    "sent": sent,
                    "steps": steps,
                }
            )
        )
        return
    for report in reports:
        show_report(report)
    done = (
        "loaded again, plan and ledger agree"
        if sent and not as_then
        else "loaded again as then; the ERP was not asked, and the period waits to be read again"
        if sent
        else "nothing was changed"
    )
    click.echo(f"{connection} {period}, figures of {figures}, mapping of {mapping}: {done}.")
