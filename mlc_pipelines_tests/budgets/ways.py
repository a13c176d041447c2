"""Four ways of an approved plan into the books of two sample companies, seen through one door, so that the same tests run over all of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Protocol

import httpx
import pytest

from mlc_pipelines.sandbox.acumatica import budgets
from mlc_pipelines.sandbox.ironvale import Line as KineticLine
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.wiring.connections import Named, find

YEAR = "FY2027"
FIRST, SECOND, THIRD = QUARTER = ("FY2027-P01", "FY2027-P02", "FY2027-P03")
PLAN = "PL01 Plan"
Key = tuple[str, str]
Totals = dict[Key, int]
"""Account and subaccount as our clients name them -> minor units, debit positive, zeros left out."""
Figures = Mapping[tuple[str, str], Decimal | None]
"""("fees" or "travel", period) -> what the planners enter; None leaves the cell blank."""


class Way(Protocol):
    """A plan and its destination, and what a test needs to know of the ERP behind it.

    journals: posted as journals, else set by key. by_person: a person in the ERP releases what we wrote. balances: each journal has an offset line.
    refused: accounts that take no plan, and what is said of each.
    """

    name: str
    connection: str
    named: Named
    model: str
    plan: str
    version: str
    journals: bool
    by_person: bool
    balances: bool
    members: Mapping[str, Key]
    targets: Mapping[str, Key]
    refused: Sequence[tuple[str, str]]
    sandbox: Sandbox

    def plan_little(self, figures: Figures) -> None: ...

    def enter(self, what: str, period: str, amount: Decimal | None) -> None: ...

    def totals(self, period: str) -> Totals:
        """What counts in the ERP, by the sandbox's own books; what stood there before any test left out."""
        ...

    def writes(self) -> list[str]:
        """Requests that were to change something in the ERP, as they stand in the log."""
        ...

    def release(self) -> None:
        """A person in the ERP lets through what waits."""
        ...

    def trial_balance(self) -> bytes:
        """A digest of every period of the actual ledger or main book."""
        ...

    def close(self, period: str) -> None: ...

    def open(self, period: str) -> None: ...

    def write_beside(self, period: str) -> Key:
        """Somebody else books an amount into the very same place; where."""
        ...

    def take_back(self, number: str) -> str:
        """A person reverses a released journal of the first period; the number of the reversal."""
        ...


class _Common:
    """What does not depend on the ERP."""

    connection: str
    members: Mapping[str, Key]
    version: str

    def __init__(self, sandbox: Sandbox) -> None:
        """named: the connection; model: id of its planning model; labels: of the periods in the model."""
        self.sandbox = sandbox
        self.named = find(self.connection)
        name, pattern = self.named.settings.anaplan.model, self.named.settings.actuals.period_label
        self.model = next(one.id for one in sandbox.tenant.models() if one.name == name)
        self.labels = {one.key: one.label(pattern) for one in self.named.calendar.periods}

    def plan_little(self, figures: Figures) -> None:
        """A planning team that has entered these figures so far, and nothing else, in none of the versions."""
        module = self.sandbox.tenant.model(self.model).module_named(PLAN)
        module.inputs[module.main_item].clear()
        module.blanks.clear()
        for key, amount in figures.items():
            self.enter(*key, amount)

    def enter(self, what: str, period: str, amount: Decimal | None) -> None:
        """A planner types a figure, or empties the cell."""
        key = (*self.members[what], self.labels[period], self.version)
        self.sandbox.tenant.edit_cell(key, amount, self.model, PLAN)

    def control(self, system: str, **asked: str) -> Any:
        """The sandbox's own door to an ERP's books."""
        with httpx.Client(trust_env=False) as http:
            return http.get(f"{self.sandbox.url}/control/{system}", params=asked)


