"""Erp.BO.AccountBudgetSvc and BudgetCodeSvc: budgets by balance account and year, with a detail for each period. Reference: epicor 6.6.

Debits are positive, credits negative; the header's total is kept by the server [S SNO]. That Update of a new header makes its details, one for each
ordinary period, that they are typed P, and the names of the parameters of ValidateGLBook and ValidateBudgetCode are ours [I].
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.epicor.accounts import Rules
from mlc_pipelines.sandbox.epicor.dataset import (
    ADDED,
    CHANGED,
    DELETED,
    Row,
    Tables,
    at_hand,
    blank,
    business,
    parameter,
)
from mlc_pipelines.sandbox.epicor.errors import RefusalError
from mlc_pipelines.sandbox.epicor.keeper import Answer, Given, Keeper, Method
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.tables import TABLES

HEAD, DETAIL, CODE = "GLBudgetHd", "GLBudgetDtl", "BudgetCode"
PARAMETERS = {
    "BookID": "bookID",
    "BalanceAcct": "balanceAcct",
    "BalanceType": "balanceType",
    "FiscalYear": "fiscalYear",
    "FiscalYearSuffix": "fiscalYearSuffix",
    "FiscalCalendarID": "fiscalCalendarID",
}
PER_PERIOD = "P"
NONE = Decimal("0.00")


class Budgets(Keeper):
    """The budgets of all companies."""

    tables = (HEAD, DETAIL)

    @property
    def methods(self) -> dict[str, Method]:
        """What this version has: without budget codes, the older methods only."""
        with_codes = {"GetNewGLBudgetHdEx": self.get_new_head, "GetNewGLBudgetDtlEx": self.get_new_detail}
        return {
            **super().methods,
            **(with_codes if self.site.switches["budget_codes"] else {}),
            "GetNewGLBudgetHd": self.get_new_head_without,
            "GetNewGLBudgetDtl": self.get_new_detail_without,
            "ChangeDtlBudgetAmt": self.change_amount,
            "ValidateGLBook": self.validate_book,
            "ValidateBudgetCode": self.validate_code,
            "ValidateGLAccount": self.validate_account,
            "DeleteBudget": self.delete_budget,
        }

    # -- checks that store nothing ------------------------------------------------------------------------------------

    def validate_book(self, call: Call, given: Given) -> Answer:
        """Raise for a book that may not be budgeted."""
        Rules(self.site, call.company).book(parameter(given, "bookID"))
        return {}

    def validate_code(self, call: Call, given: Given) -> Answer:
        """Raise for a budget code that there is not, or that is inactive."""
        self._require_code(call.company, parameter(given, "budgetCodeID"))
        return {}

    def validate_account(self, call: Call, given: Given) -> Answer:
        """Raise for an account that can hold no budget."""
        for name in ("budgetCodeID", "fiscalYear", "fiscalYearSuffix", "budgetAmt", "budgetStatAmt"):
            parameter(given, name)
        Rules(self.site, call.company).book(parameter(given, "bookID"))
        self._require_account(call.company, parameter(given, "account"), parameter(given, "balanceType"))
        return {}

    def _require_code(self, company: str, code: str) -> str:
        """The description of a code that may be used."""
        if not self.site.switches["budget_codes"]:
            return ""
        row = self.books.kept.get(CODE, {}).get((company, code))
        if row is None or row["Inactive"]:
            raise business(f"Budget code {code} is {'inactive' if row else 'not valid'}.", CODE)
        text: str = row["BudgetCodeDesc"]
        return text

    def _require_account(self, company: str, account: str, kind: str) -> None:
        """Only balance accounts hold a budget [S SNO]: D for those kept by department, B for the others, as in the balances."""
        rows = self.books.rows("GLAcctDisp", {"Company": company, "GLAccount": account})
        if not rows or not rows[0]["IsBalanceAcct"]:
            raise business(f"{account} is not a balance account.", HEAD)
        if not rows[0]["Active"]:
            raise business(f"Balance account {account} is not active.", HEAD)
        if kind != rows[0]["BalanceType"]:
            raise business(f"Balance account {account} is not of balance type {kind}.", HEAD)

    def _periods(self, company: str, row: Mapping[str, Any]) -> list[FiscalPeriod]:
        """The ordinary periods of the year of a budget. Raises for a year that its calendar does not have."""
        book = Rules(self.site, company).book(row["BookID"])
        year = (row["FiscalYear"], row["FiscalYearSuffix"])
        periods = self.books.calendar_of(book.code, company).values()
        found = [one for one in periods if (one.year, one.suffix) == year and not one.closing]
        if not found or row["FiscalCalendarID"] != book.calendar:
            raise business(f"Fiscal year {year[0]}{year[1]} is not valid for book {book.code}.", HEAD)
        return found

    # -- before it is stored ------------------------------------------------------------------------------------------

    def get_new_head(self, call: Call, given: Given) -> Answer:
        """GetNewGLBudgetHdEx: one more header, with its key."""
        return self._new_head(call, given, str(parameter(given, "budgetCodeID")))

    def get_new_head_without(self, call: Call, given: Given) -> Answer:
        """The older method, that knows no budget code."""
        return self._new_head(call, given, "")

    def _new_head(self, call: Call, given: Given, code: str) -> Answer:
        ds, key = self.read(given), self._key(call, given)
        row = blank(HEAD, **key, BudgetCodeID=code, COACode=chart.COA, PerBalFmt=self.books.balance_segments)
        ds[HEAD].append(self._coded(row))
        return self.by_reference(ds)

    def get_new_detail(self, call: Call, given: Given) -> Answer:
        """One more detail; needed where Update makes none."""
        return self._new_detail(call, given, str(parameter(given, "budgetCodeID")))

    def get_new_detail_without(self, call: Call, given: Given) -> Answer:
        """The older method."""
        return self._new_detail(call, given, "")

    def _new_detail(self, call: Call, given: Given, code: str) -> Answer:
        ds, key = self.read(given), self._key(call, given)
        period = int(parameter(given, "fiscalPeriod"))
        row = blank(DETAIL, **key, BudgetCodeID=code, FiscalPeriod=period, COACode=chart.COA)
        ds[DETAIL].append(self._coded(row))
        return self.by_reference(ds)

    def _key(self, call: Call, given: Given) -> Row:
        key = {name: parameter(given, said) for name, said in PARAMETERS.items()}
        currency = Rules(self.site, call.company).book(key["BookID"]).currency
        return {"Company": call.company, **key, "FiscalYear": int(key["FiscalYear"]), "CurrencyCode": currency}

    def _coded(self, row: Row) -> Row:
        parts = row["BalanceAcct"].split("|")
        return row | {f"SegValue{at}": code for at, code in enumerate(parts, start=1)}

    def change_amount(self, _: Call, given: Given) -> Answer:
        """ChangeDtlBudgetAmt: the header's total as it would be with the details of this dataset."""
        ds = self.read(given)
        at_hand(ds[DETAIL], DETAIL)
        for head in ds[HEAD]:
            self._sum(head, [row for row in ds[DETAIL] if _below(head, row) and row.get("RowMod") != DELETED])
        return self.by_reference(ds)

    # -- storing ------------------------------------------------------------------------------------------------------

    def store(self, call: Call, table: str, row: Row, ds: Tables) -> Row | None:
        """A header or a detail that is new, changed or deleted."""
        return self._store_head(call, row, ds) if table == HEAD else self._store_detail(row, ds)

    def _store_head(self, call: Call, row: Row, ds: Tables) -> Row | None:
        if row["RowMod"] == DELETED:
            self.require_unchanged(HEAD, row)
            if not self.site.switches["delete_budget"]:
                raise business("Budgets are not deleted here.", HEAD)
            self._drop(row)
            return None
        row["BudgetCodeBudgetCodeDesc"] = self._require_code(call.company, row["BudgetCodeID"])
        if row["RowMod"] == CHANGED:
            self.require_unchanged(HEAD, row)
            self._sum(row, self.details(row))
            return self.put(HEAD, row)
        periods = self._periods(call.company, row)
        self._require_account(call.company, row["BalanceAcct"], row["BalanceType"])
        self.require_new(HEAD, row)
        stored = self.put(HEAD, {**self._coded(row), "BudgetPerCode": row["BudgetPerCode"] or PER_PERIOD})
        if self.site.switches["budget_details"]:
            shared = {name: stored[name] for name in TABLES[DETAIL].columns if name in stored}
            fresh = {**shared, "BudgetAmt": NONE, "BudgetStatAmt": NONE}
            known = {one.get("FiscalPeriod") for one in ds[DETAIL] if _below(stored, one)}
            details = [
                self.put(DETAIL, {**fresh, "FiscalPeriod": one.number}) for one in periods if one.number not in known
            ]
            ds[DETAIL].extend(details)
        return stored

    def _store_detail(self, row: Row, ds: Tables) -> Row | None:
        head = self.stored(HEAD, {name: row[name] for name in TABLES[HEAD].key})
        if head is None:
            raise business(f"{HEAD} not available", HEAD, "Update")
        if row["RowMod"] == ADDED:
            self.require_new(DETAIL, row)
            if row["FiscalPeriod"] not in {one.number for one in self._periods(row["Company"], row)}:
                raise business(f"Fiscal period {row['FiscalPeriod']} is not valid.", DETAIL)
        else:
            self.require_unchanged(DETAIL, row)
        if row["RowMod"] == DELETED:
            self.books.drop(DETAIL, tuple(row[name] for name in TABLES[DETAIL].key))
            stored = None
        else:
            stored = self.put(DETAIL, self._coded(row))
        self._sum(head, self.details(head))
        version = self.put(HEAD, head)["SysRevID"]
        for one in ds[HEAD]:
            if _below(one, row):
                one["SysRevID"] = version
        return stored

    def details(self, head: Mapping[str, Any]) -> list[Row]:
        """The details of a header, by period."""
        rows = [dict(row) for row in self.books.kept.get(DETAIL, {}).values() if _below(head, row)]
        return sorted(rows, key=lambda row: row["FiscalPeriod"])

    def _sum(self, head: Row, details: list[Row]) -> None:
        for total, one in (("TotalBudgetAmt", "BudgetAmt"), ("TotalBudgetStatAmt", "BudgetStatAmt")):
            head[total] = sum((row.get(one, NONE) for row in details), NONE)

    # -- deleting -----------------------------------------------------------------------------------------------------

    def delete_budget(self, call: Call, given: Given) -> Answer:
        """DeleteBudget: everything of a book, code and year. Told to the control door, and refused unless the switch allows it."""
        names = ("inpBookID", "inpBudgetCodeID", "inpFiscalYear", "inpFiscalYearSuffix")
        book, code, year, suffix = (parameter(given, name) for name in names)
        self.site.destroyed.append(f"{call.company} {book} {year}{suffix} {code}".strip())
        if not self.site.switches["delete_budget"]:
            raise RefusalError(403, "DeleteBudget is not allowed here.", "System.UnauthorizedAccessException")
        wanted = (call.company, book, int(year), suffix, code)
        for row in list(self.books.kept.get(HEAD, {}).values()):
            key = ("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "BudgetCodeID")
            if tuple(row[name] for name in key) == wanted:
                self._drop(row)
        return {}

    def _drop(self, head: Mapping[str, Any]) -> None:
        for row in self.details(head):
            self.books.drop(DETAIL, tuple(row[name] for name in TABLES[DETAIL].key))
        self.books.drop(HEAD, tuple(head[name] for name in TABLES[HEAD].key))


def default_code(site: Kinetic) -> Method:
    """BudgetCodeSvc/GetDefaultBudgetCode; that it gives the code as text is ours [I]."""

    def answer(call: Call, _: Given) -> Answer:
        rows = site.books.kept.get(CODE, {}).values()
        found = (row["BudgetCodeID"] for row in rows if row["Company"] == call.company and row["IsDefault"])
        return {"returnObj": next(found, ""), "parameters": {}}

    return answer


def _below(head: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(head.get(name) == row.get(name) for name in TABLES[HEAD].key)
