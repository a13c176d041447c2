"""Both systems behind https with an authority of their own. On every ERP."""

from pathlib import Path

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find
from mlc_pipelines_tests.battery.houses import PERIOD, Ironvale, Meridian, expected_cells, held_cells, opened
from mlc_pipelines_tests.conftest import store_demo_credentials, store_epicor_credentials


@pytest.mark.parametrize(("kind", "name"), [(Meridian, "demo"), (Ironvale, "demo_epicor")])
def test_the_whole_way_over_tls(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Meridian | Ironvale], name: str
) -> None:
    """The connection names the authority; without it the certificate is refused."""
    with Sandbox.start(tls=True) as secure:
        monkeypatch.setenv("MLC_SANDBOX_URL", secure.url)
        store_demo_credentials(secure, Store.open())
        store_epicor_credentials(secure, Store.open())
        house = kind(find(name), secure)
        erp, plan = (
            section.model_copy(update={"ca_file": secure.info["ca_file"]})
            for section in (house.named.settings.erp, house.named.settings.anaplan)
        )
        with opened(house, erp=erp, anaplan=plan) as desk:
            refresh_reference(desk)
            load_actuals(desk, PERIOD)
        assert expected_cells(house, PERIOD) == held_cells(house, PERIOD)
        with pytest.raises(PipelineError, match="certificate"), opened(house, anaplan=plan) as desk:
            refresh_reference(desk)
