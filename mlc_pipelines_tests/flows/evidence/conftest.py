"""Periods that were loaded into the plan of the sandbox, and what an auditor does with their evidence."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.evidence.pack import Exported, export_pack
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.columns import columns_of
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly, store_demo_credentials

PERIOD = "FY2026-P03"
Export = Callable[..., Exported]


@pytest.fixture(scope="session")
def loaded_home(running_sandbox: Sandbox, fresh_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one period was loaded; it is copied."""
    home = tmp_path_factory.mktemp("loaded") / "home"
    home.mkdir(mode=0o700)
    shutil.copy(fresh_database, home / "mlc.db")
    running_sandbox.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_HOME", str(home))
        patch.setenv("MLC_SANDBOX_URL", running_sandbox.url)
        store_demo_credentials(running_sandbox, Store.open())
        with open_desk(find("demo"), sleep=briefly) as desk:
            refresh_reference(desk)
            load_actuals(desk, PERIOD)
        Store.open().engine.dispose()
    return home


@pytest.fixture
def loaded(loaded_home: Path, home: Path, running_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The demo connection with that period loaded."""
    shutil.copytree(loaded_home, home)
    monkeypatch.setenv("MLC_SANDBOX_URL", running_sandbox.url)
    return find("demo")


@pytest.fixture
def export(loaded: Named) -> Export:
    def write(place: Path, period: str = PERIOD) -> Exported:
        return export_pack(Store.open(), loaded.name, loaded.calendar.period(period), columns_of(loaded), place)

    return write


def verified(pack: Path, *arguments: str) -> tuple[int, str]:
    """By the copy that lies in the pack, from within it, with an interpreter that sees the standard library only."""
    command = [sys.executable, "-I", "-S", "verify_pack.py", ".", *arguments]
    done = subprocess.run(command, cwd=pack, capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr
    return done.returncode, done.stdout
