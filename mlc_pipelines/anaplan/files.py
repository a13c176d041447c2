"""Files of a model: upload in chunks, checked afterwards; download of every chunk.

A file belongs to the user who uploaded it, and nothing locks it: whoever overwrites it while an import reads it changes what is
loaded, without an error [S HELP-files; S SDK docs/concepts.md]. The caller therefore holds the fence of the model.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isal import igzip

from mlc_pipelines.anaplan.api import Api, content_of
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError

_CHUNKS_MAX = 1000  # [S HELP-chunks]
_FASTEST_GZIP = 1


def upload(api: Api, place: str, file: dict[str, Any], path: Path, chunk_bytes: int) -> int:
    """Send the file in order, each chunk gzipped by itself, then prove that the server holds all of it; returns the number of chunks.

    place is `.../files/{id}`. Every call is the same when done twice (a chunk is named by its number), so a lost answer repeats it.
    Raises DataError for a file without rows, SetupError for one that needs more than 1,000 chunks or whose id is unknown.
    """
    _require_rows(path)
    if path.stat().st_size > _CHUNKS_MAX * chunk_bytes:
        raise SetupError(
            f"The file for {file['name']} has {path.stat().st_size:,} bytes; Anaplan takes {_CHUNKS_MAX:,} chunks of {chunk_bytes:,}.",
            holds="Nothing was sent.",
            next_step="Raise the chunk size, up to 50 MB.",
        )
    # -1 says that the number of chunks is not known yet; the upload is then ended by `complete` [S HELP-chunkcount].
    answer = content_of(api.caller.repeat("POST", place, json={"chunkCount": -1}))
    if (told := answer.get("file", {}).get("id", file["id"])) != file["id"]:
        raise SetupError(
            f"Anaplan made a new file {told} instead of taking {file['id']} ({file['name']}): the import no longer reads that file.",
            holds="Nothing was loaded.",
            next_step="Ask the model builder which file the import reads.",
        )
    sent = _send_chunks(api, place, path, chunk_bytes)
    api.caller.repeat("POST", f"{place}/complete", json={"id": file["id"]})
    _require_whole(api, place, path, sent)
    return sent


def _require_rows(path: Path) -> None:
    with path.open("rb") as file:
        file.readline()
        if not file.read(1):
            raise DataError(
                "The file to load has a header and no rows.",
                holds="Nothing was sent.",
                next_step="Check whether the period really has no figures; an empty file never clears a slice.",
            )


def _send_chunks(api: Api, place: str, path: Path, chunk_bytes: int) -> int:
    number = -1
    for number, chunk in enumerate(_chunks(path, chunk_bytes)):
        packed = igzip.compress(chunk, compresslevel=_FASTEST_GZIP)
        api.caller.repeat(
            "PUT", f"{place}/chunks/{number}", content=packed, headers={"Content-Type": "application/x-gzip"}
        )
    return number + 1


def _chunks(path: Path, chunk_bytes: int) -> Iterator[bytes]:
    """Pieces of about chunk_bytes, cut at line ends."""
    with path.open("rb") as file:
        while piece := file.read(chunk_bytes):
            yield piece + file.readline()


def _require_whole(api: Api, place: str, path: Path, sent: int) -> None:
    """The server must hold what was sent: as many chunks, or, should it have cut anew, the same bytes."""
    held = _chunk_ids(api, place)
    if len(held) == sent:
        return
    digest = hashlib.sha256()
    for chunk in held:
        digest.update(api.caller.read("GET", f"{place}/chunks/{chunk}").body)
    with path.open("rb") as file:
        if digest.digest() != hashlib.file_digest(file, "sha256").digest():
            raise TransientError(
                f"Anaplan holds {len(held)} chunks of another content than the {sent} that were sent.",
                holds="The file is incomplete; nothing was loaded.",
                next_step="Run the load again: the file is sent whole.",
            )


def download(api: Api, place: str, path: Path) -> list[str]:
    """Every chunk in order, byte by byte, into path; returns the chunk ids. An empty file is an error: an export has a header."""
    chunks = _chunk_ids(api, place)
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(api.caller.read("GET", f"{place}/chunks/{chunk}").body)
    if not path.stat().st_size:
        raise TransientError(f"Anaplan GET {place}/chunks lists no content.", holds="Nothing was used.")
    if _chunk_ids(api, place) != chunks:
        raise TransientError(f"Anaplan {place} changed while it was read.", holds="Nothing was used.")
    return chunks


def _chunk_ids(api: Api, place: str) -> list[str]:
    return [str(chunk["id"]) for chunk in api.list(f"{place}/chunks", "chunks")]
