"""The failure dump: which rows an import refused, and why.

Shape: "_Status_" (E refused, W taken with a problem), the source columns, "_Line_", "_Error_1_" ... "_Error_n_" [S PM].
"""

import csv
import io

import pandas as pd

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.files import chunk_ids, read_chunks
from mlc_pipelines.ledger.errors import DataError, TransientError

_LOOK = "Look at the refused rows in Anaplan, where the import's last run shows them; then report their shape as a defect of this project."


def fetch_dump(api: Api, place: str) -> bytes:
    """All chunks of a failure dump as one byte string, so that a character cut by a chunk border stays whole; place is `.../dump`."""
    ids = chunk_ids(api, f"{place}/chunks")
    if not ids:
        raise TransientError(f"Anaplan GET {place}/chunks lists nothing, although refused rows were announced.")
    return b"".join(read_chunks(api, f"{place}/chunks", ids))


def read_dump(dump: bytes) -> pd.DataFrame:
    """One row per refused row, all text: status, the columns of the file, line (in the file), reason (all messages joined).

    Raises DataError for a dump of another shape.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(dump.decode("utf-8-sig"), newline="")) if row]
        status, *columns = rows[0]
        line = columns.index("_Line_")
    except (ValueError, IndexError, csv.Error) as error:
        raise DataError(f"The list of refused rows cannot be read ({error}).", next_step=_LOOK) from None
    if status != "_Status_" or any(len(row) < line + 2 for row in rows):
        raise DataError(
            f"The list of refused rows has another shape than expected; it begins {','.join(rows[0])[:200]}",
            next_step=_LOOK,
        )
    shown = [[*row[: line + 2], "; ".join(text for text in row[line + 2 :] if text)] for row in rows[1:]]
    return pd.DataFrame(shown, columns=["status", *columns[:line], "line", "reason"], dtype=object)
