"""The trail in the hand of one piece of work: what all its events have in common is said once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mlc_pipelines.store.trail.event import Event
from mlc_pipelines.store.trail.trail import NO_BODY, Body, Entry, Trail

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Logbook:
    """who: the person or service that acts. code_version, configuration_hash: of what works, and of how it was told to."""

    trail: Trail
    connection: str
    who: str
    run: str = ""
    code_version: str = ""
    configuration_hash: str = ""

    def add(self, db: sa.Connection, kind: str, outcome: str, body: Body = NO_BODY, **said: Any) -> Entry:
        """An event within a transaction that writes something else as well. said: further fields of `event.Event`."""
        return self.trail.add(db, self._event(kind, outcome, said), body)

    def append(self, kind: str, outcome: str, records: "Iterable[pa.Table]" = (), **said: Any) -> Entry:
        """An event by itself, durable when this returns."""
        return self.trail.append(self._event(kind, outcome, said), records)

    def _event(self, kind: str, outcome: str, said: dict[str, Any]) -> Event:
        common = {name: getattr(self, name) for name in ("run", "code_version", "configuration_hash")}
        return Event(kind, self.connection, outcome, **{"who": self.who, **common, **said})
