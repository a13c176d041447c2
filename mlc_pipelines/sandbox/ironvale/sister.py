"""The sister company in Canada: little, and in its own dollars. Its book is called MAIN as well, and vendor number 7 is another vendor there."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import Distribution, FiscalPeriod, Invoice, InvoiceLine
from mlc_pipelines.sandbox.ironvale.slips import TODAY, Dice, Slip

BOOKS = ("MAIN",)


def sister_entries(dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
    """Two sales, a payroll and two invoices in each period."""
    for at in range(2):
        sold = _slip(period, "SJ", 6 + 7 * at, "Invoice, Saskatoon Potash")
        minor = dice.amount(1_000_000, 40_000_000)
        yield sold.debit(chart.RECEIVABLES, minor).credit("4010", minor, "410", "MF")
    paid = _slip(period, "PR", 11, "Payroll")
    yield paid.debit(chart.SALARIES, dice.between(9_000_000, 9_900_000), "510", "MF").credit(chart.BANK, paid.excess)
    for vendor, account, dept in ((7, "5710", "110"), (12, "5510", "120")):
        minor, day = dice.amount(80_000, 2_000_000), period.start + timedelta(days=9)
        if day <= TODAY:
            line = InvoiceLine("Supplies", minor, minor, (Distribution(account, dept, "MF", minor, minor),))
            number = f"C{period.year_key}{period.number:02d}"
            draft = Invoice(
                chart.SISTER, vendor, number, period, day, day, day, "Invoice", minor, minor, 0, chart.SISTER_CURRENCY,
                Decimal(1), (line,), 0, group="AP", user="jsoto",
            )  # fmt: skip
            yield Slip(period, "PJ", day, draft.text, draft=draft, company=chart.SISTER)


def _slip(period: FiscalPeriod, code: str, days: int, text: str) -> Slip:
    day = period.start + timedelta(days=days)
    return Slip(period, code, day, text, books=BOOKS, currency=chart.SISTER_CURRENCY, company=chart.SISTER)
