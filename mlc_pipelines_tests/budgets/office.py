"""The people around a plan and what they do with it: who prepares it, who approves it, who posts it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from mlc_pipelines.flows import approval
from mlc_pipelines.flows.approved import read_approved
from mlc_pipelines.flows.budgets import post_plan
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.preview import preview_plan
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.ledger.drafts import Approval
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.ledger.fiscal import FiscalCalendar
from mlc_pipelines.sandbox.anaplan import planner
from mlc_pipelines.store.home import default_home
from mlc_pipelines.wiring.calendars import CalendarFile, write_calendar
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.budgets.ways import FIRST, QUARTER, SECOND, YEAR, Figures, Totals, Way
from mlc_pipelines_tests.conftest import briefly

ANALYST, CONTROLLER = "ana.lyst", "c.ontroller"
V1: Figures = {
    ("fees", FIRST): Decimal("1250.50"),
    ("travel", FIRST): Decimal("300.01"),
    ("fees", SECOND): Decimal("1400.00"),
    ("travel", SECOND): Decimal("0"),
}
V2: Figures = {**V1, ("travel", FIRST): Decimal("299.99"), ("fees", SECOND): None, ("travel", SECOND): Decimal("75.10")}


@dataclass(frozen=True)
class Office:
    """A connection at work on one plan."""

    way: Way
    desk: Desk

    @property
    def route(self) -> PlanRoute:
        return self.desk.route(self.way.plan)

    def preview(self, who: str = ANALYST) -> Report:
        desk = replace(self.desk, who=who)
        read_approved(desk, self.route, YEAR)
        return preview_plan(desk, self.route, YEAR)

    def approve(self, content: str, who: str = CONTROLLER) -> Approval:
        return approval.approve(replace(self.desk, who=who), self.route, YEAR, content)

    def post(self, *periods: str, meanwhile: Callable[[str], None] = lambda _said: None) -> Report:
        """meanwhile: is told what is being done, and may do something itself."""
        desk = replace(self.desk, who=ANALYST, progress=meanwhile)
        return post_plan(desk, self.route, YEAR, periods or (FIRST, SECOND))

    def previewed_and_approved(self) -> str:
        """The content that was approved."""
        content = self.preview().texts["content to approve"]
        self.approve(content)
        return content

    def post_and_release(self, *periods: str) -> Report:
        """Posted, and where somebody in the ERP has to let it through, they do, and the same command is given again."""
        if self.way.by_person:
            try:
                return self.post(*periods)
            except WaitingError:
                self.way.release()
        return self.post(*periods)

    def issue(self) -> Report:
        """The whole way: previewed, approved by somebody else, posted."""
        self.previewed_and_approved()
        return self.post_and_release()

    def replan(self, figures: Figures) -> None:
        """The planners change their figures, and have them approved in Anaplan again."""
        for key, amount in figures.items():
            self.way.enter(*key, amount)
        self.approve_plan()

    def approve_plan(self) -> None:
        planner.approve(self.way.sandbox.tenant, self.member, model=self.way.model)

    def withdraw_plan(self) -> None:
        planner.withdraw(self.way.sandbox.tenant, self.member, model=self.way.model)

    @property
    def member(self) -> str:
        return f"{YEAR} {self.way.version}"

    def expected(self, figures: Figures, period: str) -> Totals:
        """What the ERP must hold: an independent recount of targets, signs and offset."""
        sign = {"fees": -1, "travel": 1}
        found = {
            self.way.targets[what]: sign[what] * int(amount * 100)
            for (what, when), amount in figures.items()
            if when == period and amount
        }
        if self.way.balances and sum(found.values()):
            found["3990", "|"] = -sum(found.values())
        return found


def changed(named: Named, plan: str, **changes: Any) -> Named:
    """The connection with other settings of a plan; those of its approval and destination as approval__name and destination__name."""
    of_plan = named.settings.plans[plan]
    parts: dict[str, dict[str, Any]] = {"approval": {}, "destination": {}}
    for name in [one for one in changes if "__" in one]:
        part, _, setting = name.partition("__")
        parts[part][setting] = changes.pop(name)
    inner = {part: getattr(of_plan, part).model_copy(update=given) for part, given in parts.items() if given}
    new = of_plan.model_copy(update={"quiet_seconds": 0.0, **inner, **changes})
    settings = named.settings.model_copy(update={"plans": {plan: new}, "calendar": quarter(named)})
    return Named(named.name, named.file, settings)


def quarter(named: Named) -> CalendarFile:
    """A calendar of the year's first three periods: a preview asks what each period of the year holds, and tests have better to do."""
    file = default_home() / f"{named.name}-quarter.csv"
    write_calendar(file, FiscalCalendar(tuple(one for one in named.calendar.periods if one.key in QUARTER)))
    return CalendarFile(kind="file", file=str(file))


@contextmanager
def open_office(way: Way, **changes: Any) -> Iterator[Office]:
    with open_desk(changed(way.named, way.plan, **changes), sleep=briefly) as desk:
        yield Office(way, desk)
