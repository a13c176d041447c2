"""The doors that every call of the integration API passes: login, model, state of the model, and its being busy.

Action calls (see, start and poll actions, read dumps) are answered at once; every other call into a model waits until
the model is free, at most `block_cap_seconds`, then 504. Reference: anaplan 7 [S].
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mlc_pipelines.sandbox.anaplan.logins import Token, User
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, error_response

OFFLINE = ("MAINTENANCE", "PRODUCTION_MAINTENANCE")
STATE_REFUSALS = {"ARCHIVED": 422, **dict.fromkeys(OFFLINE, 424)}
BUSY_CHECK_SECONDS = 0.005


@dataclass(slots=True)
class Call:
    """One call, after login: what a handler works from. `now` is the instant up to which the tenant is settled."""

    tenant: Tenant
    request: Request
    body: bytes
    token: Token
    now: datetime

    @property
    def user(self) -> User:
        """Who calls."""
        return self.token.user

    @property
    def switches(self) -> Switches:
        """The tenant's switches."""
        return self.tenant.switches

    @property
    def model(self) -> Model:
        """The model in the path, in the workspace in the path if there is one; letter case counts [S]."""
        path = self.request.path_params
        found = next((model for model in self.tenant.models() if model.id == path["m"]), None)
        if found is None or ("w" in path and self.tenant.workspace_of(found).id != path["w"]):
            raise RefusedError(404)
        return found

    def param(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        try:
            body = json.loads(self.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RefusedError(400, "The request body is not a JSON object")
        return body


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the routing table. `waits` for a busy model; `files` waits if a switch says so; `empty_when_hidden`
    is the answer to a role without access, where that is not 404. All but `unloaded` ones wake a closed model.
    """

    method: str
    path: str
    handler: Handler
    waits: bool = False
    files: bool = False
    outside: bool = False
    unloaded: bool = False
    empty_when_hidden: Handler | None = None

    def route(self, tenant: Tenant, path: str) -> Route:
        """A Starlette route for one form of the path."""

        async def answer(request: Request) -> Response:
            body = await request.body()
            try:
                await self._wait_for_model(tenant, request)
                with tenant.lock:
                    return self._answer(_opened(tenant, request, body))
            except RefusedError as refused:
                return error_response(refused, request.url.path, tenant.clock.now())

        return Route(path, answer, methods=[self.method])

    def _answer(self, call: Call) -> Response:
        if "m" in call.request.path_params and not self.outside:
            model = call.model
            if call.switches["no_access"]:
                if self.empty_when_hidden is None:
                    raise RefusedError(404)
                return self.empty_when_hidden(call)
            require_state(call, model)
        return self.handler(call)

    async def _wait_for_model(self, tenant: Tenant, request: Request) -> None:
        """Wake the model if it is closed, and stand in line behind the tasks that were there before this call."""
        if "m" not in request.path_params or self.outside or self.unloaded:
            return
        with tenant.lock:
            call = _opened(tenant, request, b"")
            model, queued = call.model, self.waits or (self.files and call.switches["file_calls_wait"])
            if call.switches["no_access"]:
                return
            require_state(call, model)
            model.wake(call.now)
            ahead = list(model.queue.waiting) if queued else []
            cap = tenant.switches["block_cap_seconds"]
        deadline, now = time.monotonic() + cap, call.now
        while not model.loaded(now) or any(task.ending is None for task in ahead):
            if time.monotonic() >= deadline:
                raise RefusedError(504)
            await asyncio.sleep(BUSY_CHECK_SECONDS)
            now = tenant.settle()


def _opened(tenant: Tenant, request: Request, body: bytes) -> Call:
    """The call, once its login is known; 401 otherwise."""
    now = tenant.settle()
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    token = tenant.logins.find(value.strip()) if scheme in ("AnaplanAuthToken", "Bearer") else None
    if token is None:
        raise RefusedError(401)
    return Call(tenant, request, body, token, now)


def require_state(call: Call, model: Model) -> None:
    """Refuse every call into a model that is stored away or offline. Reference: anaplan 7.3 [S]."""
    state = call.switches["model_state"]
    if state in OFFLINE and call.user.admin and call.switches["admins_enter_maintenance"]:
        return
    if state in STATE_REFUSALS:
        raise RefusedError(STATE_REFUSALS[state], f"Model {model.id} is {state.lower()}")


def require_unlocked(call: Call, model: Model) -> None:
    """Refuse a change of a locked model."""
    if call.switches["model_state"] == "LOCKED":
        raise RefusedError(423, f"Model {model.id} is locked")


def require_structure(call: Call) -> None:
    """Refuse a structural change of a deployed or locked model. Reference: anaplan 7.3 [S]."""
    model = call.model
    require_unlocked(call, model)
    if call.switches["model_state"] == "PRODUCTION":
        text = "The list is not production data and the model is in deployed mode"
        raise RefusedError(call.switches["deployed_refusal"], text)


def require_admin(call: Call) -> None:
    """Refuse whoever is no workspace administrator."""
    if not call.user.admin:
        raise RefusedError(403)
