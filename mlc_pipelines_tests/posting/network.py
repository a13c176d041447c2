"""Between a client and the ERP: requests that are still on their way when their sender has given up, and workers that are stopped between two of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from mlc_pipelines.transport.wire import WireTransport
from mlc_pipelines_tests.posting.books import Killed

Send = Callable[[WireTransport, httpx.Request], httpx.Response]


@dataclass
class Network:
    """Real HTTP, of which a request may arrive later. is_write: tells by method and path which ones a test means.

    late_in: how many writes pass before the next one is late; None for none. on_its_way: what was sent and has not arrived.
    """

    is_write: Callable[[httpx.Request], bool]
    late_in: int | None = None
    on_its_way: list[httpx.Request] = field(default_factory=list)

    @contextmanager
    def between(self) -> Iterator["Network"]:
        """Everything that any client of this process sends goes through here."""
        send: Send = WireTransport.handle_request

        def sent(wire: WireTransport, request: httpx.Request) -> httpx.Response:
            if self._is_late(request):
                request.read()
                self.on_its_way.append(request)
                raise httpx.ReadTimeout("the answer did not come in time", request=request)
            return send(wire, request)

        WireTransport.handle_request = sent  # type: ignore[method-assign]
        try:
            yield self
        finally:
            WireTransport.handle_request = send  # type: ignore[method-assign]

    def _is_late(self, request: httpx.Request) -> bool:
        if self.late_in is None or not self.is_write(request):
            return False
        self.late_in = self.late_in - 1 if self.late_in else None
        return self.late_in is None

    def arrives(self) -> None:
        """Everything on its way reaches the ERP, as it was sent; nobody hears the answers."""
        if self.on_its_way:
            with httpx.Client(trust_env=False, verify=False) as client:
                for request in self.on_its_way:
                    with suppress(httpx.HTTPError):  # it may meet trouble of its own
                        client.request(request.method, request.url, headers=request.headers, content=request.content)
        self.on_its_way.clear()


class Worker:
    """Somebody at work in a thread of its own, who goes on from one gate to the next when told, and may be killed at any."""

    def __init__(self, work: Callable[["Worker"], Any]) -> None:
        self._work = work
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._killed = self._dies_after = self.ended = False
        self.result: Any = None
        self.error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()
        self._stands.acquire()

    def _run(self) -> None:
        try:
            self.result = self._work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  # told in the test's own thread
            self.error = error
        self.ended = True
        self._stands.release()

    def gate(self) -> None:
        """Wait here until told to go on."""
        self._stands.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def pass_by(self) -> None:
        """What was to be done is done; whoever was to die right after it dies here."""
        if self._dies_after:
            raise Killed

    def go_on(self, *, gates: int = 1) -> None:
        while gates and not self.ended:
            self._go.release()
            self._stands.acquire()
            gates -= 1
        if self.error:
            raise self.error

    def die(self, *, after: bool) -> None:
        """At the gate, or just after what comes next."""
        self._killed, self._dies_after = not after, after
        while not self.ended:
            self.go_on()


class Gated:
    """Plan books whose every call is a gate of its worker."""

    def __init__(self, books: Any, worker: Worker) -> None:
        self._books, self._worker = books, worker

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._books, name)

        def gated(*given: Any) -> Any:
            self._worker.gate()
            try:
                return call(*given)
            finally:
                self._worker.pass_by()

        return gated
