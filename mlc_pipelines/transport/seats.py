"""The right to open sessions of a foreign system: who shares them, who remembers those that a dead process left open, and how one is waited for."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from mlc_pipelines.ledger.errors import TransientError, WaitingError

T = TypeVar("T")

_PAUSE_SECONDS = (10.0, 30.0)

SignOut = Callable[[Mapping[str, str]], bool]
"""Signs a session out by what proves it. True when it is closed now; False when that could not be found out."""


class Seat(Protocol):
    """The right to one open session."""

    def opened(self, proof: Mapping[str, str]) -> None:
        """Write down durably, before it is used, what the session is signed out with; a newer one replaces the older."""
        ...

    def closed(self) -> None:
        """The session was signed out."""
        ...


class Seats(Protocol):
    """How many sessions there may be at once, and what was left open. The store fulfils it for all processes of an installation."""

    def claim(
        self,
        site: str,
        *,
        sessions: int,
        wait_seconds: float,
        sign_out: SignOut,
        sleep: Callable[[float], None],
    ) -> AbstractContextManager[Seat]:
        """One of so many sessions while the body runs; sessions left open by dead processes are signed out before.

        Raises TransientError naming the holders when none became free within wait_seconds.
        """
        ...

    def close_left(self, site: str, sign_out: SignOut) -> int:
        """Sign out what dead processes left open; returns how many."""
        ...


class Alone:
    """For a client that shares its sessions with nobody and writes nothing down."""

    @contextmanager
    def claim(
        self,
        site: str,  # noqa: ARG002
        *,
        sessions: int,  # noqa: ARG002
        wait_seconds: float,  # noqa: ARG002
        sign_out: SignOut,  # noqa: ARG002
        sleep: Callable[[float], None],  # noqa: ARG002
    ) -> Iterator[Seat]:
        yield Unwritten()

    def close_left(self, site: str, sign_out: SignOut) -> int:  # noqa: ARG002
        return 0


class Unwritten:
    """A seat that is written down nowhere."""

    def opened(self, proof: Mapping[str, str]) -> None:
        """Nothing to do."""

    def closed(self) -> None:
        """Nothing to do."""


def when_free(
    call: Callable[[], T], taken: type[TransientError], wait_seconds: float, sleep: Callable[[float], None]
) -> T:
    """The call's result; while it says that all seats are taken it is tried again, with jitter. Raises WaitingError after the stated limit."""
    waited = 0.0
    while True:
        try:
            return call()
        except taken as full:
            if waited >= wait_seconds:
                raise WaitingError(
                    f"{full.what} Waited {waited / 60:.0f} minutes for one to become free.",
                    holds=full.holds,
                    next_step=full.next_step,
                ) from None
            pause = random.uniform(*_PAUSE_SECONDS)  # noqa: S311  (so that those who wait do not come back together)
            waited += pause
            sleep(pause)
