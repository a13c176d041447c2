"""ERP codes and list members: what has a partner lands there, what has none is kept and shown with its money."""

from functools import cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.mapping import (
    CELL_KEYS,
    MAP_COLUMNS,
    MemberRule,
    Suspense,
    align,
    dead_entries,
    drift,
    landable,
    place,
    require_known,
    to_cells,
    unmapped,
    with_zeros,
)

RULE = MemberRule("account", "Accounts", "A{code}", {"9999": "A_OTHER", "1000": ""}, {"Income": -1})
ACCOUNTS = ["0010", "NA", "4000", "6100", "7777"]
CENTERS = ["", "DEN", "NYC", "ZZZ"]
AMOUNT_COLUMNS = ["account", "cost_center", "debit_minor", "credit_minor", "amount_minor", "lines"]


def codes(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(code, f"Name of {code}", kind, True) for code, kind in rows], columns=["code", "name", "kind", "active"]
    )


def members(*rows: tuple[str, bool]) -> pd.DataFrame:
    return pd.DataFrame([(code, f"Member {code}", leaf) for code, leaf in rows], columns=["code", "name", "leaf"])


def amounts(rows: list[tuple[str, str, int, int]]) -> pd.DataFrame:
    full = [(account, center, debit, credit, debit - credit, 1) for account, center, debit, credit in rows]
    return pd.DataFrame(full, columns=AMOUNT_COLUMNS).astype(dict.fromkeys(AMOUNT_COLUMNS[2:], "int64"))


@cache
def member_map(*, signs: bool = True) -> pd.DataFrame:
    """7777 and ZZZ have no member; 0010 and 6100 share one; 4000 is income, seen the other way round by planners."""
    kinds = [(code, "Income" if code == "4000" and signs else "Expense") for code in ACCOUNTS]
    table = {"0010": "A_SHARED", "6100": "A_SHARED"}
    accounts = align(
        codes(*kinds),
        members(("A_SHARED", True), ("ANA", True), ("A4000", True)),
        MemberRule("account", "Accounts", "A{code}", table, {"Income": -1}),
    )
    centers = align(
        codes(*[(code, "") for code in CENTERS]),
        members(("C_", True), ("C_DEN", True), ("C_NYC", True)),
        MemberRule("cost_center", "Centers", "C_{code}"),
    )
    return pd.concat([accounts, centers], ignore_index=True)


def aligned(code: str, listed: pd.DataFrame, rule: MemberRule = RULE) -> dict[str, Any]:
    return dict(align(codes((code, "Expense")), listed, rule).iloc[0])


def test_a_code_finds_its_member_by_the_rule() -> None:
    """The leading zeros of a code are part of it."""
    row = aligned("0010", members(("A0010", True), ("A10", True)))
    assert ("A0010", "Member A0010", "", 1) == (row["member"], row["member_name"], row["problem"], row["sign"])
    assert ("account", "0010", "Name of 0010", "Expense", True) == tuple(row[name] for name in MAP_COLUMNS[:5])


def test_an_entry_of_the_table_wins_over_the_rule() -> None:
    """What a person wrote down counts more than a pattern."""
    assert "A_OTHER" == aligned("9999", members(("A9999", True), ("A_OTHER", True)))["member"]


@pytest.mark.parametrize(
    ("code", "listed", "rule", "problem"),
    [
        ("0010", members(("A10", True)), RULE, "list 'Accounts' has no member with code A0010"),
        (
            "0010",
            members(("A0010", False)),
            RULE,
            "member A0010 of list 'Accounts' is a parent; figures land on leaves only",
        ),
        (
            "0010",
            members(("A0010", True), ("A0010", True)),
            RULE,
            "list 'Accounts' has more than one member with code A0010",
        ),
        (
            "0010",
            members(("", True)),
            MemberRule("account", "Accounts"),
            "no rule and no entry of a mapping table names a member",
        ),
        ("9999", members(("A9999", True)), RULE, "list 'Accounts' has no member with code A_OTHER"),
    ],
)
def test_a_code_without_a_usable_member_says_why(
    code: str, listed: pd.DataFrame, rule: MemberRule, problem: str
) -> None:
    """Missing, a parent, ambiguous, no rule: the row stays, its member is empty."""
    row = aligned(code, listed, rule)
    assert ("", problem) == (row["member"], row["problem"])


