"""Each test of the battery runs once for every ERP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find
from mlc_pipelines_tests.battery.houses import House, Ironvale, Meridian, opened
from mlc_pipelines_tests.conftest import store_demo_credentials, store_epicor_credentials


@pytest.fixture(params=["acumatica", "epicor"])
def house(request: pytest.FixtureRequest, sandbox: Sandbox, furnished: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("MLC_SANDBOX_URL", sandbox.url)
    store_demo_credentials(sandbox, Store.open())
    if request.param == "acumatica":
        return Meridian(find("demo"), sandbox)
    store_epicor_credentials(sandbox, Store.open())
    return Ironvale(find("demo_epicor"), sandbox)


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    """The connection at work, its reference data read."""
    with opened(house) as at_work:
        refresh_reference(at_work)
        house.sandbox.traffic.requests.clear()
        yield at_work
