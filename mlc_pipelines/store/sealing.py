"""One credential as it lies in the database: encrypted, bound to everything that is said of it, and held against its anchor."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.store.anchor import Anchored, CredentialRolledBack, CredentialTampered
from mlc_pipelines.store.ring import Key, KeyUnavailable, Ring
from mlc_pipelines.store.schema import credentials

FORMAT = 3
_NONCE_BYTES = 12

Row = sa.Row[Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value, as it may lie in any table."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


def session_binding(site: str, place: str) -> str:
    """What the record of an open session is bound to."""
    return json.dumps({"session at": site, "place": place})


def _identity(record: Mapping[str, Any], installation: str) -> bytes:
    """Bound into the cipher: everything of a record but nonce and ciphertext, and whose it is, so that a value opens in its own row only."""
    if record["format"] == 1:  # up to revision 0008
        return json.dumps({"credential": record["name"], "version": record["version"]}, sort_keys=True).encode()
    parts = ("format", "key_id", "name", "version", "made_at", "made_by")
    whose = {} if record["format"] == 2 else {"installation": installation}  # 2: up to revision 0014
    return json.dumps({**{part: record[part] for part in parts}, **whose}, sort_keys=True).encode()


def sealed(plain: bytes, bound_to: bytes, key: Key) -> Sealed:
    nonce = os.urandom(_NONCE_BYTES)
    return Sealed(key.id, nonce, AESGCM(key.value).encrypt(nonce, plain, bound_to))


def written(
    db: sa.Connection, said: Mapping[str, Any], plain: bytes, key: Key, *, installation: str, new: bool
) -> Anchored:
    """Encrypt and write one record; what the anchor says of it."""
    said = {**said, "key_id": key.id}
    anew = sealed(plain, _identity(said, installation), key)
    row = {**said, "nonce": anew.nonce, "ciphertext": anew.ciphertext}
    db.execute(
        credentials.insert().values(row)
        if new
        else credentials.update().where(credentials.c.name == said["name"]).values(row)
    )
    return Anchored(said["version"], key.id, sha256(anew.ciphertext).hexdigest())


def as_anchored(row: Row) -> Anchored:
    return Anchored(row.version, row.key_id, sha256(row.ciphertext).hexdigest())


def require_current(name: str, row: Row | None, before: Anchored | None, ring: Ring) -> bool:
    """Whether the row is newer than what the anchor knows; raises when it is older, gone, or another one of the same age."""
    if before is None:
        return row is not None
    if row is None:
        if not before.digest:
            return False
        raise _rolled_back(name, f"Credential {name!r}, version {before.version}, has vanished from the database.")
    here, there = (row.version, ring.age(row.key_id)), (before.version, ring.age(before.key_id))
    if here < there or (row.version == before.version and not before.digest):
        raise _rolled_back(
            name, f"Credential {name!r} is version {row.version} again; the last one stored here was {before.version}."
        )
    if here == there and as_anchored(row) != before:
        raise CredentialTampered(
            f"Credential {name!r} was changed outside of this project: it is another version {row.version} than was stored.",
            holds="It was not used.",
            next_step=f"Store it again with `mlc secrets set {name}`, and find out who changed it.",
        )
    return here > there


def _rolled_back(name: str, what: str) -> CredentialRolledBack:
    return CredentialRolledBack(
        what,
        holds="It was not used.",
        next_step=f"If the database was restored from a backup, store the credential again: `mlc secrets set {name}`. "
        "If not, find out who put the old record there.",
    )


def opened(row: Row, ring: Ring, place: str, installation: str) -> bytes:
    """What a record holds. place: where the ring lies, for messages. Raises KeyUnavailable, CredentialTampered."""
    if (key := ring.find(row.key_id)) is None:
        raise KeyUnavailable(
            f"Credential {row.name!r} was stored with another key ({row.key_id}) than those in {place}.",
            holds="It was not used.",
            next_step="Put the right key ring back, or store the credential again.",
        )
    try:
        return AESGCM(key.value).decrypt(row.nonce, row.ciphertext, _identity(row._asdict(), installation))
    except (InvalidTag, ValueError):  # ValueError: a nonce of another length
        raise CredentialTampered(
            f"Credential {row.name!r} was changed outside of this project.",
            holds="It was not used.",
            next_step=f"Store it again with `mlc secrets set {row.name}`, and find out who changed it.",
        ) from None
