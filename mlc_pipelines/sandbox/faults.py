"""Faults on purpose: what one is, and how it is brought upon a call.

A fault is planted as plain JSON, `{"match": ..., "skip": 0, "times": 1, "action": {"kind": ...}}`. `match` is a regular
expression searched in "METHOD /path?query", as it came over the wire and percent-decoded. The first `skip` matching calls
pass; then it fires `times` times, or for ever with -1. `KINDS` lists the actions and their settings.
"""

import asyncio
import gzip
import json
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRANSPORT = "sandbox_transport"
"""Where the server leaves the connection's transport in `scope["state"]`; to cut a connection takes no less."""

REQUIRED = object()
KINDS: dict[str, dict[str, Any]] = {
    # Another answer instead; with `after` the call takes effect first.
    "status": {"status": 503, "headers": {}, "body": "", "after": False},
    # The connection is reset, without an answer; with `after` the call takes effect first.
    "reset": {"after": False},
    # The answer's length is announced whole, only this share of its body comes, then the connection closes.
    "truncate": {"keep": 0.5},
    # A sign-in page comes instead of the answer; the call has no effect.
    "html": {"status": 200, "content_type": "text/html"},
    # A regular expression is replaced in the (uncompressed) body; it fires when it has found its text. 0 means all.
    "replace": {"pattern": REQUIRED, "with": "", "count": 1},
    # The call takes effect, and is answered, so many seconds later; also when the caller has gone by then.
    "delay": {"seconds": REQUIRED},
    # A share of the answer's body comes, then nothing for so many seconds, then the rest.
    "stall": {"keep": 0.5, "seconds": REQUIRED},
    # Something else happens just before the call, or after it: a POST to the control door. The call goes on undisturbed.
    "control": {"path": REQUIRED, "body": {}, "after": False},
}

SIGN_IN_PAGE = b"""<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><h1>Your session has ended</h1><form action="/signin" method="post"><input name="user"></form></body></html>
"""


@dataclass(slots=True)
class Fault:
    """One planted fault. `seen` counts the calls that matched, `fired` those it was brought upon."""

    match: re.Pattern[str]
    action: dict[str, Any]
    skip: int = 0
    times: int = 1
    seen: int = 0
    fired: int = 0

    @classmethod
    def from_json(cls, wish: Mapping[str, Any]) -> "Fault":
        """Read a fault from its JSON; ValueError names what is unknown, missing or no regular expression."""
        _require_only(wish, {"match", "skip", "times", "action"}, "fault")
        for name in ("match", "action"):
            if name not in wish:
                raise ValueError(f"fault without {name!r}")
        skip, times = int(wish.get("skip", 0)), int(wish.get("times", 1))
        return cls(_compiled(wish["match"]), _action(wish["action"]), skip, times)

    def as_json(self) -> dict[str, Any]:
        """The fault as it was planted, and its counts."""
        return {
            "match": self.match.pattern,
            "skip": self.skip,
            "times": self.times,
            "action": self.action,
            "seen": self.seen,
            "fired": self.fired,
        }

    def claims(self, call: str) -> bool:
        """Whether the fault takes this call ("GET /path?query"); its counts move on."""
        if not (self.match.search(call) or self.match.search(unquote(call))):
            return False
        self.seen += 1
        if self.seen <= self.skip or self.fired == self.times:
            return False
        self.fired += 1
        return True

    def give_back(self) -> None:
        """Undo a claim: there was nothing to break in that answer."""
        self.fired -= 1


def _require_only(given: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := set(given) - known:
        raise ValueError(f"{what} with unknown {sorted(unknown)}; known are {sorted(known)}")


def _action(wish: Mapping[str, Any]) -> dict[str, Any]:
    """An action with its defaults filled in."""
    kind = wish.get("kind")
    if kind not in KINDS:
        raise ValueError(f"unknown kind of fault {kind!r}; known are {sorted(KINDS)}")
    _require_only(wish, {"kind", *KINDS[kind]}, f"{kind} fault")
    action = {"kind": kind, **KINDS[kind], **wish}
    if missing := [name for name, value in action.items() if value is REQUIRED]:
        raise ValueError(f"{kind} fault without {missing}")
    if kind == "replace":
        _compiled(action["pattern"])
    return action


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


# -- bringing a fault upon a call -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Answer:
    """What the application answered, held back."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def take(self, message: Message) -> None:
        """An ASGI `send` that keeps the messages."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")

    def header(self, name: bytes) -> bytes:
        """The value of a header (name in lower case), or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    async def start(self, send: Send) -> None:
        """Send status and headers, announcing the length of the whole body."""
        dropped = (b"content-length", b"transfer-encoding")
        headers = [(key, value) for key, value in self.headers if key.lower() not in dropped]
        headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})

    async def send_whole(self, send: Send) -> None:
        """Send the answer as it is now."""
        if self.status in (204, 304):
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        else:
            await self.start(send)
        await send({"type": "http.response.body", "body": bytes(self.body)})


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way to the application, as ASGI hands it over."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    async def held_back(self) -> Answer:
        """Let the call take effect, and keep its answer."""
        answer = Answer()
        await self.app(self.scope, self.receive, answer.take)
        return answer

    async def taken_in(self) -> list[Message]:
        """The whole body, as it came in; the caller has finished sending then, and may go."""
        taken = [await self.receive()]
        while taken[-1].get("more_body", False):
            taken.append(await self.receive())
        return taken

    async def drained(self) -> None:
        """Take in the whole body and keep nothing, so that the caller has finished sending before it is answered."""
        while (await self.receive()).get("more_body", False):
            pass

    async def gone(self) -> None:
        """Wait until the server has noticed that the connection is gone; else it complains of an unfinished answer."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    @property
    def transport(self) -> asyncio.Transport:
        """The connection itself."""
        transport: asyncio.Transport = self.scope["state"][TRANSPORT]
        return transport


