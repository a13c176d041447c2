"""What a flow works with: the connected rooms, and what the connection declares about the way of its figures."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from mlc_pipelines.flows.steps import PERIODIC
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.extracts import ExtractRule, Extracts
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod
from mlc_pipelines.ledger.mapping import MemberRule, Suspense
from mlc_pipelines.ledger.members import ListRule
from mlc_pipelines.ledger.ports import GeneralLedger, PlanningModel, ReadWay
from mlc_pipelines.store.home import Store


@dataclass(frozen=True, slots=True)
class ActualsTarget:
    """Where actuals go. Names are those that the model builder gave.

    period_label: strftime pattern of the model's month labels, "%b %y" for "Jul 25".
    adjustment_version: version that takes the adjustment period, whose figures share the label of the year's last month.
    suspense: None means that an unmapped code stops the slice.
    process: runs the import among other actions; "" where the import is started by itself. import_name may be "" where it runs only one.
    parameters: what the import asks for at run time, kind of entity -> name; {period} and {version} stand for the slice's own.
    figures: "periodic" sends the movement of the period, "ytd" the balance at its end: of the year for income and expense, of all time for the others.
    """

    import_name: str
    read_back: ReadWay
    columns: CellColumns
    period_label: str
    version: str
    adjustment_version: str
    accounts: MemberRule
    cost_centers: MemberRule
    suspense: Suspense | None
    process: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    figures: str = PERIODIC

    def parameters_of(self, period: FiscalPeriod) -> dict[str, str]:
        """What the import asks for, filled in for the slice."""
        label, version = self.label_of(period), self.version_of(period)
        return {
            kind: name.replace("{period}", label).replace("{version}", version)
            for kind, name in self.parameters.items()
        }

    def label_of(self, period: FiscalPeriod) -> str:
        return period.end_on.strftime(self.period_label)

    def version_of(self, period: FiscalPeriod) -> str:
        return self.adjustment_version if period.adjustment else self.version

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that take actuals."""
        return tuple(version for version in (self.version, self.adjustment_version) if version)


@dataclass(frozen=True)
class Desk:
    """One connection at work. ledger and plan log in when first used; progress is told what is being done, for people who watch.

    accept_shrunk: keys of periods that may be far smaller than when they were last agreed, because a person said so.
    """

    connection: str
    calendar: FiscalCalendar
    ledger: GeneralLedger
    plan: PlanningModel
    extracts: Extracts
    target: ActualsTarget
    store: Store
    fence_wait_seconds: float
    run: str = ""
    lists: tuple[ListRule, ...] = ()
    accept_shrunk: frozenset[str] = frozenset()
    extract_rules: tuple[ExtractRule, ...] = ()
    progress: Callable[[str], None] = field(default=lambda _said: None)

    def period_labels(self) -> dict[tuple[str, str], str]:
        """Label and version in the model -> key of the period that lands there."""
        return {(self.target.label_of(one), self.target.version_of(one)): one.key for one in self.calendar.periods}

    def fence(self, period: str) -> AbstractContextManager[None]:
        """One writer per model, from the first look at it to the last figure read back."""
        return self.store.fence(
            f"model {self.plan.key()}", holder=f"{self.connection} {period}", wait_seconds=self.fence_wait_seconds
        )
