"""The bookkeeper of the second sample company: writes one period after the other from a seed.

A period has its fixed entries (production, payroll, depreciation, accruals), the oddities, and up to the wanted number of journals the
daily business. Every entry is a `Slip` until all periods are written; `entering` then brings them into the books.
"""

from collections.abc import Iterator
from datetime import timedelta

from mlc_pipelines.sandbox.ironvale import business, chart, entering, oddities, production, spending
from mlc_pipelines.sandbox.ironvale.books import Ironvale
from mlc_pipelines.sandbox.ironvale.payables import reversal_of
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.slips import TODAY, Dice, Slip, days_booked

PER_DAY = 5
"""Journals of a day, of all kinds."""

WEIGHTS = {"invoice": 38, "payment": 14, "sale": 24, "receipt": 10, "goods": 6, "statement": 4, "reclassification": 4}
ADJUSTMENTS = 12
"""Entries of a closing period."""

ACCRUALS = (("Audit fees", "6520"), ("Electricity", "5710"), ("Warranty", "5020"))


class Bookkeeper:
    """Writes into empty books; the same seed writes the same books."""

    def __init__(self, books: Ironvale, seed: int) -> None:
        """Start on empty books."""
        self.books, self.seed = books, seed
        self.slips: list[Slip] = []
        self.buying = spending.Purchasing()
        books.vendors = dict(self.buying.all_vendors)
        self._accruals: list[Slip] = []
        self._twice: Slip | None = None

    # -- writing ------------------------------------------------------------------------------------------------------

    def write_opening(self, period: FiscalPeriod) -> None:
        """Write what the company brought along when its books began."""
        slip = Slip(period, "GJ", period.start, "Opening balances", posted_on=period.start)
        slip.debit(chart.PETTY_CASH, 250_000).debit(chart.BANK, 2_112_355_017).debit(chart.RECEIVABLES, 1_463_480_255)
        for account, plant, minor in (
            ("1410", "MF", 910_002_177),
            ("1420", "MF", 333_804_010),
            ("1430", "DI", 720_000_093),
        ):
            slip.debit(account, minor, "", plant)
        slip.debit(chart.MACHINES, 6_482_104_400).credit(chart.ACCUMULATED_DEPRECIATION, 2_931_940_418)
        slip.credit(chart.PAYABLES, 810_774_309).credit("2520", 1_800_000_000).credit(
            chart.RETAINED_EARNINGS, 2_000_000_001
        )
        self.slips.append(slip.credit(chart.CAPITAL, slip.excess))
        old = Slip(
            period, "GJ", period.start, "Balances moved to the new chart", posted_on=period.start, books=("OLD",)
        )
        self.slips.append(old.debit(chart.CAPITAL, 4_100_000_000).credit(chart.BANK, 4_100_000_000))

    def write_period(self, period: FiscalPeriod, scale: int) -> None:
        """Write an ordinary period, as far as it is past."""
        dice = Dice(f"{self.seed} {period.key}")
        slips = [*self._take_back_accruals(period), *production.weeks(dice, period), *production.payroll(dice, period)]
        slips += [*oddities.oddities(dice, period), *spending.unusual(self.buying, dice, period)]
        slips += self._red_and_twice(dice, period)
        slips += self._cancellation(dice, period)
        if period.end <= TODAY:
            slips += [*production.variances(dice, period), *production.depreciation(dice, period)]
            slips += self._accrue(dice, period)
        wanted = days_booked(period) * PER_DAY * scale
        for kind in dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(wanted - len(slips), 0)):
            slips.append(self._daily(kind, dice, period))
        self.slips += [slip for slip in slips if slip.day <= TODAY]

    def write_adjustments(self, period: FiscalPeriod) -> None:
        """Write a closing period: what the auditors asked for, all on the last day of the year."""
        dice = Dice(f"{self.seed} {period.key}")
        for at in range(1, ADJUSTMENTS + 1):
            slip = business.reclassification(dice, period)
            slip.day, slip.text = period.end, f"Audit adjustment {at}, FY{period.year_key}"
            slip.posted_on = period.end + timedelta(days=entering.AUDIT_DAYS)
            self.slips.append(slip)

    def _daily(self, kind: str, dice: Dice, period: FiscalPeriod) -> Slip:
        match kind:
            case "invoice":
                return self.buying.invoice(dice, period)
            case "payment":
                return self.buying.payment(dice, period)
            case "sale":
                return business.sale(dice, period)
            case "receipt":
                return business.receipt(dice, period)
            case "goods":
                return production.goods_receipt(dice, period)
            case "statement":
                return business.bank_statement(dice, period)
        return business.reclassification(dice, period)

    # -- what one period hands to the next ----------------------------------------------------------------------------

    def _accrue(self, dice: Dice, period: FiscalPeriod) -> list[Slip]:
        """What is owed and not billed yet; it is taken back on the first day of the next period."""
        self._accruals = []
        for what, account in ACCRUALS:
            slip = Slip(period, "RV", period.end, f"Accrual: {what}")
            for _ in range(3):
                dept = dice.dept(account)
                slip.debit(account, dice.amount(50_000, 2_500_000), dept, dice.plant(dept))
            self._accruals.append(slip.credit(chart.ACCRUED, slip.excess))
        return self._accruals

    def _take_back_accruals(self, period: FiscalPeriod) -> list[Slip]:
        taken = [slip.taken_back(period, period.start) for slip in self._accruals]
        self._accruals = []
        return taken

    def _red_and_twice(self, dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
        if self._twice is not None:
            yield oddities.in_red(dice, period, self._twice.lines[0])
        self._twice = oddities.booked_twice(dice, period) if period.end <= TODAY else None
        if self._twice is not None:
            yield self._twice

    def _cancellation(self, dice: Dice, period: FiscalPeriod) -> Iterator[Slip]:
        """An invoice of a period before is cancelled, and will not be paid."""
        before = [draft for draft in self.buying.unpaid if draft.period is not period and draft.lines[0].expenses]
        if before:
            first = dice.pick(before)
            self.buying.unpaid.remove(first)
            twin = reversal_of(first, period, period.start + timedelta(days=5))
            yield Slip(period, "PJ", twin.apply_on, twin.text, posted_on=twin.apply_on, draft=twin, user="abauer")
