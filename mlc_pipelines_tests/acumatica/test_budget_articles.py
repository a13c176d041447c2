"""Articles of the Budget entity: figures set by key in the account's natural sign, others' left alone, and a release that is a person's."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from mlc_pipelines.acumatica.plan_budget import BudgetNotStored
from mlc_pipelines.ledger.errors import DataError, SetupError, UncertainError
from mlc_pipelines.ledger.ports import HELD, BudgetTable
from mlc_pipelines.sandbox.acumatica import budgets
from mlc_pipelines.sandbox.acumatica.site import Article
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines_tests.acumatica.plans import BUDGET

PUT = "PUT .*/Budget$"
MARCH, APRIL = "FY2027-P03", "FY2027-P04"


@pytest.fixture
def table(connect, opened) -> BudgetTable:
    return opened.enter_context(connect()).budget_table(BUDGET)


def cells(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=HELD)


def held(table: BudgetTable, period: str = MARCH) -> list[tuple[str, str, int]]:
    frame = table.read_held(period)
    assert HELD == list(frame)
    assert ["object", "object", "int64"] == [str(kind) for kind in frame.dtypes]
    return list(frame.itertuples(index=False, name=None))


def sent(sandbox: Sandbox) -> int:
    """PUTs that carried rows: those that only ask are told by what they expand."""
    return sum(bool(re.search(PUT, f"{one.method} {one.path}")) for one in sandbox.traffic.requests)


def articles(sandbox: Sandbox) -> dict[tuple[str, str], Article]:
    return {key[3:]: article for key, article in sandbox.site.budgets.items()}


RENT, FEES, LOAN = ("6200", "020-000", 900_000), ("4010", "020-ADV", -1_250_050), ("2520", "010-000", -7)


def test_figures_are_set_by_key_in_the_accounts_natural_sign(table, sandbox) -> None:
    """With us debits are positive; an article of income or of a liability is positive as a credit. The amount is what it distributes."""
    assert [] == held(table)
    table.write_held(MARCH, cells(RENT, FEES, LOAN))
    table.write_held(APRIL, cells(("6200", "020-000", 100)))
    assert sorted((RENT, FEES, LOAN)) == held(table)
    assert [("6200", "020-000", 100)] == held(table, APRIL)
    found = articles(sandbox)
    assert (1_250_050, 7) == tuple(found[key].periods[2] for key in (FEES[:2], LOAN[:2]))
    assert (900_100, (900_000, 100)) == (found[RENT[:2]].amount_minor, found[RENT[:2]].periods[2:4])
    assert {("HQ", "BUDGET", "2027")} == {key[:3] for key in sandbox.site.budgets}


def test_what_is_not_named_stays_as_it_is(table, sandbox) -> None:
    """Other keys, other periods, other branches; a zero is written, and what stands already is not sent again."""
    table.write_held(MARCH, cells(RENT, FEES))
    own = ("HQ", "BUDGET", "2027", *RENT[:2])
    sandbox.site.budgets[("WEST", *own[1:])] = replace(sandbox.site.budgets[own], id="west")
    sandbox.site.budgets[own] = replace(
        sandbox.site.budgets[own], description="Denver", periods=(5, 0, 900_000) + (0,) * 10
    )
    table.write_held(MARCH, cells(("6200", "020-000", 0), ("6210", "020-000", 0)))
    assert [FEES] == held(table)
    assert ("Denver", 5, (5, 0, 0)) == (
        sandbox.site.budgets[own].description,
        sandbox.site.budgets[own].amount_minor,
        sandbox.site.budgets[own].periods[:3],
    )
    assert 900_000 == sandbox.site.budgets[("WEST", *own[1:])].periods[2]
    assert 3 == len(sandbox.site.budgets)
    before = sent(sandbox)
    table.write_held(MARCH, cells(("6200", "020-000", 0), FEES))
    assert before == sent(sandbox)


def test_a_release_on_the_form_is_waited_for(table, sandbox) -> None:
    """Until a person releases the articles nothing counts in the ledger; a changed one is released again, with the difference."""
    assert "" == table.waits_for(MARCH)
    table.write_held(MARCH, cells(RENT, FEES))
    assert "release of 2 of 2 articles of budget BUDGET 2027, branch HQ, on form GL505510" == table.waits_for(MARCH)
    assert [] == sandbox.books.truth("BUDGET", MARCH)
    assert (2, []) == budgets.release(sandbox.site, "BUDGET", "2027")
    assert "" == table.waits_for(MARCH)
    table.write_held(MARCH, cells(("6200", "020-000", 800_000)))
    assert "1 of 2 articles" in table.waits_for(MARCH)
    assert (1, []) == budgets.release(sandbox.site, "BUDGET", "2027")
    [fees, rent] = sandbox.books.truth("BUDGET", MARCH)
    assert (-1_250_050, 800_000) == (fees.debit_minor - fees.credit_minor, rent.debit_minor - rent.credit_minor)
    assert sorted((FEES, ("6200", "020-000", 800_000))) == held(table)


def test_versions_one_two_and_one_again(table) -> None:
    """What is held is the last one's each time, to the cent."""
    first, second = cells(RENT, FEES), cells(("6200", "020-000", 1), ("4010", "020-ADV", 0))
    for version in (first, second, first):
        table.write_held(MARCH, version)
        expected = [row for row in version.itertuples(index=False, name=None) if row[2]]
        assert sorted(expected) == held(table)


