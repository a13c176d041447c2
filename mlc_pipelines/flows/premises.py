"""What a fit report looks at: both systems, and what the connection declares, each as far as it could be opened."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import pandas as pd

from mlc_pipelines.flows.desk import Target
from mlc_pipelines.flows.route import EvidenceWay, PlanRoute
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalCalendar
from mlc_pipelines.ledger.fit import BOTH, ENGINEER, ERP, PLAN, Check, Found, LedgerSurvey, PlanSurvey, fine
from mlc_pipelines.ledger.members import ListRule
from mlc_pipelines.ledger.ports import Payables

T = TypeVar("T")

DAYS_AHEAD = 7.0
"""How far schedules are looked at."""


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """What a plan on its way back asks of the planning model; see `PlanRoute`."""

    name: str
    export: str
    view: str
    columns: CellColumns
    version: str
    period_label: str
    evidence: EvidenceWay


@dataclass(frozen=True)
class Premises:
    """Parts that could not be opened are None or empty, and stand in `problems` by their names: erp, plan, calendar, mapping, close, or the name of a plan.

    margin_seconds: how long before a job of the customer's no load begins. loads_at: when the close calendar has loads begin within
    those days. password_stored_at, certificate_ends_at: of the Anaplan log-in, where told.
    now: this machine's clock.
    """

    connection: str
    erp: str
    problems: Mapping[str, PipelineError]
    now: Callable[[], datetime]
    ledger: LedgerSurvey | None = None
    plan: PlanSurvey | None = None
    payables: Payables | None = None
    calendar: FiscalCalendar | None = None
    targets: tuple[Target, ...] = ()
    lists: tuple[ListRule, ...] = ()
    asked: tuple[PlanAsked, ...] = ()
    routes: Mapping[str, PlanRoute] = field(default_factory=dict)
    margin_seconds: float = 600.0
    loads_at: tuple[datetime, ...] = ()
    password_stored_at: datetime | None = None
    certificate_ends_at: datetime | None = None
    actions: dict[str, str] = field(default_factory=dict)  # id -> name of each import and process that was found
    listed: dict[str, pd.DataFrame] = field(default_factory=dict)  # members of the lists read so far

    # Raised for a part that is not there; checks that need it are not run, so a person never sees it.

    @property
    def the_ledger(self) -> LedgerSurvey:
        return _there(self.ledger, "ERP")

    @property
    def the_plan(self) -> PlanSurvey:
        return _there(self.plan, "planning model")

    @property
    def the_calendar(self) -> FiscalCalendar:
        return _there(self.calendar, "calendar")

    def needs(self, what: str) -> tuple[str, ...]:
        """The checks of the ERP that stand before these records."""
        return ("set_up.erp", *(self.ledger.needs(what) if self.ledger else ()))

    def members(self, list_name: str) -> pd.DataFrame:
        if list_name not in self.listed:
            rules = [rule for target in self.targets for rule in target.rules if rule.list_name == list_name]
            properties = tuple(dict.fromkeys(rule.list_property for rule in rules if rule.list_property))
            self.listed[list_name] = self.the_plan.read_members(list_name, properties)
        return self.listed[list_name]


def _there(part: T | None, what: str) -> T:
    if part is None:
        raise SetupError(f"The {what} could not be opened.")
    return part


_PARTS = {
    "erp": ("Credential of the ERP", ERP, True),
    "plan": ("Credential of Anaplan", PLAN, True),
    "calendar": ("Fiscal calendar of the connection", BOTH, False),
    "mapping": ("Mapping of the connection", BOTH, False),
    "close": ("Close calendar of the connection", BOTH, False),
}


def opening_checks(premises: Premises) -> list[Check]:
    """One for each part: it could be opened, or why not."""
    plans = {asked.name: (f"Plan {asked.name}: targets", BOTH, False) for asked in premises.asked}
    return [
        Check(
            f"set_up.{part}",
            title,
            area,
            ENGINEER,
            _opening(premises, part),
            ("set_up.erp",) if part in plans else (),
            gate,
        )
        for part, (title, area, gate) in {**_PARTS, **plans}.items()
    ]


def _opening(premises: Premises, part: str) -> Callable[[], Iterator[Found]]:
    def look() -> Iterator[Found]:
        if problem := premises.problems.get(part):
            raise problem
        yield fine("Opened.")

    return look
