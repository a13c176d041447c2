"""The site's paths: identity, sign-in, endpoint list, schema, entities, actions.

Journals are written by PUT, deleted by DELETE and released by their action; articles of a budget are written by PUT. A write to any other stored entity answers 405.
"""

import base64
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.acumatica import budgets, feeds, odata, reading, swagger, writing
from mlc_pipelines.sandbox.acumatica.auth import COOKIES, SCOPES, SESSION_COOKIE, Auth
from mlc_pipelines.sandbox.acumatica.contract import Entity, without
from mlc_pipelines.sandbox.acumatica.errors import (
    HTML,
    JSON,
    RefusalError,
    as_json,
    bad_request,
    failure,
    message,
    page,
)
from mlc_pipelines.sandbox.acumatica.inquiries import Inquiries
from mlc_pipelines.sandbox.acumatica.operations import Operations
from mlc_pipelines.sandbox.acumatica.query import Query
from mlc_pipelines.sandbox.acumatica.site import Session, Site
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
        (f"{site.prefix}/identity/connect/authorize", web.authorize, ["GET", "POST"]),
        (f"{site.prefix}/identity/connect/token", web.token, ["POST"]),
        (f"{site.prefix}/Frames/Login.aspx", web.login_page, ["GET"]),
        (f"{entity}/auth/login", web.login, ["POST"]),
        (f"{entity}/auth/logout", web.logout, ["POST"]),
        (entity, web.endpoints, ["GET"]),
        (f"{entity}/", web.endpoints, ["GET"]),
        (f"{default}/swagger.json", web.schema, ["GET"]),
        (f"{default}/{{entity}}", web.collection, ALL_METHODS),
        (f"{default}/{{entity}}/{{ids:path}}", web.one, ALL_METHODS),
        *((f"{site.prefix}/t/{{tenant}}/api/odata/gi{end}", web.inquiries, ["GET"]) for end in ("", "/{call:path}")),
        *((f"{site.prefix}/odata/{{tenant}}{end}", web.old_inquiries, ["GET"]) for end in ("", "/{call:path}")),
        (f"{site.prefix}/{{rest:path}}", web.nothing, ALL_METHODS),
    ]
    return [Route(path, web.answering(handler), methods=methods) for path, handler, methods in table]


