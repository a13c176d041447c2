"""A process as the way of loading, and every other action: whose rows were taken, which step failed, what each step refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.outcome import read_steps
from mlc_pipelines.ledger.errors import DataError, SetupError, UncertainError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request

Calls = Callable[[str], list[Request]]
Plant = Callable[..., Fault]
WriteFile = Callable[..., Path]

IMPORT, IMPORT_ID = "Load GL Actuals", "112000000001"
ACCOUNTS_ID, CENTERS_ID = "112000000002", "112000000003"
NIGHTLY, ALL = "Nightly GL Actuals", "Load All"
HEADER = ("Account", "Cost Center", "Period", "Version", "Amount")
START = r"POST .*/(imports|processes|actions|exports)/\d+/tasks$"
POLL = r"GET .*/processes/\d+/tasks/[0-9A-F]{32}"
ACCOUNTS = "Code,Name,Parent,Account Type,Active\n"
CENTERS = "Code,Name,Parent,Short Name,Capacity FTE\n"


@pytest.fixture
def lists_filled(sandbox: Sandbox) -> Callable[[str, str], None]:
    """What the two other imports of "Load All" read: rows of accounts and cost centers."""

    centre = sandbox.books.cost_centers["010"]

    def fill(accounts: str = "A1010,1010 Cash,,,\n", centers: str = f"CC_010,{centre},,,\n") -> None:
        [user, *_] = sandbox.tenant.world.users
        for file, content in (("113000000002", ACCOUNTS + accounts), ("113000000003", CENTERS + centers)):
            sandbox.tenant.model().files[file].replace(user.id, [content.encode()], sandbox.clock.now())

    return fill


def test_a_process_that_wraps_the_import_loads_the_file(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, three_rows: Path
) -> None:
    """The process is started, not the import; the counts are those of the import within it."""
    outcome = plan.import_file("", three_rows, process=NIGHTLY)
    assert (3, 0, 0, True) == (outcome.rows_taken, outcome.rows_ignored, outcome.rows_failed, outcome.successful)
    assert (IMPORT_ID, IMPORT) == (outcome.object_id, outcome.object_name)
    assert ["processes"] == [one.path.split("/")[7] for one in calls(START)]
    assert 3 == len(sandbox.tenant.truth_cells())


def test_the_header_is_held_against_the_import_within_the_process(
    plan: Anaplan, calls: Calls, write_file: WriteFile
) -> None:
    """Before anything is sent."""
    plan.require_import("", HEADER, process=NIGHTLY)
    with pytest.raises(SetupError, match=f"import {IMPORT} does not fit our file"):
        plan.require_import("", HEADER[::-1], process=NIGHTLY)
    with pytest.raises(SetupError, match="does not fit our file"):
        plan.import_file("", write_file(("A1010", "CC_010", "1.00"), header=HEADER[::-1]), process=NIGHTLY)
    assert [] == calls("PUT |POST .*/(files|tasks)")


def test_E25_of_several_imports_in_a_process_one_must_be_named(plan: Anaplan) -> None:
    """All candidates are listed; a name that the process does not run is refused too."""
    with pytest.raises(SetupError, match=r"runs 3 imports of a file.*Load Accounts.*112000000003.*Load GL Actuals"):
        plan.require_import("", HEADER, process=ALL)
    with pytest.raises(SetupError, match="The process Nightly GL Actuals has no import named 'Load Accounts'"):
        plan.require_import("Load Accounts", HEADER, process=NIGHTLY)
    plan.require_import(IMPORT, HEADER, process=ALL)


def test_E25_an_import_that_the_process_runs_twice_is_refused(plan: Anaplan, plant: Plant) -> None:
    """Which of its outcomes is meant could not be told."""
    twice = {"pattern": r'("actions":\[)(\{"id":"112000000001".*?\}\}?),', "with": r"\1\2,\2,"}
    fault = plant(r"GET .*/processes/118000000001\?", times=-1, kind="replace", **twice)
    with pytest.raises(SetupError, match="more than once"):
        plan.require_import(IMPORT, HEADER, process=NIGHTLY)
    assert fault.fired


def test_a_process_without_an_import_of_a_file_is_refused(plan: Anaplan, plant: Plant) -> None:
    """There is nothing that would read ours."""
    none = {"pattern": r'"importDataSourceId":"\d+"', "with": '"importDataSourceId":""', "count": 0}
    fault = plant(r"GET .*/processes/118000000001\?", times=-1, kind="replace", **none)
    with pytest.raises(SetupError, match="runs 0 imports of a file"):
        plan.require_import("", HEADER, process=NIGHTLY)
    assert fault.fired


def test_rows_refused_within_a_process_come_with_line_and_reason(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, write_file: WriteFile
) -> None:
    """The dump of the step, by the id of the import, in chunks whose borders fall inside a character."""
    sandbox.set_switches(anaplan={"reject_rows": [2], "reject_message": "Unzulässig: 旅費", "dump_chunk_bytes": 5})
    path = write_file(("A1010", "CC_010", "1.00"), ("A1010", "CC_020", "2.00"), ("A0010", "CC_010", "3.00"))
    outcome = plan.import_file("", path, process=NIGHTLY)
    assert (2, 1) == (outcome.rows_taken, outcome.rows_failed)
    assert [("3", "Unzulässig: 旅費")] == list(zip(outcome.refused["line"], outcome.refused["reason"], strict=True))
    assert len(calls(rf"GET .*/dumps/{IMPORT_ID}/chunks/\d+")) > 10
    assert [] == calls("/dump/")


def test_what_other_steps_refused_is_kept_beside(
    plan: Anaplan, lists_filled: Callable[..., None], three_rows: Path
) -> None:
    """Our own rows are all there; the accounts that were refused are at hand, each step with its own list."""
    lists_filled(accounts=",No code,,,\nA1010,1010 Cash,,,\n")
    outcome = plan.import_file(IMPORT, three_rows, process=ALL)
    assert (3, 0) == (outcome.rows_taken, outcome.rows_failed)
    accounts, centers = outcome.beside
    assert (ACCOUNTS_ID, 1, CENTERS_ID, 0) == (
        accounts.object_id,
        accounts.rows_failed,
        centers.object_id,
        centers.rows_failed,
    )
    assert accounts.dump is not None
    assert [None, None] == [centers.dump, outcome.dump]


@pytest.mark.parametrize("after", ["stop", "continue"])
def test_E13_a_step_that_fails_is_named_with_its_id(
    plan: Anaplan, sandbox: Sandbox, lists_filled: Callable[..., None], three_rows: Path, after: str
) -> None:
    """Whether the process stops there or goes on: it is not successful, and who failed is said."""
    sandbox.set_switches(anaplan={"list_import_duplicates": "reject", "process_after_failure": after})
    lists_filled(centers="CC_010,One,,,\nCC_010,Two,,,\n")
    outcome = plan.import_file(IMPORT, three_rows, process=ALL)
    assert not outcome.successful
    assert any(f"(id {CENTERS_ID}) was not successful" in said for said in outcome.messages)
    assert (None if after == "stop" else 3) == outcome.rows_taken
    if after == "stop":
        assert f"The import {IMPORT} (id {IMPORT_ID}) has not run within the process {ALL}." == outcome.messages[0]


def test_E13_every_failed_step_is_named(plan: Anaplan, plant: Plant, three_rows: Path) -> None:
    """Not only the first one."""
    fault = plant(
        POLL, times=-1, kind="replace", pattern='"successful":true', **{"with": '"successful":false', "count": 0}
    )
    outcome = plan.import_file("", three_rows, process=NIGHTLY)
    assert fault.fired
    named = [said for said in outcome.messages if said.endswith("was not successful")]
    assert {IMPORT_ID, "117000000001", "116000000001"} == {said.partition("(id ")[2][:12] for said in named}


@pytest.mark.parametrize(("ignored", "good", "judged"), [("4", True, True), ("0", True, False), ("4", False, False)])
def test_the_flag_of_a_process_is_overruled_only_where_ignored_rows_explain_it(
    api: Api, ignored: str, good: bool, judged: bool
) -> None:
    """Seen in production [C AUD4]: successful=false, though every step succeeded, because one of them ignored rows."""
    step = {"objectId": "112000000002", "successful": good, "failureDumpAvailable": False}
    values = ["successRowCount", "9", "failedCount", "0", "ignoredCount", ignored]
    details = [{"type": "hierarchyRowsProcessed", "localMessageText": "", "values": values}]
    result = {"successful": False, "details": [], "nestedResults": [{**step, "details": details}]}
    task = {"taskId": "T", "taskState": "COMPLETE", "result": result}
    outcome = read_steps(api, "/processes/1", "process P", task)
    assert (judged, 9) == (outcome.successful, outcome.steps[0].rows_taken)


def test_rows_of_ours_that_a_process_ignored_are_counted(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """Flag or not: the counts of the import itself tell."""
    sandbox.set_switches(anaplan={"process_counts_ignored": True, "ignore_rows": 1})
    outcome = plan.import_file("", three_rows, process=NIGHTLY)
    assert (2, 1, 0) == (outcome.rows_taken, outcome.rows_ignored, outcome.rows_failed)


@pytest.mark.parametrize("style", ["german", "none"])
def test_unreadable_counts_of_the_step_are_none(plan: Anaplan, sandbox: Sandbox, three_rows: Path, style: str) -> None:
    """Never a guess, never another step's."""
    sandbox.set_switches(anaplan={"details_style": style, "reject_rows": 1})
    assert plan.import_file("", three_rows, process=NIGHTLY).rows_taken is None


