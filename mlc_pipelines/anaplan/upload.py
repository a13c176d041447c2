"""One file into Anaplan: in chunks, each gzipped by itself, proved to be there afterwards.

Chunks go in order, one after the other, as Anaplan documents it [S HELP-upload]; the next one is compressed while one is sent.
Several at a time work in the field too [C SDK], and are sent so where a connection asks for it: every result is read.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from mlc_pipelines.anaplan.api import Api, content_of
from mlc_pipelines.anaplan.chunks import cut, fitting
from mlc_pipelines.anaplan.files import chunk_ids, read_chunks
from mlc_pipelines.ledger.errors import SetupError, TransientError

_FASTEST_GZIP = (
    1  # isal level 1: 382 MB/s, and 12 % more bytes than zlib at its slowest [measured: performance sheet 5]
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What went up: number of chunks, bytes before compression, and the hash of the bytes as they were read for sending."""

    chunks: int
    bytes: int
    sha256: str


def upload(api: Api, place: str, file_id: str, path: Path, *, chunk_bytes: int, workers: int = 1) -> Uploaded:
    """Send the whole file, from chunk 0, and prove that the server lists all of it. Memory: a few chunks, whatever the file's size.

    place is `.../files/{id}`. Every call is the same when done twice (a chunk is named by its number), so a lost answer repeats it.
    Raises DataError for a file that is too large or ends inside a quoted text, SetupError where the file is unknown, TransientError
    where a chunk could not be sent or is missing; then `complete` was not called, or the import is not to be started.
    """
    chunk_bytes = fitting(path, chunk_bytes)
    _announce(api, place, file_id)
    reader = _Reader(path, chunk_bytes)
    packed = _compressed_ahead(iter(reader))
    sent = _send_in_order(api, place, packed) if workers == 1 else _send_several(api, place, packed, workers)
    api.caller.repeat("POST", f"{place}/complete", json={"id": file_id})
    held = chunk_ids(api, f"{place}/chunks")
    if len(held) != sent:
        raise TransientError(
            f"{sent} chunks were sent to {place}, and Anaplan lists {len(held)}.",
            holds="The uploaded file is not whole; nothing was loaded.",
            next_step="Run the load again: the file is sent whole.",
        )
    return Uploaded(sent, reader.bytes, reader.hash.hexdigest())


def held_hash(api: Api, place: str) -> str:
    """The hash of what Anaplan holds under the file now, for this user; "" when it holds nothing."""
    digest = hashlib.sha256()
    ids = chunk_ids(api, f"{place}/chunks")
    for content in read_chunks(api, f"{place}/chunks", ids):
        digest.update(content)
    return digest.hexdigest() if ids else ""


def _announce(api: Api, place: str, file_id: str) -> None:
    # -1 says that the number of chunks is not known yet; the upload is then ended by `complete` [S HELP-chunkcount].
    answer = content_of(api.caller.repeat("POST", place, json={"chunkCount": -1}))
    taken = answer.get("file")
    told = str(taken.get("id", file_id)) if isinstance(taken, dict) else file_id
    if told != file_id:
        raise SetupError(
            f"Anaplan made a new file {told} instead of taking {file_id}: the import no longer reads that file.",
            holds="Nothing was loaded.",
            next_step="Ask the model builder which file the import reads.",
        )


class _Reader:
    """The pieces of a file, counted and hashed as they are read."""

    def __init__(self, path: Path, chunk_bytes: int) -> None:
        self._path = path
        self._chunk_bytes = chunk_bytes
        self.hash = hashlib.sha256()
        self.bytes = 0

    def __iter__(self) -> Iterator[memoryview]:
        for piece in cut(self._path, self._chunk_bytes):
            self.hash.update(piece)
            self.bytes += len(piece)
            yield piece


def _compressed_ahead(pieces: Iterator[memoryview]) -> Iterator[bytes]:
    """Each piece gzipped; the one after it is read and compressed while this one is sent."""
    with ThreadPoolExecutor(max_workers=1) as compressor:
        ready: Future[bytes] | None = None
        for piece in pieces:
            coming = compressor.submit(igzip.compress, piece, _FASTEST_GZIP)
            if ready is not None:
                yield ready.result()
            ready = coming
        if ready is not None:
            yield ready.result()


def _send_in_order(api: Api, place: str, chunks: Iterator[bytes]) -> int:
    number = -1
    for number, packed in enumerate(chunks):
        _send(api, place, number, packed)
    return number + 1


def _send_several(api: Api, place: str, chunks: Iterator[bytes], workers: int) -> int:
    """So many chunks at a time, in order of beginning. Each result is read; after the first failure no further chunk is begun."""
    number, under_way = -1, set[Future[None]]()
    with ThreadPoolExecutor(max_workers=workers) as senders:
        for number, packed in enumerate(chunks):
            if len(under_way) == workers:
                under_way = _after_one(under_way)
            under_way.add(senders.submit(_send, api, place, number, packed))
        while under_way:
            under_way = _after_one(under_way)
    return number + 1


def _after_one(under_way: set[Future[None]]) -> set[Future[None]]:
    """Those that are left once at least one has ended. Raises what an ended one raised."""
    ended, left = wait(under_way, return_when=FIRST_COMPLETED)
    for one in ended:
        one.result()
    return left


def _send(api: Api, place: str, number: int, packed: bytes) -> None:
    headers = {"Content-Type": "application/x-gzip"}
    api.caller.repeat("PUT", f"{place}/chunks/{number}", content=packed, headers=headers)
