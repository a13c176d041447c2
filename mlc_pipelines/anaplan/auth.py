"""Log-in by password or certificate: a token of 35 minutes, one for a whole run, renewed before its end and asked for once more after a 401.
By OAuth: access tokens from a log-in that a person made once (`mlc login`).
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import httpx

from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential, OAuthCredential
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.answers import Answer, error_for
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.oauth import OAuthClient, RefreshAuth, fields_of, withheld
from mlc_pipelines.transport.secret import Secret

if TYPE_CHECKING:  # loading what reads certificates costs 40 ms, so only who logs in by one pays
    from mlc_pipelines.anaplan.certificate import CertificateLogIn

Credential: TypeAlias = "AnaplanCredential | CertificateLogIn | OAuthCredential"
"""The kind of credential says how to log in."""

# 35 minutes measured live, although some pages say 30 [S OAS authentication README]; renewed at 80 % of that.
_RENEW_AFTER_SECONDS = 0.8 * 35 * 60
_TRY_AGAIN_SECONDS = 60.0
_REFRESH = "/token/refresh"
_REFUSED = {400, 401, 403}  # FAILURE_BAD_HEADER, FAILURE_BAD_CREDENTIAL [S OAS authentication]; 403 by analogy
_SCOPE = "openid profile email offline_access"


def auth_for(
    config: AnaplanConfig, credential: Credential, *, sleep: Callable[[float], None] = time.sleep
) -> "TokenLogIn | OAuthLogIn":
    """The way to log in that belongs to the credential."""
    if isinstance(credential, OAuthCredential):
        return OAuthLogIn(config, credential, sleep=sleep)
    return TokenLogIn(config, credential, sleep=sleep)


class TokenLogIn(TokenAuth):
    """`AnaplanAuthToken` by password or certificate. expiresAt is on Anaplan's clock, so the life is counted from the answer instead."""

    def __init__(
        self,
        config: AnaplanConfig,
        credential: "AnaplanCredential | CertificateLogIn",
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(sleep=sleep)
        self._config = config
        self._credential = credential

    def token_request(self, old: Token | None) -> httpx.Request:
        if old is not None:
            # A refresh moves the end of the same token [S OAS live].
            return _request(self._config, "POST", "refresh", self.header(old))
        authorization, body = self._credential.request()
        return _request(self._config, "POST", "authenticate", authorization, body)

    def token_from(self, response: httpx.Response) -> Token:
        answer = Answer(f"{self._config.system} log-in", response.status_code, response.headers, response.content)
        if answer.status != httpx.codes.OK and self.token and response.request.url.path.endswith(_REFRESH):
            # It may well live on for a while. Should it be dead, the next call's 401 leads to a new log-in.
            return Token(self.token.value, time.monotonic() + _TRY_AGAIN_SECONDS)
        if answer.status in _REFUSED:
            raise self._credential.refused(answer.status, self._config.auth_url)
        if answer.status not in {200, 201}:
            raise error_for(withheld(answer), wrote=False)
        return Token(self._token_in(answer), time.monotonic() + _RENEW_AFTER_SECONDS)

    def header(self, token: Token) -> str:
        return _header(token)

    def probe(self, token: Token) -> httpx.Request | None:
        return _request(self._config, "GET", "validate", _header(token))

    def to_log_out(self) -> Token | None:
        """The token that is to be ended with the run."""
        return self.token

    def _token_in(self, answer: Answer) -> Secret:
        info = fields_of(answer).get("tokenInfo")
        value = info.get("tokenValue") if isinstance(info, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise SetupError(
                f"Anaplan's log-in with credential {self._credential.name!r} at {self._config.auth_url} answered {answer.status} without a token.",
                holds="Nothing was read or sent.",
                next_step="Check `anaplan.auth_url` in the connection file.",
            )
        return Secret(value, "token")


class OAuthLogIn(RefreshAuth):
    """OAuth access tokens in Anaplan's own header form, which every one of its services takes [S OAS README; C SDK, apapi]."""

    def __init__(
        self, config: AnaplanConfig, credential: OAuthCredential, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(oauth_client(config, credential), credential.keeper, sleep=sleep)
        self._config = config

    def header(self, token: Token) -> str:
        return _header(token)

    def probe(self, token: Token) -> httpx.Request | None:
        return _request(self._config, "GET", "validate", _header(token))

    def to_log_out(self) -> Token | None:
        """None: what ends an access token there may end the log-in behind it, and it ends by itself after 35 minutes."""
        return None


def oauth_client(config: AnaplanConfig, credential: OAuthCredential) -> OAuthClient:
    """The OAuth addresses of a tenant [S OAS oauth README]. Without a secret it is a device-grant client, with one an authorization-code client."""
    base = config.oauth_url.rstrip("/")
    return OAuthClient(
        system=config.system,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        scope=_SCOPE,
        token_url=f"{base}/oauth/token",
        authorize_url=f"{base}/auth/authorize",
        device_url=f"{base}/oauth/device/code",
        ca_file=config.ca_file,
    )


def _header(token: Token) -> str:
    return f"AnaplanAuthToken {token.value.reveal()}"


def _request(
    config: AnaplanConfig, method: str, call: str, authorization: str, body: bytes | None = None
) -> httpx.Request:
    headers = {"Authorization": authorization, "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return httpx.Request(method, f"{config.auth_url.rstrip('/')}/token/{call}", headers=headers, content=body)
