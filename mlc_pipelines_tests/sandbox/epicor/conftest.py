"""One emulated instance over a handful of journals and invoices, asked over real HTTP on loopback."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.epicor import Kinetic, control_routes, routes
from mlc_pipelines.sandbox.ironvale import Ironvale, Line, empty_books
from mlc_pipelines.sandbox.ironvale.shapes import Vendor

START = datetime(2026, 3, 10, 9, tzinfo=UTC)


def both(debit: str, credit: str, minor: int, dept: str = "110", plant: str = "MF") -> list[Line]:
    """Two lines that balance."""
    return [Line(debit, dept, plant, minor, 0), Line(credit, "", "", 0, minor)]


def small_books() -> Ironvale:
    """Six journals in MAIN, five of them in the third period of FY2026 and one of those not posted; one in PLAN."""
    books = empty_books()

    def post(period: str, lines: list[Line], book: str = "MAIN", **more: Any) -> None:
        books.post(book, period, lines, now=datetime(2026, 1, 5, 12, tzinfo=UTC), **more)

    expense, other, bank = codes(books)
    post("FY2026-P02", both(expense, bank, 100_000), description="Before")
    post("FY2026-P03", both(expense, bank, 10_005), description="O'Brien's retainer")
    post("FY2026-P03", both(expense, bank, 1, "120"))
    post("FY2026-P03", both(other, bank, 250_000, "120", "NO"), group="B26AB01", comment="mlc:1:abc")
    post("FY2026-P03", both(other, bank, 7_700), posted=False)
    post("FY2026-P03", both(expense, bank, 3_300), code="AP", source="AP")
    post("FY2026-P03", both(expense, bank, 99), book="PLAN", code="BU")
    return books


def codes(books: Ironvale) -> tuple[str, str, str]:
    """Two accounts of expenses and one of the balance sheet."""
    income = [code for code in books.values[1] if books.is_income(code) and not books.values[1][code].unit]
    sheet = [code for code in books.values[1] if not books.is_income(code)]
    return income[-2], income[-1], sheet[0]


@dataclass
class Rig:
    """An instance, its clock, and a caller with key and password."""

    base: str
    site: Kinetic
    clock: Clock
    http: httpx.Client

    @property
    def headers(self) -> dict[str, str]:
        """Those of the caller, the login left out."""
        return {"x-api-key": self.site.api_key, "Accept": "application/json"}

    @property
    def login(self) -> tuple[str, str]:
        """Name and password."""
        return self.site.username, self.site.password

    def ask(self, path: str, company: str = "IVM", **params: Any) -> httpx.Response:
        """GET below the company: `select="A,B"` is sent as `$select`, `_Name="x"` as Name. Blanks go as %20."""
        names = {key: key[1:] if key.startswith("_") else f"${key}" for key in params}
        query = "&".join(f"{names[key]}={quote(str(value), safe='')}" for key, value in params.items())
        url = f"{self.base}/api/v2/odata/{company}/{path}" + (f"?{query}" if query else "")
        return self.http.get(url, headers=self.headers, auth=self.login)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of a list that must succeed; amounts as Decimal."""
        response = self.ask(path, **params)
        assert 200 == response.status_code, response.text
        return response.json(parse_float=Decimal)["value"]

    def call(self, path: str, company: str = "IVM", **given: Any) -> httpx.Response:
        """POST to a method."""
        url = f"{self.base}/api/v2/odata/{company}/{path}"
        return self.http.post(url, json=given, headers=self.headers, auth=self.login)

    def vendor(self, code: str = "ACME") -> str:
        """A vendor of this id, made now."""
        books = self.site.books
        number = 1 + len(books.vendors)
        books.vendors["IVM", number] = Vendor("IVM", number, code, "Acme Supply", rev=books.next_revs())
        return code

    def expense(self) -> str:
        """An account of expenses."""
        return codes(self.site.books)[0]

    def switch(self, **changes: Any) -> None:
        """Set switches."""
        self.site.set_switches(changes)


@pytest.fixture(scope="session")
def stage() -> Iterator[SimpleNamespace]:
    """One server for all tests; each test puts its own instance on it."""
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


@pytest.fixture(scope="session")
def seeded() -> Ironvale:
    """The small books, to be copied."""
    return small_books()


@pytest.fixture
def rig(stage: SimpleNamespace, seeded: Ironvale) -> Iterator[Rig]:
    """A fresh instance with the small books."""
    clock = Clock(START)
    site = Kinetic(seeded.copy, clock)
    stage.app = Starlette(routes=[*control_routes(site), *routes(site)])
    with httpx.Client(verify=False) as http:  # plain http: reading the certificates would only take time
        yield Rig(f"{stage.url}{site.prefix}", site, clock, http)


