"""Two sample companies and three connections live through days by the sandbox's clock: schedules and sensors tick as the daemon would have them, the ERP goes on by
itself, people approve plans, and things break.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.anaplan import planner
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines_tests.assets.offices import DAY, Office, utc
from mlc_pipelines_tests.battery.houses import House, Ironvale, Meridian, expected_cells, held_cells

FAULTS: dict[str, dict[str, Any]] = {
    "A04": {"match": "PUT .*chunks", "action": {"kind": "reset", "after": True}},
    "A07": {
        "match": "(PUT|GET) .*(AccountDetailsForPeriodInquiry|GLJrnDtls)",
        "action": {"kind": "truncate", "keep": 0.5},
    },
    "B02": {"match": "GET .*2/0", "action": {"kind": "status", "status": 401}},
    "B10": {"match": "GET .*2/0", "action": {"kind": "status", "status": 429, "headers": {"retry-after": "1"}}},
    "B14": {
        "match": "GET .*(FinancialPeriod|FiscalPers|GLJrnDtls|Account)",
        "action": {"kind": "status", "status": 503},
    },
    "E05": {"match": "POST .*complete", "action": {"kind": "reset", "after": True}},
}
"""Faults of the catalogue that the work survives by itself, each brought upon one call."""

SIGN_IN = {"kind": "html"}
PLAN_DOWN = {"match": "GET /2/0", "times": -1, "action": SIGN_IN}
ERP_DOWN = {"match": "(AcumaticaERP/entity|Kinetic/api)", "times": -1, "action": SIGN_IN}
"""B17 as long as it is planted: a sign-in page instead of every answer, which no repeat mends."""

MORNING, NOON, ERP_CLOSES, EVENING = time(0, 30), time(10, 0), time(16, 0), time(23, 30)
"""In UTC: what people post and break, what they approve, when the accountants close a period, when the sensors look."""
CLOSED_ON = 4
"""The business day after a period's end on which the accountants close it."""
FINAL_AFTER = timedelta(days=9)
"""So long after a period's end it is final on every connection."""
LOOKS, PLANS_LOOK = (0, 2, 4), 2
"""Weekdays on which the sensors look, instead of every quarter of an hour: Monday, Wednesday, Friday; at plans on Wednesday."""
FIRST_POSTING = 6
"""Days of a period in which nothing is posted yet."""


@dataclass(frozen=True)
class Late:
    """A period that was final and that somebody posted into, or opened again; found by the next look that reaches the ERP."""

    period: str
    on: date
    found_on: date
    offices: tuple[Office, ...]


@dataclass
class Script:
    """What happens on which day beside the usual."""

    late: tuple[date, ...] = ()
    reopened: Mapping[date, date] = field(default_factory=dict)
    """Days on which the newest final period is opened again and posted into, and when it is closed once more."""
    away: frozenset[date] = frozenset()
    faults: Mapping[date, str] = field(default_factory=dict)
    plan_down: frozenset[date] = frozenset()
    erp_down: frozenset[date] = frozenset()
    """Evenings on which no sensor reaches the ERP."""
    approvals: tuple[tuple[date, str, str, int], ...] = ()
    """Day, connection, plan, and the figure that was changed before, in units: 0 for none."""


