"""How far a source was watched, by its own clock, and what was seen shortly before: so that overlapping looks report nothing twice."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import marks


@dataclass(frozen=True, slots=True)
class Mark:
    """until: the source's own time up to which it was looked at; seen: names of the changes found shortly before it; facts: what else the next look compares with."""

    until: datetime
    seen: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """Append-only: an earlier mark may be taken up again, and shows when each look was."""

    engine: sa.Engine

    def latest(self, connection: str, source: str) -> Mark | None:
        of_source = (marks.c.connection == connection) & (marks.c.source == source)
        with self.engine.connect() as db:
            row = db.execute(marks.select().where(of_source).order_by(marks.c.id.desc()).limit(1)).first()
        if row is None:
            return None
        return Mark(datetime.fromisoformat(row.until), frozenset(json.loads(row.seen)), json.loads(row.facts))

    def looked_at(self, connection: str, source: str) -> datetime | None:
        """When, by our clock, the last look at a source of the connection was."""
        newest = sa.select(sa.func.max(marks.c.made_at)).where(
            marks.c.connection == connection, marks.c.source == source
        )
        with self.engine.connect() as db:
            text = db.execute(newest).scalar()
        return datetime.fromisoformat(text) if text else None

    def move(
        self, connection: str, source: str, until: datetime, seen: Collection[str], facts: Mapping[str, Any]
    ) -> None:
        row = {
            "connection": connection,
            "source": source,
            "until": until.astimezone(UTC).isoformat(),
            "seen": json.dumps(sorted(seen)),
            "facts": json.dumps(facts, sort_keys=True),
            "made_at": timestamp(),
        }
        with self.engine.begin() as db:
            db.execute(marks.insert().values(**row))
