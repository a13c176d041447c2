"""The books of a sandbox company: what it has booked, the sums over it, and how to book more."""

import uuid
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from operator import attrgetter
from typing import TypeVar

from mlc_pipelines.sandbox.shapes import (
    Account,
    Balance,
    Batch,
    Branch,
    Company,
    Ledger,
    Line,
    Period,
    Subaccount,
    TruthRow,
)

Shape = TypeVar("Shape")

_VALUES = attrgetter(*(one.name for one in fields(Batch)))

BALANCE_SHEET = ("Asset", "Liability")


@dataclass(slots=True)
class Books:
    """All that one company has booked, and how to book more.

    `batches` is ordered by module and number; `numbers_gone` tells the highest number of a module that was removed. The two system accounts are never posted to: the ERP keeps them itself.
    """

    company: str
    company_name: str
    currency: str
    branches: dict[str, Branch]
    accounts: dict[str, Account]
    subaccounts: dict[str, Subaccount]
    ledgers: dict[str, Ledger]
    periods: dict[str, Period]
    cost_centers: dict[str, str]
    practices: dict[str, str]
    regions: dict[str, str]
    retained_earnings: str
    net_income: str
    batches: list[Batch] = field(default_factory=list)
    others: dict[str, Company] = field(default_factory=dict)
    numbers_gone: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Books":
        """The same books, free to be changed; the frozen lines are shared."""
        return replace(
            self,
            branches={code: replace(branch) for code, branch in self.branches.items()},
            accounts={code: replace(account) for code, account in self.accounts.items()},
            subaccounts={code: replace(subaccount) for code, subaccount in self.subaccounts.items()},
            ledgers={code: replace(ledger) for code, ledger in self.ledgers.items()},
            periods={key: replace(period) for key, period in self.periods.items()},
            cost_centers=dict(self.cost_centers),
            practices=dict(self.practices),
            regions=dict(self.regions),
            others={code: replace(company) for code, company in self.others.items()},
            batches=[_copied(batch) for batch in self.batches],
            numbers_gone=dict(self.numbers_gone),
        )

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def companies(self) -> list[Company]:
        """The first company, and those beside it."""
        own = [one.code for one in self.ledgers.values() if one.company in ("", self.company)]
        return [Company(self.company, self.company_name, own, {}), *self.others.values()]

    def batches_of(self, ledger: str, period: str) -> list[Batch]:
        """The batches of one ledger and period ("FY2026-P03"), whatever their status, by module and number."""
        return [batch for batch in self.batches if batch.ledger == ledger and batch.period == period]

    def batch(self, number: str) -> Batch:
        """The batch of this number, e.g. "GL000123"; KeyError when there is none."""
        for batch in self.batches:
            if batch.number == number:
                return batch
        raise KeyError(f"no batch {number}")

    def period_of_id(self, period_id: str) -> Period | None:
        """The period that the ERP calls "032026", or None."""
        return self.periods.get(f"FY{period_id[2:]}-P{period_id[:2]}")

    def posted_lines(self, ledger: str, period: str) -> list[Line]:
        """Every line of the posted batches of one ledger and period, in batch and line order."""
        return [line for batch in self.batches_of(ledger, period) if batch.status == "Posted" for line in batch.lines]

    def truth(self, ledger: str, period: str) -> list[TruthRow]:
        """What was posted in one period, summed by account, subaccount and branch, in that order."""
        sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for line in self.posted_lines(ledger, period):
            row = sums[line.account, line.subaccount, line.branch]
            row[0] += line.debit_minor
            row[1] += line.credit_minor
        return [TruthRow(*keys, *row) for keys, row in sorted(sums.items())]

    def balances(
        self, ledger: str, period: str, *, by_subaccount: bool = False, branch: str | None = None
    ) -> list[Balance]:
        """The trial balance of one period: every account with a posting up to its end, ordered by code.

        Income and expense start each year at zero; the results of earlier years stand in retained earnings, so the
        ending balances add up to zero. The system account for the running year's result is left out, because it
        repeats what the income and expense accounts say; `year_result` gives it.
        """
        now = self.periods[period]
        sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for batch in self._posted_until(ledger, now):
            booked, is_now = self.periods[batch.period], batch.period == period
            for line in _of_branch(batch.lines, branch):
                account = self._account_at(line.account, booked.year, now.year)
                row = sums[account, line.subaccount if by_subaccount else ""]
                if is_now:
                    row[1] += line.debit_minor
                    row[2] += line.credit_minor
                else:
                    row[0] += line.debit_minor - line.credit_minor
        return [
            Balance(account, subaccount, beginning, debit, credit, beginning + debit - credit)
            for (account, subaccount), (beginning, debit, credit) in sorted(sums.items())
        ]

    def year_result(self, ledger: str, period: str, *, branch: str | None = None) -> Balance:
        """The result of the running year, as the system account for it shows it: debit positive, so a profit is < 0."""
        rows = [
            row
            for row in self.balances(ledger, period, branch=branch)
            if self.accounts[row.account].type not in BALANCE_SHEET
        ]
        beginning, debit = sum(row.beginning_minor for row in rows), sum(row.debit_minor for row in rows)
        credit = sum(row.credit_minor for row in rows)
        return Balance(self.net_income, "", beginning, debit, credit, beginning + debit - credit)

    def _posted_until(self, ledger: str, period: Period) -> Iterable[Batch]:
        last = period.key
        for batch in self.batches:
            if batch.period <= last and batch.ledger == ledger and batch.status == "Posted":
                yield batch

    def _account_at(self, account: str, booked_year: int, year: int) -> str:
        """Where an amount booked in one year is seen from another: results of earlier years are retained earnings."""
        if booked_year == year or self.accounts[account].type in BALANCE_SHEET:
            return account
        return self.retained_earnings

    # -- booking ------------------------------------------------------------------------------------------------------

    def post(
        self,
        ledger: str,
        period: str,
        branch: str,
        status: str,
        description: str,
        lines: Sequence[Line],
        *,
        now: datetime,
        module: str = "GL",
        day: date | None = None,
        original: str | None = None,
    ) -> Batch:
        """Book a batch under the next number of its module; its lines are numbered from 1.

        The date is the period's last day unless given. A closed period is no obstacle here: who may post there is the
        business of the emulator. Raises ValueError on an unknown code, or on a posted batch of an Actual ledger that
        does not balance.
        """
        batch = Batch(
            module=module,
            number=self.next_number(module),
            ledger=ledger,
            branch=branch,
            period=period,
            date=day or _known(period, self.periods, "period").end,
            status=status,
            description=description,
            currency=_known(ledger, self.ledgers, "ledger").currency,
            created_at=now,
            modified_at=now,
            auto_reversing=False,
            original=original,
            lines=[replace(line, number=at) for at, line in enumerate(lines, start=1)],
            note_id=str(uuid.uuid4()),
        )
        self._require_bookable(batch)
        insort(self.batches, batch, key=lambda one: one.sort_key)
        return batch

    def recode(
        self,
        batch_number: str,
        line_number: int,
        *,
        account: str | None = None,
        subaccount: str | None = None,
        now: datetime,
    ) -> Batch:
        """Give one line another account or subaccount, as a reclassification would.

        Raises KeyError when there is no such batch or line, ValueError on an unknown code.
        """
        batch = self.batch(batch_number)
        for at, line in enumerate(batch.lines):
            if line.number == line_number:
                changed = replace(line, account=account or line.account, subaccount=subaccount or line.subaccount)
                self._require_codes(changed)
                batch.lines[at] = changed
                batch.modified_at = now
                return batch
        raise KeyError(f"batch {batch_number} has no line {line_number}")

    def next_number(self, module: str) -> str:
        """The number that the next batch of a module gets, e.g. "GL000124"."""
        taken = (int(batch.number[2:]) for batch in self.batches if batch.module == module)
        last = max(self.numbers_gone.get(module, 0), max(taken, default=0))
        return f"{module}{last + 1:06d}"

    def remove(self, batch: Batch) -> None:
        """Take a batch out of the books; its number is not given again."""
        self.batches.remove(batch)
        self.numbers_gone[batch.module] = max(self.numbers_gone.get(batch.module, 0), int(batch.number[2:]))

    def _require_bookable(self, batch: Batch) -> None:
        _known(batch.branch, self.branches, "branch")
        for line in batch.lines:
            self._require_codes(line)
        actual = self.ledgers[batch.ledger].type == "Actual"
        if actual and batch.status == "Posted" and batch.debit_minor != batch.credit_minor:
            raise ValueError(f"debits of {batch.debit_minor} minor units, credits of {batch.credit_minor}")

    def _require_codes(self, line: Line) -> None:
        _known(line.account, self.accounts, "account")
        _known(line.subaccount, self.subaccounts, "subaccount")
        _known(line.branch, self.branches, "branch")


def _copied(batch: Batch) -> Batch:
    """The same batch with a list of lines of its own. `replace` takes five times as long, and a reset copies thousands."""
    copy = Batch(*_VALUES(batch))
    copy.lines = list(batch.lines)
    return copy


def _known(code: str, shelf: Mapping[str, Shape], kind: str) -> Shape:
    if code not in shelf:
        raise ValueError(f"unknown {kind} {code!r}")
    return shelf[code]


def _of_branch(lines: list[Line], branch: str | None) -> list[Line]:
    return lines if branch is None else [line for line in lines if line.branch == branch]
