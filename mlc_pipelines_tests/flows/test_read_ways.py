"""Reading back by export, view, table or large read: the same figures, the same proof, and each says what it cannot see."""

from decimal import Decimal
from typing import Any

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.members import members_now
from mlc_pipelines.flows.read_back import Held, look
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines.wiring.settings import ReadBack
from mlc_pipelines_tests.conftest import briefly

PERIOD, LABEL = "FY2026-P03", "Sep 25"
VIEW, MODULE_VIEW = "GL01 Actuals.Integration", "GL01 Actuals"
WAYS = ["view", "cells", "large_read"]


def reading(demo: Named, by: str, name: str = VIEW) -> Named:
    actuals = demo.settings.actuals.model_copy(
        update={"export": "", "read_back": ReadBack.model_validate({"by": by, "name": name})}
    )
    return Named("demo", demo.file, demo.settings.model_copy(update={"actuals": actuals}))


def opened(demo: Named, by: str, name: str = VIEW) -> Any:
    return open_desk(reading(demo, by, name), sleep=briefly)


def test_each_way_shows_the_same_figures_as_the_export(demo: Named) -> None:
    """Cell by cell, and the periods beside it too: what one way proves, the others prove."""
    with open_desk(demo, sleep=briefly) as desk:
        refresh_reference(desk)
        for key in ("FY2026-P13", PERIOD):
            load_actuals(desk, key)
        period = desk.calendar.period(PERIOD)
        exported = look(desk, period, "USD", members_now(desk))
    for by in WAYS:
        with opened(demo, by) as desk:
            seen = look(desk, period, "USD", members_now(desk))
        assert _figures(exported) == _figures(seen)
        assert exported.beside
        assert seen.beside
        assert set(exported.beside) == set(seen.beside)


