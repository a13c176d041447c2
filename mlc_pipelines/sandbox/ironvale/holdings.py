"""What stands in the books of the second sample company, and the plain questions to it. `books.Ironvale` is the whole."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple, TypeVar

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.calendars import Calendar, calendars
from mlc_pipelines.sandbox.ironvale.shapes import Book, FiscalPeriod, Invoice, Journal, Order, Value, Vendor

Key = tuple[str, str, str]
"""Company, book, and key of a period or year."""

Master = TypeVar("Master", Value, Vendor, Book)

FOUNDING_REVS = 20_000
"""Row versions up to this number belong to what was set up before the first entry."""


class Sum(NamedTuple):
    """What was posted to one account and department in one period, as the balances have it; `rev` is of the last line of it."""

    debit_minor: int
    credit_minor: int
    units: int
    rev: int


NOTHING = Sum(0, 0, 0, 0)

_STAMPS = count(1)
"""Tells apart the states that a period of a book has been in, over all copies of the books."""


class Holdings:
    """Chart, calendars, books, vendors; journals, invoices, orders; which periods are closed; and the row versions given out.

    `revision` rises with every change; `last_rev` is the highest row version (SysRevID) so far, over all tables. `openings` says
    of a year up to which row version its opening balances have been carried over, once they have; `left` which balances of a period
    a line has left by recoding, and when: they stay, if only with zero.
    """

    company = chart.COMPANY

    def __init__(self, *, weeks_53: bool = False, balance_segments: str = "1~2") -> None:
        """Before the first entry. Raises ValueError on an unknown format of balances."""
        if balance_segments not in ("1", "1~2"):
            raise ValueError(f"balances are kept by the segments '1' or '1~2', not {balance_segments!r}")
        self.balance_segments = balance_segments
        self.categories = chart.categories()
        self.values: dict[int, dict[str, Value]] = {
            chart.ACCOUNT: chart.accounts(),
            chart.DEPT: chart.departments(),
            chart.PLANT: chart.plants(),
        }
        self.calendars = calendars(weeks_53)
        self.ledgers: dict[tuple[str, str], Book] = chart.books()
        self.vendors: dict[tuple[str, int], Vendor] = {}
        self.journals: dict[Key, list[Journal]] = {}
        self.invoices: dict[tuple[str, int, str], Invoice] = {}
        self.orders: dict[tuple[str, int], Order] = {}
        self.periods_closed: dict[Key, tuple[bool, int]] = {}
        self.openings: dict[Key, int] = {}
        self.accounts_used: dict[tuple[str, str, str, str], int] = {}
        self.kept: dict[str, dict[tuple[Any, ...], Mapping[str, Any]]] = {}
        self.revision = 0
        self.last_rev = FOUNDING_REVS
        self._numbers: dict[tuple[str, str, str, str], int] = {}
        self.left: dict[Key, dict[tuple[str, str], int]] = {}
        self._stamps: dict[Key, int] = {}
        self._sums: dict[tuple[Key, int], Mapping[tuple[str, str], Sum]] = {}

    def next_revs(self, count: int = 1) -> int:
        """The first of so many new row versions; the books have changed."""
        self.revision += 1
        self.last_rev += count
        return self.last_rev - count + 1

    # -- master data --------------------------------------------------------------------------------------------------

    def alter(self, thing: Master, **changes: Any) -> Master:
        """Change master data, e.g. `alter(books.values[1]["6700"], active=False)`: what then stands there, with a new row version."""
        changed = replace(thing, **changes, rev=self.next_revs())
        if isinstance(changed, Value):
            self.values[changed.segment][changed.code] = changed
        elif isinstance(changed, Vendor):
            self.vendors[changed.company, changed.number] = changed
        else:
            self.ledgers[changed.company, changed.code] = changed
        return changed

    def vendor(self, code: str, company: str = chart.COMPANY) -> Vendor:
        """The vendor of this VendorID. Raises ValueError when there is none."""
        for vendor in self.vendors.values():
            if (vendor.company, vendor.code) == (company, code):
                return vendor
        raise ValueError(f"{company} has no vendor {code!r}")

    def is_income(self, account: str) -> bool:
        """Whether an account belongs to the income statement, which begins each year at zero."""
        return self.categories[self.values[chart.ACCOUNT][account].category].type == "I"

    def calendar_of(self, book: str, company: str = chart.COMPANY) -> Calendar:
        """The periods of a book by key, in fiscal order. Raises ValueError when there is no such book."""
        try:
            return self.calendars[self.ledgers[company, book].calendar]
        except KeyError:
            raise ValueError(f"{company} has no book {book!r}") from None

    def period(self, key: str, book: str = "MAIN", company: str = chart.COMPANY) -> FiscalPeriod:
        """The period of this key in the calendar of the book. Raises ValueError when there is none."""
        try:
            return self.calendar_of(book, company)[key]
        except KeyError:
            raise ValueError(f"book {book!r} of {company} has no period {key!r}") from None

    def is_closed(self, period_key: str, book: str = "MAIN", company: str = chart.COMPANY) -> bool:
        """Whether a period of a book is closed."""
        return self.periods_closed.get((company, book, period_key), (False, 0))[0]

    # -- what is booked -----------------------------------------------------------------------------------------------

    def journals_of(self, book: str, period_key: str, company: str = chart.COMPANY) -> Sequence[Journal]:
        """The journals of one book and period, posted or not, in the order in which they were entered."""
        return self.journals.get((company, book, period_key), ())

    def period_sums(self, book: str, period_key: str, company: str = chart.COMPANY) -> Mapping[tuple[str, str], Sum]:
        """What the balances have taken up of one period, by account and department."""
        key = (company, book, period_key)
        stamp = (key, self._stamps.get(key, 0))
        if stamp not in self._sums:
            sums = _summed(self.journals.get(key, ()), lambda _: True)
            for coding, rev in self.left.get(key, {}).items():
                was = sums.get(coding, NOTHING)
                sums[coding] = was._replace(rev=max(was.rev, rev))
            self._sums[stamp] = sums
        return self._sums[stamp]

    def _changed(self, key: Key) -> None:
        """The sums of a period of a book are to be made anew. Copies share them as long as nothing has changed."""
        self._stamps[key] = next(_STAMPS)

    def opening_sums(self, book: str, year_key: str, company: str = chart.COMPANY) -> Mapping[tuple[str, str], Sum]:
        """What the close of the year before has carried into a year, by account and department; of income accounts the last year's.

        Empty until then. What is posted to earlier years after that close is not in it, until they are closed again.
        """
        upto = self.openings.get((company, book, year_key))
        if upto is None:
            return {}
        before = self._years_before(book, year_key, company)
        carried: dict[tuple[str, str], Sum] = {}
        result = 0
        for period in (period for periods in before.values() for period in periods):
            for (account, dept), one in self._sums_upto(book, period.key, company, upto).items():
                code = (account, dept)
                if self.is_income(account):
                    result += one.debit_minor - one.credit_minor
                    if period.year_key != list(before)[-1]:
                        continue
                carried[code] = added(carried.get(code, NOTHING), one, upto)
        earnings = Sum(max(result, 0), max(-result, 0), 0, upto)
        code = (chart.RETAINED_EARNINGS, "")
        carried[code] = added(carried.get(code, NOTHING), earnings, upto)
        return carried

    def _years_before(self, book: str, year_key: str, company: str) -> dict[str, list[FiscalPeriod]]:
        years: dict[str, list[FiscalPeriod]] = {}
        for period in self.calendar_of(book, company).values():
            if period.year_key == year_key:
                break
            years.setdefault(period.year_key, []).append(period)
        return years

    def _sums_upto(self, book: str, period_key: str, company: str, upto: int) -> Mapping[tuple[str, str], Sum]:
        found = self.journals.get((company, book, period_key), ())
        if not found or found[-1].rev <= upto:
            return self.period_sums(book, period_key, company)
        return _summed(found, lambda journal: journal.rev <= upto)


def added(one: Sum, other: Sum, rev: int) -> Sum:
    """Two sums together, with this row version."""
    return Sum(one.debit_minor + other.debit_minor, one.credit_minor + other.credit_minor, one.units + other.units, rev)


def _summed(journals: Iterable[Journal], wanted: Callable[[Journal], bool]) -> dict[tuple[str, str], Sum]:
    """The wanted ones of the journals that the balances have taken up, by account and department."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for journal in journals:
        if journal.posted and journal.in_balances and wanted(journal):
            for at, line in enumerate(journal.lines):
                row = sums[line.account, line.dept]
                row[0] += line.debit_minor
                row[1] += line.credit_minor
                row[2] += line.units
                row[3] = max(row[3], journal.rev_of(at))
    return {key: Sum(*row) for key, row in sums.items()}
