"""The tables of the second sample company as Kinetic has them: columns with their types, key columns, parent and child.

Column names are those of the reference sheet, sections 4 and 10 [S SNO]; those it does not name are marked here:
Company.CurrentFiscalYearSuffix, the invoice columns PrePayment, CorrectionInv, RefCancelled, RefCancelledBy and TaxAmt, and
APInvExpTGLC.TGLCTranNum, RelatedToFile and IsMainBook, and what RvJrn, RvJrnTr and RvJrnTrDtl hold [I].
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

KINDS = {"i": "int", "m": "decimal", "b": "bool", "d": "date", "t": "datetime", "g": "guid", "": "string"}
SEGMENTS = tuple(f"SegValue{number}" for number in range(1, 21))

# "<table> [< <parent>] : <columns>". A column is text, or "/i" int, "/m" decimal, "/b" bool, "/d" date, "/t" date and time,
# "/g" guid. "*" before a name: part of the key, in this order. "SEGS" stands for SegValue1..20, "SYS" for the two columns
# of every table and RowMod.
_TABLES = """
Company : *Company1 Name CurrentFiscalYear/i CurrentFiscalYearSuffix FiscalCalendarID BaseCurrCode Address1 City State Country SYS
GLBook : *Company *BookID Description MainBook/b COACode CurrencyCode BookType Inactive/b FiscalCalendarID COABalFmtChg/b REAccount
  RndTolerance/m RndAccount OpenBalUpdateOpt SYS
COA : *Company *COACode Description SeparatorChar PerBalFmt TBBalFmt CtrlSegList GlobalCOA/b MasterCOA/b NbrSegments/i ChartLength/i SYS
COASegment < COA : *Company *COACode *SegmentNbr/i SegmentName Abbreviation MaxLength/i MinLength/i Dynamic/b UseRefEntity/b RefEntity
  AllowAlpha/b EntryControl/i SegSelfBal/b Level/i SummaryBal/b DetailBal/b KeepOpenBal/b DisplayOrder/i SelfBalAcct SelfOffAcct SiteSegment/b SYS
COASegValues : *Company *COACode *SegmentNbr/i *SegmentCode SegmentName SegmentDesc SegmentAbbrev ActiveFlag/b EffectiveFrom/d EffectiveTo/d
  Category NormalBalance CurrAcct/b Statistical/i StatUOMCode RefEntityType ReportCategory LinkedPlant SegNbrName SYS
COAActCat : *Company *COACode *CategoryID Description Type NormalBalance ParentCategory Sequence/i NetIncome/b SYS
GLAccount : *Company *COACode *GLAccount1 AccountDesc SEGS PreservDesc/b PreserveActivation/b Active/b EffFrom/d EffTo/d MultiCompany/b
  ParentGLAccount ExtCompID GLAcctDispGLAcctDisp GLAcctDispAccountDesc GLAcctDispGLShortAcct SYS
GLAcctDisp : *Company *COACode *GLAccount GLAcctDisp1 AccountDesc GLShortAcct Active/b EffFrom/d EffTo/d SEGS BalanceType CatType
  IsGLAccount/b IsBalanceAcct/b COACategory CategoryDesc NormalBalance CanUseCarryFwdBal/b SYS
GLJrnDtl : *Company *BookID *FiscalYear/i *FiscalYearSuffix *JournalCode *JournalNum/i *JournalLine/i FiscalPeriod/i FiscalCalendarID
  CloseFiscalPeriod/i Description CommentText JEDate/d GroupID PostedBy PostedDate/d Posted/b SourceModule COACode GLAccount SEGS BalanceAcct
  TrialAcct CurrencyCode DebitAmount/m CreditAmount/m BookDebitAmount/m BookCreditAmount/m Statistical/b StatUOMCode DebitStatAmt/m
  CreditStatAmt/m VendorNum/i APInvoiceNum CustNum/i ARInvoiceNum/i BankAcctID CheckNum/i Reverse/b HasReverseLine/b ParentRUID LegalNumber
  TranDocTypeID ABTUID CreateDate/d PerBalFlag/b TBFlag/b DailyBalFlag/b SrcCompany SrcBook SrcGLAccount SrcJrnlCode SrcJournalNum/i
  SrcJournalLine/i SrcType MatchCode/i MatchDate/d Reconciled/b Plant SourcePlant Sequence/i GLAcctDisp GLAccountGLAcctDisp
  GLAccountAccountDesc JournalCodeJrnlDescription BookCurrencyCode TotDebit/m TotCredit/m HeaderCommentText SYS
GLPeriodBal : *Company *BookID *BalanceAcct *BalanceType *FiscalYear/i *FiscalYearSuffix *FiscalPeriod/i *FiscalCalendarID
  CarryForwardBalance/m OpenBalance/m BalanceAmt/m DebitAmt/m CreditAmt/m SEGS BalanceStatAmt/m DebitStatAmt/m CreditStatAmt/m
  OpenBalanceStatAmt/m CarryForwardBalanceStatAmt/m CategoryDesc COACode CurrAcct/b NormalBal BalAcctDesc BalanceAcctDisp BookCurrencyCode
  CanUseCarryFwdBal/b BitFlag/i SYS