def _figures(held: Held) -> set[tuple[str, str, int]]:
    cells = held.cells[held.cells["amount_minor"] != 0]
    return set(cells[["account", "cost_center", "amount_minor"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("by", ["view", *[pytest.param(way, marks=pytest.mark.prove) for way in WAYS[1:]]])
def test_a_period_is_loaded_and_proved(demo: Named, sandbox: Sandbox, by: str) -> None:
    """From ledger to plan with that way of proof; an earlier figure becomes zero; no export is run."""
    sandbox.tenant.edit_cell(("A1010", "CC_120", LABEL, "Actual"), Decimal("77.00"))
    with opened(demo, by) as desk:
        refresh_reference(desk)
        report = load_actuals(desk, PERIOD)[-1]
    assert "unchanged" in report.texts["other periods"]
    assert not any("/exports" in request.path for request in sandbox.traffic.requests)
    assert AGREED == desk.store.history.loads("demo", PERIOD)[-1].state


@pytest.mark.prove
@pytest.mark.parametrize("by", WAYS)
def test_a_row_dropped_without_a_word_is_found_by_each(demo: Named, sandbox: Sandbox, by: str) -> None:
    """E11, E23: the read-back is the proof, whatever way it takes."""
    sandbox.set_switches(anaplan={"ignore_rows": [5], "ignored_counted": False})
    with opened(demo, by) as desk:
        refresh_reference(desk)
        with pytest.raises(DataError, match=r"account A\S+ cost_center CC_\S+: "):
            load_actuals(desk, PERIOD)


@pytest.mark.prove
@pytest.mark.parametrize("by", ["view", pytest.param("large_read", marks=pytest.mark.prove)])
def test_other_periods_that_an_import_emptied_are_named_by_each(demo: Named, sandbox: Sandbox, by: str) -> None:
    """`all items` empties every other period: each of these ways sees it."""
    with opened(demo, by) as desk:
        refresh_reference(desk)
        load_actuals(desk, "FY2026-P02")
        sandbox.set_switches(anaplan={"clear_target": "all"})
        with pytest.raises(DataError, match="also changed other periods: FY2026-P02"):
            load_actuals(desk, PERIOD)
        assert DIRTY == desk.store.history.loads("demo", "FY2026-P02")[-1].state


@pytest.mark.parametrize(
    ("by", "switches"),
    [
        pytest.param("view", {"view_members": "name"}, marks=pytest.mark.prove),
        pytest.param("cells", {"plain_csv": "refused"}, marks=pytest.mark.prove),
        pytest.param("cells", {"view_members": "name", "float_noise": True}, marks=pytest.mark.prove),
        ("large_read", {"read_page_rows": 50, "read_page_header": "every"}),
        pytest.param("large_read", {"read_page_rows": 50, "read_page_header": "first"}, marks=pytest.mark.prove),
    ],
)
def test_every_behaviour_that_is_unknown_gives_the_same_proof(
    demo: Named, sandbox: Sandbox, by: str, switches: dict[str, Any]
) -> None:
    """Names instead of codes, quoted CSV only, a header on every page or on the first: the figures agree."""
    sandbox.set_switches(anaplan=switches)
    with opened(demo, by) as desk:
        refresh_reference(desk)
        load_actuals(desk, PERIOD)
        assert AGREED == desk.store.history.loads("demo", PERIOD)[-1].state


def test_a_view_with_accounts_on_its_pages_is_refused(demo: Named, sandbox: Sandbox) -> None:
    """A module's default view shows the totals first: what would have to change is said, and nothing was sent."""
    with opened(demo, "view", MODULE_VIEW) as desk:
        refresh_reference(desk)
        with pytest.raises(SetupError, match="Accounts stands on its pages"):
            load_actuals(desk, PERIOD)
    assert [] == sandbox.tenant.log()["uploads"]


@pytest.mark.parametrize("by", ["view", pytest.param("cells", marks=pytest.mark.prove)])
def test_a_view_larger_than_a_reading_names_the_other_way(demo: Named, sandbox: Sandbox, by: str) -> None:
    """More than a million cells: 400. The remedy is the large read."""
    with opened(demo, by) as desk:
        refresh_reference(desk)
        load_actuals(desk, "FY2026-P01")
        sandbox.set_switches(anaplan={"view_cell_cap": 100})
        with pytest.raises(SetupError, match="cannot be read") as caught:
            load_actuals(desk, PERIOD)
    assert "large_read" in caught.value.next_step


def test_a_large_read_that_fails_is_taken_back(demo: Named, sandbox: Sandbox) -> None:
    """COMPLETE and not successful: start again; the request does not stay behind."""
    sandbox.set_switches(anaplan={"read_request_ends": "UNSUCCESSFUL"})
    with opened(demo, "large_read") as desk:
        refresh_reference(desk)
        with pytest.raises(TransientError, match="not successful"):
            load_actuals(desk, PERIOD)
    asked = [request for request in sandbox.traffic.requests if "readRequests" in request.path]
    assert (
        sum(request.method == "POST" for request in asked) == sum(request.method == "DELETE" for request in asked) > 0
    )


@pytest.mark.prove
def test_a_large_read_whose_pages_are_gone_ends_with_that_word(demo: Named, sandbox: Sandbox) -> None:
    """Pages vanish after half an hour: never half a figure."""
    with opened(demo, "large_read") as desk:
        refresh_reference(desk)
        sandbox.traffic.plant({"match": "GET .*/pages/0", "times": -1, "action": {"kind": "status", "status": 404}})
        with pytest.raises(TransientError, match="is gone"):
            load_actuals(desk, PERIOD)


def test_a_view_that_is_not_there_lists_those_that_are(demo: Named, sandbox: Sandbox) -> None:
    """By name, with the near ones."""
    with opened(demo, "view", "GL01 Actual.Integration") as desk:
        refresh_reference(desk)
        with pytest.raises(PipelineError, match=r"GL01 Actuals\.Integration"):
            load_actuals(desk, PERIOD)


def test_figures_on_members_that_vanished_never_leave(desk: Desk, sandbox: Sandbox) -> None:
    """A member deleted since the member map was made: code, cost center and money are named before a byte is sent."""
    refresh_reference(desk)
    sandbox.tenant.edit_member("Accounts", "A5010", remove=True)
    with pytest.raises(DataError, match=r"A5010 / CC_\d+ with [\d,.]+ USD: account A5010 is gone") as caught:
        load_actuals(desk, PERIOD)
    assert "Nothing was sent" in caught.value.holds
    assert {"A5010"} == set(caught.value.evidence["Cells without a member"]["account"])
    assert [] == sandbox.tenant.log()["uploads"]


@pytest.mark.prove
def test_a_zero_for_a_member_that_is_gone_does_not_block_for_ever(desk: Desk, sandbox: Sandbox) -> None:
    """Its cells went with it: the zero that an earlier load calls for is left out, and the period agrees again."""
    refresh_reference(desk)
    load_actuals(desk, PERIOD)
    sandbox.tenant.edit_member("Accounts", "A_UNMAPPED", remove=True)
    for code in ("7770", "8880"):
        sandbox.tenant.edit_member("Accounts", f"A{code}", name=f"{code} new", parent="T_CASH")
    refresh_reference(desk)
    load_actuals(desk, PERIOD)
    assert AGREED == desk.store.history.loads("demo", PERIOD)[-1].state