def test_every_code_has_exactly_one_row_in_code_order() -> None:
    """Also codes without members, and in a list without members."""
    chart = codes(("6100", "Expense"), ("0010", "Asset"), ("NA", "Income"))
    for listed in (members(("A0010", True)), members()):
        pairs = align(chart, listed, RULE)
        assert MAP_COLUMNS == list(pairs.columns)
        assert ["0010", "6100", "NA"] == pairs["code"].tolist()
        assert [1, 1, -1] == pairs["sign"].tolist()


def test_entries_that_name_no_code_are_shown() -> None:
    """Harmless, but a sign of a typing error."""
    assert ["9999"] == dead_entries(RULE, codes(("1000", "Asset"), ("6100", "Expense")))


def test_figures_on_codes_newer_than_the_map_are_refused() -> None:
    """The map must be made again before money on an unknown code moves."""
    require_known(amounts([("7777", "ZZZ", 1, 0)]), member_map())
    with pytest.raises(DataError, match="does not know account 0011, 8888"):
        require_known(amounts([("8888", "DEN", 1, 0), ("0011", "DEN", 1, 0)]), member_map())
    with pytest.raises(DataError, match="does not know cost center NEW"):
        require_known(amounts([("6100", "NEW", 1, 0)]), member_map())


AMOUNTS = st.lists(
    st.tuples(
        st.sampled_from(ACCOUNTS),
        st.sampled_from(CENTERS),
        st.integers(-(10**12), 10**12),
        st.integers(-(10**12), 10**12),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=30)
@given(AMOUNTS)
def test_c11_lines_are_cells_plus_unmapped(rows: list[tuple[str, str, int, int]]) -> None:
    """For any amounts nothing is lost, doubled or invented between ledger and plan, also where two codes share a member."""
    total = amounts(rows)
    placed = place(total, member_map(signs=False), None)
    cells, lacking = to_cells(placed), unmapped(placed)
    assert int(total["amount_minor"].sum()) == int(cells["amount_minor"].sum()) + int(lacking["amount_minor"].sum())
    assert len(rows) == len(placed)
    expected = [row for row in rows if row[0] == "7777" or row[1] == "ZZZ"]
    assert len(expected) == len(lacking)
    assert not cells.duplicated(CELL_KEYS).any()
    assert sorted(zip(cells["account"], cells["cost_center"], strict=True)) == list(
        zip(cells["account"], cells["cost_center"], strict=True)
    )


@settings(deadline=None, max_examples=30)
@given(AMOUNTS)
def test_suspense_takes_exactly_what_has_no_partner(rows: list[tuple[str, str, int, int]]) -> None:
    """With suspense members everything lands somewhere, in the planners' sign, and the unmapped list stays as long."""
    placed = place(amounts(rows), member_map(), Suspense("A_UNMAPPED", "C_NONE"))
    cells = to_cells(placed)
    expected: dict[tuple[str, str], int] = {}
    for account, center, debit, credit in rows:
        key = (
            {"0010": "A_SHARED", "6100": "A_SHARED", "7777": "A_UNMAPPED"}.get(account, f"A{account}"),
            "C_NONE" if center == "ZZZ" else f"C_{center}",
        )
        expected[key] = expected.get(key, 0) + (debit - credit) * (-1 if account == "4000" else 1)
    assert expected == {(row.account, row.cost_center): row.amount_minor for row in cells.itertuples()}
    assert len([row for row in rows if row[0] == "7777" or row[1] == "ZZZ"]) == len(unmapped(placed))


def test_planners_see_income_positive() -> None:
    """A credit of 100.00 on an income account is +100.00 in the plan; an expense keeps its debit."""
    placed = place(amounts([("4000", "DEN", 0, 10000), ("6100", "DEN", 2500, 0)]), member_map(), None)
    assert [("A4000", "C_DEN", 10000), ("A_SHARED", "C_DEN", 2500)] == list(
        to_cells(placed).itertuples(index=False, name=None)
    )


def test_what_has_no_partner_is_listed_with_reason_and_largest_money_first() -> None:
    """A person sees at a glance what matters."""
    placed = place(
        amounts([("6100", "ZZZ", 1, 0), ("7777", "ZZZ", 0, 900), ("7777", "DEN", 50, 0), ("6100", "DEN", 5, 0)]),
        member_map(),
        None,
    )
    lacking = unmapped(placed)
    assert [-900, 50, 1] == lacking["amount_minor"].tolist()
    assert (
        "account 7777: list 'Accounts' has no member with code A7777; cost center ZZZ: list 'Centers' has no member with code C_ZZZ"
        == lacking["problem"][0]
    )


def test_a_code_that_the_map_does_not_hold_is_unmapped_too() -> None:
    """place() alone never drops a row, whatever the map says."""
    lacking = unmapped(place(amounts([("8888", "DEN", 5, 0)]), member_map(), None))
    assert [("8888", "account 8888: not in the map")] == list(zip(lacking["account"], lacking["problem"], strict=True))


CELLS = st.dictionaries(st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), st.integers(-9, 9)).map(
    lambda cells: pd.DataFrame(
        [(*key, minor) for key, minor in sorted(cells.items())], columns=[*CELL_KEYS, "amount_minor"]
    )
)


