"""The key ring: the keys that open the credentials, newest first, as they stand in a small text that is kept apart from the database.

One key a line: base64 of 32 bytes, then when it was made. The first one encrypts, the others only open what is older. A bare line, as
`openssl rand -base64 32` prints it, is a ring as well.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.ledger.errors import SetupError

_KEY_BYTES = 32
_ID_LETTERS = 16


class KeyUnavailable(SetupError):  # noqa: N818  # named as in the fault catalogue
    """The key ring, or the key that a record needs, is missing, unreadable or damaged: nothing is opened or stored (K07)."""


class KeyPermissions(SetupError):  # noqa: N818
    """Others than its owner can reach the key ring, or somebody else owns it: it is not used (K07)."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the ring."""

    value: bytes = field(repr=False)
    made_at: str = ""

    @classmethod
    def new(cls) -> "Key":
        return cls(AESGCM.generate_key(8 * _KEY_BYTES), datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def id(self) -> str:
        """The first 8 bytes of its SHA-256: tells keys apart and nothing else."""
        return sha256(self.value).hexdigest()[:_ID_LETTERS]


@dataclass(frozen=True, slots=True)
class Ring:
    """At least one key, the newest first."""

    keys: tuple[Key, ...]

    @classmethod
    def from_text(cls, text: str, place: str) -> "Ring":
        """Raises KeyUnavailable naming the place unless every line is a key."""
        lines = [line.split() for line in text.splitlines() if line.strip()]
        keys = [Key(_decoded(words[0]), " ".join(words[1:])) for words in lines]
        if not keys or any(len(key.value) != _KEY_BYTES for key in keys):
            raise KeyUnavailable(
                f"The key ring {place} does not hold a key" + (" in every line." if keys else "."),
                holds="It was not used.",
                next_step="Put the right key ring back; if it is lost, move this aside, then `mlc secrets start-over`.",
            )
        return cls(tuple(keys))

    def to_text(self) -> str:
        return "".join(f"{base64.b64encode(key.value).decode()} {key.made_at}".rstrip() + "\n" for key in self.keys)

    @property
    def active(self) -> Key:
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.id == key_id), None)

    def age(self, key_id: str) -> int:
        """Newer keys have the higher number; one that is no more in the ring is older than all."""
        return max((len(self.keys) - at for at, key in enumerate(self.keys) if key.id == key_id), default=0)

    def with_new_key(self) -> "Ring":
        return Ring((Key.new(), *self.keys))

    def without_old(self, used: Collection[str], *, keep_days: float) -> "Ring":
        """Without the keys that nothing uses any more and that were followed by a newer one so many days ago."""
        since = (datetime.now(UTC) - timedelta(days=keep_days)).isoformat(timespec="seconds")
        followed_at = [""] + [key.made_at for key in self.keys[:-1]]
        return Ring(
            tuple(
                key
                for at, (key, followed) in enumerate(zip(self.keys, followed_at, strict=True))
                if at == 0 or key.id in used or followed > since
            )
        )


class RingPlace(Protocol):
    """Where a ring is kept. named: for messages. writable: whether we may change it there, or only its owner elsewhere."""

    @property
    def named(self) -> str: ...

    @property
    def writable(self) -> bool: ...

    def read(self) -> Ring | None:
        """The ring; None where there is none yet. Raises KeyUnavailable, KeyPermissions."""
        ...

    def write(self, ring: Ring) -> None:
        """Put it there, durably, in one step: whoever reads sees the old or the new one whole. The caller holds the lock."""
        ...


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
