"""What a connection file may say. Contradictions are refused when it is read; nothing secret has a place in it."""

from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from mlc_pipelines.anaplan.regions import Addresses, addresses
from mlc_pipelines.flows.steps import ASSETS, PlanSteps
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.wiring.calendars import Calendar
from mlc_pipelines.wiring.closing import Clock, Close
from mlc_pipelines.wiring.erps import EpicorErp, Erp
from mlc_pipelines.wiring.notify import Notify
from mlc_pipelines.wiring.parts import FileName, Headers, PeriodLabel, Port, Setting, Text
from mlc_pipelines.wiring.plans import OfEpicor, Plan, PlanName
from mlc_pipelines.wiring.quiet import QuietTimes

ExtractName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Sign = Literal["debit_positive", "credit_positive"]
Kind = Literal["Asset", "Liability", "Income", "Expense"]


class Certificate(Setting):
    """How to log in to Anaplan by certificate: see `anaplan.certificate`. Files lie beside the connection file; else the vault holds them."""

    header: Literal["pem", "der"] = "pem"
    payload: Literal["v2", "v1"] = "v2"
    timestamp: Literal["seconds", "milliseconds"] = "seconds"
    certificate_file: FileName = ""
    private_key_file: FileName = ""


class Anaplan(Setting):
    """The planning model. Workspace and model by name or id. Addresses by region, or each by itself; us1 and its sisters without either."""

    region: str = ""
    auth_url: str = ""
    api_url: str = ""
    oauth_url: str = ""
    cloudworks_url: str = ""
    workspace: Text
    model: Text
    auth: Literal["basic", "certificate", "oauth_device", "oauth_code"] = "basic"
    credential: str = ""
    certificate: Certificate = Certificate()
    redirect_port: Port = 0
    wait_minutes: float = Field(30, gt=0, le=1440)
    task_minutes: float = Field(120, gt=0, le=1440)
    chunk_mb: int = Field(25, ge=1, le=50)
    upload_workers: int = Field(1, ge=1, le=8)
    poll_floor_seconds: float = Field(0.1, ge=0.1, le=60)
    poll_cap_seconds: float = Field(5, ge=0.1, le=300)
    cancel_when_stuck: bool = False
    requests_per_minute: int = Field(600, ge=10, le=6000)
    tenant: str = ""
    quiet_hours: QuietTimes | None = None
    cloudworks: bool = True
    job_margin_minutes: float = Field(10, ge=0, le=720)
    ca_file: str | None = None

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> "Anaplan":
        own = [name for name in ("auth_url", "api_url", "oauth_url", "cloudworks_url") if getattr(self, name)]
        if self.region and own:
            raise ValueError(
                f"region {self.region} and {', '.join(own)} contradict each other; give the one or the other"
            )
        if own and not (self.auth_url and self.api_url):
            raise ValueError("give auth_url and api_url both, or a region instead")
        if own and self.auth.startswith("oauth_") and not self.oauth_url:
            raise ValueError(f"auth is {self.auth}: give oauth_url as well")
        try:
            addresses(self.region or "us1")
        except SetupError as error:
            raise ValueError(error.what) from None
        return self

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> "Anaplan":
        if self.auth != "certificate" and "certificate" in self.model_fields_set:
            raise ValueError(
                f"auth is {self.auth}, so nothing is done with `certificate`; delete it, or write auth: certificate"
            )
        if self.auth != "oauth_code" and self.redirect_port:
            raise ValueError(
                f"auth is {self.auth}, so nothing is done with `redirect_port`; delete it, or write auth: oauth_code"
            )
        if not self.credential and not self.certificate.private_key_file:
            raise ValueError("credential is missing: name the entry of the vault to log in with")
        return self

    @property
    def addresses(self) -> Addresses:
        """Where its services answer; "" for an own one that is not given."""
        if self.auth_url:
            return Addresses(self.auth_url, self.api_url, self.oauth_url, self.cloudworks_url)
        return addresses(self.region or "us1")

    @property
    def pool(self) -> str:
        """The Dagster pool of one: the same for every connection into this model, without white space."""
        spelled = f"anaplan_{self.workspace}_{self.model}"
        return "".join(letter if letter.isalnum() else "_" for letter in spelled).lower()


