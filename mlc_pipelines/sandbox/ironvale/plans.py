"""Plans and budgets of the second sample company: posted journals of the book PLAN, the budget tables, and what people have in entry."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.books import Ironvale
from mlc_pipelines.sandbox.ironvale.coding import gl_account, minor_to_decimal
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.slips import TODAY, Dice, Slip

PLANNED_YEARS = (2026, 2027)
SPENT = tuple((account, dept) for account in ("6010", "6110", "6700", "6310") for dept in ("310", "410", "510"))
EARNED = (("4010", "410"), ("4020", "410"), ("4030", "410"))
BUDGETED = (*EARNED, *SPENT)


def plan_entries(seed: int, period: FiscalPeriod) -> Iterator[Slip]:
    """What was planned for a period, posted before its year began: sales, and costs; each balances against the plan contra."""
    if period.year in PLANNED_YEARS and not period.closing:
        dice = Dice(f"{seed} {period.key} plan")
        posted_on = date(period.year - 1, 8, 20)
        for text, codings, most in (("Plan, sales", EARNED, 400_000_000), ("Plan, costs", SPENT[:11], 9_000_000)):
            slip = Slip(period, "BU", period.start, text, posted_on=posted_on, books=("PLAN",), user="planner")
            for account, dept in codings:
                minor = dice.between(most // 3, most) // 100 * 100
                slip = slip.credit(account, minor, dept) if account < "5" else slip.debit(account, minor, dept)
            excess = slip.excess
            yield slip.credit(chart.PLAN_CONTRA, excess) if excess > 0 else slip.debit(chart.PLAN_CONTRA, -excess)


def write_budgets(books: Ironvale, seed: int) -> None:
    """Three budget codes; a budget of FY2026, and rows of FY2025 without a code, from a version that did not have them."""
    for code, text, default, inactive in (
        ("ORIG", "Original budget", True, False),
        ("FCST", "Forecast", False, False),
        ("OLD", "Budget, old version", False, True),
    ):
        books.put(
            "BudgetCode", {"BudgetCodeID": code, "BudgetCodeDesc": text, "IsDefault": default, "Inactive": inactive}
        )
    for year, code, codings in ((2026, "ORIG", BUDGETED), (2025, "", BUDGETED[:5])):
        dice = Dice(f"{seed} budget {year}")
        seen: set[str] = set()
        for account, dept in codings:
            balance = gl_account(account, dept if books.balance_segments != "1" else "")
            if balance not in seen:
                seen.add(balance)
                _write_budget(books, dice, year, code, balance)


def _write_budget(books: Ironvale, dice: Dice, year: int, code: str, balance: str) -> None:
    account, _, dept = balance.partition("|")
    sign = -1 if account < "5" else 1
    months = [sign * dice.between(1_000, 90_000) * 100 for _ in range(12)]
    shared = {
        "BookID": "MAIN",
        "BalanceAcct": balance,
        "BalanceType": "D" if dept else "B",
        "FiscalYear": year,
        "FiscalYearSuffix": "",
        "FiscalCalendarID": books.ledgers[chart.COMPANY, "MAIN"].calendar,
        "BudgetCodeID": code,
        "SegValue1": account,
        "SegValue2": dept,
        "COACode": chart.COA,
        "CurrencyCode": chart.CURRENCY,
    }
    total = {"TotalBudgetAmt": minor_to_decimal(sum(months)), "PerBalFmt": books.balance_segments, "BudgetPerCode": "P"}
    books.put("GLBudgetHd", {**shared, **total, "BudgetCodeBudgetCodeDesc": "Original budget" if code else ""})
    for period, minor in enumerate(months, start=1):
        books.put("GLBudgetDtl", {**shared, "FiscalPeriod": period, "BudgetAmt": minor_to_decimal(minor)})


def write_entry(books: Ironvale, period: FiscalPeriod) -> None:
    """A journal that someone has in entry today, in a group that is locked to them; and one that waits for review."""
    of_group = {
        "BookID": "MAIN", "FiscalYear": period.year, "FiscalYearSuffix": period.suffix, "FiscalPeriod": period.number,
        "FiscalCalendarID": period.calendar, "JournalCode": "GJ", "JEDate": TODAY, "GroupID": "KR1109",
        "CurrencyCode": chart.CURRENCY,
    }  # fmt: skip
    group = {**of_group, "BookMode": "S", "COACode": chart.COA, "CreatedBy": "kreyes", "ActiveUserID": "kreyes"}
    books.put("GLJrnGrp", {**group, "FiscalPeriodType": "O", "HasDetails": True})
    entry = {**of_group, "JournalNum": 9_001, "Description": "Trade fair, in entry", "CreateDate": TODAY}
    amount = Decimal("1250.00")
    books.put("GLJrnHed", {**entry, "EnteredBy": "kreyes", "TotDebit": amount, "TotCredit": amount})
    for at, (account, dept, plant, sign) in enumerate((("6420", "420", "MF", 1), (chart.ACCRUED, "", "", -1)), start=1):
        side = (
            {"TotDebit": amount, "DebitAmount": amount} if sign > 0 else {"TotCredit": amount, "CreditAmount": amount}
        )
        coding = {
            "SegValue1": account,
            "SegValue2": dept,
            "SegValue3": plant,
            "GLAccount": gl_account(account, dept, plant),
        }
        about = {column: value for column, value in entry.items() if column != "CreateDate"}
        line = {**about, **side, **coding, "JournalLine": at, "COACode": chart.COA, "TransAmt": amount * sign}
        books.put("GLJrnDtlMnl", {**line, "DocTransAmt": amount * sign, "SourceModule": "GL"})
    waiting = {"GroupID": "TL1108", "BookID": "MAIN", "JournalCode": "GJ", "SourceModule": "GL", "Status": "Review"}
    about_it = {"Description": "Waits for review", "EntryPerson": "tlund", "CreateDate": TODAY - timedelta(days=1)}
    books.put("RvJrn", {"RvJrnUID": 1, **waiting, **about_it})
    of_journal = {"RvJrnUID": 1, "RvJrnTrUID": 1, "GroupID": "TL1108", "BookID": "MAIN", "JournalCode": "GJ"}
    of_journal |= {"JournalNum": 9_002, "Description": "Waits for review"}
    in_period = {column: of_group[column] for column in ("FiscalYear", "FiscalPeriod", "FiscalCalendarID")}
    books.put("RvJrnTr", {**of_journal, **in_period, "JEDate": TODAY - timedelta(days=1)})
    for at, (account, dept, column) in enumerate(
        (("6420", "420", "BookDebitAmount"), (chart.ACCRUED, "", "BookCreditAmount")), start=1
    ):
        coding = {"SegValue1": account, "SegValue2": dept, "GLAccount": gl_account(account, dept)}
        books.put("RvJrnTrDtl", {**of_journal, **coding, "JournalLine": at, column: amount})
