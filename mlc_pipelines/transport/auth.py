"""Log-in as a conversation: one token for a whole run, renewed before its end, asked for once more after a 401."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass

import httpx

from mlc_pipelines.transport.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its end on this machine's monotonic clock: foreign clocks do not decide when it is renewed."""

    value: Secret
    ends_at: float


class TokenAuth(httpx.Auth, ABC):
    """Carries one token for all calls of one client. Log-in is single-flight: threads wait for it instead of repeating it.

    A 401 leads to exactly one new log-in and one repetition of the call (401 means that nothing was carried out); a second 401 is the caller's answer.
    """

    def __init__(self) -> None:
        self._token: Token | None = None
        self._log_in = threading.Lock()

    @abstractmethod
    def token_request(self, old: Token | None) -> httpx.Request:
        """The request that brings a token; old is the one about to end, where renewing it is possible."""

    @abstractmethod
    def token_from(self, response: httpx.Response) -> Token:
        """The token in the answer to that request. Raises SetupError when it was refused, TransientError when the service is busy."""

    @abstractmethod
    def header(self, token: Token) -> str:
        """The Authorization header of a call."""

    @property
    def token(self) -> Token | None:
        """The token in hand, if any: what a sign-out must name."""
        return self._token

    def forget(self) -> None:
        self._token = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = yield from self._usable(worn_out=None)
        request.headers["Authorization"] = self.header(token)
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            response.read()
            token = yield from self._usable(worn_out=token)
            request.headers["Authorization"] = self.header(token)
            yield request

    def _usable(self, *, worn_out: Token | None) -> Generator[httpx.Request, httpx.Response, Token]:
        """The token in hand, or a new one when there is none, it nears its end, or it is the worn-out one."""
        with self._log_in:
            token = self._token
            if token is not None and token is not worn_out and time.monotonic() < token.ends_at:
                return token
            response = yield self.token_request(None if token is worn_out else token)
            response.read()
            self._token = self.token_from(response)
            return self._token
