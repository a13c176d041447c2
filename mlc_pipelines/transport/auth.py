"""Log-in as a conversation: one token for a whole run, renewed before its end, asked for once more after a 401."""

import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass

import httpx

from mlc_pipelines.transport.secret import Secret

_ROUNDS_MAX = 3
_LONGEST_FIRST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its end on this machine's monotonic clock: foreign clocks do not decide when it is renewed."""

    value: Secret
    ends_at: float


class TokenAuth(httpx.Auth, ABC):
    """Carries one token for all calls of one client. Log-in is single-flight: threads wait for it instead of repeating it.

    A 401 leads to exactly one new log-in and one repetition of the call (401 means that nothing was carried out); a second 401 is
    the caller's answer. Only where `probe` shows that the new token was ended as well, because somebody else logged in meanwhile,
    are there more rounds: three at most, each after a pause of a random length, so that two processes do not fight.
    """

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._token: Token | None = None
        self._log_in = threading.Lock()
        self._sleep = sleep

    @abstractmethod
    def token_request(self, old: Token | None) -> httpx.Request:
        """The request that brings a token; old is the one about to end, where renewing it is possible."""

    @abstractmethod
    def token_from(self, response: httpx.Response) -> Token:
        """The token in the answer to that request. Raises SetupError when it was refused, TransientError when the service is busy."""

    @abstractmethod
    def header(self, token: Token) -> str:
        """The Authorization header of a call."""

    def ends_token(self, refusal: httpx.Response) -> bool:  # noqa: ARG002  (for those that can tell)
        """Whether a 401 is about the token. Some systems also answer it to a wrong key or a missing right, which no new token mends."""
        return True

    def probe(self, token: Token) -> httpx.Request | None:  # noqa: ARG002  (for those that have one)
        """A question that every living token is answered 200 to, and an ended one 401; None where the system has no such question."""
        return None

    @property
    def token(self) -> Token | None:
        """The token in hand, if any: what a sign-out must name."""
        return self._token

    def forget(self) -> None:
        self._token = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = yield from self._usable(worn_out=None)
        for rounds in range(_ROUNDS_MAX):
            request.headers["Authorization"] = self.header(token)
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            response.read()
            if not self.ends_token(response):
                return
            if rounds:
                if (question := self.probe(token)) is None:
                    return
                if not (yield from self._has_ended(question)):
                    break
                self._sleep(random.uniform(0, _LONGEST_FIRST_PAUSE_SECONDS * 2**rounds))  # noqa: S311  jitter, not a secret
            token = yield from self._usable(worn_out=token)
        request.headers["Authorization"] = self.header(token)
        yield request

    def _has_ended(self, question: httpx.Request) -> Generator[httpx.Request, httpx.Response, bool]:
        response = yield question
        response.read()
        return response.status_code == httpx.codes.UNAUTHORIZED

    def _usable(self, *, worn_out: Token | None) -> Generator[httpx.Request, httpx.Response, Token]:
        """The token in hand, or a new one when there is none, it nears its end, or it is the worn-out one."""
        with self._log_in:
            token = self._token
            if token is not None and token is not worn_out and time.monotonic() < token.ends_at:
                return token
            self._token = yield from self._obtained(None if token is worn_out else token)
            return self._token

    def _obtained(self, old: Token | None) -> Generator[httpx.Request, httpx.Response, Token]:
        response = yield self.token_request(old)
        response.read()
        return self.token_from(response)
