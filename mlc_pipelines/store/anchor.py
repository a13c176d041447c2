"""What the newest version of each credential looks like, kept outside of the database, so that an old row put back is noticed (K05).

A small file beside the key ring, sealed with the ring's key: whoever can write into the database can neither forge it nor set it back.
It may lag behind the database (a process was killed between the two, or another machine stored something), never run ahead of it.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.durable import replace_durably
from mlc_pipelines.store.ring import KeyUnavailable, Ring

_BOUND_TO = b"anchor of the credentials"
_NONCE_BYTES = 12


class CredentialTampered(SetupError):  # noqa: N818  # named as in the fault catalogue
    """A stored credential, or what guards it, was changed or moved outside of this project (K04)."""


class CredentialRolledBack(SetupError):  # noqa: N818
    """An older version of a credential lies in the database than was stored last (K05)."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """The newest version known. digest: SHA-256 of the ciphertext, never of the plain text; "" after it was removed."""

    version: int
    key_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """The file. Its bytes are read before the row that they guard, or a writer in between would look like an attack."""

    path: Path

    def raw(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def opened(self, raw: bytes, ring: Ring) -> dict[str, Anchored]:
        """What it says by name; nothing where there is none yet. Raises CredentialTampered when it was edited, KeyUnavailable without its key."""
        if not raw:
            return {}
        try:
            held = json.loads(raw)
            key = ring.find(held["key_id"])
            nonce, sealed = (base64.b64decode(held[part]) for part in ("nonce", "ciphertext"))
            if key is None:
                raise KeyUnavailable(
                    f"The file {self.path} was sealed with a key ({held['key_id']}) that is not in the key ring.",
                    holds="No credential was opened or changed.",
                    next_step="Put the right key ring back; if it is lost, `mlc secrets start-over`.",
                )
            said = json.loads(AESGCM(key.value).decrypt(nonce, sealed, _BOUND_TO))
        except (InvalidTag, ValueError, TypeError, KeyError):
            raise CredentialTampered(
                f"The file {self.path}, which guards the stored credentials, was changed outside of this project.",
                holds="No credential was opened or changed.",
                next_step="Find out who changed it. Put it back from a backup; or delete it, if you are sure of what is stored: it is written anew.",
            ) from None
        return {name: Anchored(*entry) for name, entry in said.items()}

    def write(self, entries: Mapping[str, Anchored], ring: Ring) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        said = {name: [entry.version, entry.key_id, entry.digest] for name, entry in sorted(entries.items())}
        sealed = AESGCM(ring.active.value).encrypt(nonce, json.dumps(said).encode(), _BOUND_TO)
        held = {"nonce": base64.b64encode(nonce).decode(), "ciphertext": base64.b64encode(sealed).decode()}
        replace_durably(self.path, json.dumps({"key_id": ring.active.id, **held}))

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
