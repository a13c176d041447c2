"""The head of an answer, status line and headers, within one time limit as a whole.

A socket's time-out starts anew with each byte, so a server that sends a byte now and then could keep a caller for ever.
"""

import http.client
import io
import socket
import time

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class _HeadInTime(http.client.HTTPResponse):
    """An answer whose head must be there within the socket's read time-out, counted once."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._lines = _LinesInTime(self.fp, sock)

    def begin(self) -> None:
        whole = self.fp
        self.fp = self._lines  # type: ignore[assignment]  # the head is read by readline alone
        try:
            super().begin()
        finally:
            self._lines.restore()
            if self.fp is not None:  # None once closed
                self.fp = whole

    def take_into(self, place: memoryview) -> int:
        """How much has come of a body of stated length, and is at its place now: the library's own ways copy each byte once or twice more.

        Raises urllib3's exceptions as those do, also where the body ends before its place is full.
        """
        if self.fp is None or self.length is None:
            raise urllib3.exceptions.ProtocolError("the answer is over")
        try:
            taken = self.fp.readinto1(place[: self.length])
        except TimeoutError:
            raise urllib3.exceptions.TimeoutError("nothing came in time") from None
        except OSError:
            raise urllib3.exceptions.ProtocolError("the connection broke") from None
        self.length -= taken
        if not (taken and self.length):
            self.close()
        if not taken:
            raise urllib3.exceptions.ProtocolError("the answer is over")
        return taken


def source_of(answer: urllib3.BaseHTTPResponse) -> _HeadInTime | None:
    """Where the bytes of an answer come from; None where this release of urllib3 keeps that elsewhere."""
    source = getattr(answer, "_fp", None)
    return source if isinstance(source, _HeadInTime) else None


class _LinesInTime:
    """readline over a socket's buffer, with one time limit for all lines together."""

    def __init__(self, source: io.BufferedReader, sock: socket.socket) -> None:
        self._source = source
        self._socket = sock
        self._usual_seconds = sock.gettimeout()
        self._begun = False
        self._ends_at = time.monotonic() + (self._usual_seconds or float("inf"))

    def readline(self, limit: int) -> bytes:
        line = b""
        while not line.endswith(b"\n") and len(line) < limit:
            self._require_time()
            ready = self._source.peek(1)  # at most one wait for the socket
            if not ready and (line or self._begun):
                raise http.client.IncompleteRead(line)  # the standard library would take half a head for a whole one
            if not ready:
                break
            self._begun = True
            line += self._source.read(min(ready.find(b"\n") + 1 or len(ready), limit - len(line)))
        return line

    def close(self) -> None:
        self._source.close()

    def restore(self) -> None:
        """The usual time-out again, for the body."""
        self._socket.settimeout(self._usual_seconds)

    def _require_time(self) -> None:
        left_seconds = self._ends_at - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError("the head of the answer kept trickling")
        if self._usual_seconds:
            self._socket.settimeout(left_seconds)


class _Plain(HTTPConnection):
    response_class = _HeadInTime


class _Secure(HTTPSConnection):
    response_class = _HeadInTime


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS_WITH_HEAD_IN_TIME = {"http": _PlainPool, "https": _SecurePool}
