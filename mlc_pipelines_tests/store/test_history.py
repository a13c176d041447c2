"""What was done, and which files were loaded, surely or perhaps."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import AGREED, BEGUN, DIRTY, History
from mlc_pipelines.store.home import Store


@pytest.fixture
def history(store: Store) -> History:
    return store.history


def attempt(
    history: History, sent: str, state: str, *, connection: str = "demo", period: str = "FY2026-P01", **end: Any
) -> int:
    load = history.begin_load(connection, period, sent)
    if state != BEGUN:
        history.end_load(load, state, **end)
    return load


def test_the_newest_result_of_a_step_counts(history: History) -> None:
    """A step may be done again; the facts come back as they were written."""
    assert history.latest_step("demo", "gl_actuals", "FY2026-P01") is None
    history.record_step("demo", "gl_actuals", "FY2026-P01", "old", {"lines": 1})
    history.record_step(
        "demo", "gl_actuals", "FY2026-P01", "new", {"lines": 2, "note": "Zürich 会計", "big": 2**60}, run="r1"
    )
    step = history.require_step("demo", "gl_actuals", "FY2026-P01")
    assert ("demo", "gl_actuals", "FY2026-P01", "new") == (step.connection, step.step, step.period, step.artefact)
    assert {"lines": 2, "note": "Zürich 会計", "big": 2**60} == step.facts
    assert step.made_at.endswith("+00:00")


@pytest.mark.parametrize(
    "place",
    [
        ("other", "gl_actuals", "FY2026-P01"),
        ("demo", "actuals_csv", "FY2026-P01"),
        ("demo", "gl_actuals", "FY2026-P02"),
        ("demo", "gl_actuals", ""),
    ],
)
def test_a_step_belongs_to_one_connection_name_and_period(history: History, place: tuple[str, str, str]) -> None:
    """Another connection's result is no result."""
    history.record_step("demo", "gl_actuals", "FY2026-P01", "hash", {})
    assert history.latest_step(*place) is None


def test_a_missing_step_says_what_to_materialize(history: History) -> None:
    """By the names that stand in Dagit."""
    with pytest.raises(DataError, match="demo: gl_actuals has not been made for FY2026-P01") as refusal:
        history.require_step("demo", "gl_actuals", "FY2026-P01")
    assert "Materialize demo/gl_actuals for FY2026-P01 first." == refusal.value.next_step
    with pytest.raises(DataError, match=r"demo: member_map has not been made\."):
        history.require_step("demo", "member_map")


def test_a_load_is_remembered_from_before_it_began(history: History, store: Store) -> None:
    """P03: what may reach the model is written down first; a killed process leaves it BEGUN, for every other process to see."""
    load = attempt(history, "file", BEGUN)
    (seen,) = Store.open(store.home).history.loads("demo", "FY2026-P01")
    assert (load, "FY2026-P01", "file", "", "", BEGUN, "") == (
        seen.id,
        seen.period,
        seen.sent,
        seen.read_back,
        seen.dump,
        seen.state,
        seen.note,
    )


def test_a_load_ends_with_its_evidence(history: History) -> None:
    """State, read-back, dump and reason; other loads stay as they were."""
    first = attempt(history, "one", BEGUN)
    attempt(history, "two", BEGUN)
    history.end_load(first, DIRTY, read_back="held", dump="refused", note="2 rows refused")
    one, two = history.loads("demo", "FY2026-P01")
    assert (DIRTY, "held", "refused", "2 rows refused") == (one.state, one.read_back, one.dump, one.note)
    assert (BEGUN, "", "", "") == (two.state, two.read_back, two.dump, two.note)


def test_only_the_slice_itself_is_looked_at(history: History) -> None:
    """Neither another period's nor another connection's loads."""
    attempt(history, "mine", AGREED)
    attempt(history, "other period", DIRTY, period="FY2026-P02")
    attempt(history, "other connection", DIRTY, connection="other")
    assert ["mine"] == [load.sent for load in history.since_agreed("demo", "FY2026-P01")]
    assert [] == history.since_agreed("demo", "FY2026-P03")


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([BEGUN, AGREED, DIRTY]), max_size=5))
def test_every_file_that_may_have_left_a_figure_is_named(history: History, states: list[str]) -> None:
    """5.8: the newest agreed load and all after it; without an agreed one, all of them."""
    period = f"FY{len(history.loads('counter', '')):04d}-P01"
    attempt(history, "one more example", BEGUN, connection="counter", period="")
    for number, state in enumerate(states):
        attempt(history, f"file {number}", state, period=period)
    newest = max((number for number, state in enumerate(states) if state == AGREED), default=0)
    expected = [(f"file {number}", state) for number, state in enumerate(states)][newest:]
    assert expected == [(load.sent, load.state) for load in history.since_agreed("demo", period)]
