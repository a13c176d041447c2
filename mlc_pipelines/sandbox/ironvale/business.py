"""The daily business of the second sample company, except for its vendors: sales and receipts, the bank, reclassifications."""

from decimal import Decimal

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.slips import Dice, Slip

CUSTOMERS = (
    "Allegheny Water Works",
    "Bluegrass Pump & Supply, Inc.",
    "Canal Street Breweries",
    'The "Delta" Irrigation Co.',
    "Everglades Utilities",
    "Fonderie Saint-Étienne",
    "Grupo Azúcar del Norte",
    "Harbor Marine Services",
    "Illinois Ethanol",
    "Japan Valve Trading 日本バルブ",
)
PRODUCTS = ("4010", "4010", "4020", "4020", "4030", "4040", "4050", "4060")
CAD_RATE, EUR_RATE = Decimal("0.7264"), Decimal("1.0873")


def sale(dice: Dice, period: FiscalPeriod) -> Slip:
    """An invoice to a customer: one to eight products, freight and sales tax now and then."""
    at, plant = dice.between(1, len(CUSTOMERS)), dice.pick(("MF", "DI", "NO"))
    slip = Slip(period, "SJ", dice.day(period), f"Invoice, {CUSTOMERS[at - 1]}", plant)
    slip.customer, slip.ar_invoice = at, 100_000 + int(dice.random() * 900_000)
    for _ in range(dice.pick((1, 2, 2, 3, 3, 4, 6, 8))):
        slip.credit(dice.pick(PRODUCTS), dice.amount(150_000, 62_000_000), "410", plant)
    if dice.random() < 0.3:
        slip.credit("4210", dice.amount(5_000, 400_000), "220", plant, "Freight billed")
    if dice.random() < 0.15:
        slip.credit(chart.SALES_TAX, -slip.excess * 29 // 4000, text="Sales tax")
    return slip.debit(chart.RECEIVABLES, -slip.excess)


def foreign_sale(dice: Dice, period: FiscalPeriod) -> Slip:
    """An invoice in Canadian dollars: what is charged and what is owed are converted line by line, so cents are left over."""
    slip = Slip(period, "SJ", dice.day(period), "Invoice, Prairie Potash Ltd.", currency="CAD")
    slip.customer, slip.ar_invoice, total = 11, 100_000 + int(dice.random() * 900_000), 0
    for _ in range(dice.between(2, 6)):
        doc = dice.amount(80_001, 9_000_000) | 1
        slip.foreign((dice.pick(PRODUCTS), "410", "MF"), -doc, CAD_RATE)
        total += doc
    return slip.foreign((chart.RECEIVABLES, "", ""), total, CAD_RATE).rounded()


def receipt(dice: Dice, period: FiscalPeriod) -> Slip:
    """A customer pays, at times with a discount."""
    at = dice.between(1, len(CUSTOMERS))
    slip = Slip(period, "CR", dice.day(period), f"Payment from {CUSTOMERS[at - 1]}", customer=at, bank="GLB1")
    slip.credit(chart.RECEIVABLES, dice.amount(2_000_000, 340_000_000))
    if dice.random() < 0.15:
        slip.debit(chart.DISCOUNTS_GIVEN, dice.amount(1_000, 900_000), "410", "MF", "Discount taken")
    return slip.debit(chart.BANK, -slip.excess)


def bank_statement(dice: Dice, period: FiscalPeriod) -> Slip:
    """Interest without a department, and the fees that are taken off it."""
    slip = Slip(period, "BR", dice.day(period), "Bank statement", bank="GLB1")
    slip.debit(chart.BANK_FEES, dice.amount(500, 9_900), "510", "MF")
    slip.credit(chart.INTEREST_INCOME, dice.amount(10_000, 900_000))
    return slip.debit(chart.BANK, -slip.excess)


def reclassification(dice: Dice, period: FiscalPeriod) -> Slip:
    """A cost that belongs to another department, or elsewhere in the chart."""
    slip = Slip(period, "GJ", dice.day(period), "Reclassification", user=dice.pick(("kreyes", "tlund", "mpatel")))
    for _ in range(dice.pick((1, 1, 2, 4))):
        account = dice.pick(RECLASSIFIED)
        dept = dice.dept(account)
        slip.debit(account, dice.amount(2_000, 900_000), dept, dice.plant(dept))
    account = dice.pick(RECLASSIFIED)
    dept = dice.dept(account)
    return slip.credit(account, slip.excess, dept, dice.plant(dept))


RECLASSIFIED = [
    value.code
    for value in chart.accounts().values()
    if value.category in ("OVHD", "OPEX", "BENE", "FRGT")
    and value.active
    and value.code not in (chart.PENALTIES, chart.OVERHEAD_APPLIED, *chart.NO_PLAN_MEMBER)
]
"""Costs that people book to the wrong place."""
