"""What all rooms' tests share: one sandbox per worker, put back to its start for each test, and a home of its own for each test."""

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from zlib import crc32

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk

OpenDesk = Callable[..., AbstractContextManager[Desk]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test over HTTP, of the sandbox or of the store with several variants one runs with `make test` (or as many as its mark `quickly` says), the others with `make prove`.

    Which ones follows from the test's name, so that over all tests each kind of variant has its turn. What takes minutes comes first: else one
    worker is left alone with it in the end.
    """
    variants: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        varied = (
            "running_sandbox" in getattr(item, "fixturenames", ())
            or "/sandbox/" in item.nodeid
            or "/store/" in item.nodeid
        )
        if varied and item.get_closest_marker("prove") is None:
            variants[item.nodeid.split("[")[0]].append(item)
    for name, of_test in variants.items():
        mark = of_test[0].get_closest_marker("quickly")
        quick = min(mark.args[0] if mark else 1, len(of_test))
        chosen = {(crc32(name.encode()) + len(of_test) * at // quick) % len(of_test) for at in range(quick)}
        for at, item in enumerate(of_test):
            if at not in chosen:
                item.add_marker(pytest.mark.prove)
    items.sort(key=_by_length)


_LONG = ("/live/", "test_year.py", "/posting/", "test_memory.py")


def _by_length(item: pytest.Item) -> int:
    """A live Dagster and a simulated year before long machines and enumerations, these before the rest."""
    return next((at for at, place in enumerate(_LONG) if place in item.nodeid), len(_LONG))


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The sample company as it was seeded."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder, as MLC_HOME names it."""
    place = tmp_path / "home"
    monkeypatch.setenv("MLC_HOME", str(place))
    return place


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was opened once; it is copied, since making the tables takes a moment."""
    home = tmp_path_factory.mktemp("fresh")
    Store.open(home, f"sqlite:///{home / 'mlc.db'}").engine.dispose()
    return home / "mlc.db"


@pytest.fixture
def furnished(home: Path, fresh_database: Path) -> Path:
    """The same, with the tables that the first opening would make."""
    home.mkdir(mode=0o700)
    shutil.copy(fresh_database, home / "mlc.db")
    return home


@pytest.fixture
def demo(sandbox: Sandbox, furnished: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The demo connection, pointed at the sandbox, with its credentials in the vault."""
    monkeypatch.setenv("MLC_SANDBOX_URL", sandbox.url)
    store_demo_credentials(sandbox, Store.open())
    return find("demo")


def store_demo_credentials(sandbox: Sandbox, store: Store) -> None:
    info = sandbox.info
    erp = ("username", "password", "client_id", "client_secret")
    store.vault.put("demo-acumatica", {field: info["acumatica"][field] for field in erp})
    store.vault.put("demo-anaplan", {field: info["anaplan"][field] for field in ("username", "password")})


def store_epicor_credentials(sandbox: Sandbox, store: Store) -> None:
    """The second company's; its books are made at the first question, which most tests never ask."""
    info = sandbox.info["epicor"]
    store.vault.put("demo-epicor", {field: info[field] for field in ("api_key", "username", "password")})


@pytest.fixture
def demo_epicor(demo: Named, sandbox: Sandbox) -> Named:
    """The second demo connection, likewise."""
    store_epicor_credentials(sandbox, Store.open())
    return find("demo_epicor")


def briefly(seconds: float) -> None:
    """A sleep for tests: long enough for the sandbox to go on, too short to wait for."""
    time.sleep(min(seconds, 0.02))


@pytest.fixture
def desk(demo: Named) -> Iterator[Desk]:
    """The demo connection at work."""
    with open_desk(demo, sleep=briefly) as opened:
        yield opened
