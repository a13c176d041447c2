"""One writer at a time, across processes, whatever becomes of them."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mlc_pipelines.ledger.drafts import FenceLost
from mlc_pipelines.ledger.errors import TransientError, UncertainError
from mlc_pipelines.store.fence import RequireHeld, fence

HOLDER = """
import sys
from pathlib import Path
from mlc_pipelines.store.fence import fence
with fence(Path(sys.argv[1]), "model ABC", holder="demo FY2026-P03", wait_seconds=0):
    print("held", flush=True)
    sys.stdin.readline()
"""

HOLDER_WITH_CHILD = """
import os, sys, time
from pathlib import Path
from mlc_pipelines.store.fence import fence
with fence(Path(sys.argv[1]), "model ABC", holder="demo FY2026-P03", wait_seconds=0):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()
"""

WRITER = """
import os, sys
from pathlib import Path
from mlc_pipelines.ledger.drafts import FenceLost
from mlc_pipelines.store.fence import fence
try:
    with fence(Path(sys.argv[1]), "model ABC", holder="demo FY2026-P03", wait_seconds=0) as require_held:
        for _ in range(2):
            require_held()
            print("written", flush=True)
            sys.stdin.readline()
except FenceLost:
    print("lost", flush=True)
"""


def no_sleep(_seconds: float) -> None:
    """Waiting is not what these tests are about."""


@pytest.fixture
def held(start, tmp_path: Path) -> "subprocess.Popen[str]":
    """Another process that holds the lock until it is told to end."""
    process = start(HOLDER, tmp_path)
    assert "held\n" == process.stdout.readline()
    return process


def take(
    folder: Path, *, wait_seconds: float = 0, sleep: Callable[[float], None] = no_sleep, name: str = "model ABC"
) -> None:
    with fence(folder, name, holder="me", wait_seconds=wait_seconds, sleep=sleep):
        pass


def first(folder: Path) -> AbstractContextManager[RequireHeld]:
    return fence(folder, "model ABC", holder="first", wait_seconds=0)


def tidied_up(folder: Path) -> None:
    """Somebody deletes the lock file, and a second writer gets in."""
    (folder / "model ABC.lock").unlink()
    take(folder)


def test_a_second_writer_is_told_who_holds_the_model(held, tmp_path: Path) -> None:
    """P11: connection, period and process of the holder; nothing was sent."""
    with pytest.raises(
        TransientError, match=f"model ABC is being written by demo FY2026-P03, process {held.pid};"
    ) as refusal:
        take(tmp_path)
    assert "Nothing was sent." == refusal.value.holds


def test_a_second_writer_waits_and_then_works(held, tmp_path: Path) -> None:
    """H11: pauses grow up to a second; as soon as the first has ended, the second goes on."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 12:
            held.communicate("\n")

    take(tmp_path, wait_seconds=60, sleep=sleep)
    assert 12 == len(pauses)
    assert sorted(pauses) == pauses
    assert (0.05, 1.0) == (pauses[0], pauses[-1])


def test_a_killed_writer_frees_the_model_at_once(held, tmp_path: Path) -> None:
    """H02: the kernel gives the lock back; nobody has to clean up."""
    held.kill()
    held.wait()
    take(tmp_path)


def test_a_child_that_lives_on_keeps_the_model(start, tmp_path: Path) -> None:
    """H16: its parent was killed in the middle, and the child may still be writing: the lock tells the truth."""
    parent = start(HOLDER_WITH_CHILD, tmp_path)
    child = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.wait()
        with pytest.raises(TransientError, match="demo FY2026-P03"):
            take(tmp_path)
    finally:
        os.kill(child, signal.SIGKILL)
    tries: list[float] = []
    take(tmp_path, wait_seconds=60, sleep=tries.append)


def test_within_one_process_too(tmp_path: Path) -> None:
    """Two runs in one process are two writers."""
    with first(tmp_path):
        with pytest.raises(TransientError, match=f"first, process {os.getpid()}"):
            take(tmp_path)
        take(tmp_path, name="model XYZ")
    take(tmp_path)


def test_the_model_is_free_after_an_error(tmp_path: Path) -> None:
    """A failed load does not block the next one; its error is what is seen."""
    with pytest.raises(ZeroDivisionError), first(tmp_path):
        raise ZeroDivisionError
    take(tmp_path)


def test_a_shorter_name_is_not_followed_by_the_rest_of_a_longer_one(tmp_path: Path) -> None:
    """Each holder writes its own name over a clean file."""
    with fence(tmp_path, "model ABC", holder="a very long connection name FY2026-P03", wait_seconds=0):
        pass
    with (
        fence(tmp_path, "model ABC", holder="b", wait_seconds=0),
        pytest.raises(TransientError, match=r"written by b, process \d+; it"),
    ):
        take(tmp_path)