GLBookPer : *Company *BookID *FiscalCalendarID *FiscalYear/i *FiscalYearSuffix *FiscalPeriod/i CloseFiscalPeriod/i StartDate/d EndDate/d
  ClosedPeriod/b CloseFiscalPeriodDisp SYS
FiscalCal : *Company *FiscalCalendarID Description StartDate/d EndDate/d GlobalCal/b SYS
FiscalYr < FiscalCal : *Company *FiscalCalendarID *FiscalYear/i *FiscalYearSuffix StartDate/d EndDate/d NumPeriods/i NumClosingPeriods/i
  NextFiscalYear/i NextFiscalYearSuffix PrevFiscalYear/i PrevFiscalYearSuffix Description SYS
FiscalPer < FiscalYr : *Company *FiscalCalendarID *FiscalYear/i *FiscalYearSuffix *FiscalPeriod/i StartDate/d EndDate/d
  CloseFiscalPeriod/i FAClosedPeriod/b SYS
EADComp : *Company DefineBy EarliestApplyDate/d FiscalYear/i FiscalPeriod/i FiscalCalendarID FiscalYearSuffix SYS
EADType < EADComp : *Company *EADType1 TypeDescription EarliestApplyDate/d EffectiveDate/d FiscalYear/i FiscalPeriod/i FiscalCalendarID
  FiscalYearSuffix SYS
JrnlCode : *Company *JournalCode JrnlDescription SystemJournal/b AllowStatJournals/b JournalType SYS
Vendor : *Company *VendorNum/i VendorID Name Inactive/b Approved/b GroupCode CurrencyCode TermsCode Address1 City State Country TaxPayerID SYS
APInvHed : *Company *VendorNum/i *InvoiceNum Posted/b OpenPayable/b GLPosted/b DebitMemo/b PrePayment/b CorrectionInv/b RefCancelled
  RefCancelledBy InvoiceDate/d ApplyDate/d DueDate/d FiscalYear/i FiscalYearSuffix FiscalPeriod/i FiscalCalendarID InvoiceAmt/m
  DocInvoiceAmt/m InvoiceBal/m DocInvoiceBal/m TaxAmt/m DocTaxAmt/m CurrencyCode ExchangeRate/m RateGrpCode TermsCode Description
  InvoiceComment REFPONum/i GroupID JournalCode JournalNum/i EntryPerson ChangedBy ChangeDate/d VendorNumVendorID VendorNumName SYS
APInvDtl < APInvHed : *Company *VendorNum/i *InvoiceNum *InvoiceLine/i LineType PartNum Description VendorQty/m PUM UnitCost/m
  DocUnitCost/m ExtCost/m DocExtCost/m PONum/i POLine/i PackSlip PackLine/i FinalInvoice/b ChangedBy ChangeDate/d SYS
APInvExp < APInvDtl : *Company *VendorNum/i *InvoiceNum *InvoiceLine/i *InvExpSeq/i ExpAmt/m DocExpAmt/m COACode GLAccount BookID SYS
APInvExpTGLC < APInvExp : *Company *VendorNum/i *InvoiceNum *InvoiceLine/i *InvExpSeq/i *TGLCTranNum/i RelatedToFile RecordType BookID
  IsMainBook/b COACode GLAccount SEGS FiscalYear/i FiscalYearSuffix FiscalPeriod/i FiscalCalendarID JournalCode JournalNum/i JournalLine/i
  TranDate/d TranSource CurrencyCode DebitAmount/m CreditAmount/m BookDebitAmount/m BookCreditAmount/m CreateDate/d SysDate/d SYS
POHeader : *Company *PONum/i OrderDate/d OpenOrder/b VoidOrder/b VendorNum/i BuyerID CurrencyCode Approve/b ApprovalStatus ApprovedDate/d
  Confirmed/b TotalOrder/m DocTotalOrder/m ChangeDate/d ChangedBy SYS
PODetail < POHeader : *Company *PONUM/i *POLine/i PartNum LineDesc OrderQty/m UnitCost/m ExtCost/m OpenLine/b VoidLine/b DueDate/d
  ChangeDate/d SYS
BudgetCode : *Company *BudgetCodeID BudgetCodeDesc IsDefault/b Inactive/b SYS
GLBudgetHd : *Company *BookID *BalanceAcct *BalanceType *FiscalYear/i *FiscalYearSuffix *FiscalCalendarID *BudgetCodeID SEGS
  TotalBudgetAmt/m TotalBudgetStatAmt/m BudgetPerCode CashFlow/b COACode PerBalFmt TBBalFmt BudgetAmt/m BudgetStatAmt/m CurrencyCode
  Statistical/b StatUOMCode BudgetCodeBudgetCodeDesc GLAcctDispGLAcctDisp GLAcctDispAccountDesc GLBookDescription SYS
GLBudgetDtl < GLBudgetHd : *Company *BookID *BalanceAcct *BalanceType *FiscalYear/i *FiscalYearSuffix *FiscalPeriod/i *FiscalCalendarID
  *BudgetCodeID SEGS COACode BudgetAmt/m BudgetStatAmt/m CurrencyCode SYS
