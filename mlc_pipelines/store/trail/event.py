"""What an event says, in its canonical form, and the header that chains it to the one before."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from mlc_pipelines.store.trail import merkle
from mlc_pipelines.store.trail.canonical import to_canonical

FORM = 1
BEGUN, PRUNED = "trail_begun", "records_pruned"
"""Kinds of events that the trail writes of itself; all others are their writers' words."""

NO_HEADER = bytes(32)
_HEADER = b"\x02"
_SEARCHED = ("connection", "kind", "period", "reference", "run")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done: what, where, by whom, under which approval, with which outcome.

    counts: read, sent, ok, ignored, failed and the like. totals: whole minor units under names such as "USD debit".
    objects: ids of the other system (model, action, file, task; company, ledger, batch). artefacts: hashes of kept files by what they are.
    query: what was asked, with its parameters, as text. request_hash, answer_hash: SHA-256 of what was sent and what came back.
    """

    kind: str
    connection: str
    outcome: str
    who: str
    period: str = ""
    run: str = ""
    step: str = ""
    attempt: int = 1
    system: str = ""
    reference: str = ""
    code_version: str = ""
    configuration_hash: str = ""
    request_hash: str = ""
    answer_hash: str = ""
    note: str = ""
    objects: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    approval: Mapping[str, str] = field(default_factory=dict)
    artefacts: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)

    def text(self, at: str) -> bytes:
        """The canonical form; at: when it was written, in UTC. Order is told by the chain, never by this time."""
        said = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in said.items()}
        return to_canonical({"form": FORM, "at": at, **plain})


FIELDS: Mapping[str, type] = {
    "form": int,
    "at": str,
    "attempt": int,
    **dict.fromkeys((one.name for one in dataclasses.fields(Event) if one.type is str), str),
    **dict.fromkeys(("objects", "query", "approval", "artefacts", "counts", "totals"), dict),
}
"""What the canonical form of an event holds: all of it, always, and nothing else."""


def searched(event: Mapping[str, Any]) -> dict[str, str]:
    """What stands in columns too, so that it can be looked for."""
    return {name: event[name] for name in _SEARCHED}


@dataclass(frozen=True, slots=True)
class Link:
    """What the chain is made of: one event, and the records that belong to it. All hashes as bytes."""

    number: int
    event_hash: bytes
    first: int
    records: int
    root: bytes = merkle.EMPTY_ROOT

    def header(self, previous: bytes, installation: str) -> bytes:
        """SHA-256 over the header before, and everything that this link says."""
        numbers = b"".join(one.to_bytes(8, "big") for one in (self.number, self.first, self.records))
        said = _HEADER + previous + self.event_hash + self.root + numbers + bytes.fromhex(installation)
        return sha256(said).digest()
