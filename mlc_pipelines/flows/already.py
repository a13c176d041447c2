"""A slice that was loaded before and that the model still holds: nothing is sent again, and that is said."""

from typing import Any

import pandas as pd

from mlc_pipelines.flows.attempts import reference_of
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.read_back import Held
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.signoff import sign, signed
from mlc_pipelines.flows.steps import MODEL_MATCHES_CELLS, ROWS_ALL_TAKEN
from mlc_pipelines.ledger.cells import read_cells
from mlc_pipelines.ledger.control import ROWS, Leg, compare
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store.history import AGREED, Step

REPLAYED, NOTHING_TO_DO = "replayed", "NOTHING_TO_DO"
"""Kind and outcome of the event that a replay leaves where it changed nothing."""


def already_held(desk: Desk, key: str, sent: str, before: Held, extract: Step) -> Report | None:
    """The report of a load that needs not be done again: the newest attempt agreed, and the model holds every cell that would be sent. Else None."""
    currency = str(extract.facts["currency"])
    attempts = desk.store.history.loads(desk.connection, key, feed=desk.feed.name)
    if not attempts or attempts[-1].state != AGREED:
        return None
    cells = read_cells(desk.store.artefacts.path(sent), desk.target.columns, currency=currency)
    sides = ("cells that would be sent", cells), ("cells in the model", before.cells)
    model = compare(MODEL_MATCHES_CELLS, key, *sides, keys=desk.target.columns.keys, unit=currency)
    loaded = desk.store.history.latest_step(desk.connection, desk.feed.load, key)
    if not model.agreed or loaded is None:
        return None
    done = attempts[-1]
    said: dict[str, Any] = {"period": key, "step": desk.feed.load, "reference": reference_of(done.id)}
    said |= {"artefacts": {"file": sent}, "counts": {"cells": len(cells)}}
    note = "The model holds every cell already; nothing was sent."
    # The figures just read are in the model: whoever asks what waits must see it.
    with desk.store.trail.writing() as db:
        desk.store.history.record_step(desk.connection, desk.feed.load, key, sent, loaded.facts, run=desk.run, db=db)
        desk.logbook.add(db, REPLAYED, NOTHING_TO_DO, note=note, **said)
    sign(desk, key, done.id, extract)
    when = done.begun_at[:16].replace("T", " ")
    summary = f"Nothing to do: {reference_of(done.id)} of {when} UTC brought exactly these {len(cells):,} cells, and the model still holds them. Nothing was sent."
    return _report(desk, key, summary, (_rows_leg(key, int(loaded.facts["rows"])), model), sent, loaded.facts["task"])


def _rows_leg(key: str, rows: int) -> Leg:
    """What that load agreed on then."""
    counted = pd.DataFrame({"rows": ["taken"], "amount_minor": [rows]})
    return compare(
        ROWS_ALL_TAKEN, key, ("rows sent then", counted), ("rows taken then", counted), keys=["rows"], unit=ROWS
    )


def _report(desk: Desk, key: str, summary: str, legs: tuple[Leg, Leg], artefact: str, task: str) -> Report:
    counts = {"rows sent": 0, "rows taken": 0, "rows refused": 0, "rows ignored": 0, "cells of others set to zero": 0}
    model = legs[1]
    amounts = {"total read back": Money(model.right_minor, model.unit)}
    texts = {"Anaplan task": f"{task}, of then"}
    return Report(
        desk.feed.load,
        key,
        summary,
        artefact,
        counts=counts,
        amounts=amounts,
        texts=texts,
        legs=legs,
        notices=signed(desk, key),
    )
