"""Trails in SQLite always; in Postgres wherever its server is installed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines_tests.store.trail.postgres import Postgres
from mlc_pipelines_tests.store.trail.samples import fill, sqlite_trail


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with Postgres.start() as server:
        yield server


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of that server."""
    if why := Postgres.lacking():
        pytest.skip(f"no Postgres here: {why}")
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.fresh()


@pytest.fixture(params=["sqlite", "postgres"])
def trail(request: pytest.FixtureRequest, fresh_home: Path, tmp_path: Path) -> Iterator[Trail]:
    """An empty trail, in each of the databases."""
    if request.param == "sqlite":
        shutil.copyfile(fresh_home / "mlc.db", tmp_path / "mlc.db")
    url = f"sqlite:///{tmp_path / 'mlc.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    yield Trail.at(tmp_path, engine)
    engine.dispose()


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small trail in SQLite, to be copied."""
    home = tmp_path_factory.mktemp("trail") / "home"
    home.mkdir()
    engine = open_engine(f"sqlite:///{home / 'mlc.db'}")
    fill(Trail.at(home, engine))
    with engine.connect() as db:
        db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return home


@pytest.fixture
def home(filled_home: Path, tmp_path: Path) -> Path:
    place = tmp_path / "home"
    shutil.copytree(filled_home, place)
    return place


@pytest.fixture
def filled(home: Path) -> Trail:
    """A trail of 8 entries (the first one begins it), with checkpoints of entries 5 and 8, in SQLite."""
    return sqlite_trail(home)
