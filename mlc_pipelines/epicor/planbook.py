"""The book that a plan is written into, as Kinetic itself describes it now: its chart, its periods, and what it says of an account."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from mlc_pipelines.epicor import planwire, wire
from mlc_pipelines.epicor.chart import BETWEEN, Chart, chart_of
from mlc_pipelines.epicor.codec import day, listed
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.odata import both, feed_of, pages, read_all, text
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import period_key, split_key

_IN_FILE = "Correct the destination of plans in the connection file"
NOTHING = "Nothing was written."


@dataclass(frozen=True)
class PlanBook:
    """A book that is in use. dynamic: segments whose combinations come up by being used."""

    code: str
    description: str
    main: bool
    currency: str
    calendar: str
    chart: Chart
    dynamic: frozenset[int]
    retained: str

    def account(self, account: str, subaccount: str) -> dict[int, str]:
        """Segment values by number. Raises ValueError where the subaccount has another number of parts."""
        parts = subaccount.split(BETWEEN)
        return {self.chart.account: account, **dict(zip(self.chart.others, parts, strict=True))}

    def in_full(self, values: dict[int, str]) -> str:
        """An account as Kinetic writes it: values in physical order, empty ones at its end left off [S SNO; C GLC2]."""
        return BETWEEN.join(values[number] for number in sorted(values)).rstrip(BETWEEN)

    def coded(self, account: str) -> tuple[str, str]:
        """Account and subaccount of "6010|310|MF", as all of this client names them: "6010" and "310|MF"."""
        parts = dict(zip(sorted(self.chart.names), account.split(BETWEEN), strict=False))
        return parts.get(self.chart.account, ""), BETWEEN.join(parts.get(number, "") for number in self.chart.others)


def read_book(site: Connection, code: str) -> PlanBook:
    """The book of this code. Raises SetupError unless it exists, is in use, and has chart, currency and the calendar of the connection."""
    rows = read_all(site, wire.BOOKS)
    found = next((row for row in rows if row.code == code), None)
    company = site.config.company
    if found is None:
        raise refused(f"company {company} has no book {code}; it has {listed(row.code for row in rows)}")
    if found.inactive:
        in_use = listed(row.code for row in rows if not row.inactive)
        raise refused(f"book {code} of company {company} is inactive; in use are {in_use}")
    if not found.currency or not found.coa:
        raise refused(f"book {code} has no {'currency' if not found.currency else 'chart of accounts'}")
    calendar = _calendar(site, rows)
    if found.calendar != calendar:
        raise refused(
            f"book {code} has fiscal calendar {found.calendar}, the connection {calendar}: one period would mean two things"
        )
    of_chart = f"COACode eq {text(found.coa)}"
    charts = [one for one in read_all(site, wire.CHARTS, where=of_chart) if one.code == found.coa]
    if not charts:
        raise refused(f"book {code} belongs to chart {found.coa}, which the user may not see")
    segments = [one for one in read_all(site, planwire.SEGMENTS, where=of_chart) if one.coa == found.coa]
    chart = chart_of(charts[0], segments, site.config)
    dynamic = frozenset(one.number for one in segments if one.dynamic)
    said = found.description or ""
    return PlanBook(found.code, said, found.main, found.currency, found.calendar, chart, dynamic, found.retained or "")


def _calendar(site: Connection, books: Iterable[wire.Book]) -> str:
    """The calendar that the periods of the connection are named by."""
    own = next((row.calendar for row in books if row.code == site.config.book), "")
    return site.config.fiscal_calendar or own


def refused(complaint: str, next_step: str = f"{_IN_FILE}, or have the book set up in Kinetic.") -> SetupError:
    return SetupError(f"No plan is written: {complaint}.", holds=NOTHING, next_step=next_step)


# -- periods ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanPeriod:
    """A period of the plan's book. last_on: its last day, the date of its journals; closing: it is an adjustment period."""

    key: str
    last_on: str
    closing: bool
    closed: bool


def read_periods(site: Connection, book: PlanBook, years: Collection[int]) -> dict[str, PlanPeriod]:
    """The periods of some years by key: days from the calendar, closed or not from the book [S SNO]."""
    of_calendar = f"FiscalCalendarID eq {text(book.calendar)}"
    of_years = " or ".join(f"FiscalYear eq {year}" for year in sorted(years))
    where = both(of_calendar, f"({of_years})")
    days = read_all(site, wire.CALENDAR_PERIODS, where=where)
    states = read_all(site, wire.BOOK_PERIODS, where=both(f"BookID eq {text(book.code)}", where))
    of_book = {
        _key(one): one for one in states if (one.book, one.calendar) == (book.code, book.calendar)
    }  # a filter that is not heeded does no harm
    found = {}
    for one in days:
        if one.calendar == book.calendar and one.number:
            state = of_book.get(key := _key(one))
            closing, closed = bool(state and state.closing), bool(state and state.closed)
            found[key] = PlanPeriod(key, day(one.end_on), closing, closed)
    return found


