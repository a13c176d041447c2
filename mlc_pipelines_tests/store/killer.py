"""Does something to a home and dies of a real SIGKILL at a chosen step of it. One process that forks, so that nothing is imported twice.

    python killer.py HOME DEED all|io|some  ->  one line of JSON per step: {"step": ..., "at": "vault.py:12 _reseal", "found": {...}, "after": {...}}

A step is a line of our own code about to be executed. found: what a fresh process reads after the kill; after: what it reads once the
deed was done again to its end. Steps: those that touch a disk, of which every fourth is done again; with `some`
every third of those; with `all` every line the first time as well, and each done again.
"""

import gc
import json
import linecache
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.store import vault
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.sealing import Sealed, session_binding

PLACE = Path(vault.__file__).parent
OURS = {
    str(PLACE / name)
    for name in (
        "vault.py",
        "strongroom.py",
        "rotation.py",
        "sealing.py",
        "ring.py",
        "ringplaces.py",
        "anchor.py",
        "durable.py",
    )
}
DEEDS: dict[str, Callable[[Store], object]] = {
    "rotate": lambda store: store.vault.rotate_key(keep_days=0),
    "put": lambda store: store.vault.put("b", {"password": "new"}, by="test"),
    "remove": lambda store: store.vault.remove("b"),
    "switch": lambda store: (store.vault.put_next("b", {"password": "new"}), store.vault.switch("b")),
}


def opened(home: Path) -> Store:
    return Store.open(home, f"sqlite:///{home / 'mlc.db'}")


def traced(step: int | None, seen: list[str]) -> Callable[[FrameType, str, Any], Any]:
    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename not in OURS:
            return None
        if event == "line":
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            seen.append(f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}")
        return trace

    return trace


def touches_a_disk(step: str) -> bool:
    file, line = step.split(" ")[0].split(":")
    text = linecache.getline(file, int(line))
    return bool(re.search(r"fsync|replace\(|unlink|file\.write|\.begin\(|db\.execute|yield db|place\.write", text))


def in_a_child(deed: Callable[[], Any]) -> tuple[int, Any]:
    """Exit status, and what it answered as JSON."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        try:
            os.write(write, json.dumps(deed()).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        said = answer.read()
    return os.waitpid(child, 0)[1], json.loads(said) if said else None


def do(home: Path, deed: str, step: int | None) -> list[str]:
    seen: list[str] = []
    store = opened(home)
    sys.settrace(traced(step, seen))
    try:
        DEEDS[deed](store)
    finally:
        sys.settrace(None)
    return seen


def read(home: Path) -> dict[str, Any]:
    """Everything that is sealed, and how many keys there are."""
    store = opened(home)
    found: dict[str, Any] = {name: store.vault.open(name)["password"].reveal() for name, _, _ in store.vault.names()}
    with store.engine.connect() as db:
        for row in db.execute(sa.text("SELECT * FROM open_sessions")).all():
            sealed = Sealed(row.key_id, row.nonce, row.ciphertext)
            found["session"] = store.vault.unseal(sealed, bound_to=session_binding(row.site, row.place))
    return {**found, "keys": len((home / "keys" / "vault.key").read_text().splitlines())}


def main(home: Path, deed: str, which: str) -> None:
    folder = Path(tempfile.mkdtemp(dir=home.parent))

    def fresh(name: str) -> Path:
        return Path(shutil.copytree(home, folder / name))

    seen, _ = (
        do(fresh("whole"), deed, None),
        read(folder / "whole"),
    )  # here, so that the children have everything loaded
    gc.freeze()
    first = {seen.index(each) for each in set(seen)} if which == "all" else set()
    steps = [number for number, each in enumerate(seen) if number in first or touches_a_disk(each)]
    steps = steps[::3] if which == "some" else steps
    for number, step in enumerate(steps):
        once_more = which == "all" or number % 4 == 0
        copy = fresh(str(step))
        status, _ = in_a_child(lambda: do(copy, deed, step))  # noqa: B023  run before the next step
        assert os.WIFSIGNALED(status), f"step {step} was not reached"
        _, told = in_a_child(lambda: [read(copy), *([do(copy, deed, None), read(copy)] if once_more else [])])  # noqa: B023
        said = {"step": step, "at": seen[step], "found": told[0], **({"after": told[2]} if once_more else {})}
        sys.stdout.write(json.dumps(said) + "\n")
        shutil.rmtree(copy)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
