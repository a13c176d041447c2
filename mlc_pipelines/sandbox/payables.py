"""The vendors, bills, checks and purchase orders of the sample company. Bills and checks are what stands behind its AP journals, to the cent.

A bill's amount is what its batch credits to payables, its details are the batch's other lines; a check's amount is what its batch takes off
payables. Vendors and purchase orders are made up: every tenth bill of the last fiscal year had an order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from mlc_pipelines.sandbox import chart
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.business import VENDORS
from mlc_pipelines.sandbox.shapes import Batch, Line, utc

ORDER_YEAR, ORDER_EVERY = "FY2026", 10
TERMS_DAYS = {"30D": 30, "60D": 60}
SUNDRY = VENDORS[1]
"""Who sends the bills that name nobody."""


@dataclass(slots=True)
class Vendor:
    """One vendor, "V00001"."""

    code: str
    name: str
    vendor_class: str
    terms: str
    email: str
    created_at: datetime
    modified_at: datetime
    status: str = "Active"


@dataclass(slots=True)
class Order:
    """One purchase order; its lines are those of a bill, each of one piece."""

    number: str
    vendor: str
    branch: str
    day: date
    reference: str
    modified_at: datetime
    status: str = "Closed"
    lines: list[Line] = field(default_factory=list)

    @property
    def total_minor(self) -> int:
        """What was ordered."""
        return sum(line.debit_minor for line in self.lines)


def sample_vendors(books: Books) -> dict[str, Vendor]:
    """The vendors by code, as entered when the books began."""
    founded = utc(min(period.start for period in books.periods.values()), 8)
    found = {}
    for at, name in enumerate(VENDORS, start=1):
        code, terms = f"V{at:05d}", list(TERMS_DAYS)[at % 2]
        email = f"accounts{at}@vendor.example"
        found[code] = Vendor(code, name, "SERVICE" if at % 3 else "TRAVEL", terms, email, founded, founded)
    return found


def sample_orders(books: Books) -> list[Order]:
    """An order for every tenth bill of the last whole fiscal year."""
    of_year = (batch for batch in _released(books) if batch.period.startswith(ORDER_YEAR))
    behind = [batch for batch in of_year if payable_minor(batch) > 0][::ORDER_EVERY]
    return [
        Order(
            f"PO{at:06d}",
            vendor_of(batch),
            batch.branch,
            batch.date - timedelta(days=10),
            reference_of(batch),
            batch.modified_at,
            lines=charges(batch),
        )
        for at, batch in enumerate(behind, start=1)
    ]


def bill_batches(books: Books) -> Iterator[Batch]:
    """The released AP batches that credit payables: bills."""
    return (batch for batch in _released(books) if payable_minor(batch) > 0)


def check_batches(books: Books) -> Iterator[Batch]:
    """The released AP batches that debit payables: payments."""
    return (batch for batch in _released(books) if payable_minor(batch) < 0)


def payable_minor(batch: Batch) -> int:
    """What a batch adds to payables."""
    return sum(line.credit_minor - line.debit_minor for line in batch.lines if line.account == chart.PAYABLES)


def charges(batch: Batch) -> list[Line]:
    """The lines of a bill: all but the payables."""
    return [line for line in batch.lines if line.account != chart.PAYABLES]


def vendor_of(batch: Batch) -> str:
    """The code of the vendor whose name the description ends with."""
    name = next((name for name in VENDORS if batch.description.endswith(name)), SUNDRY)
    return f"V{VENDORS.index(name) + 1:05d}"


def reference_of(batch: Batch) -> str:
    """The vendor's own number, or that of the check."""
    return batch.lines[0].reference


def due_on(batch: Batch, terms: str) -> date:
    """When a bill is to be paid."""
    return batch.date + timedelta(days=TERMS_DAYS[terms])


def _released(books: Books) -> Iterator[Batch]:
    return (batch for batch in books.batches if batch.module == "AP" and batch.status == "Posted")
