"""Each test of plans runs once for every destination."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines_tests.budgets.office import V1, Office, open_office
from mlc_pipelines_tests.budgets.ways import WAYS, Way
from mlc_pipelines_tests.conftest import store_demo_credentials, store_epicor_credentials


@pytest.fixture
def sites(sandbox: Sandbox, furnished: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Both sample companies as they were seeded, and the credentials of both connections in a new home."""
    monkeypatch.setenv("MLC_SANDBOX_URL", sandbox.url)
    store = Store.open()
    store_demo_credentials(sandbox, store)
    store_epicor_credentials(sandbox, store)
    return sandbox


@pytest.fixture(params=WAYS, ids=[one.name for one in WAYS])
def way(request: pytest.FixtureRequest, sites: Sandbox) -> Way:
    """A destination, and a plan of four cells in two periods."""
    found: Way = request.param(sites)
    found.plan_little(V1)
    return found


@pytest.fixture
def office(way: Way) -> Iterator[Office]:
    with open_office(way) as opened:
        yield opened
