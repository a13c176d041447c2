"""Which step of which period was done with which result, and which files were loaded, surely or perhaps."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import loads, steps

BEGUN, AGREED, DIRTY = "BEGUN", "AGREED", "DIRTY"
ACTUALS = "actuals"
"""The feed of ledger figures; others have names of their own."""


def _where(table: sa.Table, *columns: str) -> sa.Select[tuple[object, ...]]:
    """Rows of the table that have the values that are given at its execution. Put together once: that costs more than the question itself."""
    return table.select().where(*(table.c[name] == sa.bindparam(name) for name in columns))


_LATEST_STEP = _where(steps, "connection", "step", "period").order_by(steps.c.id.desc()).limit(1)
_LOADS = _where(loads, "connection", "feed", "period").order_by(loads.c.id)


@dataclass(frozen=True, slots=True)
class Step:
    """One finished step: its file and the facts it was finished with. number grows with time, whatever the clock does."""

    connection: str
    step: str
    period: str
    artefact: str
    facts: Mapping[str, Any]
    made_at: str
    run: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """One attempt to load a slice. sent, read_back and dump are hashes of kept files, "" where there is none."""

    id: int
    period: str
    sent: str
    read_back: str
    dump: str
    state: str
    note: str
    begun_at: str
    feed: str = ACTUALS
    ended_at: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Append-only memory of one installation. Only a load's end is written later than its beginning.

    db: the transaction of whoever writes something else with it; one of its own unless given.
    """

    engine: sa.Engine

    def record_step(
        self,
        connection: str,
        step: str,
        period: str,
        artefact: str,
        facts: Mapping[str, Any],
        *,
        run: str = "",
        db: sa.Connection | None = None,
    ) -> None:
        row = {
            "connection": connection,
            "step": step,
            "period": period,
            "artefact": artefact,
            "facts": json.dumps(facts, ensure_ascii=False, sort_keys=True),
            "run": run,
            "made_at": timestamp(),
        }
        with self._writing(db) as db:
            db.execute(steps.insert().values(**row))

    def latest_step(self, connection: str, step: str, period: str = "") -> Step | None:
        with self.engine.connect() as db:
            row = db.execute(_LATEST_STEP, {"connection": connection, "step": step, "period": period}).first()
        if row is None:
            return None
        return _step(row)

    def steps(self, connection: str, period: str = "", *, until: str = "") -> list[Step]:
        """Every result of every step of a period, oldest first; those made until a moment, where one is given."""
        wanted = [steps.c.connection == connection, steps.c.period == period]
        wanted += [steps.c.made_at <= until] if until else []
        with self.engine.connect() as db:
            return [_step(row) for row in db.execute(steps.select().where(*wanted).order_by(steps.c.id))]

    def require_step(self, connection: str, step: str, period: str = "") -> Step:
        """The newest result of a step. Raises DataError, saying what to materialize, when it was never finished."""
        if found := self.latest_step(connection, step, period):
            return found
        of_period = f" for {period}" if period else ""
        raise DataError(
            f"{connection}: {step} has not been made{of_period}.",
            holds="Nothing was sent.",
            next_step=f"Materialize {connection}/{step}{of_period} first.",
        )

    def begin_load(
        self, connection: str, period: str, sent: str, *, feed: str = ACTUALS, db: sa.Connection | None = None
    ) -> int:
        """Write down durably that this file may reach the model from now on. feed: the kind of figures, each with loads of its own."""
        row = {"connection": connection, "feed": feed, "period": period, "sent": sent, "state": BEGUN}
        row["begun_at"] = timestamp()
        with self._writing(db) as db:
            result = db.execute(loads.insert().values(read_back="", dump="", note="", ended_at="", **row))
        return int(result.inserted_primary_key[0])  # type: ignore[index]

    def end_load(
        self,
        load: int,
        state: str,
        *,
        read_back: str = "",
        dump: str = "",
        note: str = "",
        db: sa.Connection | None = None,
    ) -> None:
        with self._writing(db) as db:
            values = {"state": state, "read_back": read_back, "dump": dump, "note": note, "ended_at": timestamp()}
            db.execute(loads.update().where(loads.c.id == load).values(**values))

    def doubt(
        self, connection: str, period: str, note: str, *, feed: str = ACTUALS, db: sa.Connection | None = None
    ) -> int:
        """Mark a slice as no longer agreed, with the reason; what was sent last stays named. The number of the mark; 0 where nothing was loaded."""
        attempts = self.loads(connection, period, feed=feed)
        if not attempts:
            return 0
        with self._writing(db) as db:
            doubted = self.begin_load(connection, period, attempts[-1].sent, feed=feed, db=db)
            self.end_load(doubted, DIRTY, note=note, db=db)
        return doubted

    def loads(self, connection: str, period: str, *, feed: str = ACTUALS) -> list[Load]:
        """All attempts of one slice, oldest first."""
        with self.engine.connect() as db:
            rows = db.execute(_LOADS, {"connection": connection, "feed": feed, "period": period}).all()
        return [_load(row) for row in rows]

    def first_agreed(self, connection: str, *, feed: str = ACTUALS) -> str:
        """When the first load of any period began that agreed; "" before there was one."""
        of_feed = (loads.c.connection == connection) & (loads.c.feed == feed) & (loads.c.state == AGREED)
        with self.engine.connect() as db:
            return str(db.execute(sa.select(sa.func.min(loads.c.begun_at)).where(of_feed)).scalar() or "")

    def since_agreed(self, connection: str, period: str, *, feed: str = ACTUALS) -> list[Load]:
        """The newest agreed load and every attempt after it: together they name every cell that may hold a figure of ours."""
        attempts = self.loads(connection, period, feed=feed)
        agreed = [position for position, load in enumerate(attempts) if load.state == AGREED]
        return attempts[agreed[-1] :] if agreed else attempts

    @contextmanager
    def _writing(self, db: sa.Connection | None) -> Iterator[sa.Connection]:
        if db is not None:
            yield db
            return
        with self.engine.begin() as own:
            yield own


def _step(row: sa.Row[Any]) -> Step:
    return Step(row.connection, row.step, row.period, row.artefact, json.loads(row.facts), row.made_at, row.run, row.id)


def _load(row: sa.Row[Any]) -> Load:
    files = row.sent, row.read_back, row.dump
    return Load(row.id, row.period, *files, row.state, row.note, row.begun_at, row.feed, row.ended_at)
