"""Vendors' invoices with their lines and distributions, as rows of Kinetic's tables.

A distribution has records in APInvExpTGLC for each book that it goes to: one with the account only (RecordType A), and, once it is
posted, one with the amounts and the journal line (R) [S SNO]. Whoever adds up both books adds up the same money twice.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.coding import gl_account, minor_to_decimal
from mlc_pipelines.sandbox.ironvale.payables import PURCHASES, due_on
from mlc_pipelines.sandbox.ironvale.rows import Row, Rows, Where, matching
from mlc_pipelines.sandbox.ironvale.shapes import Distribution, Invoice, InvoiceLine
from mlc_pipelines.sandbox.ironvale.tables import TABLES, row_id

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale

BLANK = {name: TABLES[name].blank for name in ("APInvHed", "APInvDtl", "APInvExp", "APInvExpTGLC")}
ZERO = Decimal("0.00")
OF_INVOICE: dict[str, Callable[[Invoice], Any]] = {
    "Company": lambda one: one.company,
    "VendorNum": lambda one: one.vendor,
    "InvoiceNum": lambda one: one.number,
}
OF_HEADER: dict[str, Callable[[Invoice], Any]] = {
    **OF_INVOICE,
    "Posted": lambda one: one.posted,
    "FiscalYear": lambda one: one.period.year,
    "FiscalYearSuffix": lambda one: one.period.suffix,
    "FiscalPeriod": lambda one: one.period.number,
}
"""The columns that narrow the search: those of the key in all tables, the rest in the header's own."""


def _invoices(books: "Ironvale", where: Where, columns: dict[str, Callable[[Invoice], Any]]) -> list[Invoice]:
    if {"Company", "VendorNum", "InvoiceNum"} <= set(where):
        found = books.invoices.get((where["Company"], where["VendorNum"], where["InvoiceNum"]))
        return [found] if found else []
    wanted = [(columns[column], value) for column, value in where.items() if column in columns]
    return [one for one in books.invoices.values() if all(get(one) == value for get, value in wanted)]


def _lazily(
    books: "Ironvale", where: Where, count: Callable[[Invoice], int], make: Callable[["Ironvale", Invoice], list[Row]]
) -> Sequence[Row]:
    invoices = _invoices(books, where, OF_INVOICE)
    rows: Rows[Invoice] = Rows(invoices, [count(one) for one in invoices], lambda one: make(books, one))
    return matching(rows, {column: value for column, value in where.items() if column not in OF_INVOICE})


def headers(books: "Ironvale", where: Where) -> Sequence[Row]:
    """Invoices and debit memos, whatever their state."""
    invoices = _invoices(books, where, OF_HEADER)
    rows: Rows[Invoice] = Rows(invoices, [1] * len(invoices), lambda one: [_header(books, one)])
    return matching(rows, {column: value for column, value in where.items() if column not in OF_HEADER})


def lines(books: "Ironvale", where: Where) -> Sequence[Row]:
    """The lines of invoices."""
    return _lazily(books, where, lambda one: len(one.lines), _lines)


def expenses(books: "Ironvale", where: Where) -> Sequence[Row]:
    """The distributions of invoice lines; none of a line that clears a receipt."""
    return _lazily(books, where, lambda one: sum(len(line.expenses) for line in one.lines), _expenses)


def records(books: "Ironvale", where: Where) -> Sequence[Row]:
    """What each distribution says to each book."""
    return _lazily(books, where, _records_of, _records)


def _key(invoice: Invoice) -> dict[str, Any]:
    return {column: get(invoice) for column, get in OF_INVOICE.items()}


def _header(books: "Ironvale", invoice: Invoice) -> Row:
    vendor = books.vendors[invoice.company, invoice.vendor]
    journals = {book: number for book, number, _ in invoice.journals}
    doc_tax = invoice.doc_minor - sum(line.doc_minor for line in invoice.lines)
    return {
        **BLANK["APInvHed"],
        **_key(invoice),
        "Posted": invoice.posted,
        "OpenPayable": invoice.posted and not invoice.cancelled_by and not invoice.cancels,
        "DebitMemo": invoice.debit_memo,
        "PrePayment": invoice.prepayment,
        "CorrectionInv": bool(invoice.cancels),
        "RefCancelled": invoice.cancels,
        "RefCancelledBy": invoice.cancelled_by,
        "InvoiceDate": invoice.invoice_on,
        "ApplyDate": invoice.apply_on,
        "DueDate": due_on(invoice),
        "FiscalYear": invoice.period.year,
        "FiscalYearSuffix": invoice.period.suffix,
        "FiscalPeriod": invoice.period.number,
        "FiscalCalendarID": invoice.period.calendar,
        "InvoiceAmt": minor_to_decimal(invoice.minor),
        "DocInvoiceAmt": minor_to_decimal(invoice.doc_minor),
        "TaxAmt": minor_to_decimal(invoice.tax_minor),
        "DocTaxAmt": minor_to_decimal(doc_tax),
        "CurrencyCode": invoice.currency,
        "ExchangeRate": invoice.rate,
        "RateGrpCode": "MAIN",
        "TermsCode": "N30",
        "Description": invoice.text,
        "REFPONum": invoice.order,
        "GroupID": invoice.group,
        "JournalCode": PURCHASES if invoice.posted else "",
        "JournalNum": journals.get("MAIN", 0),
        "EntryPerson": invoice.user,
        "ChangedBy": invoice.user,
        "ChangeDate": invoice.changed_on,
        "VendorNumVendorID": vendor.code,
        "VendorNumName": vendor.name,
        "SysRevID": invoice.rev,
        "SysRowID": row_id("APInvHed", *_key(invoice).values()),
    }