def test_A04_a_process_whose_start_got_no_answer_is_adopted(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, calls: Calls, three_rows: Path
) -> None:
    """One task, as with an import."""
    plant(START, kind="status", status=504, after=True)
    assert 3 == plan.import_file("", three_rows, process=NIGHTLY).rows_taken
    assert (1, 1) == (len(calls(START)), len(sandbox.tenant.log()["actions"]))


def test_B08_a_process_that_was_remade_is_looked_up_once_more(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path
) -> None:
    """Its id is another one since the last load."""
    plan.import_file("", three_rows, process=NIGHTLY)
    remade = {"kind": "processes", "name": NIGHTLY, "do": "recreate"}
    assert httpx.post(f"{sandbox.url}/control/anaplan/action", json=remade).is_success
    assert 3 == plan.import_file("", three_rows, process=NIGHTLY).rows_taken


# -- what is asked at run time ----------------------------------------------------------------------------------------


def test_what_an_import_asks_for_goes_with_its_start(plan: Anaplan, sandbox: Sandbox, tmp_path: Path) -> None:
    """The version is no column of the file: it is said when the import is started."""
    path = tmp_path / "by_version.csv"
    path.write_text("Account,Cost Center,Period,Amount\nA1010,CC_010,Sep 25,7.00\n")
    outcome = plan.import_file("Load GL Actuals (ask version)", path, parameters={"Version": "Actual Adj"})
    assert 1 == outcome.rows_taken
    assert ["Actual Adj"] == [cell["version"] for cell in sandbox.tenant.truth_cells()]


