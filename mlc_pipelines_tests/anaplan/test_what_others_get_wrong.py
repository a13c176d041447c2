"""What public clients were seen to do wrong, one test each: ours does not. Found by running them [C, run: anaplan.md 12.4, 13].

The client's name stands in the test's name: anaplan-sdk 0.5.22, apapi 0.6.0, anaplan-api 0.3.4, anaplan-orm 1.1.0.
"""

import csv
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.config import AnaplanCredential
from mlc_pipelines.anaplan.upload import upload
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.transport.secret import Secret

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]
WriteFile = Callable[..., Path]

IMPORT, EXPORT, PROCESS, FILE = "Load GL Actuals", "Export GL Actuals", "Nightly GL Actuals", "113000000001"
START = r"POST .*/tasks$"
POLL = r"GET .*/tasks/[0-9A-F]{32}$"


def started(sandbox: Sandbox) -> int:
    return len([one for one in sandbox.tenant.log()["actions"] if not one["planted"]])


@pytest.fixture
def chunks_of_three(api: Api, place: str, tmp_path: Path) -> Callable[[int], object]:
    """Sends a file of three chunks, the last one partly filled, so many at a time."""
    path = tmp_path / "three.csv"
    path.write_text("".join(f"row {number:02d}\n" for number in range(25)))
    return lambda workers: upload(api, f"{place}/files/{FILE}", FILE, path, chunk_bytes=80, workers=workers)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("chunk", [1, 2])
def test_anaplan_sdk_returns_normally_from_an_upload_with_a_hole(
    chunks_of_three: Callable[[int], object], plant: Plant, calls: Calls, workers: int, chunk: int
) -> None:
    """A chunk that keeps failing, the middle one or the last partial one: ours raises, and completes nothing."""
    plant(rf"PUT .*/chunks/{chunk}$", times=-1, kind="status", status=500)
    with pytest.raises(TransientError, match=f"chunks/{chunk}"):
        chunks_of_three(workers)
    assert [] == calls("complete")


@pytest.mark.parametrize("process", ["", PROCESS])
def test_anaplan_sdk_apapi_and_anaplan_orm_start_a_second_task_after_a_504(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, calls: Calls, three_rows: Path, process: str
) -> None:
    """The start was accepted and answered 504: one start, one task, its outcome."""
    plant(START, kind="status", status=504, after=True)
    assert 3 == plan.import_file(IMPORT, three_rows, process=process).rows_taken
    assert (1, 1) == (len(calls(START)), started(sandbox))


def test_anaplan_sdk_polls_for_ever_when_a_task_is_cancelled(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, three_rows: Path
) -> None:
    """CANCELLED is an end."""
    sandbox.set_switches(anaplan={"import_ends": "CANCELLED"})
    outcome = plan.import_file(IMPORT, three_rows)
    assert ("CANCELLED", False) == (outcome.state, outcome.successful)
    assert len(calls(POLL)) < 20


@pytest.mark.parametrize("state", ["CANCELLING", "REVIEWING", ""])
def test_anaplan_sdk_breaks_at_a_state_that_it_does_not_know(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path, state: str
) -> None:
    """It is no end: ours goes on looking."""
    sandbox.set_switches(anaplan={"task_seconds": 2.0})
    fault = plant(POLL, times=3, kind="replace", pattern="NOT_STARTED|IN_PROGRESS", **{"with": state})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 3 == fault.fired


def test_anaplan_sdk_drops_the_details_of_an_unsuccessful_task(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path
) -> None:
    """State, words, counts and refused rows are all at hand."""
    sandbox.set_switches(anaplan={"reject_rows": 2, "successful_despite_failures": False})
    outcome = plan.import_file(IMPORT, three_rows)
    assert not outcome.successful
    assert (1, 2, 2) == (outcome.rows_taken, outcome.rows_failed, len(outcome.refused))
    assert outcome.messages


@pytest.mark.parametrize("call", ["GET .*/imports", "POST .*/complete", "PUT .*/chunks/0", START, POLL])
def test_anaplan_sdk_gives_up_early_at_429_and_anaplan_orm_at_once(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path, call: str
) -> None:
    """Retry-After is obeyed, at whichever call, and then it goes on."""
    plant(call, times=2, kind="status", status=429, headers={"retry-after": "7"})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    requests = sandbox.traffic.requests
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(requests) if before.status == 429]
    assert 2 == len(gaps)
    assert min(gaps) >= 7
    assert 1 == started(sandbox)


def test_anaplan_orm_and_apapi_stumble_over_a_wrong_password(
    connect: Connect, credential: AnaplanCredential, calls: Calls
) -> None:
    """AttributeError there, KeyError here: ours says who was refused, once, and what to do."""
    wrong = replace(credential, password=Secret("not it", "password"))
    with pytest.raises(SetupError, match="refused user and password") as caught, connect(credential=wrong) as plan:
        plan.key()
    assert caught.value.next_step
    assert 1 == len(calls("POST /token/authenticate"))


