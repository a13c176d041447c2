"""The bookkeeper of the sample company: writes one period after the other, from a seed.

A month has its fixed entries (payroll, taxes, depreciation, accruals), the oddities, and up to the wanted number of
batches the daily business. Every entry is a `Slip` until its period is complete; then the slips are put in the order of
their days, numbered by module, and become batches.
"""

import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from mlc_pipelines.sandbox import chart
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.business import bill, daily_business, reclassification
from mlc_pipelines.sandbox.oddities import oddities, statistics
from mlc_pipelines.sandbox.shapes import Batch, Period, utc
from mlc_pipelines.sandbox.slips import PROGRESS, Dice, Slip

PAY_DAY, TAX_DAY = 14, 10
ACCRUALS = (("Audit fees", "6510"), ("Contractors", "4510"), ("Cloud hosting", "6310"))
ADJUSTMENTS, AUDIT_DAYS = 12, 38
"""Entries of an adjustment period, and how long after the end of the year they are entered."""

LINES_MAX = 12
"""Lines of the longest batch."""


class Bookkeeper:
    """Writes into empty books, in fiscal order; the same seed writes the same books."""

    def __init__(self, books: Books, seed: int) -> None:
        """Start on empty books."""
        self.books, self.seed, self.dice = books, seed, Dice(seed)
        self._numbers: dict[str, int] = {}
        self._accruals: list[Slip] = []
        self._withheld = 0

    # -- what can be written ------------------------------------------------------------------------------------------

    def book_opening(self, period: Period) -> None:
        """Write what the company brought along when its books began."""
        slip = Slip("GL", period.start, "HQ", "Opening balances")
        slip.debit(chart.PETTY_CASH, 150_000).debit(chart.BANK, 1_412_355_017).debit(chart.RECEIVABLES, 963_480_255)
        slip.debit("1520", 188_210_040).debit("1530", 240_000_000)
        slip.credit(chart.ACCUMULATED_DEPRECIATION, 131_940_418).credit(chart.PAYABLES, 210_774_309)
        slip.credit("2520", 300_000_000)
        self._number(period, [slip.credit(chart.CAPITAL, slip.excess)])

    def book_month(self, period: Period, batches: int) -> None:
        """Write a month: the fixed entries and the oddities, then daily business up to this many batches."""
        self.dice = Dice(f"{self.seed} {period.key}")
        slips = [*self._take_back_accruals(period), *self._remit_taxes(period), *self._payroll(period)]
        slips += [*self._month_end(period), *oddities(self.dice, period), *statistics(self.dice, period)]
        slips += daily_business(self.dice, period, batches - len(slips))
        self._number(period, slips)

    def book_adjustments(self, period: Period) -> None:
        """Write an adjustment period: what the auditors asked for, all on the last day of the year."""
        self.dice = Dice(f"{self.seed} {period.key}")
        slips = [reclassification(self.dice, period) for _ in range(ADJUSTMENTS)]
        for at, slip in enumerate(slips, start=1):
            slip.description = f"Audit adjustment {at}, FY{period.year}"
        self._number(period, slips, delay_days=AUDIT_DAYS)

    def book_bulk(self, period: Period, lines: int) -> None:
        """Write posted bills until the period holds exactly this many posted lines in ACTUAL.

        Raises ValueError when it holds more already, or would need a batch of a single line.
        """
        self.dice = Dice(f"{self.seed} {period.key} bulk")
        missing = lines - len(self.books.posted_lines("ACTUAL", period.key))
        if missing < 0 or missing == 1:
            raise ValueError(f"{period.key} cannot be filled up to {lines} lines: {missing} are missing")
        slips = []
        while missing:
            size = missing if missing <= LINES_MAX else min(LINES_MAX, missing - 2)  # never leave a single line over
            slips.append(bill(self.dice, period, size - 1))
            missing -= size
        self._number(period, slips)

    # -- fixed entries of a month -------------------------------------------------------------------------------------

    def _payroll(self, period: Period) -> Iterator[Slip]:
        """Twice a month, for each branch."""
        for day in (PAY_DAY, period.end.day):
            if day <= PROGRESS.get(period.key, period.end.day):
                for branch in chart.CENTERS_OF:
                    yield self._pay_run(branch, period.start.replace(day=day))

    def _pay_run(self, branch: str, day: date) -> Slip:
        """Salaries by cost center, the employer's share and health once for all; net pay leaves the bank."""
        slip = Slip("GL", day, branch, f"Payroll {day:%d %b %Y}", f"PR{day:%y%m%d}")
        for center in chart.home_centers(branch):
            pay = chart.STAFF[center] * self.dice.randint(380_000, 420_000) + self.dice.randrange(100)
            slip.debit(chart.SALARIES, pay, f"{center}-000", "Salaries")
        slip.debit(chart.PAYROLL_TAXES, slip.excess * 765 // 10_000, text="Employer's share")
        slip.debit(chart.HEALTH, self.dice.randint(9_000_000, 11_000_000), text="Health plan")
        withheld = slip.excess * 23 // 100
        self._withheld += withheld
        return slip.credit(chart.PAYROLL_TAX_PAYABLE, withheld, text="Withheld").credit(chart.BANK, slip.excess)

    def _remit_taxes(self, period: Period) -> Iterator[Slip]:
        """All that was withheld since the last time goes to the tax office."""
        if self._withheld:
            day = period.start.replace(day=TAX_DAY)
            slip = Slip("CA", day, "HQ", "Payroll taxes remitted", f"EFT{day:%y%m}")
            yield slip.debit(chart.PAYROLL_TAX_PAYABLE, self._withheld).credit(chart.BANK, self._withheld)
            self._withheld = 0

    def _month_end(self, period: Period) -> Iterator[Slip]:
        """Depreciation and accruals, unless the month is in progress."""
        if period.key in PROGRESS:
            return
        slip = Slip("GL", period.end, "HQ", f"Depreciation {period.end:%b %Y}", f"DEP{period.end:%y%m}")
        for center in ("010", "020", "040", "060", "120"):
            slip.debit(chart.DEPRECIATION, self.dice.randint(400_000, 900_000), f"{center}-000")
        yield slip.credit(chart.ACCUMULATED_DEPRECIATION, slip.excess)
        self._accruals = [self._accrual(period, what, account) for what, account in ACCRUALS]
        yield from self._accruals

    def _accrual(self, period: Period, what: str, account: str) -> Slip:
        """What is owed and not billed yet; it reverses itself on the first day of the next month."""
        branch = self.dice.branch()
        slip = Slip("GL", period.end, branch, f"Accrual: {what}", f"ACR{period.end:%y%m}", auto_reversing=True)
        for _ in range(3):
            slip.debit(account, self.dice.amount(50_000, 2_500_000), self.dice.subaccount(branch))
        return slip.credit(chart.ACCRUED, slip.excess)

    def _take_back_accruals(self, period: Period) -> list[Slip]:
        taken = [accrual.reversed_on(period.start) for accrual in self._accruals]
        self._accruals = []
        return taken

    # -- numbering ----------------------------------------------------------------------------------------------------

    def _number(self, period: Period, slips: list[Slip], delay_days: int = 0) -> None:
        """Turn slips into batches in the order of their days; each is entered on its day, or so many days later."""
        for slip in sorted(slips, key=lambda slip: slip.day):
            self._numbers[slip.module] = self._numbers.get(slip.module, 0) + 1
            slip.number = f"{slip.module}{self._numbers[slip.module]:06d}"
            entered = max(slip.day, period.start) + timedelta(days=delay_days)
            created = utc(entered, self.dice.randrange(8, 18), self.dice.randrange(60), self.dice.randrange(60))
            self.books.batches.append(self._batch(slip, period, created))

    def _batch(self, slip: Slip, period: Period, created: datetime) -> Batch:
        """The batch of a numbered slip, last touched within a day of its creation."""
        return Batch(
            module=slip.module,
            number=slip.number,
            ledger=slip.ledger,
            branch=slip.branch,
            period=period.key,
            date=slip.day,
            status=slip.status,
            description=slip.description,
            currency=self.books.currency,
            created_at=created,
            modified_at=created + timedelta(seconds=self.dice.randrange(86_400)),
            auto_reversing=slip.auto_reversing,
            original=slip.reverses.number if slip.reverses else None,
            lines=slip.lines,
            note_id=str(uuid.UUID(int=self.dice.getrandbits(128), version=4)),
        )
