"""The legs of the tie-out: two counts of the same money, held against each other key by key."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.control import ROWS, Leg, compare, debits_and_credits
from mlc_pipelines.ledger.errors import DataError

SIDE = st.lists(
    st.tuples(
        st.sampled_from(["0010", "10", "NA", "6100", ""]),
        st.sampled_from(["DEN", "NYC"]),
        st.integers(-3, 3) | st.integers(-(2**60), 2**60),
    ),
    max_size=8,
)


def frame(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["account", "cost_center", "amount_minor"]).astype({"amount_minor": "int64"})


def leg(left: list[tuple[str, str, int]], right: list[tuple[str, str, int]], unit: str = "USD") -> Leg:
    return compare(
        "model_matches_cells",
        "FY2026-P03",
        ("sent", frame(left)),
        ("held", frame(right)),
        keys=["account", "cost_center"],
        unit=unit,
    )


@settings(deadline=None, max_examples=50)
@given(SIDE, SIDE)
def test_a_break_is_where_the_sums_differ_and_nowhere_else(
    left: list[tuple[str, str, int]], right: list[tuple[str, str, int]]
) -> None:
    """For any two sides: absent counts as zero, repeated keys are added up, every differing key is listed with its difference."""
    sums: list[Counter[tuple[str, str]]] = [Counter(), Counter()]
    for side, rows in zip(sums, (left, right), strict=True):
        for account, center, minor in rows:
            side[account, center] += minor
    expected = {key: (sums[0][key], sums[1][key]) for key in {*sums[0], *sums[1]} if sums[0][key] != sums[1][key]}
    got = leg(left, right)
    assert expected == {
        (row.account, row.cost_center): (row.left_minor, row.right_minor) for row in got.breaks.itertuples()
    }
    assert (not expected) == got.agreed
    assert all(row.difference_minor == row.right_minor - row.left_minor for row in got.breaks.itertuples())
    sizes = got.breaks["difference_minor"].abs().tolist()
    assert sorted(sizes, reverse=True) == sizes
    assert len({*sums[0], *sums[1]}) == got.compared


def test_one_cent_in_ninety_trillion_is_a_break() -> None:
    """Beyond 2**53 a float would call them equal."""
    got = leg([("6100", "DEN", 2**53 + 1), ("1000", "DEN", 1)], [("6100", "DEN", 2**53), ("2000", "DEN", 1)])
    differences = dict(zip(got.breaks["account"], got.breaks["difference_minor"], strict=True))
    assert {"6100": -1, "1000": -1, "2000": 1} == differences
    assert (2**53 + 2, 2**53 + 1, -1) == (got.left_minor, got.right_minor, got.difference_minor)


@pytest.mark.parametrize("key", [None, float("nan")])
def test_money_without_a_code_counts_too(key: object) -> None:
    """A row that lost its code is money that somebody misses."""
    bare = pd.DataFrame({"account": ["6100", key], "cost_center": ["DEN", key], "amount_minor": [1, 2]})
    whole = frame([("6100", "DEN", 1)])
    for keys in (["account"], ["account", "cost_center"]):
        for left, right in ((bare, whole), (whole, bare)):
            assert not compare("leg", "FY2026-P03", ("a", left), ("b", right), keys=keys, unit="USD").agreed
        assert compare("leg", "FY2026-P03", ("a", bare), ("b", bare), keys=keys, unit="USD").agreed


def test_a_vanished_zero_is_no_difference_and_a_vanished_amount_is_one() -> None:
    """A model keeps no zeros, but it must keep every amount."""
    assert leg([("6100", "DEN", 0)], []).agreed
    assert not leg([("6100", "DEN", 1)], []).agreed


def test_two_empty_sides_agree() -> None:
    """A period without postings ties out."""
    got = leg([], [])
    assert (True, 0, 0) == (got.agreed, got.compared, got.difference_minor)
    assert "FY2026-P03: sent 0.00 USD, held 0.00 USD; 0 compared, all equal." == str(got)


def test_a_break_names_leg_period_account_and_difference() -> None:
    """The message can be acted on without opening anything else."""
    got = leg([("6100", "DEN", 10422010), ("1000", "DEN", 5)], [("6100", "DEN", 10420770), ("1000", "DEN", 5)])
    with pytest.raises(DataError) as refusal:
        got.require_agreed(holds="Nothing was sent.", next_step="Map the account.")
    assert (
        "Leg model_matches_cells does not agree. FY2026-P03: sent 104,220.15 USD, held 104,207.75 USD; 1 of 2 differ, "
        "largest: account 6100 cost_center DEN: 104,220.10 USD against 104,207.70 USD, difference -12.40 USD.\nNothing was sent.\nMap the account."
    ) == str(refusal.value)
    assert "model_matches_cells" == refusal.value.leg


def test_only_the_largest_breaks_are_in_the_message() -> None:
    """Five are enough to start with; all of them stand in breaks."""
    got = leg([(str(number), "DEN", number) for number in range(1, 10)], [])
    assert 9 == len(got.breaks)
    assert 5 == str(got).count("against")
    assert "account 9 " in str(got)
    assert "account 4 " not in str(got)


def test_differences_that_cancel_out_are_breaks() -> None:
    """Equal totals prove little: 100 booked on the wrong account leaves them equal."""
    got = leg([("6100", "DEN", 100)], [("6200", "DEN", 100)])
    assert 0 == got.difference_minor
    assert not got.agreed


def test_agreement_lets_the_flow_go_on_and_says_how_much_was_compared() -> None:
    """Green comes with its evidence."""
    got = leg([("6100", "DEN", 100)], [("6100", "DEN", 60), ("6100", "DEN", 40)])
    got.require_agreed(holds="", next_step="")
    assert "FY2026-P03: sent 1.00 USD, held 1.00 USD; 1 compared, all equal." == str(got)


def test_rows_are_counted_as_rows() -> None:
    """A leg of row counts speaks of rows, not of money."""
    got = leg([("taken", "DEN", 1200)], [("taken", "DEN", 1199)], unit=ROWS)
    assert "1,200 rows against 1,199 rows, difference -1 rows" in str(got)


def test_debit_and_credit_are_compared_apart() -> None:
    """A line booked on the wrong side twice leaves the net as it was and both turnovers wrong."""
    books = pd.DataFrame({"account": ["6100"], "debit_minor": [100], "credit_minor": [0]})
    lines = pd.DataFrame({"account": ["6100"], "debit_minor": [150], "credit_minor": [50]})
    got = compare(
        "lines_match_ledger",
        "FY2026-P03",
        ("trial balance", debits_and_credits(books)),
        ("lines read", debits_and_credits(lines)),
        keys=["account", "side"],
        unit="USD",
    )
    assert {("debit", 50), ("credit", 50)} == set(zip(got.breaks["side"], got.breaks["difference_minor"], strict=True))
