"""What the model shows in its export is held against what was sent, cell by cell: parents, names, noise and other slices are told apart."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.attempts import DOUBTED, LOAD_ENDED
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.members import members_now
from mlc_pipelines.flows.read_back import look
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.cells import read_cells
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED, DIRTY

PERIOD, LABEL = "FY2026-P03", "Sep 25"
EARLIER = ("A1010", "CC_120", LABEL, "Actual")


def held(sandbox: Sandbox, label: str = LABEL, version: str = "Actual") -> dict[tuple[str, str], Decimal]:
    """What the model holds in a slice, by the sandbox's own word."""
    return {
        (cell["account"], cell["cost_center"]): Decimal(cell["amount"])
        for cell in sandbox.tenant.truth_cells()
        if (cell["period"], cell["version"]) == (label, version) and Decimal(cell["amount"])
    }


@pytest.fixture
def ready(desk: Desk) -> Desk:
    refresh_reference(desk)
    return desk


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param({"export_totals": True}, id="F08-totals"),
        pytest.param({"export_members": "name"}, id="names"),
        pytest.param({"export_totals": True, "export_members": "name", "float_noise": True}, id="all-at-once"),
    ],
)
def test_an_export_as_planners_save_it_gives_the_same_proof(
    ready: Desk, sandbox: Sandbox, switches: dict[str, Any]
) -> None:
    """Parents are not taken for cells, names lead to their codes, a double's noise is no difference; an earlier figure becomes zero."""
    sandbox.set_switches(anaplan=switches)
    sandbox.tenant.edit_cell(EARLIER, Decimal("77.00"))
    reports = load_actuals(ready, PERIOD)
    [model] = [leg for leg in reports[-1].legs if leg.name == "model_matches_cells"]
    assert model.agreed
    assert sum(held(sandbox).values()) * 100 == model.right_minor
    assert EARLIER[:2] not in held(sandbox)
    assert AGREED == ready.store.history.loads("demo", PERIOD)[-1].state


@pytest.mark.parametrize("switches", [{"export_totals": True}, {"export_members": "name"}])
def test_E23_a_difference_is_still_seen(ready: Desk, sandbox: Sandbox, switches: dict[str, Any]) -> None:
    """Leaving parents aside hides no leaf: a row that was dropped without a word is named by its codes."""
    sandbox.set_switches(anaplan={"ignore_rows": [5], "ignored_counted": False, **switches})
    with pytest.raises(DataError, match=r"account A\S+ cost_center CC_\S+: "):
        load_actuals(ready, PERIOD)


def test_f08_only_leaves_are_read_back(ready: Desk, sandbox: Sandbox, tmp_path: Path) -> None:
    """The export shows totals of accounts, of cost centers and of the year beside the leaves: none of them is taken for a cell."""
    load_actuals(ready, PERIOD)
    sandbox.set_switches(anaplan={"export_totals": True})
    members = members_now(ready)
    parents = set(members["code"].where(members["code"] != "", members["name"])[~members["leaf"]])
    ready.plan.export_file("Export GL Actuals", tmp_path / "shown.csv")
    shown = read_cells(tmp_path / "shown.csv", ready.target.columns, currency="USD", only=(LABEL, "Actual"))
    assert parents & set(shown["account"])
    assert parents & set(shown["cost_center"])
    seen = look(ready, ready.calendar.period(PERIOD), "USD", members).cells
    cells = {(row.account, row.cost_center): Decimal(row.amount_minor) / 100 for row in seen.itertuples()}
    assert held(sandbox) == {key: amount for key, amount in cells.items() if amount}


