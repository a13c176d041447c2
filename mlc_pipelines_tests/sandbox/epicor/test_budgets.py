"""Budgets: headers by balance account and year, details by period, codes, and what is not deleted. Reference: epicor 6.6."""

from decimal import Decimal

import pytest

BUDGET = "AccountBudget"
HEAD, DETAIL = "GLBudgetHd", "GLBudgetDtl"
SETS = "Erp.BO.AccountBudgetSvc/AccountBudgets"


@pytest.fixture(autouse=True)
def budget_codes(rig) -> None:
    """Three codes, one of them inactive."""
    for code, default, inactive in (("ORIG", True, False), ("FCST", False, False), ("OLD", False, True)):
        row = {"BudgetCodeID": code, "BudgetCodeDesc": f"Budget {code}", "IsDefault": default, "Inactive": inactive}
        rig.site.books.put("BudgetCode", row)


def key(account: str, kind: str = "D", code: str | None = "FCST", year: int = 2027) -> dict:
    found = {"bookID": "MAIN", "balanceAcct": account, "balanceType": kind, "fiscalYear": year, "fiscalYearSuffix": ""}
    return found | {"fiscalCalendarID": "F445"} | ({} if code is None else {"budgetCodeID": code})


def new(clerk, **about) -> dict:
    return clerk.ds(BUDGET, "GetNewGLBudgetHdEx", ds={}, **key(f"{clerk.rig.expense()}|110", **about))


def figures(door, **query: str) -> list[tuple[str, int, dict]]:
    found = door.get("/epicor/budgets", params=query).json()["budgets"]
    return [(one["account"], one["total_minor"], one["periods"]) for one in found]


def test_a_budget_is_written_by_period(rig, clerk, door):
    """Update of the header makes twelve details; their amounts are changed and stored, the total is the server's."""
    account = f"{rig.expense()}|110"
    before = door.get("/epicor/digest").json()
    ds = clerk.ds(BUDGET, "Update", ds=new(clerk))
    assert ([account], list(range(1, 13))) == (
        [row["BalanceAcct"] for row in ds[HEAD]],
        [row["FiscalPeriod"] for row in ds[DETAIL]],
    )
    for at, amount in ((2, 100.25), (11, -0.25)):
        ds[DETAIL][at] |= {"BudgetAmt": amount, "RowMod": "U"}
        ds = clerk.ds(BUDGET, "ChangeDtlBudgetAmt", ds=ds)
        assert "U" == ds[DETAIL][at]["RowMod"]
    assert 100 == ds[HEAD][0]["TotalBudgetAmt"]
    assert [(account, 0)] == [one[:2] for one in figures(door)]
    assert 100 == clerk.ds(BUDGET, "Update", ds=ds)[HEAD][0]["TotalBudgetAmt"]
    [(_, total, periods)] = figures(door, code="FCST", year="2027")
    assert (10_000, 10_025, -25, 0) == (total, periods["3"], periods["12"], periods["1"])
    assert before == door.get("/epicor/digest").json()


def test_reading_it_back(rig, clerk):
    """By the methods, and by OData with its details."""
    account = f"{rig.expense()}|110"
    clerk.ds(BUDGET, "Update", ds=new(clerk))
    found = clerk.do(BUDGET, "GetByID", **key(account)).json()["returnObj"]
    assert (1, 12) == (len(found[HEAD]), len(found[DETAIL]))
    assert 404 == clerk.do(BUDGET, "GetByID", **key(account, code="ORIG")).status_code
    [head] = rig.rows(SETS, filter="BudgetCodeID eq 'FCST' and FiscalYear eq 2027", expand="GLBudgetDtls")
    assert [Decimal(0)] * 12 == [row["BudgetAmt"] for row in head["GLBudgetDtls"]]


def test_a_budget_that_there_is_already(clerk):
    """409: look it up and change it."""
    clerk.ds(BUDGET, "Update", ds=new(clerk))
    assert 409 == clerk.do(BUDGET, "Update", ds=new(clerk)).status_code


def test_somebody_types_another_figure_meanwhile(rig, clerk, door):
    """The row that was read is not the stored one any more."""
    ds = clerk.ds(BUDGET, "Update", ds=new(clerk))
    wish = {"account": f"{rig.expense()}|110", "year": 2027, "period": 3, "code": "FCST", "amount": "5.00"}
    assert 0 == door.post("/epicor/budget", json=wish).json()["was_minor"]
    ds[DETAIL][2] |= {"BudgetAmt": 7, "RowMod": "U"}
    assert 409 == clerk.do(BUDGET, "Update", ds=ds).status_code
    assert 500 == figures(door)[0][2]["3"]


