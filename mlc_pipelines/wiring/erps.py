"""What a connection file may say of its ERP; told apart by `system`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlc_pipelines.wiring.parts import Port, Setting, Text


class Subaccount(Setting):
    """How a subaccount is built, and which segment (counted from 1) is the cost center."""

    separator: str = "-"
    segment: int = Field(1, ge=1)
    lengths: tuple[int, ...] = ()


class Push(Setting):
    """Push notifications that the site sends to `mlc listen` (SM302000): the generic inquiry it watches, and how its rows tell the period.

    credential: vault entry whose field `header_value` is the secret that the site sends in the header.
    """

    credential: Text
    header: Annotated[str, Field(pattern=r"[A-Za-z0-9-]+")] = "X-MLC-Push"
    query: Text
    period_field: Text
    period_format: Literal["MMYYYY", "YYYYMM"] = "MMYYYY"


class CompanyBooks(Setting):
    """The Actual ledger of one company, of some of its branches only where they are named; calendar: whose periods count."""

    company: Text
    ledger: Text
    branches: tuple[Text, ...] = ()
    calendar: Literal["master", "company"] = "company"


class AcumaticaErp(Setting):
    """Acumatica Cloud ERP: one ledger of one company (company, ledger), or those of several companies (books)."""

    system: Literal["acumatica"]
    url: Text
    tenant: Text
    company: Text = ""
    ledger: Text = ""
    branches: tuple[Text, ...] = ()
    books: tuple[CompanyBooks, ...] = ()
    read: Literal["journals", "balances"] = "journals"
    balance_calls: int = Field(1000, ge=1, le=100_000)
    endpoint: Text = "Default"
    version: Text
    auth: Literal["oauth_password", "oauth_code", "cookie"] = "oauth_password"
    credential: Text
    redirect_port: Port = 0
    subaccount: Subaccount | None = Subaccount()
    lines_from: Literal["inquiry", "transactions"] = "inquiry"
    net_income_account: str = ""
    page_batches: int = Field(100, ge=1, le=1000)
    branch: str = ""
    locale: Text = "en-US"
    companies: tuple[Text, ...] = ()
    sessions: int = Field(1, ge=1, le=50)
    parallel: int = Field(1, ge=1, le=50)
    session_wait_minutes: float = Field(30, ge=0, le=1440)
    check_fields: bool = True
    odata_auth: Literal["", "bearer", "basic"] = ""
    push: Push | None = None
    ca_file: str | None = None

    @model_validator(mode="after")
    def _some_books(self) -> "AcumaticaErp":
        if self.books and (self.company or self.ledger or self.branches):
            raise ValueError(
                "books names the companies and ledgers; company, ledger and branches are for a connection of one company"
            )
        for name in ("company", "ledger"):
            if not self.books and not getattr(self, name):
                raise ValueError(f"{name} is missing; name it, or several companies with their ledgers under `books`")
        return self

    @property
    def proved_by(self) -> str:
        """Which way of reading decides the legs of the tie-out."""
        return self.read

    @property
    def said(self) -> str:
        """The books, for people."""
        return ", ".join(f"{book.company} ledger {book.ledger}" for book in self.every_book)

    @property
    def every_book(self) -> tuple[CompanyBooks, ...]:
        """The books that are read; at least one."""
        own = CompanyBooks.model_construct(
            company=self.company, ledger=self.ledger, branches=self.branches, calendar="master"
        )
        return self.books or (own,)

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> "AcumaticaErp":
        if self.auth != "oauth_code" and self.redirect_port:
            raise ValueError(
                f"auth is {self.auth}, so nothing is done with `redirect_port`; delete it, or write auth: oauth_code"
            )
        return self


class Baq(Setting):
    """A Business Activity Query that answers in place of an entity set: its name, its parameters, and which of its columns are ours.

    parameters: name -> value; {company}, {book}, {year}, {suffix}, {period} and {calendar} stand for the slice's own.
    columns: our field (the column of the entity set that it replaces) -> the query's column; those not named are looked for as Table_Field.
    """

    name: Text
    parameters: dict[Text, str] = Field(default_factory=dict)
    columns: dict[Text, Text] = Field(default_factory=dict)


class EpicorErp(Setting):
    """Epicor Kinetic: one book of one company. url: the whole tenant address with the instance, https://host/Instance.

    read: "auto" takes balances where the chart keeps the cost center in them, the journal lines where not; both are read and held against each other.
    baqs: queries that answer in place of the entity sets; "auto" takes those of the suggested names where the site has them.
    """

    system: Literal["epicor"]
    url: Text
    company: Text
    book: Text
    auth: Literal["basic", "token", "client_credentials"] = "basic"
    credential: Text
    identity_url: str = ""
    identity_form: dict[Text, Text] = Field(default_factory=dict)
    scope: Text = "epicor_erp"
    account_segment: int = Field(1, ge=1, le=20)
    cost_center_segment: int | None = Field(ge=1, le=20)
    read: Literal["auto", "balances", "journals"] = "auto"
    balance_type: Literal["D", "S"] = "D"
    fiscal_calendar: str = ""
    unbalanced: Literal["stop", "warn"] = "stop"
    payables_accounts: tuple[Text, ...] = ()
    page: int = Field(5000, ge=100, le=50_000)
    license: Literal["default", "web_service"] = "default"
    session: bool = True
    sessions: int = Field(1, ge=1, le=50)
    session_wait_minutes: float = Field(30, ge=0, le=1440)
    balance_wait_minutes: float = Field(5, ge=0, le=120)
    plant: str = ""
    baqs: Literal["auto"] | dict[Literal["lines", "balances", "ap_spend"], Baq] = Field(default_factory=dict)
    ca_file: str | None = None

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> "EpicorErp":
        if (self.auth == "client_credentials") != bool(self.identity_url):
            raise ValueError(
                "auth is client_credentials: give identity_url, the address of the identity provider's token endpoint"
                if not self.identity_url
                else f"auth is {self.auth}, so nothing is done with `identity_url`; delete it, or write auth: client_credentials"
            )
        if self.cost_center_segment == self.account_segment:
            raise ValueError("cost_center_segment and account_segment name the same segment of the account")
        return self

    @property
    def proved_by(self) -> str:
        """Lines and balances are both read, whichever the figures are taken from."""
        return "journals"

    @property
    def push(self) -> None:
        """Kinetic pushes nothing: it is polled."""
        return None

    @property
    def said(self) -> str:
        """The books, for people."""
        return f"{self.company} book {self.book}"


Erp = Annotated[AcumaticaErp | EpicorErp, Field(discriminator="system")]
