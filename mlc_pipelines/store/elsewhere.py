"""Kept files at another place that fsspec knows (a bucket, a share, another disk): packed with gzip, whole or not there at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """url: as fsspec takes it, "s3://bucket/mlc", "file:///mnt/share/mlc". Credentials are found by the file system itself, never in the URL."""

    url: str

    @classmethod
    def named(cls, url: str) -> "Elsewhere | None":
        """The place of an installation; None where everything stays on its own disk. Raises SetupError for a URL that names a password."""
        if not url:
            return None
        if urlsplit(url).password:
            raise SetupError(
                "MLC_ARTEFACTS holds a password.",
                next_step="Give the credentials to the file system in its own way (its environment variables or its profile), and leave them out of the URL.",
            )
        return cls(url.rstrip("/"))

    def put(self, name: str, source: Path) -> None:
        """Bring a file there under a name of its own until it is whole, then under its name; packed alike each time."""
        from isal import igzip

        with self._speaking() as (files, folder):
            place = f"{folder}/{name}.gz"
            if files.exists(place):
                return
            part = f"{place}.{uuid4().hex}.part"
            files.makedirs(place.rpartition("/")[0], exist_ok=True)
            with (
                source.open("rb") as content,
                files.open(part, "wb") as sink,
                igzip.IGzipFile(filename="", mode="wb", fileobj=sink, mtime=0) as packed,  # type: ignore[no-untyped-call]
            ):
                shutil.copyfileobj(content, packed, _BLOCK)
            files.mv(part, place)

    def holds(self, name: str) -> bool:
        with self._speaking() as (files, folder):
            return bool(files.exists(f"{folder}/{name}.gz"))

    def fetch(self, name: str, target: Path) -> bool:
        """Unpack a file to a path; whether it was there."""
        from isal import igzip

        with self._speaking() as (files, folder):
            place = f"{folder}/{name}.gz"
            if not files.exists(place):
                return False
            with (
                files.open(place, "rb") as source,
                igzip.IGzipFile(fileobj=source) as packed,  # type: ignore[no-untyped-call]
                target.open("wb") as sink,
            ):
                shutil.copyfileobj(packed, sink, _BLOCK)
            return True

    def remove(self, name: str) -> None:
        with self._speaking() as (files, folder):
            if files.exists(place := f"{folder}/{name}.gz"):
                files.rm_file(place)

    @contextmanager
    def _speaking(self) -> Iterator[tuple[Any, str]]:
        """The file system and the folder in it. Whatever it complains of is told as one kind: the files here are whole, the others may be late."""
        import fsspec  # type: ignore[import-untyped]  # only where files lie elsewhere

        try:
            yield fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise SetupError(
                f"MLC_ARTEFACTS ({self.url}) cannot be opened: {' '.join(str(error).split())[:200]}.",
                next_step="Install the package that the message names, or correct the address.",
            ) from None
        except PipelineError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise TransientError(
                f"Kept files at {self.url} cannot be read or written: {type(error).__name__} {' '.join(str(error).split())[:200]}.",
                holds="What was to be kept is not kept there; nothing that needs it was sent.",
                next_step="Look at that place and at the rights there, then start the work again.",
            ) from error
