"""Posted lines -> file of cells: mapped to members, whole, with explicit zeros, the same bytes for the same figures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mlc_pipelines.flows.as_then import marks
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_frame, read_kept_frame
from mlc_pipelines.flows.refused import note_codes
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.signs import proved_signs
from mlc_pipelines.flows.steps import ACTUALS, CELLS_MATCH_LINES, MEMBER_MAP, NOTHING_SENT
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.cells import read_cells, write_cells
from mlc_pipelines.ledger.control import Leg, compare
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.mapping import COST_CENTER, place, require_known, to_cells, unmapped, with_zeros
from mlc_pipelines.ledger.mapping_table import at_period
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import CLOSED
from mlc_pipelines.store.history import AGREED, Step

_SHRUNK_TO = 10  # a tenth of the cells that were there


def write_slice(desk: Desk, key: str, map_of_then: Step | None = None, figures_of_then: Step | None = None) -> Report:
    """Map the slice to members and write the whole file, with explicit zeros for keys that may hold an older figure of ours.

    map_of_then, figures_of_then: a member map that was made earlier, and figures that were read earlier, instead of the newest ones.
    """
    period = desk.calendar.period(key)
    source = figures_of_then or desk.store.history.require_step(desk.connection, desk.feed.extract, key)
    pairs = map_of_then or desk.store.history.require_step(desk.connection, MEMBER_MAP)
    currency = source.facts["currency"]
    amounts = read_frame(desk, source)
    member_map = at_period(read_frame(desk, pairs), desk.calendar.keys, key)
    require_known(amounts, member_map, desk.target.dimensions)
    signs = (
        ()
        if desk.target.feed != ACTUALS or desk.target.signs_waived
        else (proved_signs(desk, key, source, member_map),)
    )
    placed = place(amounts, member_map, desk.target.suspense, desk.target.dimensions)
    lacking = unmapped(placed)
    if desk.target.suspense is None:
        note_codes(desk, key, lacking, currency)
        _require_all_mapped(key, lacking, currency)
    placed_cells = to_cells(placed, desk.target.columns.keys)
    _require_not_shrunk(desk, key, placed_cells, currency)
    if amounts.empty:
        _require_none_yet(desk, key, source)
    cells = with_zeros(placed_cells, _maybe_loaded(desk, key, currency), desk.target.columns.keys)
    with desk.store.artefacts.draft() as draft:
        write_file(desk, draft, cells, period, currency)
        leg = _mapped_leg(desk, key, placed, draft, currency)
        leg.require_agreed(
            holds=NOTHING_SENT, next_step="This is a defect of the mapping step: report it with the kept files."
        )
        artefact = desk.store.artefacts.keep(draft)
    facts = {
        "source": source.artefact,
        "member_map": pairs.artefact,
        "mapping_version": pairs.facts.get("mapping_version", ""),
        "rows": len(cells),
        "currency": currency,
        "unmapped_minor": int(lacking["amount_minor"].abs().sum()),
        "placed": keep_frame(desk, placed),
        "legs": [one.facts for one in (*signs, leg)],
        **marks(source.facts),
    }
    record_step(desk, desk.feed.file, key, artefact, facts)
    report = _file_report(desk, key, cells, lacking, leg, artefact, currency)
    return replace(report, texts=_texts(desk, facts["mapping_version"], signs), legs=(*signs, leg))


def _texts(desk: Desk, version: str, signs: Sequence[Leg]) -> dict[str, str]:
    if desk.target.feed != ACTUALS:
        return {"mapping version": version}
    proved = f"proved on {signs[0].period}" if signs else f"not proved: {desk.target.signs_waived}"
    return {"mapping version": version, "signs": proved}


def _require_all_mapped(key: str, lacking: pd.DataFrame, currency: str) -> None:
    if lacking.empty:
        return
    money = Money(int(lacking["amount_minor"].abs().sum()), currency)
    first = lacking.head(5)
    codes = "; ".join(
        f"{problem} ({Money(int(minor), currency)})"
        for problem, minor in zip(first["problem"], first["amount_minor"], strict=True)
    )
    error = DataError(
        f"{key}: {len(lacking)} code pairs with {money} have no member in the plan: {codes}.",
        holds=NOTHING_SENT,
        next_step="Add the members in Anaplan, or entries in a mapping table (`mlc map suggest` names the likeliest), materialize the member map, then this period again; "
        "or name suspense members under `mapping.unmapped` in the connection file.",
    )
    error.evidence = {"Unmapped codes": money_table(lacking, currency)}
    raise error


def _require_not_shrunk(desk: Desk, key: str, cells: pd.DataFrame, currency: str) -> None:
    """Raises DataError when the slice is empty, or nine tenths smaller than when it last agreed, unless a person said that this is right."""
    agreed = [load for load in desk.loads_since_agreed(key) if load.state == AGREED]
    if not agreed or key in desk.accept_shrunk:
        return
    sent = read_cells(desk.store.artefacts.path(agreed[0].sent), desk.target.columns, currency=currency)
    before, now = (int((one["amount_minor"] != 0).sum()) for one in (sent, cells))
    if not before or now * _SHRUNK_TO > before:
        return
    raise DataError(
        f"{key} has shrunk from {before:,} cells with a figure, when it last agreed, to {now:,}; the others would be overwritten with zeros.",
        holds=NOTHING_SENT,
        next_step=_look_there(desk, key),
    )


def _require_none_yet(desk: Desk, key: str, source: Step) -> None:
    """A period in which nothing is posted yet is normal while every company has it open: the ERP's own balances, which it was held against, are zero as well.

    Raises DataError where a company has closed it, or where it had lines when it was read before, unless a person said that this is right.
    """
    if key in desk.accept_shrunk:
        return
    statuses = {one.rpartition(" ")[2] for one in str(source.facts["erp_status"]).split(", ")}
    why = "is closed there" if statuses & CLOSED else _had_lines(desk, key)
    if why:
        raise DataError(
            f"{key} has no posting in the ERP, although it {why}.", holds=NOTHING_SENT, next_step=_look_there(desk, key)
        )


def _had_lines(desk: Desk, key: str) -> str:
    """What was read of the period since it last agreed, where that was more than nothing; "" where it was not."""
    loaded = desk.store.history.latest_step(desk.connection, desk.feed.load, key)
    for one in desk.store.history.steps(desk.connection, key):
        lines = one.facts.get("lines", one.facts.get("distributions", 0)) if one.step == desk.feed.extract else 0
        if lines and (loaded is None or one.number > loaded.number):
            return f"had {lines:,} lines when it was read at {one.made_at[:16].replace('T', ' ')} UTC"
    return ""


def _look_there(desk: Desk, key: str) -> str:
    return (
        f"Look at the period in the ERP. If it is right, run `mlc load {desk.connection} {key} --accept-shrunk`, or name {key} "
        "under `actuals.accept_shrunk` in the connection file; if not, ask the ERP administrator about the company, the ledger and the user's rights."
    )


def _maybe_loaded(desk: Desk, key: str, currency: str) -> pd.DataFrame:
    """Keys of the slice that may hold a figure of ours in the model: of the newest agreed file and of every attempt since.

    The kept files are the memory: each was written down before its first byte left, so no crash can lose one.
    """
    keys = desk.target.columns.keys
    frames = [pd.DataFrame(columns=[*keys, "amount_minor"])]
    for load in desk.loads_since_agreed(key):
        sent = read_cells(desk.store.artefacts.path(load.sent), desk.target.columns, currency=currency)
        frames.append(sent[sent["amount_minor"] != 0] if load.state == AGREED else sent)
        if load.read_back and load.state != AGREED:
            held = read_kept_frame(desk, load.read_back)
            frames.append(held[held["amount_minor"] != 0])
    return pd.concat(frames, ignore_index=True)[keys].drop_duplicates()


def write_file(desk: Desk, path: Path, cells: pd.DataFrame, period: FiscalPeriod, currency: str) -> None:
    label, version = desk.target.label_of(period), desk.target.version_of(period)
    with path.open("wb") as sink:
        write_cells(sink, cells, desk.target.columns, period=label, version=version, currency=currency)


def _mapped_leg(desk: Desk, key: str, placed: pd.DataFrame, file: Path, currency: str) -> Leg:
    """Expected per member, straight from the amounts, against what stands in the bytes of the file."""
    keys = [key for key in desk.target.columns.keys if key != COST_CENTER]
    landing = [f"to_{key}" if f"to_{key}" in placed else key for key in keys]
    expected = placed.loc[(placed[landing] != "").all(axis=1), [*landing, "plan_minor"]].set_axis(
        [*keys, "amount_minor"], axis=1
    )
    written = read_cells(file, desk.target.columns, currency=currency)
    return compare(
        CELLS_MATCH_LINES, key, ("lines, mapped", expected), ("file of cells", written), keys=keys, unit=currency
    )


def _file_report(
    desk: Desk, key: str, cells: pd.DataFrame, lacking: pd.DataFrame, leg: Leg, artefact: str, currency: str
) -> Report:
    zeros = int((cells["amount_minor"] == 0).sum())
    at_stake = Money(int(lacking["amount_minor"].abs().sum()), currency)
    parked = (
        f" {len(lacking)} code pairs with {at_stake} have no member and went to the suspense members."
        if len(lacking)
        else ""
    )
    return Report(
        desk.feed.file,
        key,
        f"{len(cells):,} cells, {zeros:,} of them zero.{parked}" if len(cells) else "No cells: nothing is posted yet.",
        artefact,
        counts={
            "cells": len(cells),
            "cells with zero": zeros,
            "unmapped code pairs": len(lacking),
            "unmapped lines": int(lacking["lines"].sum()),
        },
        amounts={"unmapped amount": at_stake, "total of cells": Money(int(cells["amount_minor"].sum()), currency)},
        tables={"Unmapped codes": money_table(lacking, currency)},
        legs=(leg,),
    )