class Columns(Headers):
    """Those of actuals, in file order; company and currency, where the file has them, stand after the cost center."""

    company: str = ""
    currency: str = ""


class SpendColumns(Headers):
    """Those of AP spend; the vendor stands first in the file."""

    vendor: Text


class ReadBack(Setting):
    """How the plan's figures are read back: the export or saved view of that name."""

    by: Literal["export", "view", "cells", "large_read"]
    name: Text


Header = Literal["account", "cost_center", "vendor", "company", "currency", "period", "version", "amount"]


class Landing(Setting):
    """The import that takes a kind of figures, the export that reads them back, and where they stand in the model.

    export_columns: headers of the export that differ from those of the import, such as the name of the line item.
    """

    import_: str = Field("", alias="import")
    process: str = ""
    parameters: dict[Text, Text] = Field(default_factory=dict)
    export: str = ""
    export_columns: dict[Header, Text] = Field(default_factory=dict)
    period_label: PeriodLabel = "%b %y"
    version: Text = "Actual"
    adjustment_version: str = ""
    accept_shrunk: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _some_way_to_load(self) -> Self:
        if not self.import_ and not self.process:
            raise ValueError(
                "name the import that takes the figures under `import`, or the process that runs it under `process`"
            )
        for name, value in self.parameters.items():
            if set("{}") & set(value.replace("{period}", "").replace("{version}", "")):
                raise ValueError(f"parameters.{name} is {value!r}: only {{period}} and {{version}} can be filled in")
        return self

    @model_validator(mode="after")
    def _versions_apart(self) -> Self:
        if self.adjustment_version == self.version:
            raise ValueError("adjustment_version must differ from version, or one period would overwrite the other")
        return self


class SignProof(Setting):
    """waived: why the declared signs need not be proved on a closed period before the first load."""

    waived: Text


