"""One attempt to load a slice, written down before its first byte leaves and however it ends. Its end and what the audit trail says of it are one
transaction, so that no load can be recorded twice, or not at all.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mlc_pipelines.flows.as_then import marks
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.moved import Sent, records_of_load
from mlc_pipelines.flows.refused import note_rows
from mlc_pipelines.flows.trail import sorted_out
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.store.history import AGREED, BEGUN, DIRTY, Step
from mlc_pipelines.store.trail.trail import NO_BODY, Body

LOAD_BEGUN, LOAD_ENDED = "load_begun", "load_ended"
"""Kinds of events: a file may reach the model from now on; what became of it, with every cell and line."""
LEFT, DOUBTED = "LEFT", "DOUBTED"
"""Outcome of a load whose process ended before it knew what came of it; of one that had agreed, and whose figures were changed since."""


@dataclass
class Attempt:
    """One load under way: what is known of it so far. extract, file: the steps that its figures and its file came from."""

    id: int
    sent: str
    currency: str
    before: pd.DataFrame
    extract: Step
    file: Step
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    refused: pd.DataFrame = field(default_factory=pd.DataFrame)
    held: pd.DataFrame | None = None
    dump: str = ""
    read_back: str = ""
    beside: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def reference_of(load: int) -> str:
    """How a load is named in the audit trail."""
    return f"load {load}"


@contextmanager
def attempt(desk: Desk, key: str, sent: str, before: pd.DataFrame, extract: Step, file: Step) -> Iterator[Attempt]:
    """The caller holds the fence. Ends AGREED, with its facts, or DIRTY with the reason; a killed process leaves it BEGUN, which counts like DIRTY."""
    _close_left(desk, key)
    begun = Attempt(_begin(desk, key, sent, extract, file), sent, str(file.facts["currency"]), before, extract, file)
    try:
        yield begun
    except PipelineError as error:
        _end(desk, key, begun, DIRTY, "\n".join(text for text in (str(error), begun.beside) if text))
        raise
    _end(desk, key, begun, AGREED, begun.beside)


def _begin(desk: Desk, key: str, sent: str, extract: Step, file: Step) -> int:
    history = desk.store.history
    number = len(history.loads(desk.connection, key, feed=desk.feed.name)) + 1
    said: dict[str, Any] = {"objects": _objects(desk), "request_hash": sent, "attempt": number}
    with desk.store.trail.writing() as db:
        load = history.begin_load(desk.connection, key, sent, feed=desk.feed.name, db=db)
        said |= {"artefacts": {"file": sent, desk.feed.file: file.artefact}, "query": marks(extract.facts)}
        desk.logbook.add(db, LOAD_BEGUN, BEGUN, **_place(desk, key, load), **said)
    return load


def _place(desk: Desk, key: str, load: int) -> dict[str, Any]:
    return {"period": key, "step": desk.feed.load, "system": "anaplan", "reference": reference_of(load)}


def _end(desk: Desk, key: str, done: Attempt, state: str, note: str) -> None:
    body = NO_BODY if done.cells.empty else _records(desk, key, done)
    known = {"read_back": done.read_back, "dump": done.dump}
    facts = {**_origins(done), **done.facts, "file": done.sent, **known, "cells": len(done.cells)}
    hashes = {"request_hash": done.sent, "answer_hash": done.read_back}
    said: dict[str, Any] = {"objects": _objects(desk), "note": note, **hashes, **sorted_out(facts)}
    with desk.store.trail.writing() as db:
        desk.store.history.end_load(done.id, state, note=note, db=db, **known)
        if state == AGREED:
            desk.store.history.record_step(
                desk.connection, desk.feed.load, key, done.sent, done.facts, run=desk.run, db=db
            )
        desk.logbook.add(db, LOAD_ENDED, state, body, **_place(desk, key, done.id), **said)
        if state == AGREED or not done.refused.empty:
            note_rows(
                desk, db, key, done.refused, done.cells, done.currency, f"load {done.id} ({state}) did not refuse it"
            )


def _records(desk: Desk, key: str, done: Attempt) -> Body:
    sent = Sent(done.sent, done.cells, done.currency, done.before, done.held, done.refused)
    return desk.store.trail.keep(records_of_load(desk, key, sent, done.extract, done.file))


def _origins(done: Attempt) -> dict[str, Any]:
    """The kept files that the cells came from, by what they are."""
    of_file = {name: done.file.facts.get(name, "") for name in ("source", "member_map", "placed", "mapping_version")}
    of_extract = {name: done.extract.facts.get(name, "") for name in ("extract", "centers", "opening", "counted")}
    lines = done.extract.facts.get("lines", done.extract.facts.get("distributions", 0))
    return {**of_file, **of_extract, **marks(done.extract.facts), "currency": done.currency, "lines": lines}


def _objects(desk: Desk) -> dict[str, str]:
    """What of the model is written: its name, and the import that does it."""
    name = desk.target.import_name or desk.target.process
    return {"model": desk.plan.key(), "import": name}


def doubt(desk: Desk, key: str, note: str) -> None:
    """Mark a period as no longer agreed, with the reason. Nothing to do where nothing was loaded."""
    with desk.store.trail.writing() as db:
        if load := desk.store.history.doubt(desk.connection, key, note, feed=desk.feed.name, db=db):
            desk.logbook.add(db, LOAD_ENDED, DOUBTED, **_place(desk, key, load), objects=_objects(desk), note=note)


def _close_left(desk: Desk, key: str) -> None:
    """Loads of this slice that a process left behind when it ended: whoever holds the fence knows that nobody works at them any more."""
    note = "Its process ended before it knew what came of it. The slice is sent whole again."
    for load in desk.store.history.loads(desk.connection, key, feed=desk.feed.name):
        if load.state == BEGUN:
            with desk.store.trail.writing() as db:
                desk.store.history.end_load(load.id, DIRTY, note=note, db=db)
                said: dict[str, Any] = {"note": note, "artefacts": {"file": load.sent}}
                desk.logbook.add(db, LOAD_ENDED, LEFT, **_place(desk, key, load.id), **said)
