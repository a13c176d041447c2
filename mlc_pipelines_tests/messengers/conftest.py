"""People who can be reached: a web server and a mail server on this machine that keep what they got and refuse when they are told to."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PATH = "/services/T0000/B0000/verysecretpart"


class Chat(ThreadingHTTPServer):
    """Takes messages as JSON. status: of its answers; body: what it says, also about the address that was called."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[Any] = []
        self.paths: list[str] = []
        self.status, self.body = 200, b"ok"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}"


class _Hook(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.paths.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


class Post(socketserver.ThreadingTCPServer):
    """A mail server: keeps sender, recipients and text. refuse: command -> answer instead of the usual one. over: TLS context for STARTTLS."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, over: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Letterbox)
        self.over, self.refuse = over, {}  # type: ignore[var-annotated]
        self.got: list[tuple[str, list[str], str]] = []
        self.log_ins: list[str] = []
        self.encrypted: list[bool] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Letterbox(socketserver.StreamRequestHandler):
    server: Post

    def handle(self) -> None:
        sender, to, encrypted = "", [], False
        self._say("220 post.example ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word in self.server.refuse:
                self._say(self.server.refuse[word])
            elif word == "EHLO":
                more = ["250-STARTTLS"] if self.server.over and not encrypted else []
                self._say("\r\n".join(["250-post.example", *more, "250 AUTH PLAIN"]))
            elif word == "STARTTLS" and self.server.over:
                self._say("220 go ahead")
                wrapped = self.server.over.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile, encrypted = wrapped.makefile("rb"), wrapped.makefile("wb"), True
            elif word == "AUTH":
                self.server.log_ins.append(line)
                self._say("235 welcome")
            elif word == "MAIL":
                sender = line
                self._say("250 fine")
            elif word == "RCPT":
                to.append(line)
                self._say("250 fine")
            elif word == "DATA":
                self._say("354 go on")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.server.got.append((sender, to, text.decode()))
                self.server.encrypted.append(encrypted)
                self._say("250 kept")
            else:
                self._say("221 bye" if word == "QUIT" else "250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
        self.wfile.flush()


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
