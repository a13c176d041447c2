"""A line to far away, for one machine: a TCP relay that delays each direction and lets so many bytes a second through each connection.

What leaves at one end is held back by the line's own speed (the sender feels that it is full), and comes out half a round trip later.
A connection is made at once; only what goes through it is delayed.
"""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LOOPBACK = "127.0.0.1"
_BLOCK = 64 << 10
_LATE_SECONDS = 0.01


@contextmanager
def far_away(port: int, *, round_trip_seconds: float, bytes_per_second: float) -> Iterator[int]:
    """The port under which the given port answers as if it were far away."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * _BLOCK)  # or megabytes would leave at once
        line = _Line(port, round_trip_seconds / 2, bytes_per_second)
        threading.Thread(target=line.accept_all, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


class _Line:
    def __init__(self, port: int, delay_seconds: float, bytes_per_second: float) -> None:
        self._port = port
        self._delay_seconds = delay_seconds
        self._bytes_per_second = bytes_per_second

    def accept_all(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:  # closed: the bench is over
                return
            far = socket.create_connection((LOOPBACK, self._port))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._relay(near, far)
            self._relay(far, near)

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        """One direction. Bytes on their way wait in a queue with the instant of their arrival; b"" says that no more come."""
        on_their_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._take, args=(source, on_their_way), daemon=True).start()
        threading.Thread(target=self._give, args=(on_their_way, target), daemon=True).start()

    def _take(self, source: socket.socket, on_their_way: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        free_at, block = 0.0, b"more"
        while block:
            try:
                block = source.recv(_BLOCK)
            except OSError:
                block = b""
            # A little lateness of a sleep is made up for, or the line would be slower than stated.
            free_at = max(free_at, time.monotonic() - _LATE_SECONDS) + len(block) / self._bytes_per_second
            on_their_way.put((free_at + self._delay_seconds, block))
            _sleep_until(free_at)

    def _give(self, on_their_way: "queue.SimpleQueue[tuple[float, bytes]]", target: socket.socket) -> None:
        block = b"more"
        while block:
            arrives_at, block = on_their_way.get()
            _sleep_until(arrives_at)
            try:
                target.sendall(block) if block else target.shutdown(socket.SHUT_WR)
            except OSError:  # the other end has gone
                return


def _sleep_until(instant: float) -> None:
    if (seconds := instant - time.monotonic()) > 0:
        time.sleep(seconds)
