"""An approved plan as native budget figures of Kinetic: kept by key, only what differs is written, nothing else is touched."""

import pandas as pd
import pytest

from mlc_pipelines.epicor.config import BudgetRule
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError, UncertainError
from mlc_pipelines.ledger.ports import HELD
from mlc_pipelines_tests.epicor.planning import APPLIED, LOST

UPDATE = r"POST .*AccountBudgetSvc/Update"
MARCH, NEXT_YEAR = "FY2026-P03", "FY2027-P03"


@pytest.fixture
def table(ledger):
    """The original budget of the main book: where Kinetic's budget reports look."""
    return ledger.budget_table(BudgetRule(book="MAIN", budget_code="ORIG"))


def cells(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=HELD)


def held(table, period: str) -> dict[tuple[str, str], int]:
    return {(account, sub): minor for account, sub, minor in table.read_held(period).itertuples(index=False)}


def budgets(door, **more) -> dict[str, dict]:
    """By account: what stands in the emulator's own tables."""
    return {one["account"]: one for one in door.get("budgets", book="MAIN", code="ORIG", **more)["budgets"]}


def test_only_what_differs_is_written(table, door):
    """One figure of two is new: one account is stored; every other period and account stays, and the actual books too."""
    main, before = door.digest, budgets(door)
    same = held(table, MARCH)["6110", "310|"]
    table.write_held(MARCH, cells(("6010", "310|", 123_456), ("6110", "310|", same), ("4010", "410|", -200)))
    after = budgets(door)
    changed = [account for account, one in after.items() if one != before[account]]
    assert ["4010|410", "6010|310"] == sorted(changed)
    assert 123_456 == after["6010|310"]["periods"]["3"]
    assert -200 == after["4010|410"]["periods"]["3"]
    for account in changed:
        assert [after[account]["periods"][at] for at in "12456"] == [before[account]["periods"][at] for at in "12456"]
        assert sum(after[account]["periods"].values()) == after[account]["total_minor"]
    assert main == door.digest
    assert 2 == len(door.writes)
    table.write_held(MARCH, cells(("6010", "310|", 123_456), ("4010", "410|", -200)))
    assert 2 == len(door.writes)


def test_what_is_held_is_what_was_written(table):
    """Debit positive, in key order, zeros left out; a figure set to zero is one."""
    table.write_held(MARCH, cells(("6010", "310|", 0), ("6010", "410|", -1)))
    found = held(table, MARCH)
    assert ("6010", "310|") not in found
    assert -1 == found["6010", "410|"]
    assert sorted(found) == list(found)


@pytest.mark.parametrize("details", [True, False])
def test_an_account_that_had_no_budget_yet(table, door, details):
    """Its header is made with its periods, or without, as the release does; a zero makes none."""
    door.switch(budget_details=details)
    table.write_held(NEXT_YEAR, cells(("6010", "310|", 100), ("4010", "410|", -5_000), ("6110", "310|", 0)))
    assert {("4010", "410|"): -5_000, ("6010", "310|"): 100} == held(table, NEXT_YEAR)
    found = budgets(door, year="2027")
    assert ["4010|410", "6010|310"] == sorted(found)
    assert {"D"} == {one["type"] for one in found.values()}
    assert [-5_000, 100] == [found[account]["total_minor"] for account in sorted(found)]
    table.write_held("FY2027-P04", cells(("6010", "310|", 7)))
    assert {("6010", "310|"): 7} == held(table, "FY2027-P04")
    assert 107 == budgets(door, year="2027")["6010|310"]["total_minor"]


def test_an_account_that_balances_keep_without_department(table, door):
    """Its balance type is another one; it is taken from Kinetic, not guessed."""
    table.write_held(NEXT_YEAR, cells(("3990", "|", 900)))
    assert ["B"] == [one["type"] for one in budgets(door, year="2027").values()]


def test_a_release_without_budget_codes(ledger, door):
    """The older methods are used, and rows that have no code are ours."""
    door.switch(budget_codes=False)
    table = ledger.budget_table(BudgetRule(book="MAIN", budget_code=""))
    table.write_held("FY2025-P03", cells(("4010", "410|", -9)))
    table.write_held(NEXT_YEAR, cells(("6010", "310|", 8)))
    assert -9 == held(table, "FY2025-P03")["4010", "410|"]
    assert {("6010", "310|"): 8} == held(table, NEXT_YEAR)
    with pytest.raises(SetupError, match="has no budget codes"):
        ledger.budget_table(BudgetRule(book="MAIN", budget_code="ORIG")).require_destination()


# -- faults -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [APPLIED, LOST], ids=["applied", "lost"])
@pytest.mark.parametrize("period", [MARCH, NEXT_YEAR])
def test_G01_an_answer_that_is_lost(table, door, fault, period):
    """Sent once; read again, it stands there or not; written again, it does, once."""
    door.plant(UPDATE, fault)
    wanted = cells(("6010", "310|", 4_711))
    with pytest.raises(UncertainError):
        table.write_held(period, wanted)
    assert 1 == len(door.writes)
    there = held(table, period).get(("6010", "310|")) == 4_711
    assert there == (fault == APPLIED and period == MARCH)
    table.write_held(period, wanted)
    assert 4_711 == held(table, period)["6010", "310|"]


