"""The bytes: broken lengths, cut and damaged compression, trickling, bombs, proxies, certificates."""

import base64
import gzip
import os
import socket
import ssl
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.ledger.errors import SetupError, TransientError, UncertainError
from mlc_pipelines.sandbox.tls import write_certificates
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines_tests.bench.wan import far_away

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def make(server) -> Callable[..., Caller]:
    def make(url: str = "", ca_file: str | None = None, **limits: float) -> Caller:
        small = replace(Limits(connect_seconds=10, read_seconds=10, deadline_seconds=30, attempts=2), **limits)
        return Caller("Site", url or server.url, limits=small, ca_file=ca_file, sleep=lambda _seconds: None)

    return make


def zipped(server, body: bytes) -> bytes:
    return server.whole(body, Content_Encoding="gzip")


# What is broken is read again and never used


@pytest.mark.parametrize(
    "broken",
    [
        OK + b"Content-Length: 100\r\n\r\n[1, 2]",
        OK + b"Transfer-Encoding: chunked\r\n\r\n6\r\n[1, 2]\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n[1, 2]",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[1, 2]\r\n0\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + gzip.compress(b"[1, 2]" * 50)[:20],
        OK + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\n[1, 2]",
        OK + b"Content-Encoding: br\r\nContent-Length: 6\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
        b"Hello there\r\n\r\n",
    ],
    ids=[
        "A07 short",
        "A10 no final chunk",
        "cut chunk",
        "no chunk size",
        "A11 cut gzip",
        "A11 empty gzip",
        "no gzip",
        "unknown coding",
        "cut head",
        "nothing",
        "no HTTP",
    ],
)
def test_a07_a10_a11_a_broken_answer_is_read_again(server, make, broken: bytes) -> None:
    """A broken answer is never an answer, not even an empty one; the read is repeated and brings the whole one."""
    server.script["/entity"] = [server.cut(broken), server.whole("[1, 2]")]
    with make(attempts=4) as caller:  # one more, in case the client meets the connection that is just being closed
        assert [1, 2] == caller.read("GET", "/entity").json()
    assert 2 == server.count("GET", "/entity")


def test_damaged_compression_is_read_again(server, make) -> None:
    """One flipped bit inside a compressed answer, its length unchanged."""
    good = gzip.compress(b"[1, 2]" * 1000)
    damaged = good[:15] + bytes([good[15] ^ 0xFF]) + good[16:]
    wrong_sum = good[:-8] + bytes([good[-8] ^ 1]) + good[-7:]
    server.script["/entity"] = [
        zipped(server, damaged),
        zipped(server, wrong_sum),
        zipped(server, gzip.compress(b"[1, 2]")),
    ]
    with make(attempts=3) as caller:
        assert [1, 2] == caller.read("GET", "/entity").json()
    assert 3 == server.count("GET", "/entity")


def test_a08_a17_more_bytes_than_stated_are_not_used(server, make) -> None:
    """A08, A17: the body ends where it said; what follows neither belongs to it nor to the next answer."""
    server.script["/long"] = [server.whole("[1, 2]") + b', 3, 4] {"smuggled": true}']
    server.script["/next"] = [server.whole('["mine"]')]
    with make() as caller:
        for _ in range(3):
            assert b"[1, 2]" == caller.read("GET", "/long").body
            assert ["mine"] == caller.read("GET", "/next").json()


