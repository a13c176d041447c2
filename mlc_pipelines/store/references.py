"""Which kept file is named by what: a file may be given up only when nothing that names it still needs it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.postings import ABANDONED, PLANNED, SEALED
from mlc_pipelines.store.schema import contracts, loads, postings, steps

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One place that names a kept file. period: "" for reference data. needed: the work goes on from it, however old it is."""

    digest: str
    connection: str
    period: str
    what: str
    made_at: str
    needed: bool


@dataclass(frozen=True, slots=True)
class References:
    """All of an installation, of every connection: equal files are kept once."""

    engine: sa.Engine

    def all(self) -> Iterator[Reference]:
        with self.engine.connect() as db:
            yield from _of_steps(db)
            yield from _of_loads(db)
            for digest, name, read_at in db.execute(
                sa.select(contracts.c.artefact, contracts.c.name, contracts.c.read_at)
            ):
                yield Reference(digest, "", "", f"contract of {name}", read_at, needed=True)

    def unsettled(self, connection: str) -> set[str]:
        """Periods of which some feed was not agreed by its newest load, or in which a journal is not at its end; and the fiscal years of these journals."""
        newest = (
            sa.select(sa.func.max(loads.c.id))
            .where(loads.c.connection == connection)
            .group_by(loads.c.feed, loads.c.period)
        )
        not_agreed = sa.select(loads.c.period).where(loads.c.id.in_(newest), loads.c.state != AGREED)
        at_work = postings.c.state.not_in((SEALED, ABANDONED, PLANNED))
        with self.engine.connect() as db:
            open_ = set(
                db.execute(sa.select(postings.c.period).where(postings.c.connection == connection, at_work)).scalars()
            )
            return set(db.execute(not_agreed).scalars()) | open_ | {period.partition("-")[0] for period in open_}

    def settled(self, connection: str) -> set[str]:
        """Periods that agreed when they were loaded last, or whose journals are all at their end."""
        with self.engine.connect() as db:
            loaded = set(db.execute(sa.select(loads.c.period).where(loads.c.connection == connection)).scalars())
            posted = set(db.execute(sa.select(postings.c.period).where(postings.c.connection == connection)).scalars())
        whole = loaded | posted | {period.partition("-")[0] for period in posted}
        return whole - self.unsettled(connection)


def _of_steps(db: sa.Connection) -> Iterator[Reference]:
    """Of reference data and of a fiscal year's plan the newest result of each step is what the work goes on from."""
    newest: dict[tuple[str, str, str], int] = {}
    rows = db.execute(steps.select().order_by(steps.c.id)).all()
    for row in rows:
        newest[row.connection, row.step, row.period] = row.id
    for row in rows:
        needed = newest[row.connection, row.step, row.period] == row.id and "-" not in row.period
        for digest in {row.artefact, *_HASH.findall(row.facts)}:
            yield Reference(digest, row.connection, row.period, f"{row.step} {row.period}".strip(), row.made_at, needed)


def _of_loads(db: sa.Connection) -> Iterator[Reference]:
    """The file of the newest agreed load says which cells of the plan may hold a figure of ours: the next load of the period asks for it."""
    newest: dict[tuple[str, str, str], int] = {}
    rows = db.execute(loads.select().order_by(loads.c.id)).all()
    for row in rows:
        if row.state == AGREED:
            newest[row.connection, row.feed, row.period] = row.id
    for row in rows:
        needed = newest.get((row.connection, row.feed, row.period)) == row.id
        what = f"{row.feed} {row.period}"
        yield Reference(row.sent, row.connection, row.period, f"file sent, {what}", row.begun_at, needed)
        for digest, name in ((row.read_back, "read back"), (row.dump, "refused rows")):
            if digest:
                yield Reference(digest, row.connection, row.period, f"{name}, {what}", row.begun_at, needed=False)
