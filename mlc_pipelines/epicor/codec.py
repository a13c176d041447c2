"""Books and periods as Kinetic describes them, in our words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mlc_pipelines.epicor import wire
from mlc_pipelines.epicor.chart import Chart
from mlc_pipelines.epicor.config import EpicorConfig
from mlc_pipelines.epicor.odata import both, text
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, period_key
from mlc_pipelines.ledger.ports import LedgerPeriod

OPEN, CLOSED = "Open", "Closed"
MAIN_BOOK = "main book"
SYSTEM = "Ask the Kinetic administrator whether the instance was upgraded or changed."


@dataclass(frozen=True, slots=True)
class Books:
    """The book that is read, as Kinetic describes it.

    calendar: of its periods; chart: its chart of accounts with the declared segments; retained: account and subaccount, as balances have
    them, that take the result of a year, "" where the book names none.
    """

    company: str
    ledger: str
    ledger_type: str
    currency: str
    calendar: str
    chart: Chart
    retained: tuple[str, str] = ("", "")
    warnings: tuple[str, ...] = ()

    def of_period(self, period: FiscalPeriod) -> str:
        """The condition for rows of the book in one period."""
        return both(self._of_book(), self.in_period(period))

    def up_to(self, period: FiscalPeriod) -> str:
        """The condition for rows of the book in the year of a period, up to it."""
        return both(self._of_book(), self._in_year(period), f"FiscalPeriod le {period.number}")

    def in_period(self, period: FiscalPeriod) -> str:
        """The condition for rows in one period, of whatever book: year, suffix and calendar belong to its name [S SNO keys]."""
        return both(self._in_year(period), f"FiscalPeriod eq {period.number}")

    def _of_book(self) -> str:
        return f"BookID eq {text(self.ledger)}"

    def _in_year(self, period: FiscalPeriod) -> str:
        return both(
            f"FiscalYear eq {period.year}",
            f"FiscalYearSuffix eq {text(period.suffix)}",
            f"FiscalCalendarID eq {text(self.calendar)}",
        )


def book_of(rows: Sequence[wire.Book], config: EpicorConfig) -> wire.Book:
    """The declared book. Raises SetupError, listing what there is, unless it exists, is in use and has a currency."""
    found = next((row for row in rows if row.code == config.book), None)
    if found is None:
        raise _wrong_setup(
            f"Company {config.company} has no book {config.book}; it has {listed(row.code for row in rows)}.",
            "Correct `erp.book` in the connection file.",
        )
    if found.inactive:
        raise _wrong_setup(
            f"Book {config.book} of company {config.company} is inactive; in use are {listed(row.code for row in rows if not row.inactive)}.",
            "Correct `erp.book` in the connection file.",
        )
    if not found.currency or not found.coa:
        raise _wrong_setup(
            f"Book {config.book} of company {config.company} has no {'currency' if not found.currency else 'chart of accounts'}.",
            "Complete it in Kinetic (GL Book).",
        )
    return found


def books_of(book: wire.Book, chart: Chart, config: EpicorConfig) -> Books:
    calendar = config.fiscal_calendar or book.calendar
    warnings = list(chart.warnings)
    if not book.main:
        said = f" ({book.description})" if book.description else ""
        warnings.append(f"Book {book.code}{said} is not the main book of company {config.company}.")
    if calendar != book.calendar:
        warnings.append(f"Periods are those of calendar {calendar}; the book's own is {book.calendar}.")
    kind = MAIN_BOOK if book.main else f"book, type {book.kind}" if book.kind not in {None, ""} else "book"
    return Books(
        config.company,
        book.code,
        kind,
        book.currency,
        calendar,
        chart,
        chart.as_balance(book.retained or ""),
        tuple(warnings),
    )


def periods_of(
    days: Sequence[wire.CalendarPeriod], states: Sequence[wire.BookPeriod], books: Books, today: date | None
) -> list[LedgerPeriod]:
    """The periods of the book's calendar in fiscal order: dates from the calendar, closed or not from the book [S SNO].

    A period that nobody closed is open, also where the book has no record of it yet. Readable is what is closed or has begun by the server's
    clock. A closing period has a record with a number of the closing; its days are the last day of its year.
    Raises DataError on a period that stands twice or has no dates.
    """
    of_book = {_key(one): one for one in states if one.calendar == books.calendar and one.book == books.ledger}
    found = [
        _period(one, of_book.get(_key(one)), today) for one in days if one.calendar == books.calendar and one.number
    ]
    if not found:
        calendars = listed(one.calendar for one in days)
        raise _wrong_setup(
            f"Company {books.company} has no periods in fiscal calendar {books.calendar}; there are those of {calendars}.",
            "Correct `erp.fiscal_calendar` in the connection file, or have the periods set up in Kinetic (Fiscal Calendar).",
        )
    _require_once(one.key for one in found)
    return sorted(found, key=lambda one: (one.end_on, one.adjustment, one.key))


def _period(days: wire.CalendarPeriod, state: wire.BookPeriod | None, today: date | None) -> LedgerPeriod:
    key = _key(days)
    start, end = day(days.start_on), day(days.end_on)
    if not start or not end or start > end:
        raise DataError(
            f"Period {key} of fiscal calendar {days.calendar} runs from {start!r} to {end!r}.", next_step=SYSTEM
        )
    closed = state is not None and state.closed
    closing = state is not None and bool(state.closing)
    begun = today is None or start <= today.isoformat()
    return LedgerPeriod(
        key, end if closing else start, end, CLOSED if closed else OPEN, closing, readable=closed or begun
    )


def _key(row: wire.CalendarPeriod | wire.BookPeriod | wire.JournalKey) -> str:
    return period_key(row.year, row.number, row.suffix or "")


def key_of(row: wire.JournalKey) -> str:
    """The key of the period that a line stands in. Raises DataError for one that no period can have."""
    if not 1 <= row.number <= 99 or not 1000 <= row.year <= 9999:
        raise DataError(
            f"Journal {row.journal} {row.journal_number} stands in period {row.number} of year {row.year}.",
            next_step=SYSTEM,
        )
    return _key(row)


def day(moment: str | None) -> str:
    """The day of a date: they travel as midnights without offset, "2026-01-31T00:00:00" [C MCP, KERI]."""
    return (moment or "")[:10]


def _require_once(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise DataError(f"Period {key} stands twice in the calendar.", holds="Nothing was read.", next_step=SYSTEM)
        seen.add(key)


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted({name for name in names if name})) or "none"


def _wrong_setup(what: str, next_step: str) -> SetupError:
    return SetupError(what, holds="Nothing was read.", next_step=next_step)
