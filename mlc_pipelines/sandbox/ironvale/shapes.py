"""What the books of the second sample company are made of. Amounts are whole cents; codes are text; nothing is changed in place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

LINE_REVS = 4
"""Row versions that one journal line uses up: its own, and those of the balances it goes into."""


@dataclass(frozen=True, slots=True)
class Category:
    """A class of accounts. `type` is B (balance sheet) or I (income); `normal` the side where it grows, D or C."""

    code: str
    name: str
    type: str
    normal: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a segment of the chart: an account, a department or a plant. `until` is the last day it may be used on.

    `category` and `unit` are of accounts only: an account with a unit takes statistics and no money.
    """

    segment: int
    code: str
    name: str
    category: str = ""
    unit: str = ""
    active: bool = True
    since: date | None = None
    until: date | None = None
    rev: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """One set of books of one company, in one currency, over one calendar."""

    company: str
    code: str
    name: str
    currency: str
    calendar: str
    main: bool = False
    type: str = "Standard"
    inactive: bool = False
    rev: int = 0


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor: the number that the tables carry, and the id that people know."""

    company: str
    number: int
    code: str
    name: str
    currency: str = "USD"
    country: str = "USA"
    city: str = ""
    group: str = "MATL"
    active: bool = True
    rev: int = 0


class FiscalPeriod(NamedTuple):
    """A period of a calendar; start and end are inclusive. `closing` is 1 for the closing period, dated the last day of its year.

    `key` is our spelling: "FY2026-P03", with the suffix of its year "FY2024T-P02".
    """

    key: str
    calendar: str
    year: int
    suffix: str
    number: int
    start: date
    end: date
    closing: int = 0

    @property
    def year_key(self) -> str:
        """The year with its suffix: "2024T"."""
        return f"{self.year}{self.suffix}"


class Line(NamedTuple):
    """One line of a journal, in the currency of the book.

    `doc_debit_minor`, `doc_credit_minor`: the same in the currency of the journal, None where that is the book's.
    `units`: hundredths of a unit in a statistical line, which carries no money. `comment`: its own, where it is not the journal's.
    """

    account: str
    dept: str
    plant: str
    debit_minor: int
    credit_minor: int
    text: str = ""
    doc_debit_minor: int | None = None
    doc_credit_minor: int | None = None
    units: int = 0
    comment: str = ""


class Journal(NamedTuple):
    """Lines booked together: in one book, under the next number of their journal code and year.

    `rev` is the row version of the first line, the others follow in steps of LINE_REVS; `bumps` tells those of lines
    written again later, by their place. `in_balances` is false until the balances have taken the lines up.
    """

    company: str
    book: str
    period: FiscalPeriod
    code: str
    number: int
    day: date
    text: str
    source: str
    currency: str
    lines: tuple[Line, ...]
    rev: int
    posted: bool
    posted_on: date | None
    created_on: date
    user: str = ""
    comment: str = ""
    group: str = ""
    plant: str = ""
    vendor: int = 0
    invoice: str = ""
    customer: int = 0
    ar_invoice: int = 0
    bank: str = ""
    check: int = 0
    reverses: bool = False
    from_company: str = ""
    in_balances: bool = True
    bumps: Mapping[int, int] | None = None

    @property
    def name(self) -> str:
        """Journal code and number: "GJ 412". Unique within a year of a book."""
        return f"{self.code} {self.number}"

    def rev_of(self, at: int) -> int:
        """The row version of the line at this place."""
        if self.bumps is not None and at in self.bumps:
            return self.bumps[at]
        return self.rev + at * LINE_REVS


class Distribution(NamedTuple):
    """Where a part of an invoice line goes: negative on a debit memo. `journal_line` counts from 1, 0 before posting."""

    account: str
    dept: str
    plant: str
    minor: int
    doc_minor: int
    journal_line: int = 0


class InvoiceLine(NamedTuple):
    """One line of a vendor's invoice; without distributions where it clears what was received and not invoiced yet."""

    text: str
    minor: int
    doc_minor: int
    expenses: tuple[Distribution, ...] = ()
    order: int = 0
    order_line: int = 0
    part: str = ""


class Invoice(NamedTuple):
    """A vendor's invoice, or a debit memo, with what became of it in the books: number and period by book, nothing before posting."""

    company: str
    vendor: int
    number: str
    period: FiscalPeriod
    invoice_on: date
    apply_on: date
    changed_on: date
    text: str
    minor: int
    doc_minor: int
    tax_minor: int
    currency: str
    rate: Decimal
    lines: tuple[InvoiceLine, ...]
    rev: int
    posted: bool = False
    journals: tuple[tuple[str, int, FiscalPeriod], ...] = ()
    debit_memo: bool = False
    prepayment: bool = False
    cancels: str = ""
    cancelled_by: str = ""
    order: int = 0
    group: str = ""
    user: str = ""


class OrderLine(NamedTuple):
    """One line of a purchase order."""

    part: str
    text: str
    quantity: int
    minor: int


class Order(NamedTuple):
    """A purchase order. `status` is U unapproved, P pending, A approved or R rejected."""

    company: str
    number: int
    vendor: int
    day: date
    currency: str
    lines: tuple[OrderLine, ...]
    changed_on: date
    status: str = "A"
    open: bool = False
    rev: int = 0


class TruthRow(NamedTuple):
    """What was posted to one account, department and plant in one period. Statistical lines are not in it."""

    account: str
    dept: str
    plant: str
    debit_minor: int
    credit_minor: int


class SpendRow(NamedTuple):
    """What the posted invoices of one vendor and period were distributed to one account and department; debit positive."""

    vendor: str
    account: str
    dept: str
    net_minor: int