def test_a_lock_file_deleted_meanwhile_is_noticed(tmp_path: Path) -> None:
    """H08: somebody tidied up, and a second writer got in: the first one cannot know what the model holds."""
    with pytest.raises(UncertainError, match="lock file of model ABC was deleted while first held it"), first(tmp_path):
        tidied_up(tmp_path)


def test_a_file_deleted_between_opening_and_locking_guards_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H08: the lock on a file that is gone keeps nobody out, so it is taken on the new file."""
    path, lock, deleted = tmp_path / "model ABC.lock", fcntl.flock, []

    def deleted_at_the_wrong_moment(handle: int, how: int) -> None:
        if not deleted:
            deleted.append(path.stat().st_ino)
            path.unlink()
            path.with_suffix(".new").touch()  # so that the next file cannot get the same number
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", deleted_at_the_wrong_moment)
    with fence(tmp_path, "model ABC", holder="me", wait_seconds=0, sleep=no_sleep), pytest.raises(TransientError):
        take(tmp_path)
    assert 1 == len(deleted)


def test_an_error_of_the_load_is_not_hidden_by_the_lock(tmp_path: Path) -> None:
    """Even with the lock file gone, what went wrong first is what is reported."""

    def load() -> None:
        with first(tmp_path):
            tidied_up(tmp_path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load()


def lost(require_held: RequireHeld) -> str:
    """What the fence says of having been lost."""
    with pytest.raises(FenceLost) as loss:
        require_held()
    assert "what was sent before stands as it is" in loss.value.holds
    return loss.value.what


def test_P11_a_writer_asks_before_each_write_whether_it_still_holds_the_model(tmp_path: Path) -> None:
    """As often as it likes, and others are kept out by the question as before; afterwards the answer is no for ever."""
    with first(tmp_path) as require_held:
        require_held()
        require_held()
        with pytest.raises(TransientError, match="written by first"):
            take(tmp_path)
    assert "was given back" in lost(require_held)
    with fence(tmp_path, "model ABC", holder="second", wait_seconds=0) as held_by_second:
        held_by_second()
        assert "was given back" in lost(require_held)


def test_H08_a_deleted_lock_file_stops_the_next_write(tmp_path: Path) -> None:
    """Also where a new file of that name stands there, whoever holds it; nothing is told twice at the end."""

    def works() -> None:
        with first(tmp_path) as require_held:
            require_held()
            (tmp_path / "model ABC.lock").unlink()
            assert "lock file was deleted" in lost(require_held)
            take(tmp_path)
            assert "lock file was deleted" in lost(require_held)
            require_held()

    with pytest.raises(FenceLost, match="lock file was deleted"):
        works()


def test_H16_a_forked_child_is_told_that_the_lock_is_its_parents(tmp_path: Path) -> None:
    """It keeps others out, but it is not for the child to write under it."""
    with first(tmp_path) as require_held:
        child = os.fork()
        if child == 0:
            try:
                require_held()
            except FenceLost as loss:
                os._exit(7 if f"process {os.getppid()} took it" in loss.what else 1)
            finally:
                os._exit(1)
        assert 7 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        require_held()


def test_H16_a_child_that_gives_the_common_lock_away_ends_the_parents_work(tmp_path: Path) -> None:
    """A lock is of the open file, which both have: the parent notices when somebody else took it."""
    with first(tmp_path) as require_held:
        path = tmp_path / "model ABC.lock"
        theirs = next(int(one.name) for one in Path("/proc/self/fd").iterdir() if one.resolve() == path)
        fcntl.flock(theirs, fcntl.LOCK_UN)
        with fence(tmp_path, "model ABC", holder="second", wait_seconds=0) as held_by_second:
            held_by_second()
            assert "another process took it" in lost(require_held)


@pytest.mark.parametrize("tidied", [False, True])
def test_H07_a_stopped_writer_that_goes_on_asks_first(start, tmp_path: Path, tidied: bool) -> None:
    """While it stood still the lock was kept for it; had somebody deleted the file and another one begun, it writes nothing more."""
    stopped = start(WRITER, tmp_path)
    assert "written\n" == stopped.stdout.readline()
    stopped.send_signal(signal.SIGSTOP)
    with pytest.raises(TransientError, match="demo FY2026-P03"):
        take(tmp_path)
    if tidied:
        tidied_up(tmp_path)
    stopped.send_signal(signal.SIGCONT)
    said, _ = stopped.communicate("\n")
    assert ("lost\n" if tidied else "written\n") == said
