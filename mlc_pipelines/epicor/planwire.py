"""Rows of Kinetic that only plans need: what can be written into, what stands in entry, in review and in the ledger under a group, and budgets.

Names and keys [S SNO]; which columns the tables of the review journal have is not told by any source [I]. As in `wire`: only what is used.
"""

from typing import Any

import msgspec
from msgspec import field

from mlc_pipelines.epicor.wire import Entity, JournalKey, Row, Segment, Versioned


class PlanSegment(Segment, kw_only=True, gc=False):
    """dynamic: combinations with it come up by being used, the others must exist before they are posted to [S SNO]."""

    dynamic: bool = field(name="Dynamic")


class FullAccount(Versioned, kw_only=True, gc=False):
    """A combination of segment values, and whether it may be posted to."""

    coa: str = field(name="COACode")
    code: str = field(name="GLAccount1")
    active: bool = field(name="Active")
    active_from: str | None = field(name="EffFrom", default=None)
    active_to: str | None = field(name="EffTo", default=None)


class BalanceAccount(Versioned, kw_only=True, gc=False):
    """An account that balances and budgets are kept for. type: D, S or B."""

    coa: str = field(name="COACode")
    code: str = field(name="GLAccount")
    active: bool = field(name="Active")
    type: str | None = field(name="BalanceType", default=None)
    keeps_balance: bool = field(name="IsBalanceAcct")


class JournalCode(Versioned, kw_only=True, gc=False):
    """system: the modules of Kinetic write journals under it."""

    code: str = field(name="JournalCode")
    description: str | None = field(name="JrnlDescription", default=None)
    system: bool = field(name="SystemJournal")


class EarliestDate(Versioned, kw_only=True, gc=False):
    """The earliest date that entries of the company may have [S SNO]."""

    day: str | None = field(name="EarliestApplyDate", default=None)


class Group(Versioned, kw_only=True, gc=False):
    """A group of journals. held_by: who has it open; locked: review has it [S SNO]."""

    code: str = field(name="GroupID")
    book: str = field(name="BookID")
    held_by: str | None = field(name="ActiveUserID", default=None)
    made_by: str | None = field(name="CreatedBy", default=None)
    log: str | None = field(name="PostErrorLog", default=None)
    posted: bool = field(name="Posted")
    locked: bool = field(name="IsLcked")
    review: int | None = field(name="RvnJrnUID", default=None)


