"""The one caller through which every byte to a foreign system goes. The verb chosen says what may happen twice."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import tenacity

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError, WaitingError
from mlc_pipelines.transport.answers import REDIRECTS, Answer, encode, error_for
from mlc_pipelines.transport.budget import Budget, Metered, Unlimited, same_site
from mlc_pipelines.transport.secret import redacted
from mlc_pipelines.transport.wire import BodyTooLarge, WireTransport


class AnswerTooLargeError(SetupError):
    """An answer had more bytes than are allowed; less must be asked for at once."""


Explain = Callable[[Answer], PipelineError | None]
_HOPS_MAX = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Every call and every loop ends: seconds per connection, per silence, per call; bytes per answer; attempts and seconds per read."""

    connect_seconds: float = 10.0
    read_seconds: float = 120.0
    deadline_seconds: float = 900.0
    body_bytes_max: int = 64 << 20
    download_bytes_max: int = 8 << 30
    attempts: int = 6
    retry_seconds: float = 600.0


@dataclass
class Caller:
    """Calls one system, at base_url and nowhere else. explain turns a failed answer into a better error than the general table, or None to leave it.

    follow_same_site: a redirect of a GET within scheme, host and port of base_url is followed; every other one is an error (A16).
    budget: what everybody together may send to that system.

    read      harmless; retried on TransientError with full jitter, heeding Retry-After, within the limits
    repeat    a write that is the same when done twice (a chunk by its number); retried like a read
    write     sent once. UncertainError when it may have been carried out, TransientError when it surely was not
    download  a read whose whole answer goes to a file
    """

    system: str
    base_url: str
    auth: httpx.Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    explain: Explain | None = None
    limits: Limits = field(default_factory=Limits)
    ca_file: str | None = None
    sleep: Callable[[float], None] = time.sleep
    budget: Budget = field(default_factory=Unlimited)
    follow_same_site: bool = False

    def __post_init__(self) -> None:
        wire = WireTransport(
            connect_seconds=self.limits.connect_seconds, read_seconds=self.limits.read_seconds, ca_file=self.ca_file
        )
        metered = Metered(wire, self.budget)
        self._client = httpx.Client(transport=metered, auth=self.auth, headers=dict(self.headers), trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def read(self, method: str, path: str, *, expect: Collection[int] = (200,), **request: Any) -> Answer:
        return self._retrying()(self._exchange, method, path, expect, wrote=False, **request)

    def repeat(self, method: str, path: str, *, expect: Collection[int] = (200, 204), **request: Any) -> Answer:
        return self._retrying()(self._exchange, method, path, expect, wrote=False, **request)

    def write(
        self, method: str, path: str, *, expect: Collection[int] = (200, 201, 202, 204), **request: Any
    ) -> Answer:
        return self._exchange(method, path, expect, wrote=True, **request)

    def download(
        self, method: str, path: str, into: Path, *, expect: Collection[int] = (200,), **request: Any
    ) -> Answer:
        """The whole answer in a file; the Answer's body is empty. A file that could not be completed is not left behind."""
        return self._retrying()(self._to_file, method, path, into, expect, **request)

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_another_try),
            wait=_wait,
            stop=tenacity.stop_after_attempt(self.limits.attempts)
            | tenacity.stop_after_delay(self.limits.retry_seconds),
            sleep=self.sleep,
            reraise=True,
        )

    def _exchange(self, method: str, path: str, expect: Collection[int], *, wrote: bool, **request: Any) -> Answer:
        for _ in range(_HOPS_MAX):
            with self._sent(method, path, self.limits.body_bytes_max, wrote=wrote, **request) as (call, response):
                answer = Answer(call, response.status_code, response.headers, _whole(response), wrote)
            if answer.status in expect or not (path := self._onward(method, response)):
                break
            request.pop("params", None)  # the new address has its own
        self._require(answer, expect, wrote=wrote)
        return answer

    def _onward(self, method: str, response: httpx.Response) -> str:
        """Where a GET was sent on to within the same site; "" when it was not, or must not be."""
        location = response.headers.get("location")
        if not (self.follow_same_site and method == "GET" and response.status_code in REDIRECTS and location):
            return ""
        try:
            target = response.url.join(location)
        except httpx.InvalidURL:
            return ""
        return str(target) if same_site(self.base_url, target) else ""

    def _to_file(self, method: str, path: str, into: Path, expect: Collection[int], **request: Any) -> Answer:
        try:
            with self._sent(method, path, self.limits.download_bytes_max, wrote=False, **request) as (call, response):
                if response.status_code not in expect:
                    answer = Answer(call, response.status_code, response.headers, response.read())
                    self._require(answer, expect, wrote=False)
                blocks = response.iter_raw()
                first = next(blocks, b"")
                Answer(call, response.status_code, response.headers, first).require_no_html()
                with into.open("wb") as file:
                    for block in chain([first], blocks):
                        file.write(block)
                return Answer(call, response.status_code, response.headers, b"")
        except BaseException:  # a full disk or a stopped run must not leave half a file either
            into.unlink(missing_ok=True)
            raise

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        body_bytes_max: int,
        *,
        wrote: bool,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> Iterator[tuple[str, httpx.Response]]:
        """One request on the wire, its failures told as our errors. path is joined to base_url; a whole address must be of the same site."""
        call = f"{self.system} {method} {path.partition('?')[0]}"
        url = self._address(call, path)
        said = dict(headers or {})
        if json is not None:
            content, said = encode(json), {"Content-Type": "application/json", **said}
        limits = {"deadline": time.monotonic() + self.limits.deadline_seconds, "body_bytes_max": body_bytes_max}
        try:
            built = self._client.build_request(method, url, content=content, headers=said, extensions=limits, **request)
            response = self._client.send(built, stream=True)
            try:
                yield call, response
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise TransientError(
                f"{call} failed: {error}.",
                next_step="Check the address in the connection file, the network and the proxy.",
            ) from None
        except BodyTooLarge as error:
            too_large = f"{call} got {error}."
            if wrote and error.request is built:
                raise UncertainError(too_large, holds="The call was carried out, its answer was not used.") from None
            raise AnswerTooLargeError(too_large, holds="The answer was not used.") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise SetupError(
                f"{call} cannot be sent: {error}.", next_step="Check the address in the connection file."
            ) from None
        except httpx.TransportError as error:
            if wrote and error.request is built:  # and not a log-in before it, which changes nothing
                raise UncertainError(
                    f"{call} got no answer ({error}).", holds="It may have been carried out."
                ) from None
            raise TransientError(f"{call} got no whole answer ({error}).") from None

    def _address(self, call: str, path: str) -> str:
        if not path.startswith(("https://", "http://")):
            return self.base_url + path
        if not same_site(self.base_url, httpx.URL(path)):
            raise SetupError(
                f"{redacted(call)} was not sent: that address belongs to another site than {self.base_url}.",
                holds="Nothing was sent there.",
                next_step="Check the addresses in the connection file.",
            )
        return path

    def _require(self, answer: Answer, expect: Collection[int], *, wrote: bool) -> None:
        if answer.status in expect:
            return
        raise (self.explain and self.explain(answer)) or error_for(answer, wrote=wrote)


def _whole(response: httpx.Response) -> bytes:
    """The body, in one piece where the wire can bring it so."""
    whole: Callable[[], bytes] | None = response.extensions.get("whole")
    return response.read() if whole is None or response.is_stream_consumed else whole()


def _worth_another_try(error: BaseException) -> bool:
    """Whoever has waited as long as was allowed does not begin anew."""
    return isinstance(error, TransientError) and not isinstance(error, WaitingError)


def _wait(state: tenacity.RetryCallState) -> float:
    """What the server asked for, plus full jitter so that many callers do not come back together."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, TransientError) else 0.0
    return asked + tenacity.wait_random_exponential(multiplier=0.5, max=60)(state)
