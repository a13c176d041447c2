"""Where a key ring can lie: a file of ours, a file handed in by the service manager, the desktop's keyring, a secrets server.

MLC_KEY_RING says which, by a path or an address, never by a key. Whoever has a place of another kind writes one more class of `RingPlace`.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.durable import replace_durably
from mlc_pipelines.store.ring import KeyPermissions, KeyUnavailable, Ring, RingPlace

SETTING, SYSTEMD_NAME = "MLC_KEY_RING", "mlc-key-ring"
_SERVICE = "mlc_pipelines"


def ring_place(folder: Path, environment: Mapping[str, str] = os.environ) -> RingPlace:
    """The place that the environment names. folder: where the file lies when it names none.

    Unset: the service manager's credential `mlc-key-ring` where there is one, else `vault.key` in the folder.
    """
    said, handed_in = environment.get(SETTING, ""), environment.get("CREDENTIALS_DIRECTORY", "")
    kind, _, rest = said.partition(":")
    match kind:
        case "":
            credential = Path(handed_in, SYSTEMD_NAME)
            return HandedIn(credential) if handed_in and credential.exists() else FileRing(folder / "vault.key")
        case "systemd":
            return HandedIn(Path(handed_in or "/nowhere", rest or SYSTEMD_NAME))
        case "mounted":
            return HandedIn(Path(rest))
        case "keyring":
            return DesktopKeyring(rest or str(folder.parent))
        case "hashicorp":
            from mlc_pipelines.store.ringserver import (
                HashiCorpRing,
            )  # loads the HTTP caller, which nobody else here needs

            return HashiCorpRing.from_address(rest, Path(environment.get("MLC_KEY_RING_TOKEN_FILE", "")))
        case _ if said.startswith("/"):
            return FileRing(Path(said))
    raise SetupError(
        f"{SETTING} names no place for a key ring that is known here.",
        next_step="Set it to an absolute path, `systemd`, `systemd:NAME`, `mounted:PATH`, `keyring` or `hashicorp:https://...`; see docs/secrets.md.",
    )


@dataclass(frozen=True, slots=True)
class FileRing:
    """A file of our own: 0600 in a folder 0700, both owned by who runs this."""

    path: Path
    writable: ClassVar[bool] = True

    @property
    def named(self) -> str:
        return str(self.path)

    def read(self) -> Ring | None:
        if not self.path.exists():
            return None
        _require_private(self.path.parent, 0o700, self.path.parent.stat())
        return Ring.from_text(private_text(self.path, 0o600, {os.getuid()}), self.named)

    def write(self, ring: Ring) -> None:
        replace_durably(self.path, ring.to_text())


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A file that the service manager, or a container's runtime, gives this service to read: a systemd credential, a mounted secret.

    systemd writes it 0400 for root and lets the service's user in by an access list, which shows as a group bit, or makes that user its
    owner [C systemd: src/core/exec-credential.c]. So only bits of others are refused.
    """

    path: Path
    writable: ClassVar[bool] = False
    mode: ClassVar[int] = 0o640

    @property
    def named(self) -> str:
        return str(self.path)

    def read(self) -> Ring | None:
        if not self.path.exists():
            return None
        return Ring.from_text(private_text(self.path, self.mode, self.owners()), self.named)

    @staticmethod
    def owners() -> set[int]:
        return {os.getuid(), 0}

    def write(self, ring: Ring) -> None:  # noqa: ARG002
        raise _not_ours(self.named)


@dataclass(frozen=True, slots=True)
class DesktopKeyring:
    """The operating system's keyring, by the `keyring` library: for a person's own machine, not for a server without a desktop."""

    entry: str
    writable: ClassVar[bool] = True

    @property
    def named(self) -> str:
        return f"{_SERVICE} / {self.entry} in the keyring of this desktop"

    def read(self) -> Ring | None:
        library = _keyring_library()
        try:
            text = library.get_password(_SERVICE, self.entry)
        except library.errors.KeyringError as error:
            raise self._unavailable(error) from None
        return Ring.from_text(text, self.named) if text is not None else None

    def write(self, ring: Ring) -> None:
        library = _keyring_library()
        try:
            library.set_password(_SERVICE, self.entry, ring.to_text())
        except library.errors.KeyringError as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: Exception) -> KeyUnavailable:
        return KeyUnavailable(
            f"The key ring, {self.named}, cannot be used ({type(error).__name__}).",
            holds="No credential was opened or changed.",
            next_step=f"Unlock the keyring; on a machine without one set {SETTING} to a file.",
        )


def _keyring_library() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise KeyUnavailable(
            f"{SETTING} says `keyring`, and the library of that name is not installed.",
            next_step="pip install 'mlc-pipelines[keyring]'",
        ) from None
    return keyring


def _not_ours(named: str) -> SetupError:
    return SetupError(
        f"The key ring {named} is handed in from outside and cannot be changed from here.",
        holds="It is as it was.",
        next_step="Put a new key as its first line where it comes from, leave the old ones below, restart, then `mlc secrets rotate-key`.",
    )


def private_text(path: Path, mode: int, owners: set[int]) -> str:
    """The file's text. What is checked is what is read: both by one descriptor."""
    try:
        with path.open("rb") as file:
            _require_private(path, mode, os.fstat(file.fileno()), owners)
            return file.read().decode("ascii", "replace")
    except OSError as error:
        raise KeyUnavailable(
            f"{path} cannot be read ({error.strerror}).",
            holds="No credential was opened or changed.",
            next_step="Give it back to the user that runs this, or put it back.",
        ) from None


def _require_private(path: Path, mode: int, status: os.stat_result, owners: set[int] | None = None) -> None:
    kind, has = ("folder" if stat.S_ISDIR(status.st_mode) else "file"), stat.S_IMODE(status.st_mode)
    if status.st_uid not in (owners or {os.getuid()}):
        raise KeyPermissions(
            f"The {kind} of the key ring, {path}, belongs to user {status.st_uid}, this runs as user {os.getuid()}.",
            holds="It was not used.",
            next_step=f"Make the user that runs this its owner, then chmod {mode:o} {path}.",
        )
    if has & ~mode & 0o077:
        raise KeyPermissions(
            f"The {kind} of the key ring, {path}, can be read by others (mode {has:04o}).",
            holds="It was not used.",
            next_step=f"chmod {mode:o} {path}; if others may have read it: `mlc secrets rotate-key --keep-days 0`.",
        )