class Year:
    """What happens day by day, at the ERP and with us."""

    def __init__(self, sandbox: Sandbox, offices: list[Office], start: date, days: int, script: Script) -> None:
        self.sandbox, self.offices, self.start, self.days, self.script = sandbox, offices, start, days, script
        self.dice = random.Random(9)
        self.late: list[Late] = []
        self.planted: dict[str, Fault] = {}
        self.postings_before = 0

    def live(self) -> None:
        self.at(utc(self.start, time()))
        for house, _ in self.houses():
            emptied(house, self.start)
        for office in self.offices:
            if office.named.settings.plans:
                for plan in ("FY2026 Budget", "FY2027 Budget", "FY2027 Forecast"):
                    planner.withdraw(self.sandbox.tenant, plan, model=self.model(office))
            office.reference()
        for number in range(self.days):
            day = self.start + number * DAY
            for moment, happens in sorted(self.of_day(day), key=lambda one: one[0]):
                self.at(moment)
                happens()

    def at(self, moment: datetime) -> None:
        self.sandbox.clock.advance((moment - self.sandbox.clock.now()).total_seconds())

    def of_day(self, day: date) -> Iterator[tuple[datetime, Callable[[], object]]]:
        yield utc(day, MORNING), lambda: self.business(day)
        yield utc(day, NOON), lambda: self.approve(day)
        yield utc(day, ERP_CLOSES), lambda: self.closing(day)
        if day in self.script.away:
            return
        if day - DAY in self.script.away or day == self.start:
            yield utc(day, time()), lambda: [office.schedule() for office in self.offices]
        if day.weekday() in LOOKS:
            yield utc(day, EVENING), lambda: self.sensors(day)
        for office in self.offices:
            for due in {one.at: one for one in office.dues(utc(day, time()), utc(day + DAY, time()))}.values():
                yield due.at, lambda office=office: self.close_of(office, day)

    def close_of(self, office: Office, day: date) -> None:
        with self._down(PLAN_DOWN if day in self.script.plan_down else None, [office]):
            office.schedule()

    def sensors(self, day: date) -> None:
        with self._down(ERP_DOWN if day in self.script.erp_down else None, self.offices):
            for office in self.offices:
                office.watch()
                if day.weekday() == PLANS_LOOK:
                    office.plans()

    @contextmanager
    def _down(self, wish: Mapping[str, Any] | None, offices: list[Office]) -> Iterator[None]:
        """B17 for as long as it lasts."""
        if wish is None:
            yield
            return
        fault = self.sandbox.traffic.plant(wish)
        for office in offices:
            office.broken = True
        yield
        for office in offices:
            office.broken = False
        self.sandbox.traffic.faults.remove(fault)
        assert fault.fired
        self.planted.setdefault("B17", fault)

    # -- at the ERP, and in the plan ----------------------------------------------------------------------------------

    def houses(self) -> list[tuple[House, tuple[Office, ...]]]:
        """Each company once, with the connections that read it."""
        found: dict[str, tuple[House, tuple[Office, ...]]] = {}
        for office in self.offices:
            erp = office.named.settings.erp.system
            house, others = found.get(erp, (office.house, ()))
            found[erp] = house, (*others, office)
        return list(found.values())

    def model(self, office: Office) -> str:
        name = office.named.settings.anaplan.model
        return next(one.id for one in self.sandbox.tenant.models() if one.name == name)

    def business(self, day: date) -> None:
        """A period opens on its first day, something is posted into it from the seventh on; now and then into one that was closed."""
        for house, offices in self.houses():
            for one in house.named.calendar.periods:
                if one.start_on == day:
                    open_period(house, one.key)
                    if one.adjustment:
                        self.post(house, one.key)
            current = next(one for one in house.named.calendar.periods if one.start_on <= day <= one.end_on)
            since = (day - current.start_on).days
            if since == FIRST_POSTING or (since > FIRST_POSTING and self.dice.random() < 0.02):
                self.post(house, current.key)
            if day in self.script.late:
                self.touch(house, offices, day)
            if day in self.script.reopened:
                house.reopen(self.touch(house, offices, day, newest=True))
        if wish := self.script.faults.get(day):
            self.planted[wish] = self.sandbox.traffic.plant(FAULTS[wish])

    def post(self, house: House, period: str) -> None:
        house.post(period, house.expense, self.dice.choice(house.centers), self.dice.randrange(1, 99_999))

    def touch(self, house: House, offices: tuple[Office, ...], day: date, *, newest: bool = False) -> str:
        """Somebody posts into a period that is final everywhere."""
        final = [one.key for one in self.ended(house) if one.end_on < day - FINAL_AFTER]
        period = final[-1] if newest else self.dice.choice(final)
        self.post(house, period)
        self.late.append(Late(period, day, self.next_look(day), offices))
        return period

    def next_look(self, day: date, weekdays: tuple[int, ...] = LOOKS) -> date:
        """The first evening from this day on on which the sensors look, and reach the ERP."""
        while day.weekday() not in weekdays or day in self.script.erp_down or day in self.script.away:
            day += DAY
        return day

    def ended(self, house: House) -> list[Any]:
        return [one for one in house.named.calendar.periods if one.end_on >= self.start and not one.adjustment]

    def closing(self, day: date) -> None:
        """The accountants close a period on the fourth business day of the next, and once more what was opened again."""
        for house, offices in self.houses():
            works = house.named.close.days.works
            for one in house.named.calendar.periods:
                if one.end_on >= self.start and business_day_after(one.end_on, CLOSED_ON, works) == day:
                    house.close(one.key)
            for opened_on, closed_on in self.script.reopened.items():
                if closed_on == day:
                    [again] = [one for one in self.late if one.offices == offices and one.on == opened_on]
                    house.close(again.period)

    def approve(self, day: date) -> None:
        for when, connection, plan, change in self.script.approvals:
            if when == day:
                model = self.model(next(one for one in self.offices if one.name == connection))
                if change:
                    changed = ("A5010" if connection == "demo" else "A6010", "CC_110", "FY27", plan.capitalize())
                    planner.spread(self.sandbox.tenant, changed, Decimal(change * 12), model=model)
                planner.approve(self.sandbox.tenant, f"FY2027 {plan.capitalize()}", model=model)


