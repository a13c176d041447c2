"""Signing in to Kinetic: an API key with every call, and beside it user and password, a token of the instance, or one of an identity provider.

A token's life is read from the token itself or from the answer that brought it, for sources disagree about its length [S KLB, SEED];
it is kept as a span on our own clock, so that a difference between the clocks does not matter. There is no call that renews one [C KDV].
"""

import base64
import json
import time
from abc import abstractmethod
from collections.abc import Generator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

import httpx

from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.epicor.refusals import about_key_or_right, sign_in_refused
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.transport.answers import Answer, decode
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.oauth import OAuthClient
from mlc_pipelines.transport.secret import Secret

API_KEY = "x-api-key"
_RENEW_AT_SHARE = 0.8
_REFUSED = {400, 401, 403}

Conversation = Generator[httpx.Request, httpx.Response, Token]


def sign_in_for(config: EpicorConfig, credential: EpicorCredential) -> httpx.Auth:
    """The declared way, with the API key beside it."""
    match config.auth:
        case "token":
            return Keyed(InstanceTokens(config, credential), credential.api_key)
        case "client_credentials":
            return Keyed(ProviderTokens(config, credential), credential.api_key)
    return Keyed(Plain(credential), credential.api_key)


class Keyed(httpx.Auth):
    """The API key with each call to the instance, and never with one to an identity provider."""

    def __init__(self, way: httpx.Auth, api_key: Secret) -> None:
        self._way = way
        self._api_key = api_key

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers[API_KEY] = self._api_key.reveal()
        yield from self._way.sync_auth_flow(request)


class Plain(httpx.Auth):
    """User and password with each call."""

    def __init__(self, credential: EpicorCredential) -> None:
        self._header = basic(credential)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = self._header
        yield request


def basic(credential: EpicorCredential) -> str:
    """The header; from now on its value is blanked out wherever it is echoed, as are user and password."""
    pair = f"{credential.username.reveal()}:{credential.password.reveal()}"
    return f"Basic {Secret(base64.b64encode(pair.encode()).decode(), 'basic').reveal()}"


class _Tokens(TokenAuth):
    """One token for a whole run, as a bearer."""

    def __init__(self, config: EpicorConfig, credential: EpicorCredential) -> None:
        super().__init__()
        self._config = config
        self._credential = credential

    def header(self, token: Token) -> str:
        return f"Bearer {token.value.reveal()}"

    def ends_token(self, refusal: httpx.Response) -> bool:
        return not about_key_or_right(refusal.status_code, refusal.content)

    def token_from(self, response: httpx.Response) -> Token:
        call = f"{self._config.system} {response.request.method} {response.request.url.path}"
        answer = Answer(call, response.status_code, response.headers, response.content)
        if answer.status not in {200, 201}:
            raise sign_in_refused(answer, self._config, self._credential.name)
        answer.require_no_html()
        value, seconds = self._found(answer)
        if not value.strip():
            raise SetupError(
                f"{call} answered {answer.status} without a token.",
                holds="Nothing was read.",
                next_step="Check the address in the connection file: something else may be answering in its place.",
            )
        return Token(
            Secret(value, "access token"), time.monotonic() + life_seconds(value, seconds, answer) * _RENEW_AT_SHARE
        )

    @abstractmethod
    def _found(self, answer: Answer) -> tuple[str, object]:
        """The token in a good answer, and how many seconds it is said to live."""


class InstanceTokens(_Tokens):
    """Tokens of the instance's own TokenResource.svc, for user and password [S EPG]; asked for by Basic, once more by headers [C KDV]."""

    def token_request(self, old: Token | None) -> httpx.Request:  # noqa: ARG002  (no call prolongs a token)
        return self._request({"Authorization": basic(self._credential)})

    def _obtained(self, old: Token | None) -> Conversation:
        response = yield self.token_request(old)
        response.read()
        if response.status_code in _REFUSED and not _is_final(response):
            names = {"username": self._credential.username.reveal(), "password": self._credential.password.reveal()}
            by_headers = yield self._request(names)
            by_headers.read()
            if by_headers.is_success:
                response = by_headers
        return self.token_from(response)

    def _request(self, headers: Mapping[str, str]) -> httpx.Request:
        said = {"Accept": "application/json", API_KEY: self._credential.api_key.reveal(), **headers}
        return httpx.Request("POST", f"{self._config.site}/TokenResource.svc/", headers=said)

    def _found(self, answer: Answer) -> tuple[str, object]:
        """JSON, or XML with root Token where the server does not heed what is accepted [C public Angular sample]."""
        said = _xml_fields(answer) if answer.body.lstrip().startswith(b"<") else _json_fields(answer)
        return str(said.get("AccessToken") or ""), said.get("ExpiresIn")


def _is_final(refusal: httpx.Response) -> bool:
    """Whether the other form of asking would only be one more failed attempt: the user would be locked out sooner."""
    text = refusal.text.lower()
    return refusal.status_code == 401 and ("invalid username" in text or "invalid api key" in text)


class ProviderTokens(_Tokens):
    """Tokens of an identity provider for a registered client: Epicor's own, or another one with its own form fields [C WCI; S EPG, CDT]."""

    def token_request(self, old: Token | None) -> httpx.Request:  # noqa: ARG002
        client = OAuthClient(
            system=self._config.system,
            client_id=self._credential.client_id,
            client_secret=self._credential.client_secret,
            scope=self._config.scope,
            token_url=self._config.identity_url,
        )
        more = {"scope": self._config.scope} if self._config.scope else {}
        form = client.form("client_credentials", **more, **self._config.identity_form)
        return httpx.Request("POST", self._config.identity_url, data=form, headers={"Accept": "application/json"})

    def _found(self, answer: Answer) -> tuple[str, object]:
        said = _json_fields(answer)
        value = said.get("access_token")
        return value if isinstance(value, str) else "", said.get("expires_in")


def life_seconds(token: str, said_seconds: object, answer: Answer) -> float:
    """How long a token lives from now on: the least of what the answer says, and of what the token says of itself (`exp`).

    `exp` is held against the server's own Date, where there is one, and else against the token's own `iat`. Unlimited where nobody says
    anything: then a 401 ends it.
    """
    spans = []
    if isinstance(said_seconds, int | float | str) and str(said_seconds).strip().isdecimal():
        spans.append(float(said_seconds))
    claims = _claims(token)
    ends_at, begun_at = claims.get("exp"), _said_at(answer) or claims.get("iat") or claims.get("nbf")
    if isinstance(ends_at, int | float) and isinstance(begun_at, int | float):
        spans.append(float(ends_at - begun_at))
    return max(min(spans, default=float("inf")), 0.0)


def _claims(token: str) -> Mapping[str, Any]:
    """What a JWT says of itself; nothing for any other kind of token. Its signature is the server's affair."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        said = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _said_at(answer: Answer) -> float | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return None


def _json_fields(answer: Answer) -> Mapping[str, Any]:
    try:
        said = decode(answer.body)
    except ValueError:
        raise TransientError(f"{answer.call} answered {answer.status} with unreadable JSON.") from None
    return said if isinstance(said, dict) else {}


def _xml_fields(answer: Answer) -> Mapping[str, str]:
    try:
        if b"<!DOCTYPE" in answer.body[:4096]:
            raise ElementTree.ParseError
        root = ElementTree.fromstring(answer.body)  # noqa: S314  (no document type, hence no entities)
    except ElementTree.ParseError:
        raise TransientError(f"{answer.call} answered {answer.status} with unreadable XML.") from None
    return {one.tag.rpartition("}")[2]: one.text or "" for one in root}
