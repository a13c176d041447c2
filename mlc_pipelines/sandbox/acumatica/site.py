"""One emulated ERP site: its books, its one user and application, its switches, and who holds a session.

A *session* is one API seat of the licence. Reference: acumatica 1.1 to 1.4.
"""

import secrets
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar

from mlc_pipelines.sandbox import payables, second
from mlc_pipelines.sandbox.acumatica.push import Pusher
from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.company import Batch, Books

Item = TypeVar("Item")


class Switch(NamedTuple):
    """One thing that a test may change. `allowed` lists the values, or gives the type that a value must have."""

    default: Any
    allowed: tuple[Any, ...] | type
    meaning: str


SWITCHES: dict[str, Switch] = {
    "order": Switch("stable", ("stable", "scrambled"), "order of rows; no order is promised [S], scrambled: per call"),
    "post_period_format": Switch("MMYYYY", ("MMYYYY", "MM-YYYY"), "how periods are shown; seen indirectly only [C/I]"),
    "unknown_version_body": Switch("json", ("json", "html", "empty"), "body of a 404; the real one is unknown [I]"),
    "unauthorized_body": Switch("json", ("json", "empty"), "body of a 401; sometimes empty [C]"),
    "versions": Switch(
        ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"],
        list,
        "versions of the Default endpoint that the site serves",
    ),
    "max_sessions": Switch(None, int, "licence cap of open API sessions; null = none"),
    "login_limit_status": Switch(None, (None, 400, 429, 500), "status at that cap; unknown [I]; null = 400 / 500"),
    "token_seconds": Switch(3600, int, "life of an access token [S]"),
    "code_seconds": Switch(300, int, "life of an authorization code; unknown [I]"),
    "redirect_uris": Switch([], list, "registered redirect addresses; [] = every one on the loopback address"),
    "refresh_days": Switch(30, int, "life of a refresh chain [S]"),
    "rotate_refresh": Switch(True, bool, "a refresh gives a new refresh token and ends the old one [S that it may]"),
    "idle_seconds": Switch(600, int, "an unused session closes after this [S 10 minutes; others say 20]"),
    "tenant_map_stale": Switch(False, bool, "sign-ins by name land in the default tenant until a restart [C]"),
    "login_page": Switch(True, bool, "the sign-in page tells the tenant of a signed-in user [C]"),
    "entity_list": Switch(
        "object", ("object", "bare"), "GET /entity: with versions, or the bare list of old sites [C]"
    ),
    "custom_endpoints": Switch([], list, 'endpoints of the tenant, like "Planning/1.0"; only listed signed in [S]'),
    "swagger_form": Switch("by version", ("by version", "2.0", "3.0.1"), "form of the schema; follows the build [I]"),
    "removed": Switch([], list, 'what an upgrade removed: "Account/Type", "Ledger/Companies/Company", "Account"'),
    "closed_accepts": Switch(False, bool, "closed periods take postings: Restrict Access is off [S GL503000]"),
    "refusal_form": Switch("record", ("record", "nested"), "a 422: the record, or the record under `entity` [C both]"),
    "release_answer": Switch("202", ("202", "204", "204 with Location"), "answer to a release [C all three]"),
    "release_seconds": Switch(0, int, "how long a release takes by the site's clock, after a 202"),
    "approval_map": Switch(False, bool, "journals off hold wait for approval: Pending Approval [S UG GL301000]"),
    "budget_put": Switch(
        "stored", ("stored", "ignored"), "PUT of Budget stores, or is silently ignored [C ACU, other form]"
    ),
    "post_on_release": Switch(
        True, bool, "a released journal is posted at once; false: it is Unposted [S UG GL102000]"
    ),
    "description_max": Switch(512, int, "characters that the description of a journal keeps [S 512; I that it cuts]"),
    "line_rules": Switch(
        "none",
        ("none", "rounded", "balanced", "branch", "subaccount"),
        "what rules of the site's own make of the lines of a journal as it is stored [I]",
    ),
    "lists_behind": Switch(False, bool, "the first list of journals after a write does not show it yet [I]"),
    "filter_ignored": Switch(False, bool, "lists of journals do not heed $filter [I]"),
    "release_fails": Switch(False, bool, "releases fail at their end"),
    "token_after_signout": Switch("refused", ("refused", "reopens"), "use of a token that was signed out [I]"),
    "multi_tenant": Switch(True, bool, "an unknown tenant is refused; a single-tenant site takes any name [C]"),
    "ignore_case": Switch(True, bool, "texts in filters compare without case, as the usual collation does [I]"),
    "unexpanded": Switch("absent", ("absent", "empty"), "a detail that was not expanded: left out, or [] [C both]"),
    "calendar_rows": Switch(True, bool, "false: lists of periods answer [] as without a company context [C]"),
    "trial_balance_sign": Switch("Normal", ("Normal", "Reversed"), "signs of AccountSummaryInquiry [C PX]"),
    "second_company": Switch(None, (None, second.OWN, second.SHARED), "a second company, from then on; see `second`"),
    "summary_of_mask": Switch(
        "rows", ("rows", "summed"), "AccountSummaryInquiry of a subaccount mask: by pair [S], or [I]"
    ),
    "inquiry_hidden": Switch(None, (None, 403, 404), "status of AccountDetailsForPeriodInquiry; a site may hide it"),
    "inquiry_error_status": Switch(422, (422, 500), "status when a parameter of an inquiry is wrong [I]"),
    "results_key_order": Switch("after", ("after", "before"), "Results after or before the echoed parameters"),
    "extra_unknown_fields": Switch(False, bool, "each record carries a field that no contract names"),
    "pretty_json": Switch(False, bool, "answers are indented"),
    "drop_rows": Switch(0, int, "so many lines are missing from AccountDetailsForPeriodInquiry"),
    "repeat_rows": Switch(0, int, "so many lines stand in it twice"),
    "drop_batches": Switch(0, int, "so many batches are missing from lists of JournalTransaction"),
    "meanwhile": Switch(
        "nothing", ("nothing", "insert", "delete", "change"), "what others do to a record after each list of its kind"
    ),
    "meanwhile_times": Switch(1, int, "how often they do it"),
    "odata_page": Switch(0, int, "rows after which an OData answer goes on at a next link; 0 = never [S that it may]"),
    "odata_decimals": Switch("number", ("number", "text"), "decimals in OData: numbers, or texts as in the guide [S]"),
    "busy_every": Switch(
        0, int, "before every so-manyth list of journals of a period somebody works on one; 0 = never"
    ),
    "busy_deeds": Switch(
        ["insert", "insert beside", "change beside"],
        list,
        "what they do in turn: insert, change, move; in that period, or beside it",
    ),
    "push_twice": Switch(False, bool, "each push notification comes two times; delivery is at least once [S]"),
    "push_period": Switch(
        "MMYYYY", ("MMYYYY", "YYYYMM"), "how the watched inquiry shows periods, as its author chose [C]"
    ),
    "repeat_batches": Switch(0, int, "so many batches stand in them twice"),
}


