"""What may stand between a client and the sandbox: a line that cuts bytes oddly, and a go-between that alters answers as raw bytes."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
_PIECES = (1, 7, 100, 1000, 5000)


@dataclass(frozen=True)
class Answered:
    """One answer on its way: the request's first line, and the answer's head (with its empty line) and body."""

    request: bytes
    head: bytes
    body: bytes


Alter = Callable[[Answered], bytes]
"""What is sent in an answer's place."""


@contextmanager
def bad_line(port: int, seed: int) -> Iterator[int]:
    """A way to that port on which everything comes in odd little pieces, as loss and repetition on the way look to whoever reads."""

    def carry(source: socket.socket, sink: socket.socket, dice: random.Random) -> None:
        try:
            while data := source.recv(65536):
                while data:
                    size = dice.choice(_PIECES)
                    sink.sendall(data[:size])
                    data = data[size:]
                    if dice.random() < 0.02:
                        threading.Event().wait(0.002)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()

    def connected(near: socket.socket, number: int) -> None:
        far = socket.create_connection((LOOPBACK, port))
        for ends in ((near, far), (far, near)):
            threading.Thread(target=carry, args=(*ends, random.Random(seed + number)), daemon=True).start()

    with _door(connected) as there:
        yield there


@contextmanager
def go_between(port: int, alter: Alter) -> Iterator[int]:
    """A way to that port on which each answer is what `alter` makes of it; an answer that does not say its length ends the connection."""

    def serve(near: socket.socket, _: int) -> None:
        with suppress(OSError), near, socket.create_connection((LOOPBACK, port)) as far:
            asked, told = near.makefile("rb"), far.makefile("rb")
            while (request := _message(asked))[0]:
                far.sendall(b"".join(request))
                head, body = _message(told)
                sent = alter(Answered(request[0].partition(b"\r\n")[0], head, body))
                near.sendall(sent)
                if b"content-length:" not in sent.partition(b"\r\n\r\n")[0].lower():
                    return

    with _door(lambda near, number: threading.Thread(target=serve, args=(near, number), daemon=True).start()) as there:
        yield there


def _message(source: "socket.SocketIO | object") -> tuple[bytes, bytes]:
    """Head and body of one message, each b"" at the end."""
    head, size = b"", 0
    while line := source.readline():  # type: ignore[attr-defined]
        head += line
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
        if line == b"\r\n":
            return head, source.read(size)  # type: ignore[attr-defined]
    return b"", b""


@contextmanager
def _door(connected: Callable[[socket.socket, int], None]) -> Iterator[int]:
    """A port of its own; what comes in is handed over, counted."""
    with socket.create_server((LOOPBACK, 0)) as door:

        def accept() -> None:
            for number in range(10_000):
                try:
                    near, _ = door.accept()
                except OSError:
                    return
                connected(near, number)

        threading.Thread(target=accept, daemon=True).start()
        yield door.getsockname()[1]
