"""Rows of Kinetic as types. Only the columns that are used stand here; a request names exactly these, and others are skipped undecoded.

Names and keys [S SNO]; what each column means, see reference sections 4 and 5. Money stays the very text that was sent. A column without a
default must be there in every row; those with one may be empty. SysRevID is the row's version: one rising number over all tables [C SUG].
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import field


class Row(msgspec.Struct, kw_only=True, gc=False):
    """Any row. company is held against the one asked for: a query can mix several [domain sheet 3.3]."""

    company: str = field(name="Company")


class Versioned(Row, kw_only=True, gc=False):
    revision: int = field(name="SysRevID")


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Entity(Generic[R]):
    """An entity set that can be read from the top, and the type of its rows. key: what tells rows apart, beside the company."""

    service: str
    set: str
    row: type[R]
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.service}/{self.set}"

    @property
    def table(self) -> str:
        """The dataset table: what its columns are called after in a query."""
        return _TABLES.get(self.set, self.set.removesuffix("Searches").removesuffix("s"))


_TABLES = {"GLPeriodBalSearches": "GLPeriodBal", "GLJrnDtls": "GLJrnDtl", "APInvoices": "APInvHed"}


class Book(Versioned, kw_only=True, gc=False):
    code: str = field(name="BookID")
    description: str | None = field(name="Description", default=None)
    main: bool = field(name="MainBook")
    coa: str = field(name="COACode")
    currency: str = field(name="CurrencyCode")
    kind: str | int | None = field(name="BookType", default=None)
    inactive: bool = field(name="Inactive")
    calendar: str = field(name="FiscalCalendarID")
    retained: str | None = field(name="REAccount", default=None)


class Chart(Versioned, kw_only=True, gc=False):
    code: str = field(name="COACode")
    separator: str | None = field(name="SeparatorChar", default=None)
    balance_format: str | None = field(name="PerBalFmt", default=None)


class Segment(Versioned, kw_only=True, gc=False):
    coa: str = field(name="COACode")
    number: int = field(name="SegmentNbr")
    name: str | None = field(name="SegmentName", default=None)
    in_detail: bool = field(name="DetailBal")
    in_summary: bool = field(name="SummaryBal")


class SegmentValue(Versioned, kw_only=True, gc=False):
    coa: str = field(name="COACode")
    segment: int = field(name="SegmentNbr")
    code: str = field(name="SegmentCode")
    name: str | None = field(name="SegmentName", default=None)
    description: str | None = field(name="SegmentDesc", default=None)
    active: bool = field(name="ActiveFlag")
    active_from: str | None = field(name="EffectiveFrom", default=None)
    active_to: str | None = field(name="EffectiveTo", default=None)
    category: str | None = field(name="Category", default=None)
    normal_side: str | None = field(name="NormalBalance", default=None)
    statistical: bool | int | None = field(name="Statistical", default=None)


class Category(Versioned, kw_only=True, gc=False):
    coa: str = field(name="COACode")
    code: str = field(name="CategoryID")
    description: str | None = field(name="Description", default=None)
    type: str | None = field(name="Type", default=None)
    normal_side: str | None = field(name="NormalBalance", default=None)
    parent: str | None = field(name="ParentCategory", default=None)


class Account(Versioned, kw_only=True, gc=False):
    """A combination of segment values that may be posted to."""

    coa: str = field(name="COACode")
    code: str = field(name="GLAccount1")


class BookPeriod(Versioned, kw_only=True, gc=False):
    book: str = field(name="BookID")
    calendar: str = field(name="FiscalCalendarID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    closing: int | None = field(name="CloseFiscalPeriod", default=None)
    closed: bool = field(name="ClosedPeriod")


class CalendarPeriod(Versioned, kw_only=True, gc=False):
    calendar: str = field(name="FiscalCalendarID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    start_on: str = field(name="StartDate")
    end_on: str = field(name="EndDate")


class JournalKey(Versioned, kw_only=True, gc=False):
    """A posted line by name: what is enough to count it, or to say that it changed."""

    book: str = field(name="BookID")
    calendar: str = field(name="FiscalCalendarID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    journal: str = field(name="JournalCode")
    journal_number: int = field(name="JournalNum")
    line: int = field(name="JournalLine")
    posted: bool = field(name="Posted")
    posted_on: str | None = field(name="PostedDate", default=None)


class JournalLine(JournalKey, kw_only=True, gc=False):
    """A posted line. The Book amounts are in the currency of the book, the others in that of the transaction [S SNO]."""

    coa: str = field(name="COACode")
    day: str | None = field(name="JEDate", default=None)
    description: str | None = field(name="Description", default=None)
    statistical: bool | int | None = field(name="Statistical", default=None)
    vendor_invoice: str | None = field(name="APInvoiceNum", default=None)
    customer_invoice: int | str | None = field(name="ARInvoiceNum", default=None)
    legal_number: str | None = field(name="LegalNumber", default=None)
    group: str | None = field(name="GroupID", default=None)
    plant: str | None = field(name="Plant", default=None)
    debit: msgspec.Raw = field(name="BookDebitAmount")
    credit: msgspec.Raw = field(name="BookCreditAmount")


class PayablesLine(JournalLine, kw_only=True, gc=False):
    """A posted line of module AP: whom it concerns, and whether it paid."""

    vendor: int | None = field(name="VendorNum", default=None)
    bank: str | None = field(name="BankAcctID", default=None)
    check: int | str | None = field(name="CheckNum", default=None)


class PeriodBalance(Versioned, kw_only=True, gc=False):
    """A balance account in a period; period 0 holds what was carried over [S SNO]. BalanceType: D detail, S summary, B both."""

    book: str = field(name="BookID")
    account: str = field(name="BalanceAcct")
    type: str = field(name="BalanceType")
    calendar: str = field(name="FiscalCalendarID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    coa: str = field(name="COACode")
    opening: msgspec.Raw = field(name="OpenBalance")
    movement: msgspec.Raw = field(name="BalanceAmt")
    debit: msgspec.Raw = field(name="DebitAmt")
    credit: msgspec.Raw = field(name="CreditAmt")


class Vendor(Versioned, kw_only=True, gc=False):
    number: int = field(name="VendorNum")
    code: str = field(name="VendorID")
    name: str | None = field(name="Name", default=None)
    inactive: bool = field(name="Inactive")


class Distribution(Row, kw_only=True, gc=False):
    """What a piece of an invoice was booked to (APInvExpTGLC). RecordType: R with amounts, A account only [S SNO]."""

    book: str = field(name="BookID")
    record_type: str = field(name="RecordType")
    debit: msgspec.Raw = field(name="BookDebitAmount")
    credit: msgspec.Raw = field(name="BookCreditAmount")


class InvoiceHeader(Versioned, kw_only=True, gc=False):
    """A vendor's invoice. Posted says whether it stands in the ledger; GLPosted means something else [S SNO]. Amounts of debit memos are negative."""

    vendor: int = field(name="VendorNum")
    invoice: str = field(name="InvoiceNum")
    posted: bool = field(name="Posted")
    day: str | None = field(name="ApplyDate", default=None)
    calendar: str = field(name="FiscalCalendarID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    amount: msgspec.Raw = field(name="InvoiceAmt")


class Spent(Row, kw_only=True, gc=False):
    """One distribution of an invoice with what is needed of its header: a row of a query that joins them. An invoice without one has no book here."""

    vendor: str = field(name="VendorID")
    invoice: str = field(name="InvoiceNum")
    line: int | None = field(name="InvoiceLine", default=None)
    day: str | None = field(name="ApplyDate", default=None)
    posted: bool = field(name="Posted")
    calendar: str = field(name="FiscalCalendarID")
    year: int = field(name="FiscalYear")
    suffix: str | None = field(name="FiscalYearSuffix", default=None)
    number: int = field(name="FiscalPeriod")
    amount: msgspec.Raw = field(name="InvoiceAmt")
    book: str | None = field(name="BookID")
    record_type: str | None = field(name="RecordType")
    debit: msgspec.Raw = field(name="BookDebitAmount")
    credit: msgspec.Raw = field(name="BookCreditAmount")


BOOKS = Entity("Erp.BO.GLBookSvc", "GLBooks", Book, ("BookID",))
CHARTS = Entity("Erp.BO.COASvc", "COAs", Chart, ("COACode",))
SEGMENTS = Entity("Erp.BO.COASegmentSearchSvc", "COASegmentSearches", Segment, ("COACode", "SegmentNbr"))
SEGMENT_VALUES = Entity(
    "Erp.BO.COASegValuesSvc", "COASegValues", SegmentValue, ("COACode", "SegmentNbr", "SegmentCode")
)
CATEGORIES = Entity("Erp.BO.COAActCatSvc", "COAActCats", Category, ("COACode", "CategoryID"))
ACCOUNTS = Entity("Erp.BO.GLAccountSvc", "GLAccounts", Account, ("COACode", "GLAccount1"))
BOOK_PERIODS = Entity(
    "Erp.BO.GLBookPerSearchSvc",
    "GLBookPerSearches",
    BookPeriod,
    ("BookID", "FiscalCalendarID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod"),
)
CALENDAR_PERIODS = Entity(
    "Erp.BO.FiscalPerSearchSvc",
    "FiscalPerSearches",
    CalendarPeriod,
    ("FiscalCalendarID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod"),
)
_LINE_KEY = ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum", "JournalLine")
LINE_KEYS = Entity("Erp.BO.GLJrnDtlSvc", "GLJrnDtls", JournalKey, _LINE_KEY)
LINES = Entity("Erp.BO.GLJrnDtlSvc", "GLJrnDtls", JournalLine, _LINE_KEY)
PAYABLES_LINES = Entity("Erp.BO.GLJrnDtlSvc", "GLJrnDtls", PayablesLine, _LINE_KEY)
BALANCES = Entity(
    "Erp.BO.GLPeriodBalSearchSvc",
    "GLPeriodBalSearches",
    PeriodBalance,
    ("BookID", "BalanceAcct", "BalanceType", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod", "FiscalCalendarID"),
)
INVOICES = Entity("Erp.BO.APInvoiceSvc", "APInvoices", InvoiceHeader, ("VendorNum", "InvoiceNum"))
VENDORS = Entity("Erp.BO.VendorSvc", "Vendors", Vendor, ("VendorNum",))


@cache
def with_segments(entity: Entity[R], segments: int) -> Entity[Any]:
    """The same entity with the first so many segment values of each row, as attributes s1, s2, ..."""
    more: list[tuple[str, Any, Any]] = [
        (f"s{number}", str | None, field(name=f"SegValue{number}", default=None)) for number in range(1, segments + 1)
    ]
    row = msgspec.defstruct(entity.row.__name__, more, bases=(entity.row,), kw_only=True, gc=False)
    return Entity(entity.service, entity.set, row, entity.key)


def columns_of(row: type[msgspec.Struct]) -> list[str]:
    """The columns of a type of rows, by Kinetic's names."""
    return [one.encode_name for one in msgspec.structs.fields(row)]


@cache
def page_of(row: type[Any]) -> type[Any]:
    """A page of rows. A next link is left aside: the next page is asked for by what is known of the last one."""
    return msgspec.defstruct("Page", [("value", list[row])])  # type: ignore[valid-type]