class _Web:
    """Handlers: each returns the success or raises RefusalError."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._auth = Auth(site)
        self._inquiries = Inquiries(site)
        self._operations = Operations(site)

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
                "authorization_endpoint": f"{identity}/connect/authorize",
                "token_endpoint": f"{identity}/connect/token",
                "scopes_supported": sorted(SCOPES),
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "password", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        """The sign-in page of the authorization-code flow; its answer redirects the browser."""
        query = dict(request.query_params)
        if request.method == "GET":
            return Response(self._auth.codes.sign_in_page(query), media_type=HTML)
        location = self._auth.codes.decide(query, await _form(request))
        return Response(status_code=302, headers={"Location": location})

    async def token(self, request: Request) -> Response:
        """A token by password, code or refresh token. The form stands in the body, never in the query."""
        response = self._json(self._auth.token(await _form(request)))
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

    async def login_page(self, request: Request) -> Response:
        """The sign-in page, which tells a signed-in user's tenant [C acumatica-cli]."""
        if not self._site.switches["login_page"]:
            raise self._not_found(request)
        session = self._signed_in(request)
        tenant = session.tenant if session else ""
        field = f'<input type="hidden" name="txtSingleCompany" id="txtSingleCompany" value="{escape(tenant)}" />'
        return Response(f"<!DOCTYPE html><html><body><form>{field}</form></body></html>", media_type=HTML)

    async def endpoints(self, request: Request) -> Response:
        """What the site serves: without sign-in its system endpoints, signed in the tenant's own as well [S Get_List_of_Endpoints]."""
        listed = [("Default", version) for version in self._site.switches["versions"]]
        if self._signed_in(request):
            listed += [tuple(one.split("/")) for one in self._site.switches["custom_endpoints"]]
        home = f"{self._site.prefix}/entity"
        endpoints = [{"name": name, "version": one, "href": f"{home}/{name}/{one}/"} for name, one in listed]
        if self._site.switches["entity_list"] == "bare":
            return self._json(endpoints)
        build = {"acumaticaBuildVersion": self._site.build, "databaseVersion": self._site.build}
        return self._json({"version": build, "endpoints": endpoints})

    async def schema(self, request: Request) -> Response:
        """The schema of one version; read without sign-in by clients in the field [C keboola/component-acumatica]."""
        title, form = self._endpoint(request), self._site.switches["swagger_form"]
        if form == "by version":
            form = swagger.form_of(title.partition("/")[2])
        address = f"{_origin(request)}{self._site.prefix}/entity/{title}"
        text = swagger.text(title, address, form, tuple(self._site.switches["removed"]))
        return Response(self._laid_out(text), media_type=JSON)

    async def collection(self, request: Request) -> Response:
        """GET: a list. PUT: an inquiry, or a record to be stored."""
        entity, home = self._entity(request)
        query = Query.of(request.query_params)
        if request.method == "PUT" and entity.name == budgets.BUDGET:
            write = partial(budgets.put, self._site, entity, await _json_body(request), self._branch(request), query)
            return self._sent(await run_in_threadpool(write))
        if request.method == "PUT" and entity.inquiry:
            ask = partial(self._inquiries.answer, entity, await _json_body(request), query)
            return self._sent(await run_in_threadpool(ask))
        if request.method == "PUT" and entity.stored:
            stored = await run_in_threadpool(
                partial(self._put, entity, await _json_body(request), query, home, request)
            )
            return self._sent([stored.encode()])
        _require_get(request)
        return self._sent(await run_in_threadpool(self._list, entity, query, home))

    def _put(self, entity: Entity, body: Any, query: Query, home: str, request: Request) -> str:
        conditions = {
            "insert_only": request.headers.get("if-none-match") == "*",
            "update_only": request.headers.get("if-match") == "*",
        }
        record_id = writing.put(self._site, body, self._branch(request), **conditions)
        return reading.single(self._site, entity, record_id, query, home)

    def _list(self, entity: Entity, query: Query, home: str) -> Iterator[bytes]:
        rows = list(reading.listed(self._site, entity, query, home))
        return iter([b"[", *_joined(rows), b"]"])

    async def one(self, request: Request) -> Response:
        """GET: one record by its keys or its id, or how an action stands. POST: an action."""
        entity, home = self._entity(request)
        ids = request.path_params["ids"]
        if request.method == "DELETE" and entity.stored:
            await run_in_threadpool(writing.delete, self._site, ids)
            return Response(status_code=204)
        if request.method == "POST":
            return await self._act(entity, ids, home, request)
        _require_get(request)
        action, _, key = ids.partition("/status/")
        if action in entity.actions:
            return Response(status_code=self._operations.status(key))
        text = await run_in_threadpool(reading.single, self._site, entity, ids, Query.of(request.query_params), home)
        return self._sent([text.encode()])

    async def _act(self, entity: Entity, action: str, home: str, request: Request) -> Response:
        if action not in entity.actions:
            raise self._not_found(request)
        key = self._operations.release(await _json_body(request))
        status = f"{home}/{entity.name}/{action}/status/{key or uuid.uuid4()}"
        if key is not None:
            return Response(status_code=202, headers={"Location": status})
        dead = self._site.switches["release_answer"] == "204 with Location"
        return Response(status_code=204, headers={"Location": status} if dead else None)

    # -- generic inquiries --------------------------------------------------------------------------------------------

    async def inquiries(self, request: Request) -> Response:
        """OData v4 over generic inquiries: the list, $metadata, rows."""
        return await run_in_threadpool(self._fed, request, legacy=False)

    async def old_inquiries(self, request: Request) -> Response:
        """The older feed of the same inquiries, in OData v3."""
        return await run_in_threadpool(self._fed, request, legacy=True)

    def _fed(self, request: Request, *, legacy: bool) -> Response:
        """Signed in before anything is looked up [C live on 25R2]; by name and password it is no API session [S DOC GI OData]."""
        name, _, password = _basic(request).partition(":")
        if not self._auth.knows(name.partition("@")[0], password):
            self._auth.session(_bearer(request), request.cookies.get(SESSION_COOKIE)).calls += 1
        if request.path_params["tenant"].casefold() != self._site.tenant.casefold():
            raise self._not_found(request)
        call = request.path_params.get("call", "").strip("/")
        feed = f"odata/{self._site.tenant}" if legacy else f"t/{self._site.tenant}/api/odata/gi"
        address = f"{_origin(request)}{self._site.prefix}/{feed}"
        if call == "$metadata":
            return Response(feeds.metadata(), media_type="application/xml")
        text = odata.answer(self._site, call, dict(request.query_params), address, legacy=legacy) if call else None
        return Response(self._laid_out(text or odata.service(address)), media_type=JSON)

    async def nothing(self, request: Request) -> Response:
        """Any other path."""
        raise self._not_found(request)

    # -- what every call shares ---------------------------------------------------------------------------------------

    def _entity(self, request: Request) -> tuple[Entity, str]:
        """The entity that a signed-in caller names, and the path of its endpoint."""
        self._auth.session(_bearer(request), request.cookies.get(SESSION_COOKIE)).calls += 1
        title = self._endpoint(request)
        entity = self._entities().get(request.path_params["entity"])
        if entity is None:
            raise self._not_found(request)
        self._branch(request)
        self._operations.settle()
        return entity, f"{self._site.prefix}/entity/{title}"

    def _entities(self) -> Mapping[str, Entity]:
        return without(tuple(self._site.switches["removed"]))

    def _endpoint(self, request: Request) -> str:
        """Name and version as in "Default/24.200.001", if the site serves it."""
        title = f"{request.path_params['endpoint']}/{request.path_params['version']}"
        served = {f"Default/{version}" for version in self._site.switches["versions"]}
        if title not in served | set(self._site.switches["custom_endpoints"]):
            raise self._not_found(request)
        return title

    def _branch(self, request: Request) -> str:
        """The branch of the call [S], of its session, or the first one. That an unknown one is a 500 is ours [I]."""
        session = self._signed_in(request)
        named = request.headers.get("px-cbapibranch") or (session.branch if session else "")
        if named and named not in self._site.books.branches:
            raise failure(f"Error: The branch {named} cannot be found.")
        return named or next(iter(self._site.books.branches))

    def _signed_in(self, request: Request) -> Session | None:
        try:
            return self._auth.session(_bearer(request), request.cookies.get(SESSION_COOKIE))
        except RefusalError:
            return None

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


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


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


def _basic(request: Request) -> str:
    """Name and password of Basic authentication with a colon between them; "" for every other kind."""
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(said).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        return ""


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