class _Meridian(_Common):
    """Acumatica."""

    connection = "demo"
    members: Mapping[str, Key] = {"fees": ("A4010", "CC_020"), "travel": ("A6100", "CC_020")}
    targets: Mapping[str, Key] = {"fees": ("4010", "020-000"), "travel": ("6100", "020-000")}
    balances = False
    refused: Sequence[tuple[str, str]] = (("6990", "inactive"), ("9999", "does not exist"), ("3999", "YTD Net Income"))

    def _truth(self, ledger: str, period: str) -> Totals:
        found: Totals = defaultdict(int)
        for row in self.sandbox.books.truth(ledger, period):
            found[row.account, row.subaccount] += row.debit_minor - row.credit_minor
        return {key: minor for key, minor in found.items() if minor}

    def writes(self) -> list[str]:
        harmless = ("/identity/", "/auth/", "Inquiry", "/Budget?")
        return [
            f"{one.method} {one.path.rpartition('/24.200.001/')[2]}"
            for one in self.sandbox.traffic.requests
            if one.system == "acumatica" and one.method != "GET" and not any(part in one.path for part in harmless)
        ]

    def trial_balance(self) -> bytes:
        answer: bytes = self.control("acumatica/digest", ledger="ACTUAL").content
        return answer

    def _set(self, period: str, status: str) -> None:
        self.sandbox.books.periods[period].status = status


class Statistical(_Meridian):
    """Journals in a Statistical ledger of its own; one-sided."""

    name, plan, version = "statistical journal", "budget", "Budget"
    journals, by_person = True, False

    def totals(self, period: str) -> Totals:
        return self._truth("PLAN", period)

    def release(self) -> None:
        """Nobody needs to."""

    def close(self, period: str) -> None:
        self._set(period, "Closed")

    def open(self, period: str) -> None:
        self._set(period, "Open")

    def take_back(self, number: str) -> str:
        return self.books_again(number, exchanged=True)

    def books_again(self, number: str, *, exchanged: bool = False) -> str:
        """The same lines under the same text once more, released by a person; exchanged: their sides."""
        books = self.sandbox.books
        old = next(one for one in books.batches if (one.number, one.ledger) == (number, "PLAN"))
        lines = [
            replace(one, debit_minor=one.credit_minor, credit_minor=one.debit_minor) if exchanged else one
            for one in old.lines
        ]
        now = self.sandbox.clock.now()
        return books.post("PLAN", old.period, old.branch, "Posted", old.description, lines, now=now).number

    def write_beside(self, period: str) -> Key:
        line = Line(0, "6200", "020-000", "HQ", 777_00, 0)
        self.sandbox.books.post("PLAN", period, "HQ", "Posted", "theirs", [line], now=self.sandbox.clock.now())
        return line.account, line.subaccount


class Articles(_Meridian):
    """Articles of the Budget entity, which a person releases on GL505510."""

    name, plan, version = "budget articles", "forecast", "Forecast"
    journals, by_person = False, True

    def totals(self, period: str) -> Totals:
        return self._truth("BUDGET", period)

    def release(self) -> None:
        assert [] == budgets.release(self.sandbox.site, "BUDGET", YEAR.removeprefix("FY"))[1]

    def close(self, period: str) -> None:
        self._set(period, "Locked")

    def open(self, period: str) -> None:
        self._set(period, "Open")

    def write_beside(self, period: str) -> Key:
        """Somebody types another figure into our article."""
        held = self.sandbox.site.budgets
        key, number = next(one for one in held if one[3:] == self.targets["travel"]), int(period.rpartition("-P")[2])
        figures = tuple(100 if at == number else minor for at, minor in enumerate(held[key].periods, start=1))
        held[key] = replace(held[key], periods=figures, amount_minor=sum(figures), is_released=False)
        self.release()
        return self.targets["travel"]


