"""Where everything of one installation lies, and the object that opens it."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from mlc_pipelines.store.approvals import Approvals
from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.budget import SharedBudget
from mlc_pipelines.store.contracts import Contracts
from mlc_pipelines.store.elsewhere import Elsewhere
from mlc_pipelines.store.fence import RequireHeld, fence
from mlc_pipelines.store.fleet import fence_everywhere
from mlc_pipelines.store.history import History
from mlc_pipelines.store.known import KnownIds
from mlc_pipelines.store.mappings import Mappings
from mlc_pipelines.store.marks import Marks
from mlc_pipelines.store.notices import Notices
from mlc_pipelines.store.place import default_home as default_home
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.store.refusals import Refusals
from mlc_pipelines.store.ringplaces import ring_place
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.seats import Seats
from mlc_pipelines.store.standings import Standings
from mlc_pipelines.store.tokens import LogIn
from mlc_pipelines.store.trail.logbook import Logbook
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Store:
    """One home: database, kept files, locks and vault."""

    home: Path
    engine: sa.Engine
    trying: frozenset[str] = frozenset()
    """Credentials whose new version, not yet in use, is opened instead of the current one."""

    @classmethod
    def open(cls, home: Path | None = None, url: str = "") -> "Store":
        """The store of this installation: home from MLC_HOME, database from MLC_DATABASE_URL, unless given."""
        home = home or default_home()
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        url = url or os.environ.get("MLC_DATABASE_URL", "") or f"sqlite:///{home / 'mlc.db'}"
        with fence(home / "locks", "opening the database", holder="a migration", wait_seconds=60):
            return cls(home, open_engine(url))

    @property
    def artefacts(self) -> Artefacts:
        """Kept files: on this disk, or where MLC_ARTEFACTS says."""
        return Artefacts(self.home / "artefacts", Elsewhere.named(os.environ.get("MLC_ARTEFACTS", "")))

    @property
    def trail(self) -> Trail:
        """The audit trail: what was moved, by whom, under which approval."""
        return Trail.at(self.home, self.engine)

    @property
    def history(self) -> History:
        return History(self.engine)

    @property
    def marks(self) -> Marks:
        return Marks(self.engine)

    @property
    def notices(self) -> Notices:
        return Notices(self.engine)

    def standings(self, connection: str) -> Standings:
        """What became of each period of this connection."""
        return Standings(self.engine, connection)

    @property
    def contracts(self) -> Contracts:
        return Contracts(self.engine, self.artefacts)

    def postings(self, connection: str, *, who: str, run: str = "", logbook: Logbook | None = None) -> Postings:
        """The journals that this connection writes into its ERP; who writes, and in which run, stands in their history."""
        return Postings(self.engine, connection, who, run, logbook)

    def refusals(self, connection: str) -> Refusals:
        """Records that were refused, until they are resolved or waived."""
        return Refusals(self.engine, connection)

    def approvals(self, connection: str, logbook: Logbook | None = None) -> Approvals:
        """Who approved which journals of this connection."""
        return Approvals(self.engine, connection, logbook)

    def mappings(self, connection: str) -> Mappings:
        """The mapping desk of a connection: what was accepted there, and which versions of the mapping were used."""
        return Mappings(self.engine, connection)

    def seats(self, holder: str) -> Seats:
        """Sessions of foreign systems for this holder, a name that people know."""
        return Seats(self.engine, self.vault, self.home / "locks", holder)

    @property
    def known_ids(self) -> KnownIds:
        return KnownIds(self.engine)

    def budget(
        self, name: str, per_minute: int, *, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
    ) -> SharedBudget:
        """The requests a minute that all processes of this installation together may send to one foreign tenant."""
        return SharedBudget(self.engine, name, per_minute, wait_seconds=wait_seconds, sleep=sleep)

    @property
    def vault(self) -> Vault:
        return Vault(self.engine, ring_place(self.home / "keys"), self.home / "keys", self.trying)

    def log_in(self, credential: str, *, command: str) -> LogIn:
        """The log-in that a person made for a credential; command makes it anew."""
        return LogIn(self.vault, self.home / "locks", credential, command)

    def fence(self, name: str, *, holder: str, wait_seconds: float) -> AbstractContextManager[RequireHeld]:
        """One writer at a time of what is named, on all machines that share a Postgres database; its body is handed what to ask before every write."""
        return fence_everywhere(self.engine, self.home / "locks", name, holder=holder, wait_seconds=wait_seconds)
