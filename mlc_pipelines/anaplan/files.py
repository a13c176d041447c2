"""Files of a model: what a CSV file must begin with; download of every chunk.

A file belongs to the user who uploaded it, and nothing locks it: whoever overwrites it while an import reads it changes what is
loaded, without an error [S HELP-files; S SDK docs/concepts.md]. The caller therefore holds the fence of the model.
"""

import csv
import io
import mmap
from collections.abc import Iterator
from pathlib import Path

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.ledger.errors import DataError, TransientError


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
            f"The file {path.name} does not begin with one line of column names in UTF-8.",
            holds="It was not used.",
            next_step="Have the export write CSV in UTF-8 with a header: its settings in Anaplan, or the model builder.",
        ) from None
    return names


def has_header_again(path: Path) -> bool:
    """Whether the first line stands in the file once more: then its beginning was read twice, or another file began there."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"\n" + content.readline()) >= 0


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