def _key(row: wire.CalendarPeriod | wire.BookPeriod) -> str:
    return period_key(row.year, row.number, row.suffix or "")


def earliest_date(site: Connection) -> str:
    """The company's earliest apply date; "" where it has none. That of single functions is not read: which one plans are is not told [I]."""
    company = site.config.company.casefold()
    found = [day(row.day) for row in read_all(site, planwire.EARLIEST) if row.company.casefold() == company and row.day]
    return max(found, default="")


def not_open(
    site: Connection, book: PlanBook, periods: Sequence[str], *, earliest: bool, closed: bool = True
) -> dict[str, str]:
    """The periods that take nothing now -> why. earliest: whether the earliest apply date holds; closed: whether a closed period does."""
    known = read_periods(site, book, {split_key(key)[0] for key in periods}) if periods else {}
    first = earliest_date(site) if earliest and periods else ""
    said = {}
    for key in periods:
        period = known.get(key)
        if period is None:
            said[key] = f"fiscal calendar {book.calendar} has no such period"
        elif closed and period.closed:
            said[key] = f"closed in Kinetic for book {book.code}"
        elif period.last_on < first:
            said[key] = f"it ends on {period.last_on}, before the earliest apply date {first} of Kinetic"
    return said


# -- accounts -----------------------------------------------------------------------------------------------------------


class Accounts:
    """What stands against an account, by what the chart says now."""

    def __init__(self, site: Connection, book: PlanBook, control: Collection[str]) -> None:
        self._book, self._control = book, set(control) | set(site.config.payables_accounts)
        self._today = (site.now() or datetime.now(UTC)).date().isoformat()
        of_chart = f"COACode eq {text(book.chart.code)}"
        self._values = {
            (one.segment, one.code): one
            for one in read_all(site, wire.SEGMENT_VALUES, where=of_chart)
            if one.coa == book.chart.code
        }
        self._site, self._of_chart = site, of_chart

    def objection(self, account: str, subaccount: str) -> str:
        """By the segments alone."""
        book = self._book
        try:
            values = book.account(account, subaccount)
        except ValueError:
            return f"subaccount {subaccount!r} does not have the {len(book.chart.others)} segments that chart {book.chart.code} has beside the account"
        if account in self._control:
            return f"{account} is a control account: only its own module writes to it"
        if book.retained and account == book.coded(book.retained)[0]:
            return f"{account} takes the result of the year: only the closing of the year writes to it"
        said = (self._of_value(number, values[number]) for number in sorted(values))
        return next((one for one in said if one), "")

    def _of_value(self, number: int, code: str) -> str:
        name = f"{self._book.chart.names[number]} {code}".strip()
        if not code:
            return "it names no account" if number == self._book.chart.account else ""
        found = self._values.get((number, code))
        if found is None:
            return f"{name} does not exist in chart {self._book.chart.code}"
        if not found.active:
            return f"{name} is inactive"
        if (ends := day(found.active_to)) and ends < self._today:
            return f"{name} was effective until {ends}"
        if number == self._book.chart.account and found.statistical:
            return f"{name} counts units, not money"
        return ""

    def combinations(self) -> dict[tuple[str, ...], bool]:
        """Values of the segments that are not dynamic, as they stand together in the chart -> whether one such account may be posted to."""
        entity = wire.with_segments(planwire.FULL_ACCOUNTS, self._book.chart.size)
        feed = feed_of(self._site, entity, where=self._of_chart)
        numbers = self.fixed
        found: dict[tuple[str, ...], bool] = {}
        for page in pages(self._site, feed):
            for row in page:
                key = tuple(getattr(row, f"s{number}") or "" for number in numbers)
                found[key] = found.get(key, False) or (row.active and not (day(row.active_to) or "9") < self._today)
        return found

    @property
    def fixed(self) -> list[int]:
        """The segments whose values must stand together in the chart before they are posted to [S SNO Dynamic]."""
        return [number for number in sorted(self._book.chart.names) if number not in self._book.dynamic]

    def journal_objections(self, keys: pd.DataFrame) -> list[str]:
        """For each row of keys, why no journal line may stand on it; "" where it may."""
        known = self.combinations()
        said = []
        for account, subaccount in zip(keys["account"], keys["subaccount"], strict=True):
            against = self.objection(account, subaccount)
            said.append(against or self._together(known, account, subaccount))
        return said

    def _together(self, known: dict[tuple[str, ...], bool], account: str, subaccount: str) -> str:
        values = self._book.account(account, subaccount)
        key = tuple(values[number] for number in self.fixed)
        name = self._book.in_full(values)
        if key not in known:
            return f"account {name} does not exist in chart {self._book.chart.code}: its segments were never combined"
        return "" if known[key] else f"account {name} is inactive"
