"""Records of one event as a Parquet file under the name of its content."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.tables import gathered
from mlc_pipelines.store.trail.records import CODED, RECORD, Leaves, lines_of, require_no_gaps

_GROUP_ROWS = 1 << 16  # as small as larger ones in the file (seen), and a third of their memory
_TEXTS = [field.name for field in RECORD if field.type == CODED]

_HOW = {
    "compression": "zstd",
    "compression_level": 1,
    "write_statistics": False,
    "write_page_checksum": True,
    "store_schema": False,
}


class UnreadableError(DataError):
    """A file that does not hold records, or not all of them any more."""


def keep(tables: Iterable[pa.Table], files: Artefacts) -> tuple[str, Leaves]:
    """Write tables of records, one after the other, durably; the file's hash, and the hashes of their lines."""
    leaves = Leaves()
    with files.draft() as draft:
        with pq.ParquetWriter(draft, RECORD, use_dictionary=_TEXTS, **_HOW) as writer:
            for table in gathered(tables, _GROUP_ROWS):
                for lines in lines_of(table):
                    leaves.add(lines)
                writer.write_table(table, row_group_size=2 * _GROUP_ROWS)  # as it was gathered, unless it came large
        return files.keep(draft), leaves


def find(path: Path, column: str, wanted: Callable[[str], bool]) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
    """The records that have a wanted text in a coded column: their numbers, counted from 0, and themselves; groups without one are not read."""
    with pq.ParquetFile(path, read_dictionary=_TEXTS, page_checksum_verification=True) as file:
        first = 0
        for group in range(file.num_row_groups):
            coded = file.read_row_group(group, columns=[column], use_threads=False).column(0)
            hits = np.concatenate([_hits(chunk, wanted) for chunk in coded.chunks] or [np.zeros(0, bool)])
            if hits.any():
                rows = hits.nonzero()[0]
                yield first + rows, file.read_row_group(group, use_threads=False).take(rows)
            first += len(hits)


def _hits(coded: pa.DictionaryArray, wanted: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
    of_text = np.array([wanted(text) for text in coded.dictionary.to_pylist()], bool)
    return np.asarray(of_text[coded.indices.to_numpy()])


def read(path: Path) -> Iterator[pa.Table]:
    """All records of a file, group by group. Raises UnreadableError when it does not hold records, or not in one piece."""
    try:
        with pq.ParquetFile(path, read_dictionary=_TEXTS, page_checksum_verification=True) as file:
            if not file.schema_arrow.equals(RECORD):
                raise UnreadableError("its columns are not those of records")
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, use_threads=False)
                table.validate(full=True)
                for name in _TEXTS:
                    require_no_gaps(name, table[name])
                yield table
    except (pa.ArrowException, OSError, ValueError, KeyError, DataError) as error:
        raise UnreadableError(" ".join(str(error).split())[:200] or type(error).__name__) from None
