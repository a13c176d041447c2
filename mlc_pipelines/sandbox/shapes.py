"""The shapes that the books of a sandbox company are made of; plain data.

Money is an integer of minor units (cents), debit and credit apart, never negative. Codes are text ("0010", "NA").
Instants are aware and in UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple


@dataclass(slots=True)
class Account:
    """One account. `type` is Asset, Liability, Income or Expense: equity is a liability here.

    The ERP knows no fifth type [C acumatica-cli: entity contract]. `group` is the broader heading the planners use.
    """

    code: str
    description: str
    type: str
    account_class: str
    group: str
    active: bool = True
    post_option: str = "Detail"


@dataclass(slots=True)
class Subaccount:
    """One subaccount, "<cost center>-<practice>"."""

    code: str
    description: str
    active: bool = True

    @property
    def cost_center(self) -> str:
        """Its first segment."""
        return self.code.split("-")[0]


@dataclass(slots=True)
class Branch:
    """A branch of a company."""

    code: str
    name: str
    company: str


@dataclass(slots=True)
class Company:
    """A company beside the first one: the ledgers it keeps, and the statuses that periods have in its own calendar only."""

    code: str
    name: str
    ledgers: list[str]
    statuses: dict[str, str]


@dataclass(slots=True)
class Ledger:
    """One set of books; `type` is Actual, Statistical, Budget or Reporting; `company` is "" where the first company keeps it."""

    code: str
    description: str
    type: str
    currency: str
    company: str = ""


@dataclass(slots=True)
class Period:
    """A fiscal period; `year` is the calendar year in which its fiscal year ends. Start and end are inclusive.

    `status` is Inactive, Open, Closed or Locked. An adjustment period starts and ends on the last day of its year.
    """

    year: int
    number: int
    start: date
    end: date
    status: str
    adjustment: bool = False

    @property
    def id(self) -> str:
        """The ERP's spelling, number then year: "032026". Reference: acumatica 4 [S]."""
        return f"{self.number:02d}{self.year}"

    @property
    def key(self) -> str:
        """Our spelling, which sorts in fiscal order: "FY2026-P03"."""
        return f"FY{self.year}-P{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a batch. To change a line, put another in its place (`dataclasses.replace`)."""

    number: int
    account: str
    subaccount: str
    branch: str
    debit_minor: int
    credit_minor: int
    reference: str = ""
    description: str = ""


@dataclass(slots=True)
class Batch:
    """Lines booked together. `status` is Posted, Unposted, Balanced or On Hold; only Posted counts in the balances.

    `original` is the number of the batch that this one reverses.
    """

    module: str
    number: str
    ledger: str
    branch: str
    period: str
    date: date
    status: str
    description: str
    currency: str
    created_at: datetime
    modified_at: datetime
    auto_reversing: bool
    original: str | None
    lines: list[Line]
    note_id: str

    @property
    def debit_minor(self) -> int:
        """Sum of the debits."""
        return sum(line.debit_minor for line in self.lines)

    @property
    def credit_minor(self) -> int:
        """Sum of the credits."""
        return sum(line.credit_minor for line in self.lines)

    @property
    def sort_key(self) -> tuple[str, str]:
        """Where the batch stands in `Books.batches`."""
        return (self.module, self.number)


class TruthRow(NamedTuple):
    """What was posted to one account, subaccount and branch in one period."""

    account: str
    subaccount: str
    branch: str
    debit_minor: int
    credit_minor: int


class Balance(NamedTuple):
    """One line of a trial balance. Beginning and ending: debit positive. `subaccount` is "" in a sum per account."""

    account: str
    subaccount: str
    beginning_minor: int
    debit_minor: int
    credit_minor: int
    ending_minor: int


def utc(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of a day, in UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)
