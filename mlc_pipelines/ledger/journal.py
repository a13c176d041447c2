"""Posted journal lines in bulk, and what they add up to. Columns, never an object per line."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import require_summable

_CODE = pa.dictionary(pa.int32(), pa.string())

LINE = pa.schema(
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
"""What the source of a line says of it."""

_BOOKS = [(name, _CODE) for name in ("company", "ledger", "currency")]
LINES = pa.schema([*_BOOKS, *LINE])
"""Shape of posted lines: one row per line of one period, in the currency of its ledger, any order."""

SPENT = pa.schema(
    [
        ("vendor", _CODE),  # the code that people know; "" where the source names none
        ("invoice", pa.string()),
        ("line", pa.int32()),  # of the invoice; null where the source gives none
        ("account", _CODE),
        ("subaccount", _CODE),
        ("origin", _CODE),  # "invoice" (credit memos and cancellations too), or "payment"
        ("transaction_on", pa.string()),
        ("description", pa.string()),
        ("debit_minor", pa.int64()),
        ("credit_minor", pa.int64()),
    ]
)
"""What the source of an AP distribution says of it."""

SPEND = pa.schema([*_BOOKS, *SPENT])
"""Shape of AP distributions: one row per distribution of a posted invoice of one period, in the currency of its ledger, any order."""

_PLACES_AT_LEAST = 1 << 20
AMOUNT_KEYS = ["branch", "account", "subaccount"]
BOOKS_KEYS = ["company", "currency"]
AMOUNT_COLUMNS = ["debit_minor", "credit_minor"]


def of_books(line: pa.RecordBatch, company: str, ledger: str, currency: str) -> pa.RecordBatch:
    """Lines of the shape LINE as LINES, or of the shape SPENT as SPEND: each says whose books it stands in."""
    first = pa.array(np.zeros(len(line), np.int32))
    said = [pa.DictionaryArray.from_arrays(first, pa.array([text])) for text in (company, ledger, currency)]
    return pa.RecordBatch.from_arrays([*said, *line.columns], schema=pa.schema([*_BOOKS, *line.schema]))


def by_cost_center(lines: pa.Table, cost_centers_of: Callable[[Sequence[str]], Sequence[str]]) -> pa.Table:
    """The lines with a coded column cost_center, found once for each distinct subaccount and not for each line."""
    subaccounts = lines.unify_dictionaries()["subaccount"].combine_chunks()
    centers = pa.array(cost_centers_of(subaccounts.dictionary.to_pylist()), pa.string())
    return lines.append_column("cost_center", pa.DictionaryArray.from_arrays(subaccounts.indices, centers))


def sum_lines(lines: pa.Table, keys: Sequence[str] = AMOUNT_KEYS) -> pd.DataFrame:
    """Period amounts of posted lines: one row per combination of the coded columns named by keys, in code order.

    Columns: the keys (text), debit_minor, credit_minor, amount_minor (debit - credit), lines (count).
    Raises DataError on a line without one of these codes (grouping would drop it), and when the exact sums would not fit 64 bits.
    """
    lines = lines.select([*keys, *AMOUNT_COLUMNS]).unify_dictionaries()
    for key in keys:
        if missing := lines[key].null_count:
            raise DataError(
                f"{missing:,} posted lines have no {key}, so they cannot be added up.", holds="Nothing was sent."
            )
    amounts = {column: lines[column].to_numpy() for column in AMOUNT_COLUMNS}
    require_summable(np.concatenate(list(amounts.values())))  # both together: debit - credit must fit as well
    texts, ranks = zip(*(_in_text_order(lines[key].combine_chunks()) for key in keys), strict=True)
    groups, group_of = _numbered(ranks, tuple(max(len(one), 1) for one in texts))
    codes = {key: pd.Series(one[place], dtype=object) for key, one, place in zip(keys, texts, groups, strict=True)}
    sums = {column: _added_up(column_minor, group_of, len(groups[0])) for column, column_minor in amounts.items()}
    net = {"amount_minor": sums["debit_minor"] - sums["credit_minor"]}
    counts = {"lines": np.bincount(group_of, minlength=len(groups[0]))}
    return pd.DataFrame({**codes, **sums, **net, **counts})


def _in_text_order(codes: pa.DictionaryArray) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """The distinct codes in text order, and for each row the place of its code among them."""
    texts, places = np.unique(codes.dictionary.to_numpy(zero_copy_only=False), return_inverse=True)
    return texts, places[codes.indices.to_numpy(zero_copy_only=False)]


def _numbered(
    ranks: tuple[npt.NDArray[np.int64], ...], sizes: tuple[int, ...]
) -> tuple[tuple[npt.NDArray[np.int64], ...], npt.NDArray[np.int64]]:
    """The combinations of codes that occur, in code order, and for each row the number of its combination.

    The codes are taken as one number, which is grouped far faster than three texts: by counting where the combinations are
    few enough to have a place each, by sorting where they are not.
    """
    one_number = np.ravel_multi_index(ranks, sizes)
    if math.prod(sizes) <= max(len(one_number), _PLACES_AT_LEAST):
        occurs = np.bincount(one_number, minlength=1) > 0
        return np.unravel_index(occurs.nonzero()[0], sizes), (np.cumsum(occurs) - 1)[one_number]
    distinct, group_of = np.unique(one_number, return_inverse=True)
    return np.unravel_index(distinct, sizes), group_of


def _added_up(minor: npt.NDArray[np.int64], group_of: npt.NDArray[np.int64], groups: int) -> npt.NDArray[np.int64]:
    """Sums per group in whole minor units; never through floats, as weighted counts would go."""
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, group_of, minor)
    return sums


def turnover_by_account(amounts: pd.DataFrame, keys: Sequence[str] = ("account",)) -> pd.DataFrame:
    """Debit and credit turnover per account, to be held against the ledger's own trial balance."""
    return amounts.groupby(list(keys), sort=True)[AMOUNT_COLUMNS].sum().reset_index()
