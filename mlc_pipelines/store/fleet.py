"""One writer at a time across machines: beside the lock of this machine, a session lock in the Postgres database that they share.

The session is one of its own, outside of any transaction, and open for as long as the work; the server frees the lock when it ends: with the process,
and after a minute and a half where the whole machine is gone. Not through a pooler that shares sessions: then the lock is found lost before the first write.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import UncertainError, WaitingError
from mlc_pipelines.store.fence import RequireHeld, fence, lost

_PAUSE_SECONDS = 1.0
_HOLDER_CHARACTERS = 63  # of a session's name in Postgres
_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "15",
    "tcp_keepalives_count": "4",
    "idle_session_timeout": "0",  # since Postgres 14
}
_SET = sa.text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")
_TRY = sa.text("SELECT pg_try_advisory_lock(:key)")
_OF_KEY = (
    "locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = :key "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_OWN = sa.text(f"SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND {_OF_KEY}")  # noqa: S608  (nothing foreign in it)
_HOLDER = sa.text(f"SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE {_OF_KEY}")  # noqa: S608


@contextmanager
def fence_everywhere(
    engine: sa.Engine,
    folder: Path,
    name: str,
    *,
    holder: str,
    wait_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[RequireHeld]:
    """Hold the lock `name` on this machine, and where the database is Postgres among all machines that share it.

    Raises as `fence` does; the body is handed what to ask before every write.
    """
    give_up_at = time.monotonic() + wait_seconds
    with fence(folder, name, holder=holder, wait_seconds=wait_seconds, sleep=sleep) as require_here:
        if engine.dialect.name != "postgresql":
            yield require_here
            return
        with _session_lock(engine, name, holder, give_up_at, sleep) as require_there:

            def require_held() -> None:
                require_here()
                require_there()

            yield require_held


@contextmanager
def _session_lock(
    engine: sa.Engine, name: str, holder: str, give_up_at: float, sleep: Callable[[float], None]
) -> Iterator[RequireHeld]:
    session = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    session.detach()  # the pool must not hand it on, and its end is the end of the lock
    held = _Held(session, name, _key(name), os.getpid())
    try:
        said = f"{holder}, process {held.process} on {os.uname().nodename}"
        for setting, value in (*_SETTINGS.items(), ("application_name", said[:_HOLDER_CHARACTERS])):
            session.execute(_SET, {"name": setting, "value": value})
        held.acquire(give_up_at, sleep)
        yield held
        if why := held.lost():
            raise UncertainError(
                f"The lock of {name} in the database was lost while {holder} held it: {why}.",
                holds="Another writer may have worked at the same time.",
                next_step="Load again what was loaded meanwhile. Where a pooler stands before Postgres, connect to the server itself.",
            )
    finally:
        if os.getpid() == held.process:  # a forked child would end the session of its parent
            with suppress(sa.exc.SQLAlchemyError):  # a session that is gone has given its lock back
                session.close()


@dataclass(frozen=True, slots=True)
class _Held:
    """A lock for as long as its session lives. process: that took it."""

    session: sa.Connection
    name: str
    key: int
    process: int

    def acquire(self, give_up_at: float, sleep: Callable[[float], None]) -> None:
        while not self.session.execute(_TRY, {"key": self.key}).scalar():
            if time.monotonic() > give_up_at:
                who = self.session.execute(_HOLDER, {"key": self.key}).scalar() or "another machine"
                raise WaitingError(
                    f"{self.name} is being written by {who}, which shares this database; it was not free in time.",
                    holds="Nothing was sent.",
                    next_step="Wait for that run to end, or stop it in Dagit, then start this one again.",
                )
            sleep(_PAUSE_SECONDS)

    def __call__(self) -> None:
        """Raise FenceLost unless this very session still holds the lock."""
        if why := self.lost():
            raise lost(self.name, why)

    def lost(self) -> str:
        """Why it is not held any more; "" where it is."""
        if os.getpid() != self.process:
            return f"process {self.process} took it, this is process {os.getpid()}"
        try:
            own = self.session.execute(_OWN, {"key": self.key}).scalar()
        except sa.exc.SQLAlchemyError as error:  # once it is gone, nothing can be asked in it any more
            return f"its session in the database ended ({type(error).__name__})"
        return "" if own else "its session in the database does not hold it"


def _key(name: str) -> int:
    """Postgres knows its advisory locks by a number of 64 bits."""
    return int.from_bytes(sha256(f"mlc fence {name}".encode()).digest()[:8], "big", signed=True)