def test_apapi_gives_up_at_a_token_that_has_ended(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """One new log-in, and it goes on."""
    plan.import_file(IMPORT, three_rows)
    sandbox.tenant.revoke_tokens()
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken


def test_anaplan_api_shows_the_results_of_earlier_actions_again(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path
) -> None:
    """Each outcome is of its own task only."""
    sandbox.set_switches(anaplan={"reject_rows": 2})
    first = plan.run_process(PROCESS) if started(sandbox) else plan.import_file(IMPORT, three_rows, process=PROCESS)
    sandbox.set_switches(anaplan={"reject_rows": 0})
    second = plan.run_process(PROCESS)
    assert first.task != second.task
    assert [3, None, None] == [step.rows_taken for step in second.steps]
    assert {} == second.dumps


@pytest.mark.parametrize("process", ["", PROCESS])
def test_anaplan_api_reads_the_task_as_if_it_were_the_dump(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path, process: str
) -> None:
    """The rows of the dump, with the columns of the file."""
    sandbox.set_switches(anaplan={"reject_rows": 1})
    refused = plan.import_file(IMPORT, three_rows, process=process).refused
    assert ["status", "Account", "Cost Center", "Period", "Version", "Amount", "line", "reason"] == list(
        refused.columns
    )
    assert ["A1010"] == refused["Account"].tolist()


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 502])
def test_anaplan_api_breaks_when_a_start_is_refused(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path, status: int
) -> None:
    """AttributeError on None there: ours says what happened, what the model holds and what to do."""
    plant(START, times=-1, kind="status", status=status)
    with pytest.raises(PipelineError) as caught:
        plan.import_file(IMPORT, three_rows)
    assert (status >= 500) == isinstance(caught.value, UncertainError)
    assert 0 == started(sandbox)


@pytest.mark.parametrize("chunk_bytes", [3, 16])
def test_anaplan_api_garbles_a_letter_on_the_border_of_two_chunks(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path, chunk_bytes: int
) -> None:
    """Down and in the dump: bytes are joined before they are read."""
    sandbox.set_switches(anaplan={"reject_rows": 1, "reject_message": "Unzulässig: ü", "dump_chunk_bytes": chunk_bytes})
    assert ["Unzulässig: ü"] == plan.import_file(IMPORT, three_rows).refused["reason"].tolist()


def test_others_have_their_addresses_built_in(plan: Anaplan, sandbox: Sandbox) -> None:
    """Every call of ours went to the addresses of the connection: here, a server on this machine."""
    assert plan.key() == sandbox.info["anaplan"]["model_id"]


# -- the pain points of 13 that are a client's to remove --------------------------------------------------------------


def test_13_a_successful_load_that_is_short_is_seen_by_its_counts(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path
) -> None:
    """COMPLETE, successful, no dump: one row was ignored."""
    sandbox.set_switches(anaplan={"ignore_rows": 1})
    outcome = plan.import_file(IMPORT, three_rows)
    assert ("COMPLETE", True, None, 2, 1) == (
        outcome.state, outcome.successful, outcome.dump, outcome.rows_taken, outcome.rows_ignored,
    )  # fmt: skip


def test_13_no_stale_file_is_imported_when_an_upload_fails(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path
) -> None:
    """Yesterday's private file and the shared default lie there still, and the import would read them without an error."""
    plan.import_file(IMPORT, three_rows)
    plant("PUT .*/chunks/0", times=-1, kind="status", status=503)
    with pytest.raises(TransientError, match="was not uploaded"):
        plan.import_file(IMPORT, three_rows)
    assert 1 == started(sandbox)


def test_13_a_header_that_drifted_is_refused_before_anything_is_sent(
    plan: Anaplan, calls: Calls, write_file: WriteFile
) -> None:
    """Renamed columns are the classic silent mis-map."""
    header = ("Account", "Cost Centre", "Period", "Version", "Amount")
    with pytest.raises(SetupError, match=r"'Cost Center'.*'Cost Centre'"):
        plan.import_file(IMPORT, write_file(("A1010", "CC_010", "1.00"), header=header))
    assert [] == calls("PUT |POST .*/(files|tasks)")


@pytest.mark.parametrize(
    ("known", "drifted"),
    [
        ('"type":"taskInformation",', '"newField":{"a":[1]},'),
        ('"progress":[0-9.]+,', '"progress":"half",'),
        ('"currentStep":"[^"]*",', '"currentStep":null,'),
        ('"creationTime":\\d+', '"creationTime":"yesterday"'),
    ],
)
def test_13_unknown_fields_and_values_break_nothing(
    plan: Anaplan, plant: Plant, three_rows: Path, known: str, drifted: str
) -> None:
    """Enumerations and fields drift from release to release."""
    fault = plant(POLL, times=-1, kind="replace", pattern=known, **{"with": drifted})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert fault.fired


def test_13_not_found_says_that_it_may_be_a_missing_right(plan: Anaplan, sandbox: Sandbox) -> None:
    """A role without access is answered 404 too."""
    sandbox.set_switches(anaplan={"no_access": True})
    with pytest.raises(SetupError, match="no access to it"):
        plan.read_members("Accounts")


def test_13_an_export_of_many_pages_of_bytes_is_whole(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path, tmp_path: Path
) -> None:
    """More chunks than one page of the list shows: paged by what was really returned."""
    plan.import_file(IMPORT, three_rows)
    sandbox.set_switches(anaplan={"export_chunk_bytes": 40, "page_cap": 4})
    plan.export_file(EXPORT, tmp_path / "export.csv")
    with (tmp_path / "export.csv").open(encoding="utf-8", newline="") as text:
        rows: list[dict[str, Any]] = list(csv.DictReader(text))
    assert {"10", "-2.5", "0.01"} <= {f"{float(row['Amount']):g}" for row in rows}