@pytest.mark.parametrize("refusal", ["400", "task"])
@pytest.mark.parametrize("parameters", [{}, {"Version": "Actuals"}, {"Versions": "Actual"}])
def test_an_import_that_is_not_told_what_it_asks_for_loads_nothing(
    plan: Anaplan, sandbox: Sandbox, tmp_path: Path, refusal: str, parameters: dict[str, str]
) -> None:
    """Refused at its start, or ended without success: never into some other version."""
    sandbox.set_switches(anaplan={"mapping_refusal": refusal})
    path = tmp_path / "by_version.csv"
    path.write_text("Account,Cost Center,Period,Amount\nA1010,CC_010,Sep 25,7.00\n")
    if refusal == "400":
        with pytest.raises(DataError, match="400"):
            plan.import_file("Load GL Actuals (ask version)", path, parameters=parameters)
    else:
        assert not plan.import_file("Load GL Actuals (ask version)", path, parameters=parameters).successful
    assert [] == sandbox.tenant.truth_cells()


# -- actions without a file of ours -----------------------------------------------------------------------------------


def test_a_deletion_is_run_and_told(plan: Anaplan, sandbox: Sandbox) -> None:
    """Deletes and other actions stand in one list, apart from imports and exports."""
    outcome = plan.run_action("action", "Delete Inactive Accounts")
    outcome.require_done()
    assert ("COMPLETE", True) == (outcome.state, outcome.successful)
    assert ["Delete Inactive Accounts"] == [one["action"] for one in sandbox.tenant.log()["actions"]]


