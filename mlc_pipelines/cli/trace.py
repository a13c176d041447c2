"""mlc trace: from a cell of the plan to the journal lines behind it, and back."""

import csv
import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import click

from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store.clock import as_text
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find

if TYPE_CHECKING:
    from mlc_pipelines.flows.trace import Landing, Origin

_SHOWN = 200
_Line = Mapping[Any, Any]
_FEEDS = ("actuals", "ap_spend")
_DAY, _MOMENT = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def moment(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """A moment as the trail writes it, in UTC where nothing else is said; of a day alone its end. Anything else is wrong usage: texts would still compare."""
    if not text:
        return ""
    try:
        if _DAY.fullmatch(text):
            return as_text(datetime.combine(date.fromisoformat(text), time.max, UTC))
        if _MOMENT.fullmatch(text):
            said = datetime.fromisoformat(text)
            return as_text(said if said.tzinfo else said.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        pass  # the 31st of a month that has none: told like everything else that is no moment
    raise click.BadParameter(
        f"{text!r} is no moment. Write 2026-03-31T12:00 (UTC), or 2026-03-31 for the end of that day. Nothing was read or sent."
    )


@click.command()
@click.argument("connection")
@click.argument("period", required=False, default="")
@click.argument("account", required=False, default="")
@click.argument("cost_center", required=False, default="")
@click.option("--feed", type=click.Choice(_FEEDS), default="actuals", show_default=True, help="Which figures.")
@click.option("--vendor", default="", help="Of a cell of AP spend.")
@click.option("--company", default="", help="Of a cell, where the file has such a column.")
@click.option("--currency", default="", help="Of a cell, where the file has such a column.")
@click.option(
    "--row",
    default="",
    help="Instead of PERIOD and codes: a row of the import file, or of an export with the same columns.",
)
@click.option(
    "--journal",
    default="",
    help="Instead of codes: a journal or invoice number, to be told which cells its lines went into.",
)
@click.option("--load", default=0, help="As this load moved it, by its number; otherwise as the newest that agreed.")
@click.option(
    "--as-of",
    default="",
    callback=moment,
    help="As it was loaded by then: 2026-03-31T12:00 (UTC), or 2026-03-31 for the end of that day.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def trace(
    connection: str,
    period: str,
    account: str,
    cost_center: str,
    feed: str,
    row: str,
    journal: str,
    load: int,
    as_of: str,
    as_json: bool,
    **further: str,
) -> None:
    """Tell from the audit trail what is behind a cell of the plan: CONNECTION PERIOD (FY2026-P03) and the members' codes.

    ACCOUNT alone means all its cost centers. Nothing is asked of the ERP or of the plan, and it tells what was loaded then, whatever was loaded since.
    Exit codes: 0 told, and the lines add up to each cell; 1 they do not, or there is nothing to tell.
    """
    from mlc_pipelines.flows.steps import ACTUALS, SPEND
    from mlc_pipelines.flows.trace import trace_cell, trace_journal
    from mlc_pipelines.wiring.columns import columns_of

    if load and as_of:
        raise click.UsageError(f"--load {load} and --as-of each say which load is meant. Give one of them.")
    named, store = find(connection), Store.open()
    if journal:
        landings = trace_journal(store, named.name, journal, period=period, load=load, as_of=as_of)
        click.echo(
            json.dumps([_landing_facts(one) for one in landings])
            if as_json
            else "\n\n".join(map(_landing_told, landings))
        )
        return
    codes = {"account": account, "cost_center": cost_center, **further}
    if row:
        period, codes = _of_row(named, feed, row)
    if not period or not any(codes.values()):
        raise click.UsageError("Name a PERIOD and an ACCOUNT, or --row, or --journal.")
    keys = columns_of(named)[feed].keys
    if unknown := [name for name, code in codes.items() if code and name not in keys]:
        raise click.UsageError(f"A cell of {feed} has no {', '.join(unknown)}; it has {', '.join(keys)}.")
    wanted = {name: code for name, code in codes.items() if code}
    chosen = {"actuals": ACTUALS, "ap_spend": SPEND}[feed]
    origins = trace_cell(store, named.name, chosen, period, wanted, keys=keys, load=load, as_of=as_of)
    click.echo(
        json.dumps([_facts(named, one) for one in origins])
        if as_json
        else "\n\n".join(_told(named, one) for one in origins)
    )
    sys.exit(0 if all(one.agrees for one in origins) else 1)


def _of_row(named: Named, feed: str, row: str) -> tuple[str, dict[str, str]]:
    """Period and codes of a row in the order of the file's columns; the amount behind them may be missing."""
    from mlc_pipelines.wiring.columns import columns_of

    columns, landing = columns_of(named)[feed], named.settings.actuals if feed == "actuals" else named.settings.ap_spend
    fields = dict(zip(columns.named, next(csv.reader([row])), strict=False))
    if landing is None or len(fields) < len(columns.named):
        raise click.UsageError(f"A row of {feed} has the columns {', '.join(columns.header)}.")
    label, version = fields.pop("period"), fields.pop("version")
    for one in named.calendar.periods:
        if (one.label(landing.period_label), landing.adjustment_version if one.adjustment else landing.version) == (
            label,
            version,
        ):
            return one.key, fields
    raise click.UsageError(f"No period of {named.name} lands on {label!r} of version {version!r}.")


def _facts(named: Named, origin: "Origin") -> dict[str, Any]:
    from mlc_pipelines.wiring.erp_screens import screen_of

    period = str(origin.entry.event["period"])
    lines = [
        {
            **{name: _plain(value) for name, value in line.items()},
            "screen": screen_of(named, str(line["document"]), period),
        }
        for line in origin.lines.to_dict("records")
    ]
    known = (
        "target",
        "sent_minor",
        "before_minor",
        "after_minor",
        "currency",
        "outcome",
        "reason",
        "mapping",
        "lines_minor",
        "agrees",
    )
    return {**{name: getattr(origin, name) for name in known}, **_load_facts(origin.entry), "lines": lines}


def _load_facts(entry: Any) -> dict[str, Any]:
    from mlc_pipelines.flows.as_then import REPLAYED_FROM

    told = {name: entry.event[name] for name in ("reference", "outcome", "at", "who", "run", "period")}
    told["replayed_from"] = entry.event["query"].get(REPLAYED_FROM, "")
    return {"load": told, "entry": entry.number, "header": entry.header}


def _load_told(load: Mapping[str, str]) -> str:
    """Which load it was; of one as then, that it agreed with kept figures, and nobody knows whether they were still the ledger's."""
    kept = (
        f" with the figures of {load['replayed_from']} as then (the ERP was not asked)" if load["replayed_from"] else ""
    )
    return f"{load['reference']}, {load['outcome']}{kept} at {load['at'][:19]} UTC"


def _plain(value: object) -> object:
    return None if value is None or value != value else value if isinstance(value, str | int) else str(value)


def _told(named: Named, origin: "Origin") -> str:
    """The cell, what it held, its lines one by one, and whether they add up to it."""
    facts, unit = _facts(named, origin), origin.currency
    load, lines = facts["load"], facts["lines"]
    sent, before, after, total = (
        _money(minor, unit)
        for minor in (origin.sent_minor, origin.before_minor, origin.after_minor, origin.lines_minor)
    )
    because = f" ({origin.reason})" if origin.reason else ""
    run = f", run {load['run']}" if load["run"] else ""
    when = f"{_load_told(load)}, by {load['who']}{run}"
    place = f"entry {origin.entry.number:,} of the audit trail, head {origin.entry.short}"
    said = [
        f"{origin.target}: {sent} {unit}, {origin.outcome}{because}",
        f"  {when}; the model held {before} before and {after} afterwards",
        f"  mapping {origin.mapping[:16]}; {place}",
        *(_line_told(line, unit) for line in lines[:_SHOWN]),
    ]
    if (more := len(lines) - _SHOWN) > 0:
        said.append(f"  ... and {more:,} more; --json tells all")
    verdict = "equal to the cell" if origin.agrees else f"NOT the {sent} of the cell"
    return "\n".join([*said, f"  {len(lines):,} lines, {total} {unit}: {verdict}."])


def _money(minor: int | None, currency: str) -> str:
    return "unknown" if minor is None else f"{Money(minor, currency).decimal:,}"


_FURTHER = ("transaction_on", "account", "subaccount", "reference", "description", "reason", "screen")


def _line_told(line: _Line, currency: str) -> str:
    further = "  ".join(str(line[name]) for name in _FURTHER if line.get(name))
    return f"  {_money(line['amount_minor'], currency):>18}  {line['document']}{_numbered(line)}  {further}"


def _landing_facts(landing: "Landing") -> dict[str, Any]:
    lines = [{name: _plain(value) for name, value in line.items()} for line in landing.lines.to_dict("records")]
    return {**_load_facts(landing.entry), "kind": landing.entry.event["kind"], "lines": lines}


def _landing_told(landing: "Landing") -> str:
    said = landing.entry.event
    load = _load_facts(landing.entry)["load"]
    head = f"{load['period']} {_load_told(load)}, entry {landing.entry.number:,} of the audit trail"
    if approval := said["approval"]:
        head += f"; approved by {approval['by']} at {approval['at'][:19]} UTC under {approval['evidence']}"
    if mapping := said["artefacts"].get("mapping_version", ""):
        head += f"; mapping {mapping[:16]}"
    rows = [
        f"  {_money(line['amount_minor'], line['currency']):>18}  {line['document']}{_numbered(line)}  ->  {line['target'] or 'no cell'}  {line['outcome']}{_because(line)}"
        for line in landing.lines.to_dict("records")
    ]
    return "\n".join([head, *rows])


def _numbered(line: _Line) -> str:
    return "" if _plain(line["line"]) is None else f" line {line['line']}"


def _because(line: _Line) -> str:
    return f" ({line['reason']})" if line["reason"] else ""
