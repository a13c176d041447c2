"""What stands in every period of the second sample company on purpose, so that a careless reader falls: the package lists it."""

from collections.abc import Iterator
from datetime import timedelta

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.business import CAD_RATE, EUR_RATE, foreign_sale
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod, Line
from mlc_pipelines.sandbox.ironvale.slips import TODAY, Dice, Slip


def oddities(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """All of them that need no period before."""
    yield from _penalty_and_reversal(dice, period)
    yield from _awkward_codes(dice, period)
    yield from _unplanned(dice, period)
    yield from _dates(dice, period)
    yield from _retired(dice, period)
    yield from _not_posted(dice, period)
    yield from _other_currencies(dice, period)
    yield from _between_companies(dice, period)
    yield from _statistics(dice, period)


def in_red(dice: Dice, period: FiscalPeriod, wrong: Line) -> Slip:
    """A cost of the period before is taken back by negative amounts on the same sides: a cell may end below zero."""
    slip = Slip(period, "GJ", period.start + timedelta(days=8), "Correction in red", user="tlund")
    minor = wrong.debit_minor or dice.between(1_000, 90_000)
    slip.lines.append(Line(wrong.account, wrong.dept, wrong.plant, -minor, 0, "Booked twice"))
    slip.lines.append(Line(chart.ACCRUED, "", "", 0, -minor, "Booked twice"))
    return slip


def booked_twice(dice: Dice, period: FiscalPeriod) -> Slip:
    """The cost that the next period will take back in red: nothing else books training to the foundry."""
    slip = Slip(period, "GJ", period.end - timedelta(days=1), "Training, booked twice", user="tlund")
    return slip.debit("6150", dice.amount(10_000, 90_000), "140", "MF").credit(chart.ACCRUED, slip.excess)


def _penalty_and_reversal(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Booked in error and taken back: the cell is zero, and yet it has lines."""
    slip = Slip(period, "GJ", period.start + timedelta(days=2), "Penalty, booked in error")
    slip.debit(chart.PENALTIES, dice.amount(10_000, 90_000), "510", "MF")
    yield slip.credit(chart.ACCRUED, slip.excess)
    yield slip.taken_back(period, period.start + timedelta(days=9))


def _awkward_codes(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Accounts "0010" and "NA", which are text and not a number or nothing."""
    slip = Slip(period, "BR", period.start + timedelta(days=4), 'Petty cash, "receipt nobody can explain"', bank="GLB1")
    slip.debit(chart.PETTY_CASH, dice.amount(5_000, 40_000)).debit(chart.NOT_ASSIGNED, dice.amount(1, 9_999))
    yield slip.credit(chart.BANK, slip.excess)


def _unplanned(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """The two accounts that the planning model does not know."""
    costs, income = chart.NO_PLAN_MEMBER
    slip = Slip(period, "GJ", period.start + timedelta(days=7), "Storm damage, and a grant for training")
    slip.debit(costs, dice.amount(100_000, 400_000), "160", "MF").debit(chart.BANK, dice.amount(10_000, 90_000))
    yield slip.credit(income, slip.excess, "520", "MF")


def _dates(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Dated in the period before; and posted only in the period after. Neither date tells the period."""
    early = Slip(period, "GJ", period.start - timedelta(days=5), "Bill of last period, arrived late")
    early.debit("6510", dice.amount(80_000, 300_000), "510", "MF")
    early.posted_on = period.start + timedelta(days=3)
    yield early.credit(chart.ACCRUED, early.excess)
    if period.end + timedelta(days=9) <= TODAY:
        late = Slip(period, "GJ", period.end, "Utilities, true-up", posted_on=period.end + timedelta(days=9))
        late.debit("5720", dice.amount(80_000, 700_000), "140", "MF")
        yield late.credit("2130", late.excess)


def _retired(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Up to the end of FY2025 only: an account that is inactive today, and a department that has expired since."""
    if period.year <= 2025:
        slip = Slip(period, "GJ", period.start + timedelta(days=9), "Telex lines; pilot line")
        slip.debit(chart.RETIRED, 4_999, "510", "MF")
        slip.debit("5510", dice.amount(10_000, 250_000), chart.EXPIRED_DEPT, "NO")
        yield slip.credit(chart.ACCRUED, slip.excess)


def _not_posted(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Rows that stand among the posted ones and say Posted false; one of the two journals does not even balance."""
    for cents in (0, 1):
        slip = Slip(period, "GJ", period.start + timedelta(days=12), "Draft, not posted", books=("MAIN",))
        slip.debit("6700", dice.amount(20_000, 900_000), "410", "MF")
        slip.posted = False
        yield slip.credit(chart.ACCRUED, slip.excess - cents)


def _other_currencies(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Journals in CAD and EUR: the document's amounts are not the book's, and cents are left over."""
    yield foreign_sale(dice, period)
    slip = Slip(period, "GJ", period.start + timedelta(days=10), "Maintenance of presses, Esslingen", currency="EUR")
    total = 0
    for dept in ("110", "120", "130"):
        doc = dice.amount(50_001, 2_000_000) | 1
        slip.foreign(("5610", dept, "MF"), doc, EUR_RATE)
        total += doc
    yield slip.foreign(("1050", "", ""), -total, EUR_RATE).rounded()


def _between_companies(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Sold to the sister company, and a cost that came from there: its lines name IVC as their source."""
    sold = Slip(period, "GJ", period.start + timedelta(days=11), "Pumps for Ironvale Canada")
    sold.debit(chart.DUE_FROM_SISTER, dice.amount(900_000, 30_000_000))
    yield sold.credit("4090", sold.excess, "410", "MF")
    passed_on = Slip(period, "GJ", period.start + timedelta(days=6), "Engineering from IVC", from_company=chart.SISTER)
    passed_on.currency = "CAD"
    doc = dice.amount(90_000, 900_000)
    passed_on.foreign(("6530", "310", "MF"), doc, CAD_RATE)
    yield passed_on.foreign(("2020", "", ""), -doc, CAD_RATE)


def _statistics(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Headcount and machine hours: lines without money, one-sided, in the main book."""
    people = Slip(period, "ST", period.start, "Headcount", books=("MAIN",), user="hr")
    for dept in chart.USED_DEPTS:
        heads = (chart.STAFF[dept] + dice.between(-1, 1)) * 100
        people.lines.append(Line(chart.HEADCOUNT, dept, "MF", 0, 0, "Headcount", units=heads))
    yield people
    hours = Slip(period, "ST", period.start + timedelta(days=6), "Machine hours", books=("MAIN",), user="mes")
    for dept in chart.SHOPS:
        hours.lines.append(Line(chart.MACHINE_HOURS, dept, "MF", 0, 0, "Hours", units=dice.between(200_000, 900_000)))
    yield hours
