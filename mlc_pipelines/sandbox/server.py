"""The sandbox: all emulated systems and the control door on one loopback port.

    with Sandbox.start() as sandbox:
        httpx.get(sandbox.info["acumatica"]["url"] + "/entity")

`serve` is the same in the foreground, for the command line.
"""

import json
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from mlc_pipelines.sandbox import tls
from mlc_pipelines.sandbox.acumatica import Site
from mlc_pipelines.sandbox.anaplan import Tenant
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.epicor import Kinetic
from mlc_pipelines.sandbox.ironvale import Ironvale
from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.traffic import Traffic
from mlc_pipelines.sandbox.world import Seed, World

LOOPBACK = "127.0.0.1"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Sandbox:
    """A running sandbox. `url` has no path; `info` says where everything is; the rest is for tests in this process."""

    def __init__(self, world: World, host: str, port: int, *, over_tls: bool) -> None:
        """Serve a world; use `start`, which builds it too."""
        self._world = world
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-") if over_tls else None
        try:
            self._listener = Listener(world.app, host, port, self._certificate())
        except (OSError, RuntimeError):
            self._clean_up()
            raise
        self.url = f"{'https' if over_tls else 'http'}://{host}:{self._listener.port}"
        world.url = self.url

    @classmethod
    def start(
        cls,
        port: int = 0,
        *,
        host: str = LOOPBACK,
        tls: bool = False,
        scale: int = 1,
        seed: int = 2026,
        lines_in: tuple[str, int] | None = None,
        clock_start: datetime | None = None,
    ) -> "Sandbox":
        """Start a sandbox in a thread of its own; it answers when this returns.

        Port 0 takes any free one. With `tls`, a certificate is made on the spot, and `info["ca_file"]` is what a client
        must trust. `scale` multiplies the batches of every month; `lines_in`, e.g. ("FY2026-P03", 200_000), fills one
        period up to so many posted lines. `clock_start` is an aware instant; without it, the real now. Raises OSError
        when the port is taken, ValueError when the period holds more lines already.
        """
        return cls(World(Seed(seed, scale, lines_in, clock_start)), host, port, over_tls=tls)

    def stop(self) -> None:
        """End all connections, the thread and the certificate; a second call does nothing."""
        self._listener.stop()
        self._clean_up()

    def reset(self) -> None:
        """Back to the seeded start, on the same port."""
        self._world.reset()

    def __enter__(self) -> "Sandbox":
        """The running sandbox itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    @property
    def info(self) -> dict[str, Any]:
        """Where everything is, and the made-up credentials; what `GET /control/info` answers."""
        return self._world.info

    @property
    def books(self) -> Books:
        """The books being served; other ones after a reset."""
        return self._world.books

    @property
    def site(self) -> Site:
        """The emulated ERP site; another one after a reset."""
        return self._world.site

    @property
    def kinetic(self) -> Kinetic:
        """The emulated Kinetic instance; another one after a reset."""
        return self._world.kinetic

    @property
    def ironvale(self) -> Ironvale:
        """The books behind it, made at the first call; other ones after a reset."""
        return self._world.kinetic.books

    @property
    def tenant(self) -> Tenant:
        """The emulated planning tenant."""
        return self._world.tenant

    @property
    def clock(self) -> Clock:
        """The time that the emulated systems go by."""
        return self._world.clock

    @property
    def traffic(self) -> Traffic:
        """The log of requests and the fault script."""
        return self._world.traffic

    @property
    def switches(self) -> dict[str, Any]:
        """All switches, by system: a copy."""
        return self._world.switches

    def set_switches(self, **changes: dict[str, Any]) -> None:
        """Set switches, by system: `set_switches(acumatica={"order": "scrambled"})`. ValueError on an unknown one."""
        self._world.set_switches(changes)

    def _certificate(self) -> tuple[Path, Path] | None:
        if self._folder is None:
            return None
        authority, leaf, key = tls.write_certificates(Path(self._folder.name))
        self._world.ca_file = str(authority)
        return leaf, key

    def _clean_up(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def serve(
    host: str = LOOPBACK,
    port: int = 0,
    *,
    as_json: bool = False,
    tls: bool = False,
    scale: int = 1,
    seed: int = 2026,
    lines_in: tuple[str, int] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM, then end cleanly; to be called from the main thread.

    Once ready, prints the info: as one line of JSON, or for a person. Raises as `Sandbox.start` does.
    """
    start = partial(Sandbox.start, port, host=host, tls=tls, scale=scale, seed=seed, lines_in=lines_in)
    with _stop_signal() as stopped, start() as sandbox:
        text = json.dumps(sandbox.info) if as_json else _for_a_person(sandbox.info)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        stopped.wait()


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """An event that a stop signal sets; the handlers that were there before come back."""
    stopped = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in STOP_SIGNALS}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _for_a_person(info: dict[str, Any]) -> str:
    """The info as a short table; everything in it is made up, so it may be shown."""
    lines = ["The sandbox is ready; end it with Ctrl-C.", ""]
    lines += [f"  control    {info['control_url']}"]
    lines += [f"  ca file    {info['ca_file']}"] if info["ca_file"] else []
    for system in ("acumatica", "epicor", "anaplan"):
        lines += ["", f"  {system}"] + [
            f"    {name:<14} {value}" for name, value in info[system].items() if _short(value)
        ]
    return "\n".join(lines)


def _short(value: str) -> bool:
    """Whether a value fits on a line: keys and certificates are told in the JSON form only."""
    return len(value) < 100
