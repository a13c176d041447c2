"""List members after the ERP's codes: what changes is previewed, what no list can take is refused by name."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.members import (
    CHANGED,
    GONE,
    MOVED,
    NEW,
    RENAMED,
    ListPlan,
    ListRule,
    differing,
    plan_list,
    same_value,
    text_problem,
)

RULE = ListRule(
    "accounts", "Accounts", "items", "", {}, "A{code}", "{code} {name}", "T_{account_class}", {"Active": "{active}"},
    spared={"A_UNMAPPED"},
)  # fmt: skip


def erp(*rows: tuple[str, str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["code", "name", "account_class", "active"])


def listed(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Below a total and two classes, all members active."""
    heads = [("", "Total", ""), ("T_CASH", "Cash", "Total"), ("T_FEES", "Fees", "Total")]
    frame = pd.DataFrame([*heads, *rows], columns=["code", "name", "parent"], dtype=object)
    return frame.assign(leaf=~frame["name"].isin(set(frame["parent"])), Active="true")


def changes(plan: ListPlan) -> list[tuple[str, ...]]:
    return [tuple(row) for row in plan.changes.itertuples(index=False)]


def test_new_renamed_moved_changed_and_gone() -> None:
    """One of each, and one that is as it should be; only those that change are written."""
    have = listed(
        ("A1", "1 Bank", "Cash"),
        ("A2", "2 Old name", "Cash"),
        ("A3", "3 Fee", "Cash"),
        ("A4", "4 Box", "Cash"),
        ("A9", "9 Closed", "Fees"),
        ("A_UNMAPPED", "Unmapped", "Total"),
    )
    codes = erp(("1", "Bank", "CASH", True), ("2", "New name", "CASH", True), ("3", "Fee", "FEES", True))
    codes = pd.concat([codes, erp(("4", "Box", "CASH", False), ("5", "New", "FEES", True))])
    plan = plan_list(RULE, codes, have)
    assert [
        (RENAMED, "A2", "2 New name", "2 Old name", "2 New name"),
        (MOVED, "A3", "3 Fee", "Cash", "Fees"),
        (CHANGED, "A4", "4 Box", "Active: true", "Active: false"),
        (NEW, "A5", "5 New", "", "Fees"),
        (GONE, "A9", "9 Closed", "", ""),
    ] == changes(plan)
    assert ["A2", "A3", "A4", "A5"] == plan.rows["code"].tolist()
    assert {"A5"} == plan.added
    assert ["T_CASH", "T_FEES", "T_CASH", "T_FEES"] == plan.rows["parent"].tolist()


def test_what_planners_decided_can_be_kept() -> None:
    """keep: [name, parent] leaves both where the member exists; a new one gets them from the ERP."""
    rule = ListRule(
        "accounts", "Accounts", "items", "", {}, "A{code}", "{name}", "T_{account_class}", keep=("name", "parent")
    )
    plan = plan_list(
        rule, erp(("1", "Bank", "FEES", True), ("2", "Fee", "FEES", True)), listed(("A1", "Our bank", "Cash"))
    )
    assert [(NEW, "A2", "Fee", "", "Fees")] == changes(plan)


def test_codes_mapped_by_hand_are_not_followed() -> None:
    """An entry of the mapping file places the code elsewhere: no second member is made for it."""
    rule = ListRule("accounts", "Accounts", "items", "", {}, "A{code}", apart={"1"})
    assert [] == changes(plan_list(rule, erp(("1", "Bank", "CASH", True)), listed()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("x" * 61, "has 61 characters"),
        (" 6100", "begins or ends with a blank"),
        ("6100\u00a0", "begins or ends with a blank"),
        ("a\nb", "U+000A"),
        ("a\x00b", "U+0000"),
        ("a\u200fb", "U+200F"),
        ("a\u200bb", "U+200B"),
        ("a\ufeffb", "U+FEFF"),
        ("a\ud800b", "U+D800"),
    ],
)
def test_c10_a_name_that_no_list_takes_is_told(text: str, problem: str) -> None:
    """Too long, blank at an end, invisible inside: BadMember with its reason."""
    assert problem in text_problem(text)


