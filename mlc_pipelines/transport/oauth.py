"""OAuth 2.0 in runs: access tokens by refresh token, the newest refresh token always kept before anything else is done.

A system may answer a refresh with a new refresh token and end the old one [S Anaplan COMM-device, "rotatable"; S Acumatica DOC
OAuthOIDC_Registration_SlidingExpiration]. Whoever loses the new one needs a person to log in again; so it is stored first, and one
process at a time asks.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

import httpx

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer, decode, error_for
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.secret import Secret

_RENEW_AT_SHARE = 0.8
_TRY_AGAIN_SECONDS = 60.0
_OAUTH_REFUSALS = {400, 401, 403}


class TokenKeeper(Protocol):
    """Where the newest refresh token of one log-in lies, encrypted, for all processes of an installation."""

    @property
    def remedy(self) -> str:
        """What a person does when the log-in is missing or has ended."""
        ...

    def held(self) -> AbstractContextManager[object]:
        """Alone with it, among all processes. Raises TransientError when others keep it too long."""
        ...

    def newest(self, application: str) -> Secret:
        """Raises SetupError when nobody has logged in yet, or only to another application."""
        ...

    def keep(self, refresh_token: Secret, application: str) -> None:
        """Durable when it returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """One application as it is registered with one system. client_secret: None for device-grant clients, which have none.

    authorize_url and device_url: the addresses of the two ways to log in; "" where the system or the registration has not got it.
    """

    system: str
    client_id: Secret
    client_secret: Secret | None
    scope: str
    token_url: str
    authorize_url: str = ""
    device_url: str = ""
    ca_file: str | None = None

    @property
    def application(self) -> str:
        """What a refresh token is bound to: it is never sent to another address or for another client. The client id cannot be read from it."""
        return sha256(f"{self.token_url} {self.client_id.reveal()}".encode()).hexdigest()

    def form(self, grant_type: str, **more: str) -> dict[str, str]:
        """A token request as form fields, which both systems take [S Acumatica; C Anaplan SDK, AUD4]. The secret only where there is one."""
        said = {"grant_type": grant_type, "client_id": self.client_id.reveal(), **more}
        if self.client_secret is not None:
            said["client_secret"] = self.client_secret.reveal()
        return said


@dataclass(frozen=True, slots=True)
class Granted:
    """What a token request brought. refresh_token is None where the old one stays good."""

    access_token: Secret
    seconds: int
    refresh_token: Secret | None


def granted_in(answer: Answer, *, keep: Callable[[Secret], None] = lambda _token: None) -> Granted:
    """The tokens in a good answer; keep is given the refresh token before anything else is looked at.

    Raises TransientError on unreadable JSON, SetupError when there is no access token with its life time. No error carries a part of the answer.
    """
    said = fields_of(answer)
    refresh = said.get("refresh_token")
    refresh_token = Secret(refresh, "refresh token") if isinstance(refresh, str) and refresh.strip() else None
    if refresh_token is not None:
        keep(refresh_token)
    value, seconds = said.get("access_token"), said.get("expires_in")
    if not isinstance(value, str) or not value.strip() or not isinstance(seconds, int) or seconds <= 0:
        raise SetupError(
            f"{answer.call} answered {answer.status} without an access token and its life time.",
            holds="Nothing was read or sent.",
            next_step="Check the address in the connection file: something else may be answering in its place.",
        )
    return Granted(Secret(value, "access token"), seconds, refresh_token)


def fields_of(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer that may carry tokens: an error tells none of its text. Raises TransientError when it is not JSON."""
    answer.require_no_html()
    try:
        said = decode(answer.body)
    except ValueError:
        raise TransientError(f"{answer.call} answered {answer.status} with unreadable JSON.") from None
    return said if isinstance(said, dict) else {}


def withheld(answer: Answer) -> Answer:
    """The same answer without its text, for an error that is not known to be free of tokens (K02)."""
    return replace(answer, body=b"(its text is not shown, for it may hold a token)")


def oauth_error(answer: Answer) -> str:
    """The OAuth error code of a refusal, such as invalid_grant; "" for every other answer."""
    if answer.status not in _OAUTH_REFUSALS:
        return ""
    try:
        said = decode(answer.body)
    except ValueError:
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) <= 40 else ""


def refused(answer: Answer, client: OAuthClient, remedy: str) -> PipelineError:
    """What a refused token request means, for whoever has to mend it."""
    match oauth_error(answer):
        case "":
            return error_for(withheld(answer), wrote=False)
        case "invalid_grant" | "access_denied" | "expired_token" as code:
            return SetupError(
                f"{client.system} no longer accepts the stored log-in ({code}): it has ended, was withdrawn, or the answer to an "
                "earlier renewal was lost and its successor with it.",
                holds="Nothing was read or sent.",
                next_step=remedy,
            )
        case "invalid_client" | "unauthorized_client" as code:
            return SetupError(
                f"{client.system} does not know the stored client id, its secret is wrong, or it is registered for another way to log in ({code}).",
                holds="Nothing was read or sent.",
                next_step="Compare the stored credential with the registration of the client; an administrator of the system sees it.",
            )
        case code:
            return SetupError(
                f"{client.system} refused to give a token ({code}).",
                holds="Nothing was read or sent.",
                next_step="An administrator of the system must check the registration of the client.",
            )


class RefreshAuth(TokenAuth):
    """Access tokens from the kept refresh token. All of it happens while the keeper is held: a process that comes second takes the newer token.

    When an answer gets lost the next attempt uses the newest token stored; where that one is dead, SetupError says how to log in again.
    """

    def __init__(
        self, client: OAuthClient, keeper: TokenKeeper, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(sleep=sleep)
        self._client = client
        self._keeper = keeper

    def token_request(self, old: Token | None) -> httpx.Request:  # noqa: ARG002  (an access token cannot be prolonged)
        form = self._client.form("refresh_token", refresh_token=self._keeper.newest(self._client.application).reveal())
        return httpx.Request("POST", self._client.token_url, data=form, headers={"Accept": "application/json"})

    def token_from(self, response: httpx.Response) -> Token:
        answer = Answer(f"{self._client.system} log-in", response.status_code, response.headers, response.content)
        if answer.status != httpx.codes.OK:
            raise self.refusal(answer)
        granted = granted_in(answer, keep=lambda newer: self._keeper.keep(newer, self._client.application))
        return Token(granted.access_token, time.monotonic() + granted.seconds * _RENEW_AT_SHARE)

    def header(self, token: Token) -> str:
        return f"Bearer {token.value.reveal()}"

    def refusal(self, answer: Answer) -> PipelineError:
        """What a refused refresh means; a system that has more to say about it says it here."""
        return refused(answer, self._client, self._keeper.remedy)

    def _obtained(self, old: Token | None) -> Generator[httpx.Request, httpx.Response, Token]:
        with self._keeper.held():
            response = yield self.token_request(old)
            response.read()
            if old is not None and (response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error):
                # The service is busy, and the token in hand lives on for a fifth of its life.
                return Token(old.value, time.monotonic() + _TRY_AGAIN_SECONDS)
            return self.token_from(response)
