"""An entry of the second sample company on its way into the books, and the dice that decide what is in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import TypeVar

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod, Invoice, Line

One = TypeVar("One")

TODAY = date(2026, 11, 9)
"""How far the books are written: a day of FY2027-P02."""

PLANTS_OF = {
    "110": "MF NO",
    "120": "MF NO",
    "130": "MF NO",
    "140": "MF",
    "160": "MF NO",
    "220": "DI MF NO",
    "015": "MF NO DI",
}
"""Where a department works, if not in the main plant alone."""


@dataclass(slots=True)
class Slip:
    """An entry before it has a number. `books`: which it goes to; `posted_on`: when, None for the day of the entry itself.

    An invoice is a slip without lines: its journal follows from it.
    """

    period: FiscalPeriod
    code: str
    day: date
    text: str
    plant: str = "MF"
    posted: bool = True
    posted_on: date | None = None
    lines: list[Line] = field(default_factory=list)
    books: tuple[str, ...] = ("MAIN", "TAX")
    currency: str = chart.CURRENCY
    vendor: int = 0
    invoice: str = ""
    customer: int = 0
    ar_invoice: int = 0
    bank: str = ""
    check: int = 0
    reverses: bool = False
    user: str = "kreyes"
    draft: Invoice | None = None
    company: str = chart.COMPANY
    from_company: str = ""

    @property
    def entered_on(self) -> date:
        """When the entry comes into the books: what is dated before its period began comes with the period."""
        return self.posted_on or max(self.day, self.period.start)

    @property
    def excess(self) -> int:
        """By how much the debits exceed the credits so far."""
        return sum(line[3] - line[4] for line in self.lines)

    def debit(self, account: str, minor: int, dept: str = "", plant: str = "", text: str = "") -> "Slip":
        """Add a debit line; the slip itself, so that lines can follow each other."""
        self.lines.append(Line(account, dept, plant, minor, 0, text))
        return self

    def credit(self, account: str, minor: int, dept: str = "", plant: str = "", text: str = "") -> "Slip":
        """Add a credit line."""
        self.lines.append(Line(account, dept, plant, 0, minor, text))
        return self

    def foreign(self, coding: tuple[str, str, str], doc_minor: int, rate: Decimal, text: str = "") -> "Slip":
        """Add a line in the currency of the slip, a debit above zero and a credit below, each converted by itself."""
        minor = converted(abs(doc_minor), rate)
        debit = Line(*coding, minor, 0, text, doc_minor, 0)
        self.lines.append(debit if doc_minor > 0 else Line(*coding, 0, minor, text, 0, -doc_minor))
        return self

    def rounded(self) -> "Slip":
        """Add what is missing in dollars though it balances in the currency of the slip, if anything: some cents of rounding."""
        if excess := self.excess:
            sides = (0, excess) if excess > 0 else (-excess, 0)
            self.lines.append(Line(chart.ROUNDING, "510", "MF", *sides, "Rounding", 0, 0))
        return self

    def taken_back(self, period: FiscalPeriod, day: date) -> "Slip":
        """The slip that takes this one back in a period: the sides change places."""
        lines = [line._replace(debit_minor=line.credit_minor, credit_minor=line.debit_minor) for line in self.lines]
        return Slip(period, self.code, day, f"Reversal: {self.text}", self.plant, lines=lines, reverses=True)


class Dice(Random):
    """Seeded draws in the words of a bookkeeper."""

    def pick(self, among: Sequence[One]) -> One:
        """One of them."""
        return among[int(self.random() * len(among))]

    def amount(self, least: int, most: int) -> int:
        """An amount between the two, small ones far more often than large."""
        return least + int((most - least) * self.random() ** 2.5)

    def between(self, least: int, most: int) -> int:
        """A number between the two, both included."""
        return least + int((most - least + 1) * self.random())

    def plant(self, dept: str) -> str:
        """A plant where the department works."""
        return self.pick(PLANTS_OF[dept].split()) if dept in PLANTS_OF else "MF"

    def dept(self, account: str) -> str:
        """A department that has such costs: the plants' for accounts of the plants, any other for the rest."""
        return self.pick(chart.PLANT_DEPTS if account < "6" else chart.OFFICE_DEPTS)

    def day(self, period: FiscalPeriod) -> date:
        """A day of the period that is past."""
        return period.start + timedelta(days=int(self.random() * days_booked(period)))


def days_booked(period: FiscalPeriod) -> int:
    """How many days of a period are past; 0 of one that has not begun."""
    return max((min(period.end, TODAY) - period.start).days + 1, 0)


def converted(doc_minor: int, rate: Decimal) -> int:
    """An amount in another currency, in cents of the book."""
    return int((doc_minor * rate).quantize(Decimal(1), ROUND_HALF_EVEN))
