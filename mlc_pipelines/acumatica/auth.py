"""Signing in and out. An open session holds one of the few API seats of the licence until it is signed out [S DOC SignOut].

OAuth: resource-owner password grant, or the log-in that a person made once (authorization code); the tenant is the part of the
client id after the @ [S DOC OAuthOIDC_ResourceOwner].
Cookie: the older way, announced for removal [S DOC Basic_Login].
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping

import httpx

from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.refusals import seats_taken, sign_in_refused
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer, encode
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.oauth import OAuthClient, RefreshAuth, fields_of, withheld
from mlc_pipelines.transport.secret import Secret

RENEWED_BEFORE_END_SECONDS = 60.0

SECRET_COOKIES = {".ASPXAUTH", "ASP.NET_SessionId"}

Conversation = Generator[httpx.Request, httpx.Response, None]


class SignIn(httpx.Auth, ABC):
    """A way of signing in that knows what it has open."""

    @abstractmethod
    def proof(self) -> Mapping[str, str]:
        """The headers that name the open session, for the sign-out; empty when none is open."""

    @abstractmethod
    def forget(self) -> None:
        """The session is no more."""


def sign_in_for(config: AcumaticaConfig, credential: AcumaticaCredential) -> SignIn:
    """The declared way. Raises SetupError when the application belongs to another tenant than the connection."""
    if config.auth == "cookie":
        return CookieSignIn(config, credential)
    if config.auth == "oauth_code":
        return LoggedIn(config, credential)
    _require_own_tenant(config, credential)
    return PasswordGrant(config, credential)


def _require_own_tenant(config: AcumaticaConfig, credential: AcumaticaCredential) -> None:
    _, at, tenant = credential.client_id.reveal().rpartition("@")
    if not at or tenant.casefold() != config.tenant.casefold():
        raise SetupError(
            f"The connected application of this credential belongs to tenant {tenant if at else '(none)'!r}, "
            f"the connection file says {config.tenant!r}.",
            holds="Nothing was called.",
            next_step="Correct `erp.tenant`, or store the client id that SM303010 shows in that tenant (GUID@Tenant).",
        )


class PasswordGrant(TokenAuth, SignIn):
    """One token for the whole run. Each grant opens a session of its own, so a worn-out one is signed out before the next."""

    def __init__(self, config: AcumaticaConfig, credential: AcumaticaCredential) -> None:
        super().__init__()
        self._config = config
        self._credential = credential

    def token_request(self, old: Token | None) -> httpx.Request:  # noqa: ARG002  (the scope `api` has no refresh token)
        form = {
            "grant_type": "password",
            "client_id": self._credential.client_id.reveal(),
            "client_secret": self._credential.client_secret.reveal(),
            "username": self._credential.username.reveal(),
            "password": self._credential.password.reveal(),
            "scope": "api",
        }
        return httpx.Request("POST", f"{self._config.site}/identity/connect/token", data=form)

    def token_from(self, response: httpx.Response) -> Token:
        answer = _answer(self._config, response)
        if answer.status != httpx.codes.OK:
            told = answer if answer.status >= 400 else withheld(answer)
            raise sign_in_refused(told, self._config, self._credential.name)
        said = fields_of(answer)
        value, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(seconds, int):
            raise SetupError(
                f"{answer.call} answered 200 without a token or its life time.",
                next_step="Check the address in the connection file: something else may be answering in the site's place.",
            )
        early_seconds = min(RENEWED_BEFORE_END_SECONDS, seconds / 2)
        return Token(Secret(value, "access token"), time.monotonic() + seconds - early_seconds)

    def header(self, token: Token) -> str:
        return f"Bearer {token.value.reveal()}"

    def proof(self) -> Mapping[str, str]:
        return {"Authorization": self.header(self.token)} if self.token else {}

    def _usable(self, *, worn_out: Token | None) -> Generator[httpx.Request, httpx.Response, Token]:
        """As every token; but the session of a token that is about to be replaced gives its seat back first."""
        token = self.token
        if token is not None and (token is worn_out or time.monotonic() >= token.ends_at):
            _require_signed_out(self._config, (yield sign_out_request(self._config, self.proof())))
        return (yield from super()._usable(worn_out=worn_out))


class LoggedIn(RefreshAuth, SignIn):
    """Tokens of the log-in that a person made once. All of its processes share one session of the site, which closes by itself when
    it rests [S DOC OAuthOIDC_GettingStarted_SignOut]; signing it out would end the work of the others.
    """

    def __init__(self, config: AcumaticaConfig, credential: AcumaticaCredential) -> None:
        if credential.keeper is None:
            raise SetupError(
                f"Nobody keeps the log-in of credential {credential.name!r}.",
                holds="Nothing was called.",
                next_step="Log in once with `mlc login`, or choose another `erp.auth` in the connection file.",
            )
        super().__init__(oauth_client(config, credential), credential.keeper)

    def proof(self) -> Mapping[str, str]:
        return {}

    def refusal(self, answer: Answer) -> PipelineError:
        return seats_taken(answer) or super().refusal(answer)


def oauth_client(config: AcumaticaConfig, credential: AcumaticaCredential) -> OAuthClient:
    """The connected application as an OAuth client of the authorization-code flow [S DOC OAuthOIDC_AuthorizationCode].

    Raises SetupError when it belongs to another tenant than the connection.
    """
    _require_own_tenant(config, credential)
    identity = f"{config.site}/identity/connect"
    return OAuthClient(
        system=config.system,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        scope="api offline_access",
        token_url=f"{identity}/token",
        authorize_url=f"{identity}/authorize",
        ca_file=config.ca_file,
    )


class CookieSignIn(SignIn):
    """Signs in with a JSON body and carries the cookies; once more after a 401, since sessions end after minutes of rest."""

    def __init__(self, config: AcumaticaConfig, credential: AcumaticaCredential) -> None:
        self._config = config
        self._credential = credential
        self._cookies: dict[str, str] = {}

    def sync_auth_flow(self, request: httpx.Request) -> Conversation:
        if not self._cookies:
            yield from self._sign_in()
        request.headers.update(self.proof())
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            response.read()
            left = yield sign_out_request(self._config, self.proof())  # it may be open all the same
            _require_signed_out(self._config, left)
            yield from self._sign_in()
            request.headers.update(self.proof())
            yield request

    def proof(self) -> Mapping[str, str]:
        return (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())} if self._cookies else {}
        )

    def forget(self) -> None:
        self._cookies = {}

    def _sign_in(self) -> Conversation:
        body = {
            "name": self._credential.username.reveal(),
            "password": self._credential.password.reveal(),
            "tenant": self._config.tenant,
            "locale": self._config.locale,
        }
        if self._config.branch:
            body["branch"] = self._config.branch
        response = yield httpx.Request(
            "POST",
            f"{self._config.site}/entity/auth/login",
            content=encode(body),
            headers={"Content-Type": "application/json"},
        )
        response.read()
        if response.status_code != httpx.codes.NO_CONTENT:
            raise sign_in_refused(_answer(self._config, response), self._config, self._credential.name)
        self._cookies = _cookies_of(response)


def sign_out_request(config: AcumaticaConfig, proof: Mapping[str, str]) -> httpx.Request:
    return httpx.Request("POST", f"{config.site}/entity/auth/logout", headers=dict(proof))


def _require_signed_out(config: AcumaticaConfig, response: httpx.Response) -> None:
    """Before a session is replaced by a new one it must have ended, or nobody would know it any more. 401 says that it has."""
    response.read()
    if response.status_code not in {200, 204, 401}:
        raise TransientError(
            f"{_answer(config, response).call} answered {response.status_code}: the session to be replaced was not signed out.",
            holds="Nothing was read.",
        )


def _cookies_of(response: httpx.Response) -> dict[str, str]:
    """The cookies by name, whatever they say about themselves: some are marked secure, some are sent twice [C JB cassettes]."""
    pairs = (header.partition(";")[0].partition("=") for header in response.headers.get_list("set-cookie"))
    cookies = {name.strip(): value.strip() for name, _, value in pairs}
    for name in SECRET_COOKIES & cookies.keys():
        Secret(cookies[name], name).reveal()  # from now on blanked out wherever it is echoed
    return cookies


def _answer(config: AcumaticaConfig, response: httpx.Response) -> Answer:
    call = f"{config.system} {response.request.method} {response.request.url.path}"
    return Answer(call, response.status_code, response.headers, response.content)
