"""A slice that was loaded before and that the model still holds: nothing is sent again, and that is said."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlc_pipelines.flows.as_then import FIGURES_OF, NOW, REPLAYED_FROM, marks
from mlc_pipelines.flows.attempts import reference_of
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame
from mlc_pipelines.flows.read_back import Held
from mlc_pipelines.flows.report import Notice, Report
from mlc_pipelines.flows.signoff import sign, signed
from mlc_pipelines.flows.steps import MODEL_MATCHES_CELLS, ROWS_ALL_TAKEN
from mlc_pipelines.flows.trail import sorted_out
from mlc_pipelines.ledger.cells import read_cells
from mlc_pipelines.ledger.control import Leg, compare
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.store.history import AGREED, Load, Step

REPLAYED, NOTHING_TO_DO = "replayed", "NOTHING_TO_DO"
"""Kind and outcome of the event that a replay leaves where it changed nothing."""


@dataclass(frozen=True, slots=True)
class _Finished:
    """The load that needs not be done again, its result, and what was found now: the file that would be sent, its cells, and the model equal to them."""

    done: Load
    loaded: Step
    sent: str
    cells: int
    model: Leg

    @property
    def named(self) -> str:
        return f"{reference_of(self.done.id)} of {self.done.begun_at[:16].replace('T', ' ')} UTC"


def already_held(desk: Desk, key: str, sent: str, before: Held, extract: Step, file: Step) -> Report | None:
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
    found = _Finished(attempts[-1], loaded, sent, len(cells), model)
    _write_down(desk, key, found, before, file, of_then := marks(extract.facts))
    if not of_then:
        sign(desk, key, found.done.id, extract)
    return _report(desk, key, found, asked=not of_then)


def _write_down(desk: Desk, key: str, found: _Finished, before: Held, file: Step, of_then: dict[str, str]) -> None:
    """The event; and, where the ERP was asked, that the figures just read are in the model: whoever asks what waits must see it.

    Only what was proved now stands there as proved now.
    """
    version, read_back = str(file.facts.get("mapping_version", "")), keep_frame(desk, before.cells)
    said: dict[str, Any] = {"period": key, "step": desk.feed.load, "reference": reference_of(found.done.id)}
    hashes = {"file": found.sent, "read_back": read_back, "mapping_version": version}
    said |= sorted_out({**hashes, "cells": found.cells, FIGURES_OF: NOW, **of_then})
    note = "The model holds every cell already; nothing was sent."
    facts = {name: fact for name, fact in found.loaded.facts.items() if name not in {FIGURES_OF, REPLAYED_FROM}}
    facts |= {"made_from": file.artefact, "mapping_version": version, "read_back": read_back}
    facts |= {"legs": [found.model.facts]}
    with desk.store.trail.writing() as db:
        if not of_then:
            desk.store.history.record_step(
                desk.connection, desk.feed.load, key, found.done.sent, facts, run=desk.run, db=db
            )
        desk.logbook.add(db, REPLAYED, NOTHING_TO_DO, note=note, **said)


def _report(desk: Desk, key: str, found: _Finished, *, asked: bool) -> Report:
    """asked: whether the ERP was asked for the figures."""
    model, rows = found.model, int(found.loaded.facts["rows"])
    not_counted = (
        f"Nothing was sent, so there is nothing to count; {found.named} sent {rows:,} rows, and the plan took each."
    )
    stands = "" if asked else " The ERP was not asked: the period stands as it stood."
    counts = {"rows sent": 0, "rows taken": 0, "rows refused": 0, "rows ignored": 0, "cells of others set to zero": 0}
    return Report(
        desk.feed.load,
        key,
        f"Nothing to do: {found.named} brought exactly these {found.cells:,} cells, and the model still holds them. Nothing was sent.{stands}",
        found.sent,
        counts=counts,
        amounts={"total read back": Money(model.right_minor, model.unit)},
        texts={"Anaplan task": f"{found.loaded.facts['task'] or 'none'}, of then", "rows": not_counted},
        legs=(model,),
        notices=(nothing_to_count(not_counted), *signed(desk, key)),
    )


def nothing_to_count(said: str) -> Notice:
    """What stands in the place of the leg that counts rows where none were sent: there is nothing that it could find wrong."""
    return Notice(ROWS_ALL_TAKEN, said, pd.DataFrame(), title="Rows sent now")