def test_accounts_books_codes_and_years_that_hold_no_budget(rig, clerk):
    """Only balance accounts of their own type, active codes, years of the book's calendar."""
    expense = rig.expense()
    amounts = {"budgetAmt": 0, "budgetStatAmt": 0}

    def valid(account: str, kind: str) -> int:
        asked = {"bookID": "MAIN", "budgetCodeID": "FCST", "fiscalYear": 2027, "fiscalYearSuffix": "", **amounts}
        return clerk.do(BUDGET, "ValidateGLAccount", **asked, account=account, balanceType=kind).status_code

    assert 200 == valid(f"{expense}|110", "D")
    for account, kind in ((f"{expense}|110", "B"), (f"{expense}|110|MF", "D"), ("6010|520", "D")):
        assert 400 == valid(account, kind)
    assert [200, 400, 400] == [clerk.do(BUDGET, "ValidateBudgetCode", budgetCodeID=code).status_code for code in ("FCST", "OLD", "X")]  # fmt: skip
    assert [200, 400] == [clerk.do(BUDGET, "ValidateGLBook", bookID=book).status_code for book in ("PLAN", "OLD")]
    for about in ({"code": "OLD"}, {"year": 2031}):
        assert 400 == clerk.do(BUDGET, "Update", ds=new(clerk, **about)).status_code


def test_the_default_code(rig, clerk):
    """BudgetCodeSvc knows it."""
    assert "ORIG" == clerk.do("BudgetCode", "GetDefaultBudgetCode").json()["returnObj"]
    rows = rig.rows("Erp.BO.BudgetCodeSvc/BudgetCodes", filter="Inactive eq false", select="BudgetCodeID")
    assert ["ORIG", "FCST"] == [row["BudgetCodeID"] for row in rows]


def test_a_version_without_budget_codes(rig, clerk, door):
    """Only the older methods; the column is not there."""
    rig.switch(budget_codes=False)
    account = f"{rig.expense()}|110"
    assert 404 == clerk.do(BUDGET, "GetNewGLBudgetHdEx", ds={}, **key(account)).status_code
    ds = clerk.ds(BUDGET, "GetNewGLBudgetHd", ds={}, **key(account, code=None))
    ds = clerk.ds(BUDGET, "Update", ds=ds)
    assert "BudgetCodeID" not in ds[HEAD][0]
    assert 1 == len(clerk.do(BUDGET, "GetByID", **key(account, code=None)).json()["returnObj"][HEAD])
    named = f"Company='IVM',BookID='MAIN',BalanceAcct='{account}',BalanceType='D',FiscalYear=2027,FiscalYearSuffix='',FiscalCalendarID='F445'"
    assert 200 == rig.ask(f"{SETS}({named})").status_code
    assert 404 == clerk.do("BudgetCode", "GetDefaultBudgetCode").status_code


def test_details_that_update_does_not_make(rig, clerk, door):
    """By switch they are made one by one."""
    rig.switch(budget_details=False)
    account = f"{rig.expense()}|110"
    ds = clerk.ds(BUDGET, "Update", ds=new(clerk))
    assert [] == ds[DETAIL]
    ds = clerk.ds(BUDGET, "GetNewGLBudgetDtlEx", ds=ds, **key(account), fiscalPeriod=4)
    ds[DETAIL][-1]["BudgetAmt"] = 12
    clerk.ds(BUDGET, "Update", ds=ds)
    assert [(account, 1200, {"4": 1200})] == figures(door)


def test_a_whole_budget_is_not_deleted(rig, clerk, door):
    """Refused, and told; it does what it says by switch only."""
    clerk.ds(BUDGET, "Update", ds=new(clerk))
    asked = {"inpBookID": "MAIN", "inpBudgetCodeID": "FCST", "inpFiscalYear": 2027, "inpFiscalYearSuffix": ""}
    assert 403 == clerk.do(BUDGET, "DeleteBudget", **asked).status_code
    assert 1 == len(figures(door))
    rig.switch(delete_budget=True)
    assert 200 == clerk.do(BUDGET, "DeleteBudget", **asked).status_code
    assert ([], ["IVM MAIN 2027 FCST"] * 2) == (figures(door), door.get("/epicor/budgets").json()["destroyed"])


def test_update_ext_of_budgets(rig, clerk, door):
    """Many rows at once; those that fail are told."""
    ds = clerk.ds(BUDGET, "Update", ds=new(clerk))
    for row in ds[DETAIL]:
        row |= {"BudgetAmt": row["FiscalPeriod"], "RowMod": "U"}
    ds[DETAIL][4]["SysRevID"] -= 1
    said = clerk.do(BUDGET, "UpdateExt", ds=ds, continueProcessingOnError=True, rollbackParentOnChildError=False).json()
    assert (True, 1) == (said["parameters"]["errorsOccurred"], len(said["returnObj"]["BOUpdError"]))
    assert (7300, 0) == (figures(door)[0][1], figures(door)[0][2]["5"])
