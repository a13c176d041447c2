"""What a connection file may say of plans on their way back into the ledger."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlc_pipelines.wiring.parts import FileName, Headers, PeriodLabel, Setting, Text

PlanName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]


class PlanEvidence(Setting):
    """Where Anaplan shows that the plan is approved: a member of a list with properties, of a saved view with texts, or of an exported file.

    member: of a fiscal year, {year} stands for its number. same_person: who prepared the journals may approve them as well.
    """

    by: Literal["list", "view", "export"]
    name: Text
    member: Text
    status: Text = "Status"
    approved_by: Text = "Approved By"
    approved_at: Text = "Approved At"
    revision: Text = "Revision"
    approved: Text = "Approved"
    same_person: bool = False


class Target(Setting):
    """Where the members of a list are posted to.

    member: how a member's code is spelled around the ERP's code, A{code}. target: what is posted to, with that code filled in. file: targets of
    single members (header member,target), which win over the pattern. list: the one of the mapping, unless named.
    """

    list: str = ""
    member: str = ""
    target: Text = "{code}"
    file: FileName = ""

    @model_validator(mode="after")
    def _some_rule(self) -> Self:
        if not self.member and not self.file:
            raise ValueError("give a pattern under `member`, a file of targets under `file`, or both")
        for name in ("member", "target"):
            if (text := getattr(self, name)) and text.count("{code}") != 1:
                raise ValueError(f"{name} is {text!r}: {{code}} must stand in it once")
        return self


class Targets(Setting):
    accounts: Target
    cost_centers: Target


class OffsetAccount(Setting):
    """The account that balances a plan's journals."""

    account: Text
    subaccount: Text


class PlanLedger(Setting):
    """Acumatica: a ledger set aside for plans."""

    ledger: Text
    company: str = ""
    branch: str = ""
    calendar: Literal["master", "company"] = "master"
    control_accounts: tuple[Text, ...] = ()


class StatisticalJournal(PlanLedger):
    """Acumatica: journals in a ledger of type Statistical."""

    kind: Literal["statistical_journal"]
    into_closed: bool = False


class BudgetArticles(PlanLedger):
    """Acumatica: the Budget entity of a ledger of type Budget. A person releases it (GL505510)."""

    kind: Literal["budget_articles"]


class PlanBookJournal(Setting):
    """Epicor Kinetic: journals in a book set aside for plans, under a journal code of their own."""

    kind: Literal["plan_book_journal"]
    book: Text
    journal_code: Text
    control_accounts: tuple[Text, ...] = ()
    earliest_date: bool = True
    lines_per_update: int = Field(1, ge=1, le=500)
    agent: Text = "SystemTaskAgent"
    maintenance_program: str = ""


class BudgetFigures(Setting):
    """Epicor Kinetic: the native budget of a book and budget code."""

    kind: Literal["budget_figures"]
    book: Text
    budget_code: str = ""
    control_accounts: tuple[Text, ...] = ()


OfAcumatica = StatisticalJournal | BudgetArticles
OfEpicor = PlanBookJournal | BudgetFigures
PlanDestination = Annotated[
    StatisticalJournal | BudgetArticles | PlanBookJournal | BudgetFigures, Field(discriminator="kind")
]


class Plan(Setting):
    """One plan, such as the budget or a forecast: which figures, by whose approval, into which books.

    launch: who begins a posting: a person; a person, and a sensor takes up what waited; or the sensor, once a controller has approved the preview.
    export, view: what shows it, one of them. version: whose rows are taken; it names the plan on every journal. period_label, signs: those of actuals unless given.
    """

    export: str = ""
    view: str = ""
    columns: Headers
    version: Text
    period_label: PeriodLabel = ""
    approval: PlanEvidence
    targets: Targets
    destination: PlanDestination
    offset: OffsetAccount | None = None
    lines_per_journal: int = Field(500, ge=1, le=10_000)
    rounding: Literal["refuse", "last_period"] = "refuse"
    blank: Literal["zero", "unchanged"] = "zero"
    reissue: Literal["delta", "reverse"] = "delta"
    shared: bool = False
    mode: Literal["each", "all_or_none"] = "each"
    post: bool = False
    quiet_seconds: float = Field(120, ge=0, le=3600)
    launch: Literal["by_person", "resume", "approved"] = "by_person"

    @property
    def native(self) -> bool:
        """Whether the figures are set by key instead of posted as journals."""
        return isinstance(self.destination, BudgetArticles | BudgetFigures)

    @model_validator(mode="after")
    def _one_way_to_read(self) -> Self:
        if bool(self.export) == bool(self.view):
            raise ValueError("name the export of the plan under `export`, or a saved view of it under `view`")
        if self.view and self.blank == "unchanged":
            raise ValueError("a saved view does not tell blank cells from zeros: name an export, or write blank: zero")
        return self

    @model_validator(mode="after")
    def _launched_by_period(self) -> Self:
        if self.launch == "approved" and self.mode == "all_or_none":
            raise ValueError(
                "launch: approved posts each period when it is open, so mode: all_or_none cannot hold; have a person begin it"
            )
        return self

    @model_validator(mode="after")
    def _journals_only(self) -> Self:
        given = {"offset", "lines_per_journal", "reissue", "mode", "post", "shared"} & self.model_fields_set
        if self.native and given:
            raise ValueError(
                f"destination {self.destination.kind} sets budget figures by key, so nothing is done with {', '.join(sorted(given))}, which "
                "belongs to journals: delete it"
            )
        return self
