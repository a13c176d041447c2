"""Two sample companies on two ERPs, seen through one door, so that one battery of tests runs over both."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.sandbox.ironvale import NO_PLAN_CENTER, NO_PLAN_MEMBER
from mlc_pipelines.sandbox.ironvale import Line as KineticLine
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

PERIOD, OTHER, ADJUSTMENT = "FY2026-P03", "FY2026-P04", "FY2026-P13"
CREDIT_POSITIVE = {"Income", "Liability"}
Cells = dict[tuple[str, str], Decimal]


class House(Protocol):
    """A company whose figures travel: the connection, and what a test needs to know of its ERP."""

    named: Named
    sandbox: Sandbox
    unplanned: Collection[str]
    """Accounts that the plan does not know."""
    centers: tuple[str, str]
    expense: str
    bank: str
    bulk_call: str
    """The call that brings the period's lines, as a pattern over method and path."""
    amount: str
    """An amount of such a line on the wire, its number last; a pattern."""

    def truth(self, period: str) -> Iterable[tuple[str, str, int, str]]:
        """Account, cost center, debit less credit, kind of account: from the sandbox's own books."""
        ...

    def center_member(self, center: str) -> str:
        """The member that a cost center lands on."""
        ...

    def post(self, period: str, account: str, center: str, minor: int) -> Any:
        """Somebody posts an amount to an account, against the bank."""
        ...

    def recode(self, posted: Any, center: str) -> None:
        """Somebody moves that amount to another cost center."""
        ...

    def reopen(self, period: str) -> None:
        """Somebody opens a closed period again."""
        ...

    def close(self, period: str) -> None:
        """Somebody closes a period."""
        ...

    def misread(self, how: str, lines: int) -> None:
        """So many lines are missing ("drop") from the answer, or stand in it twice ("repeat")."""
        ...

    def empty(self, period: str, keep: int) -> None:
        """All but so many postings of a period vanish from the books, as when the user may see less than before."""
        ...


@dataclass(frozen=True)
class Meridian:
    """Acumatica, months from July."""

    named: Named
    sandbox: Sandbox
    unplanned = frozenset({"7770", "8880"})
    centers = ("110", "120")
    expense, bank = "5010", "1010"
    bulk_call = "PUT .*AccountDetailsForPeriodInquiry"
    amount = r'"DebitAmountInBaseCurrency":\s*\{"value":\s*[1-9][\d.]*'

    def truth(self, period: str) -> Iterable[tuple[str, str, int, str]]:
        books = self.sandbox.books
        for account, subaccount, _branch, debit, credit in books.truth("ACTUAL", period):
            yield account, subaccount.split("-")[0], debit - credit, books.accounts[account].type

    def center_member(self, center: str) -> str:
        return f"CC_{center}"

    def post(self, period: str, account: str, center: str, minor: int) -> Any:
        lines = [Line(0, account, f"{center}-TEC", "HQ", minor, 0), Line(0, self.bank, "010-000", "HQ", 0, minor)]
        return self.sandbox.books.post("ACTUAL", period, "HQ", "Posted", "late", lines, now=self.sandbox.clock.now())

    def recode(self, posted: Any, center: str) -> None:
        self.sandbox.books.recode(posted.number, 1, subaccount=f"{center}-TEC", now=self.sandbox.clock.now())

    def reopen(self, period: str) -> None:
        self.sandbox.books.periods[period].status = "Open"

    def close(self, period: str) -> None:
        self.sandbox.books.periods[period].status = "Closed"

    def misread(self, how: str, lines: int) -> None:
        self.sandbox.set_switches(acumatica={f"{how}_rows": lines})

    def empty(self, period: str, keep: int) -> None:
        books = self.sandbox.books
        gone = [batch for batch in books.batches if (batch.ledger, batch.period) == ("ACTUAL", period)][keep:]
        books.batches[:] = [batch for batch in books.batches if batch not in gone]


