"""httpx's transport over urllib3: the bytes, with an overall deadline and limits on the body.

httpx's own transport costs 4 to 5 times the CPU of urllib3 on answers of several megabytes [measured: performance sheet 1];
its interface (authentication, requests, responses) stays.
"""

import io
import ssl
import time
import urllib.request
import zlib
from collections.abc import Iterator
from functools import cache, partial
from urllib.parse import unquote, urlsplit

import httpx
import urllib3

from mlc_pipelines.transport.head import POOLS_WITH_HEAD_IN_TIME, source_of

_BLOCK = 1 << 18
_SENT_AT_ONCE = 1 << 14
_UNSTATED_BYTES_MAX = 1 << 20
_NOT_PASSED_ON = {"content-encoding", "content-length", "transfer-encoding"}
_PLAIN = {"identity", ""}


class BodyTooLarge(httpx.TransportError):
    """The answer exceeds the stated limit, before or after decompression."""


class DeadlinePassed(httpx.TimeoutException):
    """The whole call took longer than its deadline, however lively the connection was."""


@cache
def _trusting(ca_file: str | None) -> ssl.SSLContext:
    """What this machine trusts, or the given authority alone. Reading it costs 50 ms, so it is read once a process."""
    return ssl.create_default_context(cafile=ca_file)