class Actuals(Landing):
    """The import that takes actuals, and the export (or another way under read_back) that reads them back."""

    read_back: ReadBack | None = None
    columns: Columns
    figures: Literal["periodic", "ytd"] = "periodic"
    signs: dict[Kind, Sign] = Field(default_factory=dict)
    sign_proof: SignProof | None = None

    @property
    def sign_of(self) -> dict[str, int]:
        """Kind of account -> -1 where planners see credits as positive."""
        return {str(kind): -1 if sign == "credit_positive" else 1 for kind, sign in self.signs.items()}

    @model_validator(mode="after")
    def _books_are_read_back(self) -> "Actuals":
        if (self.columns.company or self.columns.currency) and self.read_back and self.read_back.by != "export":
            raise ValueError(
                "columns.company and columns.currency are read back by an export only; name it under `export`"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_read_back(self) -> "Actuals":
        if not self.export and self.read_back is None:
            raise ValueError(
                "name the export that reads the figures back under `export`, or another way under `read_back`"
            )
        if self.export and self.read_back and (self.read_back.by, self.read_back.name) != ("export", self.export):
            raise ValueError("export and read_back contradict each other; give the one or the other")
        return self


class ApSpend(Landing):
    """The import that takes AP spend by vendor, account and cost center, and the export that reads it back."""

    export: Text
    columns: SpendColumns


class MappingRule(Setting):
    """How a code finds its list member: a pattern with {code}, and exceptions to it: a file (header code,member, and from where wanted), a property of
    the list that names each member's ERP codes, and what was accepted with `mlc map accept`.

    none: the member of figures that have no code at all, such as balance-sheet accounts without a cost center.
    """

    list: Text
    code: str = ""
    file: str = ""
    property: str = ""
    none: str = ""

    @model_validator(mode="after")
    def _some_rule(self) -> "MappingRule":
        if not self.code and not self.file and not self.property:
            raise ValueError(
                "give a pattern under `code`, a mapping file under `file`, a list property under `property`, or several of them"
            )
        if self.code and "{code}" not in self.code:
            raise ValueError(
                f"the pattern {self.code!r} does not contain {{code}}: every code would get the same member"
            )
        return self


class Watch(Setting):
    """How often the sensor asks the ERP what changed in periods that were loaded.

    again: when a period that was final, and then changed, is asked for again: at once, on the next business day of the close calendar at `at`, or only by
    a person. open_period: when the open period is, after a change: at the next moment of its own cadence, which the schedule of the close keeps, or at once.
    Other periods that are not final yet are always asked for at once.
    """

    every_minutes: int = Field(15, ge=1, le=1440)
    again: Literal["at_once", "next_business_day", "by_person"] = "at_once"
    open_period: Literal["at_cadence", "at_once"] = "at_cadence"
    at: Clock = "06:00"


class SuspenseMembers(Setting):
    account: Text
    cost_center: Text
    vendor: str = ""


class Mapping(Setting):
    accounts: MappingRule
    cost_centers: MappingRule
    vendors: MappingRule | None = None
    unmapped: Literal["stop"] | SuspenseMembers = "stop"
    same_person: bool = False
    """Whether an entry of the mapping desk may be accepted by the person who proposed it."""


class SyncedList(Setting):
    """An Anaplan list that follows the ERP: accounts, cost_centers, or the codes of a CSV file beside the connection file.

    columns: header of the import's file -> code, name, parent or a property. Patterns may name any field of the ERP's rows.
    """

    list: str = ""
    by: Literal["import", "items"]
    import_: str = Field("", alias="import")
    columns: dict[Text, Text] = Field(default_factory=dict)
    file: str = ""
    code: str = ""
    name: Text = "{name}"
    parent: str = ""
    properties: dict[Text, Text] = Field(default_factory=dict)
    keep: tuple[Literal["name", "parent", "properties"], ...] = ()
    mode: Literal["upsert"] = "upsert"

    @model_validator(mode="after")
    def _whole(self) -> "SyncedList":
        if (self.by == "import") != bool(self.import_) or (self.by == "import") != bool(self.columns):
            raise ValueError("by: import needs `import` and `columns`; by: items takes neither")
        if self.code and "{code}" not in self.code:
            raise ValueError(
                f"the pattern {self.code!r} does not contain {{code}}: every code would get the same member"
            )
        if taken := {"code", "name", "parent", "leaf"} & set(self.properties):
            raise ValueError(f"a property cannot be called {', '.join(sorted(taken))}")
        known = {"code", "name", "parent", *self.properties}
        if unknown := sorted(set(self.columns.values()) - known):
            raise ValueError(f"columns name {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        if self.columns and (lacking := sorted({"code", "name", *self.properties} - set(self.columns.values()))):
            raise ValueError(f"no column carries {', '.join(lacking)}")
        if self.parent and self.columns and "parent" not in self.columns.values():
            raise ValueError("a parent is declared, and no column carries it")
        return self


class Extract(Setting):
    """Any list of records of the ERP that is kept as a table: an entity, or an inquiry (a generic inquiry of Acumatica, a query of Epicor).

    Fields are named as the ERP names them; Details/Account is a field below an expanded one.
    """

    entity: str = ""
    inquiry: str = Field("", validation_alias=AliasChoices("inquiry", "query"))
    select: tuple[Text, ...] = ()
    expand: tuple[Text, ...] = ()
    filter: str = ""
    keys: Annotated[tuple[Text, ...], Field(min_length=1)]
    modified: str = ""
    by_period: str = ""
    period_format: Literal["MMYYYY", "YYYYMM"] = "MMYYYY"
    parameters: dict[Text, Text] = Field(default_factory=dict)
    whole_every_days: int = Field(7, ge=0, le=366)
    page: int = Field(200, ge=1, le=5000)

    @model_validator(mode="after")
    def _one_source(self) -> "Extract":
        if bool(self.entity) == bool(self.inquiry):
            raise ValueError("give either `entity` or `inquiry`")
        if self.parameters and not self.inquiry:
            raise ValueError("`parameters` belong to an inquiry")
        if self.inquiry and (self.expand or any("/" in name for name in self.select)):
            raise ValueError("an inquiry has rows without details: leave `expand` out")
        if self.entity and self.period_format != "MMYYYY":
            raise ValueError("entities show periods as MMYYYY; `period_format` is for inquiries")
        if deeper := [name for name in (*self.expand, *self.select) if name.count("/") > (name in self.select)]:
            raise ValueError(f"{deeper[0]} lies too deep: one level below the record is kept")
        if lost := [name for name in self.select if "/" in name and name.partition("/")[0] not in self.expand]:
            raise ValueError(f"{lost[0]} is selected, but {lost[0].partition('/')[0]} is not expanded")
        return self


class Connection(Setting):
    """One pair of systems."""

    erp: Erp
    anaplan: Anaplan
    calendar: Calendar
    actuals: Actuals
    mapping: Mapping
    ap_spend: ApSpend | None = None
    lists: dict[Text, SyncedList] = Field(default_factory=dict)
    watch: Watch | None = None
    close: Close | None = None
    notify: Notify | None = None
    extracts: dict[ExtractName, Extract] = Field(default_factory=dict)
    plans: dict[PlanName, Plan] = Field(default_factory=dict)
    owners: tuple[str, ...] = ("team:finance",)
    keep_months: int = Field(84, ge=12, le=1200)

    @model_validator(mode="after")
    def _adjustments_have_a_place(self) -> "Connection":
        if self.calendar.adjustment_period and not self.actuals.adjustment_version:
            raise ValueError(
                "calendar.adjustment_period is true: name the version that takes its figures under actuals.adjustment_version "
                "(they share the label of the year's last month, so the version keeps them apart)"
            )
        if self.calendar.adjustment_period and self.ap_spend and not self.ap_spend.adjustment_version:
            raise ValueError(
                "calendar.adjustment_period is true: name the version under ap_spend.adjustment_version as well"
            )
        return self

    @model_validator(mode="after")
    def _business_days_are_declared(self) -> "Connection":
        if self.watch and self.watch.again == "next_business_day" and self.close is None:
            raise ValueError("watch.again is next_business_day: declare `close`, which says what a business day is")
        return self

    @model_validator(mode="after")
    def _spend_has_vendors(self) -> "Connection":
        if bool(self.ap_spend) != bool(self.mapping.vendors):
            raise ValueError("ap_spend and mapping.vendors belong together; give both or neither")
        if self.ap_spend and not isinstance(self.erp, EpicorErp):
            raise ValueError("ap_spend is read from Epicor Kinetic; delete it")
        if self.ap_spend and self.mapping.unmapped != "stop" and not self.mapping.unmapped.vendor:
            raise ValueError("mapping.unmapped names suspense members: name one for vendors as well")
        return self

    @model_validator(mode="after")
    def _extracts_have_names_of_their_own(self) -> "Connection":
        of_plans = {step for plan in self.plans for step in PlanSteps.of(plan).all}
        if taken := sorted((ASSETS | of_plans) & set(self.extracts)):
            raise ValueError(
                f"extracts.{taken[0]}: this connection has another asset of that name; choose another name"
            )
        return self

    @model_validator(mode="after")
    def _plans_go_into_this_erp(self) -> "Connection":
        for name, plan in self.plans.items():
            if isinstance(plan.destination, OfEpicor) != isinstance(self.erp, EpicorErp):
                raise ValueError(
                    f"plans.{name}.destination is {plan.destination.kind}, which {self.erp.system} does not have"
                )
            if plan.version in {self.actuals.version, self.actuals.adjustment_version}:
                raise ValueError(
                    f"plans.{name}.version is {plan.version}, which takes actuals: a plan is another version"
                )
            if len({one.version for one in self.plans.values()}) < len(self.plans):
                raise ValueError("two plans have the same version; each needs one of its own")
        return self

    @model_validator(mode="after")
    def _lists_have_a_source(self) -> "Connection":
        mapped = {"accounts": self.mapping.accounts, "cost_centers": self.mapping.cost_centers}
        for source, one in self.lists.items():
            if source in mapped and one.file:
                raise ValueError(f"lists.{source} is read from the ERP and takes no `file`")
            if source not in mapped and not (one.file and one.list and one.code):
                raise ValueError(f"lists.{source} is neither accounts nor cost_centers: give `file`, `list` and `code`")
            if source in mapped and not (one.code or mapped[source].code):
                raise ValueError(f"lists.{source} needs a pattern under `code`: mapping.{source} has none")
        return self


class ConnectionFile(Setting):
    """The file as a whole; the shape a Dagster component could adopt."""

    type: Literal["mlc_pipelines.Connection"]
    attributes: Connection
