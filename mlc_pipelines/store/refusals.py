"""Records that the plan refused, or that have no place in it: each stays in a queue until a later load takes it, or somebody waives it by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import refusals
from mlc_pipelines.store.trail.logbook import Logbook

OPEN, RESOLVED, WAIVED = "OPEN", "RESOLVED", "WAIVED"
ROW, CODE = "row refused by the plan", "code without a member"
"""Kinds: an import refused the row; the mapping has no member, so that nothing was sent."""
_SHOWN = 1000  # the largest; the kept file of refused rows holds all of them
_WAIVED_EVENT = "refused_record_waived"


@dataclass(frozen=True, slots=True)
class Refused:
    """A record by the names of its cell or codes, why it was refused, and the money at stake in minor units, debit positive."""

    record: str
    reason: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Held(Refused):
    """The same in the queue. since: when it was refused first. who, why: by whom and why it was waived, or what resolved it."""

    number: int
    feed: str
    period: str
    kind: str
    currency: str
    state: str
    since: str
    seen_at: str
    who: str
    why: str
    closed_at: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """The queue of one connection."""

    engine: sa.Engine
    connection: str

    def settle(
        self,
        db: sa.Connection,
        feed: str,
        period: str,
        kind: str,
        refused: Sequence[Refused],
        *,
        currency: str,
        why: str,
    ) -> None:
        """These records of the period are refused now, in the caller's transaction; those that were and are not among them any more are resolved, by what `why` says.

        What was waived stays waived while its reason and its money are the same.
        """
        place = {"connection": self.connection, "feed": feed, "period": period, "kind": kind}
        now = timestamp()
        held = {one.record: one for one in _read(db, place, (OPEN, WAIVED))}  # of the same record the newest
        current, every = {one.record: one for one in _cut(refused)}, {one.record for one in refused}
        for record, before in held.items():
            again = current.get(record)
            if again and (before.state == OPEN or _same(before, again)):
                _change(db, before.number, reason=again.reason, amount_minor=again.amount_minor, seen_at=now)
            elif before.state == OPEN and record not in every:
                _change(db, before.number, state=RESOLVED, why=why, closed_at=now)
        new = [one for one in current.values() if one.record not in held or _waived_otherwise(held[one.record], one)]
        if new:
            same = {**place, "currency": currency, "state": OPEN, "since": now, "seen_at": now}
            empty = {"who": "", "why": "", "closed_at": ""}
            rows = [{"record": one.record, "reason": one.reason, "amount_minor": one.amount_minor} for one in new]
            db.execute(refusals.insert(), [{**same, **empty, **row} for row in rows])

    def waive(self, number: int, why: str, logbook: Logbook) -> Held:
        """Nobody waits for this record any more, by the name of whoever acts; the reason is kept, in the audit trail too. No load agrees by it."""
        if not why.strip():
            raise DataError("A refused record is waived for a reason, which is kept.", next_step="Say why.")
        with logbook.trail.writing() as db:
            found = next((one for one in _read(db, {"connection": self.connection, "id": number}, (OPEN,))), None)
            if found is None:
                raise DataError(
                    f"{self.connection} has no open refused record {number}.",
                    holds="Nothing was changed.",
                    next_step=f"`mlc refused list {self.connection}` shows those that are open.",
                )
            _change(db, number, state=WAIVED, who=logbook.who, why=why, closed_at=timestamp())
            said: dict[str, Any] = {"record": found.record, "reason": found.reason, "feed": found.feed}
            totals = {found.currency: found.amount_minor}
            logbook.add(db, _WAIVED_EVENT, WAIVED, period=found.period, objects=said, totals=totals, note=why)
        return self.find(number)

    def find(self, number: int) -> Held:
        with self.engine.connect() as db:
            return next(_read(db, {"connection": self.connection, "id": number}, (OPEN, RESOLVED, WAIVED)))

    def all(self, *states: str) -> list[Held]:
        """In these states, those that are open unless given; by period, the largest money first."""
        with self.engine.connect() as db:
            found = list(_read(db, {"connection": self.connection}, states or (OPEN,)))
        return sorted(found, key=lambda one: (one.period, one.feed, -abs(one.amount_minor), one.record))


def _cut(refused: Sequence[Refused]) -> list[Refused]:
    """The largest by money, one row a record, and one row for all the others together."""
    by_size = sorted(refused, key=lambda one: (-abs(one.amount_minor), one.record))
    shown, rest = by_size[:_SHOWN], by_size[_SHOWN:]
    if rest:
        said = "they stand in the kept file of refused rows"
        shown.append(Refused(f"{len(rest):,} others", said, sum(abs(one.amount_minor) for one in rest)))
    return shown


def _same(one: Refused, other: Refused) -> bool:
    return (one.reason, one.amount_minor) == (other.reason, other.amount_minor)


def _waived_otherwise(held: Held, now: Refused) -> bool:
    return held.state == WAIVED and not _same(held, now)


def _change(db: sa.Connection, number: int, **values: Any) -> None:
    db.execute(refusals.update().where(refusals.c.id == number).values(**values))


def _read(db: sa.Connection, place: Mapping[str, Any], states: Sequence[str]) -> Iterator[Held]:
    wanted = [refusals.c[name] == value for name, value in place.items()]
    for row in (
        db.execute(refusals.select().where(*wanted, refusals.c.state.in_(states)).order_by(refusals.c.id))
        .mappings()
        .all()
    ):
        values = {name: value for name, value in row.items() if name not in ("id", "connection")}
        yield Held(number=row["id"], **values)
