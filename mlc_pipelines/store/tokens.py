"""The newest refresh token of each log-in that a person made: encrypted in the vault, one process at a time, durable before it is used.

A rotating refresh token is good once, so two processes must never send the same one, and the successor must be on disk before
anything else happens. Whoever gets the lock reads what lies there now, not what it knew before.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.fleet import fence_everywhere
from mlc_pipelines.store.vault import Vault
from mlc_pipelines.transport.secret import Secret

_WAIT_SECONDS = 300.0  # others only ask for a token meanwhile, which takes two minutes at most
LOG_IN = " (log-in)"
"""How the name of the log-in beside a credential goes on."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """The log-in behind one credential. command: what a person runs to make it anew."""

    vault: Vault
    locks: Path
    credential: str
    command: str

    @property
    def name(self) -> str:
        """Its name in the vault."""
        return f"{self.credential}{LOG_IN}"

    @property
    def remedy(self) -> str:
        return f"Log in again: `{self.command}`."

    def held(self) -> AbstractContextManager[object]:
        who = "a renewal of this log-in"
        return fence_everywhere(self.vault.engine, self.locks, self._lock, holder=who, wait_seconds=_WAIT_SECONDS)

    def newest(self, application: str) -> Secret:
        """The refresh token stored last. Raises SetupError when nobody has logged in, or only to another application."""
        if not any(name == self.name for name, _, _ in self.vault.names()):
            raise SetupError(
                f"Nobody has logged in yet with credential {self.credential!r}.",
                holds="Nothing was read or sent.",
                next_step=f"Log in once: `{self.command}`.",
            )
        held = self.vault.open(self.name)
        if not held["application"].equals(application):
            raise SetupError(
                f"The log-in with credential {self.credential!r} was made for another client id or address than the connection has now.",
                holds="It was not used.",
                next_step=f"Correct the connection file or the credential, or log in again: `{self.command}`.",
            )
        return held["refresh_token"]

    def keep(self, refresh_token: Secret, application: str) -> None:
        """A new version of it, on disk when this returns. The lock is held."""
        self.vault.put(self.name, {"refresh_token": refresh_token.reveal(), "application": application})

    @property
    def _lock(self) -> str:
        readable = re.sub(r"[^A-Za-z0-9_-]+", "-", self.credential)[:60]
        return f"log-in {readable} {sha256(self.credential.encode()).hexdigest()[:8]}"
