"""A period in which nothing is posted: normal while it is open, hard to believe once it is closed, or where there were lines before. On every ERP."""

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.signoff import FINAL, PROVISIONAL, sign_off
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.home import Store
from mlc_pipelines_tests.battery.houses import House, expected_cells, held_cells, nothing_reached_the_plan, opened

PERIOD = "FY2026-P03"


def test_an_open_period_without_postings_agrees_at_zero(house: House) -> None:
    """The first loads of a new period: provisional, nothing is sent, an empty file least of all. The first posting is loaded like any other."""
    house.reopen(PERIOD)
    house.empty(PERIOD, 0)
    with opened(house) as desk:
        refresh_reference(desk)
        for _ in range(2):
            done = load_actuals(desk, PERIOD)[-1]
            assert "No postings yet" in done.summary
        assert [("model_matches_cells", 0)] == [
            (leg.name, leg.right_minor) for leg in done.legs
        ]  # no import, no rows to count
        held = sign_off(desk.store, house.named.name, PERIOD)
        assert (PROVISIONAL, True) == (held.state, "0 lines" in held.said)
        assert not [row for row in house.sandbox.traffic.requests if row.method == "PUT" and "/chunks/" in row.path]
        house.post(PERIOD, house.expense, house.centers[0], 12_345)
        load_actuals(desk, PERIOD)
    assert expected_cells(house, PERIOD) == held_cells(house, PERIOD) != {}


def test_c16_a_closed_period_without_postings_waits_for_a_person(house: House) -> None:
    """Nobody closes a period in which nothing happened, but for one of adjustments: a person says that it is right."""
    house.close(PERIOD)
    house.empty(PERIOD, 0)
    with opened(house) as desk:
        refresh_reference(desk)
        with pytest.raises(
            DataError, match=rf"(?s){PERIOD} has no posting in the ERP, although it is closed there.*--accept-shrunk"
        ):
            load_actuals(desk, PERIOD)
        assert nothing_reached_the_plan(house)
    accepted = house.named.settings.actuals.model_copy(update={"accept_shrunk": (PERIOD,)})
    with opened(house, actuals=accepted) as desk:
        load_actuals(desk, PERIOD)
    assert FINAL == sign_off(Store.open(), house.named.name, PERIOD).state


def test_c16_lines_that_are_gone_are_no_empty_period(house: House) -> None:
    """Read before and not loaded, then nothing is there any more: as when the user's rights were cut. It is not taken for a beginning."""
    house.reopen(PERIOD)
    with opened(house) as desk:
        refresh_reference(desk)
        read_slice(desk, PERIOD)
        house.empty(PERIOD, 0)
        with pytest.raises(DataError, match=rf"{PERIOD} has no posting in the ERP, although it had [\d,]+ lines"):
            load_actuals(desk, PERIOD)
    assert nothing_reached_the_plan(house)