def test_a_process_tells_each_step(plan: Anaplan, three_rows: Path) -> None:
    """In the order in which they ran."""
    plan.import_file(IMPORT, three_rows)
    outcome = plan.run_process(NIGHTLY)
    outcome.require_done()
    assert [IMPORT, "Set Current Period", "Export GL Actuals"] == [step.object_name for step in outcome.steps]
    assert 3 == outcome.steps[0].rows_taken


def test_a_process_that_is_not_whole_is_refused_with_every_fault_and_list(
    plan: Anaplan, sandbox: Sandbox, lists_filled: Callable[..., None], three_rows: Path
) -> None:
    """Refused rows of one step, ignored ones of another; the refused ones stand as a table beside the message."""
    plan.import_file(IMPORT, three_rows)
    sandbox.set_switches(anaplan={"ignore_rows": 2})
    lists_filled(accounts=",No code,,,\n")
    outcome = plan.run_process(ALL)
    with pytest.raises(DataError, match=r"Step Load Accounts \(id 112000000002\).*refused 1 rows") as caught:
        outcome.require_done()
    assert "Step Load GL Actuals (id 112000000001) ignored 2 rows" in caught.value.what
    assert "stay in the model" in caught.value.holds
    assert [f"Rows refused by Step Load Accounts (id {ACCOUNTS_ID})"] == list(caught.value.evidence)
    assert {ACCOUNTS_ID} == set(outcome.dumps)


def test_a_cancelled_process_is_not_done(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """CANCELLED ends the wait, and is told."""
    plan.import_file(IMPORT, three_rows)
    sandbox.set_switches(anaplan={"import_ends": "CANCELLED"})
    with pytest.raises(DataError, match="ended CANCELLED"):
        plan.run_process(NIGHTLY).require_done()


def test_A05_an_action_that_may_have_started_is_never_started_again(plan: Anaplan, plant: Plant, calls: Calls) -> None:
    """Whatever its kind: a deletion run twice may delete twice."""
    plant(START, times=-1, kind="reset")
    with pytest.raises(UncertainError, match="action Clear Actuals"):
        plan.run_action("action", "Clear Actuals")
    assert 1 == len(calls(START))


@pytest.mark.parametrize(
    ("kind", "name"), [("import", "Load"), ("export", "X"), ("process", "Nightly"), ("action", "Delete")]
)
def test_an_action_that_does_not_exist_lists_what_does(plan: Anaplan, calls: Calls, kind: Any, name: str) -> None:
    """Nothing is started."""
    with pytest.raises(SetupError, match=f"has no {kind} named"):
        plan.run_action(kind, name)
    assert [] == calls(START)


def test_E20_a_full_workspace_is_named(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, calls: Calls, three_rows: Path
) -> None:
    """The import fails under whatever message; its workspace has no room left, and that is said. It is not started again."""
    sandbox.set_switches(anaplan={"import_ends": "UNSUCCESSFUL"})
    sizes = {"pattern": r'"sizeAllowance":\d+,"currentSize":\d+', "with": '"sizeAllowance":1000,"currentSize":1000'}
    fault = plant(r"GET .*/workspaces\?.*tenantDetails", times=-1, kind="replace", **sizes)
    outcome = plan.import_file(IMPORT, three_rows)
    assert fault.fired
    assert "The workspace Finance is full: 1,000 of 1,000 bytes are in use" == outcome.messages[0]
    assert 1 == len(calls(START))
