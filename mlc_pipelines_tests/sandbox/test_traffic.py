"""Traffic: what is logged, and that every fault is seen by a real client on a real connection."""

import asyncio
import gzip
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.faults import SIGN_IN_PAGE
from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.traffic import Traffic, TrafficMiddleware

WHOLE = "0123456789" * 100
START = datetime(2026, 8, 14, 9, 0, tzinfo=UTC)


class Shop:
    """A tiny application that counts what took effect, behind the middleware under test."""

    def __init__(self) -> None:
        self.traffic = Traffic(Clock(START), "/AcumaticaERP")
        self.bodies: list[int] = []
        self.go_on = threading.Event()
        routes = [
            Route("/AcumaticaERP/entity", self.list, methods=["GET"]),
            Route("/2/0/text", self.text, methods=["GET", "HEAD"]),
            Route("/2/0/zipped", self.zipped, methods=["GET"]),
            Route("/2/0/stream", self.stream, methods=["GET"]),
            Route("/2/0/write", self.write, methods=["PUT"]),
            Route("/2/0/empty", self.empty, methods=["GET"]),
            Route("/control/info", self.text, methods=["GET"]),
        ]
        self.listener = Listener(TrafficMiddleware(Starlette(routes=routes), self.traffic), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.listener.port}"
        self.client = httpx.Client(base_url=self.url, timeout=10)

    async def list(self, request: Request) -> Response:
        return JSONResponse([{"amount": 100.5}])

    async def text(self, request: Request) -> Response:
        return PlainTextResponse(WHOLE)

    async def zipped(self, request: Request) -> Response:
        return Response(gzip.compress(WHOLE.encode()), headers={"content-encoding": "gzip"}, media_type="text/plain")

    async def stream(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[str]:
            yield "one,"
            while not self.go_on.is_set():
                await asyncio.sleep(0.001)
            yield "two,"
            yield "three"

        return StreamingResponse(parts(), media_type="text/csv")

    async def empty(self, request: Request) -> Response:
        return Response(status_code=204)

    async def write(self, request: Request) -> Response:
        size = 0
        async for part in request.stream():
            size += len(part)
        self.bodies.append(size)
        return JSONResponse({"size": size}, status_code=201)


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.client.close()
    shop.listener.stop()


@pytest.fixture
def shop(open_shop: Shop) -> Shop:
    """The shop with an empty log, no faults and nothing written."""
    open_shop.traffic.clear()
    open_shop.bodies.clear()
    open_shop.go_on.set()
    return open_shop


def test_every_request_is_logged_with_its_system_query_and_status(shop: Shop) -> None:
    """The log numbers requests in their order and shows path and query as they were sent."""
    shop.client.get("/AcumaticaERP/entity", params={"$filter": "Status eq 'Posted'"})
    shop.client.get("/2/0/nowhere")
    shop.client.get("/control/info")
    first, second = shop.traffic.requests
    assert (1, "acumatica", "GET", 200) == (first.n, first.system, first.method, first.status)
    assert first.path.startswith("/AcumaticaERP/entity?")
    assert "Posted" in first.path
    assert (2, "anaplan", "/2/0/nowhere", 404) == (second.n, second.system, second.path, second.status)
    assert START <= first.at <= second.at
    assert {"acumatica": 1, "epicor": 0, "anaplan": 1} == shop.traffic.counts()


def test_a_streamed_answer_comes_through_part_by_part(shop: Shop) -> None:
    """Without a fault nothing is held back: the first part arrives while the application still makes the second."""
    shop.go_on.clear()
    with shop.client.stream("GET", "/2/0/stream") as answer:
        parts = answer.iter_text()
        assert "one," == next(parts)
        shop.go_on.set()
        assert "two,three" == "".join(parts)
        assert "content-length" not in answer.headers


def test_a_body_of_fifty_megabytes_arrives_whole(shop: Shop) -> None:
    """The largest chunk that a vendor allows goes through."""
    answer = shop.client.put("/2/0/write", content=bytes(50_000_000))
    assert (201, {"size": 50_000_000}) == (answer.status_code, answer.json())


def test_status_before_the_effect(shop: Shop) -> None:
    """A status fault answers in the call's place; the call never happened, and the next one passes."""
    headers = {"Retry-After": "7"}
    fault = shop.traffic.plant(
        {
            "match": "^PUT /2/0/write$",
            "action": {"kind": "status", "status": 429, "headers": headers, "body": "slow down"},
        }
    )
    answer = shop.client.put("/2/0/write", content=bytes(3_000_000))
    assert (429, "7", "slow down") == (answer.status_code, answer.headers["retry-after"], answer.text)
    assert [] == shop.bodies
    assert 201 == shop.client.put("/2/0/write", content=b"again").status_code
    assert (2, 1) == (fault.seen, fault.fired)
    assert [(429, "status"), (201, None)] == [(call.status, call.fault) for call in shop.traffic.requests]


def test_status_after_the_effect(shop: Shop) -> None:
    """With `after` the write took effect, and the caller is told otherwise."""
    shop.traffic.plant({"match": "write", "action": {"kind": "status", "after": True}})
    assert 503 == shop.client.put("/2/0/write", content=b"12345").status_code
    assert [5] == shop.bodies


@pytest.mark.parametrize(("after", "bodies"), [(False, []), (True, [5])])
def test_reset(shop: Shop, after: bool, bodies: list[int]) -> None:
    """A reset (RST, no orderly end) comes instead of any byte, before or after the effect; the log shows no status."""
    shop.traffic.plant({"match": "write", "action": {"kind": "reset", "after": after}})
    with socket.create_connection(("127.0.0.1", shop.listener.port), timeout=10) as plain:
        plain.sendall(b"PUT /2/0/write HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345")
        with pytest.raises(ConnectionResetError):
            plain.recv(1)
    assert bodies == shop.bodies
    assert [(None, "reset")] == [(call.status, call.fault) for call in shop.traffic.requests]
    assert 201 == shop.client.put("/2/0/write", content=b"on").status_code


@pytest.mark.parametrize("path", ["/2/0/text", "/2/0/zipped"])
def test_truncate(shop: Shop, path: str) -> None:
    """A cut answer announces its whole length, brings half of it, and the connection closes."""
    shop.traffic.plant({"match": "text|zipped", "action": {"kind": "truncate", "keep": 0.5}})
    connection = http.client.HTTPConnection("127.0.0.1", shop.listener.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    whole = int(answer.headers["content-length"])
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    connection.close()
    assert whole // 2 == len(caught.value.partial)
    assert whole == len(caught.value.partial) + (caught.value.expected or 0)


def test_truncating_nothing_is_not_counted(shop: Shop) -> None:
    """An answer without a body cannot be cut: it passes, and the fault waits for another call."""
    fault = shop.traffic.plant({"match": "/2/0/", "action": {"kind": "truncate"}})
    assert 204 == shop.client.get("/2/0/empty").status_code
    assert 0 == fault.fired
    with pytest.raises(httpx.RemoteProtocolError):
        shop.client.get("/2/0/text")
    assert 1 == fault.fired


def test_html(shop: Shop) -> None:
    """A sign-in page comes with status 200, even in the dress of JSON, and the call has no effect."""
    shop.traffic.plant({"match": "write", "action": {"kind": "html", "content_type": "application/json"}})
    answer = shop.client.put("/2/0/write", content=b"12345")
    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
    assert SIGN_IN_PAGE == answer.content
    assert [] == shop.bodies


def test_replace(shop: Shop) -> None:
    """A replaced text makes an answer that is whole and wrong."""
    shop.traffic.plant({"match": "entity", "action": {"kind": "replace", "pattern": r"100\.5", "with": "1e400"}})
    assert '[{"amount":1e400}]' == shop.client.get("/AcumaticaERP/entity").text
    assert '[{"amount":100.5}]' == shop.client.get("/AcumaticaERP/entity").text


def test_replace_reaches_into_a_zipped_body(shop: Shop) -> None:
    """The pattern sees the uncompressed text, and the answer is zipped again."""
    action = {"kind": "replace", "pattern": "0(1)", "with": r"旅\1", "count": 0}
    shop.traffic.plant({"match": "zipped", "action": action})
    answer = shop.client.get("/2/0/zipped")
    assert "gzip" == answer.headers["content-encoding"]
    assert WHOLE.replace("01", "旅1") == answer.text


def test_replace_waits_for_its_text(shop: Shop) -> None:
    """An answer without the text passes untouched and is not counted."""
    fault = shop.traffic.plant({"match": "/2/0/", "action": {"kind": "replace", "pattern": "three", "with": "3"}})
    assert WHOLE == shop.client.get("/2/0/text").text
    assert 0 == fault.fired
    assert "one,two,3" == shop.client.get("/2/0/stream").text
    assert 1 == fault.fired


def test_delay(shop: Shop) -> None:
    """A delayed call is late, and right."""
    shop.traffic.plant({"match": "text", "action": {"kind": "delay", "seconds": 0.2}})
    began = time.monotonic()
    assert WHOLE == shop.client.get("/2/0/text").text
    assert 0.2 <= time.monotonic() - began


def test_a_delayed_call_takes_effect_after_its_caller_has_gone(shop: Shop) -> None:
    """The caller gave up; what it had sent is written all the same."""
    shop.traffic.plant({"match": "write", "action": {"kind": "delay", "seconds": 0.3}})
    with pytest.raises(httpx.ReadTimeout):
        shop.client.put("/2/0/write", content=b"12345", timeout=httpx.Timeout(10, read=0.1))
    for _ in range(400):
        if shop.bodies:
            break
        time.sleep(0.005)
    assert [5] == shop.bodies


def test_stall(shop: Shop) -> None:
    """Half of the answer, a pause, and the rest; an answer without a body cannot stall."""
    fault = shop.traffic.plant({"match": "text|empty", "times": -1, "action": {"kind": "stall", "seconds": 0.1}})
    began = time.monotonic()
    assert WHOLE == shop.client.get("/2/0/text").text
    assert 0.1 <= time.monotonic() - began
    with pytest.raises(httpx.ReadTimeout):
        shop.client.get("/2/0/text", timeout=httpx.Timeout(10, read=0.03))
    assert 204 == shop.client.get("/2/0/empty").status_code
    assert 2 == fault.fired


def test_skip_and_times(shop: Shop) -> None:
    """A fault lets the first `skip` matching calls pass and then fires `times` times; others are not counted."""
    fault = shop.traffic.plant({"match": "text", "skip": 1, "times": 2, "action": {"kind": "status"}})
    shop.client.get("/2/0/stream")
    assert [200, 503, 503, 200] == [shop.client.get("/2/0/text").status_code for _ in range(4)]
    assert (4, 2) == (fault.seen, fault.fired)


def test_for_ever_and_cleared(shop: Shop) -> None:
    """With times -1 a fault fires until it is taken away."""
    fault = shop.traffic.plant({"match": "text", "times": -1, "action": {"kind": "status", "status": 500}})
    assert [500] * 3 == [shop.client.get("/2/0/text").status_code for _ in range(3)]
    assert 3 == fault.fired
    shop.traffic.clear_faults()
    assert 200 == shop.client.get("/2/0/text").status_code


def test_the_first_planted_fault_wins(shop: Shop) -> None:
    """A call meets one fault; a later one does not even see it."""
    first = shop.traffic.plant({"match": "text", "action": {"kind": "status", "status": 500}})
    second = shop.traffic.plant({"match": "text", "action": {"kind": "status", "status": 502}})
    assert [500, 502] == [shop.client.get("/2/0/text").status_code for _ in range(2)]
    assert (2, 1) == (first.seen, second.seen)


def test_match_sees_the_decoded_query_too(shop: Shop) -> None:
    """A pattern may be written as a person reads the query, though it travels percent-encoded."""
    fault = shop.traffic.plant({"match": r"\$filter=Status eq 'Posted'", "action": {"kind": "status"}})
    assert 503 == httpx.get(f"{shop.url}/AcumaticaERP/entity?%24filter=Status%20eq%20%27Posted%27").status_code
    assert 1 == fault.fired


def test_the_control_door_is_never_disturbed(shop: Shop) -> None:
    """Control requests meet no fault and leave no trace in the log."""
    shop.traffic.plant({"match": ".*", "times": -1, "action": {"kind": "reset"}})
    assert 200 == shop.client.get("/control/info").status_code
    assert [] == shop.traffic.requests


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"action": {"kind": "reset"}}, "without 'match'"),
        ({"match": "x"}, "without 'action'"),
        ({"match": "(", "action": {"kind": "reset"}}, "no regular expression"),
        ({"match": "x", "action": {"kind": "explode"}}, "unknown kind of fault 'explode'"),
        ({"match": "x", "action": {"kind": "reset", "later": True}}, "unknown \\['later'\\]"),
        ({"match": "x", "action": {"kind": "delay"}}, "without \\['seconds'\\]"),
        ({"match": "x", "often": 3, "action": {"kind": "reset"}}, "unknown \\['often'\\]"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(shop: Shop, wish: dict[str, object], complaint: str) -> None:
    """A misspelled fault would never fire and make a test green for nothing: it is refused when planted."""
    with pytest.raises(ValueError, match=complaint):
        shop.traffic.plant(wish)