@dataclass(frozen=True)
class Ironvale:
    """Epicor Kinetic, 4-4-5 weeks to the last Saturday of September."""

    named: Named
    sandbox: Sandbox
    unplanned = frozenset(NO_PLAN_MEMBER)
    centers = ("110", "120")
    expense, bank = "6010", "1030"
    bulk_call = "GET .*GLJrnDtls"
    amount = r'"BookDebitAmount":\s*[1-9][\d.]*'

    def truth(self, period: str) -> Iterable[tuple[str, str, int, str]]:
        books = self.sandbox.ironvale
        kinds = {("B", "D"): "Asset", ("B", "C"): "Liability", ("I", "C"): "Income", ("I", "D"): "Expense"}
        for account, dept, _plant, debit, credit in books.truth("MAIN", period):
            category = books.categories[books.values[1][account].category]
            yield account, dept, debit - credit, kinds[category.type, category.normal]

    def center_member(self, center: str) -> str:
        return f"CC_{center}" if center not in {"", NO_PLAN_CENTER} else "CC_NONE"

    def post(self, period: str, account: str, center: str, minor: int) -> Any:
        lines = [KineticLine(account, center, "", minor, 0), KineticLine(self.bank, "", "", 0, minor)]
        return self.sandbox.ironvale.post("MAIN", period, lines, now=self.sandbox.clock.now())

    def recode(self, posted: Any, center: str) -> None:
        self.sandbox.ironvale.recode(posted.period.key, posted.name, 1, dept=center)

    def reopen(self, period: str) -> None:
        self.sandbox.ironvale.reopen(period)

    def close(self, period: str) -> None:
        self.sandbox.ironvale.close(period)

    def misread(self, how: str, lines: int) -> None:
        self.sandbox.set_switches(epicor={f"{how}_rows": {"GLJrnDtls": lines}})

    def empty(self, period: str, keep: int) -> None:
        books, key = self.sandbox.ironvale, ("IVM", "MAIN", period)
        books.journals[key] = [journal for journal in books.journals[key] if journal.posted][:keep]
        books._changed(key)
        books.next_revs()


def opened(house: House, **changes: Any) -> AbstractContextManager[Desk]:
    """The connection at work; changes are those of its settings."""
    named = house.named
    return open_desk(Named(named.name, named.file, named.settings.model_copy(update=changes)), sleep=briefly)


def place(house: House, period: str) -> tuple[str, str]:
    """Label and version of a period in the plan."""
    landing, one = house.named.settings.actuals, house.named.calendar.period(period)
    return one.label(landing.period_label), landing.adjustment_version if one.adjustment else landing.version


def expected_cells(house: House, period: str) -> Cells:
    """What the model must hold, from the sandbox's own books: an independent recount of mapping, signs and suspense."""
    cells: Cells = defaultdict(Decimal)
    for account, center, minor, kind in house.truth(period):
        known = account not in house.unplanned
        sign = -1 if known and kind in CREDIT_POSITIVE else 1
        cells[f"A{account}" if known else "A_UNMAPPED", house.center_member(center)] += sign * Decimal(minor) / 100
    return {key: amount for key, amount in cells.items() if amount}


def held_cells(house: House, period: str) -> Cells:
    """What the model holds, by the sandbox's own word."""
    label, version = place(house, period)
    model = next(one for one in house.sandbox.tenant.models() if one.name == house.named.settings.anaplan.model)
    return {
        (cell["account"], cell["cost_center"]): Decimal(cell["amount"])
        for cell in house.sandbox.tenant.truth_cells(model.id)
        if (cell["period"], cell["version"]) == (label, version) and Decimal(cell["amount"])
    }


def nothing_reached_the_plan(house: House) -> bool:
    touched = [row.path for row in house.sandbox.traffic.requests if row.method in {"PUT", "POST"}]
    return not any("/chunks/" in path or "/tasks" in path for path in touched)
