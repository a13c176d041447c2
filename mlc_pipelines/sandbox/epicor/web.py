"""The paths of an instance, and what every call goes through: length, key, login, company, session, licence, rights.

Service names are matched without case, everything after them with case [I]. Reference: epicor 1.1.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.epicor import errors, metadata, options, schema
from mlc_pipelines.sandbox.epicor.auth import Gate
from mlc_pipelines.sandbox.epicor.errors import RawRefusalError, RefusalError, bad_address
from mlc_pipelines.sandbox.epicor.methods import METHODS, Methods
from mlc_pipelines.sandbox.epicor.queries import Queries
from mlc_pipelines.sandbox.epicor.reading import Call, Reading
from mlc_pipelines.sandbox.epicor.schema import Service
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.epicor.wire import encoded
from mlc_pipelines.sandbox.epicor.writing import BY_GET, Writing

ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SESSIONS, READER, QUERIES = "ice.lib.sessionmodsvc", "ice.lib.boreadersvc", "baqsvc"


def routes(site: Kinetic) -> list[BaseRoute]:
    """The paths of one instance, all below its name."""
    web = Web(site)
    return [Route(f"{site.prefix}/{{rest:path}}", web.endpoint, methods=ALL_METHODS)]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, taken apart: what stands behind the service in its path, and its query, both decoded."""

    request: Request
    version: int
    company: str
    service: str
    rest: Sequence[str]
    query: Sequence[tuple[str, str]]
    address: str

    @property
    def wanted(self) -> dict[str, str]:
        """The query, the last of a repeated name."""
        return dict(self.query)


