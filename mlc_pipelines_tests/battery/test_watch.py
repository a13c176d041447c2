"""Periods that are no longer what was loaded are found and wait until they agree again. On every ERP, by the ERP's own clock or numbers."""

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.watch import BATCHES, STATUS, look, waiting
from mlc_pipelines_tests.battery.houses import OTHER, PERIOD, House


@pytest.fixture
def loaded(desk: Desk, house: House) -> Desk:
    """Two periods loaded and agreed; some time has gone by."""
    for period in (PERIOD, OTHER):
        load_actuals(desk, period)
    house.sandbox.clock.advance(3600)
    return desk


def waits(desk: Desk) -> list[tuple[str, str]]:
    return [(one.period, one.reason) for one in waiting(desk.store, desk.connection)]


def post(house: House, period: str = PERIOD) -> None:
    house.post(period, house.expense, house.centers[0], 1000)


def test_nothing_changed_nothing_waits(loaded: Desk) -> None:
    """What was loaded and left alone is not asked for again."""
    look(loaded)
    assert [] == waits(loaded)


def test_a_late_journal_is_found_and_its_period_waits_until_it_agrees(loaded: Desk, house: House) -> None:
    """The period waits from the look that found it until a reading that began later was loaded and agreed; the other one does not."""
    look(loaded)
    post(house)
    assert 1 == len(look(loaded).batches)
    assert [(PERIOD, BATCHES)] == waits(loaded)
    assert 0 == len(look(loaded).batches)
    load_actuals(loaded, PERIOD)
    assert [] == waits(loaded)


def test_what_was_posted_before_the_first_look_is_not_missed(loaded: Desk, house: House) -> None:
    """The first look begins where the oldest loaded period was read, not today."""
    post(house)
    house.sandbox.clock.advance(40 * 86_400)
    look(loaded)
    assert (PERIOD, BATCHES) in waits(loaded)


def test_a_reopened_period_is_told_without_any_change(loaded: Desk, house: House) -> None:
    """A closed period that is open again waits, even with no posting in it."""
    look(loaded)
    house.reopen(PERIOD)
    assert (PERIOD,) == look(loaded).reopened
    assert [(PERIOD, STATUS)] == waits(loaded)
    assert () == look(loaded).reopened
