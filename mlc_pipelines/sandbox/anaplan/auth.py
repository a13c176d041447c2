"""The authentication host: log in with a password or a certificate, refresh, validate, log out. Reference: anaplan 2.1 to 2.5 [S].

The header here is `AnaplanAuthToken` only: Bearer is refused, though the integration API takes it.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mlc_pipelines.sandbox.anaplan.certificates import BadHeaderError
from mlc_pipelines.sandbox.anaplan.logins import Token, User
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.wire import milliseconds

CUSTOMER = "8a80cb8163b4ab2e0163b5a1c7d20001"


def auth_routes(tenant: Tenant) -> list[Route]:
    """The four calls, with and without a trailing slash."""

    async def authenticate(request: Request) -> Response:
        body = await request.body()
        try:
            with tenant.lock:
                user = _user(tenant, request.headers.get("authorization", ""), body)
                token = tenant.logins.open(user) if user else None
        except BadHeaderError:
            return _bad_header()
        return _bad_credential() if token is None else JSONResponse(_opened(request, token, "Login successful"), 201)

    async def refresh(request: Request) -> Response:
        with tenant.lock:
            token, refusal = _token(tenant, request)
            if token is None:
                return refusal
            tenant.logins.extend(token)
            return JSONResponse(_opened(request, token, "Token refreshed"))

    async def validate(request: Request) -> Response:
        token, refusal = _token(tenant, request)
        if token is None:
            return refusal
        info = {"expiresAt": milliseconds(token.expires_at), "tokenId": token.id}
        user = {"userGuid": token.user.id, "userId": token.user.email, "customerGuid": CUSTOMER}
        body = {"status": "SUCCESS", "statusMessage": "Token validated", "tokenInfo": info, "userInfo": user}
        return JSONResponse({"meta": _meta(request), **body})

    async def logout(request: Request) -> Response:
        if request.headers.get("authorization", "").startswith("Bearer"):
            return _bad_credential()
        with tenant.lock:
            token, refusal = _token(tenant, request)
            if token is None:
                return refusal
            tenant.logins.end(token)
        return Response(status_code=204)

    calls = {"authenticate": authenticate, "refresh": refresh, "logout": logout}
    table = [("POST", name, call) for name, call in calls.items()] + [("GET", "validate", validate)]
    return [
        Route(f"/token/{name}{slash}", call, methods=[method]) for method, name, call in table for slash in ("", "/")
    ]


def _user(tenant: Tenant, header: str, body: bytes) -> User | None:
    """Who logs in, None for wrong credentials. Raises BadHeaderError when the header is malformed."""
    scheme, _, value = header.partition(" ")
    if scheme == "Basic":
        return tenant.logins.without_sso(*_basic(value))
    if scheme == "CACertificate":
        return tenant.certificates.user_of(value.strip(), _object(body))
    raise BadHeaderError


def _basic(value: str) -> tuple[str, str]:
    """Name and password of a Basic header."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadHeaderError from error
    name, colon, password = text.partition(":")
    if not colon:
        raise BadHeaderError
    return name, password


def _object(body: bytes) -> Mapping[str, Any]:
    """A JSON object, empty when it is none."""
    try:
        sent = json.loads(body)
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


def _token(tenant: Tenant, request: Request) -> tuple[Token | None, Response]:
    """The login in the header, or the refusal to answer with."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme != "AnaplanAuthToken":
        return None, _bad_header()
    return tenant.logins.find(value.strip()), _bad_credential()


def _opened(request: Request, token: Token, message: str) -> dict[str, Any]:
    info = {
        "expiresAt": milliseconds(token.expires_at),
        "tokenId": token.id,
        "tokenValue": token.value,
        "refreshTokenId": token.refresh_id,
    }
    return {"meta": _meta(request), "status": "SUCCESS", "statusMessage": message, "tokenInfo": info}


def _meta(request: Request) -> dict[str, str]:
    return {"validationUrl": f"{request.url.scheme}://{request.url.netloc}/token/validate"}


def _bad_credential() -> JSONResponse:
    body = {"status": "FAILURE_BAD_CREDENTIAL", "statusMessage": "Authentication failed. Check the credentials."}
    return JSONResponse(body, 401)


def _bad_header() -> JSONResponse:
    body = {"status": "FAILURE_BAD_HEADER", "statusMessage": "Invalid header. Verify the header."}
    return JSONResponse(body, 400)
