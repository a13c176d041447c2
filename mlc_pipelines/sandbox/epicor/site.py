"""One emulated Kinetic instance: its books, its one user, key and application, its switches, sessions and licences.

The books are fetched at the first request for them, so that a sandbox whose Epicor nobody asks costs nothing. Reference: epicor 1.2, 7.2.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.epicor import switches
from mlc_pipelines.sandbox.epicor.errors import no_licence
from mlc_pipelines.sandbox.epicor.meanwhile import Meddling
from mlc_pipelines.sandbox.epicor.picked import Picked
from mlc_pipelines.sandbox.epicor.shelf import Shelf
from mlc_pipelines.sandbox.ironvale import Ironvale

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.epicor.writing import Writing


class Kinetic:
    """The instance as its administrator sees it. All attributes may be changed while it serves."""

    def __init__(self, books: Callable[[], Ironvale], clock: Clock, instance: str = "Kinetic") -> None:
        """Serve these books below /`instance`."""
        self._fetch = books
        self._books: Ironvale | None = None
        self.clock = clock
        self.instance = instance
        self.company = "IVM"
        self.api_key = "sandbox-api-key-7f3a"
        self.username = "integration"
        self.password = "sandbox-password"
        self.client_id = "sandbox-integration"
        self.client_secret = "sandbox-application-secret"
        self.scope = "epicor_erp"
        self.switches = switches.defaults()
        self.changes = 0
        self.sessions: dict[str, datetime] = {}
        self.sessions_most = 0
        self.licences: list[str] = []
        self.lock = threading.RLock()
        self.shelf = Shelf(self)
        self.meddling = Meddling(self)
        self.turn = threading.RLock()
        """Held by whoever reads or writes: one sees the books before a write or after it."""
        self.tasks: dict[str, list[dict[str, Any]]] = {"SysTask": [], "SysTaskLog": []}
        self.destroyed: list[str] = []
        """What DeleteBudget was called for, carried out or not."""
        self.writing: Writing | None = None
        self._shuffles = 0
        self.revoke: Callable[[], int] = int

    @property
    def prefix(self) -> str:
        """What every path of the instance starts with."""
        return f"/{self.instance}"

    @property
    def token_path(self) -> str:
        """Where the identity provider gives tokens; really it has a host of its own."""
        return f"{self.prefix}/idp/connect/token"

    @property
    def books(self) -> Ironvale:
        """The books, built now if nobody has asked before."""
        with self.lock:
            if self._books is None:
                self._books = self._fetch()
                self._set_segments(self._books)
            return self._books

    @property
    def built(self) -> bool:
        """Whether anybody has asked for the books yet."""
        return self._books is not None

    @property
    def state(self) -> tuple[int, int]:
        """Changes whenever an answer might."""
        return self.books.revision, self.changes

    def info(self, url: str) -> dict[str, Any]:
        """Where the instance is, and its made-up credentials."""
        return {
            "url": f"{url}{self.prefix}",
            "company": self.company,
            "book": "MAIN",
            "plan_book": "PLAN",
            "api_key": self.api_key,
            "username": self.username,
            "password": self.password,
            "token_url": f"{url}{self.token_path}",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": self.scope,
            "baqs": {"lines": "ML_GLJrnDtl", "balances": "ML_GLPeriodBal", "ap_spend": "ML_APSpend"},
        }

    # -- switches -----------------------------------------------------------------------------------------------------

    def set_switches(self, wanted: Mapping[str, Any]) -> None:
        """Set some switches, all or none. Raises ValueError that names the switch and what it takes."""
        switches.require_fitting(wanted)
        with self.lock:
            self.switches.update(wanted)
            if self._books is not None:
                self._set_segments(self._books)
        self.touch()

    def _set_segments(self, books: Ironvale) -> None:
        if books.balance_segments != self.switches["balance_segments"]:
            books.balance_segments = self.switches["balance_segments"]
            books.revision += 1

    def touch(self) -> None:
        """Something that answers depend on has changed."""
        self.changes += 1

    def ordered(self, rows: Picked) -> Picked:
        """The rows in the order of the switch: as they are, or in another order at each call."""
        if self.switches["order"] == "stable":
            return rows
        self._shuffles += 1
        return rows.at(Random(self._shuffles).sample(rows.places, len(rows)))

    # -- sessions and licences ----------------------------------------------------------------------------------------

    def open_session(self) -> str:
        """A new session and the licence it holds. Raises the refusal for want of one."""
        with self.lock:
            self.require_licence()
            key = str(uuid.uuid4())
            self.sessions[key] = self.clock.now()
            self.sessions_most = max(self.sessions_most, len(self.sessions))
            return key

    def require_licence(self) -> None:
        """Raises that refusal when the open sessions hold all licences there are."""
        cap = self.switches["max_sessions"]
        if cap is not None and len(self.sessions) >= cap:
            raise no_licence(self.switches["licence_status"])

    def close_session(self, key: str) -> None:
        """Give its licence back, if it holds one."""
        with self.lock:
            self.sessions.pop(key, None)

    def end_sessions(self) -> int:
        """End all of them, as a restart of the server does; how many there were."""
        with self.lock:
            ended = len(self.sessions)
            self.sessions.clear()
            return ended

    def sessions_open(self) -> int:
        """How many sessions hold a licence now."""
        return len(self.sessions)