ArticleKey = tuple[str, str, str, str, str]
"""Branch, ledger, year, account and subaccount of a budget article."""


@dataclass(frozen=True, slots=True)
class Article:
    """One line of a budget, in cents: its amount, how that is distributed over 13 periods, and what was released of it."""

    id: str
    description: str = ""
    amount_minor: int = 0
    periods: tuple[int, ...] = (0,) * 13
    released: tuple[int, ...] = (0,) * 13
    is_released: bool = False
    created_by: str = ""
    changed_by: str = ""


class SeatsTakenError(Exception):
    """The licence allows no further session."""


@dataclass(slots=True)
class Session:
    """One API seat. It closes at `ends_at`, or when it was unused for `idle_seconds`; None = that rule is not for it."""

    kind: str
    last_used: datetime
    ends_at: datetime | None
    idle_seconds: int | None
    tenant: str = ""
    branch: str = ""
    calls: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(12))

    def is_open(self, now: datetime) -> bool:
        """True while it holds its seat."""
        if self.ends_at is not None and now >= self.ends_at:
            return False
        return self.idle_seconds is None or now - self.last_used < timedelta(seconds=self.idle_seconds)


class Site:
    """The site as its administrator sees it. All attributes may be changed while it serves."""

    def __init__(self, books: Books, clock: Clock, directory: str = "AcumaticaERP") -> None:
        """Serve these books below /`directory` ("" for none)."""
        self.books = books
        self.clock = clock
        self.directory = directory
        self.tenant = "Meridian"
        self.default_tenant = "Company"
        self.client_id = f"{str(uuid.uuid5(uuid.NAMESPACE_URL, 'connected application')).upper()}@{self.tenant}"
        self.client_secret = "sandbox-application-secret"
        self.username = "integration"
        self.password = "sandbox-password"
        self.build = "25.200.0248"
        self.switches: dict[str, Any] = {}
        self.sessions: dict[str, Session] = {}
        self.sessions_most = 0
        self.lock = threading.RLock()
        self.busy_calls = 0
        self.worked_out: dict[tuple[Any, ...], tuple[Any, Any]] = {}
        self._shuffles = 0
        self.vendors = payables.sample_vendors(books)
        self.budgets: dict[ArticleKey, Article] = {}
        self.orders = payables.sample_orders(books)
        self.journals_before: list[Batch] | None = None
        self.reset_switches()
        self.pusher = Pusher(self.tenant, clock, self.switches)

    @property
    def prefix(self) -> str:
        """What every path of the site starts with: "/AcumaticaERP", or ""."""
        return f"/{self.directory}" if self.directory else ""

    # -- switches -----------------------------------------------------------------------------------------------------

    def reset_switches(self) -> None:
        """Every switch back to its default."""
        self.switches.update({name: _copied(switch.default) for name, switch in SWITCHES.items()})

    def set_switches(self, changes: Mapping[str, Any]) -> None:
        """Set some switches, all or none. Raises ValueError that names the switch and what it takes."""
        for name, value in changes.items():
            if name not in SWITCHES:
                raise ValueError(f"no switch {name!r}; there are {', '.join(SWITCHES)}")
            if not _fits(value, SWITCHES[name]):
                raise ValueError(f"switch {name} takes {SWITCHES[name].allowed}, not {value!r}")
        self.switches.update(changes)
        if self.switches["second_company"]:
            second.found(self.books, self.switches["second_company"])

    def ordered(self, rows: list[Item]) -> list[Item]:
        """The rows in the order of the switch: as they are, or in another order at each call."""
        if self.switches["order"] == "stable":
            return rows
        self._shuffles += 1
        return Random(self._shuffles).sample(rows, len(rows))

    def about_to_write(self) -> None:
        """A journal is about to be written: a list that is one write behind shows the journals as they are now."""
        if self.switches["lists_behind"]:
            self.journals_before = [replace(batch, lines=list(batch.lines)) for batch in self.books.batches]

    # -- sessions -----------------------------------------------------------------------------------------------------

    def sessions_open(self) -> int:
        """How many API seats are taken now."""
        with self.lock:
            now = self.clock.now()
            self.sessions = {key: session for key, session in self.sessions.items() if session.is_open(now)}
            return len(self.sessions)

    def seat(self, session: Session) -> Session:
        """Give a session its seat, or let it keep the one it has. Raises SeatsTakenError at the licence's cap."""
        with self.lock:
            taken = self.sessions_open()
            cap = self.switches["max_sessions"]
            if session.id not in self.sessions and cap is not None and taken >= cap:
                raise SeatsTakenError(f"{taken} of {cap} API sessions are open")
            session.last_used = self.clock.now()
            self.sessions[session.id] = session
            self.sessions_most = max(self.sessions_most, len(self.sessions))
            return session

    def find_session(self, session_id: str) -> Session | None:
        """The open session of this id, now used; None when there is none or it has closed."""
        with self.lock:
            self.sessions_open()
            session = self.sessions.get(session_id)
            if session is not None:
                session.last_used = self.clock.now()
            return session

    def close(self, session_id: str) -> None:
        """Free the seat of this session, if it holds one."""
        with self.lock:
            self.sessions.pop(session_id, None)

    def close_all(self) -> None:
        """Free every seat, as a restart of the site does."""
        with self.lock:
            self.sessions.clear()


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _fits(value: Any, switch: Switch) -> bool:
    if isinstance(switch.allowed, tuple):
        return any(value is one or (type(value) is type(one) and value == one) for one in switch.allowed)
    if value is None:
        return switch.default is None
    return type(value) is switch.allowed and not (isinstance(value, int) and value < 0)
