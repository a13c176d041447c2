"""Who may call: the API key, the login by name or token, companies, rights, sessions. Reference: epicor 1.2 to 1.4.

A key and a login are both needed on v2 [S EPG]; which is looked at first is not told: here the key [I].
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from mlc_pipelines.sandbox.epicor import errors
from mlc_pipelines.sandbox.epicor.site import Kinetic

KNOWN_COMPANIES = frozenset({"IVM", "IVC"})


class Gate:
    """The logins of one instance."""

    def __init__(self, site: Kinetic) -> None:
        """Nobody has a token yet."""
        self._site = site
        self._tokens: dict[str, datetime] = {}
        self._secret = secrets.token_bytes(32)

    # -- tokens -------------------------------------------------------------------------------------------------------

    def token_resource(self, request: Request) -> dict[str, Any]:
        """A token for name and password, as Basic or as two headers; the members beside AccessToken are [I]."""
        if not self._site.switches["token_resource"]:
            raise errors.bad_address("TokenResource.svc")
        by_basic = _basic(request)
        given = by_basic or (request.headers.get("username"), request.headers.get("password"))
        token = _bearer(request)
        if given != (self._site.username, self._site.password) and not (token and self._lives(token)):
            raise errors.bad_login()
        said: dict[str, Any] = {"AccessToken": self._new_token()}
        if self._site.switches["token_body"] == "full":
            said |= {"TokenType": "Bearer", "ExpiresIn": self._site.switches["token_seconds"]}
        return said

    def client_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """A token of the identity provider, for an application [C WCI]."""
        if form.get("grant_type") != "client_credentials":
            raise errors.oauth("unsupported_grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (self._site.client_id, self._site.client_secret):
            raise errors.oauth("invalid_client")
        if form.get("scope", self._site.scope) != self._site.scope:
            raise errors.oauth("invalid_scope")
        seconds = self._site.switches["token_seconds"]
        return {
            "access_token": self._new_token(),
            "expires_in": seconds,
            "token_type": "Bearer",
            "scope": self._site.scope,
        }

    def revoke(self) -> int:
        """End all tokens before their time; how many there were."""
        ended = len(self._tokens)
        self._tokens.clear()
        return ended

    def _new_token(self) -> str:
        now = self._site.clock.now()
        ends_at = now + timedelta(seconds=self._site.switches["token_seconds"])
        token = secrets.token_urlsafe(40)
        if self._site.switches["token_kind"] == "jwt":
            claims = {
                "sub": self._site.username,
                "iat": int(now.timestamp()),
                "exp": int(ends_at.timestamp()),
                "jti": token,
            }
            token = self._signed(claims)
        self._tokens[token] = ends_at
        return token

    def _signed(self, claims: Mapping[str, Any]) -> str:
        parts = b".".join(_base64url(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims))
        return (parts + b"." + _base64url(hmac.digest(self._secret, parts, hashlib.sha256))).decode()

    def _lives(self, token: str) -> bool:
        ends_at = self._tokens.get(token)
        return ends_at is not None and self._site.clock.now() < ends_at

    # -- each call ----------------------------------------------------------------------------------------------------

    def admit(self, request: Request, company: str, *, key: str | None = None) -> None:
        """Let a v2 call in, or raise one of the three 401s. `key` is that of the query string; it wins over the header [S EPG]."""
        given = key if key is not None else request.headers.get("x-api-key", "")
        wanted = self._site.switches["key_required"] or given
        if wanted and (given != self._site.api_key or company not in self._site.switches["key_companies"]):
            raise errors.bad_key(given, company)
        self.identify(request)
        if company not in KNOWN_COMPANIES or company not in self._site.switches["user_companies"]:
            raise errors.denied(company)

    def identify(self, request: Request) -> None:
        """Name and password, or a living token; raises the 401s of those."""
        token = _bearer(request)
        if token is not None:
            if not self._lives(token):
                raise errors.bad_token()
        elif _basic(request) != (self._site.username, self._site.password):
            raise errors.bad_login()

    def require_session(self, request: Request) -> str | None:
        """The session that SessionInfo names; None without one. What is no JSON object with a GUID is ignored [C KDV]; raises 410 for a dead one."""
        try:
            said = json.loads(request.headers.get("sessioninfo", "null"))
            key = str(uuid.UUID(said["SessionID"])) if isinstance(said, dict) else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        if key is not None and key not in self._site.sessions:
            raise errors.dead_session()
        return key

    def require_rights(self, service: str, what: str, method: str = "") -> None:
        """Raise the denial when the switch names the service, or what of it is called, or the method behind that."""
        denied = {one.casefold() for one in self._site.switches["denied"]}
        called = (service, f"{service}/{what}", f"{service}/{method}")
        if {one.casefold() for one in called} & denied:
            raise errors.denied(f"{service.removesuffix('Svc')}.{method or what}", self._site.switches["denied_status"])


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