async def bring_about(fault: Fault, call: Call) -> None:
    """Let the call meet the fault."""
    await _EFFECTS[fault.action["kind"]](fault, call)


async def _status(fault: Fault, call: Call) -> None:
    await _effect(fault, call)
    headers = {"content-type": "text/plain; charset=utf-8"}
    headers |= {str(name).lower(): str(value) for name, value in fault.action["headers"].items()}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await Answer(fault.action["status"], pairs, bytearray(fault.action["body"].encode())).send_whole(call.send)


async def _html(fault: Fault, call: Call) -> None:
    await call.drained()
    headers = [(b"content-type", fault.action["content_type"].encode("latin-1"))]
    await Answer(fault.action["status"], headers, bytearray(SIGN_IN_PAGE)).send_whole(call.send)


async def _reset(fault: Fault, call: Call) -> None:
    await _effect(fault, call)
    connection: socket.socket = call.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends RST, not FIN
    call.transport.abort()
    await call.gone()


async def _truncate(fault: Fault, call: Call) -> None:
    answer = await call.held_back()
    if not answer.body:
        fault.give_back()
        await answer.send_whole(call.send)
        return
    kept = min(int(len(answer.body) * fault.action["keep"]), len(answer.body) - 1)
    await answer.start(call.send)
    await call.send({"type": "http.response.body", "body": bytes(answer.body[:kept]), "more_body": True})
    call.transport.close()  # flushes what was written, then ends the connection
    await call.gone()


async def _replace(fault: Fault, call: Call) -> None:
    answer = await call.held_back()
    zipped = answer.header(b"content-encoding") == b"gzip"
    body = gzip.decompress(answer.body) if zipped else bytes(answer.body)
    pattern, text = fault.action["pattern"].encode(), fault.action["with"].encode()
    body, found = re.subn(pattern, text, body, count=fault.action["count"])
    if found:
        answer.body = bytearray(gzip.compress(body) if zipped else body)
    else:
        fault.give_back()
    await answer.send_whole(call.send)


async def _delay(fault: Fault, call: Call) -> None:
    taken = await call.taken_in()
    await asyncio.sleep(fault.action["seconds"])

    async def receive() -> Message:
        return taken.pop(0) if taken else await call.receive()

    await call.app(call.scope, receive, call.send)


async def _stall(fault: Fault, call: Call) -> None:
    answer = await call.held_back()
    if not answer.body:
        fault.give_back()
        await answer.send_whole(call.send)
        return
    kept = int(len(answer.body) * fault.action["keep"])
    await answer.start(call.send)
    await call.send({"type": "http.response.body", "body": bytes(answer.body[:kept]), "more_body": True})
    await asyncio.sleep(fault.action["seconds"])
    await call.send({"type": "http.response.body", "body": bytes(answer.body[kept:])})


async def _control(fault: Fault, call: Call) -> None:
    """Do what the control door can do, at this very moment. A fault that asks it for nonsense ends the call with a 500."""
    if fault.action["after"]:
        answer = await call.held_back()
        await _command(fault, call)
        await answer.send_whole(call.send)
    else:
        await _command(fault, call)
        await call.app(call.scope, call.receive, call.send)


async def _command(fault: Fault, call: Call) -> None:
    path, body = fault.action["path"], json.dumps(fault.action["body"]).encode()
    scope = {
        **call.scope,
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    answer = Answer()
    await call.app(scope, receive, answer.take)
    if answer.status >= 400:
        raise ValueError(f"the control fault got {answer.status} from {path}: {answer.body.decode()}")


_EFFECTS = {
    "status": _status,
    "html": _html,
    "reset": _reset,
    "truncate": _truncate,
    "replace": _replace,
    "delay": _delay,
    "stall": _stall,
    "control": _control,
}


async def _effect(fault: Fault, call: Call) -> None:
    """With `after`, let the call take effect and forget its answer; else only take in what the caller sends."""
    if fault.action["after"]:
        await call.held_back()
    else:
        await call.drained()
