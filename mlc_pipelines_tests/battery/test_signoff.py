"""The sign-off of a period: final once the ERP has closed it, suspended when it changes, with the journals that do, given anew by the next load. On every ERP."""

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.signoff import (
    FINAL,
    IN_DOUBT,
    NONE,
    PROVISIONAL,
    SUSPENDED,
    sign_off,
    suspend,
    to_compare,
    watch_over,
)
from mlc_pipelines.flows.since_agreed import compare, journals_table
from mlc_pipelines.flows.watch import CLOSED_IN_ERP, waiting
from mlc_pipelines_tests.battery.houses import OTHER, PERIOD, House


@pytest.fixture
def signed(desk: Desk, house: House) -> Desk:
    """Two closed periods loaded and agreed, and looked at since."""
    for period in (PERIOD, OTHER):
        house.close(period)
        load_actuals(desk, period)
    house.sandbox.clock.advance(3600)
    watch_over(desk)
    return desk


def state(desk: Desk, period: str = PERIOD) -> str:
    return sign_off(desk.store, desk.connection, period).state


def waits(desk: Desk) -> list[tuple[str, str]]:
    return [(one.period, one.reason) for one in waiting(desk.store, desk.connection)]


def test_a_period_is_final_once_the_erp_has_closed_it(desk: Desk, house: House) -> None:
    """Nothing agreed; agreed while it was open; closed in the ERP, and therefore asked for again; agreed as it was closed."""
    assert NONE == state(desk)
    house.reopen(PERIOD)
    load_actuals(desk, PERIOD)
    watch_over(desk)
    assert PROVISIONAL == state(desk)
    house.close(PERIOD)
    found, suspended = watch_over(desk)
    assert ((PERIOD,), []) == (found.closed, suspended)
    assert [(PERIOD, CLOSED_IN_ERP)] == waits(desk)
    load_actuals(desk, PERIOD)
    assert (FINAL, []) == (state(desk), waits(desk))
    agreed = sign_off(desk.store, desk.connection, PERIOD).agreed
    assert agreed is not None
    assert agreed.reading["debit_minor"] == agreed.reading["credit_minor"] > 0
    assert agreed.reading["lines"] > 0
    assert "2" == agreed.reading["modified_until"][0]


def test_a_late_journal_suspends_its_period_alone_and_is_named(signed: Desk, house: House) -> None:
    """At once, by the look that finds it; then with its amount, line by line. The next load gives a new sign-off, and the old one stays in the history."""
    house.post(PERIOD, house.expense, house.centers[0], 1234)
    _, [at_once] = watch_over(signed)
    assert (PERIOD, SUSPENDED, FINAL) == (at_once.period, state(signed), state(signed, OTHER))
    assert (
        "Journals were posted or changed in the ERP after it was agreed. What differs is still to be read."
        == at_once.note
    )
    assert [PERIOD] == to_compare(signed.store, signed.connection)
    found = compare(signed, PERIOD)
    assert found is not None
    assert "1 journal is not what was agreed: 1 new." in found.note
    assert "(12.34 USD)" in found.note
    shown = journals_table(signed.store, found, "USD")
    assert {("new", house.expense, "0.00", "12.34"), ("new", house.bank, "0.00", "-12.34")} == set(
        shown[["what", "account", "was", "now"]].itertuples(index=False, name=None)
    )
    assert [] == to_compare(signed.store, signed.connection)
    assert [] == suspend(signed.store, signed.connection)
    assert [PERIOD] == [period for period, _ in waits(signed)]
    load_actuals(signed, PERIOD)
    assert FINAL == state(signed)
    told = [row.state for row in signed.store.standings(signed.connection).of_period(PERIOD) if row.state != "CLOSED"]
    assert ["FINAL", "SUSPENDED", "SUSPENDED", "SUSPENDED", "FINAL"] == told


@pytest.mark.prove
def test_a_load_alone_finds_what_changed_too(signed: Desk, house: House) -> None:
    """Nobody watched: the reading of the next load is held against what was agreed, and says so, before it is agreed anew."""
    house.post(PERIOD, house.expense, house.centers[0], 1234)
    report, *_ = load_actuals(signed, PERIOD)
    assert "1 journal is not what was agreed" in report.texts["since it was agreed"]
    told = [row.state for row in signed.store.standings(signed.connection).of_period(PERIOD) if row.state != "CLOSED"]
    assert ["FINAL", "SUSPENDED", "FINAL"] == told


@pytest.mark.prove
def test_a_second_change_adds_to_the_first(signed: Desk, house: House) -> None:
    """What is listed is always the whole difference from what was agreed."""
    for center in house.centers:
        house.post(PERIOD, house.expense, center, 1000)
        house.sandbox.clock.advance(3600)
        watch_over(signed)
        found = compare(signed, PERIOD)
    assert found is not None
    assert "2 journals are not what was agreed: 2 new." in found.note


@pytest.mark.prove
def test_a_reopened_period_is_suspended_without_any_change(signed: Desk, house: House) -> None:
    """It can change at any moment now; the next agreement is provisional until the ERP closes it again."""
    house.reopen(PERIOD)
    watch_over(signed)
    found = compare(signed, PERIOD)
    assert found is not None
    assert "Opened again in the ERP. No figure differs from what was agreed." == found.note
    assert (SUSPENDED, "") == (state(signed), found.changes)
    load_actuals(signed, PERIOD)
    assert PROVISIONAL == state(signed)


def test_a_change_of_an_open_period_suspends_nothing(desk: Desk, house: House) -> None:
    """Provisional figures are expected to move: the period waits to be read again, as ever."""
    house.reopen(PERIOD)
    load_actuals(desk, PERIOD)
    house.sandbox.clock.advance(3600)
    watch_over(desk)
    house.post(PERIOD, house.expense, house.centers[0], 1000)
    assert [] == watch_over(desk)[1]
    assert PROVISIONAL == state(desk)
    assert [PERIOD] == [period for period, _ in waits(desk)]


@pytest.mark.prove
def test_a_load_that_fell_into_a_change_is_suspended_again(signed: Desk, house: House) -> None:
    """It began to read before the change and agreed after it was found: what agreed is older than the change."""
    read_slice(signed, PERIOD)
    write_slice(signed, PERIOD)
    house.post(PERIOD, house.expense, house.centers[0], 1000)
    assert 1 == len(watch_over(signed)[1])
    load_slice(signed, PERIOD)
    assert [PERIOD] == [one.period for one in suspend(signed.store, signed.connection)]
    assert SUSPENDED == state(signed)


def test_a_refused_load_leaves_the_period_in_doubt(signed: Desk) -> None:
    """Whatever was agreed before: nobody knows what the plan holds now."""
    signed.store.history.doubt(signed.connection, PERIOD, "another import cleared it")
    held = sign_off(signed.store, signed.connection, PERIOD)
    assert (IN_DOUBT, "another import cleared it") == (held.state, held.said)