class Web:
    """The handlers of one instance."""

    def __init__(self, site: Kinetic) -> None:
        """All that the instance can do."""
        self._site = site
        self.gate = Gate(site)
        site.revoke = self.gate.revoke
        self._reading = Reading(site)
        self._methods = Methods(site, self._reading)
        self._queries = Queries(site, self._reading)
        self._writing = Writing(site)

    async def endpoint(self, request: Request) -> Response:
        """Any call; a refusal becomes the answer."""
        try:
            return await self._dispatch(request)
        except RawRefusalError as refusal:
            return Response(refusal.body, refusal.status, media_type=refusal.content_type)
        except RefusalError as refusal:
            switches, headers = self._site.switches, request.headers
            said = f"Authorization: {headers.get('authorization', '')} x-api-key: {headers.get('x-api-key', '')}"
            echo = said if switches["echo_key"] else ""
            body, kind = errors.body_of(refusal, switches["error_shape"], as_json=_wants_json(request), echo=echo)
            return Response(body, refusal.status, media_type=kind)

    async def _dispatch(self, request: Request) -> Response:
        raw = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        if len(raw) + len(request.scope["query_string"]) > self._site.switches["url_max"]:
            raise errors.too_long()
        parts = [unquote(part) for part in raw.removeprefix(self._site.prefix).strip("/").split("/")]
        query = options.query_of(request.scope["query_string"])
        base = f"{request.url.scheme}://{request.url.netloc}{self._site.prefix}"
        match parts:
            case ["TokenResource.svc"]:
                return self._token(request)
            case ["idp", "connect", "token"]:
                return await self._client_token(request)
            case ["api", "v2", "odata", company, service, *rest]:
                self.gate.admit(request, company, key=dict(query).get("api-key"))
                address = f"{base}/api/v2/odata/{company}/{service}"
                return await self._served(Asked(request, 2, company, service, rest, query, address))
            case ["api", "v1", service, *rest]:
                self.gate.identify(request)
                address = f"{base}/api/v1/{service}"
                return await self._served(
                    Asked(request, 1, _company(request) or self._site.company, service, rest, query, address)
                )
        raise bad_address(parts[-1])

    # -- signing in ---------------------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            raise bad_address("TokenResource.svc")
        said = self.gate.token_resource(request)
        if _wants_json(request):
            return _json(encoded(said))
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
        return Response(f"<Token>{inner}</Token>", media_type=errors.XML)

    async def _client_token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise errors.oauth("invalid_request")
        return Response(encoded(self.gate.client_token(form)), media_type=errors.PLAIN_JSON)

    # -- services -----------------------------------------------------------------------------------------------------

    async def _served(self, asked: Asked) -> Response:
        """A call to a service, by somebody who may enter."""
        session = self.gate.require_session(asked.request)
        if "license" in asked.request.headers:
            self._site.licences.append(asked.request.headers["license"])
        name = asked.service.casefold()
        if name == SESSIONS:
            return await self._session(asked, session)
        if session is None:
            self._site.require_licence()
        if name == QUERIES:
            return _json(await run_in_threadpool(self._in_turn, self._query, asked))
        given = await self._given(asked)
        service = schema.services().get(str(given.get("serviceNamespace", "")).casefold() if name == READER else name)
        if service is None or (service.name == "Erp.BO.BudgetCodeSvc" and not self._site.switches["budget_codes"]):
            raise bad_address(asked.service)
        writes = bool(asked.rest) and self._writing.method(service, asked.rest[0]) is not None
        self.gate.require_rights(service.name, *((asked.rest[0],) if writes else _what(asked.rest)))
        await asyncio.sleep(self._site.switches["shared_licence_ms"] / 1000)
        return await run_in_threadpool(self._in_turn, self._business, asked, service, given)

    def _in_turn(self, work: Callable[..., Any], *about: Any) -> Any:
        """One call after the other, so that nobody sees half of a write."""
        with self._site.turn:
            return work(*about)

    async def _session(self, asked: Asked, session: str | None) -> Response:
        """Login and Logout of Ice.Lib.SessionModSvc, both POST of {} [S SNO, C EPY]."""
        if asked.request.method != "POST":
            raise bad_address(asked.service)
        match asked.rest:
            case ["Login"]:
                return _json(encoded({"returnObj": self._site.open_session()}))
            case ["Logout"]:
                self._site.close_session(session or "")
                return _json(encoded({}))
        raise bad_address(asked.rest[0] if asked.rest else asked.service)

    def _query(self, asked: Asked) -> bytes:
        name, *rest = asked.rest or [""]
        self.gate.require_rights("BaqSvc", name)
        if rest == (["Data"] if asked.version == 2 else []):
            _require_get(asked.request)
            return self._queries.data(name, asked.query, f"{asked.address}/{name}")
        if rest == ["$metadata"]:
            return self._queries.described(name, as_json=self._metadata_as_json(asked.request))
        raise bad_address(asked.rest[-1] if asked.rest else asked.service)

    def _business(self, asked: Asked, service: Service, given: Mapping[str, Any]) -> Response:
        call = Call(service, asked.company, asked.address)
        if len(asked.rest) == 1 and (method := self._writing.method(service, asked.rest[0])):
            if asked.request.method != "POST" and asked.rest[0] not in BY_GET:
                raise _not_by(asked.request.method)
            return _json(self._writing.call(method, call, given))
        if service.name == "Ice.BO.SysTaskSvc":
            self._writing.tasks.look()
        match list(asked.rest):
            case ["GetList"] if asked.service.casefold() == READER:
                return _json(self._methods.reader_list(call, given))
            case [name] if name in METHODS and service.sets:
                return _json(self._methods.call(call, name, given))
            case [] | [""]:
                return _json(metadata.document(service, asked.address))
            case ["$metadata"]:
                return self._described(asked, service)
            case ["List"]:
                return self._rows(asked, partial(self._methods.list_view, call, asked.wanted))
            case [one]:
                name, keys = _keyed(one)
                if name not in service.sets:
                    raise bad_address(name)
                if keys is None:
                    return self._rows(asked, partial(self._reading.listed, call, name, asked.wanted))
                return self._rows(asked, partial(self._reading.single, call, name, keys, asked.wanted))
            case [one, child]:
                name, keys = _keyed(one)
                if keys is not None:
                    return self._rows(asked, partial(self._reading.below, call, name, keys, child, asked.wanted))
        raise bad_address(asked.rest[-1])

    def _rows(self, asked: Asked, read: partial[bytes]) -> Response:
        _require_get(asked.request)
        body = read()
        if asked.version == 1:
            body = body.replace(b'"@odata.context":', b'"odata.metadata":', 1)
        return _json(body)

    def _described(self, asked: Asked, service: Service) -> Response:
        columns = {one.table: self._site.shelf.columns(one.table) for one in service.sets.values()}
        types = metadata.types_of(service, columns)
        if self._metadata_as_json(asked.request):
            return _json(metadata.as_json(types, service.tables()))
        return Response(metadata.as_xml(types, service.tables()), media_type=errors.XML)

    def _metadata_as_json(self, request: Request) -> bool:
        return self._site.switches["metadata_form"] == "by accept" and _wants_json(request)

    async def _given(self, asked: Asked) -> dict[str, Any]:
        """The parameters of a method: of the body, or of the query."""
        if asked.request.method == "GET":
            return dict(asked.query)
        body = await asked.request.body()
        try:
            said = json.loads(body, parse_float=Decimal) if body.strip() else {}
        except ValueError as error:
            raise RefusalError(400, "The request body is not valid JSON.") from error
        if not isinstance(said, dict):
            raise RefusalError(400, "The request body is not a JSON object.")
        return said


def _what(rest: Sequence[str]) -> tuple[str, str]:
    """What of a service is called: as its path says, and the method behind it that a denial names."""
    name, keys = _keyed(rest[0]) if rest else ("", None)
    return name, name if name in METHODS else "GetList" if name == "List" else "GetByID" if keys else "GetRows"


def _keyed(segment: str) -> tuple[str, str | None]:
    """GLBooks('IVM','MAIN') -> the set and what stands in parentheses; None without any."""
    name, opened, rest = segment.partition("(")
    return name, rest.removesuffix(")") if opened else None


def _require_get(request: Request) -> None:
    """Writing by OData is not served here."""
    if request.method != "GET":
        raise _not_by(request.method)


def _not_by(method: str) -> RefusalError:
    return RefusalError(405, f"The requested resource does not support http method '{method}'.", errors.BAD_ADDRESS)


def _company(request: Request) -> str:
    """The company that v1 takes from CallSettings [S EPG]."""
    try:
        said = json.loads(request.headers.get("callsettings", "{}"))
    except ValueError:
        return ""
    return str(said.get("Company", "")) if isinstance(said, dict) else ""


def _wants_json(request: Request) -> bool:
    return "json" in request.headers.get("accept", "").lower()


def _json(body: bytes) -> Response:
    return Response(body, media_type=errors.JSON)
