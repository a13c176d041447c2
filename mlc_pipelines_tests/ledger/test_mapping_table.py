"""Mapping tables: from which period an entry holds, and what is told of entries that contradict, repeat, lead in circles or point to nothing."""

import pandas as pd
import pytest

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.mapping import MAP_COLUMNS, MemberRule, align, place
from mlc_pipelines.ledger.mapping_table import (
    CHAIN,
    CLASH,
    DEAD_CODE,
    DEAD_MEMBER,
    DUPLICATE,
    LOOP,
    NO_PERIOD,
    Entry,
    at_period,
    entries_of_property,
    findings,
    in_order,
    require_no_clash,
)

PERIODS = ["FY2026-P01", "FY2026-P02", "FY2026B-P01", "FY2027-P01"]
CODES = pd.DataFrame({"code": ["6100", "6200", "6300"], "name": "", "active": True})
MEMBERS = pd.DataFrame(
    [("A6100", True), ("A6200", True), ("A6300", True), ("A_ALL", False)], columns=["code", "leaf"]
).assign(name="")


def entry(code: str, member: str, since: str = "", source: str = "accounts.csv line 2") -> Entry:
    return Entry("account", code, member, since, source)


def found(*entries: Entry) -> list[tuple[str, str]]:
    rows = findings(entries, "A{code}", CODES, MEMBERS, PERIODS)
    return list(rows[["finding", "code"]].itertuples(index=False, name=None))


def member_at(key: str, *entries: Entry) -> dict[str, str]:
    pairs = at_period(
        align(CODES, MEMBERS, MemberRule("account", "Accounts", "A{code}", entries=entries)), PERIODS, key
    )
    assert MAP_COLUMNS == list(pairs.columns)
    return dict(zip(pairs["code"], pairs["member"], strict=True))


def test_an_entry_holds_from_its_period_until_the_next_one() -> None:
    """6100 has its own member first, then that of 6200, then that of 6300: in fiscal order, which the order of the texts is not."""
    entries = entry("6100", "A6300", "FY2027-P01"), entry("6100", "A6200", "FY2026B-P01")
    assert ["A6100", "A6100", "A6200", "A6300"] == [member_at(key, *entries)["6100"] for key in PERIODS]
    assert {"6200": "A6200", "6300": "A6300", "6100": "A6300"} == member_at("FY2027-P01", *entries)


def test_what_began_before_the_calendar_holds_and_what_begins_after_it_does_not() -> None:
    """A calendar rolls on, the table stays."""
    assert "A6200" == member_at("FY2026-P01", entry("6100", "A6200", "FY2024-P05"))["6100"]
    assert "A6100" == member_at("FY2027-P01", entry("6100", "A6200", "FY2028-P01"))["6100"]
    assert [-1, -1, 1, 4] == [in_order(PERIODS, one) for one in ("", "FY2025-P12", "FY2026-P02", "FY2027-P02")]


def test_money_lands_where_the_period_says() -> None:
    """The same posting on 6100, before and after the change."""
    pairs = align(
        CODES, MEMBERS, MemberRule("account", "Accounts", "A{code}", entries=(entry("6100", "A6200", "FY2027-P01"),))
    )
    amounts = pd.DataFrame(
        [("6100", 500, 0, 500, 1)], columns=["account", "debit_minor", "credit_minor", "amount_minor", "lines"]
    )
    landed = [
        place(amounts, at_period(pairs, PERIODS, key), None, ["account"])["to_account"].tolist()
        for key in ("FY2026-P02", "FY2027-P01")
    ]
    assert [["A6100"], ["A6200"]] == landed


def test_two_members_for_one_code_in_one_period_are_refused_with_both_places() -> None:
    """File against desk: nothing tells which is meant, so nothing is guessed. The same member twice is told only."""
    file, desk = entry("6100", "A6200"), entry("6100", "A6300", source="mapping desk, accepted by ann")
    assert [(CLASH, "6100")] == [one for one in found(file, desk) if one[0] == CLASH]
    with pytest.raises(
        DataError, match=r"6100 has two members: A6200 \(accounts.csv line 2\) and A6300 \(mapping desk"
    ):
        require_no_clash([file, desk])
    require_no_clash([file, file])
    require_no_clash([file, entry("6100", "A6300", "FY2027-P01")])
    assert (DUPLICATE, "6100") in found(file, file)


def test_entries_that_point_to_nothing_are_told() -> None:
    """A code that the ERP has no more, a member that the model has no more or made a parent, a period that never comes; the serious first."""
    entries = (
        entry("9999", "A6100"),
        entry("6100", "A_GONE"),
        entry("6300", "A_ALL"),
        entry("6200", "A6200", "FY2026-P14"),
    )
    serious = [(DEAD_MEMBER, "6100"), (NO_PERIOD, "6200"), (DEAD_MEMBER, "6300")]
    assert [*serious, (DEAD_CODE, "9999")] == found(*entries)


def test_circles_and_chains_of_codes_are_told() -> None:
    """6100 and 6200 take each other's members: a swap or a mistake, told once. 6100 -> 6200's member, whose own figures go on: they part."""
    assert [(LOOP, "6100")] == found(entry("6100", "A6200"), entry("6200", "A6100"))
    rows = findings(
        [entry("6100", "A6200"), entry("6200", "A6300"), entry("6300", "A6100")], "A{code}", CODES, MEMBERS, PERIODS
    )
    assert ["codes that take each other's members: 6100 -> 6200 -> 6300 -> 6100"] == rows["said"].tolist()
    assert [(CHAIN, "6100")] == found(entry("6100", "A6200"), entry("6200", "A6300"))
    assert [] == found(entry("6100", "A6300"), entry("6200", "A6300"))


def test_the_model_may_name_the_codes_itself() -> None:
    """A property of each member, several codes divided by commas; a blank one names none."""
    members = MEMBERS.assign(**{"ERP codes": ["6100, 6200", "", "6300", ""]})
    assert [("6100", "A6100"), ("6200", "A6100"), ("6300", "A6300")] == [
        (one.code, one.member) for one in entries_of_property("account", members, "ERP codes")
    ]
    pairs = align(CODES, members, MemberRule("account", "Accounts", list_property="ERP codes"))
    named = dict(zip(pairs["code"][pairs["member"] != ""], pairs["member"][pairs["member"] != ""], strict=True))
    assert {"6100": "A6100", "6200": "A6100", "6300": "A6300"} == named
    with pytest.raises(DataError, match="without their property Codes"):
        entries_of_property("account", MEMBERS, "Codes")
