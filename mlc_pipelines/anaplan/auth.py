"""Basic log-in: a token of 35 minutes, one for a whole run, renewed before its end and asked for once more after a 401."""

import time
from base64 import b64encode

import httpx

from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.transport.answers import Answer, decode, error_for
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.secret import Secret

# 35 minutes measured live, although some pages say 30 [S OAS authentication README]; renewed at 80 % of that.
_RENEW_AFTER_SECONDS = 0.8 * 35 * 60
_TRY_AGAIN_SECONDS = 60.0
_REFRESH = "/token/refresh"
_REFUSED = {400, 401, 403}  # FAILURE_BAD_HEADER, FAILURE_BAD_CREDENTIAL [S OAS authentication]; 403 by analogy


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
        if answer.status != httpx.codes.OK and self.token and response.request.url.path.endswith(_REFRESH):
            # It may well live on for a while. Should it be dead, the next call's 401 leads to a new log-in.
            return Token(self.token.value, time.monotonic() + _TRY_AGAIN_SECONDS)
        if answer.status in _REFUSED:
            raise SetupError(
                f"Anaplan refused the log-in of {self._credential.username} at {self._config.auth_url} ({answer.status}).",
                holds="Nothing was read or sent.",
                next_step="Store the right password with `mlc secrets set`. Where single sign-on is enforced, a workspace administrator must make the user an exception user; passwords end after about three months.",
            )
        if answer.status not in {200, 201}:
            raise error_for(answer, wrote=False)
        return Token(self._token_in(answer), time.monotonic() + _RENEW_AFTER_SECONDS)

    def _token_in(self, answer: Answer) -> Secret:
        answer.require_no_html()
        try:
            content = decode(answer.body)
        except ValueError:  # told without its text: this is the one answer that carries a token
            raise TransientError(f"{answer.call} answered {answer.status} with unreadable JSON.") from None
        info = content.get("tokenInfo") if isinstance(content, dict) else None
        value = info.get("tokenValue") if isinstance(info, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise SetupError(
                f"Anaplan's log-in of {self._credential.username} at {self._config.auth_url} answered {answer.status} without a token.",
                holds="Nothing was read or sent.",
                next_step="Check `anaplan.auth_url` in the connection file.",
            )
        return Secret(value, "token")

    def header(self, token: Token) -> str:
        return f"AnaplanAuthToken {token.value.reveal()}"

    def _request(self, call: str, authorization: str) -> httpx.Request:
        url = f"{self._config.auth_url.rstrip('/')}/token/{call}"
        return httpx.Request("POST", url, headers={"Authorization": authorization, "Accept": "application/json"})