class _Ironvale(_Common):
    """Epicor Kinetic."""

    connection = "demo_epicor"
    members: Mapping[str, Key] = {"fees": ("A4010", "CC_410"), "travel": ("A6010", "CC_310")}
    targets: Mapping[str, Key] = {"fees": ("4010", "410|"), "travel": ("6010", "310|")}
    by_person = False
    refused: Sequence[tuple[str, str]] = (("5990", "inactive"), ("9999", "9999"), ("3900", "result of the year"))

    def writes(self) -> list[str]:
        """Everything but questions: methods that get, check or work out, and what opens and closes a session."""
        harmless = ("Get", "Check", "Change", "Log", "Ping", "Valid", "Start", "End")
        return [
            f"{one.method} {one.path.partition('/odata/IVM/')[2] or one.path}"
            for one in self.sandbox.traffic.requests
            if one.system == "epicor" and one.method != "GET" and not one.path.rpartition("/")[2].startswith(harmless)
        ]

    def release(self) -> None:
        """Nobody needs to."""

    def trial_balance(self) -> bytes:
        answer: bytes = self.control("epicor/digest", book="MAIN").content
        return answer


class PlanBook(_Ironvale):
    """Journals in a book for plans, which balance by an offset account; others keep their plans there as well."""

    name, plan, version = "plan book", "budget", "Budget"
    journals, balances = True, True

    def totals(self, period: str) -> Totals:
        found: Totals = defaultdict(int)
        for journal in self.sandbox.ironvale.journals_of("PLAN", period):
            if journal.posted and journal.user != "planner":
                for line in journal.lines:
                    found[line.account, f"{line.dept}|{line.plant}"] += line.debit_minor - line.credit_minor
        return {key: minor for key, minor in found.items() if minor}

    def close(self, period: str) -> None:
        self.sandbox.ironvale.close(period, "PLAN")

    def open(self, period: str) -> None:
        self.sandbox.ironvale.reopen(period, "PLAN")

    def take_back(self, number: str) -> str:
        group, number, _ = number.split("-")
        books = self.sandbox.ironvale
        held = books.journals_of("PLAN", FIRST)
        old = next(one for one in held if (one.group, one.number) == (group, int(number)))
        back = [one._replace(debit_minor=one.credit_minor, credit_minor=one.debit_minor) for one in old.lines]
        made = books.post("PLAN", FIRST, back, now=self.sandbox.clock.now(), group="REV01")
        return f"REV01-{made.number}"

    def write_beside(self, period: str) -> Key:
        lines = [KineticLine("6110", "310", "", 777_00, 0), KineticLine("3990", "", "", 0, 777_00)]
        self.sandbox.ironvale.post("PLAN", period, lines, now=self.sandbox.clock.now())
        return "6110", "310|"


class Native(_Ironvale):
    """Kinetic's own budget of the main book, under a budget code."""

    name, plan, version = "native budget", "forecast", "Forecast"
    journals, balances = False, False

    def totals(self, period: str) -> Totals:
        year, _, number = period.partition("-P")
        asked = self.control("epicor/budgets", book="MAIN", year=year.removeprefix("FY"), code="FCST").json()
        found = {}
        for one in asked["budgets"]:
            account, _, rest = one["account"].partition("|")
            found[account, f"{rest}|"] = one["periods"].get(str(int(number)), 0)
        return {key: minor for key, minor in found.items() if minor}

    def close(self, period: str) -> None:
        self.sandbox.ironvale.close(period)

    def open(self, period: str) -> None:
        self.sandbox.ironvale.reopen(period)

    def write_beside(self, period: str) -> Key:
        wish = {"account": "6010|310", "period": period.rpartition("-P")[2], "year": YEAR[2:], "code": "FCST"}
        with httpx.Client(trust_env=False) as http:
            answer = http.post(f"{self.sandbox.url}/control/epicor/budget", json={**wish, "amount": "1.00"})
        assert 200 == answer.status_code, answer.text
        return self.targets["travel"]


WAYS: tuple[type, ...] = (Statistical, Articles, PlanBook, Native)


def ways(*quick: type, also: Sequence[type] = ()) -> pytest.MarkDecorator:
    """Run a test on these destinations, and with `make prove` on the others too (also: on which ones, all where none are named)."""
    slow = [one for one in also or WAYS if one not in quick]
    return pytest.mark.parametrize(
        "way", [*quick, *(pytest.param(one, marks=pytest.mark.prove) for one in slow)], indirect=True
    )
