"""Control routes for tests: what the emulated tenant holds, and what to do to it. No part of Anaplan.

GET  /control/truth/cells              cells that are not zero or were ever written (?model=an id&module=a name)
GET  /control/truth/members?list=Accounts   the members of a list, with parents by code (&model=an id)
GET  /control/anaplan/log              actions, uploads, overlaps
GET  /control/anaplan/switches         all switches; POST changes some
POST /control/anaplan/foreign-task     {"seconds", "user"?, "kind"?, "action"?, "effect"?, "model"?}: somebody else's task -> {"task"}
POST /control/anaplan/cell             {"account", "cost_center", "period", "version", "amount" ("" leaves it blank), "model"?, "module"?}: an edit by hand
POST /control/anaplan/spread           {"account", "cost_center", "year" ("FY27"), "version", "amount", "model"?}: a year's figure over its periods
POST /control/anaplan/approve          {"plan", "by"?, "at"?, "revision"?, "only"? ("list" or "cells"), "model"?}: the next revision is approved
POST /control/anaplan/withdraw         {"plan", "only"?, "model"?}: a plan is a draft again
GET  /control/truth/approvals          what the approval of each plan says, in the list and in the cells (?model=an id)
POST /control/anaplan/member           {"list", "code", "name"?, "parent"? (a code), "properties"?, "remove"?: true}
POST /control/anaplan/default-file     {"file", "text" or null}: the shared version behind the private ones
POST /control/anaplan/revoke-tokens    {"refresh"?}: every login becomes invalid, with `refresh` every refresh token too
POST /control/anaplan/certificate      {"user"?, "days_from"?, "days"?, "registered"?} -> a certificate and its key
POST /control/anaplan/oauth-client     {"grant": "device" or "code", "rotating"?, "refresh_seconds"?} -> {"client_id", "client_secret"}
POST /control/anaplan/device           {"decision": "approve" or "deny", "user_code"?, "user"?} -> {"user_code", "decision"}
POST /control/anaplan/authorize        {"url", "user"?, "decision"?}: consent without a browser -> {"location"}
POST /control/anaplan/sleep            {"model"?}: the model is closed, the next call wakes it
POST /control/anaplan/action           {"kind", "name", "do": "remove", "recreate" or "rename", "to"?, "model"?} -> {"id"}
POST /control/anaplan/forget-task      {"task"}: it vanishes from polls and lists
POST /control/anaplan/integration      {"name", "type"?, "action"?, "schedule"?, "model"?} -> {"integration"}
POST /control/anaplan/integration-run  {"integration", "seconds", "trigger"?, "ends"?} -> {"run", "task"}
GET  /control/anaplan/rate             calls let through and refused, and the most within any 60 seconds

A request that makes no sense is answered with 400 and the reason.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.anaplan import mishaps, planner
from mlc_pipelines.sandbox.anaplan.oauth import BadRequestError
from mlc_pipelines.sandbox.anaplan.tenant import Tenant

Answer = Callable[[Request], Awaitable[Any]]


def control_routes(tenant: Tenant) -> list[BaseRoute]:
    """Routes below /control that concern Anaplan alone; `Tenant` has the same doors for tests in the same process."""
    door = _Door(tenant)
    table: list[tuple[str, str, Answer]] = [
        ("GET", "truth/cells", door.cells),
        ("GET", "truth/members", door.members),
        ("GET", "anaplan/log", door.log),
        ("GET", "anaplan/switches", door.switches),
        ("POST", "anaplan/switches", door.set_switches),
        ("POST", "anaplan/foreign-task", door.foreign_task),
        ("POST", "anaplan/cell", door.edit_cell),
        ("POST", "anaplan/member", door.edit_member),
        ("POST", "anaplan/spread", door.spread),
        ("POST", "anaplan/approve", door.approve),
        ("POST", "anaplan/withdraw", door.withdraw),
        ("GET", "truth/approvals", door.approvals),
        ("POST", "anaplan/default-file", door.default_file),
        ("POST", "anaplan/revoke-tokens", door.revoke_tokens),
        ("POST", "anaplan/certificate", door.certificate),
        ("POST", "anaplan/oauth-client", door.oauth_client),
        ("POST", "anaplan/device", door.device),
        ("POST", "anaplan/authorize", door.authorize),
        ("POST", "anaplan/sleep", door.sleep),
        ("POST", "anaplan/action", door.action),
        ("POST", "anaplan/forget-task", door.forget_task),
        ("POST", "anaplan/integration", door.integration),
        ("POST", "anaplan/integration-run", door.integration_run),
        ("GET", "anaplan/rate", door.rate),
    ]
    return [Route(f"/control/{path}", _answering(answer), methods=[method]) for method, path, answer in table]


class _Door:
    """The handlers: each gives plain data, None for an answer without a body, or raises what is wrong."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def cells(self, request: Request) -> Any:
        query = request.query_params
        return {"cells": self.tenant.truth_cells(query.get("model", ""), query.get("module", ""))}

    async def members(self, request: Request) -> Any:
        query = request.query_params
        return {"members": self.tenant.truth_members(query["list"], query.get("model", ""))}

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
        place = (body.get("model", ""), body.get("module", ""))
        key = tuple(body[field] for field in self.tenant.cell_fields(*place))
        amount = None if body["amount"] == "" else Decimal(body["amount"])
        self.tenant.edit_cell(key, amount, *place)

    async def spread(self, request: Request) -> None:
        body = await request.json()
        key = tuple(str(body[field]) for field in ("account", "cost_center", "year", "version"))
        planner.spread(self.tenant, key, Decimal(body["amount"]), body.get("model", ""))

    async def approve(self, request: Request) -> None:
        planner.approve(self.tenant, **await _wish(request))

    async def withdraw(self, request: Request) -> None:
        planner.withdraw(self.tenant, **await _wish(request))

    async def approvals(self, request: Request) -> Any:
        return {"approvals": planner.truth_approvals(self.tenant, request.query_params.get("model", ""))}

    async def edit_member(self, request: Request) -> None:
        body = await request.json()
        self.tenant.edit_member(body.pop("list"), body.pop("code"), **body)

    async def default_file(self, request: Request) -> None:
        body = await request.json()
        content = None if body["text"] is None else str(body["text"]).encode()
        self.tenant.set_default_file(body["file"], content, body.get("model", ""))

    async def revoke_tokens(self, request: Request) -> None:
        self.tenant.revoke_tokens(refresh=bool((await _wish(request)).get("refresh", False)))

    async def certificate(self, request: Request) -> Any:
        return asdict(mishaps.issue_certificate(self.tenant, **await _wish(request)))

    async def oauth_client(self, request: Request) -> Any:
        client = self.tenant.oauth.register(**await _wish(request))
        return {"client_id": client.id, "client_secret": client.secret}

    async def device(self, request: Request) -> Any:
        wish = await _wish(request)
        return {"user_code": mishaps.decide_device(self.tenant, **wish), "decision": wish["decision"]}

    async def authorize(self, request: Request) -> Any:
        try:
            return {"location": mishaps.authorize(self.tenant, **await _wish(request))}
        except BadRequestError as refused:
            raise ValueError(str(refused)) from refused

    async def sleep(self, request: Request) -> None:
        mishaps.sleep(self.tenant, **await _wish(request))

    async def action(self, request: Request) -> Any:
        return {"id": mishaps.change_action(self.tenant, **await _wish(request))}

    async def forget_task(self, request: Request) -> None:
        mishaps.forget_task(self.tenant, **await _wish(request))

    async def integration(self, request: Request) -> Any:
        wish = await _wish(request)
        model = wish.pop("model", "")
        return {"integration": mishaps.add_integration(self.tenant, wish, model)}

    async def integration_run(self, request: Request) -> Any:
        run, task = mishaps.run_integration(self.tenant, **await _wish(request))
        return {"run": run, "task": task}

    async def rate(self, _: Request) -> Any:
        with self.tenant.lock:
            return self.tenant.bucket.report()


async def _wish(request: Request) -> dict[str, Any]:
    """The JSON body, empty without one."""
    body = await request.body()
    return dict(json.loads(body)) if body else {}


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
