"""What one period hands to the next: within a year everything, at its start balance-sheet accounts and the result."""

import pandas as pd

from mlc_pipelines.ledger.balances import FIGURES, by_figure, carried_over

KINDS = {"1010": "Asset", "2010": "Liability", "3900": "Liability", "4010": "Income", "6100": "Expense"}


def balances(**closing: int) -> pd.DataFrame:
    """Accounts that did not move: opening and closing are the same."""
    rows = [(account[1:], minor, 0, 0, minor) for account, minor in closing.items()]
    return pd.DataFrame(rows, columns=["account", *FIGURES]).astype(dict.fromkeys(FIGURES, "int64"))


def told(frame: pd.DataFrame) -> dict[str, int]:
    return {row.account: row.amount_minor for row in frame.itertuples() if row.amount_minor}


def test_within_a_year_every_account_goes_on() -> None:
    """The opening is the closing before, whatever the kind of account."""
    before = balances(_1010=500, _4010=-500)
    assert {"1010": 500, "4010": -500} == told(carried_over(before, before, None))


def test_a_new_year_gives_the_result_to_the_account_that_took_it() -> None:
    """Income and expense begin at zero; the one liability that took exactly their result is retained earnings."""
    before = balances(_1010=700, _2010=-200, _4010=-900, _6100=400)
    opening = balances(_1010=700, _2010=-200, _3900=-500)
    assert {"1010": 700, "2010": -200, "3900": -500} == told(carried_over(before, opening, KINDS))


def test_a_result_that_went_nowhere_stays_a_difference() -> None:
    """Where no single liability took it, nothing is laid to any: the comparison must show it."""
    before = balances(_1010=700, _2010=-200, _4010=-900, _6100=400)
    opening = balances(_1010=700, _2010=-200, _3900=-499)
    assert {"1010": 700, "2010": -200} == told(carried_over(before, opening, KINDS))


def test_amounts_beyond_a_double_stay_exact() -> None:
    """Accounts that stand on one side only do not pass the figures through floats."""
    big = 2**53 + 1
    before = balances(_1010=big, _4010=-big)
    assert {"1010": big, "3900": -big} == told(carried_over(before, balances(_1010=big, _3900=-big), KINDS))


def test_each_figure_is_compared_by_itself() -> None:
    """Four rows for each account, so that errors which cancel out still show."""
    rows = by_figure(balances(_1010=5), ["account"])
    assert [("1010", "opening", 5), ("1010", "debit", 0), ("1010", "credit", 0), ("1010", "closing", 5)] == list(
        rows.itertuples(index=False, name=None)
    )
