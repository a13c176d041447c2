"""What the second sample company buys: invoices of every kind, orders behind them, and payments.

Each invoice is a slip with a draft; its journal follows from it. Payments are journals of code CD that name the invoice and the check.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.business import CAD_RATE, EUR_RATE
from mlc_pipelines.sandbox.ironvale.shapes import (
    Distribution,
    FiscalPeriod,
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    Vendor,
)
from mlc_pipelines.sandbox.ironvale.slips import Dice, Slip, converted
from mlc_pipelines.sandbox.ironvale.vendors import USUAL, vendors

CHARGED = {
    "MATL": ("5210", "5230", "5030"),
    "SERV": ("5610", "5620", "5630", "5640", "5840", "5030", "6040"),
    "UTIL": ("5710", "5720", "5730", "5740"),
    "FRT": ("5210", "5220"),
    "MRO": ("5510", "5520", "5530", "5540", "5550", "6220"),
    "PROF": ("6310", "6330", "6410", "6420", "6510", "6520", "6530", "6610", "6700", "6720", "6155", "6150"),
    "EQUP": ("1520", "1530", "5610"),
}
"""Accounts that the vendors of a group are charged to; 15xx are machines, on the balance sheet."""

RATES = {"USD": Decimal(1), "CAD": CAD_RATE, "EUR": EUR_RATE}
PARTS = ("BAR-4140", "CAST-0077", "PLATE A36", "SEAL-12", "0815", "NI-200")


@dataclass
class Purchasing:
    """The buyers' memory: vendors, the numbers they gave, invoices to be paid, and the orders."""

    all_vendors: dict[tuple[str, int], Vendor] = field(default_factory=vendors)
    unpaid: list[Invoice] = field(default_factory=list)
    orders: dict[tuple[str, int], Order] = field(default_factory=dict)
    invoices: int = 0
    checks: int = 40_000

    def __post_init__(self) -> None:
        """Those who are bought from: active, at home, and not the one that the planners do not know."""
        own = [vendor for vendor in self.all_vendors.values() if vendor.company == chart.COMPANY and vendor.active]
        self.usual = [vendor for vendor in own if vendor.code != chart.NO_PLAN_VENDOR]
        self.by_code = {vendor.code: vendor for vendor in own}
        self.by_group = {group: [vendor for vendor in self.usual if vendor.group == group] for group in CHARGED}

    def invoice(self, dice: Dice, period: FiscalPeriod) -> Slip:
        """An invoice of some vendor: for material mostly what has been received, for the others one to four lines."""
        vendor = dice.pick(self.usual)
        if vendor.group == "MATL" and dice.random() < 0.8:
            return self.material(dice, period, vendor)
        lines = [self.charge(dice, vendor, dice.pick((1, 1, 2, 3))) for _ in range(dice.pick((1, 1, 2, 3, 4)))]
        return self.slip(dice, period, vendor, lines, tax=dice.random() < 0.2)

    def material(self, dice: Dice, period: FiscalPeriod, vendor: Vendor) -> Slip:
        """Lines matched to an order's receipts, which have no distribution, and freight at times, which has one."""
        number, rate = 5_000 + len(self.orders), RATES[vendor.currency]
        lines, ordered = [], []
        for at in range(1, dice.between(1, 4) + 1):
            doc, part = dice.amount(50_000, 32_000_000), dice.pick(PARTS)
            minor = converted(doc, rate)
            lines.append(InvoiceLine(f"Receipt of {part}", minor, doc, (), number, at, part))
            ordered.append(OrderLine(part, f"Material {part}", dice.between(1, 400), minor))
        if dice.random() < 0.5:
            lines.append(self.charge(dice, vendor, 1))
        slip = self.slip(dice, period, vendor, lines, order=number)
        day = slip.day - timedelta(days=25)
        order = Order(chart.COMPANY, number, vendor.number, day, vendor.currency, tuple(ordered), slip.day)
        self.orders[chart.COMPANY, number] = order
        return slip

    def charge(self, dice: Dice, vendor: Vendor, shares: int, *, sign: int = 1, account: str = "") -> InvoiceLine:
        """One line of an invoice, shared among so many accounts and departments."""
        rate, made = RATES[vendor.currency], []
        for _ in range(shares):
            to = account or dice.pick(CHARGED[vendor.group])
            dept = "" if to < "4" else dice.dept(to)
            doc = sign * dice.amount(4_000, 6_500_000)
            made.append(Distribution(to, dept, dice.plant(dept) if dept else "", sign * converted(abs(doc), rate), doc))
        total, doc_total = sum(one.minor for one in made), sum(one.doc_minor for one in made)
        return InvoiceLine(TEXTS[vendor.group], total, doc_total, tuple(made))

    def slip(
        self,
        dice: Dice,
        period: FiscalPeriod,
        vendor: Vendor,
        lines: Sequence[InvoiceLine],
        *,
        tax: bool = False,
        order: int = 0,
        prepayment: bool = False,
        posted: bool = True,
    ) -> Slip:
        """The invoice of these lines, with tax if there is any: dated before it is applied, often in the period before."""
        self.invoices += 1
        net, doc_net = sum(line.minor for line in lines), sum(line.doc_minor for line in lines)
        doc_tax = doc_net * 725 // 10_000 if tax else 0
        tax_minor = converted(abs(doc_tax), RATES[vendor.currency]) * (1 if doc_tax >= 0 else -1)
        day, number = dice.day(period), self.number_of(vendor)
        draft = Invoice(
            chart.COMPANY, vendor.number, number, period, day - timedelta(days=dice.between(1, 19)), day, day,
            f"Invoice, {vendor.name}", net + tax_minor, doc_net + doc_tax, tax_minor, vendor.currency,
            RATES[vendor.currency], tuple(lines), 0, debit_memo=net < 0, prepayment=prepayment, order=order,
            group=f"AP{day:%y%m%d}", user=dice.pick(("abauer", "jsoto")),
        )  # fmt: skip
        if posted and net > 0:
            self.unpaid.append(draft)
        return Slip(period, "PJ", day, draft.text, posted=posted, draft=draft, user=draft.user)

    def number_of(self, vendor: Vendor) -> str:
        """The next invoice number, as the vendor writes it."""
        start = next((start for start, code in USUAL.items() if code == vendor.code), "")
        return f"{start}{self.invoices:05d}" if start else f"{vendor.code[0]}{self.invoices:06d}"

    def payment(self, dice: Dice, period: FiscalPeriod, *, fee: bool = False) -> Slip:
        """An invoice of before is paid by check, a fifth of them with a discount taken; rarely the bank wants a fee."""
        draft = self.unpaid.pop(int(dice.random() * max(len(self.unpaid) // 2, 1)))
        self.checks += 1
        day, vendor = dice.day(period), self.all_vendors[draft.company, draft.vendor]
        slip = Slip(period, "CD", max(day, draft.apply_on), f"Payment, {vendor.name}", bank="GLB1", check=self.checks)
        slip.vendor, slip.invoice, slip.user = draft.vendor, draft.number, "jsoto"
        slip.debit(chart.PAYABLES, draft.minor)
        if dice.random() < 0.2:
            slip.credit(chart.DISCOUNTS_TAKEN, draft.minor // 50, "510", "MF", "Discount taken")
        if fee or dice.random() < 0.03:
            slip.debit(chart.BANK_FEES, dice.between(1_500, 4_500), "510", "MF", "Wire fee")
        return slip.credit(chart.BANK, slip.excess)


def unusual(buying: Purchasing, dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """In each period: debit memos, a prepayment, foreign currencies, tax, what is not posted, and what planners do not know."""
    usual, by_code = buying.by_group, buying.by_code
    for group in ("MRO", "SERV"):
        vendor = dice.pick(usual[group])
        yield buying.slip(dice, period, vendor, [buying.charge(dice, vendor, 2, sign=-1)], tax=group == "MRO")
    vendor = dice.pick(usual["EQUP"])
    prepaid = [buying.charge(dice, vendor, 1, account=chart.PREPAID_SUPPLIERS)]
    yield buying.slip(dice, period, vendor, prepaid, prepayment=True)
    for code in ("QUEBECAL", "MULLER"):
        lines = [buying.charge(dice, by_code[code], shares) for shares in (2, 3)]
        yield buying.slip(dice, period, by_code[code], lines, tax=code == "QUEBECAL")
    yield buying.material(dice, period, by_code["ONTARIO"])
    power = by_code["LAKEPWR"]
    yield buying.slip(dice, period, power, [_shared(dice, chart.PLANT_DEPTS)])
    yield buying.slip(dice, period, by_code["OBRIEN"], [buying.charge(dice, by_code["OBRIEN"], 2)])
    vendor = dice.pick(usual["PROF"])
    yield buying.slip(dice, period, vendor, [buying.charge(dice, vendor, 2)], posted=False)
    if period.year <= 2025:
        closed = buying.all_vendors[chart.COMPANY, 33]
        yield buying.slip(dice, period, closed, [buying.charge(dice, closed, 1)])
    yield from _unplanned(buying, dice, period)
    yield buying.payment(dice, period, fee=True)


def _shared(dice: Dice, depts: Sequence[str]) -> InvoiceLine:
    """Electricity, by the meters of the departments."""
    made = []
    for dept in depts:
        minor = dice.between(200_000, 2_400_000)
        made.append(Distribution("5710", dept, dice.plant(dept), minor, minor))
    total = sum(one.minor for one in made)
    return InvoiceLine("Electricity by meter", total, total, tuple(made))


def _unplanned(buying: Purchasing, dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """A vendor, a department and an account that the planning model does not know, each in an invoice of its own."""
    for code, account, dept in (
        (chart.NO_PLAN_VENDOR, "6790", "510"),
        ("TRAINCTR", "6150", chart.NO_PLAN_CENTER),
        ("SERVCO", chart.NO_PLAN_MEMBER[0], "160"),
    ):
        minor = dice.amount(30_000, 900_000)
        line = InvoiceLine("Sundry", minor, minor, (Distribution(account, dept, "MF", minor, minor),))
        yield buying.slip(dice, period, buying.by_code[code], [line])


TEXTS = {
    "MATL": "Freight and duties",
    "SERV": "Services as agreed",
    "UTIL": "Consumption",
    "FRT": "Freight",
    "MRO": "Supplies, various",
    "PROF": "Fees",
    "EQUP": "Machine, part delivery",
}