@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, lambda body: gzip.compress(body[:7]) + gzip.compress(body[7:])]
)
def test_compressed_answers_arrive_whole(server, make, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """gzip, zlib, and gzip of several members, which counts as one file: to memory and to a file."""
    body = b'{"amount": 0.10}' + b" " * 3_000_000
    server.script["/entity"] = [
        server.whole(pack(body), Content_Encoding="deflate" if pack is zlib.compress else "gzip")
    ]
    with make() as caller:
        assert body == caller.read("GET", "/entity").body
        caller.download("GET", "/entity", tmp_path / "body")
    assert body == (tmp_path / "body").read_bytes()


def test_a_chunked_answer_arrives_whole(server, make) -> None:
    """The decent case beside the broken ones."""
    server.script["/entity"] = [OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n3\r\n 2]\r\n0\r\n\r\n"]
    with make() as caller:
        assert [1, 2] == caller.read("GET", "/entity").json()


# Limits


@pytest.mark.parametrize(
    "head",
    [OK + b"Content-Length: 100000\r\n\r\n", OK + b"X-Slow: ", b"HTTP/1.1 2"],
    ids=["body", "header line", "status line"],
)
def test_a13_a_trickling_answer_ends_at_the_deadline(server, make, head: bytes) -> None:
    """A13: a byte now and then keeps every single wait short; the deadline of the whole call ends it."""
    server.script["/entity"] = [server.trickle(head, b"0")]
    with make(deadline_seconds=0.15, attempts=1) as caller, pytest.raises(TransientError, match=r"trickling|in time"):
        caller.read("GET", "/entity")


def test_trickling_header_lines_end_too(server, make) -> None:
    """Whole lines, one after the other, without end."""
    server.script["/entity"] = [server.trickle(OK, b"X-More: 1\r\n")]
    with make(deadline_seconds=0.15, attempts=1) as caller, pytest.raises(TransientError, match="in time"):
        caller.read("GET", "/entity")


def test_a_large_body_arrives_whole_and_with_its_length(server, make) -> None:
    """It leaves in pieces, and is one body all the same: no chunked coding, which some servers refuse."""
    body = os.urandom(3_000_001)
    server.script["/file"] = [server.whole(status=204)]
    make().repeat("PUT", "/file", content=body)
    [asked] = server.asked
    assert (body, "3000001") == (asked.body, asked.headers["content-length"])
    assert "transfer-encoding" not in asked.headers


@pytest.mark.prove
def test_A14_a_slow_line_is_not_taken_for_a_dead_one(server, make) -> None:
    """The body takes far longer than a connection may; the line never stands still."""
    body = os.urandom(16_000_000)
    server.script["/file"] = [server.whole(status=204)]
    port = int(server.host.rpartition(":")[2])
    with far_away(port, round_trip_seconds=0.04, bytes_per_second=2_000_000) as slow:
        make(f"http://127.0.0.1:{slow}", connect_seconds=2.0).write("PUT", "/file", content=body)
    [asked] = server.asked
    assert body == asked.body


def test_silence_ends(server, make) -> None:
    """A server that takes the request and says nothing: a read is repeated, a write is uncertain."""
    server.script["/entity"] = [lambda _asked, _connection: server.stopped.wait(5)]
    with make(read_seconds=0.05) as caller:
        with pytest.raises(TransientError, match="did not answer in time"):
            caller.read("GET", "/entity")
        with pytest.raises(UncertainError, match="did not answer in time"):
            caller.write("PUT", "/entity")
    assert 2 == server.count("GET", "/entity", at_least=2)
    assert 1 == server.count("PUT", "/entity", at_least=1)


def test_silence_in_the_middle_of_an_answer_ends(server, make) -> None:
    """A body of stated size of which no more comes: read again, and what came is not used."""
    begun = OK + b"Content-Length: 100000\r\n\r\n" + b"[1, "

    def falls_silent(_asked, connection) -> None:
        connection.sendall(begun)
        server.stopped.wait(5)

    server.script["/entity"] = [falls_silent, server.whole("[1, 2]")]
    with make(read_seconds=0.05, attempts=2) as caller:
        assert [1, 2] == caller.read("GET", "/entity").json()


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_beyond_the_limit_is_refused(server, make, packed: bool) -> None:
    """P15: counted after decompression, so a small bomb does not help; read once."""
    body = b"0" * 50_000_000 if packed else b"0" * 200_000
    server.script["/entity"] = [zipped(server, gzip.compress(body, 1)) if packed else server.whole(body)]
    with make(body_bytes_max=100_000) as caller, pytest.raises(SetupError, match="more than 100,000 bytes"):
        caller.read("GET", "/entity")
    assert 1 == server.count("GET", "/entity")


def test_an_answer_of_exactly_the_limit_is_taken(server, make) -> None:
    """The limit itself is allowed."""
    server.script["/entity"] = [server.whole(b"0" * 1000)]
    with make(body_bytes_max=1000) as caller:
        assert 1000 == len(caller.read("GET", "/entity").body)


# Connections


def test_a_connection_is_used_again(server, make) -> None:
    """Ten calls, one connection: TLS is shaken hands on once."""
    server.script["/entity"] = [server.whole(b"x" * 100_000)]
    with make() as caller:
        for _ in range(10):
            caller.read("GET", "/entity")
    assert 1 == server.connections


def test_a_connection_with_an_unread_rest_is_not_used_again(server, make) -> None:
    """A17: an answer that was given up in the middle must not be read as the next one."""
    server.script["/big"] = [server.whole(b"[7]" + b" " * 300_000)]
    server.script["/entity"] = [server.whole('["mine"]')]
    with make(body_bytes_max=100_000) as caller:
        with pytest.raises(SetupError):
            caller.read("GET", "/big")
        assert ["mine"] == caller.read("GET", "/entity").json()
    assert 2 == server.connections


# Proxies


def test_the_environments_proxy_is_used_and_logged_in_to(
    server, second_server, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY with its user name and password, as every other tool reads it; NO_PROXY makes an exception."""
    second_server.script["http://erp.test/entity"] = [server.whole('"by proxy"')]
    server.script["/entity"] = [server.whole('"directly"')]
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:p%40ss@{second_server.host}")
    monkeypatch.setenv("http_proxy", f"http://ann:p%40ss@{second_server.host}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with make("http://erp.test") as caller:
        assert "by proxy" == caller.read("GET", "/entity").json()
    assert f"Basic {base64.b64encode(b'ann:p@ss').decode()}" == second_server.asked[0].headers["proxy-authorization"]
    with make() as caller:
        assert "directly" == caller.read("GET", "/entity").json()


def test_a20_a_proxy_that_refuses_the_tunnel_is_named_as_such(
    second_server, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A20: 407 to the CONNECT. Nothing reached the host, so even a write is not uncertain."""
    second_server.script["erp.test:443"] = [
        second_server.cut(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    ]
    monkeypatch.setenv("https_proxy", second_server.url)
    with (
        make("https://erp.test") as caller,
        pytest.raises(TransientError, match=r"proxy on the way to erp\.test") as refusal,
    ):
        caller.write("PUT", "/entity")
    assert "the proxy" in refusal.value.next_step
    assert 1 == second_server.count("CONNECT", "erp.test:443")


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return write_certificates(tmp_path_factory.mktemp("tls"))


def speak_tls(server, certificates: tuple[Path, Path, Path]) -> str:
    """The server from now on behind TLS; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates[1], certificates[2])
    server.wrap = lambda plain: context.wrap_socket(plain, server_side=True)
    return server.url.replace("http", "https", 1)


def test_a_trusted_certificate_is_accepted(server, make, certificates) -> None:
    """With the company's own authority in ca_file."""
    url = speak_tls(server, certificates)
    server.script["/entity"] = [server.whole('"privately"')]
    with make(url, ca_file=str(certificates[0])) as caller:
        assert "privately" == caller.read("GET", "/entity").json()


def test_K17_an_unknown_certificate_is_refused_before_anything_is_sent(server, make, certificates) -> None:
    """Somebody in the middle gets no request, so a write surely did not happen."""
    url = speak_tls(server, certificates)
    with make(url) as caller, pytest.raises(TransientError, match="no certificate this machine trusts"):
        caller.write("PUT", "/entity", json={"password": "x"})
    assert [] == server.asked


def test_a_connection_that_goes_wrong_after_the_write_leaves_it_uncertain(server, make, certificates) -> None:
    """The request was taken; then bytes come that are no TLS. That is no matter of trust, and the write may have been carried out."""
    url = speak_tls(server, certificates)

    def garble(_asked: Any, connection: socket.socket) -> None:
        with socket.socket(fileno=os.dup(connection.fileno())) as bare:
            bare.sendall(b"this is no TLS record at all, whatever you think")

    server.script["/entity"] = [garble]
    with make(url, ca_file=str(certificates[0])) as caller, pytest.raises(UncertainError):
        caller.write("PUT", "/entity", json={"amount": 1})
    assert 1 == server.count("PUT", "/entity")
