"""How the books stand for a reader just now: transactions under way are not seen, balances may lag behind the lines, others have meddled.

Row versions are handed out when a row is written and become visible when its transaction commits, so a slow one appears "in the past" [C SUG; I].
Balances are worked by a process of their own: lines it has not reached have PerBalFlag false [S SNO]. Reference: epicor 2.6, 4.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.epicor.schema import USERS

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]

_PERIOD = ("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod")

BUDGETS, BUDGET_CODE = ("GLBudgetHd", "GLBudgetDtl"), "BudgetCodeID"
"""Tables whose key has a column that older versions lack: they see the rows that have nothing in it."""


def visible(site: "Kinetic", table: str, where: Mapping[str, Any]) -> Sequence[Row]:
    """The rows of a table that a reader sees, those with these values."""
    if table == USERS.name:
        return [{"DcdUserID": site.username, "Name": "Integration", "CurComp": site.company}]
    if table in site.tasks:
        return [row for row in site.tasks[table] if all(row.get(name) == value for name, value in where.items())]
    rows: Sequence[Row] = site.books.rows(table, where)
    if table in BUDGETS and not site.switches["budget_codes"]:
        rows = [row for row in rows if not row[BUDGET_CODE]]
    hidden = set(site.switches["uncommitted"])
    late = site.switches["lagging_lines"]
    if table == "GLJrnDtl" and hidden:
        rows = [row for row in rows if _journal(row) not in hidden]
    if table == "GLJrnDtl" and late:
        newest = {row["SysRevID"] for row in _newest(site, late)}
        unseen = {"PerBalFlag": False, "TBFlag": False, "DailyBalFlag": False}
        rows = [{**row, **unseen} if row["SysRevID"] in newest else row for row in rows]
    if table == "GLPeriodBal" and (late or hidden):
        counted = [row for row in site.books.rows("GLJrnDtl", {}) if row["Posted"] and row["PerBalFlag"]]
        out = [row for row in counted if _journal(row) in hidden]
        rows = list(_without(rows, [*out, *(row for row in _newest(site, late) if row["PerBalFlag"])]))
    return site.meddling.applied(table, rows)


def _newest(site: "Kinetic", many: int) -> list[Row]:
    """The newest posted lines that anybody sees."""
    hidden = set(site.switches["uncommitted"])
    seen = [row for row in site.books.rows("GLJrnDtl", {}) if row["Posted"] and _journal(row) not in hidden]
    return sorted(seen, key=lambda row: row["SysRevID"])[len(seen) - many :] if many else []


def _journal(row: Row) -> str:
    """The name of a line's journal in the switch: "MAIN 2026 GJ 12"."""
    return f"{row['BookID']} {row['FiscalYear']}{row['FiscalYearSuffix']} {row['JournalCode']} {row['JournalNum']}"


def _without(balances: Iterable[Row], lines: Iterable[Row]) -> Iterable[Row]:
    """The balances before these lines were counted, under an earlier row version; a balance that had nothing else is gone."""
    by_period: dict[tuple[Any, ...], list[Row]] = {}
    for line in lines:
        by_period.setdefault(_period(line), []).append(line)
    for row in balances:
        out = [line for line in by_period.get(_period(row), ()) if _belongs(line, row)]
        if not out:
            yield row
            continue
        debit = row["DebitAmt"] - sum((line["BookDebitAmount"] for line in out), Decimal(0))
        credit = row["CreditAmt"] - sum((line["BookCreditAmount"] for line in out), Decimal(0))
        if debit or credit or row.get("OpenBalance"):
            rev = min(line["SysRevID"] for line in out) - 1
            yield {**row, "DebitAmt": debit, "CreditAmt": credit, "BalanceAmt": debit - credit, "SysRevID": rev}


def _period(row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name, "") for name in _PERIOD)


def _belongs(line: Row, balance: Row) -> bool:
    """A line counts for the detail balance that it names, and for the summary of its account."""
    name = "BalanceAcct" if balance["BalanceType"] == "D" else "SegValue1"
    return bool(line[name] == balance[name])
