"""The posted lines of a period in the way that the connection declares, of the branches that are wanted."""

from collections.abc import Callable, Generator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.acumatica import balances, inquiry, transactions
from mlc_pipelines.acumatica.codec import SYSTEM, Books, no_lines
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import AMOUNT_COLUMNS, sum_lines, turnover_by_account
from mlc_pipelines.ledger.money import Money


def read_lines(
    site: Connection, books: Books, period: FiscalPeriod, say: Callable[[str], None]
) -> Generator[pa.RecordBatch]:
    """Lines in ledger currency. say: is told what a person should know of the reading."""
    if site.config.lines_from == "inquiry":
        found = inquiry.read_lines(site, books, period)
    else:
        found = transactions.read_lines(site, books, period, say)
    for batch in found:
        yield _wanted(batch, books)


def _wanted(batch: pa.RecordBatch, books: Books) -> pa.RecordBatch:
    """Without the lines of branches that are not read. A branch that the ledger does not have was refused before."""
    if books.wanted is None:
        return batch
    return batch.filter(pc.is_in(batch["branch"].cast(pa.string()), pa.array(sorted(books.wanted))))


def read_movement(site: Connection, books: Books, period: FiscalPeriod) -> pd.DataFrame:
    """What was posted in the period by account and subaccount (account, subaccount, debit_minor, credit_minor, amount_minor), equal to the
    ledger's own movement of every account. A few calls, however many subaccounts there are. Raises DataError where they are not equal.
    """
    found = list(read_lines(site, books, period, lambda _said: None))
    sums = sum_lines(pa.Table.from_batches(found or [no_lines()]), ["account", "subaccount"])
    if not found and not balances.has_movement(site, books, period):
        return sums
    ledger = balances.read_trial_balance(site, books, period).set_index("account")[AMOUNT_COLUMNS]
    lines = turnover_by_account(sums).set_index("account")[AMOUNT_COLUMNS]
    differs = lines.sub(ledger, fill_value=0)
    differs = differs[(differs != 0).any(axis=1)]
    if not differs.empty:
        shown = ", ".join(f"{column.removesuffix('_minor')} {Money(int(differs.iloc[0][column]), books.currency)}" for column in AMOUNT_COLUMNS)  # fmt: skip
        raise DataError(
            f"Lines and balances of ledger {books.ledger} differ in {period.key} on {len(differs)} accounts, the first of them {differs.index[0]}: "
            f"lines less balances {shown}.",
            holds="Nothing was written.",
            next_step=SYSTEM,
        )
    return sums
