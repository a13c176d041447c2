"""One emulated site over nine hand-made batches, asked over real HTTP on loopback."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from mlc_pipelines.sandbox.acumatica import Site, routes
from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.company import Books, Line, empty_company

START = datetime(2026, 3, 10, 9, tzinfo=UTC)
VERSION = "24.200.001"


def line(account: str, subaccount: str, debit: int, credit: int, branch: str = "HQ", text: str = "") -> Line:
    """One line; amounts in cents."""
    return Line(0, account, subaccount, branch, debit, credit, "R1" if text else "", text)


def both(debit: str, credit: str, cents: int, branch: str = "HQ") -> list[Line]:
    """Two lines that balance."""
    return [line(debit, "020-ADV", cents, 0, branch, "Counsel, Genève"), line(credit, "010-000", 0, cents, branch)]


def small_books() -> Books:
    """Nine batches: seven in the third period of FY2026, one of them statistical and three not posted."""
    books = empty_company()

    def post(period: str, status: str, lines: list[Line], day: int, **more: Any) -> None:
        branch, ledger, text = (more.pop(k, d) for k, d in (("branch", "HQ"), ("ledger", "ACTUAL"), ("text", "Fees")))
        books.post(ledger, period, branch, status, text, lines, now=datetime(2026, 1, day, 12, tzinfo=UTC), **more)

    post("FY2025-P12", "Posted", both("1210", "4010", 100_000), 1)
    post("FY2026-P03", "Posted", both("6500", "2010", 10_000), 2, text="Counsel's opinion")
    post("FY2026-P03", "Posted", both("0010", "4010", 1_005, "WEST"), 3, branch="WEST")
    post("FY2026-P03", "On Hold", [line("6500", "020-ADV", 700, 0)], 4)
    post("FY2026-P03", "Unposted", both("6500", "2010", 500), 5)
    post("FY2026-P03", "Balanced", both("6500", "2010", 300), 6)
    post("FY2026-P03", "Posted", both("6500", "2010", 1), 7, module="AP")
    post("FY2026-P03", "Posted", [line("6500", "020-ADV", 1_200, 0)], 8, ledger="STAT")
    post("FY2025-P13", "Posted", both("6500", "2010", 200), 9, text="")
    return books


@dataclass
class Rig:
    """A site, its clock, and a caller who signs in on the first call."""

    base: str
    site: Site
    clock: Clock
    http: httpx.Client
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def entity(self) -> str:
        """Where the entities of the usual version are."""
        return f"{self.base}/entity/Default/{VERSION}"

    def grant(self, **changes: str | None) -> httpx.Response:
        """Ask the token endpoint; by password with `api` unless changed, a field changed to None is left out."""
        form = {
            "grant_type": "password",
            "client_id": self.site.client_id,
            "client_secret": self.site.client_secret,
            "username": self.site.username,
            "password": self.site.password,
            "scope": "api",
        }
        sent = {key: value for key, value in (form | changes).items() if value is not None}
        return self.http.post(f"{self.base}/identity/connect/token", data=sent)

    def refresh(self, token: str) -> httpx.Response:
        """Ask for new tokens by refresh token."""
        left_out = dict.fromkeys(("username", "password", "scope"))
        return self.grant(grant_type="refresh_token", refresh_token=token, **left_out)

    def signed_in(self) -> dict[str, str]:
        """The headers of the caller."""
        if not self.headers:
            self.headers = {"Authorization": f"Bearer {self.grant().json()['access_token']}"}
        return self.headers

    @staticmethod
    def plain(row: dict[str, Any]) -> dict[str, Any]:
        """A record without its value objects; an empty field is None."""
        return {name: cell.get("value") for name, cell in row.items() if isinstance(cell, dict) and name != "custom"}

    def get(self, path: str, **params: Any) -> httpx.Response:
        """GET an entity; `expand="Details"` is sent as `$expand=Details`."""
        query = {f"${key}": value for key, value in params.items()}
        return self.http.get(f"{self.entity}/{path}", params=query, headers=self.signed_in())

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """GET a list that must succeed; amounts as Decimal."""
        response = self.get(path, **params)
        assert 200 == response.status_code, response.text
        return response.json(parse_float=Decimal)

    def ask(self, inquiry: str, expand: str = "Results", **values: Any) -> httpx.Response:
        """PUT an inquiry; the values are wrapped."""
        body = {name: {"value": value} for name, value in values.items()}
        params = {"$expand": expand} if expand else {}
        return self.http.put(f"{self.entity}/{inquiry}", params=params, json=body, headers=self.signed_in())

    def lines(self, **values: Any) -> list[dict[str, Any]]:
        """The lines of the third period of FY2026 in ACTUAL, unless asked otherwise; must succeed."""
        asked = {"FromPeriod": "032026", "ToPeriod": "032026", "Ledger": "ACTUAL"} | values
        response = self.ask("AccountDetailsForPeriodInquiry", **asked)
        assert 200 == response.status_code, response.text
        return response.json(parse_float=Decimal)["Results"]

    def balances(self, **values: Any) -> dict[str, dict[str, Any]]:
        """The balances of that period, plain values by account."""
        response = self.ask("AccountSummaryInquiry", **({"Period": "032026", "Ledger": "ACTUAL"} | values))
        assert 200 == response.status_code, response.text
        return {row["Account"]["value"]: self.plain(row) for row in response.json(parse_float=Decimal)["Results"]}


@pytest.fixture(scope="session")
def stage() -> Iterator[SimpleNamespace]:
    """One server for all tests; each test puts its own site on it."""
    stage = SimpleNamespace(app=None, url="")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await stage.app(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    stage.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield stage
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def rig(stage: SimpleNamespace) -> Iterator[Rig]:
    """A fresh site with the small books."""
    clock = Clock(START)
    site = Site(small_books(), clock)
    stage.app = Starlette(routes=routes(site))
    with httpx.Client(verify=False) as http:  # plain http: reading the certificates would only take time
        yield Rig(f"{stage.url}{site.prefix}", site, clock, http)
