"""Basic log-in: a token of 35 minutes, one for a whole run, renewed before its end and asked for once more after a 401."""

import time
from base64 import b64encode

import httpx

from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.answers import Answer, error_for
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.secret import Secret

# 35 minutes measured live, although some pages say 30 [S OAS authentication README]; renewed at 80 % of that.
_RENEW_AFTER_SECONDS = 0.8 * 35 * 60


class BasicAuth(TokenAuth):
    """`AnaplanAuthToken` by user and password. expiresAt is on Anaplan's clock, so the life is counted from the answer instead."""

    def __init__(self, config: AnaplanConfig, credential: AnaplanCredential) -> None:
        super().__init__()
        self._config = config
        self._credential = credential

    def token_request(self, old: Token | None) -> httpx.Request:
        if old is not None:
            # A refresh moves the end of the same token [S OAS live].
            return self._request("refresh", self.header(old))
        pair = f"{self._credential.username}:{self._credential.password.reveal()}"
        secret = Secret(b64encode(pair.encode()).decode(), "basic")
        return self._request("authenticate", f"Basic {secret.reveal()}")

    def token_from(self, response: httpx.Response) -> Token:
        answer = Answer(f"{self._config.system} log-in", response.status_code, response.headers, response.content)
        if answer.status == httpx.codes.UNAUTHORIZED:
            raise SetupError(
                f"Anaplan refused the log-in of {self._credential.username} at {self._config.auth_url}.",
                holds="Nothing was read or sent.",
                next_step="Store the right password with `mlc secrets set`. Where single sign-on is enforced, a workspace administrator must make the user an exception user; passwords end after about three months.",
            )
        if answer.status not in {200, 201}:
            raise error_for(answer, wrote=False)
        content = answer.json()
        value = content.get("tokenInfo", {}).get("tokenValue") if isinstance(content, dict) else None
        if not isinstance(value, str) or not value:
            raise SetupError(
                f"Anaplan's log-in at {self._config.auth_url} answered without a token.",
                holds="Nothing was read or sent.",
                next_step="Check `anaplan.auth_url` in the connection file.",
            )
        return Token(Secret(value, "token"), time.monotonic() + _RENEW_AFTER_SECONDS)

    def header(self, token: Token) -> str:
        return f"AnaplanAuthToken {token.value.reveal()}"

    def _request(self, call: str, authorization: str) -> httpx.Request:
        url = f"{self._config.auth_url.rstrip('/')}/token/{call}"
        return httpx.Request("POST", url, headers={"Authorization": authorization, "Accept": "application/json"})
