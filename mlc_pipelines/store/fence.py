"""One writer at a time: a lock on a local file, owned by the writing process and freed by the kernel when that process dies.

Dagster's pools queue runs, but two processes can claim a slot at the same instant, and a killed run's slot may be given on
while its work goes on [measured: dagster sheet 3]. flock holds in both cases, and a child that lives on keeps it.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlc_pipelines.ledger.drafts import FenceLost
from mlc_pipelines.ledger.errors import SetupError, UncertainError, WaitingError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_NOT_LOCAL = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "glusterfs", "ceph"}
RequireHeld = Callable[[], None]
"""Raises FenceLost unless the lock is held at this moment, by the process that took it: to be asked before every write."""


@contextmanager
def fence(
    folder: Path, name: str, *, holder: str, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[RequireHeld]:
    """Hold the lock `name` while the body runs. holder says for people who is writing ("demo FY2026-P03, process 4711").

    The body is handed what it can ask, before each write, whether it still holds the lock (`with fence(...) as require_held`). The file of
    that name must still be the locked one (H08); a process that was stopped for long and goes on is asked like any other (H07), and a
    forked child is told that the lock is its parent's (H16). Between the question and the write nothing helps but a protocol that
    needs no fence.

    Raises WaitingError naming the holder when it was not free within wait_seconds, SetupError on a network disk, where such
    locks cannot be trusted, UncertainError when somebody deleted the lock file meanwhile.
    """
    if Path(name).name != name:  # part of it may come from a foreign system: a model's id, a company
        raise SetupError(
            f"{name!r} cannot name a lock: it would lie outside of {folder}.",
            holds="Nothing was sent.",
            next_step="Find out which system answers with such a name, and whether it is the right one.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    _require_local(folder)
    path = folder / f"{name}.lock"
    lock = _acquired(path, wait_seconds, sleep)
    held = _Held(path, lock, os.getpid())
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{holder}, process {held.process}".encode(), 0)
        yield held
        if not _stands_at(path, lock):
            raise UncertainError(
                f"The lock file of {name} was deleted while {holder} held it.",
                holds="Another writer may have worked at the same time.",
                next_step=f"Load again what was loaded meanwhile, and leave the files in {folder} alone.",
            )
    finally:
        held.given_back = True
        os.ftruncate(lock, 0)
        os.close(lock)


def lost(name: str, why: str) -> FenceLost:
    """What whoever holds a fence no more is told before it writes."""
    return FenceLost(
        f"The fence {name} is not held any more: {why}.",
        holds="Nothing more was sent from here; what was sent before stands as it is.",
        next_step="Start the work again: it looks up what stands there and goes on.",
    )


@dataclass(slots=True)
class _Held:
    """A lock for as long as its body runs. process: that took it."""

    path: Path
    lock: int
    process: int
    given_back: bool = False

    def __call__(self) -> None:
        """Raise FenceLost unless this process holds the lock, on the file that others would ask for."""
        if why := self._lost():
            raise lost(self.path.stem, why)

    def _lost(self) -> str:
        if os.getpid() != self.process:
            return f"process {self.process} took it, this is process {os.getpid()}"
        if self.given_back:
            return "it was given back"
        try:
            stands = _stands_at(self.path, self.lock)
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no more than a question where it is held
        except OSError as error:  # the descriptor was closed, or a child gave the common lock back and somebody took it
            return f"another process took it ({error.strerror})"
        return "" if stands else "its lock file was deleted, and another process may hold a new one"


def _acquired(path: Path, wait_seconds: float, sleep: Callable[[float], None]) -> int:
    """An open, locked descriptor of the file that stands at path now (a deleted lock file would guard nothing)."""
    give_up_at, pause = time.monotonic() + wait_seconds, _FIRST_PAUSE
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _stands_at(path, lock):
                return lock
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                who = os.pread(lock, 500, 0).decode("utf-8", "replace") or "another process"
                os.close(lock)
                raise WaitingError(
                    f"{path.stem} is being written by {who}; it was not free within {wait_seconds:.0f} seconds.",
                    holds="Nothing was sent.",
                    next_step="Wait for that run to end, or stop it in Dagit, then start this one again.",
                ) from None
        os.close(lock)
        sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _stands_at(path: Path, lock: int) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _require_local(folder: Path) -> None:
    """Refuse a network file system, as far as the kernel tells what is mounted where."""
    mounts = Path("/proc/mounts")
    if not mounts.is_file():
        return
    place, best, kind = str(folder.resolve()), "", ""
    for line in mounts.read_text().splitlines():
        _, point, filesystem, *_ = line.split(" ")
        if (place + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, kind = point, filesystem
    if kind in _NOT_LOCAL:
        raise SetupError(
            f"{folder} lies on a network disk ({kind}), where a lock does not keep two writers apart.",
            holds="Nothing was sent.",
            next_step="Put MLC_HOME on a local disk.",
        )
