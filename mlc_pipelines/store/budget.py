"""Requests per minute as one budget of the whole installation: a log of permits in the database, shared by all processes and machines.

A permit is valid from an instant on and for a few seconds. Whoever wants some appends a line to the log: at once where the
minute before it has room, else at the first instant at which it will have, behind everybody who asked before (so it is fair, and
each waits once, for a known time). Permits are taken in small blocks, larger ones only for whoever uses them up quickly, and
what was not used is given back with the next block. Lines are committed without waiting for the disk: a power cut may lose them,
and takes longer than the minute that they count for.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.store.schema import request_grants as grants
from mlc_pipelines.store.schema import request_pauses as pauses

_VALID_SECONDS = 5.0
_LATE_SECONDS = 5.0  # a request on its way may come that much later than one sent after it
_WINDOW_SECONDS = 60.0 + _VALID_SECONDS + _LATE_SECONDS
_BLOCK_MAX = 16
_BLOCK_WAITED_FOR = 4
_UNNAMED_PAUSE_SECONDS = 10.0  # where the answer names no time, 10 s are suggested [S APIMD]
_SPREAD_SECONDS = 2.0
_PACED_SECONDS = 60.0
_PACE_MAX_SECONDS = 10.0
_AHEAD_MAX_SECONDS = 900.0  # a line further ahead was written by a clock that was wrong
_NAPS_MAX = 100_000

# Asked before every request, so it is put together once.
_PAUSED_UNTIL = sa.select(pauses.c.until).where(pauses.c.budget == sa.bindparam("name"))


@dataclass
class SharedBudget:
    """The budget `name` of `per_minute` requests in any minute; several may declare different numbers, each keeps to its own.

    clock tells seconds since 1970, the same for all processes (and machines: keep their clocks within a few seconds). wait_seconds:
    how long one request may wait. Used as a context manager, it gives back at the end what was not used.
    """

    engine: sa.Engine
    name: str
    per_minute: int
    wait_seconds: float = 600.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    _block: "_Block" = field(default_factory=lambda: _Block(), init=False, repr=False)
    _pace: "_Pace" = field(default_factory=lambda: _Pace(), init=False, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self._engine = _unhurried(self.engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._turn:
            if self._block.left:
                with self._alone() as db:
                    self._give_back(db)
        if self._engine is not self.engine:
            self._engine.dispose()

    def take(self) -> float:
        """Return as soon as one more request may leave; the seconds waited. Threads take turns. Raises WaitingError after wait_seconds."""
        with self._turn:
            begun = self.clock()
            for _ in range(_NAPS_MAX):
                now = self.clock()
                pause = self._pause_seconds(now)
                if not pause and (pause := max(self._until_permit(now), self._pace.pause_seconds(now))) <= 0:
                    self._block.left -= 1
                    self._pace.sent_at = now
                    return now - begun
                if now - begun + pause > self.wait_seconds:
                    break
                self.sleep(pause)
            raise self._used_up()

    def refused(self, seconds: float) -> None:
        """Nobody of this installation sends anything to that system for so long, or for 10 s where no time was named."""
        now, pause = self.clock(), seconds or _UNNAMED_PAUSE_SECONDS
        until = now + pause
        self._pace.refused(now, pause)
        with self._alone() as db:
            said = db.execute(_PAUSED_UNTIL, {"name": self.name}).scalar()
            if said is None:
                db.execute(pauses.insert().values(budget=self.name, until=until))
            elif said < until or said > until + _AHEAD_MAX_SECONDS:
                db.execute(pauses.update().where(pauses.c.budget == self.name).values(until=until))

    def _pause_seconds(self, now: float) -> float:
        """Until the end of a pause and a little longer, by chance, so that the first one to try again is alone."""
        with self._engine.connect() as db:
            until = db.execute(_PAUSED_UNTIL, {"name": self.name}).scalar()
        if until is None or not now < until < now + _AHEAD_MAX_SECONDS:
            return 0.0
        return float(until - now + random.uniform(0, _SPREAD_SECONDS))  # noqa: S311  jitter, not a secret

    def _until_permit(self, now: float) -> float:
        """Seconds until a permit in hand is valid; 0 or less when one is."""
        block = self._block
        if not block.left or now > block.at + _VALID_SECONDS or block.at > now + _AHEAD_MAX_SECONDS:
            size = block.next_size(now)
            with self._alone() as db:
                self._give_back(db)
                self._block = self._appended(db, now, min(size, self.per_minute))
        return self._block.at - now

    def _appended(self, db: sa.Connection, now: float, size: int) -> "_Block":
        mine = grants.c.budget == self.name
        outside = (grants.c.at <= now - _WINDOW_SECONDS) | (grants.c.at > now + _AHEAD_MAX_SECONDS)
        db.execute(grants.delete().where(mine & outside))
        log = db.execute(sa.select(grants.c.at, grants.c.permits).where(mine).order_by(grants.c.at)).all()
        at, size = _first_room([(row.at, row.permits) for row in log], now, size, self.per_minute)
        result = db.execute(grants.insert().values(budget=self.name, at=at, permits=size))
        return _Block(int(result.inserted_primary_key[0]), at, size, size)  # type: ignore[index]

    def _give_back(self, db: sa.Connection) -> None:
        if self._block.left:
            line = grants.c.id == self._block.id
            db.execute(grants.update().where(line).values(permits=grants.c.permits - self._block.left))
            self._block.left = 0

    @contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """One transaction at a time over the log of this budget, among all processes."""
        with self._engine.begin() as db:
            if db.dialect.name == "sqlite":
                db.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(self.name))))
            yield db

    def _used_up(self) -> WaitingError:
        return WaitingError(
            f"the {self.per_minute} requests a minute to {self.name} are used up, and were for {self.wait_seconds:.0f} seconds.",
            holds="This request was not sent.",
            next_step="Run it again later, run fewer periods at once, or raise `anaplan.requests_per_minute` if others need less.",
        )


@dataclass
class _Pace:
    """Slower steps for whoever is refused again and again: others use the tenant's requests as well, and each refused call is one too.

    A second refusal within a minute spaces the next requests as far apart as the pause that was asked for; each further one, further.
    """

    sent_at: float = 0.0
    _step: float = 0.0
    _until: float = 0.0

    def refused(self, now: float, pause: float) -> None:
        again = now < self._until
        self._step = min(max(pause, self._step * 1.5), _PACE_MAX_SECONDS) if again else 0.0
        self._until = now + pause + _PACED_SECONDS

    def pause_seconds(self, now: float) -> float:
        return self.sent_at + self._step - now if now < self._until else 0.0


@dataclass
class _Block:
    """Permits in hand: `left` of `size`, valid from `at`; id is its line in the log."""

    id: int = 0
    at: float = 0.0
    size: int = 0
    left: int = 0

    def next_size(self, now: float) -> int:
        """Twice as many for whoever used all up while they were valid, else one."""
        quick = not self.left and self.size and now <= self.at + _VALID_SECONDS
        return min(self.size * 2, _BLOCK_MAX) if quick else 1


def _first_room(log: Sequence[tuple[float, int]], now: float, size: int, limit: int) -> tuple[float, int]:
    """The first instant whose minute has room, now or later and not before any line of the log, and for how many: at most size.

    log is in order of time. Where all is used up, the one who waits takes few, so that the next one's turn comes soon.
    """
    at = max([now, *(when for when, _ in log[-1:])])
    held = sum(permits for when, permits in log if when > at - _WINDOW_SECONDS)
    if held < limit:
        return at, min(size, limit - held)
    size = min(size, _BLOCK_WAITED_FOR, limit)
    for when, permits in log:
        if when > at - _WINDOW_SECONDS:
            at = when + _WINDOW_SECONDS
            held -= permits
            if held + size <= limit:
                break
    return at, size


def _unhurried(engine: sa.Engine) -> sa.Engine:
    """The same SQLite file, committed to without waiting for the disk; any other database as it is."""
    if engine.dialect.name != "sqlite":
        return engine
    own = sa.create_engine(engine.url)

    def relaxed(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]  # the raw DBAPI connection
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    sa.event.listen(own, "connect", relaxed)
    return own
