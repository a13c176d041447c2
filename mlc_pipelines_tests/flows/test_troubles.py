"""What the store knows of that people should look at, and until when: suspended sign-offs, re-opened periods, postings, codes, years."""

from dataclasses import replace
from pathlib import Path

import pytest

from mlc_pipelines.flows.troubles import troubles_of, waiting_postings, years_to_load
from mlc_pipelines.ledger.troubles import CONFLICT, KEPT, REOPENED, SUSPENDED, UNMAPPED, WAITING, YEARS
from mlc_pipelines.store import postings, standings
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines_tests.posting.samples import DRAFT, approved

PERIODS = ("FY2026-P02", "FY2026-P03")
LATE = "3 journals were posted since it was signed: 1,200.00 USD."


@pytest.fixture
def store(furnished: Path) -> Store:
    return Store.open()


def found(store: Store) -> list[tuple[str, str]]:
    return [(one.kind, one.about) for one in troubles_of(store, "demo", PERIODS)]


def agrees(store: Store, period: str) -> None:
    load = store.history.begin_load("demo", period, "0" * 64)
    store.standings("demo").keep(period, standings.FINAL, "agreed", load=load)
    store.history.end_load(load, AGREED)


def test_a_suspended_sign_off_is_told_until_the_period_agrees_anew(store: Store) -> None:
    """With what changed, as the sign-off itself says it. A look that found no difference ends it as well."""
    agrees(store, "FY2026-P03")
    assert [] == found(store)
    store.standings("demo").keep("FY2026-P03", standings.SUSPENDED, LATE, notice=1)
    [told] = troubles_of(store, "demo", PERIODS)
    assert (SUSPENDED, "FY2026-P03", LATE) == (told.kind, told.about, told.what)
    agrees(store, "FY2026-P03")
    assert [] == found(store)


def test_kept_figures_are_told_until_the_erp_is_asked(store: Store) -> None:
    """Nobody signs them, whatever was signed before."""
    agrees(store, "FY2026-P03")
    load = store.history.begin_load("demo", "FY2026-P03", "1" * 64)
    store.standings("demo").keep("FY2026-P03", standings.AS_THEN, "The figures of load 1.", load=load)
    store.history.end_load(load, AGREED)
    [told] = troubles_of(store, "demo", PERIODS)
    assert (KEPT, "FY2026-P03", "The figures of load 1.") == (told.kind, told.about, told.what)
    assert "`mlc load demo FY2026-P03`" in told.next_step
    agrees(store, "FY2026-P03")
    assert [] == found(store)


def test_a_reopened_period_is_told_until_it_is_closed_or_taken_in(store: Store) -> None:
    kept = store.standings("demo")
    kept.keep("FY2026-P02", standings.REOPENED, "Opened again in the ERP.")
    kept.keep("FY2026-P03", standings.REOPENED, "Opened again in the ERP.")
    assert [(REOPENED, "FY2026-P02"), (REOPENED, "FY2026-P03")] == found(store)
    kept.keep("FY2026-P02", standings.CLOSED, "Closed in the ERP.")
    agrees(store, "FY2026-P03")
    assert [] == found(store)


def test_a_year_that_is_lacking_is_told_until_it_is_there(store: Store) -> None:
    kept = store.standings("demo")
    kept.keep("FY2028", standings.NO_YEAR, "The ERP has no such year.")
    assert [(YEARS, "FY2028")] == found(store)
    kept.keep("FY2028", standings.NEW_YEAR, "Taken over.")
    assert [] == found(store)


def test_a_new_year_is_told_until_its_periods_are_partitions() -> None:
    """Nobody would look for it: the year's first close is only late otherwise."""
    known = (*PERIODS, "FY2027-P01", "FY2027-P02")
    [told] = years_to_load(known, PERIODS)
    assert (YEARS, "FY2027") == (told.kind, told.about)
    assert "Reload" in told.next_step
    assert [] == list(years_to_load(known, known))


def test_a_preview_is_told_until_somebody_decides_on_it(store: Store) -> None:
    """With its content and the command; not while it is older than the newest approved figures, and not where it has nothing to post."""
    plans, history = {"forecast": "Forecast"}, store.history

    def waits() -> list[str]:
        return [one.what for one in troubles_of(store, "demo", PERIODS, plans) if one.kind == WAITING]

    def previewed(package: str) -> None:
        facts = {"package": package, "approved": "a" * 64, "prepared_by": "r.diaz"}
        history.record_step("demo", "forecast_journals", "FY2026", "b" * 64, facts)

    history.record_step("demo", "approved_forecast", "FY2026", "a" * 64, {})
    previewed("")
    assert [] == waits()
    previewed("c" * 64)
    [told] = troubles_of(store, "demo", PERIODS, plans)
    assert (WAITING, "Forecast FY2026") == (told.kind, told.about)
    assert f"Content {'c' * 16}, prepared by r.diaz, waits for approval." == told.what
    assert f"`mlc budget approve demo FY2026 {'c' * 16} --plan forecast`" in told.next_step
    history.record_step("demo", "approved_forecast", "FY2026", "d" * 64, {})
    assert [] == waits()
    history.record_step("demo", "approved_forecast", "FY2026", "a" * 64, {})
    store.approvals("demo").approve("Forecast FY2026", "c" * 64, "controller", evidence="approved in the plan")
    assert [] == waits()
    store.approvals("demo").withdraw("Forecast FY2026", "c" * 64, "controller", "a figure is to be looked at")
    assert [] == waits()


def test_postings_that_wait_or_need_a_decision_are_named_by_their_plan(store: Store) -> None:
    """A journal that is merely previewed, or at its end, is none of them."""
    register = store.postings("demo", who="r.diaz")
    waits, decide = replace(DRAFT, plan="Budget FY2026"), replace(DRAFT, plan="Forecast FY2026")
    for draft in (waits, decide):
        register.record_intent(draft, approved(draft))
    assert [] == found(store)
    register.move(waits.reference, postings.WAITING, note="FY2026-P03 is closed.")
    register.move(decide.reference, postings.CONFLICT, note="Line 2 was edited.")
    told = {one.kind: one for one in troubles_of(store, "demo", PERIODS)}
    assert {WAITING: "FY2026-P03 is closed.", CONFLICT: "Line 2 was edited."} == {
        kind: one.what for kind, one in told.items()
    }
    assert (str(waits), str(decide)) == (told[WAITING].about, told[CONFLICT].about)
    assert [] == troubles_of(store, "another", PERIODS)
    plans = {"budget": "Budget", "forecast": "Forecast"}
    assert {"FY2026-P03 budget_posting"} == waiting_postings(store, "demo", plans)


def test_money_without_a_member_is_told_once_and_not_for_each_period(store: Store) -> None:
    """That of the newest period that has some."""
    for period, minor in (("FY2026-P02", 5_000), ("FY2026-P03", 12_050)):
        store.history.record_step("demo", "actuals_csv", period, "0" * 64, {"unmapped_minor": minor, "currency": "USD"})
    [told] = troubles_of(store, "demo", PERIODS)
    assert (UNMAPPED, "120.50 USD of FY2026-P03 lie on suspense members.") == (told.kind, told.what)
