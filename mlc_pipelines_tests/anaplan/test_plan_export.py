"""A plan leaves the model as a file tied to the task that made it; who approved it is read from three places, character by character."""

import csv
import hashlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.cells import CellColumns, read_cells, read_plan
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.ports import ExportOutcome, ReadWay, TextsWay
from mlc_pipelines.sandbox.anaplan import planner
from mlc_pipelines.sandbox.server import Sandbox

Calls = Callable[..., list[Any]]
Plant = Callable[..., Any]

BUDGET, FILE = "Export Approved Budget", "116000000002"
COLUMNS = CellColumns("Account", "Cost Center", "Period", "Version", "Amount")
PLAN, SEPTEMBER = "PL01 Plan", ("A6100", "CC_020", "Sep 26", "Budget")
EVIDENCE = ("Status", "Approved By", "Approved At", "Revision")
WAYS = [
    pytest.param(TextsWay("list", "Plan Versions"), id="list"),
    pytest.param(TextsWay("view", "PL00 Approvals.For the ERP"), id="view"),
    pytest.param(TextsWay("export", "Export Plan Approvals"), id="export"),
]


def budget(sandbox: Sandbox) -> dict[tuple[str, ...], int]:
    """What the model holds of the budget, in cents."""
    rows = sandbox.tenant.truth_cells("", PLAN)
    return {
        (row["account"], row["cost_center"], row["period"]): int(Decimal(row["amount"]) * 100)
        for row in rows
        if row["version"] == "Budget"
    }


# -- the file of the plan ---------------------------------------------------------------------------------------------


def test_the_outcome_is_that_of_the_file(plan: Anaplan, sandbox: Sandbox, tmp_path: Path) -> None:
    """The task as the model logs it, the header, the rows and the hash of the very bytes that lie there."""
    path = tmp_path / "budget.csv"
    outcome = plan.export_file(BUDGET, path)
    [logged] = sandbox.tenant.log()["actions"]
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert ExportOutcome(logged["task"], tuple(header), len(rows), digest) == outcome


