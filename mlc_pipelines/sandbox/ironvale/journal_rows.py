"""The lines of the journals as rows of GLJrnDtl, by rising SysRevID."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.coding import display, gl_account, minor_to_decimal
from mlc_pipelines.sandbox.ironvale.rows import Row, Rows, Where, matching
from mlc_pipelines.sandbox.ironvale.shapes import Journal, Line
from mlc_pipelines.sandbox.ironvale.tables import TABLES

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale

BLANK = {**TABLES["GLJrnDtl"].blank, "COACode": chart.COA}
ZERO = Decimal("0.00")

OF_JOURNAL: dict[str, Callable[[Journal], Any]] = {
    "Company": lambda one: one.company,
    "BookID": lambda one: one.book,
    "FiscalYear": lambda one: one.period.year,
    "FiscalYearSuffix": lambda one: one.period.suffix,
    "FiscalPeriod": lambda one: one.period.number,
    "FiscalCalendarID": lambda one: one.period.calendar,
    "JournalCode": lambda one: one.code,
    "JournalNum": lambda one: one.number,
    "Posted": lambda one: one.posted,
    "SourceModule": lambda one: one.source,
    "GroupID": lambda one: one.group,
}
"""The columns that one journal has the same in all of its lines, and that narrow the search."""

Part = tuple[Journal, Sequence[int]]
"""Some lines of a journal, by their places: those whose row versions follow each other."""


def journal_lines(books: "Ironvale", where: Where) -> Sequence[Row]:
    """The lines of all companies, books and periods, posted or not."""
    parts = sorted(_parts(_journals(books, where)), key=lambda part: part[0].rev_of(part[1][0]))
    rows: Rows[Part] = Rows(parts, [len(places) for _, places in parts], lambda part: _rows(books, *part))
    rest = {column: value for column, value in where.items() if column not in OF_JOURNAL}
    return matching(rows, rest)


def _journals(books: "Ironvale", where: Where) -> Iterator[Journal]:
    """The journals in which these columns have these values; whole periods are passed over by their first journal."""
    of_period = ("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod")
    coarse = [(OF_JOURNAL[column], where[column]) for column in of_period if column in where]
    fine = [(get, where[column]) for column, get in OF_JOURNAL.items() if column in where and column not in of_period]
    for found in books.journals.values():
        if found and all(get(found[0]) == value for get, value in coarse):
            yield from (one for one in found if all(get(one) == value for get, value in fine)) if fine else found


def _parts(journals: Iterator[Journal]) -> Iterator[Part]:
    for journal in journals:
        bumps = journal.bumps or {}
        if (
            places := range(len(journal.lines))
            if not bumps
            else [at for at in range(len(journal.lines)) if at not in bumps]
        ):
            yield journal, places
        yield from ((journal, [at]) for at in bumps)


def _rows(books: "Ironvale", journal: Journal, places: Sequence[int]) -> list[Row]:
    shared = _shared(books, journal)
    return [_row(books, journal, at, journal.lines[at], shared) for at in places]


def _shared(books: "Ironvale", journal: Journal) -> dict[str, Any]:
    """What all lines of a journal have in common."""
    period = journal.period
    return {
        **BLANK,
        "Company": journal.company,
        "BookID": journal.book,
        "FiscalYear": period.year,
        "FiscalYearSuffix": period.suffix,
        "FiscalPeriod": period.number,
        "FiscalCalendarID": period.calendar,
        "CloseFiscalPeriod": period.closing,
        "JournalCode": journal.code,
        "JournalNum": journal.number,
        "CommentText": journal.comment,
        "HeaderCommentText": journal.comment,
        "JEDate": journal.day,
        "GroupID": journal.group,
        "PostedBy": journal.user if journal.posted else "",
        "PostedDate": journal.posted_on,
        "Posted": journal.posted,
        "SourceModule": journal.source,
        "CurrencyCode": journal.currency,
        "VendorNum": journal.vendor,
        "APInvoiceNum": journal.invoice,
        "CustNum": journal.customer,
        "ARInvoiceNum": journal.ar_invoice,
        "BankAcctID": journal.bank,
        "CheckNum": journal.check,
        "Reverse": journal.reverses,
        "CreateDate": journal.created_on,
        "PerBalFlag": journal.in_balances,
        "TBFlag": journal.in_balances,
        "DailyBalFlag": journal.in_balances,
        "SrcCompany": journal.from_company,
        "JournalCodeJrnlDescription": chart.JOURNAL_CODES.get(journal.code, ("",))[0],
        "BookCurrencyCode": books.ledgers[journal.company, journal.book].currency,
        "SourcePlant": chart.PLANTS[journal.plant][0] if journal.plant else "",
    }


def _row(books: "Ironvale", journal: Journal, at: int, line: Line, shared: dict[str, Any]) -> Row:
    debit, credit = minor_to_decimal(line.debit_minor), minor_to_decimal(line.credit_minor)
    row = shared.copy()
    row["JournalLine"] = row["Sequence"] = at + 1
    row["Description"] = line.text or journal.text
    row["CommentText"] = line.comment or journal.comment
    row["SegValue1"], row["SegValue2"], row["SegValue3"] = line.account, line.dept, line.plant
    row["GLAccount"] = gl_account(line.account, line.dept, line.plant)
    row["BalanceAcct"] = row["TrialAcct"] = gl_account(line.account, line.dept if books.balance_segments != "1" else "")
    row["GLAcctDisp"] = row["GLAccountGLAcctDisp"] = display(line.account, line.dept, line.plant)
    row["GLAccountAccountDesc"] = books.values[chart.ACCOUNT][line.account].name
    row["Plant"] = chart.PLANTS[line.plant or journal.plant or "MF"][0]
    row["BookDebitAmount"] = row["TotDebit"] = debit
    row["BookCreditAmount"] = row["TotCredit"] = credit
    row["DebitAmount"] = debit if line.doc_debit_minor is None else minor_to_decimal(line.doc_debit_minor)
    row["CreditAmount"] = credit if line.doc_credit_minor is None else minor_to_decimal(line.doc_credit_minor)
    row["DebitStatAmt"] = row["CreditStatAmt"] = ZERO
    if line.units:
        row["Statistical"], row["DebitStatAmt"] = True, minor_to_decimal(line.units)
        row["StatUOMCode"] = books.values[chart.ACCOUNT][line.account].unit
    row["Reconciled"] = bool(journal.bumps and at in journal.bumps)
    row["SysRevID"] = journal.rev_of(at)
    row["SysRowID"] = f"{journal.rev:08x}-0000-4000-8000-{at + 1:012x}"
    return row


MAKERS = {"GLJrnDtl": journal_lines}