def test_a_site_that_ignores_what_is_written_is_noticed(table, sandbox) -> None:
    """It answers as if all were well [C ACU, on another form]; the way out is named."""
    sandbox.set_switches(acumatica={"budget_put": "ignored"})
    with pytest.raises(BudgetNotStored, match=r"(?s)2 articles of budget BUDGET, branch HQ, FY2027-P03.*Statistical"):
        table.write_held(MARCH, cells(RENT, FEES))
    assert ({}, 1) == (sandbox.site.budgets, sent(sandbox))


@pytest.mark.parametrize(
    "action", [{"kind": "reset", "after": True}, {"kind": "reset"}, {"kind": "status", "status": 503, "after": True}]
)
def test_G01_an_unanswered_write_is_read_and_written_again(table, sandbox, action) -> None:
    """Sent once; whether it was stored, a read tells, and the same figures written again change nothing."""
    sandbox.traffic.plant({"match": PUT, "action": action})
    with pytest.raises(UncertainError):
        table.write_held(MARCH, cells(RENT, FEES))
    assert 1 == sent(sandbox)
    table.write_held(MARCH, cells(RENT, FEES))
    assert sorted((RENT, FEES)) == held(table)
    assert (1 if action.get("after") else 2) == sent(sandbox)


def test_G17_a_figure_that_is_stored_otherwise_is_named(table, sandbox) -> None:
    """Those that are right are stored all the same, and the message says so."""
    wrong = {"kind": "replace", "pattern": r'"Period03":\{"value":900', "with": '"Period03":{"value":901', "count": 0}
    sandbox.traffic.plant({"match": r"PUT .*/Budget\?", "skip": 1, "times": -1, "action": wrong})
    with pytest.raises(DataError, match=r"1 of 2 articles .* are not as they were sent: 6200 020-000"):
        table.write_held(MARCH, cells(("6200", "020-000", 90_000), FEES))


def test_a_refused_article_is_told_by_its_field_and_none_is_stored(table, sandbox) -> None:
    with pytest.raises(DataError, match=r"Details\[2\]\.Account: Account 6990 is inactive"):
        table.write_held(MARCH, cells(RENT, ("6990", "020-000", 5)))
    with pytest.raises(DataError, match="Account 9999 does not exist"):
        table.write_held(MARCH, cells(("9999", "020-000", 5)))
    assert ({}, 1) == (sandbox.site.budgets, sent(sandbox))


def test_a_budget_is_made_for_any_period_that_is_not_locked(table, sandbox) -> None:
    """Closed and inactive ones take it; a locked one stops the release of the whole article [C PX GLBudgetRelease]."""
    keys = ["FY2025-P01", "FY2026-P03", MARCH, "FY2027-P13", "FY2031-P01", "FY2027T-P01"]
    said = table.not_open(keys)
    assert ["FY2025-P01", "FY2031-P01", "FY2027T-P01"] == list(said)
    assert "it is locked in the ERP" == said["FY2025-P01"]
    table.write_held("FY2025-P01", cells(RENT))
    released, refused = budgets.release(sandbox.site, "BUDGET", "2025")
    assert (0, 1) == (released, len(refused))
    with pytest.raises(DataError, match="has no period FY2031-P01"):
        table.write_held("FY2031-P01", cells(RENT))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"ledger": "ACTUAL"}, "is the one that actuals are read from"),
        ({"ledger": "STAT"}, "has the type Statistical; this plan goes into a ledger of type Budget only"),
        ({"ledger": "NONE"}, "There is no ledger NONE"),
        ({"company": "SOUTH"}, "Company SOUTH does not keep ledger BUDGET"),
        ({"branch": "EAST"}, "has no branch EAST"),
    ],
)
def test_a_wrong_destination_is_refused_without_a_write(connect, sandbox, opened, rule, said) -> None:
    """Also where nobody asked for the destination first."""
    table = opened.enter_context(connect()).budget_table(replace(BUDGET, **rule))
    for attempt in (table.require_destination, lambda: table.write_held(MARCH, cells(RENT))):
        with pytest.raises(SetupError, match=re.escape(said)):
            attempt()
    assert ({}, 0) == (sandbox.site.budgets, sent(sandbox))


def test_the_destination_and_its_objections(table) -> None:
    """The same chart as for journals."""
    assert "Budget" == table.require_destination().ledger_type
    keys = pd.DataFrame({"account": ["6200", "6990", "6200"], "subaccount": ["020-000", "020-000", "100-TEC"]})
    assert ["", "account 6990 is inactive", "subaccount 100-TEC is inactive"] == table.objections(keys)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r'"FinancialYear":\{"value":"2027"\}', "answered for"),
        (r'"Details":\[', "without its articles"),
    ],
)
def test_an_answer_to_another_question_is_not_believed(table, sandbox, pattern, said) -> None:
    wrong = {"kind": "replace", "pattern": pattern, "with": '"FinancialYear":{"value":"2026"}' if "Year" in pattern else '"Results":['}  # fmt: skip
    sandbox.traffic.plant({"match": r"PUT .*/Budget\?", "times": -1, "action": wrong})
    with pytest.raises(DataError, match=said):
        table.read_held(MARCH)


def test_totals_of_a_budget_tree_are_no_figures(table, sandbox) -> None:
    """Nodes only add up their articles [C MD: Node]."""
    table.write_held(MARCH, cells(RENT))
    node = {"kind": "replace", "pattern": r'"Node":\{"value":false\}', "with": '"Node":{"value":true}'}
    sandbox.traffic.plant({"match": r"PUT .*/Budget\?", "action": node})
    assert [] == held(table)
    assert [RENT] == held(table)
