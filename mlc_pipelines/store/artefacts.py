"""Files kept under the name of their content: what was read, what was sent, what came back. Only retention gives one up, and says so."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.elsewhere import Elsewhere

_GIVEN_UP = ".given-up"


@dataclass(frozen=True, slots=True)
class Artefacts:
    """A folder of files named by their SHA-256. Written once, never changed.

    elsewhere: where they are kept for good; the folder then holds copies for those who read, and may be emptied at any time.
    """

    folder: Path
    elsewhere: Elsewhere | None = None

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A scratch path for a file in the making, gone at the end unless it was kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix="draft-")
        os.close(handle)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, draft: Path) -> str:
        """Make the draft permanent, durably; returns its hash. The same content is kept once."""
        digest = _hash(draft)
        if self.elsewhere:
            self.elsewhere.put(_name(digest), draft)
        self._settle(draft, digest)
        return digest

    def keep_bytes(self, content: bytes) -> str:
        with self.draft() as path:
            path.write_bytes(content)
            return self.keep(path)

    def path(self, digest: str) -> Path:
        """Where the file lies, checked against its name; fetched first where it is kept elsewhere. Raises DataError when it is missing, was given up or was changed."""
        place = self.place(digest)
        if place.is_file() and _hash(place) == digest:
            return place
        if not self._fetched(digest):
            raise self._unusable(digest)
        return place

    def place(self, digest: str) -> Path:
        """Where the file would lie; nothing is checked."""
        return self.folder / digest[:2] / digest

    def give_up(self, digest: str, why: str) -> None:
        """Remove a file for good; that and why stays written in its place."""
        with self.draft() as note:
            note.write_text(why)
            if self.elsewhere:
                self.elsewhere.put(_name(digest) + _GIVEN_UP, note)
            self._settle(note, digest, _GIVEN_UP)
        if self.elsewhere:
            self.elsewhere.remove(_name(digest))
        self.place(digest).unlink(missing_ok=True)

    def given_up(self, digest: str) -> str:
        """Why a file is not there any more; "" where it was not given up, or was made again since."""
        if not digest or self.place(digest).is_file() or (self.elsewhere and self.elsewhere.holds(_name(digest))):
            return ""
        note = self.folder / f"{_name(digest)}{_GIVEN_UP}"
        if not note.is_file() and self.elsewhere:
            with self.draft() as draft:
                if self.elsewhere.fetch(_name(digest) + _GIVEN_UP, draft):
                    self._settle(draft, digest, _GIVEN_UP)
        return note.read_text() if note.is_file() else ""

    def _settle(self, draft: Path, digest: str, ending: str = "") -> None:
        """The draft under its name, in one step, and durably: a name is durable only when its folder is."""
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        place = self.folder / f"{_name(digest)}{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.chmod(0o440)
        draft.replace(place)
        for folder in (place.parent, self.folder):
            _synced(folder)

    def _fetched(self, digest: str) -> bool:
        if self.elsewhere is None:
            return False
        with self.draft() as draft:
            if not self.elsewhere.fetch(_name(digest), draft) or _hash(draft) != digest:
                return False
            self._settle(draft, digest)
            return True

    def _unusable(self, digest: str) -> DataError:
        if why := self.given_up(digest):
            return DataError(
                f"The kept file {digest[:12]} was given up: {why}",
                next_step="Materialize the step that makes it again, from what the ERP says now.",
            )
        if not self.place(digest).is_file():
            return DataError(
                f"The kept file {digest[:12]} is missing from {self.elsewhere.url if self.elsewhere else self.folder}.",
                next_step="Materialize the step that makes it again.",
            )
        return DataError(
            f"The kept file {digest[:12]} was changed after it was written.",
            holds="It was not used.",
            next_step="Find out who changed it, then materialize the step that makes it again.",
        )


def _name(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
