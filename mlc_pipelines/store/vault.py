"""Credentials at rest: AES-256-GCM, each bound to its name, version and installation, the keys in a ring of their own, the newest version anchored outside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store import rotation
from mlc_pipelines.store.anchor import Anchored, CredentialRolledBack
from mlc_pipelines.store.ring import KeyUnavailable, RingPlace
from mlc_pipelines.store.schema import credentials
from mlc_pipelines.store.sealing import FORMAT, Sealed, require_current, sealed, written
from mlc_pipelines.store.strongroom import Stored, Strongroom
from mlc_pipelines.transport.secret import Secret

NEXT = " (next)"
"""How the name of a version goes on that is tried and not yet in use."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Opens and stores credentials by name. A credential is a small set of named texts (username, password, ...).

    folder: where lock and anchor lie. trying: names whose new version, not yet in use, is opened in place of the current one.
    """

    engine: sa.Engine
    place: RingPlace
    folder: Path
    trying: frozenset[str] = frozenset()

    @property
    def room(self) -> Strongroom:
        return Strongroom(self.engine, self.place, self.folder)

    # -- credentials --------------------------------------------------------------------------------------------------

    def put(self, name: str, fields: Mapping[str, str], *, by: str = "") -> int:
        """Store a new version under the name; returns the version, which is never used twice."""
        installation = self.room.installation
        with self.room.changing() as (ring, anchored), self.room.writing() as db:
            row = db.execute(credentials.select().where(credentials.c.name == name)).first()
            before = anchored.get(name)
            version = max(row.version if row else 0, before.version if before else 0) + 1
            made_at = datetime.now(UTC).isoformat()
            said = {"format": FORMAT, "name": name, "version": version, "made_at": made_at, "made_by": by}
            plain = json.dumps(dict(fields)).encode()
            anchored[name] = written(db, said, plain, ring.active, installation=installation, new=row is None)
        return version

    def open(self, name: str) -> dict[str, Secret]:
        """The fields of a credential, each a Secret.

        Raises SetupError when it is missing, and its kinds CredentialTampered, CredentialRolledBack, KeyUnavailable, KeyPermissions.
        """
        try:
            return self._looked_up(name)
        except (KeyUnavailable, CredentialRolledBack):  # or somebody is changing key ring, row and anchor just now
            with self.room.locked():
                return self._looked_up(name, locked=True)

    def remove(self, name: str) -> bool:
        """Forget a credential; False when there is none. A copy that is put back later is refused."""
        with self.room.changing() as (_, anchored), self.room.writing() as db:
            row = db.execute(credentials.delete().where(credentials.c.name == name).returning(credentials.c.version))
            if (version := row.scalar()) is None:
                return False
            before = anchored.get(name)
            anchored[name] = Anchored(max(version, before.version if before else 0), "", "")
        return True

    def put_next(self, name: str, changes: Mapping[str, str], *, by: str = "") -> None:
        """Store a new version, with some fields changed, beside the one in use, to be tried first; a second one replaces it."""
        now = {field: secret.reveal() for field, secret in self.open(name).items()}
        self.put(name + NEXT, {**now, **changes}, by=by)

    def switch(self, name: str, *, by: str = "") -> int:
        """The version that was tried is the one in use from now on, the one before is forgotten; returns its version."""
        fields = replace(self, trying=frozenset({name})).open(name)
        version = self.put(name, {field: secret.reveal() for field, secret in fields.items()}, by=by)
        self.remove(name + NEXT)
        return version

    def drop_next(self, name: str) -> bool:
        """Forget the version that was tried; False when there is none."""
        return self.remove(name + NEXT)

    def stored(self) -> list[Stored]:
        """Every credential, by name; nothing of it is opened."""
        return self.room.stored()

    def names(self) -> list[tuple[str, int, str]]:
        """Name, version and time of storing of every credential."""
        return [(one.name, one.version, one.made_at) for one in self.stored()]

    # -- passing secrets of other tables ------------------------------------------------------------------------------

    def seal(self, text: str, *, bound_to: str) -> Sealed:
        """Encrypt a passing secret for a table of its own; it opens again only under the same words."""
        return sealed(text.encode(), bound_to.encode(), self.room.ring_or_new().active)

    def unseal(self, held: Sealed, *, bound_to: str) -> str:
        """The text again. Raises SetupError when it was sealed with another key, for another purpose, or was tampered with."""
        key = self.room.ring().find(held.key_id)
        try:
            if key is None:
                raise InvalidTag
            return AESGCM(key.value).decrypt(held.nonce, held.ciphertext, bound_to.encode()).decode()
        except InvalidTag:
            raise SetupError(
                f"A stored value ({bound_to}) does not open with the key ring {self.place.named}.",
                holds="It was not used.",
                next_step="Put the key ring back that it was stored under; the page on secrets says how to begin anew without it.",
            ) from None

    # -- keys ---------------------------------------------------------------------------------------------------------

    def rotate_key(self, *, keep_days: float = 30.0) -> rotation.Rotation:
        """A new key, and everything encrypted with it: see `rotation.rotate_key`."""
        return rotation.rotate_key(self.room, keep_days=keep_days)

    def start_over(self) -> list[str]:
        """After the ring was lost: see `rotation.start_over`."""
        return rotation.start_over(self.room)

    def _looked_up(self, name: str, *, locked: bool = False) -> dict[str, Secret]:
        stored = name + NEXT if name in self.trying else name
        raw, row = self.room.anchor.raw(), self.room.row(stored)  # in this order: see AnchorFile
        ring = self.room.ring() if raw or row is not None else None
        before = self.room.anchor.opened(raw, ring).get(stored) if ring else None
        newer = ring is not None and require_current(stored, row, before, ring)
        if row is None or ring is None:
            raise SetupError(
                f"No credential is stored under the name {name!r}.",
                next_step=f"Store it with `mlc secrets set {name}`.",
            )
        plain = self.room.open(row, ring)
        if newer:
            self.room.catch_up(stored, locked=locked)
        return {field: Secret(value, f"{name}/{field}") for field, value in json.loads(plain).items()}
