"""The routing table of the emulated Anaplan.

Every model resource answers under /models/{m}/... and /workspaces/{w}/models/{m}/..., with or without a slash at the
end; what is not routed answers like a missing resource. Reference: anaplan 1.3, 1.5 [S].
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mlc_pipelines.sandbox.anaplan import (
    cellcalls,
    dimensioncalls,
    discovery,
    filecalls,
    listcalls,
    listwrites,
    metadata,
    readcalls,
    taskcalls,
    viewcalls,
)
from mlc_pipelines.sandbox.anaplan.auth import auth_routes
from mlc_pipelines.sandbox.anaplan.cloudworkscalls import cloudworks_routes, not_routed
from mlc_pipelines.sandbox.anaplan.limits import refusal
from mlc_pipelines.sandbox.anaplan.logins import Ticking
from mlc_pipelines.sandbox.anaplan.oauthcalls import oauth_routes
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, error_response

API_ROOT = "/2/0"
CLOUDWORKS_ROOT = "/cloudworks/2/0"
MODEL_FORMS = ("/models/{m}", "/workspaces/{w}/models/{m}")


def routes(tenant: Tenant, clock: Ticking) -> list[BaseRoute]:
    """The authentication host, OAuth, CloudWorks and the integration API, for one port."""
    return [
        *auth_routes(tenant),
        *oauth_routes(tenant),
        Mount(CLOUDWORKS_ROOT, app=_guarded(tenant, _cloudworks(tenant))),
        Mount(API_ROOT, app=_guarded(tenant, _integration_api(tenant, clock))),
    ]


def _cloudworks(tenant: Tenant) -> Starlette:
    return Starlette(routes=cloudworks_routes(tenant), exception_handlers={404: not_routed, 405: not_routed})


def _integration_api(tenant: Tenant, clock: Ticking) -> Starlette:
    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return error_response(RefusedError(status), request.url.path, clock.now())

    app = Starlette(routes=_table(tenant), exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False
    return app


def _table(tenant: Tenant) -> list[BaseRoute]:
    data = [listcalls, listwrites, dimensioncalls, viewcalls, cellcalls, readcalls]
    inner = [*discovery.STATUS_RULES, *metadata.RULES, *filecalls.RULES, *taskcalls.RULES]
    inner += [rule for room in data for rule in room.RULES]
    table: list[BaseRoute] = [rule.route(tenant, rule.path) for rule in discovery.OUTER_RULES]
    table += [rule.route(tenant, form + rule.path) for rule in inner for form in MODEL_FORMS]
    return [*table, _method_not_allowed(), *cloudworks_routes(tenant)]


def _method_not_allowed() -> Route:
    """GET /workspaces/{w}/models/{m} is known, but refused [S]."""

    async def refuse(_request: Request) -> Response:
        raise HTTPException(405)

    return Route(MODEL_FORMS[1], refuse, methods=["GET"])


def _guarded(tenant: Tenant, app: ASGIApp) -> ASGIApp:
    """Count the call against the tenant's limit, and take a slash at the end away."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        with tenant.lock:
            wait = tenant.bucket.take()
        if wait:
            refused = refusal(wait, scope["path"], tenant.clock.now(), tenant.switches["retry_after"])
            await refused(scope, receive, send)
        else:
            await app({**scope, "path": scope["path"].rstrip("/")}, receive, send)

    return guarded
