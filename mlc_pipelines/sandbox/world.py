"""The sandbox's world behind its port: one company, its emulated systems, one clock, one log; and the way back to the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from mlc_pipelines.sandbox import acumatica, anaplan, epicor
from mlc_pipelines.sandbox.acumatica.push import Pusher
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.company import sample_company
from mlc_pipelines.sandbox.control import Control
from mlc_pipelines.sandbox.ironvale import Ironvale, sample_books
from mlc_pipelines.sandbox.traffic import Traffic, TrafficMiddleware

BRANCH, LEDGER, ENDPOINT, VERSION = "HQ", "ACTUAL", "Default", "24.200.001"


@dataclass(frozen=True, slots=True)
class Seed:
    """What the world begins with: see `company.sample_company`; `start` is the clock's first instant, else the real now."""

    seed: int = 2026
    scale: int = 1
    lines_in: tuple[str, int] | None = None
    start: datetime | None = None


class World:
    """Two companies and their systems. `clock`, `traffic`, `tenant` outlive a reset; `site`, `kinetic` and their books are new after one.

    The books behind `kinetic` are made when somebody first asks for them, and copied after a reset.
    """

    def __init__(self, seed: Seed) -> None:
        """Build the seeded world."""
        self.seed = seed
        self.url = ""
        self.ca_file: str | None = None
        self.clock = Clock(seed.start)
        self._ironvale: Ironvale | None = None
        self.site = self._site()
        self.kinetic = epicor.Kinetic(self._new_ironvale, self.clock)
        self.traffic = Traffic(self.clock, self.site.prefix, self.kinetic.prefix)
        self.tenant = anaplan.sample_tenant(self.site.books, self.clock)
        self._plan_routes = anaplan.routes(self.tenant, self.clock)  # they are many, and the tenant stays
        self._routed = self._app()
        self.app: ASGIApp = TrafficMiddleware(self._serve, self.traffic)

    @property
    def books(self) -> Books:
        """The books being served."""
        return self.site.books

    @property
    def pusher(self) -> Pusher:
        """Who sends the ERP's push notifications."""
        return self.site.pusher

    @property
    def info(self) -> dict[str, Any]:
        """Where everything is, and the made-up credentials."""
        return {
            "control_url": f"{self.url}/control",
            "ca_file": self.ca_file,
            "acumatica": {
                "url": f"{self.url}{self.site.prefix}",
                "tenant": self.site.tenant,
                "company": self.books.company,
                "branch": BRANCH,
                "ledger": LEDGER,
                "endpoint": ENDPOINT,
                "version": VERSION,
                "client_id": self.site.client_id,
                "client_secret": self.site.client_secret,
                "username": self.site.username,
                "password": self.site.password,
            },
            "epicor": self.kinetic.info(self.url),
            "anaplan": self.tenant.info(self.url),
            "anaplan_ironvale": anaplan.ironvale_info(self.tenant),
        }

    @property
    def switches(self) -> dict[str, Any]:
        """All switches, by system."""
        return {
            "acumatica": dict(self.site.switches),
            "epicor": dict(self.kinetic.switches),
            "anaplan": dict(self.tenant.switches),
        }

    def set_switches(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Set some switches, by system. Raises ValueError on a system or switch that does not exist."""
        setters = {
            "acumatica": self.site.set_switches,
            "epicor": self.kinetic.set_switches,
            "anaplan": self.tenant.set_switches,
        }
        if unknown := sorted(set(changes) - set(setters)):
            raise ValueError(f"no system {unknown}; there are {sorted(setters)}")
        for system, wanted in changes.items():
            setters[system](dict(wanted))

    def log(self) -> dict[str, Any]:
        """Open sessions of each ERP; actions, uploads and crossed uploads of the planning side."""
        sessions = {"sessions_open": self.site.sessions_open(), "epicor_sessions_open": self.kinetic.sessions_open()}
        return {**sessions, **self.tenant.log()}

    def reset(self) -> None:
        """Back to the seeded start: books, logins, files, cells, switches, faults, log, and the clock's pushes."""
        self.clock.reset()
        self.site = self._site()
        self.kinetic = epicor.Kinetic(self._new_ironvale, self.clock)
        self.tenant.reset()
        self._routed = self._app()
        self.traffic.clear()

    def _site(self) -> acumatica.Site:
        return acumatica.Site(sample_company(self.seed.seed, self.seed.scale, self.seed.lines_in), self.clock)

    def _new_ironvale(self) -> Ironvale:
        if self._ironvale is None:
            self._ironvale = sample_books(self.seed.seed, self.seed.scale, self.seed.lines_in)
        return self._ironvale.copy()

    def _app(self) -> Starlette:
        doors = [*Control(self).routes(), *epicor.control_routes(self.kinetic), *anaplan.control_routes(self.tenant)]
        doors += acumatica.book_routes(self.site)
        systems = [*acumatica.routes(self.site), *epicor.routes(self.kinetic)]
        return Starlette(routes=[*doors, *systems, *self._plan_routes])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whatever stands now answers: a reset may have put another application in place."""
        await self._routed(scope, receive, send)