def held(office: Office, period: str) -> bool:
    """Whether the plan holds what the ERP has, by the sandbox's own books."""
    return expected_cells(office.house, period) == held_cells(office.house, period)


def business_day_after(end_on: date, number: int, works: Callable[[date], bool]) -> date:
    """Counted by hand, day by day."""
    day = end_on
    while number:
        day += DAY
        number -= works(day)
    return day


def open_period(house: House, period: str) -> None:
    if isinstance(house, Meridian):
        house.sandbox.books.periods[period].status = "Open"


def emptied(house: House, start: date) -> None:
    """The company before the first of these days: nothing is posted later, no later period is open or closed, and what was before is few journals."""
    later = [one.key for one in house.named.calendar.periods if one.end_on >= start]
    if isinstance(house, Meridian):
        condense(house.sandbox.books, later, now=house.sandbox.clock.now())
        for key in later:
            house.sandbox.books.periods[key].status = "Inactive"
    elif isinstance(house, Ironvale):
        for key in later:
            house.reopen(key)
            if house.sandbox.ironvale.journals.get(("IVM", "MAIN", key)):
                house.empty(key, 0)
    for one in house.named.calendar.periods:
        if one.start_on < start <= one.end_on and not one.adjustment:
            open_period(house, one.key)
            house.post(one.key, house.expense, house.centers[0], 4_711)


def condense(books: Books, later: list[str], *, now: datetime) -> None:
    """All that was booked before as one batch in the period before."""
    sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    before = [key for key, one in books.periods.items() if not one.adjustment and key < min(later)][-1]
    for batch in books.batches:
        if batch.ledger == "ACTUAL" and batch.status == "Posted" and batch.period not in later:
            for line in batch.lines:
                sums[line.account, line.subaccount, line.branch] += line.debit_minor - line.credit_minor
    books.batches[:] = [one for one in books.batches if one.ledger != "ACTUAL"]
    lines = [Line(0, *code, max(minor, 0), max(-minor, 0)) for code, minor in sorted(sums.items()) if minor]
    books.post("ACTUAL", before, "HQ", "Posted", "all before", lines, now=now)
