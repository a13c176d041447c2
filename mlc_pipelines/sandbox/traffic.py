"""All that goes over the sandbox's wire: the log of requests, the counts, and the faults planted for a test."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.faults import Call, Fault, bring_about

SYSTEMS = ("acumatica", "epicor", "anaplan")
CONTROL = "/control/"


@dataclass(slots=True)
class Request:
    """One request as it came. `path` has its query, as sent; `status` is None while unanswered, or never answered."""

    n: int
    at: datetime
    system: str
    method: str
    path: str
    status: int | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The request as the control door shows it."""
        return {
            "n": self.n,
            "at": self.at.isoformat(),
            "system": self.system,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "fault": self.fault,
        }


@dataclass(slots=True)
class Traffic:
    """The log and the fault script of one sandbox; safe to use from the test's thread while the server runs.

    `acumatica_prefix` is the virtual directory, e.g. "/AcumaticaERP", and `epicor_prefix` the instance; everything else is Anaplan's.
    """

    clock: Clock
    acumatica_prefix: str
    epicor_prefix: str = "/Kinetic"
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plant(self, wish: Mapping[str, Any]) -> Fault:
        """Plant a fault, see `faults`; the planted one counts how often it fired. ValueError when it makes no sense."""
        return self.plant_all([wish])[0]

    def plant_all(self, wishes: Iterable[Mapping[str, Any]]) -> list[Fault]:
        """Plant all of them or, on a ValueError, none."""
        planted = [Fault.from_json(wish) for wish in wishes]
        with self._lock:
            self.faults += planted
        return planted

    def clear_faults(self) -> None:
        """Take all faults away."""
        with self._lock:
            self.faults.clear()

    def clear(self) -> None:
        """Forget requests and faults."""
        with self._lock:
            self.faults.clear()
            self.requests.clear()

    def counts(self) -> dict[str, int]:
        """How many requests each system got."""
        counted = Counter(request.system for request in self.requests)
        return {system: counted[system] for system in SYSTEMS}

    def note(self, method: str, path: str) -> Request:
        """Write a request into the log."""
        prefixes = {self.acumatica_prefix: "acumatica", self.epicor_prefix: "epicor"}
        system = next((name for prefix, name in prefixes.items() if path.startswith(prefix + "/")), "anaplan")
        with self._lock:
            request = Request(len(self.requests) + 1, self.clock.now(), system, method, path)
            self.requests.append(request)
        return request

    def fault_for(self, request: Request) -> Fault | None:
        """The first planted fault that claims the request; faults planted later do not see a claimed one."""
        with self._lock:
            return next((fault for fault in self.faults if fault.claims(f"{request.method} {request.path}")), None)


class TrafficMiddleware:
    """Stands around the whole application: notes each request and brings about the faults. Bodies pass unbuffered."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        """Watch the application's traffic."""
        self.app, self.traffic = app, traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event; the control door is neither noted nor disturbed."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
            return
        request = self.traffic.note(scope["method"], path_of(scope))
        fault = self.traffic.fault_for(request)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                date = format_datetime(self.traffic.clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
            await send(message)

        if fault is None:
            await self.app(scope, receive, noting)
        else:
            request.fault = fault.action["kind"]
            await bring_about(fault, Call(self.app, scope, receive, noting))


def path_of(scope: Scope) -> str:
    """Path and query as they came over the wire, percent signs and all."""
    path = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
