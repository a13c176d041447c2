"""A Postgres server of its own for the tests, as Debian's package installs it."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from mlc_pipelines.store.schema import open_engine

_PLACES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin"), Path("/usr/bin")]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server that listens in a folder only, not on the network."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    @staticmethod
    def lacking() -> str:
        """What is missing here to run one; "" where nothing is."""
        if importlib.util.find_spec("psycopg") is None:
            return "psycopg is not installed"
        if _program("initdb") is None or _program("pg_ctl") is None:
            return "initdb or pg_ctl is not installed"
        return "" if _user() is not None else "it does not run as root, and there is no user postgres or nobody"

    @classmethod
    @contextmanager
    def start(cls) -> Iterator["Postgres"]:
        folder = Path(
            tempfile.mkdtemp(prefix="pg-", dir="/tmp")
        )  # short: the name of a socket has 107 characters at most
        if os.getuid() == 0:
            shutil.chown(folder, _user())
        data = str(folder / "data")
        try:
            _run("initdb", "-D", data, "-A", "trust", "-U", "tests", "-E", "UTF8", "--locale=C", "--no-sync")
            said = f"-k {folder} -c listen_addresses='' -c fsync=off"
            _run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", said, "start")
            try:
                yield cls(folder)
            finally:
                _run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, database: str, user: str = "tests") -> str:
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def fresh(self) -> str:
        """A new database with today's tables; they are made once and copied."""
        number = next(self.numbers)
        if not number:
            self._create("made", "template0")
            open_engine(self.url("made")).dispose()
        self._create(f"fresh{number}", "made")
        return self.url(f"fresh{number}")

    def _create(self, name: str, template: str) -> None:
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as db:
            db.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine.dispose()


def _program(name: str) -> Path | None:
    return next((place / name for place in _PLACES if (place / name).exists()), None)


def _user() -> str | None:
    """Whom the server runs as; it refuses root."""
    if os.getuid():
        return pwd.getpwuid(os.getuid()).pw_name
    known = {one.pw_name for one in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def _run(program: str, *arguments: str) -> None:
    command = [str(_program(program)), *arguments]
    as_user = {"user": _user()} if os.getuid() == 0 else {}
    done = subprocess.run(  # the server keeps what it inherits open, so its output goes nowhere
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=60,
        **as_user,
    )
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
