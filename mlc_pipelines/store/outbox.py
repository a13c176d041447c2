"""What people were told, and the messages on their way to them: written down before they leave, so that a failed delivery is tried again and never forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mlc_pipelines.ledger.troubles import Trouble
from mlc_pipelines.store.clock import as_text
from mlc_pipelines.store.schema import messages, troubles

DELIVERED, GIVEN_UP = "DELIVERED", "GIVEN UP"


@dataclass(frozen=True, slots=True)
class Known:
    """A trouble that people were told of and that is not over. since, told_at: when it was found, and told last."""

    trouble: Trouble
    content: str
    since: str
    told_at: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A message to one messenger (way). tries: how often it was tried; said: why the last try failed."""

    id: int
    way: str
    message: str
    made_at: str
    tries: int
    ended: str
    said: str


@dataclass(frozen=True, slots=True)
class Outbox:
    """Of one connection."""

    engine: sa.Engine
    connection: str

    def known(self) -> list[Known]:
        """Every trouble that is on, as it was told last."""
        with self.engine.connect() as db:
            rows = db.execute(troubles.select().where(troubles.c.connection == self.connection)).all()
        return [
            Known(Trouble(row.kind, row.about, row.what, row.next_step), row.content, row.since, row.told_at)
            for row in rows
        ]

    def post(
        self, told: Sequence[Trouble], over: Sequence[Trouble], message: str, ways: Sequence[str], at: datetime
    ) -> None:
        """One message to each messenger, and what it tells, in one transaction: killed at any point, it is told once or was not told yet."""
        now = as_text(at)
        with self.engine.begin() as db:
            for one in [*told, *over]:
                _forget(db, self._where(one), keep=one in told, now=now, row=self._row(one, now))
            for way in ways:
                said = {"connection": self.connection, "way": way, "message": message, "made_at": now, "next_at": now}
                db.execute(messages.insert().values(tries=0, ended="", said="", **said))

    def due(self, at: datetime) -> list[Posted]:
        """The messages whose next try has come, oldest first."""
        return self._read((messages.c.ended == "") & (messages.c.next_at <= as_text(at)))

    def lost(self) -> list[Posted]:
        """Those that failed at least once and were not delivered since, given up or not."""
        return self._read((messages.c.ended != DELIVERED) & (messages.c.tries > 0))

    def given_up(self, since: datetime) -> list[Posted]:
        """Those made since then that nobody will get."""
        return self._read((messages.c.ended == GIVEN_UP) & (messages.c.made_at >= as_text(since)))

    def last_made(self) -> str:
        """When the newest message was made; "" where there was none."""
        newest = sa.select(sa.func.max(messages.c.made_at)).where(messages.c.connection == self.connection)
        with self.engine.connect() as db:
            return str(db.execute(newest).scalar() or "")

    def delivered(self, message: int) -> None:
        self._end(message, DELIVERED, "")

    def failed(self, message: int, said: str, next_at: datetime | None) -> None:
        """A try failed; None as the next one gives the message up."""
        if next_at is None:
            self._end(message, GIVEN_UP, said)
            return
        with self.engine.begin() as db:
            tried = {"tries": messages.c.tries + 1, "next_at": as_text(next_at), "said": said}
            db.execute(messages.update().where(messages.c.id == message).values(**tried))

    def _end(self, message: int, how: str, said: str) -> None:
        with self.engine.begin() as db:
            ended = {"tries": messages.c.tries + 1, "next_at": "", "ended": how, "said": said}
            db.execute(messages.update().where(messages.c.id == message).values(**ended))

    def _read(self, which: sa.ColumnElement[bool]) -> list[Posted]:
        wanted = messages.select().where(messages.c.connection == self.connection, which).order_by(messages.c.id)
        with self.engine.connect() as db:
            rows = db.execute(wanted).all()
        return [Posted(row.id, row.way, row.message, row.made_at, row.tries, row.ended, row.said) for row in rows]

    def _where(self, one: Trouble) -> sa.ColumnElement[bool]:
        return sa.and_(
            troubles.c.connection == self.connection, troubles.c.kind == one.kind, troubles.c.about == one.about
        )

    def _row(self, one: Trouble, now: str) -> dict[str, str]:
        said = {"kind": one.kind, "about": one.about, "content": one.content, "what": one.what}
        return {"connection": self.connection, **said, "next_step": one.next_step, "since": now, "told_at": now}


def _forget(db: sa.Connection, which: sa.ColumnElement[bool], *, keep: bool, now: str, row: dict[str, str]) -> None:
    """A trouble that is over goes; one that is told stands with what was told."""
    if not keep:
        db.execute(troubles.delete().where(which))
        return
    again = {name: value for name, value in row.items() if name in ("content", "what", "next_step")}
    if not db.execute(troubles.update().where(which).values(told_at=now, **again)).rowcount:
        db.execute(troubles.insert().values(**row))