def test_the_whole_plan_arrives(plan: Anaplan, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every cell to the cent; those left blank are known as such."""
    plan.export_file(BUDGET, tmp_path / "budget.csv")
    cells = read_plan(tmp_path / "budget.csv", COLUMNS, currency="USD")
    entered = cells[~cells["blank"]]
    keys = zip(entered["account"], entered["cost_center"], entered["period"], strict=True)
    assert budget(sandbox) == dict(zip(keys, entered["amount_minor"].tolist(), strict=True))
    assert {"Budget"} == set(cells["version"])
    assert 100 < int(cells["blank"].sum())
    assert not cells["stray"].any()


def test_what_is_finer_than_cents_is_seen(plan: Anaplan, sandbox: Sandbox, tmp_path: Path) -> None:
    """A year of 100,000 spread over twelve months: each share has a third of a cent too many."""
    planner.spread(sandbox.tenant, ("A6100", "CC_020", "FY27", "Budget"), Decimal(100_000))
    plan.export_file(BUDGET, tmp_path / "budget.csv")
    cells = read_plan(tmp_path / "budget.csv", COLUMNS, currency="USD")
    shares = cells[cells["stray"] != 0]
    assert (12, {833_333}, {3_333_333}) == (len(shares), set(shares["amount_minor"]), set(shares["stray"]))


def test_the_same_plan_has_the_same_hash(plan: Anaplan, sandbox: Sandbox, tmp_path: Path) -> None:
    """Two tasks, one content; after an edit another one."""
    first, second = plan.export_file(BUDGET, tmp_path / "1.csv"), plan.export_file(BUDGET, tmp_path / "2.csv")
    assert first.task != second.task
    assert first.sha256 == second.sha256
    sandbox.tenant.edit_cell(SEPTEMBER, Decimal("1.23"), "", PLAN)
    assert first.sha256 != plan.export_file(BUDGET, tmp_path / "3.csv").sha256


@pytest.mark.parametrize("by", ["view", "cells", "large_read"])
def test_the_saved_view_shows_the_same_plan(plan: Anaplan, sandbox: Sandbox, tmp_path: Path, by: str) -> None:
    """Each way of reading a view gives the figures of the export; zeros aside, which a grid does not tell from blanks."""
    way = ReadWay(by, "PL01 Plan.For the ERP", COLUMNS, "Accounts", "Cost Centers", ("Budget",))
    plan.read_cells(way, ("Sep 26", "Budget"), tmp_path / "view.csv")
    cells = read_cells(tmp_path / "view.csv", COLUMNS, currency="USD", only=("Sep 26", "Budget"))
    keys = zip(cells["account"], cells["cost_center"], cells["period"], strict=True)
    seen = dict(zip(keys, cells["amount_minor"].tolist(), strict=True))
    held = {key: cents for key, cents in budget(sandbox).items() if key[2] == "Sep 26"}
    assert {key: cents for key, cents in held.items() if cents} == {key: cents for key, cents in seen.items() if cents}


def test_F01_the_outcome_names_the_task_whose_file_was_taken(
    plan: Anaplan, sandbox: Sandbox, hands: Any, tmp_path: Path
) -> None:
    """Another run replaced the file: the task of the second attempt is told, and the hash of its file."""
    tenant = sandbox.tenant
    model, user = tenant.model(), tenant.world.users[0]
    action = next(one for one in model.actions("exports") if one.name == BUDGET)

    def elsewhere() -> None:
        tenant.edit_cell(SEPTEMBER, Decimal("999.99"), "", PLAN)
        tenant.start(model, "exports", action, user.id, "another process")
        sandbox.clock.advance(5)

    hands.meanwhile.append(elsewhere)
    outcome = plan.export_file(BUDGET, tmp_path / "budget.csv")
    *_, last = sandbox.tenant.log()["actions"]
    assert (3, last["task"]) == (len(sandbox.tenant.log()["actions"]), outcome.task)
    [private] = model.files[FILE].private.values()
    assert hashlib.sha256(private.content).hexdigest() == outcome.sha256


@pytest.mark.parametrize("times", [1, -1])
def test_F02_a_file_whose_first_chunk_came_twice_is_not_used(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, tmp_path: Path, times: int
) -> None:
    """The header stands in a file once. Exported again when it does not; given up when that does not help."""
    sandbox.set_switches(anaplan={"export_chunk_bytes": 300_000})
    again = "Account,Cost Center,Period,Version,Amount\nA6100,CC_020,Sep 26,Budget,1\n"
    fault = plant(rf"GET .*/files/{FILE}/chunks/1$", times=times, kind="status", status=200, body="5\n" + again)
    if times == 1:
        assert len(budget(sandbox)) < plan.export_file(BUDGET, tmp_path / "budget.csv").rows
    else:
        with pytest.raises(TransientError, match="replaced by another run"):
            plan.export_file(BUDGET, tmp_path / "budget.csv")
    assert fault.fired
    assert (times == 1) == (tmp_path / "budget.csv").exists()


@pytest.mark.parametrize("more", [0, -1])
def test_F04_a_plan_with_fewer_rows_than_its_task_wrote_is_not_used(
    plan: Anaplan, plant: Plant, tmp_path: Path, more: int
) -> None:
    """The rows of the outcome are those of the file, and of the task where it tells."""
    rows = plan.export_file(BUDGET, tmp_path / "whole.csv").rows
    said = {"pattern": r'("type":"exportSucceeded"[^}]*?"values":\[)', "with": rf'\1"rowCount","{rows - more}"'}
    plant(r"GET .*/exports/\d+/tasks/[0-9A-F]{32}", times=-1, kind="replace", **said)
    if more:
        with pytest.raises(TransientError, match=f"wrote {rows + 1:,} rows, but its file has {rows:,}"):
            plan.export_file(BUDGET, tmp_path / "cut.csv")
    else:
        assert rows == plan.export_file(BUDGET, tmp_path / "cut.csv").rows


@pytest.mark.parametrize("ending", ["UNSUCCESSFUL", "CANCELLED"])
def test_F05_evidence_of_yesterday_is_not_used_when_todays_export_failed(
    plan: Anaplan, sandbox: Sandbox, ending: str
) -> None:
    """The file of approvals lies there from before; withdrawn since, and the export fails: no word of it is told."""
    way = TextsWay("export", "Export Plan Approvals")
    assert {"Status": "Approved"} == plan.read_texts(way, "FY2027 Budget", ["Status"])
    planner.withdraw(sandbox.tenant, "FY2027 Budget")
    sandbox.set_switches(anaplan={"export_ends": ending})
    with pytest.raises(PipelineError, match="Export Plan Approvals") as caught:
        plan.read_texts(way, "FY2027 Budget", ["Status"])
    assert "No file of it was used" in caught.value.holds


# -- who approved it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_three_places_say_who_approved(plan: Anaplan, way: TextsWay) -> None:
    """The same words from each; of a draft nothing, but its revision."""
    assert {
        "Status": "Approved",
        "Approved By": "R. Okafor",
        "Approved At": "2026-06-12T15:30:00Z",
        "Revision": "1",
    } == plan.read_texts(way, "FY2027 Budget", EVIDENCE)
    draft = {"Status": "Draft", "Approved By": "", "Approved At": "", "Revision": "1"}
    assert draft == plan.read_texts(way, "FY2026 Forecast", EVIDENCE)
    assert {"Revision": "1"} == plan.read_texts(way, "FY2026 Budget", ["Revision"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(' R. "Bob" Okafor,  Dépôt 承認 ', id="quotes-blanks-letters"),
        pytest.param("one\ntwo", id="line-end"),
        pytest.param("007", id="zeros"),
        pytest.param("NA", id="na"),
        pytest.param("true", id="truth"),
    ],
)
def test_every_character_comes_through(plan: Anaplan, sandbox: Sandbox, way: TextsWay, said: str) -> None:
    """No trimming, no number, no missing value is made of a text."""
    planner.approve(sandbox.tenant, "FY2027 Budget", by=said, revision=said)
    told = plan.read_texts(way, "FY2027 Budget", EVIDENCE)
    assert (said, said) == (told["Approved By"], told["Revision"])


@pytest.mark.parametrize("way", WAYS)
def test_what_is_withdrawn_or_approved_anew_is_seen_at_once(plan: Anaplan, sandbox: Sandbox, way: TextsWay) -> None:
    """Each call asks again."""
    assert "1" == plan.read_texts(way, "FY2027 Budget", ["Revision"])["Revision"]
    planner.approve(sandbox.tenant, "FY2027 Budget", by="M. Lindqvist", at="2026-09-01")
    told = plan.read_texts(way, "FY2027 Budget", EVIDENCE)
    assert ("M. Lindqvist", "2026-09-01", "2") == (told["Approved By"], told["Approved At"], told["Revision"])
    planner.withdraw(sandbox.tenant, "FY2027 Budget")
    assert "Draft" == plan.read_texts(way, "FY2027 Budget", ["Status"])["Status"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("member", "names"),
    [
        pytest.param("FY2029 Budget", ("Status",), id="no-such-plan"),
        pytest.param("fy2027 budget", ("Status",), id="letter-case"),
        pytest.param("FY2027 Budget", ("Status", "Signed By"), id="no-such-column"),
    ],
)
def test_what_is_missing_is_named_with_what_is_there(
    plan: Anaplan, way: TextsWay, member: str, names: tuple[str, ...]
) -> None:
    """Never taken for a blank: a person must correct the name."""
    with pytest.raises(SetupError) as caught:
        plan.read_texts(way, member, names)
    error = caught.value
    wrong, there = ("Signed By", "Approved By") if len(names) > 1 else (member, "FY2027 Budget")
    assert way.name in error.what
    assert wrong in error.what
    assert there in error.what
    assert error.holds
    assert error.next_step


@pytest.mark.parametrize("by", ["list", "view", "export", "letter"])
def test_a_place_that_is_not_there_is_refused(plan: Anaplan, by: str) -> None:
    """By its name, before anything is believed."""
    with pytest.raises(SetupError, match="Nowhere"):
        plan.read_texts(TextsWay(by, "Nowhere"), "FY2027 Budget", ["Status"])


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        pytest.param("Plan,Status\nA,Draft\nA,Approved\n", SetupError, id="member-twice"),
        pytest.param("Plan,Status,Status\nA,Draft,Approved\n", SetupError, id="column-twice"),
        pytest.param("Plan,Status\nA,Approved,,\n", DataError, id="too-many-fields"),
        pytest.param('Plan,Status\nA,"Approved\n', DataError, id="open-text"),
        pytest.param("Status,Plan\nApproved,A\n", SetupError, id="member-in-another-column"),
    ],
)
def test_a_table_that_says_two_things_says_nothing(
    plan: Anaplan, plant: Plant, table: str, kind: type[PipelineError]
) -> None:
    """A plan that is a draft in one row and approved in another is not approved."""
    plant("GET .*/views/.*/data", kind="status", status=200, body=table)
    with pytest.raises(kind) as caught:
        plan.read_texts(TextsWay("view", "PL00 Approvals.For the ERP"), "A", ["Status"])
    assert type(caught.value) is kind
    assert "PL00 Approvals.For the ERP" in caught.value.what
    assert caught.value.holds
    assert caught.value.next_step
