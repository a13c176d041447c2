"""What a connection to Anaplan must say. Contradictions are refused when it is built."""

import random
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AnaplanConfig:
    """One model. workspace and model by name or id; ids keep their letter case (workspace lower, model upper) [S OAS "ID Format"].

    wait_seconds: how long somebody else may hold the model before we give up. task_seconds: how long one action of ours may take.
    poll_*: pause between polls is poll_share of the time already spent, within floor and cap. Anaplan recommends 5 s or more for
    long jobs [S HELP-monitor], which the cap keeps.
    cancel_when_stuck: ask Anaplan to cancel an action of ours that takes longer than task_seconds, instead of leaving it.
    chunk_bytes: uncompressed bytes of one chunk, 1 to 50 MB [S HELP-chunks].
    """

    auth_url: str
    api_url: str
    workspace: str
    model: str
    wait_seconds: float = 1800.0
    task_seconds: float = 7200.0
    poll_floor_seconds: float = 0.1
    poll_share: float = 0.05
    poll_cap_seconds: float = 5.0
    cancel_when_stuck: bool = False
    chunk_bytes: int = 10 * _MB
    limits: Limits = field(default_factory=Limits)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        for name in ("auth_url", "api_url"):
            address = urlsplit(getattr(self, name))
            if address.scheme not in {"http", "https"} or not address.hostname or address.query or address.username:
                raise _wrong(
                    name, f"is {getattr(self, name).partition('?')[0]!r}; write it like https://api.anaplan.com/2/0"
                )
            if address.scheme == "http" and address.hostname not in _LOOPBACK:
                raise _wrong(name, "starts with http, which would send the password in the clear; write https")
        for name in ("workspace", "model"):
            if not getattr(self, name).strip():
                raise _wrong(name, "is empty")
        if not 0 < self.poll_floor_seconds <= self.poll_cap_seconds:
            raise _wrong("poll_floor_seconds", "must be above 0 and not above poll_cap_seconds")
        if not _MB <= self.chunk_bytes <= 50 * _MB:
            raise _wrong("chunk_bytes", f"is {self.chunk_bytes:,}; Anaplan takes chunks of 1 to 50 MB")

    def pause_seconds(self, spent_seconds: float) -> float:
        """How long to wait before the next look, given the time already spent: late by a small share, never a flood of requests."""
        share = spent_seconds * self.poll_share * random.uniform(0.8, 1.0)  # noqa: S311  jitter, not a secret
        return min(max(share, self.poll_floor_seconds), self.poll_cap_seconds)

    @property
    def system(self) -> str:
        """Its name in messages."""
        return "Anaplan"


@dataclass(frozen=True, slots=True)
class AnaplanCredential:
    """A user of its own: uploaded files and failure dumps are kept per user [S HELP-files, PM], so never share it with a person."""

    username: str
    password: Secret


def _wrong(name: str, complaint: str) -> SetupError:
    return SetupError(
        f"`anaplan.{name}` {complaint}.", holds="Nothing was called.", next_step="Correct it in the connection file."
    )
