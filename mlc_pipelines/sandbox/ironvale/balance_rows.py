"""The balances of the periods as rows of GLPeriodBal, derived from what was posted.

Balances are kept by account and department (detail, type D) and by account alone (summary, S). Where an account takes no
department both are one and the same row, of type B. Whoever adds up all three counts money twice: detail is D and B, summary S and B
[S for the letters; I for the rest]. Period 0 holds what the close of the year before carried over: OpenBalance of the balance sheet
and of retained earnings, CarryForwardBalance of income accounts (last year's total, no opening).
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.coding import display, gl_account, minor_to_decimal
from mlc_pipelines.sandbox.ironvale.holdings import NOTHING, Sum, added
from mlc_pipelines.sandbox.ironvale.rows import Row, Rows, Where, matching
from mlc_pipelines.sandbox.ironvale.shapes import Book
from mlc_pipelines.sandbox.ironvale.tables import TABLES, row_id

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale

BLANK = {**TABLES["GLPeriodBal"].blank, "COACode": chart.COA}
ZERO = Decimal("0.00")
NARROWING = ("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod")


class Part(NamedTuple):
    """The balances of one book in one period, period 0 for the openings: sums by account, department and type."""

    book: Book
    year: int
    suffix: str
    period: int
    balances: Sequence[tuple[str, str, str, Sum]]


def period_balances(books: "Ironvale", where: Where) -> Sequence[Row]:
    """The balances of all books and periods that were posted to."""
    narrowed = {column: value for column, value in where.items() if column in NARROWING}
    parts = list(_parts(books, narrowed))
    rows: Rows[Part] = Rows(parts, [len(part.balances) for part in parts], lambda part: _rows(books, part))
    return matching(rows, {column: value for column, value in where.items() if column not in NARROWING})


def _parts(books: "Ironvale", where: Where) -> Iterator[Part]:
    for book in books.ledgers.values():
        if {**_of_book(book), **where} != {**where, **_of_book(book)}:
            continue
        divided = None
        for year_key, year, suffix, number, key in _periods(books, book):
            if {"FiscalYear": year, "FiscalYearSuffix": suffix, "FiscalPeriod": number, **where} != {
                **where, "FiscalYear": year, "FiscalYearSuffix": suffix, "FiscalPeriod": number
            }:  # fmt: skip
                continue
            if key:
                sums = books.period_sums(book.code, key, book.company)
            else:
                sums = books.opening_sums(book.code, year_key, book.company)
            if sums:
                divided = _divided(books, book) if divided is None else divided
                balances = _by_type(sums, divided)
                yield Part(book, year, suffix, number, balances if number else _written_together(balances))


def _of_book(book: Book) -> Where:
    return {"Company": book.company, "BookID": book.code}


def _periods(books: "Ironvale", book: Book) -> Iterator[tuple[str, int, str, int, str]]:
    """The periods of a book with the key of each, and before those of each year period 0, without a key."""
    year_key = ""
    for key, period in books.calendar_of(book.code, book.company).items():
        if period.year_key != year_key:
            year_key = period.year_key
            yield year_key, period.year, period.suffix, 0, ""
        yield year_key, period.year, period.suffix, period.number, key


def _divided(books: "Ironvale", book: Book) -> set[str]:
    """The accounts that the balances of a book keep by department: those that ever took one."""
    if books.balance_segments == "1":
        return set()
    periods = books.calendar_of(book.code, book.company)
    return {account for key in periods for account, dept in books.period_sums(book.code, key, book.company) if dept}


def _by_type(sums: Mapping[tuple[str, str], Sum], divided: set[str]) -> list[tuple[str, str, str, Sum]]:
    """Detail by account and department, and the summary by account, in the order of the codes."""
    whole: dict[str, Sum] = {}
    for (account, _), one in sums.items():
        was = whole.get(account, NOTHING)
        whole[account] = added(was, one, max(was.rev, one.rev))
    detail = [(account, dept, "D", one) for (account, dept), one in sums.items() if account in divided]
    summary = [(account, "", "S" if account in divided else "B", one) for account, one in whole.items()]
    return sorted([*detail, *summary], key=lambda row: row[:3])


def _written_together(
    balances: Sequence[tuple[str, str, str, Sum]],
) -> list[tuple[str, str, str, Sum]]:
    """Openings, with row versions that follow each other from that of the close on."""
    return [(*key, one._replace(rev=one.rev + 4 * at)) for at, (*key, one) in enumerate(balances)]  # type: ignore[misc]


def _rows(books: "Ironvale", part: Part) -> list[Row]:
    shared = {
        **BLANK,
        **_of_book(part.book),
        "FiscalYear": part.year,
        "FiscalYearSuffix": part.suffix,
        "FiscalPeriod": part.period,
        "FiscalCalendarID": part.book.calendar,
        "BookCurrencyCode": part.book.currency,
    }
    return [_row(books, part, shared, *balance) for balance in part.balances]


def _row(books: "Ironvale", part: Part, shared: dict[str, Any], account: str, dept: str, kind: str, one: Sum) -> Row:
    row, value = shared.copy(), books.values[chart.ACCOUNT][account]
    category = books.categories[value.category]
    row["BalanceAcct"], row["BalanceAcctDisp"] = gl_account(account, dept), display(account, dept)
    row["SegValue1"], row["SegValue2"], row["BalanceType"] = account, dept, kind
    row["BalAcctDesc"], row["CategoryDesc"], row["NormalBal"] = value.name, category.name, category.normal
    row["CanUseCarryFwdBal"] = category.type == "I" and kind == "D"
    net, units = minor_to_decimal(one.debit_minor - one.credit_minor), minor_to_decimal(one.units)
    if part.period:
        row["DebitAmt"], row["CreditAmt"] = minor_to_decimal(one.debit_minor), minor_to_decimal(one.credit_minor)
        row["BalanceAmt"], row["BalanceStatAmt"], row["DebitStatAmt"] = net, units, units
    elif category.type == "I":
        row["CarryForwardBalance"], row["CarryForwardBalanceStatAmt"] = net, units
    else:
        row["OpenBalance"] = net
    row["SysRevID"] = one.rev + {"D": 1, "S": 2, "B": 3}[kind]
    row["SysRowID"] = row_id("GLPeriodBal", *(row[column] for column in TABLES["GLPeriodBal"].key))
    return row


MAKERS = {"GLPeriodBal": period_balances}
