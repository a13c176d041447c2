"""Plans that were approved in Anaplan and not previewed since: looked at, never posted."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256

from mlc_pipelines.flows.approved import PlanApproval, read_plan_approval
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.route import PlanRoute, year_of
from mlc_pipelines.ledger.errors import DataError, SetupError


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan and fiscal year whose approval has not been previewed: its periods, and what the plan says of its approval."""

    plan: str
    year: str
    periods: tuple[str, ...]
    approval: PlanApproval

    @property
    def key(self) -> str:
        """The same for the same approval, for ever: one preview of each."""
        said = "\n".join(asdict(self.approval).values())
        return f"preview-{self.plan}-{self.year}-{sha256(said.encode()).hexdigest()[:16]}"


def approved_plans(desk: Desk, today: date) -> tuple[list[Approved], list[str]]:
    """Approved and not previewed, in the order of the connection file; and what is to be said of plans whose approval cannot be read.

    Only fiscal years that have not ended: nobody plans a year that is over. Raises SetupError where no year of a plan can be read.
    """
    found: list[Approved] = []
    said: list[str] = []
    for route in desk.routes.values():
        approvals, unread = _approvals(desk, route, years := _years(desk, today))
        said += unread
        found += [
            Approved(route.name, year, years[year], approval)
            for year, approval in approvals.items()
            if _whole(route, approval) and not _previewed(desk, route, year, approval)
        ]
    return found, said


def _approvals(desk: Desk, route: PlanRoute, years: Iterable[str]) -> tuple[dict[str, PlanApproval], list[str]]:
    """What the plan says of each fiscal year, and why some say nothing: the calendar has years before anybody plans them."""
    found: dict[str, PlanApproval] = {}
    said: list[str] = []
    wrong: SetupError | None = None
    for year in years:
        try:
            found[year] = read_plan_approval(desk, route, year)
        except DataError as error:
            said.append(f"{route.plan_of(year)}: {error.what}")
        except SetupError as error:
            said.append(f"{route.plan_of(year)}: {error.what}")
            wrong = wrong or error
    if wrong is not None and not found:
        raise wrong
    return found, said


def _years(desk: Desk, today: date) -> dict[str, tuple[str, ...]]:
    years: dict[str, tuple[str, ...]] = {}
    for one in desk.calendar.periods:
        years[year_of(one.key)] = (*years.get(year_of(one.key), ()), one.key)
    return {year: keys for year, keys in years.items() if desk.calendar.period(keys[-1]).end_on >= today}


def _whole(route: PlanRoute, approval: PlanApproval) -> bool:
    """Approved, and it says by whom, when and which version; what says less is refused by the preview anyhow."""
    return approval.status == route.evidence.approved and all((approval.by, approval.at, approval.version))


def _previewed(desk: Desk, route: PlanRoute, year: str, approval: PlanApproval) -> bool:
    preview = desk.store.history.latest_step(desk.connection, route.steps.preview, year)
    return preview is not None and preview.facts.get("approval") == asdict(approval)