@pytest.mark.parametrize("text", ["0012", "=1+2", "-5", 'a, "b"', "Dépôt, Genève", "北陸商事", "💰", "x" * 60])
def test_c10_a_strange_name_is_a_name(text: str) -> None:
    """Digits, formulas, quotes, commas, emoji: text like any other, and it arrives byte for byte."""
    assert "" == text_problem(text)
    rule = ListRule("accounts", "Accounts", "items", "", {}, "A{code}", "{name}")
    assert [text] == plan_list(rule, erp(("1", text, "CASH", True)), listed()).rows["name"].tolist()


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (erp(("1", "Caf\u00e9", "CASH", True), ("2", "Cafe\u0301", "CASH", True)), "same name"),
        (erp(("1", "Bank", "CASH", True), ("2", "BANK", "CASH", True)), "same name"),
        (erp(("1", "Bank", "CASH", True), ("2", "Planner's own", "CASH", True)), "A2 has the same name as member PLAN"),
        (erp(("a", "x", "CASH", True), ("A", "y", "CASH", True)), "same code"),
        (erp(("1", "Bank ", "CASH", True)), "begins or ends"),
        (erp(("1", "Bank", "NEW", True)), "its parent T_NEW is not in the list"),
    ],
)  # fmt: skip
def test_c10_clashes_are_refused_by_name(codes: pd.DataFrame, said: str) -> None:
    """Twins in NFC and NFD, in letter case, a name that another member has, a parent that is nowhere: all named, nothing sent."""
    rule = ListRule("accounts", "Accounts", "items", "", {}, "A{code}", "{name}", "T_{account_class}")
    with pytest.raises(DataError, match=said) as caught:
        plan_list(rule, codes, listed(("PLAN", "Planner's own", "Cash")))
    assert "Nothing was sent" in caught.value.holds
    assert not caught.value.evidence["Members refused"].empty


def test_c11_two_erp_codes_for_one_member_are_refused() -> None:
    """A code that stands twice in the ERP's answer, with two names, wants one member."""
    with pytest.raises(DataError, match="A1 is wanted by more than one row of the ERP: 1, 1"):
        plan_list(RULE, erp(("1", "Bank", "CASH", True), ("1", "Other", "CASH", True)), listed())


def test_c11_a_loop_of_parents_is_refused() -> None:
    """1 below 2 and 2 below 1: no order of rows could load them."""
    rule = ListRule("units", "Units", "items", "", {}, "{code}", "{name}", "{above}")
    codes = pd.DataFrame([("1", "one", "2"), ("2", "two", "1")], columns=["code", "name", "above"])
    with pytest.raises(DataError, match="form a loop"):
        plan_list(rule, codes, listed())


def test_parents_come_before_their_children() -> None:
    """An import knows a parent only when it stands above."""
    rule = ListRule("units", "Units", "items", "", {}, "{code}", "{name}", "{above}")
    codes = pd.DataFrame(
        [("3", "three", "2"), ("2", "two", "1"), ("1", "one", "T_CASH")], columns=["code", "name", "above"]
    )
    plan = plan_list(rule, codes, listed())
    assert [("1", "T_CASH"), ("2", "1"), ("3", "2")] == list(zip(plan.rows["code"], plan.rows["parent"], strict=True))


def test_a_pattern_with_an_unknown_field_lists_the_fields() -> None:
    """The message can be acted on: it names the fields there are."""
    rule = ListRule("accounts", "Accounts", "items", "", {}, "A{code}", "{nmae}")
    with pytest.raises(SetupError, match=r"\{nmae\}") as caught:
        plan_list(rule, erp(), listed())
    assert "{account_class}" in caught.value.next_step


def test_reading_back_finds_what_is_missing_wrong_or_touched() -> None:
    """One not written, one with another name, one of the planners that lost its parent."""
    have = listed(("A1", "1 Bank", "Cash"), ("MINE", "Mine", "Cash"))
    plan = plan_list(RULE, erp(("1", "Till", "CASH", True), ("2", "New", "FEES", True)), have)
    after = have.copy()
    after.loc[after["code"] == "MINE", "parent"] = "Fees"
    assert {("A1", "name"), ("A2", "member"), ("MINE", "parent")} == set(
        differing(plan, have, after)[["code", "what"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("12", "12.0", True), ("true", "TRUE", True), ("0012", "12", False), ("", "0", False), ("0.5", "0.50", True), ("x", "X", False)],
)  # fmt: skip
def test_properties_are_compared_by_meaning(one: str, other: str, *, same: bool) -> None:
    """A number is shown with other digits, a code never."""
    assert same is same_value(one, other)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["CASH", "FEES"])), unique_by=lambda row: row[0], max_size=12
    )
)
def test_after_writing_the_plan_nothing_is_left_to_do(rows: list[tuple[int, str]]) -> None:
    """A second synchronization of the same codes finds nothing, and reading back finds no difference."""
    codes = erp(*[(str(number), f"Name {number}", group, True) for number, group in rows])
    have = listed(("A1", "1 Old", "Fees"), ("A31", "31 Gone", "Cash"))
    plan = plan_list(RULE, codes, have)
    kept = have[~have["code"].isin(plan.after["code"])]
    after = pd.concat([kept, plan.after.assign(leaf=True)], ignore_index=True)
    assert differing(plan, have, after).empty
    assert {GONE} >= set(plan_list(RULE, codes, after).changes["change"])
