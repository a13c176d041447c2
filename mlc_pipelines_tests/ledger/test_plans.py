"""From the plan's members back to the ERP's codes: declared targets only, leaves only, every cent of the plan and no other."""

import random
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.figures import FIGURES, keys_of
from mlc_pipelines.ledger.money import LARGEST_MINOR, minor_digits
from mlc_pipelines.ledger.plans import (
    LAST_PERIOD,
    REFUSE,
    UNCHANGED,
    ZERO,
    MappedBack,
    Residue,
    TargetRule,
    map_back,
    of_year,
    require_distinct,
    require_leaves,
)

ACCOUNTS = TargetRule("account", "Accounts", "A{code}")
CENTERS = TargetRule("cost_center", "Cost Centers", "CC_{code}", "{code}-000")
RULES = (ACCOUNTS, CENTERS)
P1, P2, P3 = (f"FY2027-P0{number}" for number in (1, 2, 3))


def plan(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Cells: period, account, cost center, amount in minor units (None: blank), and what is finer, in billionths."""
    whole = [(*row, 0)[:5] for row in rows]
    values = [
        (period, account, center, minor is None, minor or 0, stray) for period, account, center, minor, stray in whole
    ]
    frame = pd.DataFrame(values, columns=["period", "account", "cost_center", "blank", "amount_minor", "stray"])
    return frame.astype({"blank": bool, "amount_minor": "int64", "stray": "int64"})


def mapped(cells: pd.DataFrame, *, signs: dict[str, int] | None = None, **other: Any) -> MappedBack:
    rules = other.pop("rules", RULES)
    return map_back(cells, rules, signs or {}, **{"currency": "USD", **other})


def rows(figures: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(figures[FIGURES].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("rule", "member", "target"),
    [
        (ACCOUNTS, "A0010", "0010"),
        (ACCOUNTS, "A", ""),
        (ACCOUNTS, "a6100", ""),
        (ACCOUNTS, "BA6100", ""),
        (ACCOUNTS, "AA6100", "A6100"),
        (CENTERS, "CC_010", "010-000"),
        (CENTERS, "XCC_010", ""),
        (CENTERS, "CC_{code}", "{code}-000"),
        (TargetRule("account", "", "{code}"), "NA", "NA"),
        (TargetRule("account", "", "A.({code})"), "A.(1)", "1"),
        (TargetRule("account", "", "A.({code})"), "AB(1)", ""),
        (TargetRule("account", "", "{code} Rent"), "6100 Rent", "6100"),
        (TargetRule("account", "", "A{code}", table={"A6100": "6199", "POOL": "6000"}), "A6100", "6199"),
        (TargetRule("account", "", "A{code}", table={"POOL": "6000"}), "POOL", "6000"),
        (TargetRule("account", "", "A{code}", table={"POOL": "6000"}), "A6200", "6200"),
        (TargetRule("account", "", table={"POOL": "6000"}), "A6100", ""),
        (TargetRule("account", "", table={"POOL": "6000"}), "6100", ""),
    ],
)
def test_a_member_is_posted_to_its_declared_target_and_nowhere_else(rule: TargetRule, member: str, target: str) -> None:
    """The table wins over the pattern, the pattern fits whole or not at all, and signs in it stand for themselves."""
    assert target == rule.target_of(member)


def test_members_that_share_a_target_add_up() -> None:
    """Two members on one account are one figure there; what cancels out is none."""
    rule = TargetRule("account", "Accounts", "A{code}", table={"A_OLD": "6100", "A_CONTRA": "6200"})
    cells = plan(
        (P1, "A6100", "CC_010", 100),
        (P1, "A_OLD", "CC_010", 23),
        (P1, "A6200", "CC_010", 50),
        (P1, "A_CONTRA", "CC_010", -50),
    )
    assert [(P1, "6100", "010-000", 123)] == rows(mapped(cells, rules=(rule, CENTERS)).figures)


def test_figures_without_a_target_stop_everything_with_all_their_money() -> None:
    """Every such member is named with its cells and absolute sum, so that one look tells what is missing; nothing is dropped."""
    cells = plan(
        (P1, "POOL", "CC_010", 100_00),
        (P2, "POOL", "CC_010", -50_00),
        (P1, "A6100", "NOWHERE", 7_00),
        (P1, "A6100", "CC_010", 1_00),
    )
    with pytest.raises(DataError) as caught:
        mapped(cells)
    assert "2 members of the plan hold figures and have no posting target" in caught.value.what
    assert "account POOL (2 cells, 150.00 USD); cost center NOWHERE (1 cells, 7.00 USD)" in caught.value.what
    table = caught.value.evidence["Members without a posting target"]
    assert ["POOL", "NOWHERE"] == table["member"].tolist()
    assert "Nothing was written into the ERP." == caught.value.holds


def test_a_long_list_of_members_is_cut_in_the_text_and_whole_in_the_table() -> None:
    """Seven without a target: five named, all in the evidence."""
    with pytest.raises(DataError, match="; and 2 more") as caught:
        mapped(plan(*((P1, f"POOL{number}", "CC_010", 1) for number in range(7))))
    assert 7 == len(caught.value.evidence["Members without a posting target"])


def test_members_without_a_target_may_hold_nothing() -> None:
    """A zero or a blank there is no money; less than a cent is."""
    cells = plan((P1, "POOL", "CC_010", 0), (P2, "POOL", "CC_010", None), (P1, "A6100", "CC_010", 1))
    for blank in (ZERO, UNCHANGED):
        assert [(P1, "6100", "010-000", 1)] == rows(mapped(cells, blank=blank).figures)
    with pytest.raises(DataError, match=r"account POOL \(1 cells, 0\.00 USD\)"):
        mapped(plan((P1, "POOL", "CC_010", 0, 4_000_000)), rounding=LAST_PERIOD)


def test_debits_are_positive_whatever_planners_see() -> None:
    """Signs are those of the account that is posted to, not of the member's."""
    cells = plan((P1, "A4000", "CC_010", 500), (P1, "A6100", "CC_010", 300))
    assert [(P1, "4000", "010-000", -500), (P1, "6100", "010-000", 300)] == rows(
        mapped(cells, signs={"4000": -1}).figures
    )


MEMBERS = pd.DataFrame(
    [
        ("Accounts", "A6100", "Rent", True),
        ("Accounts", "A6000", "All costs", False),
        ("Accounts", "", "Uncoded", True),
        ("Cost Centers", "CC_010", "Sales", True),
        ("Cost Centers", "CC_ALL", "Company", False),
    ],
    columns=["list", "code", "name", "leaf"],
)


@pytest.mark.parametrize(
    ("account", "center", "said"),
    [
        ("A6000", "CC_010", "account A6000 is a parent"),
        ("All costs", "CC_010", "account All costs is a parent"),
        ("A6100", "CC_ALL", "cost center CC_ALL is a parent"),
        ("A6100", "Company", "cost center Company is a parent"),
        ("Total", "CC_010", "account Total is no member of list Accounts"),
        ("", "CC_010", "account  is no member of list Accounts"),
        ("CC_010", "CC_010", "account CC_010 is no member of list Accounts"),
        ("Rent", "CC_010", "account Rent is shown by its name, not its code"),
    ],
)
def test_F08_parents_totals_and_strangers_are_refused(account: str, center: str, said: str) -> None:
    """A parent holds what its leaves hold: posting both would count it twice. Even a zero there shows that the export is another one."""
    with pytest.raises(DataError) as caught:
        require_leaves(plan((P1, account, center, 0)), MEMBERS, RULES)
    assert f"The export shows 1 members that are no leaves: {said}." == caught.value.what


def test_F08_leaves_are_taken_by_their_code_or_where_they_have_none_by_their_name() -> None:
    """Every objection stands in one list."""
    require_leaves(plan((P1, "A6100", "CC_010", 1), (P1, "Uncoded", "CC_010", 1)), MEMBERS, RULES)
    with pytest.raises(DataError, match="shows 3 members"):
        require_leaves(plan((P1, "A6000", "CC_ALL", 1), (P1, "X", "CC_010", 1)), MEMBERS, RULES)


LABELS = {"Jul 26": "FY2027-P01", "Aug 26": "FY2027-P02", "Jul 27": "FY2028-P01"}


def test_the_cells_of_a_year_are_taken_and_those_of_others_counted() -> None:
    """A year that crosses into the next is cut by fiscal periods, not by calendar years."""
    cells = plan(("Jul 26", "A6100", "CC_010", 1), ("Jul 27", "A6100", "CC_010", 2), ("Aug 26", "A6100", "CC_010", 3))
    chosen, others = of_year(cells, LABELS, ["FY2027-P01", "FY2027-P02"])
    assert [("FY2027-P01", 1), ("FY2027-P02", 3)] == list(zip(chosen["period"], chosen["amount_minor"], strict=True))
    assert (1, [0, 1]) == (others, chosen.index.tolist())
    nothing, all_of_them = of_year(cells, LABELS, ["FY2030-P01"])
    assert (0, 3) == (len(nothing), all_of_them)


@pytest.mark.parametrize("label", ["FY27", "H1 27", "All Periods", "jul 26", "", "Jul 26 "])
def test_F08_a_label_that_is_no_period_is_refused(label: str) -> None:
    """A total over time would double the year, and so would a label that only looks like a period."""
    with pytest.raises(DataError, match="which is no fiscal period of this connection") as caught:
        of_year(plan(("Jul 26", "A6100", "CC_010", 1), (label, "A6100", "CC_010", 1)), LABELS, ["FY2027-P01"])
    assert f"The export shows {label}" in caught.value.what


def test_a_cell_that_is_shown_twice_is_refused() -> None:
    """Even with the same figure: which of the two was approved, nobody can tell. The same cell in another period is another one."""
    once = [(P1, "A6100", "CC_010", 1), (P2, "A6100", "CC_010", 1), (P1, "A6100", "CC_020", 1)]
    require_distinct(plan(*once))
    with pytest.raises(DataError, match=r"A6100 / CC_010 / FY2027-P01 more than once \(1 such rows\)"):
        require_distinct(plan(*once, (P1, "A6100", "CC_010", 1)))


def test_a_blank_is_a_zero_unless_it_is_declared_to_change_nothing() -> None:
    """Zero: what was written there goes. Unchanged: it stays, but not where another member of the same account says something."""
    rule = TargetRule("account", "Accounts", "A{code}", table={"A_OLD": "6200"})
    cells = plan(
        (P1, "A6100", "CC_010", None),
        (P2, "A6100", "CC_010", 5),
        (P1, "A6200", "CC_010", None),
        (P1, "A_OLD", "CC_010", 0),
    )
    written = pd.DataFrame(
        [(P1, "6100", "010-000", 40), (P1, "6200", "010-000", 41), (P2, "6100", "010-000", 42)], columns=FIGURES
    )
    as_zero, as_it_was = (mapped(cells, rules=(rule, CENTERS), blank=blank) for blank in (ZERO, UNCHANGED))
    assert frozenset() == as_zero.untouched
    assert [(P2, "6100", "010-000", 5)] == rows(as_zero.beside(written))
    assert {(P1, "6100", "010-000")} == as_it_was.untouched
    assert [(P1, "6100", "010-000", 40), (P2, "6100", "010-000", 5)] == rows(as_it_was.beside(written))
    assert [(P2, "6100", "010-000", 5)] == rows(as_it_was.beside(written[:0]))


HALF_CENT = 5_000_000


def test_figures_finer_than_money_are_refused_unless_rounding_is_declared() -> None:
    """The first is named by what it would be posted to. Members that make a whole cent together are no such figure."""
    cells = plan((P1, "A6100", "CC_010", 1), (P2, "A6100", "CC_010", 2, HALF_CENT))
    with pytest.raises(DataError, match=r"1 figures of the plan are finer than USD allows.*6100 010-000 FY2027-P02"):
        mapped(cells, rounding=REFUSE)
    rule = TargetRule("account", "Accounts", "A{code}", table={"A_OLD": "6100"})
    halves = plan((P1, "A6100", "CC_010", 0, HALF_CENT), (P1, "A_OLD", "CC_010", 0, HALF_CENT))
    assert [(P1, "6100", "010-000", 1)] == rows(mapped(halves, rules=(rule, CENTERS), rounding=REFUSE).figures)


def test_the_last_period_with_a_figure_takes_what_rounding_left() -> None:
    """A third of 1.00 in three months is 0.33, 0.33, 0.34; no blank month after them gets a cent."""
    third = 3_333_333
    cells = plan(
        (P1, "A6100", "CC_010", 33, third),
        (P2, "A6100", "CC_010", 33, third),
        (P3, "A6100", "CC_010", 33, third + 1),
        ("FY2027-P04", "A6100", "CC_010", None),
    )
    done = mapped(cells, rounding=LAST_PERIOD)
    assert [33, 33, 34] == done.figures["amount_minor"].tolist()
    assert (Residue("6100", "010-000", P3, 1),) == done.residues


@pytest.mark.parametrize(
    ("minors", "total"), [([0, 0], 0), ([1, 0], 2), ([2, 0], 2), ([-1, 0], 0), ([-2, 0], -2), ([1, 1], 2)]
)
def test_a_year_that_ends_on_half_a_cent_goes_to_the_even_one(minors: list[int], total: int) -> None:
    """Half even of the total, whatever the figures are that make it."""
    first, second = minors
    cells = plan((P1, "A6100", "CC_010", first), (P2, "A6100", "CC_010", second, HALF_CENT))
    assert total == mapped(cells, rounding=LAST_PERIOD).figures["amount_minor"].sum()


STRAYS = st.integers(-999_999_999, 999_999_999) | st.sampled_from([0, HALF_CENT, -HALF_CENT, 500_000_000, 500_000])
PLANS = st.dictionaries(
    st.tuples(
        st.sampled_from([P1, P2, P3]),
        st.sampled_from(["A6100", "A6200", "A_OLD"]),
        st.sampled_from(["CC_010", "CC_020"]),
    ),
    st.tuples(st.integers(-(10**12), 10**12) | st.integers(-3, 3), STRAYS),
    min_size=1,
)


YEARS = given(PLANS, st.sampled_from(["JPY", "USD", "KWD"]), st.booleans(), st.randoms(use_true_random=False))


@settings(max_examples=12, deadline=None)
@YEARS
def test_the_year_of_every_account_is_the_plan_rounded_once(
    cells: dict[tuple[str, str, str], tuple[int, int]], currency: str, credit: bool, order: random.Random
) -> None:
    """For any strays: exact total, half even; only the last figure may be more than half a unit off; the order of the cells does not matter."""
    prove_year(cells, currency, credit, order)


@pytest.mark.prove
@settings(max_examples=500, deadline=None)
@YEARS
def test_long_the_year_of_every_account_is_the_plan_rounded_once(
    cells: dict[tuple[str, str, str], tuple[int, int]], currency: str, credit: bool, order: random.Random
) -> None:
    """The same at length."""
    prove_year(cells, currency, credit, order)


def prove_year(
    cells: dict[tuple[str, str, str], tuple[int, int]], currency: str, credit: bool, order: random.Random
) -> None:
    rule = TargetRule("account", "Accounts", "A{code}", table={"A_OLD": "6100"})
    signs = {"6100": -1 if credit else 1}
    given = [(*key, *value) for key, value in cells.items()]
    settled = {"rules": (rule, CENTERS), "signs": signs, "currency": currency, "rounding": LAST_PERIOD}
    done = mapped(plan(*given), **settled)
    order.shuffle(given)
    again = mapped(plan(*given), **settled)
    assert (rows(done.figures), done.residues) == (rows(again.figures), again.residues)

    unit = Decimal(1).scaleb(-minor_digits(currency))
    exact: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    years: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (period, member, center), (minor, stray) in cells.items():
        account, subaccount = rule.target_of(member), CENTERS.target_of(center)
        value = (minor * unit + Decimal(stray).scaleb(-9)) * signs.get(account, 1)
        exact[period, account, subaccount] += value
        years[account, subaccount] += value
    posted = dict(zip(keys_of(done.figures), done.figures["amount_minor"].tolist(), strict=True))
    for key, value in years.items():
        assert value.quantize(unit, ROUND_HALF_EVEN) == unit * sum(posted.get((one, *key), 0) for one in (P1, P2, P3))
    last = {(one.account, one.subaccount): one.period for one in done.residues}
    for (period, *key), value in exact.items():
        if last.get((key[0], key[1])) != period:
            assert value.quantize(unit, ROUND_HALF_EVEN) == unit * posted.get((period, key[0], key[1]), 0)


def test_a_plan_of_nothing_makes_nothing() -> None:
    """A year that was emptied is approved like any other."""
    empty = plan()
    require_leaves(empty, MEMBERS, RULES)
    require_distinct(empty)
    assert 0 == of_year(empty, LABELS, [P1])[1]
    for blank in (ZERO, UNCHANGED):
        assert [] == rows(mapped(empty, blank=blank, rounding=LAST_PERIOD).figures)
        assert [] == rows(mapped(plan((P1, "A6100", "CC_010", None)), blank=blank).figures)


def test_sums_that_could_wrap_round_are_refused() -> None:
    """64 bits would give another number without a word."""
    with pytest.raises(DataError, match="may exceed what can be summed exactly"):
        mapped(plan((P1, "A6100", "CC_010", LARGEST_MINOR), (P1, "A6200", "CC_010", LARGEST_MINOR)))