def _lines(_: "Ironvale", invoice: Invoice) -> list[Row]:
    return [_line(invoice, at, line) for at, line in enumerate(invoice.lines, start=1)]


def _line(invoice: Invoice, at: int, line: InvoiceLine) -> Row:
    """LineType: R receipt, U not on an order, M miscellaneous [I]."""
    return {
        **BLANK["APInvDtl"],
        **_key(invoice),
        "InvoiceLine": at,
        "LineType": "M" if line.expenses else "R",
        "PartNum": line.part,
        "Description": line.text,
        "VendorQty": Decimal("1.00"),
        "PUM": "EA",
        "UnitCost": minor_to_decimal(line.minor),
        "DocUnitCost": minor_to_decimal(line.doc_minor),
        "ExtCost": minor_to_decimal(line.minor),
        "DocExtCost": minor_to_decimal(line.doc_minor),
        "PONum": line.order,
        "POLine": line.order_line,
        "PackSlip": f"PS{line.order:06d}" if line.order else "",
        "PackLine": line.order_line,
        "FinalInvoice": bool(line.order),
        "ChangedBy": invoice.user,
        "ChangeDate": invoice.changed_on,
        "SysRevID": invoice.rev + at,
        "SysRowID": row_id("APInvDtl", *_key(invoice).values(), at),
    }


def _numbered(invoice: Invoice) -> Iterator[tuple[dict[str, Any], Distribution, int]]:
    """Each distribution with its key, and the first of five row versions that are its own."""
    rev = invoice.rev + len(invoice.lines) + 1
    for line_at, line in enumerate(invoice.lines, start=1):
        for seq, share in enumerate(line.expenses, start=1):
            yield {**_key(invoice), "InvoiceLine": line_at, "InvExpSeq": seq}, share, rev
            rev += 5


def _expenses(_: "Ironvale", invoice: Invoice) -> list[Row]:
    return [
        {
            **BLANK["APInvExp"],
            **key,
            "ExpAmt": minor_to_decimal(share.minor),
            "DocExpAmt": minor_to_decimal(share.doc_minor),
            "COACode": chart.COA,
            "GLAccount": gl_account(share.account, share.dept, share.plant),
            "BookID": "MAIN",
            "SysRevID": rev,
            "SysRowID": row_id("APInvExp", *key.values()),
        }
        for key, share, rev in _numbered(invoice)
    ]


def _books_of(invoice: Invoice) -> tuple[str, ...]:
    return ("MAIN", "TAX") if invoice.company == chart.COMPANY else ("MAIN",)


def _records_of(invoice: Invoice) -> int:
    shares = sum(len(line.expenses) for line in invoice.lines)
    return shares * len(_books_of(invoice)) * (2 if invoice.posted else 1)


def _records(_: "Ironvale", invoice: Invoice) -> list[Row]:
    posted = {book: (number, period) for book, number, period in invoice.journals}
    made: list[Row] = []
    for key, share, rev in _numbered(invoice):
        for place, book in enumerate(_books_of(invoice)):
            about = _record(invoice, key, share, book)
            made.append({**about, **_told_apart(key, 2 * place + 1, rev), "RecordType": "A"})
            if invoice.posted:
                number, period = posted[book]
                amounts = {
                    "RecordType": "R",
                    "FiscalYear": period.year,
                    "FiscalYearSuffix": period.suffix,
                    "FiscalPeriod": period.number,
                    "FiscalCalendarID": period.calendar,
                    "JournalCode": PURCHASES,
                    "JournalNum": number,
                    "JournalLine": share.journal_line,
                    **_sides(invoice, share),
                }
                made.append({**about, **_told_apart(key, 2 * place + 2, rev), **amounts})
    return made


def _record(invoice: Invoice, key: dict[str, Any], share: Distribution, book: str) -> dict[str, Any]:
    return {
        **BLANK["APInvExpTGLC"],
        **key,
        "RelatedToFile": "APInvExp",
        "BookID": book,
        "IsMainBook": book == "MAIN",
        "COACode": chart.COA,
        "GLAccount": gl_account(share.account, share.dept, share.plant),
        "SegValue1": share.account,
        "SegValue2": share.dept,
        "SegValue3": share.plant,
        "TranDate": invoice.apply_on,
        "TranSource": "AP",
        "CurrencyCode": invoice.currency,
        "CreateDate": invoice.changed_on,
        "SysDate": invoice.changed_on,
    }


def _told_apart(key: dict[str, Any], number: int, rev: int) -> dict[str, Any]:
    return {
        "TGLCTranNum": number,
        "SysRevID": rev + number,
        "SysRowID": row_id("APInvExpTGLC", *key.values(), number),
    }


def _sides(invoice: Invoice, share: Distribution) -> dict[str, Decimal]:
    """The amounts on the side they were booked to: a debit memo credits, a cancellation debits less than nothing."""
    minor, doc = minor_to_decimal(share.minor), minor_to_decimal(share.doc_minor)
    if share.minor >= 0 or invoice.cancels:
        return {"DebitAmount": doc, "BookDebitAmount": minor}
    return {"CreditAmount": -doc, "BookCreditAmount": -minor}


MAKERS = {
    "APInvHed": headers,
    "APInvDtl": lines,
    "APInvExp": expenses,
    "APInvExpTGLC": records,
}
