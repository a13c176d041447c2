"""Control routes for tests: what the emulated tenant holds, and what to do to it. No part of Anaplan.

GET  /control/truth/cells              cells of the main line item that are not zero or were ever written
GET  /control/anaplan/log              actions, uploads, overlaps
GET  /control/anaplan/switches         all switches; POST changes some
POST /control/anaplan/foreign-task     {"seconds", "user"?, "kind"?, "model"?}: somebody else's task -> {"task"}
POST /control/anaplan/cell             {"account", "cost_center", "period", "version", "amount"}: an edit by hand
POST /control/anaplan/default-file     {"file", "text" or null}: the shared version behind the private ones
POST /control/anaplan/revoke-tokens    every login becomes invalid

A request that makes no sense is answered with 400 and the reason.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.anaplan.tenant import Tenant

Answer = Callable[[Request], Awaitable[Any]]


def control_routes(tenant: Tenant) -> list[BaseRoute]:
    """Routes below /control that concern Anaplan alone; `Tenant` has the same doors for tests in the same process."""
    door = _Door(tenant)
    table: list[tuple[str, str, Answer]] = [
        ("GET", "truth/cells", door.cells),
        ("GET", "anaplan/log", door.log),
        ("GET", "anaplan/switches", door.switches),
        ("POST", "anaplan/switches", door.set_switches),
        ("POST", "anaplan/foreign-task", door.foreign_task),
        ("POST", "anaplan/cell", door.edit_cell),
        ("POST", "anaplan/default-file", door.default_file),
        ("POST", "anaplan/revoke-tokens", door.revoke_tokens),
    ]
    return [Route(f"/control/{path}", _answering(answer), methods=[method]) for method, path, answer in table]


class _Door:
    """The handlers: each gives plain data, None for an answer without a body, or raises what is wrong."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def cells(self, request: Request) -> Any:
        return {"cells": self.tenant.truth_cells(request.query_params.get("model", ""))}

    async def log(self, _: Request) -> Any:
        return self.tenant.log()

    async def switches(self, _: Request) -> Any:
        return dict(self.tenant.switches)

    async def set_switches(self, request: Request) -> Any:
        return self.tenant.set_switches(await request.json())

    async def foreign_task(self, request: Request) -> Any:
        body = await request.json()
        seconds = float(body.pop("seconds"))
        return {"task": self.tenant.foreign_task(seconds, **body)}

    async def edit_cell(self, request: Request) -> None:
        body = await request.json()
        key = (body["account"], body["cost_center"], body["period"], body["version"])
        self.tenant.edit_cell(key, Decimal(body["amount"]), body.get("model", ""))

    async def default_file(self, request: Request) -> None:
        body = await request.json()
        content = None if body["text"] is None else str(body["text"]).encode()
        self.tenant.set_default_file(body["file"], content, body.get("model", ""))

    async def revoke_tokens(self, _: Request) -> None:
        self.tenant.revoke_tokens()


def _answering(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """A handler as an endpoint: data becomes JSON, nothing a 204, an objection a 400."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await answer(request)
        except KeyError as error:
            return JSONResponse({"error": f"missing or unknown: {error.args[0]}"}, 400)
        except (ValueError, TypeError, ArithmeticError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(status_code=204) if body is None else JSONResponse(body)

    return endpoint
