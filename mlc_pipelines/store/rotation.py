"""The keys renewed, everything encrypted anew; and beginning again after the ring was lost."""

from dataclasses import dataclass

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.ring import Ring
from mlc_pipelines.store.schema import credentials, open_sessions
from mlc_pipelines.store.sealing import FORMAT, Row, opened, sealed, session_binding, written
from mlc_pipelines.store.strongroom import Strongroom


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation of the key did. new_key: its id. dropped: ids of keys that are gone for good."""

    new_key: str
    credentials: int
    kept: tuple[str, ...]
    dropped: tuple[str, ...]


def rotate_key(room: Strongroom, *, keep_days: float = 30.0) -> Rotation:
    """A new key, everything re-encrypted with it in one transaction, all of it opened again; old keys that nothing uses go after so many days.

    Killed at any point, everything stays readable: the new key is in the ring before the first record needs it, the old ones until
    after the last one did (K08). A record that was tampered with or rolled back stops it before anything is changed.
    """
    with room.locked():
        before = room.require_all_current(room.ring())
        ring = before.with_new_key() if room.place.writable else before
        if room.place.writable:
            room.place.write(ring)
        _reseal(room, ring)
        room.require_all_current(ring)
        kept = ring.without_old(_used_keys(room), keep_days=keep_days) if room.place.writable else ring
        if kept != ring:
            room.place.write(kept)
    gone = tuple(key.id for key in ring.keys if key not in kept.keys)
    return Rotation(ring.active.id, len(room.stored()), tuple(key.id for key in kept.keys[1:]), gone)


def start_over(room: Strongroom) -> list[str]:
    """After the ring was lost: forget what only it could open, and nothing else; returns the names that must be stored again.

    Raises SetupError where the ring is there and opens what is stored: then nothing is lost.
    """
    with room.locked():
        if _opens_something(room):
            raise SetupError(
                f"The key ring {room.place.named} is there and opens stored credentials: it is not lost.",
                holds="Nothing was changed.",
                next_step="After a leak: `mlc secrets rotate` for every credential, then `mlc secrets rotate-key --keep-days 0`.",
            )
        names = [one.name for one in room.stored()]
        with room.writing() as db:
            db.execute(credentials.delete())
            db.execute(open_sessions.delete())
        room.anchor.forget()
    return names


def _reseal(room: Strongroom, ring: Ring) -> None:
    anchored, whose = room.anchor.opened(room.anchor.raw(), ring), room.installation
    with room.writing() as db:
        for row in db.execute(credentials.select().with_for_update()).all():
            said = {name: getattr(row, name) for name in ("name", "version", "made_at", "made_by")}
            plain = opened(row, ring, room.place.named, whose)
            said["format"] = FORMAT
            anchored[row.name] = written(db, said, plain, ring.active, installation=whose, new=False)
        for row in db.execute(open_sessions.select().with_for_update()).all():
            _reseal_session(db, row, ring)
    room.anchor.write(anchored, ring)


def _reseal_session(db: sa.Connection, row: Row, ring: Ring) -> None:
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


def _used_keys(room: Strongroom) -> set[str]:
    with room.engine.connect() as db:
        tables = (credentials, open_sessions)
        return {key for table in tables for key in db.execute(sa.select(table.c.key_id).distinct()).scalars()}


def _opens_something(room: Strongroom) -> bool:
    ring = room.place.read()
    return ring is not None and any(ring.find(row.key_id) for row in room.rows())
