"""Ids of foreign systems by the name they were found under: a hint that saves a look into a list, never the last word."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mlc_pipelines.store.schema import known_ids

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_KNOWN = known_ids.select().where(
    known_ids.c.place == sa.bindparam("place"), known_ids.c.name == sa.bindparam("name")
)  # put together once


@dataclass(frozen=True, slots=True)
class KnownIds:
    """What was found where, and how long ago. place says where in words of the caller (address, workspace, model, collection)."""

    engine: sa.Engine
    clock: Callable[[], float] = time.time

    def recall(self, place: str, name: str, *, younger_than_seconds: float) -> str:
        """The id that the name had when its list was last read, "" when that is unknown or too long ago (or in the future)."""
        with self.engine.connect() as db:
            row = db.execute(_KNOWN, {"place": place, "name": name}).first()
        if row is None or not 0 <= self.clock() - row.listed_at < younger_than_seconds:
            return ""
        return str(row.id)

    def keep(self, place: str, name: str, id_: str) -> str:
        """Write down what a list has just shown; the id that was known before, "" for none."""
        with self.engine.begin() as db:
            before = db.execute(_KNOWN, {"place": place, "name": name}).first()
            # Another process may be writing the same down: the later one counts, and neither fails.
            seen = {"id": id_, "listed_at": self.clock()}
            row = _insert(db).values(place=place, name=name, **seen)
            db.execute(row.on_conflict_do_update(index_elements=["place", "name"], set_=seen))
        return str(before.id) if before else ""


def _insert(db: sa.Connection) -> "postgresql.Insert | sqlite.Insert":
    """The insert of this database that knows of conflicts. Loading what PostgreSQL needs costs 60 ms, so only who has it pays."""
    if db.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(known_ids)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(known_ids)
