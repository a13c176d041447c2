"""mlc calendar: the fiscal periods of a connection, and when they are loaded by themselves."""

import json
import time
from datetime import UTC, datetime

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mlc_pipelines.flows.closing import TITLES, coming, ends_early, midnight, year_after
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod, calendar_of, from_iso
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.calendars import CalendarFile, read_calendar, write_calendar
from mlc_pipelines.wiring.connections import find
from mlc_pipelines.wiring.ledgers import open_ledger


@click.group()
def calendar() -> None:
    """The fiscal periods of a connection: they are the partitions in Dagit."""


@calendar.command()
@click.argument("connection")
def periods(connection: str) -> None:
    """Every fiscal period of CONNECTION with its days, and the label and version it has in the plan."""
    named = find(connection)
    landing = named.settings.actuals
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for title in ("period", "from", "to", "days", "label in the plan", "version"):
        table.add_column(title, justify="right" if title == "days" else "left", no_wrap=True)
    for one in named.calendar.periods:
        days = "" if one.adjustment else str((one.end_on - one.start_on).days + 1)
        version = landing.adjustment_version if one.adjustment else landing.version
        table.add_row(one.key, str(one.start_on), str(one.end_on), days, one.label(landing.period_label), version)
    Console(width=100 if not Console().is_terminal else None).print(table)


@calendar.command()
@click.argument("connection")
@click.option(
    "--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="First day of the twelve months; today unless given."
)
@click.option("--json", "as_json", is_flag=True, help="Every single moment, in UTC, as one JSON list for scripts.")
def show(connection: str, day: datetime | None, as_json: bool) -> None:
    """When which period of CONNECTION is loaded by itself in the coming twelve months, once its schedule is switched on in Dagit."""
    found = find(connection).close
    start = midnight(day.date(), found) if day else datetime.now(UTC)
    end = year_after(start)
    if as_json:
        moments = [
            {"at": due.at.isoformat(), "period": due.period, "step": due.step, "figures": due.figures, "key": due.key}
            for due in found.between(start, end)
        ]
        click.echo(json.dumps(moments))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, title=f"By the clock of {found.zone.key}")
    for title in TITLES:
        table.add_column(title, justify="right" if title == "times" else "left", no_wrap=True)
    for line in coming(found, start, end):
        table.add_row(*line.cells(found))
    Console(width=160 if not Console().is_terminal else None).print(table)
    if warning := ends_early(found, end):
        click.echo(warning)


@calendar.command()
@click.argument("connection")
def sync(connection: str) -> None:
    """Take the fiscal periods of CONNECTION from its ERP into the calendar file that the connection names (`calendar: {kind: file}`)."""
    named = find(connection)
    chosen = named.settings.calendar
    if not isinstance(chosen, CalendarFile):
        raise SetupError(
            f"Connection {connection} has its calendar by rule ({chosen.kind}), not in a file.",
            holds="Nothing was written. Every load holds the rule against the ERP's own periods before it reads a figure.",
            next_step=f"To take the periods from the ERP instead, write `calendar: {{kind: file, file: {connection}.calendar.csv}}` into {named.file}.",
        )
    with open_ledger(named, Store.open(), time.sleep) as books:
        found = calendar_of(
            [
                from_iso(one.key, one.start_on, one.end_on, adjustment=one.adjustment)
                for one in books.ledger.read_periods()
            ]
        )
    file = named.file.parent / chosen.file
    for line in _differences(read_calendar(file) if file.exists() else None, found):
        click.echo(line)
    write_calendar(file, found)
    click.echo(f"{len(found.periods)} periods, {found.keys[0]} to {found.keys[-1]}, are in {file}.")


def _differences(before: FiscalCalendar | None, now: FiscalCalendar) -> list[str]:
    """What changes in a file that was there: new, gone and moved periods."""
    if before is None:
        return []
    old, new = ({one.key: one for one in calendar.periods} for calendar in (before, now))
    moved = [key for key in old.keys() & new.keys() if _days(old[key]) != _days(new[key])]
    said = [f"new: {key}" for key in new if key not in old]
    said += [f"gone from the ERP: {key}" for key in old if key not in new]
    return said + [f"other days: {key} was {_days(old[key])}, is {_days(new[key])}" for key in sorted(moved)]


def _days(one: FiscalPeriod) -> str:
    return f"{one.start_on} to {one.end_on}"
