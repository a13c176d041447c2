"""What a connection to Anaplan must say. Contradictions are refused when it is built."""

import random
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mlc_pipelines.anaplan.quiet import QuietHours
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.oauth import TokenKeeper
from mlc_pipelines.transport.secret import Secret

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_MB = 1_000_000
_WORKERS_MAX = 8  # as many connections are kept to one host
# 600 requests a minute are the whole tenant's [S APIMD]: with these, no minute of a task has more than about 150 polls.
_FLOOR_SECONDS = 0.1
_SHARE_MIN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class AnaplanConfig:
    """One model. workspace and model by name or id; ids keep their letter case (workspace lower, model upper) [S OAS "ID Format"].

    oauth_url and cloudworks_url: "" where they are not used.
    wait_seconds: how long somebody else may hold the model before we give up. task_seconds: how long one action of ours may take.
    poll_*: pause between polls is poll_share of the time already spent, within floor and cap. Anaplan recommends 5 s or more for
    long jobs [S HELP-monitor], which the cap keeps.
    quiet: hours in which no load begins. job_margin_seconds: how long before a CloudWorks job of the model no load begins.
    cancel_when_stuck: ask Anaplan to cancel an action of ours that takes longer than task_seconds, instead of leaving it.
    chunk_bytes: uncompressed bytes of one chunk, 1 to 50 MB [S HELP-chunks]; it grows by itself for a file of more than a thousand.
    upload_workers: chunks under way at a time; 1 is what Anaplan documents [S HELP-upload], several work in the field too [C SDK].
    """

    auth_url: str
    api_url: str
    workspace: str
    model: str
    oauth_url: str = ""
    cloudworks_url: str = ""
    wait_seconds: float = 1800.0
    task_seconds: float = 7200.0
    poll_floor_seconds: float = 0.1
    poll_share: float = 0.05
    poll_cap_seconds: float = 5.0
    cancel_when_stuck: bool = False
    chunk_bytes: int = 25 * _MB
    upload_workers: int = 1
    quiet: QuietHours | None = None
    job_margin_seconds: float = 600.0
    limits: Limits = field(default_factory=Limits)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        for name in ("auth_url", "api_url", "oauth_url", "cloudworks_url"):
            if not getattr(self, name) and name in {"oauth_url", "cloudworks_url"}:
                continue
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
        if not _FLOOR_SECONDS <= self.poll_floor_seconds <= self.poll_cap_seconds:
            raise _wrong("poll_floor_seconds", f"must be at least {_FLOOR_SECONDS} and not above poll_cap_seconds")
        if not _SHARE_MIN <= self.poll_share <= 1:
            raise _wrong(
                "poll_share", f"must lie between {_SHARE_MIN} and 1: less would spend the tenant's requests on looking"
            )
        if not _MB <= self.chunk_bytes <= 50 * _MB:
            raise _wrong("chunk_bytes", f"is {self.chunk_bytes:,}; Anaplan takes chunks of 1 to 50 MB")
        if not 1 <= self.upload_workers <= _WORKERS_MAX:
            raise _wrong("upload_workers", f"is {self.upload_workers}; write 1 to {_WORKERS_MAX}")

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
    """A user of its own: uploaded files and failure dumps are kept per user [S HELP-files, PM], so never share it with a person.

    name: of the credential, for messages; the user's name stays out of them.
    """

    username: Secret
    password: Secret
    name: str = ""

    def request(self) -> tuple[str, bytes | None]:
        """Authorization header and body of one log-in."""
        pair = f"{self.username.reveal()}:{self.password.reveal()}"
        secret = Secret(b64encode(pair.encode()).decode(), "basic")
        return f"Basic {secret.reveal()}", None

    def refused(self, status: int, auth_url: str) -> SetupError:
        """What it means when Anaplan does not accept it."""
        return SetupError(
            f"Anaplan refused user and password of credential {self.name!r} at {auth_url} ({status}).",
            holds="Nothing was read or sent.",
            next_step=f"Store the right password with `mlc secrets set {self.name}`. Where single sign-on is enforced, a workspace "
            "administrator must make the user an exception user; passwords end after about three months.",
        )


@dataclass(frozen=True, slots=True)
class OAuthCredential:
    """A registered OAuth client and the log-in that a person made with it. client_secret: None for a device-grant client."""

    client_id: Secret
    client_secret: Secret | None
    keeper: TokenKeeper
    name: str = ""


def _wrong(name: str, complaint: str) -> SetupError:
    return SetupError(
        f"`anaplan.{name}` {complaint}.", holds="Nothing was called.", next_step="Correct it in the connection file."
    )
