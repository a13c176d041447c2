"""What is made and what it costs: material, work in process, finished goods, variances, payroll, depreciation of the second sample company."""

from collections.abc import Iterator
from datetime import date, timedelta

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.slips import Dice, Slip, days_booked

MAKERS = {"MF": ("110", "120", "130", "140"), "NO": ("110", "120", "130")}
"""The plants that make things, and who does."""

VARIANCES = ("5310", "5320", "5330", "5340", "5350", "5360")
PAY_EVERY_DAYS = 14
DEPRECIATED = {"110": 52, "120": 18, "130": 21, "140": 47, "160": 6, "220": 9, "310": 5, "510": 3, "410": 2}
"""Thousands of dollars a week by department."""


def weeks(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Each full week, for each plant: material is issued, labor and overhead applied, goods finished, moved and shipped."""
    for week in range(days_booked(period) // 7):
        day = period.start + timedelta(days=7 * week + 5)
        for plant, shops in MAKERS.items():
            yield from _week(dice, period, day, plant, shops)


def _week(dice: Dice, period: FiscalPeriod, day: date, plant: str, shops: tuple[str, ...]) -> Iterator[Slip]:
    factor = 3 if plant == "MF" else 1
    issue = Slip(period, "IJ", day, f"Material issued, week to {day:%d %b}", plant)
    issue.debit(chart.WIP, dice.between(18_000_000, 24_000_000) * factor, "", plant, "Material")
    yield issue.credit(chart.RAW, issue.excess, "", plant)
    applied = Slip(period, "IJ", day, f"Labor and overhead applied, week to {day:%d %b}", plant)
    for shop in shops:
        labor = chart.STAFF[shop] * dice.between(80_000, 90_000) * factor // 4
        applied.credit(chart.LABOR_APPLIED, labor, shop, plant, "Labor applied")
        applied.credit(chart.OVERHEAD_APPLIED, labor * 7 // 5, shop, plant, "Overhead applied")
    yield applied.debit(chart.WIP, -applied.excess, "", plant)
    cost = issue.lines[0].debit_minor + applied.lines[-1].debit_minor
    finished = Slip(period, "IJ", day + timedelta(days=1), "Production receipts", plant)
    finished.debit(chart.FINISHED, cost * dice.between(94, 99) // 100, "", plant)
    yield finished.credit(chart.WIP, finished.excess, "", plant)
    made = finished.lines[0].debit_minor
    if plant == "MF":
        yield _moved(period, day, made // 2)
    shipped = Slip(period, "IJ", day + timedelta(days=1), "Shipments", plant)
    shipped.debit(chart.COGS, made * dice.between(90, 104) // 100, "220", plant)
    if plant == "MF":
        shipped.credit(chart.FINISHED, made // 2, "", "DI")
    yield shipped.credit(chart.FINISHED, shipped.excess, "", plant)


def _moved(period: FiscalPeriod, day: date, minor: int) -> Slip:
    """From the main plant to the distribution center: each plant balances by itself."""
    slip = Slip(period, "IJ", day, "Transfer to DIST")
    slip.debit(chart.FINISHED, minor, "", "DI").credit(chart.BETWEEN_PLANTS, minor, "", "DI")
    return slip.debit(chart.BETWEEN_PLANTS, minor, "", "MF").credit(chart.FINISHED, minor, "", "MF")


def goods_receipt(dice: Dice, period: FiscalPeriod) -> Slip:
    """Material comes in before its invoice does."""
    plant = dice.pick(("MF", "MF", "NO"))
    slip = Slip(period, "IJ", dice.day(period), "Receipt of material", plant)
    for _ in range(dice.between(1, 4)):
        slip.debit(chart.RAW, dice.amount(40_000, 38_000_000), "", plant)
    return slip.credit(chart.RECEIVED, slip.excess)


def variances(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """At the end of the period what work in process did not turn into goods, by kind and shop."""
    for plant, shops in MAKERS.items():
        slip = Slip(period, "IJ", period.end, "Production variances", plant)
        for account in VARIANCES:
            minor, shop = dice.amount(20_000, 9_000_000), dice.pick(shops)
            if dice.random() < 0.75:
                slip.debit(account, minor, shop, plant)
            else:
                slip.credit(account, minor, shop, plant)
        excess = slip.excess
        yield slip.credit(chart.WIP, excess, "", plant) if excess >= 0 else slip.debit(chart.WIP, -excess, "", plant)


def payroll(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Every second Friday, for each part of the staff; the bank pays the next day, what was withheld with it."""
    for half in range(days_booked(period) // PAY_EVERY_DAYS):
        day = period.start + timedelta(days=PAY_EVERY_DAYS * half + 12)
        paid = Slip(
            period, "PR", day + timedelta(days=1), "Wages and taxes withheld, paid", user="payroll", bank="GLB1"
        )
        for depts, text in ((chart.PLANT_DEPTS, "Payroll, plants"), (chart.OFFICE_DEPTS, "Payroll, offices")):
            run = _pay_run(dice, period, day, depts, f"{text} {day:%d %b %Y}")
            for line in run.lines[-2:]:
                paid.debit(line.account, line.credit_minor)
            yield run
        yield paid.credit(chart.BANK, paid.excess)


def _pay_run(dice: Dice, period: FiscalPeriod, day: date, depts: tuple[str, ...], text: str) -> Slip:
    slip = Slip(period, "PR", day, text, user="payroll")
    for dept in depts:
        account = chart.DIRECT_LABOR if dept in chart.SHOPS else "5410" if dept in chart.PLANT_DEPTS else chart.SALARIES
        pay = chart.STAFF[dept] * dice.between(205_000, 230_000) + dice.between(0, 99)
        slip.debit(account, pay, dept, dice.plant(dept) if dept in chart.SHOPS else "MF")
    slip.debit(chart.PAYROLL_TAXES, slip.excess * 765 // 10_000, "520", "MF", "Employer's share")
    return slip.credit(chart.WITHHELD, slip.excess * 23 // 100).credit(chart.PAYROLL_DUE, slip.excess)


def depreciation(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """By department: evenly in MAIN, faster in TAX, which is where the two books differ."""
    length = ((period.end - period.start).days + 1) // 7
    for book, percent in (("MAIN", 100), ("TAX", 155)):
        slip = Slip(period, "FA", period.end, f"Depreciation, {book} book", books=(book,), user="assets")
        for dept, thousands in DEPRECIATED.items():
            account = chart.DEPRECIATION if dept in chart.PLANT_DEPTS else "6810"
            minor = thousands * 100_000 * length * percent // 100 // 4 + dice.between(0, 9_999)
            slip.debit(account, minor, dept, "MF")
        yield slip.credit(chart.ACCUMULATED_DEPRECIATION, slip.excess)
