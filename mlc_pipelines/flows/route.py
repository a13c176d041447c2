"""The way of a plan back into the ledger, as a connection declares it: from which export, by whose approval, into which books."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlc_pipelines.flows.steps import PlanSteps
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.drafts import Destination
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import FiscalCalendar
from mlc_pipelines.ledger.issues import DELTA, REPLACE, Offset
from mlc_pipelines.ledger.plans import REFUSE, ZERO, TargetRule
from mlc_pipelines.ledger.ports import BudgetTable, PlanBooks, PlanDestination, TextsWay


@dataclass(frozen=True, slots=True)
class EvidenceWay:
    """Where the plan itself says that it is approved: one member of a list, a view or an exported file, and the names of what it says.

    member: with {year}, "FY{year} Budget". approved: the word by which the status says so.
    """

    way: TextsWay
    member: str
    status: str
    by: str
    at: str
    version: str
    approved: str = "Approved"

    def member_of(self, year: str) -> str:
        """The member for a fiscal year, FY2027."""
        return self.member.replace("{year}", year.removeprefix("FY"))


@dataclass(frozen=True)
class PlanRoute:
    """One plan (budget, forecast) and its destination. Exactly one of journals and table is there.

    export, view: one of them is named. version: member of the plan's versions whose figures are taken. company: the ERP company that only one process writes into at a time. signs: kind of account -> -1 where planners see credits as positive.
    blank, rounding: see `ledger.plans`. reissue: see `ledger.issues`. shared: others may write into the destination as well, so that only
    our own journals can be held against the plan. mode: each or all_or_none. same_person: the one who prepared may approve. post_too: a
    released journal is posted by us. automatic: a sensor may take up what waits. launched: and begin what a controller has approved.
    """

    name: str
    export: str
    view: str
    columns: CellColumns
    version: str
    period_label: str
    evidence: EvidenceWay
    accounts: TargetRule
    cost_centers: TargetRule
    signs: Mapping[str, int]
    destination: Destination
    company: str
    journals: PlanBooks | None = None
    table: BudgetTable | None = None
    offset: Offset | None = None
    lines_max: int = 500
    rounding: str = REFUSE
    blank: str = ZERO
    reissue: str = DELTA
    shared: bool = False
    mode: str = "each"
    same_person: bool = False
    post_too: bool = False
    quiet_seconds: float = 120
    automatic: bool = False
    launched: bool = False
    steps: PlanSteps = field(init=False)

    def __post_init__(self) -> None:
        if (self.journals is None) == (self.table is None) or (self.table is not None) != (self.reissue == REPLACE):
            raise ValueError("a plan is written either as journals or as native figures, which are replaced")
        object.__setattr__(self, "steps", PlanSteps.of(self.name))

    @property
    def books(self) -> PlanDestination:
        books = self.journals if self.journals is not None else self.table
        if books is None:
            raise ValueError("a plan has a destination")
        return books

    @property
    def unit(self) -> str:
        """What one posting is, for people."""
        return "journals" if self.table is None else "periods of budget figures"

    @property
    def option(self) -> str:
        """What a command needs to mean this plan; the budget is meant without."""
        return "" if self.name == "budget" else f" --plan {self.name}"

    def plan_of(self, year: str) -> str:
        """The plan's name with its fiscal year, as it stands on every journal: "Budget FY2027"."""
        return f"{self.version} {year}"


def labels(route: PlanRoute, calendar: FiscalCalendar) -> dict[str, str]:
    """The plan's label -> key of the period. An adjustment period has no label of its own: nobody plans it."""
    return {one.label(route.period_label): one.key for one in calendar.periods if not one.adjustment}


def year_of(period: str) -> str:
    """The fiscal year of a period's key: FY2027 of FY2027-P03."""
    return period.partition("-")[0]


def keys_of_year(calendar: FiscalCalendar, year: str) -> list[str]:
    """Keys of the periods of a fiscal year, FY2027. Raises SetupError for a year that the connection's calendar does not have."""
    keys = [key for key in calendar.keys if year_of(key) == year]
    if not keys:
        years = sorted({year_of(key) for key in calendar.keys})
        raise SetupError(
            f"There is no fiscal year {year} in the calendar of this connection: it has {years[0]} to {years[-1]}.",
            holds="Nothing was read or sent.",
            next_step="Name one of these years, like FY2027, or extend the calendar in the connection file.",
        )
    return keys
