"""Credentials at rest: AES-256-GCM, each bound to its name and version, the keys in a ring of their own, the newest version anchored outside."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.anchor import Anchored, AnchorFile, CredentialRolledBack
from mlc_pipelines.store.dumps import keep_memory_private
from mlc_pipelines.store.fence import fence
from mlc_pipelines.store.ring import Key, KeyUnavailable, Ring, RingPlace
from mlc_pipelines.store.schema import credentials, open_sessions
from mlc_pipelines.store.sealing import (
    FORMAT,
    Row,
    Sealed,
    as_anchored,
    opened,
    require_current,
    sealed,
    session_binding,
    written,
)
from mlc_pipelines.transport.secret import Secret

_WAIT_SECONDS = 60.0
NEXT = " (next)"
"""How the name of a version goes on that is tried and not yet in use."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What may be told of a stored credential. made_by: "" where that was not written down yet."""

    name: str
    version: int
    key_id: str
    made_at: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation of the key did. new_key: its id. dropped: ids of keys that are gone for good."""

    new_key: str
    credentials: int
    kept: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vault:
    """Opens and stores credentials by name. A credential is a small set of named texts (username, password, ...).

    folder: where lock and anchor lie. trying: names whose new version, not yet in use, is opened in place of the current one.
    """

    engine: sa.Engine
    place: RingPlace
    folder: Path
    trying: frozenset[str] = frozenset()

    # -- credentials --------------------------------------------------------------------------------------------------

    def put(self, name: str, fields: Mapping[str, str], *, by: str = "") -> int:
        """Store a new version under the name; returns the version, which is never used twice."""
        with self._changing() as (ring, anchored), self._writing() as db:
            row = db.execute(credentials.select().where(credentials.c.name == name)).first()
            before = anchored.get(name)
            version = max(row.version if row else 0, before.version if before else 0) + 1
            made_at = datetime.now(UTC).isoformat()
            said = {"format": FORMAT, "name": name, "version": version, "made_at": made_at, "made_by": by}
            anchored[name] = written(db, said, json.dumps(dict(fields)).encode(), ring.active, new=row is None)
        return version

    def open(self, name: str) -> dict[str, Secret]:
        """The fields of a credential, each a Secret.

        Raises SetupError when it is missing, and its kinds CredentialTampered, CredentialRolledBack, KeyUnavailable, KeyPermissions.
        """
        try:
            return self._looked_up(name)
        except (KeyUnavailable, CredentialRolledBack):  # or somebody is changing key ring, row and anchor just now
            with self._locked():
                return self._looked_up(name, locked=True)

    def remove(self, name: str) -> bool:
        """Forget a credential; False when there is none. A copy that is put back later is refused."""
        with self._changing() as (_, anchored), self._writing() as db:
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
        with self.engine.connect() as db:
            rows = db.execute(credentials.select().order_by(credentials.c.name)).all()
        return [Stored(row.name, row.version, row.key_id, row.made_at, row.made_by) for row in rows]

    def names(self) -> list[tuple[str, int, str]]:
        """Name, version and time of storing of every credential."""
        return [(one.name, one.version, one.made_at) for one in self.stored()]

    # -- passing secrets of other tables ------------------------------------------------------------------------------

    def seal(self, text: str, *, bound_to: str) -> Sealed:
        """Encrypt a passing secret for a table of its own; it opens again only under the same words."""
        return sealed(text.encode(), bound_to.encode(), self._ring_or_new().active)

    def unseal(self, held: Sealed, *, bound_to: str) -> str:
        """The text again. Raises SetupError when it was sealed with another key, for another purpose, or was tampered with."""
        key = self._ring().find(held.key_id)
        try:
            if key is None:
                raise InvalidTag
            return AESGCM(key.value).decrypt(held.nonce, held.ciphertext, bound_to.encode()).decode()
        except InvalidTag:
            raise SetupError(
                f"A stored value ({bound_to}) does not open with the key ring {self.place.named}.",
                holds="It was not used.",
            ) from None

    # -- keys ---------------------------------------------------------------------------------------------------------

    def rotate_key(self, *, keep_days: float = 30.0) -> Rotation:
        """A new key, everything re-encrypted with it in one transaction, all of it opened again; old keys that nothing uses go after so many days.

        Killed at any point, everything stays readable: the new key is in the ring before the first record needs it, the old ones until
        after the last one did (K08). A record that was tampered with or rolled back stops it before anything is changed.
        """
        with self._locked():
            before = self._require_all_current(self._ring())
            ring = before.with_new_key() if self.place.writable else before
            if self.place.writable:
                self.place.write(ring)
            self._reseal(ring)
            self._require_all_current(ring)
            kept = ring.without_old(self._used_keys(), keep_days=keep_days) if self.place.writable else ring
            if kept != ring:
                self.place.write(kept)
        gone = tuple(key.id for key in ring.keys if key not in kept.keys)
        return Rotation(ring.active.id, len(self.stored()), tuple(key.id for key in kept.keys[1:]), gone)

    def start_over(self) -> list[str]:
        """After the ring was lost: forget what only it could open, and nothing else; returns the names that must be stored again.

        Raises SetupError where the ring is there and opens what is stored: then nothing is lost.
        """
        with self._locked():
            if self._opens_something():
                raise SetupError(
                    f"The key ring {self.place.named} is there and opens stored credentials: it is not lost.",
                    holds="Nothing was changed.",
                    next_step="After a leak: `mlc secrets rotate` for every credential, then `mlc secrets rotate-key --keep-days 0`.",
                )
            names = [one.name for one in self.stored()]
            with self._writing() as db:
                db.execute(credentials.delete())
                db.execute(open_sessions.delete())
            self._anchor.forget()
        return names

    def _looked_up(self, name: str, *, locked: bool = False) -> dict[str, Secret]:
        stored = name + NEXT if name in self.trying else name
        raw, row = self._anchor.raw(), self._row(stored)  # in this order: see AnchorFile
        ring = self._ring() if raw or row is not None else None
        before = self._anchor.opened(raw, ring).get(stored) if ring else None
        newer = ring is not None and require_current(stored, row, before, ring)
        if row is None or ring is None:
            raise SetupError(
                f"No credential is stored under the name {name!r}.",
                next_step=f"Store it with `mlc secrets set {name}`.",
            )
        plain = opened(row, ring, self.place.named)
        if newer:
            self._catch_up(stored, locked=locked)
        return {field: Secret(value, f"{name}/{field}") for field, value in json.loads(plain).items()}

    @property
    def _anchor(self) -> AnchorFile:
        return AnchorFile(self.folder / "credentials.anchor")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with fence(self.folder, "credentials", holder="a change of the credentials", wait_seconds=_WAIT_SECONDS):
            yield

    @contextmanager
    def _changing(self) -> Iterator[tuple[Ring, dict[str, Anchored]]]:
        """Ring and anchor for a change; the anchor follows when the change stands in the database."""
        with self._locked():
            ring = self._ring_or_new(locked=True)
            before = self._anchor.opened(self._anchor.raw(), ring)
            anchored = dict(before)
            yield ring, anchored
            if anchored != before:
                self._anchor.write(anchored, ring)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction, in which nobody else writes."""
        with self.engine.begin() as db:
            if self.engine.dialect.name == "sqlite":
                db.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver would begin only at the first change
            yield db

    def _catch_up(self, name: str, *, locked: bool) -> None:
        """The anchor lags behind this row: a process was killed between the two, or another machine stored something."""
        if not locked:
            with self._locked():
                return self._catch_up(name, locked=True)
        raw, row, ring = self._anchor.raw(), self._row(name), self._ring()
        anchored = self._anchor.opened(raw, ring)
        if row is not None and require_current(name, row, anchored.get(name), ring):
            opened(row, ring, self.place.named)  # only what an owner of the ring has written counts
            self._anchor.write({**anchored, name: as_anchored(row)}, ring)
        return None

    def _reseal(self, ring: Ring) -> None:
        anchored = self._anchor.opened(self._anchor.raw(), ring)
        with self._writing() as db:
            for row in db.execute(credentials.select().with_for_update()).all():
                said = {name: getattr(row, name) for name in ("name", "version", "made_at", "made_by")}
                anchored[row.name] = written(
                    db, {"format": FORMAT, **said}, opened(row, ring, self.place.named), ring.active, new=False
                )
            for row in db.execute(open_sessions.select().with_for_update()).all():
                self._reseal_session(db, row, ring)
        self._anchor.write(anchored, ring)

    def _reseal_session(self, db: sa.Connection, row: Row, ring: Ring) -> None:
        """A session whose record does not open any more ends by itself; it stops nobody's rotation."""
        bound_to = session_binding(row.site, row.place).encode()
        if (key := ring.find(row.key_id)) is None:
            return
        try:
            plain = AESGCM(key.value).decrypt(row.nonce, row.ciphertext, bound_to)
        except InvalidTag:
            return
        anew = sealed(plain, bound_to, ring.active)
        values = {"key_id": anew.key_id, "nonce": anew.nonce, "ciphertext": anew.ciphertext}
        db.execute(open_sessions.update().where(open_sessions.c.id == row.id).values(**values))

    def _require_all_current(self, ring: Ring) -> Ring:
        """The ring, when it opens every record and every one is the newest that was stored."""
        raw, rows = self._anchor.raw(), {row.name: row for row in self._rows()}
        anchored = self._anchor.opened(raw, ring)
        for name in rows.keys() | anchored.keys():
            require_current(name, rows.get(name), anchored.get(name), ring)
            if name in rows:
                opened(rows[name], ring, self.place.named)
        return ring

    def _used_keys(self) -> set[str]:
        with self.engine.connect() as db:
            tables = (credentials, open_sessions)
            return {key for table in tables for key in db.execute(sa.select(table.c.key_id).distinct()).scalars()}

    def _opens_something(self) -> bool:
        ring = self.place.read()
        return ring is not None and any(ring.find(row.key_id) for row in self._rows())

    def _row(self, name: str) -> Row | None:
        with self.engine.connect() as db:
            return db.execute(credentials.select().where(credentials.c.name == name)).first()

    def _rows(self) -> list[Row]:
        with self.engine.connect() as db:
            return list(db.execute(credentials.select()).all())

    def _ring(self) -> Ring:
        keep_memory_private()
        if (ring := self.place.read()) is None:
            raise KeyUnavailable(
                f"The key ring {self.place.named} is missing.",
                holds="The stored credentials cannot be opened without it; none was changed.",
                next_step="Put it back; if it is lost, `mlc secrets start-over`, and store all credentials again.",
            )
        return ring

    def _ring_or_new(self, *, locked: bool = False) -> Ring:
        """The ring; a first one where nothing was ever stored."""
        keep_memory_private()
        if ring := self.place.read():
            return ring
        if not locked:
            with self._locked():
                return self._ring_or_new(locked=True)
        if self.stored() or self._anchor.raw() or not self.place.writable:
            return self._ring()
        self.place.write(Ring((Key.new(),)))
        return self._ring()
