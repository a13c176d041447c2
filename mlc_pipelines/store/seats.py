"""Sessions of foreign systems: never more at once than allowed, and none that a killed run leaves open for good.

A session takes a numbered place ("slot") of its site: a lock that dies with the process. What the session is signed out with is
written down, encrypted, before it is used, and struck off after the sign-out. Whoever comes next and finds such a record whose lock
is free knows that its owner died, and signs it out. Locks are those of one machine; records of other machines are left alone.
"""

import json
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.store import clock
from mlc_pipelines.store.fence import fence
from mlc_pipelines.store.schema import open_sessions
from mlc_pipelines.store.sealing import Sealed, session_binding
from mlc_pipelines.store.vault import Vault

SignOut = Callable[[Mapping[str, str]], bool]
"""Signs a session out by the headers that prove it. True when it is closed now; False when that could not be found out."""

_FORGOTTEN = timedelta(hours=24)  # by then every session has ended by itself
_PAUSE_SECONDS = (0.3, 1.0)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is written down. alive: the process that opened it still holds its lock."""

    site: str
    holder: str
    opened_at: str
    alive: bool


@dataclass(frozen=True, slots=True)
class Seats:
    """The sessions of one installation. holder names the connection, for people who wait."""

    engine: sa.Engine
    vault: Vault
    locks: Path
    holder: str

    @contextmanager
    def claim(
        self,
        site: str,
        *,
        sessions: int,
        wait_seconds: float,
        sign_out: SignOut,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator["Seat"]:
        """One of the site's places while the body runs; sessions that dead owners left open are signed out first.

        Raises TransientError naming who holds them when none became free within wait_seconds.
        """
        with ExitStack() as held:
            slot = self._free_slot(held, site, sessions, wait_seconds, sleep)
            self.close_left(site, sign_out, own=slot)
            yield Seat(self, site, slot)

    def close_left(self, site: str, sign_out: SignOut, *, own: int | None = None) -> int:
        """Sign out what dead owners left open at a site; returns how many. own: the slot that the caller holds."""
        closed = 0
        for row in self._rows(site):
            with ExitStack() as held:
                if row.slot != own and not self._locked(held, site, row.slot):
                    continue
                still_there = any(row.id == other.id for other in self._rows(site))
                if still_there and (self._signed_out(row, sign_out) or _age(row) > _FORGOTTEN):
                    self._strike(row.id)
                    closed += 1
        return closed

    def all(self) -> list[OpenSession]:
        """Everything that is written down on this machine, oldest first."""
        with self.engine.connect() as db:
            found = db.execute(
                open_sessions.select().where(open_sessions.c.place == self._place).order_by(open_sessions.c.id)
            ).all()
        return [OpenSession(row.site, row.holder, row.opened_at, self._is_held(row.site, row.slot)) for row in found]

    # -- places -------------------------------------------------------------------------------------------------------

    def _free_slot(
        self, held: ExitStack, site: str, sessions: int, wait_seconds: float, sleep: Callable[[float], None]
    ) -> int:
        waited = 0.0
        while True:
            for slot in range(sessions):
                if self._locked(held, site, slot):
                    return slot
            if waited >= wait_seconds:
                raise TransientError(
                    f"All sessions that this installation may have at {site} ({sessions}) are in use: {self._who(site)}.",
                    holds="Nothing was read.",
                    next_step="Wait for those runs to end, stop one of them in Dagit, or raise `erp.sessions` in the connection file "
                    "as far as the licence allows (SM604000).",
                )
            pause = random.uniform(*_PAUSE_SECONDS)  # noqa: S311  (so that those who wait do not come back together)
            waited += pause
            sleep(pause)

    def _locked(self, held: ExitStack, site: str, slot: int) -> bool:
        """Take the place for as long as `held` lives; False when somebody has it."""
        name = f"session {sha256(site.encode()).hexdigest()[:12]} {slot + 1}"
        try:
            held.enter_context(fence(self.locks, name, holder=self.holder, wait_seconds=-1))
        except TransientError:
            return False
        return True

    def _is_held(self, site: str, slot: int) -> bool:
        with ExitStack() as held:
            return not self._locked(held, site, slot)

    def _who(self, site: str) -> str:
        names = [f"{row.holder} since {row.opened_at[:19]} UTC" for row in self._rows(site)]
        return "; ".join(names) or "runs that are just signing in"

    # -- records ------------------------------------------------------------------------------------------------------

    @property
    def _place(self) -> str:
        return f"{socket.gethostname()}:{self.locks}"

    def _bound_to(self, site: str) -> str:
        return session_binding(site, self._place)

    def _rows(self, site: str) -> list[sa.Row[tuple[object, ...]]]:
        here = (open_sessions.c.place == self._place) & (open_sessions.c.site == site)
        with self.engine.connect() as db:
            return list(db.execute(open_sessions.select().where(here).order_by(open_sessions.c.id)).all())

    def _write(self, row: int | None, site: str, slot: int, proof: Mapping[str, str]) -> int:
        sealed = self.vault.seal(json.dumps(dict(proof)), bound_to=self._bound_to(site))
        values = {
            "place": self._place,
            "site": site,
            "slot": slot,
            "holder": self.holder,
            "key_id": sealed.key_id,
            "nonce": sealed.nonce,
            "ciphertext": sealed.ciphertext,
            "opened_at": clock.timestamp(),
        }
        with self.engine.begin() as db:
            if row is not None:
                db.execute(open_sessions.update().where(open_sessions.c.id == row).values(**values))
                return row
            made = db.execute(open_sessions.insert().values(**values))
            return int(made.inserted_primary_key[0])  # type: ignore[index]

    def _strike(self, row: int) -> None:
        with self.engine.begin() as db:
            db.execute(open_sessions.delete().where(open_sessions.c.id == row))

    def _signed_out(self, row: sa.Row[tuple[object, ...]], sign_out: SignOut) -> bool:
        """Whether the session is closed now. A record that does not open any more (another key) leaves it to end by itself."""
        try:
            text = self.vault.unseal(Sealed(row.key_id, row.nonce, row.ciphertext), bound_to=self._bound_to(row.site))
        except SetupError:
            return False
        return sign_out(json.loads(text))


@dataclass(slots=True)
class Seat:
    """The right to one open session."""

    seats: Seats
    site: str
    slot: int
    row: int | None = None

    def opened(self, proof: Mapping[str, str]) -> None:
        """Write down durably, before it is used, what the session is signed out with; a newer one replaces the older."""
        self.row = self.seats._write(self.row, self.site, self.slot, proof)

    def closed(self) -> None:
        """The session was signed out."""
        if self.row is not None:
            self.seats._strike(self.row)
            self.row = None


def _age(row: sa.Row[tuple[object, ...]]) -> timedelta:
    return clock.now() - datetime.fromisoformat(row.opened_at)  # by the clock that wrote it down
