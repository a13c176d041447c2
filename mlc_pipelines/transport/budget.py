"""Requests per minute as one budget for everybody who calls the same system: asked before each request, told of each refusal."""

from collections.abc import Iterable
from typing import Protocol

import httpx

from mlc_pipelines.transport.answers import retry_after_seconds


class Budget(Protocol):
    """What a whole installation may send to one system. Kept by the store, handed in by wiring."""

    def take(self) -> float:
        """Return as soon as one more request may leave; how many seconds that took. Raises WaitingError after the stated limit."""
        ...

    def refused(self, seconds: float) -> None:
        """The system answered 429: nobody sends anything for so long. 0 where it named no time."""
        ...


class Unlimited:
    """For systems that state no limit, and for tests of something else."""

    def take(self) -> float:
        return 0.0

    def refused(self, seconds: float) -> None:
        """Each caller heeds its own refusal."""


class Metered(httpx.BaseTransport):
    """Every request on the wire takes its share: log-ins, polls, chunks and repetitions too. Waiting does not use up a call's deadline."""

    def __init__(self, wire: httpx.BaseTransport, budget: Budget) -> None:
        self._wire = wire
        self._budget = budget

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        waited_seconds = self._budget.take()
        if "deadline" in request.extensions:
            request.extensions["deadline"] += waited_seconds
        response = self._wire.handle_request(request)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self._budget.refused(retry_after_seconds(response.headers))
        return response

    def close(self) -> None:
        self._wire.close()


def same_site(base_url: str, url: httpx.URL) -> bool:
    """Whether both have one scheme, host and port."""
    base = httpx.URL(base_url)
    return _site(base) == _site(url)


def _site(url: httpx.URL) -> Iterable[object]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