@settings(deadline=None, max_examples=30)
@given(CELLS, CELLS)
def test_the_whole_slice_holds_every_earlier_key(cells: pd.DataFrame, earlier: pd.DataFrame) -> None:
    """Today's figures as they are, a zero for every key that may hold yesterday's, each key once, in key order."""
    keys = [tuple(row) for row in cells[CELL_KEYS].to_numpy()]
    old = [tuple(row) for row in earlier[CELL_KEYS].to_numpy()]
    now = dict(zip(keys, cells["amount_minor"], strict=True))
    expected = [(*key, now.get(key, 0)) for key in sorted({*keys, *old})]
    whole = with_zeros(cells, earlier)
    assert expected == list(whole.itertuples(index=False, name=None))
    assert "int64" == whole["amount_minor"].dtype


def test_a_cell_lands_only_on_a_leaf_that_is_there() -> None:
    """A member that is gone, one that became a parent, and one of each side: told per cell."""
    lists = {
        "account": pd.DataFrame(
            [("A1", "One", True), ("A2", "Two", False), ("", "Bare", True)], columns=["code", "name", "leaf"]
        ),
        "cost_center": pd.DataFrame([("C1", "Den", True)], columns=["code", "name", "leaf"]),
    }
    keys = [("A1", "C1"), ("A2", "C1"), ("A9", "C9"), ("Bare", "C1")]
    cells = pd.DataFrame([(*key, 1) for key in keys], columns=["account", "cost_center", "amount_minor"])
    assert ["", "account A2 is a parent now", "account A9 is gone, cost center C9 is gone", ""] == landable(
        cells, lists
    )["problem"].tolist()


def test_drift_names_what_changed_what_is_new_and_what_vanished() -> None:
    """Only watched columns, in code order, before and now as people read them."""
    before = pd.DataFrame([("1", "Bank", True), ("2", "Till", True)], columns=["code", "name", "active"])
    now = pd.DataFrame([("1", "Bank Ltd", False), ("3", "Box", True)], columns=["code", "name", "active"])
    got = drift(before, now, key="code", watched=("name", "active", "parent"))
    assert [
        ("1", "active", "yes", "no"),
        ("1", "name", "Bank", "Bank Ltd"),
        ("2", "vanished", "", ""),
        ("3", "new", "", ""),
    ] == list(got.itertuples(index=False, name=None))
    assert drift(now, now, key="code", watched=("name", "active")).empty
