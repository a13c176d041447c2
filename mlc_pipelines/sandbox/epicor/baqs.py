"""The queries that this instance's owner has built: three that our reference suggests, and a plain one of open purchase orders.

A column is `Table_Field`; RowIdent comes with every row. Parameters are plain names in the query string, repeated for a list; those that the query
does not declare are ignored, and those named like a constant of the designer make it return nothing [S EPG]. None of the queries is limited to one
company unless `Company` is given: a sister company's rows come too. What a missing parameter does is ours: no limit [I]. Reference: epicor 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PERIOD = "FiscalYear FiscalYearSuffix FiscalPeriod FiscalCalendarID"
_SEGMENTS = "SegValue1 SegValue2 SegValue3"


@dataclass(frozen=True, slots=True)
class Baq:
    """A query over one table. `joins`: other tables that are looked up by these columns (theirs -> column of an earlier one).

    `parameters`: name -> (table, column, comparison). `fixed`: conditions that its author has put in.
    """

    name: str
    table: str
    columns: Mapping[str, str]
    parameters: Mapping[str, tuple[str, str, str]]
    joins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fixed: Mapping[tuple[str, str], Any] = field(default_factory=dict)


BAQS: dict[str, Baq] = {
    one.name: one
    for one in (
        Baq(
            "ML_GLPeriodBal",
            "GLPeriodBal",
            {
                "GLPeriodBal": f"Company BookID BalanceAcct BalanceType {_PERIOD} OpenBalance CarryForwardBalance BalanceAmt DebitAmt CreditAmt "
                f"{_SEGMENTS} COACode NormalBal BookCurrencyCode SysRevID"
            },
            {
                "Company": ("GLPeriodBal", "Company", "eq"),
                "BookID": ("GLPeriodBal", "BookID", "eq"),
                "FiscalYear": ("GLPeriodBal", "FiscalYear", "eq"),
                "FiscalYearSuffix": ("GLPeriodBal", "FiscalYearSuffix", "eq"),
                "FiscalPeriod": ("GLPeriodBal", "FiscalPeriod", "eq"),
            },
        ),
        Baq(
            "ML_GLJrnDtl",
            "GLJrnDtl",
            {
                "GLJrnDtl": f"Company BookID {_PERIOD} CloseFiscalPeriod JournalCode JournalNum JournalLine Description CommentText JEDate PostedDate "
                f"CreateDate Posted GroupID SourceModule COACode GLAccount {_SEGMENTS} BalanceAcct CurrencyCode DebitAmount CreditAmount "
                "BookDebitAmount BookCreditAmount Statistical DebitStatAmt CreditStatAmt VendorNum APInvoiceNum Plant PerBalFlag Reverse SrcCompany "
                "SysRevID"
            },
            {
                "Company": ("GLJrnDtl", "Company", "eq"),
                "BookID": ("GLJrnDtl", "BookID", "eq"),
                "FiscalYear": ("GLJrnDtl", "FiscalYear", "eq"),
                "FiscalYearSuffix": ("GLJrnDtl", "FiscalYearSuffix", "eq"),
                "FiscalPeriod": ("GLJrnDtl", "FiscalPeriod", "eq"),
                "SourceModule": ("GLJrnDtl", "SourceModule", "eq"),
                "GroupID": ("GLJrnDtl", "GroupID", "eq"),
                "SinceRev": ("GLJrnDtl", "SysRevID", "gt"),
            },
        ),
        Baq(
            "ML_APSpend",
            "APInvExpTGLC",
            {
                "APInvHed": f"Company VendorNum InvoiceNum InvoiceDate ApplyDate Posted {_PERIOD} DebitMemo CurrencyCode ExchangeRate InvoiceAmt "
                "DocInvoiceAmt Description GroupID JournalCode JournalNum ChangeDate SysRevID",
                "Vendor": "VendorID Name",
                "APInvExp": "InvoiceLine InvExpSeq ExpAmt DocExpAmt GLAccount",
                "APInvExpTGLC": f"Company VendorNum InvoiceNum InvoiceLine InvExpSeq RecordType BookID COACode GLAccount {_SEGMENTS} {_PERIOD} JournalCode "
                "JournalNum JournalLine DebitAmount CreditAmount BookDebitAmount BookCreditAmount SysRevID",
            },
            {
                "Company": ("APInvHed", "Company", "eq"),
                "FromDate": ("APInvHed", "ApplyDate", "ge"),
                "ToDate": ("APInvHed", "ApplyDate", "le"),
                "FiscalYear": ("APInvHed", "FiscalYear", "eq"),
                "FiscalPeriod": ("APInvHed", "FiscalPeriod", "eq"),
            },
            {
                "APInvExp": {name: name for name in ("Company", "VendorNum", "InvoiceNum", "InvoiceLine", "InvExpSeq")},
                "APInvHed": {name: name for name in ("Company", "VendorNum", "InvoiceNum")},
                "Vendor": {name: name for name in ("Company", "VendorNum")},
                "GLBook": {name: name for name in ("Company", "BookID")},
            },
            {("APInvHed", "Posted"): True, ("APInvExpTGLC", "RecordType"): "R", ("GLBook", "MainBook"): True},
        ),
        Baq(
            "OpenPOs",
            "PODetail",
            {
                "POHeader": "Company PONum OrderDate VendorNum CurrencyCode",
                "Vendor": "VendorID Name",
                "PODetail": "POLine PartNum LineDesc OrderQty UnitCost ExtCost DueDate",
            },
            {"Company": ("POHeader", "Company", "eq")},
            {
                "POHeader": {"Company": "Company", "PONum": "PONUM"},
                "Vendor": {"Company": "Company", "VendorNum": "POHeader.VendorNum"},
            },
            {("POHeader", "OpenOrder"): True, ("PODetail", "OpenLine"): True},
        ),
    )
}
