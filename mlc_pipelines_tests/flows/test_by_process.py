"""A load through a process is proved like any other: the same legs, the same read-back, and what its other steps refused is kept."""

from dataclasses import replace

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import actuals_target

PERIOD = "FY2026-P03"


@pytest.fixture
def by_process(desk: Desk) -> Desk:
    """The demo connection, its import run by the process that wraps it."""
    refresh_reference(desk)
    return replace(desk, target=replace(desk.target, import_name="", process="Nightly GL Actuals"))


def test_a_load_through_a_process_agrees_on_every_leg(by_process: Desk, sandbox: Sandbox) -> None:
    """Green means agreed here too; the process was started, and the file's hash stands in the step's facts."""
    load_actuals(by_process, PERIOD)
    kinds = [one["kind"] for one in sandbox.tenant.log()["actions"]]
    assert 1 == kinds.count("processes")
    assert 0 == kinds.count("imports")
    step = by_process.store.history.require_step("demo", "actuals_import", PERIOD)
    assert step.facts["file"] == step.facts["sent_sha256"] == step.artefact
    assert AGREED == by_process.store.history.loads("demo", PERIOD)[-1].state


def test_E22_the_same_slice_twice_leaves_the_same_figures(by_process: Desk, sandbox: Sandbox) -> None:
    """An import that adds instead of replacing would double them."""
    load_actuals(by_process, PERIOD)
    once = sandbox.tenant.truth_cells()
    load_actuals(by_process, PERIOD)
    assert once == sandbox.tenant.truth_cells()


def test_rows_refused_within_the_process_fail_the_load_and_are_kept(by_process: Desk, sandbox: Sandbox) -> None:
    """The list of refused rows is found by the import's id, kept as a file, and the slice is marked."""
    sandbox.set_switches(anaplan={"reject_rows": 2})
    with pytest.raises(DataError, match="refused 2 of"):
        load_actuals(by_process, PERIOD)
    attempt = by_process.store.history.loads("demo", PERIOD)[-1]
    assert DIRTY == attempt.state
    assert b"_Status_" in by_process.store.artefacts.path(attempt.dump).read_bytes()


def test_rows_refused_by_another_step_are_kept_and_named(desk: Desk, sandbox: Sandbox) -> None:
    """Our rows are all there, so the load agrees; what the accounts' import refused is not lost."""
    refresh_reference(desk)
    [user, *_] = sandbox.tenant.world.users
    for file, header, row in (
        ("113000000002", "Code,Name,Parent,Account Type,Active", ",No code,,,"),
        ("113000000003", "Code,Name,Parent,Short Name,Capacity FTE", f"CC_010,{sandbox.books.cost_centers['010']},,,"),
    ):
        content = f"{header}\n{row}\n".encode()
        sandbox.tenant.model().files[file].replace(user.id, [content], sandbox.clock.now())
    load_actuals(replace(desk, target=replace(desk.target, process="Load All")), PERIOD)
    attempt = desk.store.history.loads("demo", PERIOD)[-1]
    assert (AGREED, "") == (attempt.state, attempt.dump)
    assert attempt.note.startswith("Rows refused by other steps of the process: Load Accounts (file ")
    kept = attempt.note.partition("(file ")[2].partition(")")[0]
    assert b"No code" in desk.store.artefacts.path(kept).read_bytes()


def test_what_the_import_asks_for_is_filled_in_for_the_slice(demo: Named) -> None:
    """The adjustment period goes into its own version."""
    actuals = demo.settings.actuals.model_copy(update={"parameters": {"Version": "{version}", "Month": "{period}!"}})
    target = actuals_target(Named("demo", demo.file, demo.settings.model_copy(update={"actuals": actuals})))
    calendar = demo.calendar
    assert {"Version": "Actual", "Month": "Sep 25!"} == target.parameters_of(calendar.period("FY2026-P03"))
    assert {"Version": "Actual Adj", "Month": "Jun 26!"} == target.parameters_of(calendar.period("FY2026-P13"))


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"import": "", "process": ""}, "name the import that takes the figures"),
        ({"parameters": {"Version": "{name}"}}, "only {period} and {version} can be filled in"),
    ],
)
def test_a_connection_that_cannot_load_is_refused(demo: Named, said: dict[str, object], complaint: str) -> None:
    """When it is read."""
    actuals = type(demo.settings.actuals)
    plain = {"import": "A", "export": "B", "columns": demo.settings.actuals.columns.model_dump()}
    with pytest.raises(ValueError, match=complaint):
        actuals.model_validate({**plain, **said})
