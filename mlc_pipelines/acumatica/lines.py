"""Wire rows to batches of posted lines, in columns, with the checks that every line must pass."""

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.ledger.amounts import Where
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.journal import LINE

NEXT_STEP = (
    "Ask the Acumatica administrator whether the inquiry or the endpoint was changed; load again when it is mended."
)


def batch_of(columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Columns of journal.LINE as one batch."""
    return pa.RecordBatch.from_arrays([columns[field.name] for field in LINE], schema=LINE)


def texts(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def codes(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def days(values: Sequence[str | None]) -> pa.Array:
    """The day of each instant; the site writes a day as its midnight without zone shift [C recorded responses]."""
    return pc.utf8_slice_codeunits(texts(values), 0, 10)


def require_only(values: Sequence[Any], allowed: Collection[Any], field: str, where: Where) -> None:
    """Refuse the first row whose value is none of the allowed ones, or missing."""
    if values and values[0] in allowed and values.count(values[0]) == len(values):
        return  # the usual case: one value for all, which compares at once where it is one object
    if set(values).issubset(allowed):
        return
    row, value = next((row, value) for row, value in enumerate(values) if value not in allowed)
    raise DataError(
        f"{where(row)}: {field} is {value!r}, expected was {' or '.join(map(str, sorted(allowed)))}.",
        holds="Nothing was loaded.",
        next_step=NEXT_STEP,
    )


def require_filled(column: pa.Array, field: str, where: Where) -> None:
    """Refuse the first row that has no value here."""
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise DataError(f"{where(row)}: {field} is missing.", holds="Nothing was loaded.", next_step=NEXT_STEP)


def subaccount_column(values: Sequence[str | None], books: Books, where: Where) -> pa.Array:
    """Subaccounts; a site without that feature gives none, which the connection must say."""
    column = codes(values)
    if books.has_subaccounts:
        require_filled(column, "Subaccount", where)
        return column
    return codes(["" if value is None else value for value in values])
