"""Files kept for ever under the name of their content: what was read, what was sent, what came back."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlc_pipelines.ledger.errors import DataError

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Artefacts:
    """A folder of files named by their SHA-256. Written once, never changed."""

    folder: Path

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
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        place = self.place(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.chmod(0o440)
        draft.replace(place)
        for folder in (place.parent, self.folder):  # a name is durable only when its folder is
            _synced(folder)
        return digest

    def keep_bytes(self, content: bytes) -> str:
        with self.draft() as path:
            path.write_bytes(content)
            return self.keep(path)

    def path(self, digest: str) -> Path:
        """Where the file lies, checked against its name. Raises DataError when it is missing or was changed."""
        place = self.place(digest)
        if not place.is_file():
            raise DataError(
                f"The kept file {digest[:12]} is missing from {self.folder}.",
                next_step="Materialize the step that makes it again.",
            )
        with place.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise DataError(
                    f"The kept file {digest[:12]} was changed after it was written.",
                    holds="It was not used.",
                    next_step="Find out who changed it, then materialize the step that makes it again.",
                )
        return place

    def place(self, digest: str) -> Path:
        """Where the file would lie; nothing is checked."""
        return self.folder / digest[:2] / digest


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