class Header(Versioned, kw_only=True, gc=False):
    """A journal in entry."""

    group: str = field(name="GroupID")
    book: str = field(name="BookID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    journal: str = field(name="JournalCode")
    journal_number: int = field(name="JournalNum")
    currency: str = field(name="CurrencyCode")
    comment: str | None = field(name="CommentText", default=None)
    posted: bool = field(name="Posted")
    balance: msgspec.Raw = field(name="Balance")
    takes_unbalanced: bool = field(name="AllowUnbalancedEntries")


class PostedLine(JournalKey, kw_only=True, gc=False):
    """A line of the ledger, with the group and the comment that its journal had in entry [S SNO]."""

    group: str | None = field(name="GroupID", default=None)
    comment: str | None = field(name="CommentText", default=None)
    description: str | None = field(name="Description", default=None)
    statistical: bool | int | None = field(name="Statistical", default=None)
    debit: msgspec.Raw = field(name="BookDebitAmount")
    credit: msgspec.Raw = field(name="BookCreditAmount")


class ReviewLine(Row, kw_only=True):
    account: str = field(name="GLAccount")
    description: str | None = field(name="Description", default=None)
    debit: msgspec.Raw = field(name="BookDebitAmount")
    credit: msgspec.Raw = field(name="BookCreditAmount")


class ReviewJournal(Row, kw_only=True):
    book: str = field(name="BookID")
    group: str = field(name="GroupID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    journal: str = field(name="JournalCode")
    journal_number: int = field(name="JournalNum")
    comment: str | None = field(name="CommentText", default=None)
    lines: list[ReviewLine] = field(name="RvJrnTrDtls", default=[])


class Review(Versioned, kw_only=True, gc=False):
    """A review journal: what somebody must look at before it is posted."""

    uid: int = field(name="RvJrnUID")
    group: str = field(name="GroupID")
    book: str = field(name="BookID")


class ReviewWhole(Review, kw_only=True):
    journals: list[ReviewJournal] = field(name="RvJrnTrs", default=[])


class Task(Versioned, kw_only=True, gc=False):
    """A task of the system agent."""

    number: int = field(name="SysTaskNum")
    note: str | None = field(name="TaskNote", default=None)
    status: str = field(name="TaskStatus")


class TaskLog(Versioned, kw_only=True, gc=False):
    number: int = field(name="SysTaskNum")
    line: int = field(name="SysTaskLogNum")
    text: str | None = field(name="MsgText", default=None)


class BudgetCode(Versioned, kw_only=True, gc=False):
    code: str = field(name="BudgetCodeID")
    description: str | None = field(name="BudgetCodeDesc", default=None)
    inactive: bool = field(name="Inactive")


class BudgetHead(Versioned, kw_only=True, gc=False):
    """The budget of one balance account and year. per: whether its figures are per period or annual [S SNO]."""

    book: str = field(name="BookID")
    account: str = field(name="BalanceAcct")
    type: str = field(name="BalanceType")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    calendar: str = field(name="FiscalCalendarID")
    per: str | None = field(name="BudgetPerCode", default=None)


class BudgetDetail(Row, kw_only=True):
    """The figure of one period; debits positive, credits negative [S SNO]."""

    number: int = field(name="FiscalPeriod")
    amount: msgspec.Raw = field(name="BudgetAmt")


class BudgetWhole(BudgetHead, kw_only=True):
    details: list[BudgetDetail] = field(name="GLBudgetDtls", default=[])
    cut: str | None = field(name="GLBudgetDtls@odata.nextLink", default=None)


SEGMENTS = Entity("Erp.BO.COASegmentSearchSvc", "COASegmentSearches", PlanSegment, ("COACode", "SegmentNbr"))
FULL_ACCOUNTS = Entity("Erp.BO.GLAccountSvc", "GLAccounts", FullAccount, ("COACode", "GLAccount1"))
BALANCE_ACCOUNTS = Entity("Erp.BO.GLAcctDispSvc", "GLAcctDisps", BalanceAccount, ("COACode", "GLAccount"))
JOURNAL_CODES = Entity("Erp.BO.JrnlCodeSvc", "JrnlCodes", JournalCode, ("JournalCode",))
EARLIEST = Entity("Erp.BO.EADSvc", "EADs", EarliestDate, ("Company",))
GROUPS = Entity("Erp.BO.GLJrnGrpSvc", "GLJrnGrps", Group, ("GroupID",))
HEADERS = Entity(
    "Erp.BO.GLJournalEntrySvc",
    "GLJournalEntries",
    Header,
    ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum"),
)
_LINE_KEY = ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum", "JournalLine")
POSTED_LINES = Entity("Erp.BO.GLJrnDtlSvc", "GLJrnDtls", PostedLine, _LINE_KEY)
REVIEWS = Entity("Erp.BO.ReviewJrnSvc", "RvJrns", Review, ("RvJrnUID",))
REVIEW_CHILDREN = "RvJrnTrs($expand=RvJrnTrDtls)"
TASKS = Entity("Ice.BO.SysTaskSvc", "SysTasks", Task, ("SysTaskNum",))
TASK_LOGS = Entity("Ice.BO.SysTaskLogSvc", "SysTaskLogs", TaskLog, ("SysTaskNum", "SysTaskLogNum"))
BUDGET_CODES = Entity("Erp.BO.BudgetCodeSvc", "BudgetCodes", BudgetCode, ("BudgetCodeID",))
BUDGETS: Entity[Any] = Entity(
    "Erp.BO.AccountBudgetSvc",
    "AccountBudgets",
    BudgetHead,
    ("BookID", "BalanceAcct", "BalanceType", "FiscalYear", "FiscalYearSuffix", "FiscalCalendarID"),
)
BUDGET_DETAILS = "GLBudgetDtls"
