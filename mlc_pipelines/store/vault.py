"""Credentials at rest: AES-256-GCM, each bound to its name and version, the key in a file of its own."""

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.schema import credentials
from mlc_pipelines.transport.secret import Secret

_NONCE_BYTES = 12
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value, as it may lie in any table."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """Opens and stores credentials by name. A credential is a small set of named texts (username, password, ...)."""

    engine: sa.Engine
    key_file: Path

    def put(self, name: str, fields: Mapping[str, str]) -> int:
        """Store a new version under the name; returns the version."""
        key = self._key(create=True)
        with self.engine.begin() as db:
            held = db.execute(sa.select(credentials.c.version).where(credentials.c.name == name)).scalar()
            version = (held or 0) + 1
            nonce = os.urandom(_NONCE_BYTES)
            sealed = AESGCM(key).encrypt(nonce, json.dumps(dict(fields)).encode(), _identity(name, version))
            row = {
                "version": version,
                "key_id": _key_id(key),
                "nonce": nonce,
                "ciphertext": sealed,
                "made_at": datetime.now(UTC).isoformat(),
            }
            change = (
                credentials.insert().values(name=name, **row)
                if held is None
                else credentials.update().where(credentials.c.name == name).values(**row)
            )
            db.execute(change)
        return version

    def open(self, name: str) -> dict[str, Secret]:
        """The fields of a credential, each a Secret. Raises SetupError when it is missing, was tampered with, or the key does not fit."""
        with self.engine.connect() as db:
            row = db.execute(credentials.select().where(credentials.c.name == name)).first()
        if row is None:
            raise SetupError(
                f"No credential is stored under the name {name!r}.",
                next_step=f"Store it with `mlc secrets set {name}`.",
            )
        key = self._key(create=False)
        if row.key_id != _key_id(key):
            raise SetupError(
                f"Credential {name!r} was stored with another key than the one in {self.key_file}.",
                next_step="Put the right key file back, or store the credential again.",
            )
        try:
            fields = json.loads(AESGCM(key).decrypt(row.nonce, row.ciphertext, _identity(name, row.version)))
        except InvalidTag:
            raise SetupError(
                f"Credential {name!r} was changed outside of this project.",
                holds="It was not used.",
                next_step=f"Store it again with `mlc secrets set {name}`, and find out who changed it.",
            ) from None
        return {field: Secret(value, f"{name}/{field}") for field, value in fields.items()}

    def seal(self, text: str, *, bound_to: str) -> Sealed:
        """Encrypt a passing secret for a table of its own; it opens again only under the same words."""
        key, nonce = self._key(create=True), os.urandom(_NONCE_BYTES)
        return Sealed(_key_id(key), nonce, AESGCM(key).encrypt(nonce, text.encode(), bound_to.encode()))

    def unseal(self, sealed: Sealed, *, bound_to: str) -> str:
        """The text again. Raises SetupError when it was sealed with another key, for another purpose, or was tampered with."""
        try:
            return AESGCM(self._key(create=False)).decrypt(sealed.nonce, sealed.ciphertext, bound_to.encode()).decode()
        except InvalidTag:
            raise SetupError(
                f"A stored value ({bound_to}) does not open with the key in {self.key_file}.", holds="It was not used."
            ) from None

    def names(self) -> list[tuple[str, int, str]]:
        """Name, version and time of storing of every credential."""
        with self.engine.connect() as db:
            rows = db.execute(credentials.select().order_by(credentials.c.name)).all()
        return [(row.name, row.version, row.made_at) for row in rows]

    def _key(self, *, create: bool) -> bytes:
        if not self.key_file.exists():
            if (not create or self.names()) and not self.key_file.exists():  # somebody else may just have begun
                raise SetupError(
                    f"The key file {self.key_file} is missing.",
                    holds="The stored credentials cannot be opened without it; none was changed.",
                    next_step="Put it back; or move the database aside and store all credentials again under a new key.",
                )
            self._make_key()
        status = self.key_file.stat()
        if status.st_mode & 0o077 or status.st_uid != os.getuid():
            raise SetupError(
                f"The key file {self.key_file} can be read by others (mode {status.st_mode & 0o777:04o}).",
                next_step=f"chmod 600 {self.key_file}, and make yourself its owner.",
            )
        key = _decoded(self.key_file.read_text())
        if len(key) != _KEY_BYTES:
            raise SetupError(
                f"The key file {self.key_file} does not hold a key.",
                holds="It was not used.",
                next_step="Put the right key file back; if no credential is stored yet, delete it.",
            )
        return key

    def _make_key(self) -> None:
        """A new key, seen by others whole or not at all; of two processes that make one, the first one's counts."""
        self.key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=self.key_file.parent)  # made for its owner alone
        try:
            with os.fdopen(handle, "w") as file:
                file.write(base64.b64encode(AESGCM.generate_key(8 * _KEY_BYTES)).decode())
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, self.key_file)
        finally:
            Path(draft).unlink()


def _identity(name: str, version: int) -> bytes:
    """Bound into the cipher, so that a stored value opens under its own name and version only."""
    return json.dumps({"credential": name, "version": version}, sort_keys=True).encode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _key_id(key: bytes) -> str:
    return sha256(key).hexdigest()[:16]
