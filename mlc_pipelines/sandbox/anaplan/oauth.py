"""OAuth 2.0 of the tenant: clients, device grant, authorization code, refresh tokens that rotate or do not.

All lives run on the sandbox's clock. An access token is a login like any other, only shorter. Reference: anaplan 2.6 [S].
"""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from mlc_pipelines.sandbox.anaplan.logins import Logins, Ticking, Token, User
from mlc_pipelines.sandbox.anaplan.switches import Switches

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid profile email offline_access"
LOOPBACK = ("localhost", "127.0.0.1")
SLOW_DOWN_SECONDS = 5.0
CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ0123456789"


class GrantRefusedError(Exception):
    """The token endpoint answers with an OAuth error; `args` are the error and its description."""


class BadRequestError(Exception):
    """An authorization request that must not be answered by a redirect: shown to the person instead."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. `grant` is device or code; only a code client has a secret. Without a life the switches say."""

    id: str
    secret: str
    grant: str
    rotating: bool
    refresh_seconds: float | None = None


@dataclass(slots=True)
class Device:
    """A device that waits for a person. `decision` is "" until then."""

    code: str
    user_code: str
    client: Client
    scope: str
    expires_at: datetime
    interval: float
    polled_at: datetime | None = None
    decision: str = ""
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, on its way through a browser."""

    client: Client
    redirect_uri: str
    scope: str
    user: User
    expires_at: datetime


@dataclass(slots=True)
class Refresh:
    """A refresh token. `family` is that of the log-in by a person from which it descends."""

    client: Client
    scope: str
    user: User
    expires_at: datetime
    family: str
    used: bool = False


class OAuth:
    """What the authorization server of one tenant knows."""

    def __init__(self, clock: Ticking, switches: Switches, logins: Logins) -> None:
        """Two clients are registered, one for each grant; both rotate."""
        self.clock, self.switches, self.logins = clock, switches, logins
        self.device_client = Client("d" + "0a5e1" * 6 + "7", "", "device", True)
        self.code_client = Client("c" + "0b6f2" * 6 + "9", "Consent-3-Secret!", "code", True)
        self.clients = {client.id: client for client in (self.device_client, self.code_client)}
        self.devices: dict[str, Device] = {}
        self.codes: dict[str, Code] = {}
        self.refreshes: dict[str, Refresh] = {}

    def register(self, grant: str, *, rotating: bool = True, refresh_seconds: float | None = None) -> Client:
        """Another client. ValueError on a grant other than device and code."""
        if grant not in ("device", "code"):
            raise ValueError(f"no grant {grant!r}; there are device and code")
        secret = secrets.token_hex(16) if grant == "code" else ""
        client = Client(uuid.uuid4().hex, secret, grant, rotating, refresh_seconds)
        self.clients[client.id] = client
        return client

    # -- a person says yes or no --------------------------------------------------------------------------------------

    def begin_device(self, request: Mapping[str, str]) -> Device:
        """A device asks to be let in."""
        client = self._client(request, "device")
        user_code = "-".join("".join(secrets.choice(CODE_LETTERS) for _ in range(4)) for _ in range(2))
        expires_at = self.clock.now() + timedelta(seconds=self.switches["oauth_device_seconds"])
        interval = self.switches["oauth_interval_seconds"]
        device = Device(secrets.token_urlsafe(24), user_code, client, request.get("scope", SCOPE), expires_at, interval)
        self.devices[device.code] = device
        return device

    def decide(self, decision: str, user_code: str = "", user: User | None = None) -> Device:
        """Approve or deny a device, the newest waiting one without a code. KeyError when none waits under it."""
        if decision not in ("approve", "deny"):
            raise ValueError(f"no decision {decision!r}; there are approve and deny")
        now, wanted = self.clock.now(), user_code.strip().upper()
        waiting = [one for one in self.devices.values() if not one.decision and now < one.expires_at]
        found = [one for one in waiting if wanted in ("", one.user_code)]
        if not found:
            raise KeyError(user_code or "no device waits")
        found[-1].decision, found[-1].user = decision, user or self.logins.users[0]
        return found[-1]

    def require_authorization(self, request: Mapping[str, str]) -> Client:
        """The client of an authorization request. Raises BadRequestError when it cannot be trusted with an answer."""
        client = self.clients.get(request.get("client_id", ""))
        if client is None or client.grant != "code":
            raise BadRequestError("The client is not known, or not one for the authorization code grant.")
        target = urlsplit(request.get("redirect_uri", ""))
        if target.scheme not in ("http", "https") or target.hostname not in LOOPBACK:
            raise BadRequestError("The redirect_uri is not registered for this client.")
        return client

    def consent(self, request: Mapping[str, str], user: User | None = None, decision: str = "approve") -> str:
        """Where a person's decision sends the browser: the redirect URI with a code and the state, or with an error."""
        client = self.require_authorization(request)
        state = {"state": request["state"]} if "state" in request else {}
        if request.get("response_type") != "code":
            return _with_query(request["redirect_uri"], {"error": "unsupported_response_type", **state})
        if decision != "approve":
            return _with_query(request["redirect_uri"], {"error": "access_denied", **state})
        value = secrets.token_urlsafe(24)
        expires_at = self.clock.now() + timedelta(seconds=self.switches["oauth_code_seconds"])
        scope = request.get("scope", SCOPE)
        self.codes[value] = Code(client, request["redirect_uri"], scope, user or self.logins.users[0], expires_at)
        return _with_query(request["redirect_uri"], {"code": value, **state})

    def revoke(self) -> None:
        """End every refresh token."""
        self.refreshes.clear()

    # -- tokens -------------------------------------------------------------------------------------------------------

    def grant(self, request: Mapping[str, str]) -> dict[str, Any]:
        """What the token endpoint gives. Raises GrantRefusedError."""
        match request.get("grant_type"):
            case "refresh_token":
                return self._refresh(request)
            case "authorization_code":
                return self._code(request)
            case kind if kind == DEVICE_GRANT:
                return self._device(request)
        raise GrantRefusedError("invalid_request", "The grant_type is missing or not supported.")

    def _device(self, request: Mapping[str, str]) -> dict[str, Any]:
        client, device = self._client(request, "device"), self.devices.get(request.get("device_code", ""))
        now = self.clock.now()
        if device is None or device.client != client:
            raise GrantRefusedError("invalid_grant", "The device code is not known.")
        if now >= device.expires_at:
            raise GrantRefusedError("expired_token", "The device code has expired.")
        early = device.polled_at is not None and (now - device.polled_at).total_seconds() < device.interval
        device.polled_at = now
        if early:
            device.interval += SLOW_DOWN_SECONDS
            raise GrantRefusedError("slow_down", "You are polling too often.")
        if not device.decision:
            raise GrantRefusedError("authorization_pending", "The person has not decided yet.")
        del self.devices[device.code]
        if device.decision == "deny" or device.user is None:
            raise GrantRefusedError("access_denied", "The person has refused the access.")
        return self._granted(client, device.user, device.scope, uuid.uuid4().hex)

    def _code(self, request: Mapping[str, str]) -> dict[str, Any]:
        client = self._client(request, "code")
        code = self.codes.pop(request.get("code", ""), None)
        if code is None or code.client != client or self.clock.now() >= code.expires_at:
            raise GrantRefusedError("invalid_grant", "The authorization code is not valid.")
        if code.redirect_uri != request.get("redirect_uri"):
            raise GrantRefusedError("invalid_grant", "The redirect_uri is not that of the authorization request.")
        return self._granted(client, code.user, code.scope, uuid.uuid4().hex)

    def _refresh(self, request: Mapping[str, str]) -> dict[str, Any]:
        """New tokens; with a rotating client the old refresh token dies, also if the answer gets lost."""
        client = self._client(request)
        value = request.get("refresh_token", "")
        refresh = self.refreshes.get(value)
        if refresh is None or refresh.client != client or self.clock.now() >= refresh.expires_at:
            raise GrantRefusedError("invalid_grant", "The refresh token is not valid.")
        if refresh.used:
            if self.switches["oauth_reuse_revokes"]:
                kept = {name: one for name, one in self.refreshes.items() if one.family != refresh.family}
                self.refreshes = kept
            raise GrantRefusedError("invalid_grant", "The refresh token has been used.")
        if not self._rotates(client):
            return self._granted(client, refresh.user, refresh.scope, refresh.family, kept=value)
        refresh.used = True
        return self._granted(client, refresh.user, refresh.scope, refresh.family)

    def _client(self, request: Mapping[str, str], grant: str = "") -> Client:
        """The client that asks, which must be one for this grant, and must know its secret if it has one."""
        if not request.get("client_id"):
            raise GrantRefusedError("invalid_request", "The client_id is missing.")
        client = self.clients.get(request["client_id"])
        if client is None or grant not in ("", client.grant):
            raise GrantRefusedError("unauthorized_client", "The client is not known, or may not use this grant.")
        if client.secret and request.get("client_secret") != client.secret:
            raise GrantRefusedError("unauthorized_client", "The client_secret is missing or wrong.")
        return client

    def _rotates(self, client: Client) -> bool:
        return {"always": True, "never": False}.get(self.switches["oauth_rotation"], client.rotating)

    def _granted(self, client: Client, user: User, scope: str, family: str, kept: str = "") -> dict[str, Any]:
        """An access token and, with the scope offline_access, a refresh token; the scope `profile` is dropped [S]."""
        life = self.switches["oauth_access_seconds"]
        token = self.logins.open(user, timedelta(seconds=life))
        given = [one for one in scope.split() if one != "profile"]
        body = {"access_token": token.value, "id_token": _id_token(client, token), "token_type": "Bearer"}
        if "offline_access" in given:
            body["refresh_token"] = kept or self._new_refresh(client, user, scope, family)
        return {**body, "expires_in": int(life), "scope": " ".join(given)}

    def _new_refresh(self, client: Client, user: User, scope: str, family: str) -> str:
        value, how = secrets.token_urlsafe(32), self.switches
        usual = how["oauth_refresh_seconds"] if self._rotates(client) else how["oauth_refresh_seconds_fixed"]
        seconds = usual if client.refresh_seconds is None else client.refresh_seconds
        expires_at = self.clock.now() + timedelta(seconds=seconds)
        self.refreshes[value] = Refresh(client, scope, user, expires_at, family)
        return value


def _with_query(url: str, query: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    return parts._replace(query=urlencode([*parse_qsl(parts.query), *query.items()])).geturl()


def _id_token(client: Client, token: Token) -> str:
    """A token that names the user; its signature is no signature, since nobody here checks it."""
    claims = {
        "aud": client.id,
        "sub": token.user.id,
        "email": token.user.email,
        "exp": int(token.expires_at.timestamp()),
    }
    parts = [{"alg": "RS256", "typ": "JWT"}, claims]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, secrets.token_urlsafe(32)])