class WireTransport(httpx.BaseTransport):
    """Sends one request, never twice, and streams the answer decoded.

    Reads from request.extensions: `deadline` (a time.monotonic() instant) and `body_bytes_max`. Where the size of the body is stated, and not
    beyond the limit, response.extensions has `whole`, which reads it in one piece. Raises httpx's own exceptions:
    ConnectError and ConnectTimeout when nothing left this machine, any other TransportError when something may have.
    """

    def __init__(self, *, connect_seconds: float, read_seconds: float, ca_file: str | None = None) -> None:
        self._timeout = (connect_seconds, read_seconds)
        self._context = _trusting(ca_file)
        self._pools: dict[str | None, urllib3.PoolManager] = {}
        self._pool_of: dict[tuple[str, str], urllib3.PoolManager] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # A log-in's own requests come without limits; they get these, so that nothing is without.
        request.extensions.setdefault("deadline", time.monotonic() + self._timeout[1])
        request.extensions.setdefault("body_bytes_max", _UNSTATED_BYTES_MAX)
        try:
            answer = self._send(request)
        except urllib3.exceptions.HTTPError as error:
            raise _translated(error, request) from None
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON]
        body, size = _Body(answer, request), answer.length_remaining or 0
        stated = 0 < size <= request.extensions["body_bytes_max"] and _coding(answer) in _PLAIN
        extensions = {"whole": partial(body.whole, size)} if stated else {}
        return httpx.Response(answer.status, headers=headers, stream=body, extensions=extensions)

    def _send(self, request: httpx.Request) -> urllib3.BaseHTTPResponse:
        connect_seconds, read_seconds = self._timeout
        left_seconds = max(request.extensions["deadline"] - time.monotonic(), 0.001)
        # Content-Length is always said: IIS answers 411 to a POST without it [C acumatica-cli: docs/rest-api.md].
        body = request.read() or (b"" if request.method in {"POST", "PUT"} else None)
        return self._pool(request.url).urlopen(
            request.method,
            str(request.url),
            body=_blocks(body, request) if body and len(body) > _SENT_AT_ONCE else body,
            headers={name: value for name, value in request.headers.items() if name.lower() != "host"},
            preload_content=False,
            decode_content=False,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=min(connect_seconds, left_seconds), read=min(read_seconds, left_seconds)),
        )

    def _pool(self, url: httpx.URL) -> urllib3.PoolManager:
        """One pool per proxy that the environment names for this host (HTTPS_PROXY, NO_PROXY), as every other tool does; looked up once a host."""
        site = url.scheme, url.host
        if site not in self._pool_of:
            self._pool_of[site] = self._pool_by_way_of(_proxy_for(url))
        return self._pool_of[site]

    def _pool_by_way_of(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy not in self._pools:
            pools = (
                urllib3.ProxyManager(proxy, proxy_headers=_proxy_log_in(proxy), ssl_context=self._context, maxsize=8)
                if proxy
                else urllib3.PoolManager(ssl_context=self._context, maxsize=8)
            )
            pools.pool_classes_by_scheme = POOLS_WITH_HEAD_IN_TIME
            self._pools[proxy] = pools
        return self._pools[proxy]

    def close(self) -> None:
        for pool in self._pools.values():
            pool.clear()


def _blocks(body: bytes, request: httpx.Request) -> Iterator[memoryview]:
    """A large body piece by piece: a socket's time-out counts for one piece, so a slow line is not taken for a dead one (A14).

    As one piece, it would have to leave within the time for connecting. The call's deadline holds all the same.
    """
    for at in range(0, len(body), _SENT_AT_ONCE):
        if time.monotonic() > request.extensions["deadline"]:
            raise DeadlinePassed("the body could not be sent before its deadline", request=request)
        yield memoryview(body)[at : at + _SENT_AT_ONCE]


class _Body(httpx.SyncByteStream):
    """The decoded bytes of one answer; complete or an exception, never silently short."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._limited(self._decoded(self._raw()))
        except urllib3.exceptions.HTTPError as error:
            raise _translated(error, self._request) from None

    def whole(self, size: int) -> bytes:
        """All of so many bytes, each received at its place: kept until all are there, blocks would take twice the memory."""
        body = io.BytesIO(bytes(size))
        if (source := source_of(self._answer)) is None:
            body.writelines(self)
            return body.getvalue()
        try:
            with body.getbuffer() as place:
                at = 0
                while at < size:
                    at += source.take_into(place[at:])
                    self._require_time()
        except urllib3.exceptions.HTTPError as error:
            raise _translated(error, self._request) from None
        return body.getvalue()

    def _raw(self) -> Iterator[bytes]:
        while block := self._answer.read1(_BLOCK):
            yield block
            self._require_time()

    def _require_time(self) -> None:
        if time.monotonic() > self._request.extensions["deadline"]:
            raise DeadlinePassed("the answer kept trickling past its deadline", request=self._request)

    def _decoded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Plain bytes. A gzip stream that ends early is an error here; clients usually pass it on as an empty body."""
        coding = _coding(self._answer)
        if coding in _PLAIN:
            yield from blocks
            return
        if coding not in {"gzip", "x-gzip", "deflate"}:
            raise httpx.RemoteProtocolError(f"unknown content encoding {coding!r}", request=self._request)
        unpacker = zlib.decompressobj(47)  # zlib or gzip, by its own header
        for block in blocks:
            while block:
                if unpacker.eof:  # a gzip file may have several members, and all of them count (RFC 1952, 2.2)
                    unpacker = zlib.decompressobj(47)
                yield self._unpacked(unpacker, block)
                block = unpacker.unconsumed_tail or unpacker.unused_data
        if not unpacker.eof:
            raise httpx.RemoteProtocolError("the compressed answer ends before its end", request=self._request)

    def _unpacked(self, unpacker: "zlib._Decompress", block: bytes) -> bytes:
        try:
            return unpacker.decompress(block, _BLOCK * 4)
        except zlib.error as error:
            raise httpx.RemoteProtocolError(
                f"the compressed answer is damaged ({error})", request=self._request
            ) from None

    def _limited(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        left = allowed = self._request.extensions["body_bytes_max"]
        for block in blocks:
            left -= len(block)
            if left < 0:
                raise BodyTooLarge(f"an answer of more than {allowed:,} bytes", request=self._request)
            yield block

    def close(self) -> None:
        # A body that was not read to its end leaves the connection in the middle of an answer: never use it again.
        if self._answer.closed or self._answer.connection is None:
            self._answer.release_conn()
        else:
            self._answer.close()


def _proxy_for(url: httpx.URL) -> str | None:
    proxies = {} if urllib.request.proxy_bypass(url.host) else urllib.request.getproxies()
    return proxies.get(url.scheme)


def _coding(answer: urllib3.BaseHTTPResponse) -> str:
    return answer.headers.get("content-encoding", "identity").lower()


def _proxy_log_in(proxy: str) -> dict[str, str]:
    """What http://user:password@proxy asks for; urllib3 leaves that part of the address unused."""
    address = urlsplit(proxy)
    if address.username is None:
        return {}
    return urllib3.make_headers(proxy_basic_auth=f"{unquote(address.username)}:{unquote(address.password or '')}")


def _translated(error: urllib3.exceptions.HTTPError, request: httpx.Request) -> httpx.TransportError:
    """The same failure in httpx's words, without urllib3's text (which carries the full URL)."""
    host = urlsplit(str(request.url)).netloc.rpartition("@")[2]
    match error:
        case urllib3.exceptions.ProxyError():  # raised only as long as the way to the host is not open
            return httpx.ConnectError(f"the proxy on the way to {host} did not let it through", request=request)
        case urllib3.exceptions.LocationValueError():
            return httpx.UnsupportedProtocol(f"{request.url.scheme}://{host} is no address to call", request=request)
        case urllib3.exceptions.NewConnectionError():  # before its parent, the time-out
            return httpx.ConnectError(f"{host} cannot be reached", request=request)
        case urllib3.exceptions.ConnectTimeoutError():
            return httpx.ConnectTimeout(f"{host} did not accept a connection in time", request=request)
        case urllib3.exceptions.SSLError() if isinstance(error.args[0], ssl.SSLCertVerificationError):
            return httpx.ConnectError(f"{host} has no certificate this machine trusts ({error})", request=request)
        case urllib3.exceptions.TimeoutError():
            return httpx.ReadTimeout(f"{host} did not answer in time", request=request)
        case _:
            return httpx.RemoteProtocolError(f"{host} broke off its answer", request=request)