def test_G10_a_person_types_another_figure_meanwhile(table, door):
    """Refused for its row version: nothing of theirs is overwritten unseen; read again, theirs is told."""
    about = {"account": "6010|310", "period": 3, "year": "2026", "code": "ORIG", "amount": "77.00"}
    command = {"kind": "control", "path": "/control/epicor/budget", "body": about}
    door.plant(r"POST .*/ChangeDtlBudgetAmt", command)
    with pytest.raises(TransientError):
        table.write_held(MARCH, cells(("6010", "310|", 4_711)))
    assert 7_700 == held(table, MARCH)["6010", "310|"]


def test_a_budget_that_is_annual_is_left_alone(table, door):
    """Ours is per period: it is refused by name, with nothing written, also what stands before it in the list."""
    heads = door.sandbox.ironvale.kept["GLBudgetHd"].values()
    [head] = [row for row in heads if (row["BalanceAcct"], row["FiscalYear"]) == ("6010|310", 2026)]
    door.sandbox.ironvale.put("GLBudgetHd", {**head, "BudgetPerCode": "A"})
    with pytest.raises(DataError, match=r"6010\|310 .* is not kept per period"):
        table.write_held(MARCH, cells(("4010", "410|", -1), ("6010", "310|", 4_711)))
    assert [] == door.writes


def test_an_account_that_can_hold_no_budget_stops_all(table, door):
    """Before anything is written."""
    with pytest.raises(DataError, match="no balance account"):
        table.write_held(NEXT_YEAR, cells(("6010", "310|", 1), ("6010", "110|", 1)))
    assert [] == door.writes


def test_periods_that_were_cut_off_are_not_taken_for_zero(table, door):
    """A child table that comes in part is no figure."""
    door.switch(expand_max=2)
    with pytest.raises(DataError, match="cut off the periods"):
        table.write_held(MARCH, cells(("6010", "310|", 1)))
    assert [] == door.writes


def test_whole_budgets_are_never_deleted(table, door):
    """DeleteBudget is told to the tests' door, whatever comes of it: there was no such call."""
    table.write_held(MARCH, cells(("6010", "310|", 0)))
    assert [] == door.get("budgets")["destroyed"]


# -- the destination ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"book": "NONE"}, "has no book NONE"),
        ({"book": "OLD"}, "book OLD of company IVM is inactive"),
        ({"budget_code": "OLD"}, "budget code OLD is inactive; in use are FCST, ORIG"),
        ({"budget_code": "2026"}, "there is no budget code 2026"),
        ({"budget_code": ""}, "none is declared"),
    ],
)
def test_a_destination_that_is_none_is_refused_before_any_write(ledger, door, changes, why):
    """Also where only a figure is to be written."""
    table = ledger.budget_table(BudgetRule(**{"book": "MAIN", "budget_code": "ORIG", **changes}))
    for attempt in (table.require_destination, lambda: table.write_held(MARCH, cells(("6010", "310|", 1)))):
        with pytest.raises(SetupError, match=why):
            attempt()
    assert [] == door.writes


def test_the_main_book_takes_budgets(table):
    """They stand beside the balances and change none; the plan book takes them too."""
    said = table.require_destination()
    assert ("MAIN", "native budget ORIG (Original budget)", "USD") == (said.ledger, said.ledger_type, said.currency)
    assert "" == table.waits_for(MARCH)


@pytest.mark.parametrize(
    ("account", "subaccount", "why"),
    [
        ("6010", "310|", ""),
        ("6010", "310|MF", "budgets are kept by balance account, which tells no Plant MF apart"),
        ("6010", "110|", "6010|110 is no balance account"),
        ("9", "|", "Chart 9 does not exist"),
        ("3900", "|", "takes the result of the year"),
    ],
)
def test_objections_to_an_account(table, account, subaccount, why):
    [said] = table.objections(pd.DataFrame({"account": [account], "subaccount": [subaccount]}))
    assert (why in said, bool(why)) == (True, bool(said))


def test_a_chart_whose_balances_know_no_departments(table, door):
    """Then budgets are by account alone."""
    door.switch(balance_segments="1")
    said = table.objections(pd.DataFrame({"account": ["6010", "6010"], "subaccount": ["310|", "|"]}))
    assert ["budgets are kept by balance account, which tells no Dept 310 apart", ""] == said
    table.write_held(NEXT_YEAR, cells(("6010", "|", 42)))
    assert {("6010", "|"): 42} == held(table, NEXT_YEAR)


def test_periods_that_take_budgets(table, door):
    """Closed ones do [I]; closing periods have no figure, and those beyond the calendar are not there."""
    said = table.not_open(["FY2026-P03", "FY2026-P13", "FY2031-P01"])
    assert {"FY2026-P13": "budgets have no closing period"}.items() <= said.items()
    assert ["FY2026-P13", "FY2031-P01"] == sorted(said)
