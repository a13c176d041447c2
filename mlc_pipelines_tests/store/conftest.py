"""A store of its own for each test, and programs that run beside it."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlc_pipelines.store.home import Store

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was opened once; it is copied, since making the tables takes a moment."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    Store.open(home, f"sqlite:///{home / 'mlc.db'}").engine.dispose()
    return home


@pytest.fixture
def store(fresh_home: Path, tmp_path: Path) -> Iterator[Store]:
    home = tmp_path / "home"
    shutil.copytree(fresh_home, home)
    store = Store.open(home, f"sqlite:///{home / 'mlc.db'}")
    yield store
    store.engine.dispose()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program in a process of its own. It is given its arguments, and reads from and writes to the test."""
    running: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", program, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
