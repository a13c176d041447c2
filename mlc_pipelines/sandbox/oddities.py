"""What stands in every month of the sample company on purpose, so that a careless reader falls: `company` lists it."""

from collections.abc import Iterator
from datetime import timedelta

from mlc_pipelines.sandbox import chart, fiscal
from mlc_pipelines.sandbox.shapes import Period
from mlc_pipelines.sandbox.slips import Dice, Slip

UNRELEASED = ("On Hold", "Balanced", "Unposted")


def oddities(dice: Dice, period: Period) -> Iterator[Slip]:
    """All of them, once."""
    yield from _penalty_and_reversal(dice, period)
    yield from _awkward_codes(dice, period)
    yield from _late_bill(dice, period)
    yield from _fax_lines(period)
    yield from _drafts(dice, period)


def statistics(dice: Dice, period: Period) -> Iterator[Slip]:
    """The statistical ledger: headcount, hours and a plan figure, debits alone; and one draft.

    A statistical batch need not balance. Reference: acumatica 5.6 [S].
    """
    for branch in chart.CENTERS_OF:
        slip = Slip("GL", period.start, branch, f"Headcount {period.key}", "HC", ledger="STAT")
        for center in chart.home_centers(branch):
            slip.debit(chart.HEADCOUNT, (chart.STAFF[center] + dice.randint(-2, 2)) * 100, f"{center}-000")
        yield slip
    for status in ("Posted", "On Hold"):
        plan = Slip("GL", period.start, "HQ", f"Travel plan {period.key}", "PLAN", ledger="STAT", status=status)
        for center in ("020", "040", "060"):
            plan.debit("6100", dice.amount(900_000, 1_500_000), f"{center}-ADV")
        yield plan
    hours = Slip("GL", period.start + timedelta(days=13), "HQ", f"Hours {period.key}", "HRS", ledger="STAT")
    yield hours.debit(chart.BILLABLE_HOURS, dice.randint(1_000_000, 1_600_000), "040-ADV")


def _penalty_and_reversal(dice: Dice, period: Period) -> Iterator[Slip]:
    """Booked in error and taken back: the cell is zero, and yet it has lines."""
    slip = Slip("GL", period.start + timedelta(days=2), "HQ", "Penalty, booked in error", "ERR1")
    slip.debit(chart.PENALTIES, dice.amount(10_000, 90_000), "120-000")
    yield slip.credit(chart.PAYABLES, slip.excess)
    yield slip.reversed_on(period.start + timedelta(days=9))


def _awkward_codes(dice: Dice, period: Period) -> Iterator[Slip]:
    """Accounts "0010" and "NA", and the two that the planning model does not know."""
    day = period.start + timedelta(days=9)
    cash = Slip("CA", day, "HQ", "Petty cash, and a receipt nobody can explain", "PC1")
    cash.debit(chart.PETTY_CASH, dice.amount(5_000, 40_000)).debit(chart.CLEARING, dice.amount(1, 9_999))
    yield cash.credit(chart.BANK, cash.excess)
    costs, income = chart.NO_PLAN_MEMBER
    relief = Slip("GL", day, "WEST", "Relief costs and the grant for them", "GRANT")
    relief.debit(costs, dice.amount(100_000, 400_000), "080-000").debit(chart.BANK, dice.amount(10_000, 90_000))
    yield relief.credit(income, relief.excess, "090-000")


def _late_bill(dice: Dice, period: Period) -> Iterator[Slip]:
    """Dated in the month before the period that it is posted to: a date does not tell the period."""
    slip = Slip("AP", period.start - timedelta(days=5), "HQ", "Bill of last month, arrived late", "LATE")
    slip.debit("6500", dice.amount(80_000, 300_000), "020-ADV")
    yield slip.credit(chart.PAYABLES, slip.excess)


def _fax_lines(period: Period) -> Iterator[Slip]:
    """In the first year only, on an account that is inactive today."""
    if period.year == fiscal.FIRST_YEAR:
        slip = Slip("AP", period.start + timedelta(days=9), "HQ", "Fax lines", "FAX")
        yield slip.debit(chart.RETIRED, 4_999, "120-000").credit(chart.PAYABLES, 4_999)


def _drafts(dice: Dice, period: Period) -> Iterator[Slip]:
    """One entry of every status short of Posted; the one on hold does not balance yet."""
    for status in UNRELEASED:
        day, text = period.start + timedelta(days=12), f"Draft, {status.lower()}"
        slip = Slip("GL", day, dice.branch(), text, "DRAFT", status=status)
        slip.debit("6100", dice.amount(20_000, 900_000), dice.subaccount(slip.branch))
        yield slip.credit(chart.PAYABLES, slip.excess - (1 if status == "On Hold" else 0))
