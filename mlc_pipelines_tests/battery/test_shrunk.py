"""A slice that is suddenly empty, or nearly so, needs a person's yes before zeros are sent. On every ERP."""

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.battery.houses import House, expected_cells, held_cells
from mlc_pipelines_tests.conftest import briefly

PERIOD = "FY2026-P01"


def load(house: House, *accepted: str) -> None:
    with open_desk(house.named, sleep=briefly, accept_shrunk=accepted) as desk:
        refresh_reference(desk)
        load_actuals(desk, PERIOD)


@pytest.mark.parametrize("keep", [0, pytest.param(2, marks=pytest.mark.prove)])
def test_c16_a_slice_that_shrank_waits_for_a_person(house: House, keep: int) -> None:
    """Both counts are named and nothing is sent; with the person's yes for this period the zeros go out and agree."""
    load(house)
    house.empty(PERIOD, keep)
    sent = len(house.sandbox.tenant.log()["actions"])
    with pytest.raises(DataError, match=rf"(?s){PERIOD} has shrunk from [\d,]+ cells .* to \d+.*--accept-shrunk"):
        load(house)
    with pytest.raises(DataError, match="has shrunk"):
        load(house, "FY2026-P02")
    assert sent == len(house.sandbox.tenant.log()["actions"])
    load(house, PERIOD)
    assert AGREED == Store.open().history.loads(house.named.name, PERIOD)[-1].state
    assert expected_cells(house, PERIOD) == held_cells(house, PERIOD)
