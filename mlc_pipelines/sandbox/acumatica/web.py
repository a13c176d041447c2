"""The site's paths: identity, sign-in, endpoint list, schema, entities.

Journals are only read here; a write to a stored entity answers 405 until the emulator can do it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.acumatica import reading, swagger
from mlc_pipelines.sandbox.acumatica.auth import COOKIES, SCOPES, SESSION_COOKIE, Auth
from mlc_pipelines.sandbox.acumatica.contract import ENTITIES, Entity
from mlc_pipelines.sandbox.acumatica.errors import HTML, JSON, RefusalError, as_json, bad_request, message, page
from mlc_pipelines.sandbox.acumatica.inquiries import Inquiries
from mlc_pipelines.sandbox.acumatica.query import Query
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import indented

Handler = Callable[[Request], Awaitable[Response]]

ALL_METHODS = ["GET", "PUT", "POST", "PATCH", "DELETE"]
WHOLE_BYTES = 262_144
"""An answer up to about this size is sent whole with Content-Length; a larger one in chunks."""


def routes(site: Site) -> list[BaseRoute]:
    """The paths of one site, all below its virtual directory."""
    web = _Web(site)
    entity = f"{site.prefix}/entity"
    default = f"{entity}/{{endpoint}}/{{version}}"
    table: list[tuple[str, Handler, list[str]]] = [
        (f"{site.prefix}/identity/.well-known/openid-configuration", web.discovery, ["GET"]),
        (f"{site.prefix}/identity/connect/token", web.token, ["POST"]),
        (f"{entity}/auth/login", web.login, ["POST"]),
        (f"{entity}/auth/logout", web.logout, ["POST"]),
        (entity, web.endpoints, ["GET"]),
        (f"{entity}/", web.endpoints, ["GET"]),
        (f"{default}/swagger.json", web.schema, ["GET"]),
        (f"{default}/{{entity}}", web.collection, ALL_METHODS),
        (f"{default}/{{entity}}/{{ids:path}}", web.one, ALL_METHODS),
        (f"{site.prefix}/{{rest:path}}", web.nothing, ALL_METHODS),
    ]
    return [Route(path, web.answering(handler), methods=methods) for path, handler, methods in table]


class _Web:
    """Handlers: each returns the success or raises RefusalError."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._auth = Auth(site)
        self._inquiries = Inquiries(site)

    def answering(self, handler: Handler) -> Handler:
        """The handler as an endpoint: a RefusalError becomes the answer."""

        async def endpoint(request: Request) -> Response:
            try:
                _require_length(request)
                return await handler(request)
            except RefusalError as refusal:
                body = refusal.body
                if refusal.content_type == JSON and body:
                    body = self._laid_out(body)
                return Response(body, refusal.status, media_type=refusal.content_type if body else None)

        return endpoint

    # -- identity and sign-in -----------------------------------------------------------------------------------------

    async def discovery(self, request: Request) -> Response:
        """The OpenID discovery document, as far as this identity server goes."""
        identity = f"{_origin(request)}{self._site.prefix}/identity"
        return self._json(
            {
                "issuer": identity,
                "token_endpoint": f"{identity}/connect/token",
                "scopes_supported": sorted(SCOPES),
                "grant_types_supported": ["password", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    async def token(self, request: Request) -> Response:
        """A token by password or refresh token. The form stands in the body, never in the query."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        response = self._json(self._auth.token(form))
        response.headers["Cache-Control"] = "no-store, no-cache"
        return response

    async def login(self, request: Request) -> Response:
        """Cookie sign-in: 204 and the cookies."""
        session = self._auth.login(await _json_body(request))
        response = Response(status_code=204)
        for name, value in self._auth.cookies(session):
            response.headers.append(name, value)
        return response

    async def logout(self, request: Request) -> Response:
        """Sign-out, by cookie or Bearer: 204 and the cookies cleared."""
        self._auth.logout(_bearer(request), request.cookies.get(SESSION_COOKIE))
        response = Response(status_code=204)
        for name in COOKIES:
            response.headers.append("set-cookie", f"{name}=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT")
        return response

    # -- endpoints ----------------------------------------------------------------------------------------------------

    async def endpoints(self, _: Request) -> Response:
        """What the site serves; no sign-in needed [S Basic_Get_List_of_Endpoints]."""
        home = f"{self._site.prefix}/entity/Default"
        versions = self._site.switches["versions"]
        return self._json(
            {
                "version": {"acumaticaBuildVersion": self._site.build, "databaseVersion": self._site.build},
                "endpoints": [{"name": "Default", "version": one, "href": f"{home}/{one}/"} for one in versions],
            }
        )

    async def schema(self, request: Request) -> Response:
        """The schema of one version; read without sign-in by clients in the field [C keboola/component-acumatica]."""
        version = self._version(request)
        return self._json(swagger.schema(version, f"{_origin(request)}{self._site.prefix}/entity/Default/{version}"))

    async def collection(self, request: Request) -> Response:
        """GET: a list. PUT: an inquiry."""
        entity, version = self._entity(request)
        query = Query.of(request.query_params)
        if request.method == "PUT" and entity.inquiry:
            ask = partial(self._inquiries.answer, entity, await _json_body(request), query)
            return self._sent(await run_in_threadpool(ask))
        _require_get(request)
        return self._sent(await run_in_threadpool(self._list, entity, query, version))

    def _list(self, entity: Entity, query: Query, version: str) -> Iterator[bytes]:
        rows = list(reading.listed(self._site, entity, query, version))
        return iter([b"[", *_joined(rows), b"]"])

    async def one(self, request: Request) -> Response:
        """GET: one record by its keys or its id."""
        entity, version = self._entity(request)
        _require_get(request)
        ids, query = request.path_params["ids"], Query.of(request.query_params)
        text = await run_in_threadpool(reading.single, self._site, entity, ids, query, version)
        return self._sent([text.encode()])

    async def nothing(self, request: Request) -> Response:
        """Any other path."""
        raise self._not_found(request)

    # -- what every call shares ---------------------------------------------------------------------------------------

    def _entity(self, request: Request) -> tuple[Entity, str]:
        """The entity and version that a signed-in caller names."""
        self._auth.session(_bearer(request), request.cookies.get(SESSION_COOKIE))
        version = self._version(request)
        entity = ENTITIES.get(request.path_params["entity"])
        if entity is None:
            raise self._not_found(request)
        return entity, version

    def _version(self, request: Request) -> str:
        version = str(request.path_params["version"])
        if request.path_params["endpoint"] != "Default" or version not in self._site.switches["versions"]:
            raise self._not_found(request)
        return version

    def _not_found(self, request: Request) -> RefusalError:
        kind = self._site.switches["unknown_version_body"]
        if kind == "html":
            return page(404, "404 - File or directory not found.")
        if kind == "empty":
            return RefusalError(404, "", HTML)
        return message(404, f"No HTTP resource was found that matches the request URI '{request.url}'.")

    def _json(self, value: Any) -> Response:
        return Response(self._laid_out(as_json(value)), media_type=JSON)

    def _laid_out(self, text: str) -> str:
        return indented(text) if self._site.switches["pretty_json"] else text

    def _sent(self, blocks: Iterable[bytes]) -> Response:
        """JSON in blocks: whole if small, in chunks if large."""
        if self._site.switches["pretty_json"]:
            blocks = [self._laid_out(b"".join(blocks).decode()).encode()]
        rest, first, size = iter(blocks), list[bytes](), 0
        for block in rest:
            first.append(block)
            size += len(block)
            if size > WHOLE_BYTES:
                return StreamingResponse(_chunks(b"".join(first), rest), media_type=JSON)
        return Response(b"".join(first), media_type=JSON)


async def _chunks(first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    for block in rest:
        yield block


def _joined(rows: list[str], size: int = 1000) -> Iterator[bytes]:
    for at in range(0, len(rows), size):
        yield ("," * bool(at) + ",".join(rows[at : at + size])).encode()


def _require_length(request: Request) -> None:
    """The web server in front wants Content-Length on every POST, even on an empty one [C Jetbuilt, acumatica-cli]."""
    told = "content-length" in request.headers or "transfer-encoding" in request.headers
    if request.method == "POST" and not told:
        raise page(411, "Length Required")


def _require_get(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise message(405, f"The requested resource does not support http method '{request.method}'.")


async def _json_body(request: Request) -> Any:
    body = await request.body()
    if not body.strip():
        raise bad_request("The request body should not be empty.")
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise bad_request("The request body is not valid JSON.") from error


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
