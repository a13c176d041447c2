"""File of cells -> planning model: sent whole, then read back and proved equal, under one fence from first look to last figure."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mlc_pipelines.flows.already import already_held, nothing_to_count
from mlc_pipelines.flows.as_then import marks, told
from mlc_pipelines.flows.attempts import Attempt, attempt
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.explain import explain
from mlc_pipelines.flows.files import keep_frame
from mlc_pipelines.flows.members import members_now, require_members
from mlc_pipelines.flows.read_back import Held, look, require_untouched
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.shape import write_file
from mlc_pipelines.flows.signoff import sign, signed
from mlc_pipelines.flows.steps import MODEL_MATCHES_CELLS, NOTHING_SENT, ROWS_ALL_TAKEN
from mlc_pipelines.ledger.cells import read_cells
from mlc_pipelines.ledger.control import ROWS, Leg, compare
from mlc_pipelines.ledger.errors import DataError, PipelineError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.mapping import CELL_KEYS, with_zeros
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.outcomes import shortfall
from mlc_pipelines.ledger.ports import ImportOutcome
from mlc_pipelines.store.history import Step


def load_slice(desk: Desk, key: str, figures_of_then: Step | None = None) -> Report:
    """Send the file, run the import, read the slice back; the model is this process's alone from the first look to the last figure.

    figures_of_then: the reading that the file was made from, where that is not the newest one.
    """
    period = desk.calendar.period(key)
    file = desk.store.history.require_step(desk.connection, desk.feed.file, key)
    extract = _require_fresh(desk, key, file.facts["source"], figures_of_then)
    currency = file.facts["currency"]
    desk.plan.require_import(desk.target.import_name, desk.target.columns.header, process=desk.target.process)
    desk.plan.wait_until_welcome()
    with desk.fence(key):
        desk.plan.wait_until_free()
        before = look(desk, period, currency, members := members_now(desk))
        sent, others = _completed(desk, period, file.artefact, currency, before, members)
        if desk.only_if_needed and (finished := already_held(desk, key, sent, before, extract, file)):
            return finished
        with attempt(desk, key, sent, before.cells, extract, file) as begun:
            outcome, legs, beside = _send(desk, period, begun, before, members)
            version = file.facts.get("mapping_version", "")
            begun.facts = _facts(begun, outcome, legs, version)
            sign(desk, key, begun.id, extract)
    texts = {"other periods": beside, "mapping version": version}
    return _load_report(desk, key, outcome, legs, sent, extract, others, texts)


def _facts(done: Attempt, outcome: ImportOutcome | None, legs: tuple[Leg, ...], mapping_version: str) -> dict[str, Any]:
    """What is remembered of a load that agreed. outcome: None where nothing was sent."""
    return {
        "file": done.sent,
        "rows": len(done.cells),
        "task": outcome.task if outcome else "",
        "sent_sha256": outcome.sent_hash if outcome else "",
        "read_back": done.read_back,
        "currency": done.currency,
        "mapping_version": mapping_version,
        "legs": [leg.facts for leg in legs],
        "made_from": done.file.artefact,
        **marks(done.extract.facts),
    }


def _require_fresh(desk: Desk, key: str, source: str, figures_of_then: Step | None) -> Step:
    """The newest figures that agreed with the ledger, or those of then. The file must stem from them, whatever run made it."""
    newest = figures_of_then or desk.store.history.require_step(desk.connection, desk.feed.extract, key)
    if newest.artefact != source:
        raise DataError(
            f"{key}: the file of cells was made from other figures than the {'kept ones that are to be loaded again' if figures_of_then else 'newest ones read from the ERP'}.",
            holds=NOTHING_SENT,
            next_step=f"Materialize {desk.connection}/{desk.feed.file} for {key}, then this step again.",
        )
    return newest


def _completed(
    desk: Desk, period: FiscalPeriod, file: str, currency: str, before: Held, members: pd.DataFrame
) -> tuple[str, int]:
    """The file to send, and how many zeros were added: figures that the model holds in the slice, and that the file does not name, get one."""
    cells = read_cells(desk.store.artefacts.path(file), desk.target.columns, currency=currency)
    whole = with_zeros(cells, before.cells[before.cells["amount_minor"] != 0], desk.target.columns.keys)
    others = len(whole) - len(cells)
    sendable = require_members(desk, period.key, whole, members, currency)
    if not others and len(sendable) == len(cells):
        return file, 0
    if others:
        desk.progress(f"{period.key}: {others} cells that somebody else filled get explicit zeros")
    with desk.store.artefacts.draft() as draft:
        write_file(desk, draft, sendable, period, currency)
        return desk.store.artefacts.keep(draft), others


def _send(
    desk: Desk, period: FiscalPeriod, attempt: Attempt, before: Held, members: pd.DataFrame
) -> tuple[ImportOutcome | None, tuple[Leg, ...], str]:
    """Import the file and, whatever the import says, look at what the model holds: the proof is the read-back, not the word COMPLETE."""
    file, currency = desk.store.artefacts.path(attempt.sent), attempt.currency
    attempt.cells = cells = read_cells(file, desk.target.columns, currency=currency)
    if cells.empty:
        return _nothing_sent(desk, period, attempt, before, members)
    desk.progress(f"{period.key}: sending {len(cells):,} cells")
    outcome = desk.plan.import_file(
        desk.target.import_name,
        file,
        process=desk.target.process,
        parameters=desk.target.parameters_of(period),
    )
    attempt.dump = desk.store.artefacts.keep_bytes(outcome.dump) if outcome.dump is not None else ""
    attempt.beside, attempt.refused = _kept_beside(desk, outcome), outcome.refused
    rows = _rows_leg(period.key, outcome, cells)
    try:
        held = look(desk, period, currency, members)
    except PipelineError as error:
        _require_taken(desk, period.key, outcome, rows, f"not possible ({error.what})")
        raise
    model = _model_leg(desk, period.key, attempt, held)
    try:
        _require_taken(desk, period.key, outcome, rows, str(model))
        _require_held(desk, period.key, model)
    except DataError as error:
        error.legs = (rows, model)
        raise _explained(desk, period.key, error, model, outcome, cells, before, members) from None
    return outcome, (rows, model), require_untouched(desk, period.key, before, held)


def _nothing_sent(
    desk: Desk, period: FiscalPeriod, attempt: Attempt, before: Held, members: pd.DataFrame
) -> tuple[None, tuple[Leg], str]:
    """There is no figure, and none in the model that would need a zero: an empty file would clear nothing, so none is sent. The model is looked at all the same."""
    desk.progress(f"{period.key}: nothing is posted yet, and nothing is sent")
    held = look(desk, period, attempt.currency, members)
    model = _model_leg(desk, period.key, attempt, held)
    _require_held(desk, period.key, model)
    return None, (model,), require_untouched(desk, period.key, before, held)


def _model_leg(desk: Desk, key: str, attempt: Attempt, held: Held) -> Leg:
    """What was sent beside what the model holds, which is kept."""
    attempt.held, attempt.read_back = held.cells, keep_frame(desk, held.cells)
    sides = ("cells sent", attempt.cells), ("cells in the model", held.cells)
    return compare(MODEL_MATCHES_CELLS, key, *sides, keys=desk.target.columns.keys, unit=attempt.currency)


def _kept_beside(desk: Desk, outcome: ImportOutcome) -> str:
    """Lists of rows that other steps of the process refused, kept as files and named."""
    kept = [
        f"{step.object_name or step.object_id} (file {desk.store.artefacts.keep_bytes(step.dump)})"
        for step in outcome.beside
        if step.dump is not None
    ]
    return f"Rows refused by other steps of the process: {', '.join(kept)}." if kept else ""


def _explained(
    desk: Desk,
    key: str,
    error: DataError,
    model: Leg,
    outcome: ImportOutcome,
    cells: pd.DataFrame,
    before: Held,
    members: pd.DataFrame,
) -> PipelineError:
    """The same failure with each row's money, cause and journal lines beside it."""
    if (model.agreed and outcome.refused.empty) or desk.target.columns.keys != CELL_KEYS:
        return (
            error  # rows are laid to cells of account and cost center; with further keys the cells that differ must do
        )
    why = explain(desk, key, model, outcome, cells, before.cells, members)
    told = "\n".join(text for text in (error.what, outcome.file_note, why.said) if text)
    seen = type(error)(told, holds=error.holds, next_step=error.next_step)
    seen.leg, seen.legs, seen.evidence = error.leg, error.legs, {**why.tables(), **error.evidence}
    return seen


