"""What a connection to Acumatica must say. Contradictions are refused when it is built."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.oauth import TokenKeeper
from mlc_pipelines.transport.secret import Secret

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """How a subaccount is built, and which of its segments (counted from 1) is the cost center.

    separator: what stands between segments ("010-000"), or "" where only the lengths tell ("010000").
    lengths: the length of each segment; may be left empty where a separator tells.
    """

    segment: int = 1
    separator: str = "-"
    lengths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.separator and not self.lengths:
            raise _wrong("subaccount", "has neither a separator nor the lengths of its segments")
        if self.segment < 1 or (self.lengths and self.segment > len(self.lengths)):
            raise _wrong("subaccount", f"names segment {self.segment}, which it does not have")
        if any(length < 1 for length in self.lengths):
            raise _wrong("subaccount", "has a segment of no length")

    def split(self, subaccount: str) -> list[str]:
        """The segments of a subaccount. Raises DataError when it does not have the declared shape."""
        parts = subaccount.split(self.separator) if self.separator else self._cut(subaccount)
        fits = tuple(map(len, parts)) == self.lengths if self.lengths else len(parts) >= self.segment and all(parts)
        if not fits:
            raise DataError(
                f"Subaccount {subaccount!r} does not have the declared shape ({self}).",
                next_step="Correct `erp.subaccount` in the connection file, or the subaccount in Acumatica (GL203000).",
            )
        return parts

    def cost_center(self, subaccount: str) -> str:
        return self.split(subaccount)[self.segment - 1]

    def stands_for_its_cost_center(self, subaccount: str) -> bool:
        """Whether all other segments are zeros: the description of such a subaccount names the cost center."""
        others = [part for number, part in enumerate(self.split(subaccount), start=1) if number != self.segment]
        return all(set(part) == {"0"} for part in others)

    def _cut(self, subaccount: str) -> list[str]:
        starts = [sum(self.lengths[:at]) for at in range(len(self.lengths))]
        parts = [subaccount[start : start + length] for start, length in zip(starts, self.lengths, strict=True)]
        return [*parts, rest] if (rest := subaccount[sum(self.lengths) :]) else parts

    def __str__(self) -> str:
        shape = self.separator.join("?" * length for length in self.lengths) or f"segments between {self.separator!r}"
        return f"{shape}, cost center in segment {self.segment}"


@dataclass(frozen=True, slots=True)
class BooksRule:
    """Which books are read: the Actual ledger of a company, of some of its branches only where they are named.

    calendar: "master" takes periods and statuses from the master calendar (GL201000), "company" from the company's own (GL201100).
    """

    company: str
    ledger: str
    branches: tuple[str, ...] = ()
    calendar: Literal["master", "company"] = "master"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """Where plans are written: a Statistical ledger (journals) or a Budget ledger (articles) of one company.

    branch: of the journals and their lines, or of the articles; may be left out where the company has one only.
    calendar: as in BooksRule. control_accounts: accounts that take no entry by hand (GL202500), which the endpoint does not tell.
    into_closed: closed periods take journals too, because the site does not restrict access to them or the user has the Financial
    Supervisor role [S UG GL503000]. Budgets are not concerned: only a locked period stops their release [C PX GLBudgetRelease].
    """

    company: str
    ledger: str
    branch: str = ""
    calendar: Literal["master", "company"] = "master"
    control_accounts: tuple[str, ...] = ()
    into_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AcumaticaConfig:
    """One company's ledger on one site, or those of several companies.

    url: the site with its virtual directory, "https://erp.example.com/Site".
    version: the pinned version of the endpoint; the site must list it. It need not equal the ERP release.
    subaccount: None says that the site has no subaccounts; all figures then belong to the cost center "".
    books: the companies and ledgers that are read; where none is named, the one of company and ledger.
    read: "journals" reads the posted lines, "balances" what the site itself adds up, by account and subaccount.
    balance_calls: how many calls one company's balances may take, one for each subaccount.
    lines_from: "inquiry" is one call per period; "transactions" reads the batches, for sites that hide or altered the inquiry.
    net_income_account: the YTD Net Income account of GL102000, which only repeats the profit-and-loss accounts and takes no
        posting; found by its figures where it is not declared.
    page_batches: how many batches are read with their lines in one call ("transactions").
    branch: the branch to work in, where the user's own default is not the right one; "" leaves it to the site.
    locale: language of a cookie sign-in; statuses are read by their English names. A token takes the user's own locale.
    companies: all companies that the tenant's ledgers belong to; where they are named, any other set is refused as another tenant.
    sessions: how many API sessions this installation may have open at the site at once.
    parallel: how many of these read one period side by side ("transactions").
    session_wait_seconds: how long to wait for a free one, here or on the licence.
    check_fields: hold the fields that are used against the endpoint's published contract before anything is read.
    odata_auth: how generic inquiries are signed in to: by the session's token, or by name and password; "" takes the token where there is one.
    """

    url: str
    tenant: str
    company: str
    ledger: str
    endpoint: str = "Default"
    version: str = "24.200.001"
    auth: Literal["oauth_password", "oauth_code", "cookie"] = "oauth_password"
    subaccount: SegmentRule | None = field(default_factory=SegmentRule)
    books: tuple[BooksRule, ...] = ()
    read: Literal["journals", "balances"] = "journals"
    balance_calls: int = 1000
    lines_from: Literal["inquiry", "transactions"] = "inquiry"
    net_income_account: str = ""
    page_batches: int = 100
    branch: str = ""
    locale: str = "en-US"
    companies: tuple[str, ...] = ()
    sessions: int = 1
    parallel: int = 1
    session_wait_seconds: float = 1800.0
    check_fields: bool = True
    odata_auth: Literal["", "bearer", "basic"] = ""
    limits: Limits = field(default_factory=Limits)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        site = urlsplit(self.url)
        if site.scheme not in {"http", "https"} or not site.hostname or site.query or site.fragment or site.username:
            raise _wrong("url", f"is {self.url.partition('?')[0]!r}; write it like https://erp.example.com/Site")
        if site.scheme == "http" and site.hostname not in _LOOPBACK:
            raise _wrong("url", "starts with http, which would send the password in the clear; write https")
        for name in ("tenant", "company", "ledger", "endpoint", "version"):
            if not getattr(self, name).strip():
                raise _wrong(name, "is empty")
        _require_one_of("auth", self.auth, ("oauth_password", "oauth_code", "cookie"))
        _require_one_of("odata_auth", self.odata_auth, ("", "bearer", "basic"))
        if self.odata_auth == "bearer" and self.auth == "cookie":
            raise _wrong("odata_auth", "is 'bearer', but a cookie sign-in has no token; write basic")
        if self.odata_auth == "basic" and self.auth == "oauth_code":
            raise _wrong("odata_auth", "is 'basic', but a log-in by a person leaves no password; write bearer")
        _require_one_of("read", self.read, ("journals", "balances"))
        _require_one_of("lines_from", self.lines_from, ("inquiry", "transactions"))
        for name in ("page_batches", "sessions", "parallel", "balance_calls"):
            if getattr(self, name) < 1:
                raise _wrong(name, f"is {getattr(self, name)}; it must be at least 1")
        self._require_sessions_to_share()
        if strange := [one.company for one in self.rules if self.companies and one.company not in self.companies]:
            raise _wrong("companies", f"does not name {', '.join(strange)}, which the connection reads")
        named = [one.company for one in self.rules]
        if twice := {name for name in named if named.count(name) > 1}:
            raise _wrong("books", f"names company {', '.join(sorted(twice))} twice")

    @property
    def rules(self) -> tuple[BooksRule, ...]:
        """The books that are read; at least one."""
        return self.books or (BooksRule(self.company, self.ledger),)

    def _require_sessions_to_share(self) -> None:
        if self.parallel == 1:
            return
        if self.parallel > self.sessions:
            raise _wrong("parallel", f"is {self.parallel}, but `erp.sessions` allows {self.sessions} at once")
        if self.lines_from != "transactions":
            raise _wrong("parallel", "needs `lines_from: transactions`; the inquiry is one answer to one question")
        if self.auth == "oauth_code":
            raise _wrong("parallel", "does not go with a log-in by a person: all its tokens share one session")

    @property
    def site(self) -> str:
        return self.url.rstrip("/")

    @property
    def system(self) -> str:
        """Its name in messages."""
        return f"Acumatica {self.tenant}"


@dataclass(frozen=True, slots=True)
class AcumaticaCredential:
    """The API user, and the connected application (SM303010) that signs it in. The cookie sign-in needs no application.

    name: of the credential, for messages; the user's name stays out of them. keeper: of the log-in that a person made ("oauth_code").
    """

    username: Secret
    password: Secret
    client_id: Secret = field(default_factory=lambda: Secret("", "client_id"))
    client_secret: Secret = field(default_factory=lambda: Secret("", "client_secret"))
    name: str = ""
    keeper: TokenKeeper | None = None


def _require_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise _wrong(name, f"is {value!r}; it can be {' or '.join(allowed)}")


def _wrong(name: str, complaint: str) -> SetupError:
    return SetupError(
        f"`erp.{name}` {complaint}.", holds="Nothing was called.", next_step="Correct it in the connection file."
    )
