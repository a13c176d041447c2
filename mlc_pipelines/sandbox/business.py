"""The daily business of the sample company: invoices and payments, bills, bank statements, reclassifications."""

from collections.abc import Callable

from mlc_pipelines.sandbox import chart
from mlc_pipelines.sandbox.shapes import Period
from mlc_pipelines.sandbox.slips import Dice, Slip

CLIENTS = (
    "Alder Creek Health",
    "Bayside Ports Authority",
    'The "Blue Mesa" Group',
    "Cordova, Lind & Co.",
    "Fjord Énergie SA",
    "Great Plains Rail",
    "Harbor Light Foundation",
    "Müller & Söhne AG",
    "O'Hara Foods",
    "北陸商事",
)
VENDORS = (
    "Apex Travel",
    "Brightwater Properties",
    "Cascade Data",
    "Delmonte Print, Inc.",
    'Ed\'s "Quick" Couriers',
    "Frontier Airlines Desk",
    "Globe Staffing",
    "Hôtel du Lac",
    "Ironwood Insurance",
    "Juniper Software",
)
FEES_OF = {"000": ("4040", "4070"), "ADV": ("4010", "4050", "4060"), "TAX": ("4020", "4050"), "TEC": ("4030", "4080")}
"""What each practice earns."""

BILLED_CLASSES = ("DIRECT", "TRAVEL", "PREMISES", "TECHNOLOGY", "MARKETING", "OUTSIDE", "INSURANCE", "OTHEROPEX")
BILLED = [
    account.code
    for account in chart.accounts().values()
    if account.account_class in BILLED_CLASSES and account.active and account.code != chart.PENALTIES
]
"""What vendors charge to."""


def daily_business(dice: Dice, period: Period, count: int) -> list[Slip]:
    """So many entries of a period, of all kinds; none for a negative number."""
    drawn = dice.choices(list(KINDS), weights=list(KINDS.values()), k=max(count, 0))
    return [write(dice, period) for write in drawn]


def bill(dice: Dice, period: Period, charges: int) -> Slip:
    """What a vendor charges to so many accounts and cost centers."""
    vendor, branch = dice.choice(VENDORS), dice.branch()
    slip = Slip("AP", dice.day(period), branch, f"Bill, {vendor}", f"B{dice.randrange(10**7):07d}")
    for _ in range(charges):
        slip.debit(dice.choice(BILLED), dice.amount(1_500, 1_800_000), dice.subaccount(branch))
    return slip.credit(chart.PAYABLES, slip.excess)


def reclassification(dice: Dice, period: Period) -> Slip:
    """A cost that belongs to another cost center, or elsewhere in the chart."""
    branch = dice.branch()
    slip = Slip("GL", dice.day(period), branch, "Reclassification", f"RCL{dice.amount(1, 9999)}")
    slip.debit(dice.choice(BILLED), dice.amount(2_000, 700_000), dice.subaccount(branch))
    return slip.credit(dice.choice(BILLED), slip.excess, dice.subaccount(branch))


def _any_bill(dice: Dice, period: Period) -> Slip:
    return bill(dice, period, dice.randint(1, 11))


def _invoice(dice: Dice, period: Period) -> Slip:
    """Fees of one to eight engagements to one client, with sales tax now and then."""
    client, branch = dice.choice(CLIENTS), dice.branch()
    slip = Slip("AR", dice.day(period), branch, f"Invoice, {client}", f"INV{dice.randrange(10**6):06d}")
    for _ in range(dice.choice((1, 2, 3, 3, 4, 5, 6, 8))):
        subaccount = dice.subaccount(branch)
        slip.credit(dice.choice(FEES_OF[subaccount[4:]]), dice.amount(400_000, 17_000_000), subaccount)
    if dice.random() < 0.2:
        slip.credit(chart.SALES_TAX, -slip.excess * 29 // 1000, text="Sales tax")
    return slip.debit(chart.RECEIVABLES, -slip.excess)


def _receipt(dice: Dice, period: Period) -> Slip:
    """A client pays, at times with a discount."""
    client = dice.choice(CLIENTS)
    slip = Slip("AR", dice.day(period), dice.branch(), f"Payment from {client}", f"RC{dice.amount(1, 99999)}")
    slip.credit(chart.RECEIVABLES, dice.amount(500_000, 125_000_000))
    if dice.random() < 0.15:
        slip.debit("4110", dice.amount(1_000, 90_000), dice.subaccount(slip.branch), "Discount taken")
    return slip.debit(chart.BANK, -slip.excess)


def _payment(dice: Dice, period: Period) -> Slip:
    vendor = dice.choice(VENDORS)
    slip = Slip("AP", dice.day(period), dice.branch(), f"Payment to {vendor}", f"CHK{dice.amount(1, 99999)}")
    return slip.debit(chart.PAYABLES, dice.amount(5_000, 16_500_000)).credit(chart.BANK, slip.excess)


def _bank_statement(dice: Dice, period: Period) -> Slip:
    """Interest, and the fees that are taken off it."""
    slip = Slip("CA", dice.day(period), "HQ", "Bank statement", f"ST{dice.amount(1, 9999)}")
    slip.debit(chart.BANK_FEES, dice.amount(500, 9_900)).credit(chart.INTEREST_INCOME, dice.amount(10_000, 900_000))
    return slip.debit(chart.BANK, -slip.excess)


KINDS: dict[Callable[[Dice, Period], Slip], int] = {
    _invoice: 26,
    _receipt: 14,
    _any_bill: 30,
    _payment: 14,
    _bank_statement: 8,
    reclassification: 8,
}
"""Kinds of entries, and how many of a hundred are of that kind."""