def _rows_leg(key: str, outcome: ImportOutcome, cells: pd.DataFrame) -> Leg:
    sent = {"taken": len(cells), "ignored": 0, "refused": 0}
    said = {"taken": outcome.rows_taken or 0, "ignored": outcome.rows_ignored or 0, "refused": outcome.rows_failed or 0}
    sides = [pd.DataFrame({"rows": list(side), "amount_minor": list(side.values())}) for side in (sent, said)]
    return compare(ROWS_ALL_TAKEN, key, ("rows sent", sides[0]), ("rows reported", sides[1]), keys=["rows"], unit=ROWS)


def _require_taken(desk: Desk, key: str, outcome: ImportOutcome, rows: Leg, read_back: str) -> None:
    """Refuse an import that did not take every row, with what was refused and what the model holds all the same."""
    if not (short := shortfall(outcome, rows.left_minor)):
        return
    dump = f" The list of refused rows could not be fetched ({outcome.dump_problem})." if outcome.dump_problem else ""
    error = DataError(
        f"Leg {ROWS_ALL_TAKEN} does not agree. {key}: {short}{_refusals(outcome)}{dump}\nRead back: {read_back}",
        holds="The model holds the figures as read back above; the slice is marked and will be sent whole again.",
        next_step=f"Correct the members or the import (the model builder can), then materialize {desk.feed.load} for {key} again.",
    )
    error.leg, error.legs = ROWS_ALL_TAKEN, (rows,)
    error.evidence = {} if outcome.refused.empty else {"Refused rows": outcome.refused}
    raise error


