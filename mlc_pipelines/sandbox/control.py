"""The control door: what a test asks of the sandbox, or does to it. No part of any foreign system.

GET  /control/info                    where everything is, and the made-up credentials
GET  /control/truth/actuals           what is posted (?ledger=ACTUAL&period=FY2026-P03), by account, subaccount, branch
GET  /control/log                     requests, counts, open sessions, actions, and uploads that were crossed
GET  POST DELETE /control/faults      the fault script, see `faults`
POST /control/journals                book a batch; POST /control/recode: give a line another code
GET  POST /control/clock              the sandbox's now; {"advance": seconds}
GET  POST /control/switches           what the emulators can be told to do otherwise
GET  POST DELETE /control/push        destinations of the ERP's push notifications; POST /control/push/again: the failed ones
POST /control/reset                   back to the seeded start

The systems add their own, see `acumatica.bookdoor`, `epicor.control` and `anaplan.control`. A request that makes no sense is answered with 400 and the reason.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from mlc_pipelines.sandbox.acumatica.push import Destination, Pusher
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.door import Answer, answering, body, minor
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.sandbox.traffic import Traffic


class Controlled(Protocol):
    """What the door needs of the world behind it."""

    clock: Clock
    traffic: Traffic

    @property
    def books(self) -> Books:
        """The books being served."""
        ...

    @property
    def pusher(self) -> Pusher:
        """Who sends the ERP's push notifications."""
        ...

    @property
    def info(self) -> dict[str, Any]:
        """Addresses and credentials."""
        ...

    @property
    def switches(self) -> dict[str, Any]:
        """All switches, by system."""
        ...

    def set_switches(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Set some switches, by system."""
        ...

    def log(self) -> dict[str, Any]:
        """Open sessions, actions, uploads and overlaps."""
        ...

    def reset(self) -> None:
        """Back to the seeded start."""
        ...


class Control:
    """The handlers of one world; each gives plain data or raises what is wrong with the request."""

    def __init__(self, world: Controlled) -> None:
        """Open the door to a world."""
        self.world = world

    def routes(self) -> list[Route]:
        """The routes of the door."""
        table: list[tuple[str, str, Answer]] = [
            ("GET", "info", self.info),
            ("GET", "truth/actuals", self.truth),
            ("GET", "log", self.log),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.plant),
            ("DELETE", "faults", self.clear_faults),
            ("POST", "journals", self.post),
            ("POST", "recode", self.recode),
            ("GET", "clock", self.now),
            ("POST", "clock", self.advance),
            ("GET", "switches", self.switches),
            ("POST", "switches", self.switch),
            ("GET", "push", self.pushed),
            ("POST", "push", self.push_to),
            ("DELETE", "push", self.push_to_none),
            ("POST", "push/again", self.push_again),
            ("POST", "reset", self.reset),
        ]
        return [Route(f"/control/{path}", answering(answer), methods=[method]) for method, path, answer in table]

    async def info(self, _: Request) -> dict[str, Any]:
        """Where everything is."""
        return self.world.info

    async def truth(self, request: Request) -> dict[str, Any]:
        """What was posted to one ledger in one period, read from the books themselves."""
        books = self.world.books
        ledger, period = request.query_params.get("ledger", "ACTUAL"), request.query_params["period"]
        if ledger not in books.ledgers or period not in books.periods:
            raise ValueError(f"unknown ledger {ledger!r} or period {period!r}")
        rows = books.truth(ledger, period)
        return {
            "rows": [row._asdict() for row in rows],
            "debit_minor": sum(row.debit_minor for row in rows),
            "credit_minor": sum(row.credit_minor for row in rows),
            "lines": len(books.posted_lines(ledger, period)),
        }

    async def log(self, _: Request) -> dict[str, Any]:
        """What came over the wire, and what it led to."""
        traffic = self.world.traffic
        requests = [request.as_json() for request in traffic.requests]
        return {"requests": requests, "counts": traffic.counts(), **self.world.log()}

    async def faults(self, _: Request) -> dict[str, Any]:
        """The planted faults, and how often each has fired."""
        return {"faults": [fault.as_json() for fault in self.world.traffic.faults]}

    async def plant(self, request: Request) -> dict[str, Any]:
        """Plant a list of faults, all or none."""
        wishes = json.loads(await request.body())  # seconds and shares are no money
        if not isinstance(wishes, list):
            raise ValueError("the fault script is a list of faults")
        self.world.traffic.plant_all(wishes)
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> dict[str, Any]:
        """Take all faults away."""
        self.world.traffic.clear_faults()
        return await self.faults(request)

    async def post(self, request: Request) -> dict[str, Any]:
        """Book a batch, as somebody at the ERP's own screen would."""
        wish = await body(request)
        branch = wish.get("branch", "HQ")
        batch = self.world.books.post(
            wish.get("ledger", "ACTUAL"),
            wish["period"],
            branch,
            wish.get("status", "Posted"),
            wish.get("description", ""),
            [_line(line, branch) for line in wish["lines"]],
            now=self.world.clock.now(),
        )
        await run_in_threadpool(self.world.pusher.tell, batch, None)
        return {"batch": batch.number}

    async def recode(self, request: Request) -> dict[str, Any]:
        """Give one line of a batch another account or subaccount."""
        wish, now = await body(request), self.world.clock.now()
        account, subaccount = wish.get("account"), wish.get("subaccount")
        before = copy.deepcopy(self.world.books.batch(wish["batch"]))
        batch = self.world.books.recode(wish["batch"], wish["line"], account=account, subaccount=subaccount, now=now)
        await run_in_threadpool(self.world.pusher.tell, batch, before)
        return {"batch": batch.number, "modified_at": batch.modified_at.isoformat()}

    async def now(self, _: Request) -> dict[str, Any]:
        """What time it is here."""
        return {"now": self.world.clock.now().isoformat()}

    async def advance(self, request: Request) -> dict[str, Any]:
        """Push the clock."""
        wish = await body(request)
        return {"now": self.world.clock.advance(float(wish["advance"])).isoformat()}

    async def switches(self, _: Request) -> dict[str, Any]:
        """All switches, by system."""
        return self.world.switches

    async def switch(self, request: Request) -> dict[str, Any]:
        """Set some switches; the answer shows all."""
        self.world.set_switches(await body(request))
        return self.world.switches

    async def pushed(self, _: Request) -> dict[str, Any]:
        """Where push notifications go, which arrived, and which did not."""
        return self.world.pusher.log()

    async def push_to(self, request: Request) -> dict[str, Any]:
        """One more destination: an address, and the header that proves the sender."""
        wish = await body(request)
        self.world.pusher.destinations.append(Destination(wish["url"], wish["header"], wish["value"]))
        return self.world.pusher.log()

    async def push_to_none(self, _: Request) -> dict[str, Any]:
        """No destination any more."""
        self.world.pusher.destinations.clear()
        return self.world.pusher.log()

    async def push_again(self, _: Request) -> dict[str, Any]:
        """The failed notifications once more."""
        return {"tried": await run_in_threadpool(self.world.pusher.send_again), **self.world.pusher.log()}

    async def reset(self, _: Request) -> dict[str, Any]:
        """Back to the seeded start; the answer is the info."""
        self.world.reset()
        return self.world.info


def _line(wish: Mapping[str, Any], branch: str) -> Line:
    return Line(
        number=0,
        account=wish["account"],
        subaccount=wish["subaccount"],
        branch=wish.get("branch", branch),
        debit_minor=minor(wish.get("debit", "0")),
        credit_minor=minor(wish.get("credit", "0")),
        reference=wish.get("reference", ""),
        description=wish.get("description", ""),
    )
