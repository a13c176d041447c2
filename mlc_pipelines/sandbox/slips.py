"""An entry on its way into the books, and the dice that decide what is in it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from mlc_pipelines.sandbox import chart, fiscal
from mlc_pipelines.sandbox.shapes import Line, Period

PROGRESS = {fiscal.IN_PROGRESS: 14}
"""How many days of an unfinished month are booked."""


@dataclass(slots=True)
class Slip:
    """An entry before it has a number. `reverses` is the slip that this one takes back."""

    module: str
    day: date
    branch: str
    description: str
    reference: str = ""
    ledger: str = "ACTUAL"
    status: str = "Posted"
    auto_reversing: bool = False
    reverses: "Slip | None" = None
    number: str = ""
    lines: list[Line] = field(default_factory=list)

    @property
    def excess(self) -> int:
        """By how much the debits exceed the credits so far."""
        return sum(line.debit_minor - line.credit_minor for line in self.lines)

    def debit(self, account: str, minor: int, subaccount: str = chart.CORPORATE, text: str = "") -> "Slip":
        """Add a debit line; the slip itself, so that lines can follow each other."""
        return self._add(account, subaccount, minor, 0, text)

    def credit(self, account: str, minor: int, subaccount: str = chart.CORPORATE, text: str = "") -> "Slip":
        """Add a credit line."""
        return self._add(account, subaccount, 0, minor, text)

    def reversed_on(self, day: date) -> "Slip":
        """The slip that takes this one back: the sides change places."""
        back = Slip(self.module, day, self.branch, f"Reversal: {self.description}", self.reference, reverses=self)
        for line in self.lines:
            back._add(line.account, line.subaccount, line.credit_minor, line.debit_minor, line.description)
        return back

    def _add(self, account: str, subaccount: str, debit: int, credit: int, text: str) -> "Slip":
        at, text = len(self.lines) + 1, text or self.description
        self.lines.append(Line(at, account, subaccount, self.branch, debit, credit, self.reference, text))
        return self


class Dice(Random):
    """Seeded draws in the words of a bookkeeper."""

    def branch(self) -> str:
        """One of the two branches, more often the larger one."""
        return "WEST" if self.random() < 0.3 else "HQ"

    def subaccount(self, branch: str) -> str:
        """A cost center of the branch and a practice; never the inactive one."""
        drawn = f"{self.choice(chart.CENTERS_OF[branch])}-{self.choice(list(chart.PRACTICES))}"
        return "100-TAX" if drawn == chart.INACTIVE_SUBACCOUNT else drawn

    def amount(self, least: int, most: int) -> int:
        """An amount between the two, small ones far more often than large."""
        return least + int((most - least) * self.random() ** 2.5)

    def day(self, period: Period) -> date:
        """A day of the period; of a month in progress, one that is past."""
        days = PROGRESS.get(period.key, (period.end - period.start).days + 1)
        return period.start + timedelta(days=self.randrange(days))