class Clerk:
    """Somebody who enters journals by the methods, the whole dataset sent on from call to call."""

    def __init__(self, rig: Rig) -> None:
        """At this instance."""
        self.rig = rig

    def do(self, service: str, method: str, **given: Any) -> httpx.Response:
        """POST to a method of Erp.BO.<service>Svc."""
        return self.rig.call(f"Erp.BO.{service}Svc/{method}", **given)

    def ds(self, service: str, method: str, **given: Any) -> dict[str, Any]:
        """The dataset that a call that must succeed leaves."""
        answer = self.do(service, method, **given)
        assert 200 == answer.status_code, answer.text
        return answer.json()["parameters"]["ds"]

    def draft_group(self, code: str = "G1", book: str = "PLAN", day: str = "2026-03-09", journal: str = "BU") -> Any:
        """The dataset of a new group before its Update."""
        ds = self.ds("GLJrnGrp", "GetNewGLJrnGrp", ds={"GLJrnGrp": []})
        ds["GLJrnGrp"][-1] |= {"GroupID": code, "JournalCode": journal}
        ds = self.ds("GLJrnGrp", "ChangeEntryMode", proposedBookMode="S", ds=ds)
        ds = self.ds("GLJrnGrp", "ChangeBookID", proposeBookID=book, ds=ds)
        return self.ds("GLJrnGrp", "CheckFiscalYear", ds=ds, cGroupID=code, cJEDate=day)

    def group(self, code: str = "G1", **about: str) -> dict[str, Any]:
        """A group that is stored."""
        return self.ds("GLJrnGrp", "Update", ds=self.draft_group(code, **about))["GLJrnGrp"][0]

    def header(self, code: str = "G1", comment: str = "mlc:1:abc") -> dict[str, Any]:
        """The dataset of a journal that is stored, without lines."""
        ds = self.ds("GLJournalEntry", "GetNewGlJrnHedTran", ds={}, GroupID=code)
        ds["GLJrnHed"][-1] |= {"Description": "Plan", "CommentText": comment}
        return self.ds("GLJournalEntry", "Update", ds=ds)

    def fresh_line(self, ds: dict[str, Any], account: str, debit: str = "0", credit: str = "0") -> dict[str, Any]:
        """The dataset with one more line, not stored."""
        head = ds["GLJrnHed"][0]
        key = {"bookID": head["BookID"], "fiscalYear": head["FiscalYear"], "journalCode": head["JournalCode"]}
        key |= {"fiscalYearSuffix": head["FiscalYearSuffix"], "journalNum": head["JournalNum"], "journalLine": 0}
        ds = self.ds("GLJournalEntry", "GetNewGLJrnDtlMnl", ds=ds, **key)
        ds["GLJrnDtlMnl"][-1] |= {"GLAccount": account, "TotDebit": debit, "TotCredit": credit}
        return ds

    def line(self, ds: dict[str, Any], account: str, debit: str = "0", credit: str = "0") -> dict[str, Any]:
        """The dataset after one more line was stored."""
        return self.ds("GLJournalEntry", "Update", ds=self.fresh_line(ds, account, debit, credit))

    def journal(self, code: str = "G1", debit: str = "10.05", credit: str = "10.05", **about: str) -> dict[str, Any]:
        """A group with one journal of two lines, stored."""
        if not self.rig.site.books.kept.get("GLJrnGrp", {}).get(("IVM", code)):
            self.group(code, **about)
        expense, _, bank = codes(self.rig.site.books)
        ds = self.line(self.header(code), f"{expense}|110|MF", debit=debit)
        return self.line(ds, bank, credit=credit)

    def post(self, code: str = "G1") -> str:
        """Post a group: what the answer says was not posted."""
        answer = self.do("GLJrnGrp", "PostGroupJournals", postGroupID=code)
        assert 200 == answer.status_code, answer.text
        return answer.json()["parameters"]["NotAllPostedMessage"]

    def refusal(self, service: str, method: str, **given: Any) -> tuple[int, str]:
        """Status and text of a call that must be refused."""
        answer = self.do(service, method, **given)
        return answer.status_code, answer.json().get("ErrorMessage", "")


@pytest.fixture
def clerk(rig: Rig) -> Clerk:
    """Somebody who enters journals."""
    return Clerk(rig)


@pytest.fixture
def door(rig: Rig, stage: SimpleNamespace) -> Iterator[httpx.Client]:
    """The tests' own door to the books."""
    with httpx.Client(base_url=f"{stage.url}/control", verify=False) as client:
        yield client
