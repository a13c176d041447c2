"""Serves an application on a port of this machine, from a thread of its own, and stops at once when told to."""

import asyncio
import socket
import threading
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mlc_pipelines.sandbox.faults import TRANSPORT

START_SECONDS = 30.0
IDLE_SECONDS = 60
BACKLOG = 512


class _Connection(HttpToolsProtocol):
    """HTTP/1.1 that lends the application its transport, so that a fault can cut the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport into the state that every request of this connection gets."""
        self.app_state = {**self.app_state, TRANSPORT: transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """A server that says when it listens, and that drops open connections when it ends."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


class Listener:
    """An application being served. `host` and `port` are the ones it really has."""

    def __init__(self, app: ASGIApp, host: str, port: int, certificate: tuple[Path, Path] | None = None) -> None:
        """Serve on a port, 0 for any free one; with a certificate and its key, over TLS.

        Returns when requests are answered. Raises OSError when the port is taken, RuntimeError when the server does not
        come up.
        """
        self._socket = _bound(host, port)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self._server = _Server(_config(app, certificate))
        self._thread = threading.Thread(target=self._run, name=f"sandbox:{self.port}", daemon=True)
        self._thread.start()
        if not self._server.listening.wait(START_SECONDS):
            self.stop()
            raise RuntimeError(f"nothing listens on {host}:{self.port} after {START_SECONDS:.0f} s")

    def stop(self) -> None:
        """End all connections and the thread; a second call does nothing."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))


def _bound(host: str, port: int) -> socket.socket:
    """A socket bound to the address; it listens from the server's start on."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _config(app: ASGIApp, certificate: tuple[Path, Path] | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # each system says the time of its own clock
        timeout_keep_alive=IDLE_SECONDS,
        backlog=BACKLOG,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
