"""mlc audit: is the trail what it was, and the evidence of a period for those who ask."""

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.verify import Kind, Verdict, verify

EXIT_CODES = {Kind.CLEAN: 0, Kind.TAMPERED: 10, Kind.BEHIND: 11, Kind.WRONG: 12}
_SHOWN = 20


@click.group()
def audit() -> None:
    """The audit trail: every figure moved, by whom, under which approval."""


def _head(_context: click.Context, _parameter: click.Parameter, heads: tuple[str, ...]) -> tuple[str, ...]:
    for head in heads:
        if not re.fullmatch("[0-9a-f]{16,64}", head):
            raise click.BadParameter(
                f"{head!r}: write the first 16 digits, or all 64, as the journal or Dagster shows them."
            )
    return heads


def _key(_context: click.Context, _parameter: click.Parameter, key: str) -> str:
    """A slip of the pen is no evidence that somebody else signed."""
    if key and not re.fullmatch("[0-9a-f]{64}", key):
        raise click.BadParameter(f"{key!r}: write all 64 digits, as `mlc audit checkpoint` shows them.")
    return key


@audit.command("verify")
@click.option(
    "--full", is_flag=True, help="From the first entry on, with every record; otherwise from the newest checkpoint on."
)
@click.option(
    "--head",
    "heads",
    multiple=True,
    callback=_head,
    help="A head that is witnessed elsewhere, as in the description of a posted journal; may be repeated.",
)
@click.option(
    "--key",
    default="",
    callback=_key,
    help="Public key of the checkpoints, in hex, where this machine does not have the key file.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def verify_(full: bool, heads: tuple[str, ...], key: str, as_json: bool) -> None:
    """Hold the audit trail against itself and against its witnesses.

    Exit codes: 0 clean, 10 tampered with, 11 behind what a checkpoint or a head witnesses, 12 another trail than the checkpoints belong to.
    """
    verdict = verify(Store.open().trail, full=full, heads=heads, key=key)
    click.echo(json.dumps(_facts(verdict)) if as_json else _told(verdict))
    sys.exit(EXIT_CODES[verdict.kind])


@audit.command()
def checkpoint() -> None:
    """Sign the head of the audit trail as it is now, and say it: who keeps it elsewhere can tell later whether anything was changed before it."""
    signed = Store.open().trail.checkpoint()
    if signed is None:
        click.echo("Nothing was ever recorded, so there is nothing to sign.")
    else:
        click.echo(f"{signed.number:,} entries, {signed.records:,} records, head {signed.header}, key {signed.key}")


@audit.command()
@click.argument("connection")
@click.argument("period")
@click.option(
    "--to",
    "place",
    required=True,
    type=click.Path(path_type=Path),
    help="A new folder, or a file whose name ends with .zip.",
)
def export(connection: str, period: str, place: Path) -> None:
    """Write the evidence of PERIOD (FY2026-P03) of CONNECTION: a page to read, every file, and what is needed to check it without us."""
    from mlc_pipelines.flows.evidence.pack import export_pack
    from mlc_pipelines.wiring.columns import columns_of
    from mlc_pipelines.wiring.connections import find

    named = find(connection)
    done = export_pack(Store.open(), named.name, named.calendar.period(period), columns_of(named), place)
    click.echo(
        f"{done.place}: {done.files} files, {done.entries} entries of the audit trail. Hash of the manifest: {done.digest}"
    )
    page = "index.html in it" if done.place.suffix == ".zip" else str(done.place / "index.html")
    click.echo(f"To read it, open {page}; to check it, run `python3 -I -S verify_pack.py .` where it lies.")


@audit.command()
@click.argument("connection")
@click.option(
    "--keep",
    "months",
    type=int,
    metavar="MONTHS",
    help="Keep more months than the connection file says under keep_months.",
)
@click.option("--yes", is_flag=True, help="Remove them; without it they are only shown.")
def prune(connection: str, months: int | None, yes: bool) -> None:
    """Give up kept files of CONNECTION that are older than its retention, and of which nothing is open. The trail stays whole, and says what was given up."""
    from mlc_pipelines.flows import retention
    from mlc_pipelines.wiring.connections import find
    from mlc_pipelines.wiring.people import who

    named, store, now = find(connection), Store.open(), datetime.now(UTC)
    least = named.settings.keep_months
    if months is not None and months < least:
        raise click.BadParameter(
            f"{named.name} keeps {least} months (keep_months in the connection file).", param_hint="--keep"
        )
    months = months or least
    old = retention.prunable(store, named.name, retention.before(months, now), now)
    for period in dict.fromkeys(one.period for one in old):
        of_it = [one for one in old if one.period == period]
        size = sum(one.size for one in of_it) / 1e6
        click.echo(
            f"{period or 'without a period'}: {len(of_it)} files, {size:,.1f} MB, the oldest of {of_it[0].made_at[:10]}"
        )
    if not old:
        click.echo(f"Nothing of {named.name} is older than {months} months and free to be given up.")
    elif yes:
        entry = retention.prune(store, named.name, old, months=months, who=who())
        click.echo(f"{len(old)} files were given up; entry {entry} of the audit trail names each.")
    else:
        click.echo(f"{len(old)} files would be given up. Nothing was removed; give --yes to do it.")


def _facts(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.kind,
        "entries": verdict.entries,
        "records": verdict.records,
        "checked_from": verdict.checked_from,
        "anchored": verdict.anchored,
        "pruned": verdict.pruned,
        "findings": [{"kind": one.kind, "where": one.where, "what": one.what} for one in verdict.findings],
    }


def _told(verdict: Verdict) -> str:
    checked = (
        f"entries {verdict.checked_from} to {verdict.entries}"
        if verdict.checked_from <= verdict.entries
        else "nothing new"
    )
    witnessed = (
        f"a checkpoint witnesses the first {verdict.anchored}"
        if verdict.anchored
        else "no checkpoint witnesses any of them"
    )
    lines = [
        f"{verdict.kind}: {verdict.entries:,} entries, {verdict.records:,} records; looked at {checked}; {witnessed}."
    ]
    if verdict.pruned:
        lines.append(f"  the records of {verdict.pruned} entries were given up by retention: pruned, not missing")
    lines += [f"  {one}" for one in verdict.findings[:_SHOWN]]
    if len(verdict.findings) > _SHOWN:
        lines.append(f"  and {len(verdict.findings) - _SHOWN} more; --json tells all")
    return "\n".join(lines)
