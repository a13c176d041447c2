"""Signed heads of the trail, in a file apart from the database: who owns the database alone cannot take back what they witness."""

import base64
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.trail.canonical import NotCanonicalError, from_canonical, to_canonical

_SIGNED = b"mlc trail checkpoint\n"
SHORT_DIGITS = 16
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a trail at one moment. key, signature: Ed25519, in hex."""

    installation: str
    number: int
    records: int
    header: str
    at: str
    key: str
    signature: str = ""

    @property
    def short(self) -> str:
        """What the description of a posted journal carries, as a witness that we cannot change: the first 16 digits of the head."""
        return self.header[:SHORT_DIGITS]

    def metadata(self) -> dict[str, str | int]:
        """What a materialization in Dagster carries."""
        return {
            "audit entries": self.number,
            "audit records": self.records,
            "audit head": self.header,
            "audit signature": self.signature,
        }

    def line(self) -> bytes:
        return to_canonical({"form": 1, **asdict(self)}) + b"\n"

    def signed(self) -> bytes:
        """The bytes under the signature."""
        said = {name: value for name, value in asdict(self).items() if name != "signature"}
        return _SIGNED + to_canonical({"form": 1, **said})

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019  # it is frozen: what was genuine once is, and each step of a run asks of the same hundred
    def is_genuine(self) -> bool:
        """Whether the owner of the key that it names signed it."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key)).verify(
                bytes.fromhex(self.signature), self.signed()
            )
        except (InvalidSignature, ValueError):
            return False
        return True


_KINDS = {
    "form": int,
    "installation": str,
    "number": int,
    "records": int,
    "header": str,
    "at": str,
    "key": str,
    "signature": str,
}


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """One line per checkpoint, only ever added to. key_file: the private key, which whoever may change the database should not be able to read."""

    file: Path
    key_file: Path

    def sign(self, *, installation: str, number: int, records: int, header: str, at: str) -> Checkpoint:
        """Write down, durably, that the trail had this head."""
        key = self._key()
        public = key.public_key().public_bytes_raw().hex()
        unsigned = Checkpoint(installation, number, records, header, at, public)
        signed = Checkpoint(installation, number, records, header, at, public, key.sign(unsigned.signed()).hex())
        with self._at_end() as handle:
            torn = (size := os.fstat(handle).st_size) and os.pread(handle, 1, size - 1) != b"\n"  # by a power cut
            os.write(handle, (b"\n" if torn else b"") + signed.line())
            os.fsync(handle)
        return signed

    def read(self, newest: int = 0) -> tuple[list[Checkpoint], list[tuple[int, str]]]:
        """All checkpoints, oldest first; and the lines that are none, by number, with the reason. newest: of so many lines only.

        A line that only begins well was cut off by a crash while it was written, and witnesses nothing.
        """
        if not self.file.exists():
            return [], []
        good, bad = [], []
        lines = self.file.read_bytes().rstrip(b"\n").split(b"\n")
        first = max(len(lines) - newest, 0) if newest else 0
        for number, line in enumerate(lines[first:], first + 1):
            if not line or (line.startswith(b'{"') and not line.endswith(b"}")):
                continue
            try:
                good.append(_checkpoint(line))
            except NotCanonicalError as error:
                bad.append((number, error.what))
        return good, bad

    def public_key(self) -> str:
        """In hex; "" while nothing was ever signed here."""
        return self._key().public_key().public_bytes_raw().hex() if self.key_file.exists() else ""

    @contextmanager
    def _at_end(self) -> Iterator[int]:
        """The open file, to which nobody else writes meanwhile."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _key(self) -> Ed25519PrivateKey:
        if not self.key_file.exists():
            self._make_key()
        status = self.key_file.stat()
        if status.st_mode & 0o077 or status.st_uid != os.getuid():
            raise SetupError(
                f"The key file {self.key_file} can be read by others (mode {status.st_mode & 0o777:04o}).",
                next_step=f"chmod 600 {self.key_file}, and make yourself its owner.",
            )
        try:
            return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.key_file.read_text(), validate=True))
        except ValueError:
            raise SetupError(
                f"The key file {self.key_file} does not hold a key.", next_step="Put the right key file back."
            ) from None

    def _make_key(self) -> None:
        """A new key, seen by others whole or not at all; of two processes that make one, the first one's counts."""
        self.key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=self.key_file.parent)  # made for its owner alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, self.key_file)
        finally:
            Path(draft).unlink()


def _checkpoint(line: bytes) -> Checkpoint:
    said = from_canonical(line)
    if not isinstance(said, dict) or {name: type(value) for name, value in said.items()} != _KINDS:
        raise NotCanonicalError("It is no checkpoint.")
    return Checkpoint(**{name: value for name, value in said.items() if name != "form"})
