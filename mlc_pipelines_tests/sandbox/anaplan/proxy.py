"""A proxy that brings every host to the sandbox, so that clients with Anaplan's addresses built in run unmodified.

A client told of it by HTTPS_PROXY asks it to CONNECT to auth.anaplan.com, api.anaplan.com and so on; it pipes each of them to
one port of this machine, where the sandbox speaks TLS under all of those names. Reference: anaplan 12.1 [C run].
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSED = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Proxy:
    """A running proxy. `hosts` names who was asked for, in order, with the port."""

    url: str = ""
    hosts: list[str] = field(default_factory=list)


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Pipe every CONNECT to a port of this machine until the end of the block."""
    proxy, ready, stops = Proxy(), threading.Event(), []

    async def serve() -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(ended.set))
        server = await asyncio.start_server(lambda *ends: _answer(*ends, proxy, port), "127.0.0.1", 0)
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await ended.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="proxy", daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy
    finally:
        stops[0]()
        thread.join()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Proxy, port: int) -> None:
    """One client: its CONNECT, then bytes in both directions."""
    method, _, rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").partition(" ")
    if method != "CONNECT":
        writer.write(REFUSED)
        writer.close()
        return
    proxy.hosts.append(rest.split(" ", 1)[0])
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(CONNECTED)
    await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything from one end to the other, until either is gone."""
    try:
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    except ConnectionError:
        pass  # one end has gone: the other one is told by the closing
    finally:
        writer.close()
