"""Posted journal lines in bulk, and what they add up to. Columns, never an object per line."""

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
    frame: pd.DataFrame = lines.select(AMOUNT_KEYS + AMOUNT_COLUMNS).unify_dictionaries().to_pandas()
    for key in AMOUNT_KEYS:
        if missing := int(frame[key].isna().sum()):
            raise DataError(
                f"{missing:,} posted lines have no {key}, so they cannot be added up.", holds="Nothing was sent."
            )
    require_summable(frame[AMOUNT_COLUMNS].to_numpy().ravel())  # both together: debit - credit must fit as well
    grouped = frame.groupby(AMOUNT_KEYS, observed=True, sort=False)
    sums = grouped[AMOUNT_COLUMNS].sum()
    sums["lines"] = grouped.size()
    sums = sums.reset_index()
    for key in AMOUNT_KEYS:
        sums[key] = sums[key].astype(object)
    sums["amount_minor"] = sums["debit_minor"] - sums["credit_minor"]
    return sums.sort_values(AMOUNT_KEYS, ignore_index=True)[[*AMOUNT_KEYS, *AMOUNT_COLUMNS, "amount_minor", "lines"]]


def turnover_by_account(amounts: pd.DataFrame) -> pd.DataFrame:
    """Debit and credit turnover per account, to be held against the ledger's own trial balance."""
    return amounts.groupby("account", sort=True)[AMOUNT_COLUMNS].sum().reset_index()
