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

from mlc_pipelines.sandbox.anaplan import discovery, filecalls, metadata, taskcalls
from mlc_pipelines.sandbox.anaplan.auth import auth_routes
from mlc_pipelines.sandbox.anaplan.tenant import Tenant, Ticking
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, error_response

API_ROOT = "/2/0"
MODEL_FORMS = ("/models/{m}", "/workspaces/{w}/models/{m}")


def routes(tenant: Tenant, clock: Ticking) -> list[BaseRoute]:
    """The authentication host and the integration API, for one port."""
    return [*auth_routes(tenant), Mount(API_ROOT, app=_without_last_slash(_integration_api(tenant, clock)))]


def _integration_api(tenant: Tenant, clock: Ticking) -> Starlette:
    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return error_response(RefusedError(status), request.url.path, clock.now())

    app = Starlette(routes=_table(tenant), exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False
    return app


def _table(tenant: Tenant) -> list[BaseRoute]:
    inner = [*discovery.STATUS_RULES, *metadata.RULES, *filecalls.RULES, *taskcalls.RULES]
    table: list[BaseRoute] = [rule.route(tenant, rule.path) for rule in discovery.OUTER_RULES]
    table += [rule.route(tenant, form + rule.path) for rule in inner for form in MODEL_FORMS]
    return [*table, _method_not_allowed()]


def _method_not_allowed() -> Route:
    """GET /workspaces/{w}/models/{m} is known, but refused [S]."""

    async def refuse(_request: Request) -> Response:
        raise HTTPException(405)

    return Route(MODEL_FORMS[1], refuse, methods=["GET"])


def _without_last_slash(app: ASGIApp) -> ASGIApp:
    async def stripped(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": scope["path"].rstrip("/")}, receive, send)

    return stripped
