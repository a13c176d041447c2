"""Vendors' invoices of the second sample company: how one becomes a journal, and how to post, cancel or only enter one.

A posted invoice is a journal of code PJ in MAIN and the same in TAX: a line for each distribution, one for each invoice line that
clears a receipt, one for the tax, and the credit to payables.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.calendars import month_key
from mlc_pipelines.sandbox.ironvale.entries import Entries
from mlc_pipelines.sandbox.ironvale.shapes import (
    LINE_REVS,
    Distribution,
    FiscalPeriod,
    Invoice,
    InvoiceLine,
    Journal,
    Line,
    Vendor,
)

PURCHASES = "PJ"
Coding = tuple[str, str, str, int]
"""Account, department, plant, amount in cents."""


class Payables(Entries):
    """Books with vendors' invoices."""

    def post_invoice(
        self,
        vendor: str,
        number: str,
        period_key: str,
        expenses: Sequence[Coding],
        *,
        now: datetime,
        received_minor: int = 0,
        tax_minor: int = 0,
        invoice_on: date | None = None,
        apply_on: date | None = None,
        text: str = "Invoice",
        prepayment: bool = False,
        posted: bool = True,
    ) -> Invoice:
        """Enter an invoice in dollars, and post it unless told otherwise: one line of distributions, and one that clears a receipt.

        Amounts below zero make a debit memo. The apply date is the period's last day unless given, the invoice date that day.
        Raises ValueError on an unknown vendor, period or code, and on a number that the vendor has used.
        """
        who, period = self.vendor(vendor), self.period(period_key)
        self._require_codes([Line(account, dept, plant, 0, 0) for account, dept, plant, _ in expenses])
        if (who.company, who.number, number) in self.invoices:
            raise ValueError(f"vendor {vendor} has an invoice {number!r} already")
        shares = tuple(Distribution(*coding, doc_minor=coding[3]) for coding in expenses)
        spent, day = sum(coding[3] for coding in expenses), apply_on or period.end
        lines = [InvoiceLine(text, spent, spent, shares)] if shares else []
        if received_minor:
            lines.append(InvoiceLine("Receipt", received_minor, received_minor))
        total = spent + received_minor + tax_minor
        draft = Invoice(
            who.company, who.number, number, period, invoice_on or day, day, now.date(), text, total, total, tax_minor,
            "USD", Decimal(1), tuple(lines), 0, debit_memo=total < 0, prepayment=prepayment,
        )  # fmt: skip
        return self.enter_invoice(draft, now.date() if posted else None)

    def cancel_invoice(self, vendor: str, number: str, period_key: str, *, now: datetime) -> Invoice:
        """Cancel a posted invoice by its twin with the opposite amounts, a red entry in another period; the twin.

        Raises ValueError where there is no such posted invoice, or when it has been cancelled.
        """
        who = self.vendor(vendor)
        first = self.invoices.get((who.company, who.number, number))
        if first is None or not first.posted or first.cancelled_by:
            raise ValueError(f"vendor {vendor} has no posted invoice {number!r} that could be cancelled")
        return self.enter_invoice(reversal_of(first, self.period(period_key), now.date()), now.date())

    def enter_invoice(self, draft: Invoice, posted_on: date | None) -> Invoice:
        """Put an invoice into the books; with its journals when it is posted on a day. An invoice that it cancels is marked."""
        if draft.cancels:
            key = (draft.company, draft.vendor, draft.cancels)
            self.invoices[key] = self.invoices[key]._replace(
                cancelled_by=draft.number, changed_on=draft.changed_on, rev=self.next_revs(invoice_revs(draft))
            )
        invoice = draft if posted_on is None else self._book_invoice(draft, posted_on)
        invoice = invoice._replace(rev=self.next_revs(invoice_revs(invoice)), posted=posted_on is not None)
        self.invoices[invoice.company, invoice.vendor, invoice.number] = invoice
        return invoice

    def _book_invoice(self, draft: Invoice, posted_on: date) -> Invoice:
        """The invoice with the lines and numbers of its journals, which are entered, one in each book it goes to."""
        currency = self.ledgers[draft.company, "MAIN"].currency
        lines, numbered = journal_lines(draft, self.vendors[draft.company, draft.vendor], currency)
        booked = []
        for book in ("MAIN", "TAX") if draft.company == chart.COMPANY else ("MAIN",):
            period = draft.period if book == "MAIN" else self.period(month_key(draft.apply_on), book)
            journal = self._purchase(draft, book, period, lines, posted_on)
            self.enter(journal)
            booked.append((book, journal.number, period))
        return draft._replace(lines=numbered, journals=tuple(booked))

    def _purchase(
        self, draft: Invoice, book: str, period: FiscalPeriod, lines: tuple[Line, ...], posted_on: date
    ) -> Journal:
        return Journal(
            draft.company,
            book,
            period,
            PURCHASES,
            self.next_number(draft.company, book, period, PURCHASES),
            draft.apply_on,
            draft.text,
            "AP",
            draft.currency,
            lines,
            self.next_revs(len(lines) * LINE_REVS),
            True,
            posted_on,
            posted_on,
            draft.user,
            "",
            draft.group,
            "",
            draft.vendor,
            draft.number,
            reverses=bool(draft.cancels),
        )


