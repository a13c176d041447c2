"""Usual rows of the inquiry straight into columns: the layout says what the fields hold, here it is held against the books."""

import msgspec
import numpy as np
import pyarrow as pa

from mlc_pipelines.acumatica import lines, periods
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.layout import Coded, Fields, Fixed, Layout, UnusualError, layout_of
from mlc_pipelines.ledger.amounts import minor_of
from mlc_pipelines.ledger.fiscal import FiscalPeriod

_TRIALS = 8  # so many unusual blocks in a row, and the site has habits of its own


class UsualRows:
    """Turns blocks of one answer of the inquiry into batches of journal.LINE, as far as they are as they usually come."""

    def __init__(self, books: Books, period: FiscalPeriod) -> None:
        self._books = books
        self._fixed: Fixed = {
            "Ledger": (books.ledger,),
            "PeriodID": periods.spellings(period),
            "Posted": (True,),
            "Released": (True,),
        }
        self._layout: Layout | None = None
        self._trials_left = _TRIALS

    def batch(self, block: bytes) -> pa.RecordBatch:
        """The rows of a whole JSON array. Raises UnusualError unless every one of them is a usual one of these books and this period."""
        if not self._trials_left:
            raise UnusualError
        self._trials_left -= 1
        try:
            self._layout = self._layout or layout_of(block, self._fixed)
            batch = self._to_lines(self._layout.fields(block))
            self._trials_left = _TRIALS
            return batch
        except (msgspec.MsgspecError, UnicodeDecodeError, pa.ArrowException) as error:
            raise UnusualError from error

    def _to_lines(self, rows: Fields) -> pa.RecordBatch:
        texts, codes, currency = rows.texts, rows.codes, self._books.currency
        if not self._books.branches.issuperset(codes["Branch"].values):
            raise UnusualError
        subaccount = codes["Subaccount"] if self._books.has_subaccounts else _without_gaps(codes["Subaccount"])
        day = codes["TransactionDate"]
        return lines.batch_of(
            {
                "batch": _coded(_pairs(codes["Module"], codes["BatchNumber"])),
                "line": pa.nulls(rows.rows, pa.int32()),
                "branch": _coded(codes["Branch"]),
                "account": _coded(codes["Account"]),
                "subaccount": _coded(subaccount),
                "reference": texts["RefNumber"],
                "transaction_on": lines.days(day.values).take(day.which),
                "description": texts["TransactionDescription"],
                "modified_at": texts["LastModifiedDateTime"],
                "debit_minor": minor_of(rows.amounts["DebitAmountInBaseCurrency"].cast(pa.string()), currency),
                "credit_minor": minor_of(rows.amounts["CreditAmountInBaseCurrency"].cast(pa.string()), currency),
            }
        )


def _coded(column: Coded) -> pa.DictionaryArray:
    """Each code once, and none missing."""
    if None in column.values:
        raise UnusualError
    coded = pa.DictionaryArray.from_arrays(column.which, pa.array(column.values, pa.string()))
    once = len({*column.values}) == len(column.values)
    return coded if once else coded.dictionary_decode().dictionary_encode()


def _without_gaps(column: Coded) -> Coded:
    return Coded(column.which, [value or "" for value in column.values])


def _pairs(modules: Coded, numbers: Coded) -> Coded:
    """Module and number as one code, "GL GL000123", put together once for each pair that occurs."""
    if None in modules.values or None in numbers.values:
        raise UnusualError
    size = len(modules.values)
    pair_of = numbers.which.to_numpy().astype(np.int64) * size + modules.which.to_numpy()
    pairs = pa.array(pair_of).dictionary_encode()
    return Coded(
        pairs.indices,
        [f"{modules.values[pair % size]} {numbers.values[pair // size]}" for pair in pairs.dictionary.to_pylist()],
    )
