"""Posted journal lines in bulk, and what they add up to. Columns, never an object per line."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import require_summable

_CODE = pa.dictionary(pa.int32(), pa.string())

LINES = pa.schema(
    [
        ("batch", _CODE),  # module and number, "GL GL000123"
        ("line", pa.int32()),  # line number in its batch; null where the source gives none
        ("branch", _CODE),
        ("account", _CODE),  # text: leading zeros matter
        ("subaccount", _CODE),
        ("reference", pa.string()),
        ("transaction_on", pa.string()),  # ISO date as the source gave it
        ("description", pa.string()),
        ("modified_at", pa.string()),  # ISO instant by the source's clock
        ("debit_minor", pa.int64()),  # both columns >= 0 as booked, or negative where the ledger booked a red entry
        ("credit_minor", pa.int64()),
    ]
)
"""Shape of posted lines: one row per line of one period of one ledger, in ledger currency, any order."""

AMOUNT_KEYS = ["branch", "account", "subaccount"]
AMOUNT_COLUMNS = ["debit_minor", "credit_minor"]


def sum_lines(lines: pa.Table) -> pd.DataFrame:
    """Period amounts of posted lines: one row per branch, account and subaccount, in code order.

    Columns: branch, account, subaccount (text), debit_minor, credit_minor, amount_minor (debit - credit), lines (count).
    Raises DataError on a line without one of these codes (grouping would drop it), and when the exact sums would not fit 64 bits.
    """
    lines = lines.select(AMOUNT_KEYS + AMOUNT_COLUMNS).unify_dictionaries()
    for key in AMOUNT_KEYS:
        if missing := lines[key].null_count:
            raise DataError(
                f"{missing:,} posted lines have no {key}, so they cannot be added up.", holds="Nothing was sent."
            )
    minor = np.array([lines[column].to_numpy() for column in AMOUNT_COLUMNS])
    require_summable(minor.ravel())  # both together: debit - credit must fit as well
    amounts = pd.DataFrame(minor.T, columns=AMOUNT_COLUMNS)
    codes = {key: _in_text_order(lines[key].combine_chunks()) for key in AMOUNT_KEYS}
    one_key = np.zeros(
        len(amounts), np.int64
    )  # branch, account and subaccount as one number: grouped far faster than three texts
    for texts, ranks in codes.values():
        one_key = one_key * len(texts) + ranks
    grouped = amounts.groupby(one_key, sort=True)
    sums = grouped.sum()
    sums = sums.assign(amount_minor=sums["debit_minor"] - sums["credit_minor"], lines=grouped.size())
    one_key = sums.index.to_numpy()
    for key, (texts, _) in reversed(codes.items()):
        one_key, ranks = np.divmod(one_key, max(len(texts), 1))
        sums.insert(0, key, pd.Series(texts[ranks], sums.index, dtype=object))
    return sums.reset_index(drop=True)


def _in_text_order(codes: pa.DictionaryArray) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """The distinct codes in text order, and for each row the place of its code among them."""
    texts, places = np.unique(codes.dictionary.to_numpy(zero_copy_only=False), return_inverse=True)
    return texts, places[codes.indices.to_numpy(zero_copy_only=False)]


def turnover_by_account(amounts: pd.DataFrame) -> pd.DataFrame:
    """Debit and credit turnover per account, to be held against the ledger's own trial balance."""
    return amounts.groupby("account", sort=True)[AMOUNT_COLUMNS].sum().reset_index()