def test_e23_a_cell_that_a_person_edits_is_named_with_both_figures(ready: Desk, sandbox: Sandbox) -> None:
    """After our import and before our look: account, cost center, what was sent and what is there; the next load heals it."""
    cell = dict(zip(("account", "cost_center", "period", "version"), EARLIER, strict=True))
    edit = {"kind": "control", "path": "/control/anaplan/cell", "body": {**cell, "amount": "77.00"}, "after": True}
    sandbox.traffic.plant({"match": r"GET .*/files/113\d+/chunks/0$", "times": 1, "action": edit})
    with pytest.raises(DataError, match=r"account A1010 cost_center CC_120: 0\.00 USD against 77\.00 USD") as caught:
        load_actuals(ready, PERIOD)
    assert "model_matches_cells" == caught.value.leg
    load_actuals(ready, PERIOD)
    assert EARLIER[:2] not in held(sandbox)
    assert [DIRTY, AGREED] == [load.state for load in ready.store.history.loads("demo", PERIOD)]


def test_figures_of_planners_finer_than_money_stay_out_of_it(ready: Desk, sandbox: Sandbox) -> None:
    """A third of a cent in another version or month is the planners' business and stops no load of actuals."""
    sandbox.tenant.edit_cell(("A1010", "CC_010", LABEL, "Forecast"), Decimal("33.333333"))
    sandbox.tenant.edit_cell(("A1010", "CC_010", "Oct 25", "Actual"), Decimal("0.005"))
    load_actuals(ready, PERIOD)
    assert AGREED == ready.store.history.loads("demo", PERIOD)[-1].state


def test_a_figure_finer_than_money_in_the_slice_is_refused_by_cell(ready: Desk, sandbox: Sandbox) -> None:
    """In the slice itself it is named, never rounded."""
    sandbox.tenant.edit_cell(EARLIER, Decimal("33.333333"))
    with pytest.raises(DataError, match=r"A1010 / CC_120 holds 33\.333333"):
        load_actuals(ready, PERIOD)


def test_an_import_that_clears_other_periods_is_found_out(ready: Desk, sandbox: Sandbox) -> None:
    """`all items` empties every other period while its own slice agrees: the run fails, names them, and marks them as not loaded."""
    load_actuals(ready, "FY2026-P01")
    load_actuals(ready, "FY2026-P02")
    sandbox.set_switches(anaplan={"clear_target": "all"})
    with pytest.raises(DataError, match="also changed other periods: FY2026-P01, FY2026-P02") as caught:
        load_actuals(ready, PERIOD)
    assert "marked as not loaded" in caught.value.holds
    history = ready.store.history
    assert [DIRTY, DIRTY, DIRTY] == [
        history.loads("demo", key)[-1].state for key in ("FY2026-P01", "FY2026-P02", PERIOD)
    ]
    ended = [one.event for one in ready.store.trail.entries(connection="demo", kind=LOAD_ENDED)]
    doubted = {one["period"]: one["note"] for one in ended if one["outcome"] == DOUBTED}
    assert (
        dict.fromkeys(("FY2026-P01", "FY2026-P02"), f"The import of {PERIOD} changed this period as well.") == doubted
    )


def test_an_import_changed_later_is_found_out_on_a_reload(ready: Desk, sandbox: Sandbox) -> None:
    """Each load looks before and after, not only the first: a builder may widen the clearing at any time."""
    load_actuals(ready, PERIOD)
    load_actuals(ready, "FY2026-P02")
    sandbox.set_switches(anaplan={"clear_target": "all"})
    with pytest.raises(DataError, match="also changed other periods: FY2026-P02"):
        load_actuals(ready, PERIOD)
    assert DIRTY == ready.store.history.loads("demo", "FY2026-P02")[-1].state


@pytest.mark.parametrize("clear", ["off", "mapped", "all"])
def test_every_way_of_clearing_the_target_ends_agreed(ready: Desk, sandbox: Sandbox, clear: str) -> None:
    """The slice is sent whole, so it holds the same figures whatever the import clears before; loading again changes nothing."""
    sandbox.set_switches(anaplan={"clear_target": clear})
    sandbox.tenant.edit_cell(EARLIER, Decimal("77.00"))
    load_actuals(ready, PERIOD)
    first = held(sandbox)
    load_actuals(ready, PERIOD)
    assert first == held(sandbox)
    assert EARLIER[:2] not in first
    assert [AGREED, AGREED] == [load.state for load in ready.store.history.loads("demo", PERIOD)]