def invoice_revs(invoice: Invoice) -> int:
    """How many row versions an invoice and its parts use up: header, lines, distributions, and their two records in each book."""
    return 1 + len(invoice.lines) + sum(5 * len(line.expenses) for line in invoice.lines)


def reversal_of(first: Invoice, period: FiscalPeriod, day: date) -> Invoice:
    """The twin that cancels an invoice in a period, on this day or the period's nearest; its amounts are the opposite ones."""
    apply_on = min(max(day, period.start), period.end)
    lines = tuple(
        line._replace(
            minor=-line.minor,
            doc_minor=-line.doc_minor,
            expenses=tuple(one._replace(minor=-one.minor, doc_minor=-one.doc_minor) for one in line.expenses),
        )
        for line in first.lines
    )
    return first._replace(
        number=f"{first.number}-C", period=period, invoice_on=apply_on, apply_on=apply_on, changed_on=day,
        text=f"Cancels {first.number}", minor=-first.minor, doc_minor=-first.doc_minor, tax_minor=-first.tax_minor,
        lines=lines, posted=False, journals=(), debit_memo=not first.debit_memo, cancels=first.number,
    )  # fmt: skip


def journal_lines(invoice: Invoice, vendor: Vendor, currency: str) -> tuple[tuple[Line, ...], tuple[InvoiceLine, ...]]:
    """The lines of an invoice's journal, and the invoice's lines with the places of their distributions in it.

    A debit memo credits what an invoice debits; a cancellation takes the same sides with the opposite sign (red).
    """
    made: list[Line] = []
    numbered: list[InvoiceLine] = []
    red, foreign, text = bool(invoice.cancels), invoice.currency != currency, vendor.name[:30]
    for line in invoice.lines:
        places = []
        for share in line.expenses or (Distribution(chart.RECEIVED, "", "", line.minor, line.doc_minor),):
            coding = (share.account, share.dept, share.plant)
            made.append(_line(coding, share.minor, share.doc_minor, red, foreign, line.text))
            places.append(share._replace(journal_line=len(made)))
        numbered.append(line._replace(expenses=tuple(places)) if line.expenses else line)
    if invoice.tax_minor:
        tax_doc = invoice.doc_minor - sum(line.doc_minor for line in invoice.lines)
        made.append(_line((chart.INPUT_TAX, "", ""), invoice.tax_minor, tax_doc, red, foreign, "Sales and use tax"))
    owed = _line((chart.PAYABLES, "", ""), invoice.minor, invoice.doc_minor, red, foreign, text)
    made.append(_turned(owed))
    return tuple(made), tuple(numbered)


def due_on(invoice: Invoice) -> date:
    """When an invoice is to be paid."""
    return invoice.invoice_on + timedelta(days=30)


def spent(invoice: Invoice) -> Iterator[Distribution]:
    """All distributions of an invoice."""
    return (one for line in invoice.lines for one in line.expenses)


def _line(coding: tuple[str, str, str], minor: int, doc: int, red: bool, foreign: bool, text: str) -> Line:
    """A debit line; of a negative amount a credit line, unless the entry is a red one."""
    if minor >= 0 or red:
        return Line(*coding, minor, 0, text, doc if foreign else None, 0 if foreign else None)
    return Line(*coding, 0, -minor, text, 0 if foreign else None, -doc if foreign else None)


def _turned(line: Line) -> Line:
    """The same on the other side."""
    return line._replace(
        debit_minor=line.credit_minor,
        credit_minor=line.debit_minor,
        doc_debit_minor=line.doc_credit_minor,
        doc_credit_minor=line.doc_debit_minor,
    )
