"""What was proposed, accepted and withdrawn at the mapping desk, and which versions of the mapping were used since when. Rows are only added."""

from dataclasses import dataclass

import sqlalchemy as sa

from mlc_pipelines.ledger.mapping_table import Entry
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import mapping_changes, mapping_versions

DESK = "mapping desk"
"""How the source of its entries begins."""
PROPOSED, ACCEPTED, WITHDRAWN = "PROPOSED", "ACCEPTED", "WITHDRAWN"
_BY_TIME = mapping_changes.select().order_by(mapping_changes.c.id)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done. member: "" where the entry is to go. proposal: number of the proposal that it belongs to."""

    proposal: int
    dimension: str
    code: str
    since: str
    member: str
    state: str
    who: str
    why: str
    at: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What only one entry can stand at: dimension, code and the period from which it holds."""
        return self.dimension, self.code, self.since

    def __str__(self) -> str:
        when = f" from {self.since}" if self.since else ""
        return f"{self.dimension.replace('_', ' ')} {self.code} -> {self.member or 'no entry'}{when}"


@dataclass(frozen=True, slots=True)
class Version:
    """A state of all tables of a connection: version is the hash of its content, under which it is kept as a file."""

    version: str
    used_at: str
    who: str
    run: str


@dataclass(frozen=True, slots=True)
class Mappings:
    """The mapping desk of one connection."""

    engine: sa.Engine
    connection: str

    def propose(self, entry: Entry, who: str, why: str) -> Change:
        """Write down that somebody wants this entry (without a member: wants it gone). It counts for nothing yet."""
        return self._add(0, (entry.dimension, entry.code, entry.since), entry.member, PROPOSED, who, why)

    def decide(self, proposed: Change, state: str, who: str, why: str) -> Change:
        """Accept a proposal, or withdraw it."""
        return self._add(proposed.proposal, proposed.place, proposed.member, state, who, why)

    def changes(self) -> list[Change]:
        """Everything that was done, oldest first."""
        with self.engine.connect() as db:
            rows = db.execute(_BY_TIME.where(mapping_changes.c.connection == self.connection)).mappings().all()
        return [_change(row) for row in rows]

    def waiting(self) -> list[Change]:
        """Proposals that nobody accepted or withdrew."""
        done = self.changes()
        decided = {one.proposal for one in done if one.state != PROPOSED}
        return [one for one in done if one.proposal not in decided]

    def accepted(self) -> list[Change]:
        """The entries that count now: of each place the one that was accepted last, unless it was accepted that it goes."""
        held = {one.place: one for one in self.changes() if one.state == ACCEPTED}
        return [one for one in held.values() if one.member]

    def entries(self) -> tuple[Entry, ...]:
        return tuple(
            Entry(one.dimension, one.code, one.member, one.since, f"{DESK}, accepted by {one.who}")
            for one in self.accepted()
        )

    def use(self, version: str, who: str, run: str) -> None:
        """Remember when a version was used first; later uses change nothing."""
        if any(one.version == version for one in self.versions()):
            return
        row = {"connection": self.connection, "version": version, "used_at": timestamp(), "who": who, "run": run}
        try:
            with self.engine.begin() as db:
                db.execute(mapping_versions.insert().values(row))
        except sa.exc.IntegrityError:  # another run was a moment earlier
            return

    def versions(self) -> list[Version]:
        """Every version that was used, in the order of their first use."""
        mine = mapping_versions.select().where(mapping_versions.c.connection == self.connection)
        with self.engine.connect() as db:
            rows = db.execute(mine.order_by(mapping_versions.c.id)).all()
        return [Version(row.version, row.used_at, row.who, row.run) for row in rows]

    def _add(self, proposal: int, place: tuple[str, str, str], member: str, state: str, who: str, why: str) -> Change:
        row = dict(zip(("dimension", "code", "since"), place, strict=True))
        row |= {"connection": self.connection, "member": member, "state": state, "who": who, "why": why}
        with self.engine.begin() as db:
            made = db.execute(mapping_changes.insert().values(proposal=proposal, at=timestamp(), **row))
            found = mapping_changes.select().where(mapping_changes.c.id == made.inserted_primary_key[0])  # type: ignore[index]
            return _change(db.execute(found).mappings().one())


def _change(row: sa.RowMapping) -> Change:
    """A proposal has its own number; what was decided names the proposal's."""
    said = ("dimension", "code", "since", "member", "state", "who", "why", "at")
    return Change(row["proposal"] or row["id"], *(row[name] for name in said))
