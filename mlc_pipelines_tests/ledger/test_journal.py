"""Posted lines in bulk: their sums are what a bookkeeper with a pencil gets."""

from collections import defaultdict
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.journal import AMOUNT_KEYS, LINES, sum_lines, turnover_by_account

CODES = st.sampled_from(["0010", "10", "NA", "null", "", "6100", "é", "None", "nan", " 10"])
AMOUNTS = st.integers(-(10**15), 10**15)
LINE = st.tuples(CODES, CODES, CODES, AMOUNTS, AMOUNTS)
COLUMNS = ["branch", "account", "subaccount", "debit_minor", "credit_minor", "amount_minor", "lines"]


def table(*batches: list[tuple[Any, ...]]) -> pa.Table:
    """Lines as they come: several batches, each with a dictionary of its own."""
    return pa.Table.from_batches([_batch(lines) for lines in batches], LINES)


def _batch(lines: list[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = dict(
        zip(
            ["branch", "account", "subaccount", "debit_minor", "credit_minor"],
            zip(*lines, strict=True) if lines else [[]] * 5,
            strict=True,
        )
    )
    filled = [
        pa.array(
            columns.get(field.name, [None] * len(lines)),
            pa.string() if pa.types.is_dictionary(field.type) else field.type,
        )
        for field in LINES
    ]
    return pa.RecordBatch.from_arrays(
        [array.cast(field.type) for array, field in zip(filled, LINES, strict=True)], schema=LINES
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(LINE, max_size=15), max_size=4))
def test_sums_equal_a_plain_recount(batches: list[list[tuple[str, str, str, int, int]]]) -> None:
    """For any lines in any batches: one row per branch, account and subaccount, with exactly their sums and their count, in code order."""
    counted: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for *codes, debit, credit in (line for lines in batches for line in lines):
        sums = counted[tuple(codes)]
        for place, amount in enumerate((debit, credit, debit - credit, 1)):
            sums[place] += amount
    expected = [(*codes, *counted[codes]) for codes in sorted(counted)]
    sums = sum_lines(table(*batches))
    assert COLUMNS == list(sums.columns)
    assert expected == list(sums.itertuples(index=False, name=None))


def test_codes_stay_text() -> None:
    """ "0010" and "10" are two accounts, and "NA" is the code of Namibia, not a missing one."""
    sums = sum_lines(table([("NA", "0010", "000-NA", 5, 0), ("NA", "10", "000-NA", 7, 0)]))
    assert ["0010", "10"] == sums["account"].tolist()
    assert ["NA", "NA"] == sums["branch"].tolist()
    assert [5, 7] == sums["amount_minor"].tolist()


def test_no_lines_are_no_rows() -> None:
    """An empty period has sums of the same shape."""
    assert COLUMNS == list(sum_lines(table([])).columns)
    assert 0 == len(sum_lines(table()))


@pytest.mark.parametrize("place", range(3))
def test_a_line_without_a_code_is_refused_not_dropped(place: int) -> None:
    """Grouping leaves out what has no key; money must not vanish that way."""
    bare = ["B", "6100", "S", 100, 0]
    bare[place] = None
    with pytest.raises(DataError, match=f"1 posted lines have no {AMOUNT_KEYS[place]}"):
        sum_lines(table([("B", "6100", "S", 1, 0), tuple(bare)]))


@pytest.mark.parametrize(
    "lines",
    [
        [("B", "1", "S", 2**62, 0), ("B", "1", "S", 2**62, 0)],
        [("B", "1", "S", 0, 2**62), ("B", "1", "S", 0, 2**62)],
        [("B", "1", "S", 2**62, -(2**62))],
    ],
)
def test_sums_that_could_wrap_round_are_refused(lines: list[tuple[Any, ...]]) -> None:
    """Debits, credits, and their difference: none may leave 64 bits in silence."""
    with pytest.raises(DataError, match="may exceed what can be summed exactly"):
        sum_lines(table(lines))


def test_sums_beyond_the_reach_of_floats_are_exact() -> None:
    """2**53 + 1 is the first whole number that a float cannot hold."""
    sums = sum_lines(table([("B", "1", "S", 2**53, 0), ("B", "1", "S", 1, 0)]))
    assert [2**53 + 1] == sums["debit_minor"].tolist()


def test_turnover_is_the_sum_over_subaccounts_and_branches() -> None:
    """What the trial balance is held against: debit and credit apart, so that they cannot hide one another."""
    sums = sum_lines(table([("B", "6100", "S", 100, 0), ("C", "6100", "T", 50, 70), ("B", "2000", "S", 0, 80)]))
    expected = pd.DataFrame({"account": ["2000", "6100"], "debit_minor": [0, 150], "credit_minor": [80, 70]})
    pd.testing.assert_frame_equal(expected, turnover_by_account(sums), check_dtype=False)
