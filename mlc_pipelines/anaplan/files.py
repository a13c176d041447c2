"""Files of a model: upload in chunks, checked afterwards; download of every chunk.

A file belongs to the user who uploaded it, and nothing locks it: whoever overwrites it while an import reads it changes what is
loaded, without an error [S HELP-files; S SDK docs/concepts.md]. The caller therefore holds the fence of the model.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from isal import igzip

from mlc_pipelines.anaplan.api import Api, content_of
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError

_CHUNKS_MAX = 1000  # [S HELP-chunks]
_CHUNKS_AIM = 900  # a chunk ends at a line end, a little before it is full
_CHUNK_BYTES_MAX = 50_000_000
_LINE_BYTES_MAX = 1 << 16  # a longer line is cut anywhere: the server joins the bytes [C SDK, ORM, apapi]
_FASTEST_GZIP = 1


class FileChangedError(TransientError):
    """The file is not the same any more as when its reading began."""


def header_of(path: Path) -> list[str]:
    """The column names of a CSV file, UTF-8. Raises DataError for a file that has none, or whose header is no UTF-8."""
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    try:
        [names] = [names for names in csv.reader(io.StringIO(line.decode("utf-8-sig"), newline="")) if names]
    except (ValueError, csv.Error):
        raise DataError(
            f"The file {path.name} does not begin with one line of column names in UTF-8.", holds="It was not used."
        ) from None
    return names


def require_rows(path: Path) -> None:
    """Refuse a file with a header only. Raises DataError."""
    with path.open("rb") as file:
        file.readline()
        if not any(line.strip() for line in file):
            raise DataError(
                "The file to load has a header and no rows.",
                holds="Nothing was sent.",
                next_step="Check whether the period really has no figures; an empty file never clears a slice.",
            )


def upload(api: Api, place: str, file_id: str, path: Path, chunk_bytes: int) -> int:
    """Send the file in order, each chunk gzipped by itself, then prove that the server lists all of it; returns the number of chunks.

    place is `.../files/{id}`. Every call is the same when done twice (a chunk is named by its number), so a lost answer repeats it.
    Raises DataError for a file that is too large, SetupError where the file is unknown, TransientError where chunks are missing.
    """
    chunk_bytes = _fitting(path, chunk_bytes)
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
    sent = _send_chunks(api, place, path, chunk_bytes)
    api.caller.repeat("POST", f"{place}/complete", json={"id": file_id})
    held = chunk_ids(api, f"{place}/chunks")
    if len(held) != sent:
        raise TransientError(
            f"{sent} chunks were sent to {place}, and Anaplan lists {len(held)}.",
            holds="The uploaded file is not whole; nothing was loaded.",
            next_step="Run the load again: the file is sent whole.",
        )
    return sent


def _fitting(path: Path, chunk_bytes: int) -> int:
    """The size of a chunk with which the file keeps within the number of chunks; larger than asked for a large file."""
    size = path.stat().st_size
    needed = max(chunk_bytes, -(-size // _CHUNKS_AIM))
    if needed > _CHUNK_BYTES_MAX:
        raise DataError(
            f"The file to load has {size:,} bytes; Anaplan takes {_CHUNKS_MAX:,} chunks of at most {_CHUNK_BYTES_MAX:,}.",
            holds="Nothing was sent.",
            next_step="Load fewer periods or members at once.",
        )
    return needed


def _send_chunks(api: Api, place: str, path: Path, chunk_bytes: int) -> int:
    number = -1
    for number, chunk in enumerate(_chunks(path, chunk_bytes)):
        packed = igzip.compress(chunk, compresslevel=_FASTEST_GZIP)
        api.caller.repeat(
            "PUT", f"{place}/chunks/{number}", content=packed, headers={"Content-Type": "application/x-gzip"}
        )
    return number + 1


def _chunks(path: Path, chunk_bytes: int) -> Iterator[bytes]:
    """Pieces of at most chunk_bytes, cut at the last line end in each; together exactly the file."""
    rest = b""
    with path.open("rb") as file:
        while block := rest + file.read(chunk_bytes - len(rest)):
            end = block.rfind(b"\n", max(0, len(block) - _LINE_BYTES_MAX)) + 1
            if len(block) < chunk_bytes or not end:
                end = len(block)
            yield block[:end]
            rest = block[end:]


def chunk_ids(api: Api, place: str) -> list[str]:
    """Ids of the listed chunks in order; place is `.../chunks`. Raises TransientError unless they are 0, 1, 2 ... without gap or repeat."""
    ids = [str(chunk.get("id")) for chunk in api.list(place, "chunks")]
    if sorted(ids) != sorted(str(number) for number in range(len(ids))):
        raise TransientError(f"Anaplan GET {place} lists chunks {', '.join(ids[:20])}.", holds="They were not used.")
    return sorted(ids, key=int)


def read_chunks(api: Api, place: str, ids: list[str]) -> Iterator[bytes]:
    """The bytes of each chunk in order; together the file. A border may fall inside a character, so join before decoding."""
    for chunk in ids:
        answer = api.caller.read("GET", f"{place}/{chunk}", headers={"Accept": "*/*"})
        answer.require_no_html()
        if not answer.body:
            raise TransientError(f"{answer.call} answered without content.", holds="It was not used.")
        yield answer.body


def download(api: Api, place: str, path: Path) -> list[str]:
    """Every chunk of the file at place, byte by byte, into path; returns the chunk ids. Raises TransientError for an empty or changing file."""
    chunks = f"{place}/chunks"
    ids = chunk_ids(api, chunks)
    if not ids:
        raise TransientError(f"Anaplan GET {chunks} lists no content.", holds="Nothing was used.")
    with path.open("wb") as file:
        for content in read_chunks(api, chunks, ids):
            file.write(content)
    if chunk_ids(api, chunks) != ids:
        raise FileChangedError(f"Anaplan {place} changed while it was read.", holds="Nothing was used.")
    return ids
