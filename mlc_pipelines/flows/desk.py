"""What a flow works with: the connected rooms, and what the connection declares about the way of its figures."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlc_pipelines.flows.steps import ACTUALS, PERIODIC, Feed
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.extracts import ExtractRule, Extracts
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod
from mlc_pipelines.ledger.mapping import MemberRule, Suspense
from mlc_pipelines.ledger.members import ListRule
from mlc_pipelines.ledger.ports import GeneralLedger, Payables, PlanningModel, ReadWay
from mlc_pipelines.store.approvals import Approvals
from mlc_pipelines.store.history import Load
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.store.reversals import Reversals
from mlc_pipelines.store.trail.logbook import Logbook

if TYPE_CHECKING:
    from mlc_pipelines.flows.route import PlanRoute


@dataclass(frozen=True, slots=True)
class Target:
    """Where the figures of a feed go. Names are those that the model builder gave.

    period_label: pattern of the model's period labels, "%b %y" for "Jul 25", "P{number:02d} FY{yy}" for "P01 FY26".
    adjustment_version: version that takes the adjustment period, whose figures share the label of the year's last month.
    suspense: None means that an unmapped code stops the slice. vendors: only where the feed's cells have vendors.
    process: runs the import among other actions; "" where the import is started by itself. import_name may be "" where it runs only one.
    parameters: what the import asks for at run time, kind of entity -> name; {period} and {version} stand for the slice's own.
    signs_waived: why the signs need no proof on a closed period; "" where they do.
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
    vendors: MemberRule | None = None
    process: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    figures: str = PERIODIC
    feed: Feed = ACTUALS
    signs_waived: str = ""

    @property
    def rules(self) -> tuple[MemberRule, ...]:
        """How codes find their members, one rule for each dimension that is mapped."""
        return (self.accounts, self.cost_centers, *((self.vendors,) if self.vendors else ()))

    @property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(rule.dimension for rule in self.rules)

    def parameters_of(self, period: FiscalPeriod) -> dict[str, str]:
        """What the import asks for, filled in for the slice."""
        label, version = self.label_of(period), self.version_of(period)
        return {
            kind: name.replace("{period}", label).replace("{version}", version)
            for kind, name in self.parameters.items()
        }

    def label_of(self, period: FiscalPeriod) -> str:
        return period.label(self.period_label)

    def version_of(self, period: FiscalPeriod) -> str:
        return self.adjustment_version if period.adjustment else self.version

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that take actuals."""
        return tuple(version for version in (self.version, self.adjustment_version) if version)


@dataclass(frozen=True)
class Desk:
    """One connection at work. ledger and plan log in when first used; progress is told what is being done, for people who watch.

    target: of the feed that is being worked on. payables, spend: the subledger and the target of AP spend, where the connection declares it.
    accept_shrunk: keys of periods that may be far smaller than when they were last agreed, because a person said so.
    routes: plans on their way back into the ledger, by name. who: the person or service that acts; log_in: the operating system's
    user behind that name. system: name of the ERP.
    only_if_needed: a slice that the model holds already, as it was loaded last, is not sent again: a replay.
    code_version, configuration_hash: with what it is done, for the audit trail.
    """

    connection: str
    calendar: FiscalCalendar
    ledger: GeneralLedger
    plan: PlanningModel
    extracts: Extracts
    target: Target
    store: Store
    fence_wait_seconds: float
    run: str = ""
    lists: tuple[ListRule, ...] = ()
    accept_shrunk: frozenset[str] = frozenset()
    only_if_needed: bool = False
    extract_rules: tuple[ExtractRule, ...] = ()
    payables: Payables | None = None
    spend: Target | None = None
    routes: Mapping[str, "PlanRoute"] = field(default_factory=dict)
    who: str = ""
    log_in: str = ""
    system: str = ""
    code_version: str = ""
    configuration_hash: str = ""
    progress: Callable[[str], None] = field(default=lambda _said: None)

    @property
    def feed(self) -> Feed:
        return self.target.feed

    @property
    def targets(self) -> tuple[Target, ...]:
        """Of every feed of the connection, this one first."""
        return (self.target, *((self.spend,) if self.spend and self.spend is not self.target else ()))

    def on_spend(self) -> "Desk":
        """The same desk at work on AP spend. Raises SetupError where the connection declares none."""
        if self.spend is None:
            raise SetupError(
                f"Connection {self.connection} declares no AP spend.",
                holds="Nothing was read or sent.",
                next_step="Add a section `ap_spend` to the connection file: docs/epicor.md shows one.",
            )
        return replace(self, target=self.spend)

    @property
    def postings(self) -> Postings:
        """The register of journals that this connection writes."""
        return self.store.postings(self.connection, who=self.who, run=self.run, logbook=self.logbook)

    @property
    def logbook(self) -> Logbook:
        """The audit trail in the hand of this work."""
        return Logbook(
            self.store.trail, self.connection, self.who, self.run, self.code_version, self.configuration_hash
        )

    @property
    def approvals(self) -> Approvals:
        return self.store.approvals(self.connection, self.logbook)

    @property
    def reversals(self) -> Reversals:
        """Journals of ours that people reversed in the ERP."""
        return Reversals(self.logbook)

    def route(self, plan: str) -> "PlanRoute":
        """The way of a plan back into the ledger. Raises SetupError, naming those that there are, for a plan that the connection does not declare."""
        if plan not in self.routes:
            declared = f"it declares {', '.join(self.routes)}" if self.routes else "it declares none"
            raise SetupError(
                f"Connection {self.connection} has no plan {plan!r} to post: {declared}.",
                holds="Nothing was read or sent.",
                next_step="Name one of them, or add it to `plans` in the connection file: docs/budgets.md shows one.",
            )
        return self.routes[plan]

    def period_labels(self) -> dict[tuple[str, str], str]:
        """Label and version in the model -> key of the period that lands there."""
        return {(self.target.label_of(one), self.target.version_of(one)): one.key for one in self.calendar.periods}

    def loads_since_agreed(self, period: str) -> list[Load]:
        """The feed's newest agreed load of the period and every attempt after it."""
        return self.store.history.since_agreed(self.connection, period, feed=self.feed.name)

    def fence(self, period: str) -> AbstractContextManager[object]:
        """One writer per model, from the first look at it to the last figure read back."""
        return self.store.fence(
            f"model {self.plan.key()}", holder=f"{self.connection} {period}", wait_seconds=self.fence_wait_seconds
        )
