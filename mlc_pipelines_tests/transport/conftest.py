"""A server on raw sockets that answers exactly what a test tells it, also what no decent server would ever send."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from mlc_pipelines.transport import secret


@pytest.fixture(autouse=True)
def nothing_revealed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests of other rooms revealed in this process may be an everyday word."""
    monkeypatch.setattr(secret, "_REVEALED", set())
    monkeypatch.setattr(secret, "_LONGEST_FIRST", [])


@dataclass(frozen=True)
class Asked:
    """One request as it came in. headers have lower-case names; connection numbers the connection it came on."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


Act = Callable[[Asked, socket.socket], object]
Choice = Callable[[Asked], bytes]
Reply = bytes | Act
"""Bytes are sent and the connection stays open; a function does as it likes, and the connection is closed after it unless it returns True."""


@dataclass
class RawServer:
    """script: path without query -> replies in order; the last one is repeated. Every request that came in is kept in asked."""

    script: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self.wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def count(self, method: str, path: str, *, at_least: int = 0) -> int:
        """How often it was asked; a client that gave up early may be ahead of the server, so some must have come before the count."""
        while True:
            found = sum(1 for one in self.asked if (one.method, one.path.partition("?")[0]) == (method, path))
            if found >= at_least or self.stopped.wait(0.005):
                return found

    def stop(self) -> None:
        self.stopped.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    # replies

    @staticmethod
    def whole(body: bytes | str = b"{}", status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
        """A decent answer. Header names are written with _ for -."""
        content = body.encode() if isinstance(body, str) else body
        said = {"Content-Type": kind, "Content-Length": str(len(content))}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode("latin-1") + content

    @staticmethod
    def cut(content: bytes) -> Act:
        """These bytes, and then the connection ends in good order."""
        return lambda _asked, connection: connection.sendall(content)

    @staticmethod
    def reset(_asked: Asked, connection: socket.socket) -> None:
        """No byte; the connection is torn down."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def trickle(self, whole: bytes, then: bytes) -> Act:
        """The first part at once, the second one byte by byte, over and over, until the client has had enough."""

        def act(_asked: Asked, connection: socket.socket) -> None:
            connection.sendall(whole)
            while not self.stopped.is_set():
                for byte in then:
                    connection.sendall(bytes([byte]))
                    self.stopped.wait(0.01)

        return act

    @staticmethod
    def by(choose: Choice) -> Act:
        """An answer that depends on the request; the connection stays open."""

        def act(asked: Asked, connection: socket.socket) -> bool:
            connection.sendall(choose(asked))
            return True

        return act

    # the machinery

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(plain, self.connections), daemon=True).start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        try:
            with self.wrap(plain) as connection, connection.makefile("rb") as stream:
                while asked := _read(stream, number):
                    reply = self._next(asked)
                    if isinstance(reply, bytes):
                        connection.sendall(reply)
                    elif reply(asked, connection) is not True:
                        return
        except OSError:
            return  # the client went away, as several tests want it to

    def _next(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            replies = self.script.get(asked.path.partition("?")[0], [self.whole('{"error": "not scripted"}', 404)])
            return replies.pop(0) if len(replies) > 1 else replies[0]


def _read(stream: object, number: int) -> Asked | None:
    line = stream.readline()  # type: ignore[attr-defined]
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = {}
    while (line := stream.readline().decode("latin-1").strip()) != "":  # type: ignore[attr-defined]
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(method, path, headers, stream.read(int(headers.get("content-length", "0"))), number)  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.stop()


@pytest.fixture
def second_server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.stop()


@pytest.fixture
def nobody() -> str:
    """The address of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return f"http://127.0.0.1:{gone.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own way to loopback does not depend on the machine's proxy settings."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