def _refusals(outcome: ImportOutcome) -> str:
    shown = [
        "; ".join(f"{name} {value}" for name, value in row.items())
        for row in outcome.refused.head(3).to_dict("records")
    ]
    return "".join(f"\nRefused: {one}." for one in shown)


def _require_held(desk: Desk, key: str, model: Leg) -> None:
    try:
        model.require_agreed(
            holds="The model holds something else than the ledger in these cells; the slice is marked and will be sent whole again.",
            next_step=f"Find out who else writes these cells (a person, another import), then materialize {desk.feed.file} and {desk.feed.load} for {key} again.",
        )
    except DataError as error:
        error.evidence = {"Cells that differ": money_table(model.breaks, model.unit)}
        raise


def _load_report(
    desk: Desk,
    key: str,
    outcome: ImportOutcome | None,
    legs: tuple[Leg, ...],
    artefact: str,
    extract: Step,
    others: int,
    texts: Mapping[str, str],
) -> Report:
    *counted, model = legs
    rows, taken = counted[0].left_minor if counted else 0, outcome.rows_taken or 0 if outcome else 0
    total = Money(model.right_minor, model.unit)
    agree = f". {told(extract)}" if marks(extract.facts) else ": plan and ledger agree."
    return Report(
        desk.feed.load,
        key,
        f"{rows:,} cells loaded and read back, total {total}{agree}"
        if outcome
        else f"No postings yet: nothing was sent, and the plan holds no figure either{agree}",
        artefact,
        counts={
            "rows sent": rows,
            "rows taken": taken,
            "rows refused": 0,
            "rows ignored": 0,
            "cells of others set to zero": others,
        },
        amounts={"total read back": total},
        texts={"Anaplan task": outcome.task if outcome else "none: nothing was sent", **texts},
        legs=legs,
        notices=(
            *(() if outcome else (nothing_to_count("Nothing was sent, so there is nothing to count."),)),
            *signed(desk, key),
        ),
    )