GLJrnGrp : *Company *GroupID BookMode BookID CurrencyCode RateGrpCode CreatedBy ActiveUserID PostErrorLog JEDate/d FiscalYear/i
  FiscalPeriod/i JournalCode FiscalYearSuffix FiscalCalendarID COACode FiscalPeriodType CloseFiscalPeriod/i Posted/b HasDetails/b LockStatus
  IsLcked/b RvnJrnUID/i SYS
GLJrnHed : *Company *BookID *FiscalYear/i *FiscalYearSuffix *JournalCode *JournalNum/i *FiscalCalendarID FiscalPeriod/i Description
  CommentText JEDate/d GroupID TotDebit/m TotCredit/m Balance/m Override/b CurrencyCode RateGrpCode LegalNumber EnteredBy Reverse/b
  ReverseDate/d MultiCompany/b CreateDate/d CloseFiscalPeriod/i RedStorno/b Posted/b PostedDate/d ProcessType CorrAccounting/b TaxHandling/b
  TranDocTypeID Statistical/b JournalHeld/b SourcePlant ExtSysType ExtSysURL AllowUnbalancedEntries/b IsLcked/b LockStatus RvnJrnUID/i
  LegalNumMessage SystemTranType SYS
GLJrnDtlMnl < GLJrnHed : *Company *BookID *FiscalYear/i *FiscalYearSuffix *JournalCode *JournalNum/i *JournalLine/i *FiscalCalendarID
  FiscalPeriod/i Description CommentText JEDate/d GroupID TransAmt/m DocTransAmt/m TotDebit/m TotCredit/m TotCurrDebit/m TotCurrCredit/m
  DebitAmount/m CreditAmount/m COACode GLAccount SEGS CurrAcct/b CurrencyCode CurrencyCodeAcct Posted/b PostedDate/d SourceModule Reverse/b
  MultiCompany/b ExtCompanyID ExtCOACode ExtGLAccount Statistical/b DebitStatAmt/m CreditStatAmt/m StatAmount/m SkipBalances/b LegalNumber
  TaxLine/b LineReferenceType LineReference ExtSysType ExtSysURL InvalidGLAccount/b InvalidGLAccountMessage GLGLAcctDisp GLAccountDesc SYS
RvJrn : *RvJrnUID/i Company GroupID BookID JournalCode SourceModule Description Status EntryPerson CreateDate/d SYS
RvJrnTr < RvJrn : *RvJrnUID/i *RvJrnTrUID/i Company BookID FiscalYear/i FiscalYearSuffix FiscalPeriod/i FiscalCalendarID JournalCode
  JournalNum/i GroupID JEDate/d Description CommentText SYS
RvJrnTrDtl < RvJrnTr : *RvJrnUID/i *RvJrnTrUID/i *JournalLine/i Company BookID JournalCode JournalNum/i GroupID GLAccount SEGS
  BookDebitAmount/m BookCreditAmount/m Description CommentText SYS
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the kind of value in each column, the columns of its key in order, and the table it is a child of ("" for none).

    Kinds: int, decimal, bool, date, datetime, guid, string.
    """

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    parent: str

    @property
    def joins(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a column of this table and the key column of the parent that it equals; nothing for a table without a parent."""
        own = {column.upper(): column for column in self.columns}
        return tuple((own[column.upper()], column) for column in TABLES[self.parent].key) if self.parent else ()

    @property
    def blank(self) -> dict[str, object]:
        """A row in which nothing has been said: empty text, zero, false, no date."""
        nothing = {
            "int": 0,
            "decimal": Decimal("0.00"),
            "bool": False,
            "string": "",
            "guid": "",
            "date": None,
            "datetime": None,
        }
        return {column: nothing[kind] for column, kind in self.columns.items()}


def _read(text: str) -> dict[str, Table]:
    """The tables by name, as written above."""
    entries: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith("  "):
            entries[-1] += line
        else:
            entries.append(line)
    return {table.name: table for table in map(_table, entries)}


def _table(entry: str) -> Table:
    heading, columns = entry.split(" : ")
    name, _, parent = heading.partition(" < ")
    kinds: dict[str, str] = {}
    key: list[str] = []
    for word in columns.replace("SEGS", " ".join(SEGMENTS)).replace("SYS", "SysRevID/i SysRowID/g RowMod").split():
        column, _, kind = word.removeprefix("*").partition("/")
        kinds[column] = KINDS[kind]
        if word.startswith("*"):
            key.append(column)
    return Table(name, kinds, tuple(key), parent)


TABLES: dict[str, Table] = _read(_TABLES)

CHILDREN: dict[str, tuple[str, ...]] = {
    name: tuple(child.name for child in TABLES.values() if child.parent == name) for name in TABLES
}
"""The tables below each table."""


def row_id(table: str, *key: object) -> str:
    """The SysRowID of a row: made up, and always the same for the same key."""
    digest = hashlib.md5(repr((table, key)).encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
