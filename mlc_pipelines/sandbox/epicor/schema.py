"""What the instance can show: the tables of its books with their types, and services with their entity sets.

Names of services and sets: epicor 1.1, 2.5, 11 [S SNO]. That amounts are decimals and everything counted is an integer is ours [I]. Columns that
the books have beyond those that are described are shown as well (a customer's `_c` columns).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from mlc_pipelines.sandbox.ironvale.tables import TABLES

EDM = {"i": "Int32", "l": "Int64", "d": "Decimal", "b": "Boolean", "t": "DateTimeOffset", "g": "Guid", "s": "String"}
"""Letter of a type -> Edm name. `s` is the default."""

EMPTY: Mapping[str, Any] = {"i": 0, "l": 0, "d": Decimal(0), "b": False, "t": None, "g": "", "s": ""}
"""What a column shows where the books say nothing."""

_LETTERS = {"int": "i", "decimal": "d", "bool": "b", "date": "t", "datetime": "t", "guid": "g", "string": "s"}

_SERVICES = """
Erp.BO.GLPeriodBalSearchSvc GLPeriodBalSearches=GLPeriodBal
Erp.BO.GLJrnDtlSvc GLJrnDtls=GLJrnDtl
Erp.BO.GLAccountSvc GLAccounts=GLAccount
Erp.BO.GLAcctDispSvc GLAcctDisps=GLAcctDisp
Erp.BO.COASvc COAs=COA COAs/COASegments=COASegment
Erp.BO.COASegmentSearchSvc COASegmentSearches=COASegment
Erp.BO.COASegValuesSvc COASegValues=COASegValues
Erp.BO.COAActCatSvc COAActCats=COAActCat
Erp.BO.GLBookSvc GLBooks=GLBook
Erp.BO.GLBookPerSearchSvc GLBookPerSearches=GLBookPer
Erp.BO.FiscalCalSvc FiscalCals=FiscalCal FiscalCals/FiscalYrs=FiscalYr FiscalYrs/FiscalPers=FiscalPer
Erp.BO.FiscalYrSearchSvc FiscalYrSearches=FiscalYr
Erp.BO.FiscalPerSearchSvc FiscalPerSearches=FiscalPer
Erp.BO.EADSvc EADs=EADComp EADs/EADTypes=EADType
Erp.BO.JrnlCodeSvc JrnlCodes=JrnlCode
Erp.BO.CompanySvc Companies=Company
Erp.BO.VendorSvc Vendors=Vendor
Erp.BO.POSvc POes=POHeader POes/PODetails=PODetail
Erp.BO.APInvoiceSvc APInvoices=APInvHed APInvoices/APInvDtls=APInvDtl APInvDtls/APInvExps=APInvExp APInvExps/APInvExpTGLCs=APInvExpTGLC APInvoices/APIHAPInvExps=APInvExp
Erp.BO.BudgetCodeSvc BudgetCodes=BudgetCode
Erp.BO.AccountBudgetSvc AccountBudgets=GLBudgetHd AccountBudgets/GLBudgetDtls=GLBudgetDtl
Erp.BO.GLJrnGrpSvc GLJrnGrps=GLJrnGrp
Erp.BO.GLJournalEntrySvc GLJournalEntries=GLJrnHed GLJournalEntries/GLJrnDtlMnls=GLJrnDtlMnl
Erp.BO.ReviewJrnSvc RvJrns=RvJrn RvJrns/RvJrnTrs=RvJrnTr RvJrnTrs/RvJrnTrDtls=RvJrnTrDtl
Ice.BO.SysTaskSvc SysTasks=SysTask
Ice.BO.SysTaskLogSvc SysTaskLogs=SysTaskLog
Erp.Proc.GLJrnAsynchSvc
Erp.BO.UserFileSvc UserFiles=UserFile
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its key columns in order, and the letters of all its columns."""

    name: str
    keys: tuple[str, ...]
    columns: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Its name in $metadata and in errors: "Erp.GLBook"."""
        return f"Erp.{self.name}"


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A set of a service. `parent` is the set it hangs on, None for one that is read by itself."""

    name: str
    table: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A business object: its sets, the top one first."""

    name: str
    sets: Mapping[str, EntitySet]

    @property
    def top(self) -> EntitySet:
        """The set whose rows are the documents."""
        return next(iter(self.sets.values()))

    @property
    def short(self) -> str:
        """The name in denials: "Erp.BO.GLBook"."""
        return self.name.removesuffix("Svc")

    def children(self, parent: str) -> dict[str, EntitySet]:
        """The sets below one: those of its kind of row, wherever rows of that kind stand."""
        table = self.sets[parent].table
        return {one.name: one for one in self.sets.values() if one.parent and self.sets[one.parent].table == table}

    def tables(self) -> dict[str, str]:
        """Set -> table, each set once."""
        return {one.name: one.table for one in self.sets.values()}


USERS = Table("UserFile", ("DcdUserID",), dict.fromkeys(("DcdUserID", "Name", "EMailAddress", "CurComp"), "s"))
"""The users, as far as a client in the field asks for them to prove its login [C KDV]."""

_TASK = """SysTaskNum/i Company TaskDescription TaskNote TaskType TaskStatus SubmitUser AgentID ProgressPercent/i StartedOn/t EndedOn/t
  SysRevID/l SysRowID/g RowMod"""
_TASK_LOG = "SysTaskNum/i SysTaskLogNum/i Company MsgType MsgText EnteredOn/t SysRevID/l SysRowID/g RowMod"
"""Tasks of the system agent [S SNO, C KDV: number, description, note, status, user, percentage; I: the rest]."""


def _letters(text: str) -> dict[str, str]:
    parts = (word.partition("/") for word in text.split())
    return {name: letter or "s" for name, _, letter in parts}


TASKS = Table("SysTask", ("SysTaskNum",), _letters(_TASK))
TASK_LOGS = Table("SysTaskLog", ("SysTaskNum", "SysTaskLogNum"), _letters(_TASK_LOG))


@cache
def tables() -> Mapping[str, Table]:
    """All tables by name."""
    found = {
        one.name: Table(one.name, one.key, {name: _letter(name, kind) for name, kind in one.columns.items()})
        for one in TABLES.values()
    }
    return {**found, **{one.name: one for one in (USERS, TASKS, TASK_LOGS)}}


@cache
def services() -> Mapping[str, Service]:
    """All services by their name without case: clients spell `Erp.Bo` and `Erp.BO` [C NPM]."""
    found = [_service(line) for line in _SERVICES.strip().splitlines()]
    return {one.name.casefold(): one for one in found}


def company_of(table: str) -> str:
    """The column that tells whose row it is; "" for the tables that all companies share."""
    return next((name for name in ("Company", "Company1") if name in tables()[table].columns), "")


def letter_of(value: Any) -> str:
    """The type of a column that only the books know."""
    for kind, letter in ((bool, "b"), (int, "i"), (Decimal, "d"), (date, "t")):
        if isinstance(value, kind):
            return letter
    return "s"


def _letter(name: str, kind: str) -> str:
    return "l" if name == "SysRevID" else _LETTERS[kind]


def _service(line: str) -> Service:
    name, *words = line.split()
    sets = {}
    for word in words:
        path, _, table = word.partition("=")
        parent, _, own = path.rpartition("/")
        sets[own] = EntitySet(own, table, parent or None)
    return Service(name, sets)
