"""What a connection to Epicor Kinetic must say. Contradictions are refused when it is built."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SEGMENTS_MAX = 20
PLACEHOLDERS = ("company", "book", "calendar", "year", "suffix", "period", "from", "to", "since")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
# A parameter named like one of the query's own constants makes it return nothing [S EPG].
_CONSTANTS = {"currentcompany", "currentuserid", "userid", "plantid", "currentplant", "today", "now"}


@dataclass(frozen=True, slots=True)
class BaqRule:
    """A Business Activity Query that answers in place of an entity set.

    parameters: name -> value, in which {company}, {book}, {calendar}, {year}, {suffix} and {period} stand for the slice's own, {from} and {to}
        for its first and last day, and {since} for the row version from which on rows are wanted (0 at first).
    columns: our field (the column of the entity set that it replaces) -> the query's column; those not named are looked for as Table_Field.
    """

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise _wrong("baqs", f"names a query {self.name!r}; a name has letters, digits, _ and -")
        for parameter, value in self.parameters.items():
            if parameter.lower() in _CONSTANTS:
                raise _wrong("baqs", f"gives {self.name} a parameter {parameter}, which is a constant of every query")
            if strange := sorted(set(_PLACEHOLDER.findall(value)) - set(PLACEHOLDERS)):
                raise _wrong(
                    "baqs",
                    f"has {{{strange[0]}}} in parameter {parameter} of {self.name}; "
                    f"known are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}",
                )
        if "" in self.columns.values():
            raise _wrong("baqs", f"has an empty column name for {self.name}")

    def uses(self, placeholder: str) -> bool:
        return any(f"{{{placeholder}}}" in value for value in self.parameters.values())


@dataclass(frozen=True, slots=True)
class Baqs:
    """Which of the figures come from queries. None: from the entity sets; auto: from queries of the suggested names, where they are and serve."""

    lines: BaqRule | None = None
    balances: BaqRule | None = None
    ap_spend: BaqRule | None = None
    auto: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EpicorConfig:
    """One book of one company in one Kinetic instance.

    url: the instance with its address, "https://host/Instance".
    auth: "basic" sends user and password with each call; "token" exchanges them at the instance for tokens; "client_credentials" gets tokens
        from an identity provider at identity_url, with scope and the further form fields of identity_form.
    cost_center_segment: the segment of the account that is the cost center; None: there is none, all figures belong to the cost center "".
    read: "journals" reads posted lines, "balances" what Kinetic itself adds up, "auto" balances where the chart keeps the cost center in them.
    balance_type: "D" reads the detail balances (D and B), "S" the summaries (S and B); never both, which would count money twice.
    fiscal_calendar: of the periods; "" takes the book's own.
    unbalanced: what a journal whose lines do not add up to zero does: "stop" the reading, or "warn" in the report.
    payables_accounts: control accounts of accounts payable; where none is named they are found by the totals of the invoices.
    page: rows per call at most; fewer where the server does not manage so many in time.
    license: the kind of licence that is claimed. session: one session for the whole run instead of one licence claimed per call.
    sessions: how many sessions this installation may have open at once; session_wait_seconds: how long to wait for one, here or on the licence.
    slow_call_seconds: when every call takes so long, Kinetic has handed out a shared licence, which delays each by 20 s [S FOR-112214].
    balance_wait_seconds: how long to wait for lines that Kinetic has not added to its balances yet.
    revision_margin: so many row versions below the highest seen are looked at again: they are given out when a row is written, but
        become visible later [C SUG].
    check_fields: hold the columns that are used against what each service publishes, before anything is read.
    """

    url: str
    company: str
    book: str
    cost_center_segment: int | None
    account_segment: int = 1
    auth: Literal["basic", "token", "client_credentials"] = "basic"
    identity_url: str = ""
    scope: str = "epicor_erp"
    identity_form: Mapping[str, str] = field(default_factory=dict)
    read: Literal["auto", "balances", "journals"] = "auto"
    balance_type: Literal["D", "S"] = "D"
    fiscal_calendar: str = ""
    unbalanced: Literal["stop", "warn"] = "stop"
    payables_accounts: tuple[str, ...] = ()
    page: int = 5000
    license: Literal["default", "web_service"] = "default"
    session: bool = True
    sessions: int = 1
    session_wait_seconds: float = 1800.0
    plant: str = ""
    baqs: Baqs = field(default_factory=Baqs)
    slow_call_seconds: float = 18.0
    balance_wait_seconds: float = 300.0
    revision_margin: int = 1000
    check_fields: bool = True
    limits: Limits = field(default_factory=Limits)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        _require_address("url", self.url, "https://erp.example.com/Instance")
        for name in ("company", "book"):
            if not getattr(self, name).strip():
                raise _wrong(name, "is empty")
        for name, allowed in _CHOICES.items():
            _require_one_of(name, getattr(self, name), allowed)
        for name, least in (("page", 2), ("sessions", 1), ("revision_margin", 0)):
            if getattr(self, name) < least:
                raise _wrong(name, f"is {getattr(self, name)}; it must be at least {least}")
        self._require_one_way_to_sign_in()
        self._require_segments()

    def _require_one_way_to_sign_in(self) -> None:
        if self.auth == "client_credentials":
            if not self.identity_url:
                raise _wrong("identity_url", "is empty; with auth client_credentials it is where tokens come from")
            _require_address("identity_url", self.identity_url, "https://login.example.com/connect/token")
        elif self.identity_url or self.identity_form:
            name = "identity_url" if self.identity_url else "identity_form"
            raise _wrong(name, f"is given, but nothing is done with it when auth is {self.auth}")
        if taken := {"grant_type", "client_id", "client_secret", "scope"} & set(self.identity_form):
            raise _wrong("identity_form", f"has {sorted(taken)[0]}, which has a place of its own")
        if self.license != "default" and not self.session:
            raise _wrong("license", "is claimed for a session, but `erp.session` is false")

    def _require_segments(self) -> None:
        for name in ("account_segment", "cost_center_segment"):
            number = getattr(self, name)
            if number is not None and not 1 <= number <= _SEGMENTS_MAX:
                raise _wrong(name, f"is {number}; an account has segments 1 to {_SEGMENTS_MAX}")
        if self.cost_center_segment == self.account_segment:
            raise _wrong("cost_center_segment", "is the segment of the account itself")

    @property
    def site(self) -> str:
        return self.url.rstrip("/")

    @property
    def system(self) -> str:
        """Its name in messages."""
        return f"Epicor {self.company}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanJournalsRule:
    """Where plan journals go: a book set aside for plans, with a journal code of its own.

    read_books: tells further books that an inbound flow of this installation reads, beside the connection's own; a plan is never written into one. It is asked
        only where a plan is at hand, for it reads every connection file.
    control_accounts: accounts that take no plan beside those that Kinetic itself refuses: it does not tell which are control accounts.
    earliest_date: whether the company's earliest apply date holds for this book as well; no source tells [I].
    lines_per_update: 1 is what programs in the field do [C GLC1, GLC2]. Two calls are made for so many lines: 2 a line, or 2 for 50 lines; whether
        Kinetic takes several new lines at once is unproven, a site has to try. What it forgets or refuses of them is noticed while building.
    lines_at_once: above so many lines Kinetic decides whether posting needs a task [S SNO maxCountOfLines]. post_wait_seconds: how long to wait for it.
    agent, maintenance_program: who works off such a task, and the program's name that it wants; its name for postings is unknown, so it must be taken
        from the screen's network trace [I]. Without it the process is run directly.
    """

    book: str
    journal_code: str
    read_books: Callable[[], Sequence[str]] = tuple
    control_accounts: tuple[str, ...] = ()
    earliest_date: bool = True
    lines_per_update: int = 1
    description_width: int = 30
    lines_at_once: int = 500
    post_wait_seconds: float = 900.0
    post_poll_seconds: float = 5.0
    agent: str = "SystemTaskAgent"
    maintenance_program: str = ""

    def __post_init__(self) -> None:
        for name in ("book", "journal_code"):
            if not getattr(self, name).strip():
                raise _wrong_plan(f"names no {name.replace('_', ' ')}")
        for name in ("lines_per_update", "description_width", "lines_at_once"):
            if getattr(self, name) < 1:
                raise _wrong_plan(f"has {name} {getattr(self, name)}; it must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRule:
    """Which native budget figures a plan is written to. budget_code: "" for versions of Kinetic that have no budget codes."""

    book: str
    budget_code: str
    control_accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.book.strip():
            raise _wrong_plan("names no book")


@dataclass(frozen=True, slots=True)
class EpicorCredential:
    """The API key, which every call needs, and beside it the user or the client that signs in.

    name: of the credential, for messages; what is in it stays out of them.
    """

    api_key: Secret
    username: Secret = field(default_factory=lambda: Secret("", "username"))
    password: Secret = field(default_factory=lambda: Secret("", "password"))
    client_id: Secret = field(default_factory=lambda: Secret("", "client_id"))
    client_secret: Secret = field(default_factory=lambda: Secret("", "client_secret"))
    name: str = ""


def require_complete(config: EpicorConfig, credential: EpicorCredential) -> None:
    """Raises SetupError naming the part that is missing for the declared way to sign in."""
    needed = ["client_id", "client_secret"] if config.auth == "client_credentials" else ["username", "password"]
    for name in ("api_key", *needed):
        secret: Secret = getattr(credential, name)
        if secret.equals(""):
            why = (
                "version 2 of the REST API asks for a key with every call"
                if name == "api_key"
                else f"auth is {config.auth}"
            )
            raise SetupError(
                f"Credential {credential.name!r} has no {name}: {why}.",
                holds="Nothing was called.",
                next_step="Store the credential again with it.",
            )


_CHOICES: Mapping[str, Sequence[str]] = {
    "auth": ("basic", "token", "client_credentials"),
    "read": ("auto", "balances", "journals"),
    "balance_type": ("D", "S"),
    "unbalanced": ("stop", "warn"),
    "license": ("default", "web_service"),
}


def _require_address(name: str, address: str, example: str) -> None:
    site = urlsplit(address)
    if site.scheme not in {"http", "https"} or not site.hostname or site.query or site.fragment or site.username:
        raise _wrong(name, f"is {site.hostname or ''!r} in a form that is no plain address; write it like {example}")
    if site.scheme == "http" and site.hostname not in _LOOPBACK:
        raise _wrong(name, "starts with http, which would send the password in the clear; write https")


def _require_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise _wrong(name, f"is {value!r}; it can be {' or '.join(allowed)}")


def _wrong(name: str, complaint: str) -> SetupError:
    return SetupError(
        f"`erp.{name}` {complaint}.", holds="Nothing was called.", next_step="Correct it in the connection file."
    )


def _wrong_plan(complaint: str) -> SetupError:
    return SetupError(
        f"The destination of plans in the connection file {complaint}.",
        holds="Nothing was called.",
        next_step="Correct it in the connection file.",
    )
