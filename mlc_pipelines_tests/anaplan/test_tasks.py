"""One run of an action: started once whatever the answer, followed to its end, never lost without a word."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.transport.caller import Limits

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]

IMPORT = "Load GL Actuals"
START = "POST .*/imports/.*/tasks$"
POLL = r"GET .*/imports/\d+/tasks/[0-9A-F]{32}$"
TASK = r"[0-9A-F]{32}"
JSON = {"content-type": "application/json"}


def tasks(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [one for one in sandbox.tenant.log()["actions"] if not one["planted"]]


def ours(sandbox: Sandbox) -> Any:
    """The task that was started last, as the sandbox holds it."""
    return sandbox.tenant.model().queue.tasks[-1]


# -- starting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "status", "status": 504, "after": True}, id="504"),
        pytest.param({"kind": "status", "status": 500, "after": True}, id="500"),
        pytest.param({"kind": "reset", "after": True}, id="reset"),
        pytest.param({"kind": "truncate", "keep": 0.5}, id="cut"),
        pytest.param({"kind": "status", "status": 200, "headers": JSON, "body": "{}", "after": True}, id="no-task"),
        pytest.param({"kind": "status", "status": 200, "body": "<html>", "after": True}, id="web-page"),
    ],
)
def test_A04_a_start_whose_answer_is_lost_is_adopted(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path, action: dict[str, Any]
) -> None:
    """The start was carried out and its answer is not usable: exactly one task, and its outcome is ours."""
    fault = plant(START, **action)
    outcome = plan.import_file(IMPORT, three_rows)
    assert 1 == fault.fired
    assert [outcome.task] == [one["task"] for one in tasks(sandbox)]
    assert (3, 0, 0) == (outcome.rows_taken, outcome.rows_ignored, outcome.rows_failed)


def test_A04_an_older_task_is_not_adopted(plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path) -> None:
    """With earlier runs in the list, the new one is found by what was there before."""
    first = plan.import_file(IMPORT, three_rows)
    plant(START, kind="reset", after=True)
    second = plan.import_file(IMPORT, three_rows)
    assert first.task != second.task
    assert [first.task, second.task] == [one["task"] for one in tasks(sandbox)]


@pytest.mark.parametrize("action", [{"kind": "status", "status": 504}, {"kind": "reset"}])
def test_A05_a_start_that_left_no_trace_is_not_repeated(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, calls: Calls, three_rows: Path, action: dict[str, Any]
) -> None:
    """It may still be carried out late: a person or the next run decides, and the message says so."""
    plant(START, times=-1, **action)
    with pytest.raises(UncertainError, match=IMPORT) as caught:
        plan.import_file(IMPORT, three_rows)
    assert "Run the load again" in caught.value.next_step
    assert 1 == len(calls(START))
    assert [] == tasks(sandbox)


def test_A04_two_new_tasks_at_once_are_not_guessed_at(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, calls: Calls, three_rows: Path
) -> None:
    """Somebody else started the same import in the same moment: which one is ours cannot be known."""
    plant(START, kind="reset", after=True)
    plant(
        r"GET .*/imports/\d+/tasks\?",
        skip=1,
        times=-1,
        kind="replace",
        pattern=r'"tasks":\[',
        **{"with": '"tasks":[{"taskId":"F00D","taskState":"IN_PROGRESS"},'},
    )
    with pytest.raises(UncertainError):
        plan.import_file(IMPORT, three_rows)
    assert 1 == len(calls(START))


def test_a_task_without_its_wrapper_is_understood(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """Some documents show the bare task."""
    sandbox.set_switches(anaplan={"no_envelope_task": True})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 1 == len(tasks(sandbox))


def test_B13_a_start_refused_as_busy_is_looked_for_and_then_sent_again(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, hands: Any, three_rows: Path
) -> None:
    """429 on the start itself: not before the time asked for, and one task in the end."""
    fault = plant(START, kind="status", status=429, headers={"retry-after": "7"})
    outcome = plan.import_file(IMPORT, three_rows)
    assert 1 == fault.fired
    assert hands.slept[0] >= 7
    assert [outcome.task] == [one["task"] for one in tasks(sandbox)]


def test_B13_a_start_that_was_refused_and_yet_runs_is_adopted(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path
) -> None:
    """The answer to a write is not trusted: 429 came, and the task is there all the same."""
    plant(START, kind="status", status=429, after=True)
    outcome = plan.import_file(IMPORT, three_rows)
    assert [outcome.task] == [one["task"] for one in tasks(sandbox)]


def test_B13_a_conflict_is_waited_out(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """409 says that the model is busy and that nothing was started: tried again until it is free."""
    plan.import_file(IMPORT, three_rows)
    sandbox.set_switches(anaplan={"busy_start": "409"})
    sandbox.tenant.foreign_task(20)
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 2 == len(tasks(sandbox))


# -- following --------------------------------------------------------------------------------------------------------


def test_polling_neither_floods_nor_lags(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, hands: Any, three_rows: Path
) -> None:
    """Pauses grow with the time spent, up to five seconds; the end is seen at most one pause late."""
    sandbox.set_switches(anaplan={"task_seconds": 120.0})
    plan.import_file(IMPORT, three_rows)
    assert 20 < len(calls(POLL)) < 120
    assert max(hands.slept) <= 5.5
    assert 60 <= sum(hands.slept) <= 127


def test_an_unknown_state_counts_as_running(plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path) -> None:
    """A state that nobody has heard of is no end."""
    sandbox.set_switches(anaplan={"task_seconds": 3.0})
    fault = plant(POLL, times=5, kind="replace", pattern="NOT_STARTED|IN_PROGRESS", **{"with": "REVIEWING"})
    outcome = plan.import_file(IMPORT, three_rows)
    assert 5 == fault.fired
    assert ("COMPLETE", 3) == (outcome.state, outcome.rows_taken)


def test_a_task_that_is_cancelled_ends_the_wait(plan: Anaplan, sandbox: Sandbox, hands: Any, three_rows: Path) -> None:
    """CANCELLING is still running, CANCELLED is an end: others wait for COMPLETE for ever."""
    sandbox.set_switches(anaplan={"task_seconds": 3600.0})
    seen: list[str] = []

    def cancel() -> None:
        sandbox.tenant.model().queue.cancel(ours(sandbox), "a person", sandbox.clock.now(), 20.0)
        seen.append(ours(sandbox).state(sandbox.clock.now()))

    hands.meanwhile.append(cancel)
    outcome = plan.import_file(IMPORT, three_rows)
    assert ["CANCELLING"] == seen
    assert ("CANCELLED", False, None) == (outcome.state, outcome.successful, outcome.rows_taken)
    assert [] == sandbox.tenant.truth_cells()


@pytest.mark.parametrize("ahead", [False, True])
def test_E08_a_task_that_never_ends_is_named_with_its_state(
    connect: Connect, sandbox: Sandbox, hands: Any, calls: Calls, three_rows: Path, ahead: bool
) -> None:
    """The wait ends after the stated time, by the clock that was handed in; the task is named, it may still be carried out.

    One that stands in the model's queue says who is inside: once while it waits, and at the end.
    """
    said: list[str] = []
    with connect(task_seconds=60.0, given={"say": said.append}) as plan:
        plan.import_file(IMPORT, three_rows)
        hands.slept.clear()
        sandbox.set_switches(anaplan={"task_seconds": 1e6})
        if ahead:  # ours waits in the queue behind somebody else's
            sandbox.tenant.foreign_task(1e6)
        with pytest.raises(UncertainError) as caught:
            plan.import_file(IMPORT, three_rows)
    assert ours(sandbox).id in caught.value.what
    assert ("NOT_STARTED" if ahead else "IN_PROGRESS") in caught.value.what
    assert "may still be carried out" in caught.value.holds
    assert 60 <= sum(hands.slept) <= 66
    assert [] == calls("DELETE ")
    assert ahead == ("started by user Jesse Smith" in caught.value.what)
    assert [True] * ahead == [f"Task {ours(sandbox).id}" in one and "Jesse Smith" in one for one in said]
    assert (1 + 1) * ahead == len(calls("GET .*/status"))


@pytest.mark.parametrize("status", [403, 500])
def test_a_holder_that_cannot_be_seen_changes_nothing_about_the_task(
    connect: Connect, sandbox: Sandbox, plant: Plant, three_rows: Path, status: int
) -> None:
    """Ours stands in line, and who is inside may not be known: it is said so, and the task is followed to its end."""
    said: list[str] = []
    with connect(given={"say": said.append}) as plan:
        plan.import_file(IMPORT, three_rows)
        plant("GET .*/status", times=-1, kind="status", status=status)
        sandbox.tenant.foreign_task(20)
        assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert ["not to be seen" in one for one in said] == [True]


def test_E07_a_task_that_vanishes_is_no_success(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, calls: Calls, three_rows: Path
) -> None:
    """404 while polling: the list of tasks is asked too, then the task is named; nothing is started again."""
    plant(POLL, times=-1, kind="status", status=404)
    with pytest.raises(UncertainError) as caught:
        plan.import_file(IMPORT, three_rows)
    assert ours(sandbox).id in str(caught.value)
    assert calls(r"GET .*/imports/\d+/tasks\?")[-1].n > calls(POLL)[0].n
    assert 1 == len(calls(START))


def test_E07_a_task_out_of_sight_for_a_moment_is_followed_on(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path
) -> None:
    """One 404 is no end."""
    fault = plant(POLL, kind="status", status=404)
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 1 == fault.fired


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "status", "status": 503}, id="503"),
        pytest.param({"kind": "status", "status": 429, "headers": {"retry-after": "7"}}, id="B13-429"),
        pytest.param({"kind": "reset"}, id="reset"),
        pytest.param({"kind": "truncate", "keep": 0.5}, id="A07-cut"),
        pytest.param({"kind": "status", "status": 200, "headers": JSON, "body": '{"task":{'}, id="C01-cut-json"),
        pytest.param({"kind": "status", "status": 401}, id="B02-401"),
    ],
)
def test_a_poll_that_fails_once_is_repeated(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path, action: dict[str, Any]
) -> None:
    """A passing fault of a poll says nothing about the task."""
    fault = plant(POLL, **action)
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 1 == fault.fired
    assert 1 == len(tasks(sandbox))


@pytest.mark.parametrize("status", [400, 403, 422, 500, 503])
def test_a_poll_that_keeps_failing_leaves_the_outcome_open(
    connect: Connect, plant: Plant, sandbox: Sandbox, three_rows: Path, status: int
) -> None:
    """Whatever the reason: the import may have been carried out, so it is uncertain, and the task is named."""
    plant(POLL, times=-1, kind="status", status=status)
    limits = Limits(attempts=3, retry_seconds=30.0)
    with connect(limits=limits) as plan, pytest.raises(UncertainError) as caught:
        plan.import_file(IMPORT, three_rows)
    assert ours(sandbox).id in str(caught.value)


def test_A17_the_answer_to_another_question_is_not_used(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, three_rows: Path
) -> None:
    """A poll that answers with another task's id is asked again."""
    fault = plant(POLL, kind="replace", pattern=f'"taskId":"{TASK}"', **{"with": '"taskId":"0BAD"'})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 1 == fault.fired


# -- limits of the service --------------------------------------------------------------------------------------------


def test_B10_no_call_comes_earlier_than_asked_for(plan: Anaplan, plant: Plant, sandbox: Sandbox) -> None:
    """429 with Retry-After in seconds."""
    plant("GET .*/lists", times=2, kind="status", status=429, headers={"retry-after": "7"})
    plan.read_members("Accounts")
    requests = sandbox.traffic.requests
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(requests) if before.status == 429]
    assert 2 == len(gaps)
    assert min(gaps) >= 7


def test_B11_a_date_is_heeded(plan: Anaplan, plant: Plant, hands: Any) -> None:
    """429 with Retry-After as an HTTP date, half a minute ahead."""
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    plant("GET .*/lists", kind="status", status=429, headers={"retry-after": ahead})
    plan.read_members("Accounts")
    assert 25 <= hands.slept[0] <= 40


@pytest.mark.parametrize(
    "text", ["-5", "9999999", "soon", "", "Fri, 01 Jan 1999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_B11_nonsense_is_bounded(plan: Anaplan, plant: Plant, hands: Any, text: str) -> None:
    """A wait in the past, without end or without sense ends within two minutes and some jitter."""
    fault = plant("GET .*/lists", kind="status", status=429, headers={"retry-after": text})
    plan.read_members("Accounts")
    assert 1 == fault.fired
    assert 0 <= hands.slept[0] <= 125


def test_B14_a_fault_that_lasts_ends_within_the_attempts(plan: Anaplan, plant: Plant) -> None:
    """Counted attempts, then a failure that says that the same call may work later."""
    fault = plant("GET .*/lists", times=-1, kind="status", status=503)
    with pytest.raises(TransientError, match="503"):
        plan.read_members("Accounts")
    assert 3 == fault.fired


@pytest.mark.parametrize(("code", "kind"), [(403, PipelineError), (404, SetupError), (503, TransientError)])
def test_B16_an_error_inside_a_good_answer_is_that_error(
    plan: Anaplan, plant: Plant, code: int, kind: type[PipelineError]
) -> None:
    """Status 200 with another code in the body is not taken for an empty list."""
    plant(
        "GET .*/lists",
        times=-1,
        kind="status",
        status=200,
        headers=JSON,
        body=f'{{"status":{{"code":{code},"message":"No"}}}}',
    )
    with pytest.raises(kind, match=str(code)):
        plan.read_members("Accounts")


@pytest.mark.parametrize("call", ["GET .*/lists", "GET .*/workspaces", "GET .*/items", "GET .*/status"])
def test_B17_a_web_page_is_not_read_as_an_answer(plan: Anaplan, plant: Plant, call: str) -> None:
    """Also where it calls itself JSON."""
    plant(call, times=-1, kind="html", status=200, content_type="application/json")
    with pytest.raises(SetupError, match="web page"):
        plan.wait_until_free() if "status" in call else plan.read_members("Accounts")


def test_C01_a_cut_answer_to_a_read_is_asked_for_again(plan: Anaplan, plant: Plant) -> None:
    """JSON that ends in the middle, once."""
    fault = plant("GET .*/lists", kind="status", status=200, headers=JSON, body='{"lists":[{')
    assert len(plan.read_members("Accounts")) > 100
    assert 1 == fault.fired


# -- somebody else in the model ---------------------------------------------------------------------------------------


def test_a_free_model_is_not_waited_for(plan: Anaplan, hands: Any) -> None:
    """One look."""
    plan.wait_until_free()
    assert [] == hands.slept


def test_P12_somebody_elses_task_is_waited_out(plan: Anaplan, sandbox: Sandbox, hands: Any) -> None:
    """Until the model is free, without a flood of looks."""
    sandbox.tenant.foreign_task(90, user="Jesse Smith")
    plan.wait_until_free()
    assert 45 <= sum(hands.slept) <= 100


def test_P12_a_model_that_stays_busy_is_left_with_the_name_of_who_holds_it(
    connect: Connect, sandbox: Sandbox, calls: Calls
) -> None:
    """After the stated limit; nothing was sent."""
    sandbox.tenant.foreign_task(3600, user="Jesse Smith")
    with (
        pytest.raises(TransientError, match=r"busy for 30 seconds.*Jesse Smith") as caught,
        connect(wait_seconds=30.0) as plan,
    ):
        plan.wait_until_free()
    assert "Nothing was sent" in caught.value.holds
    assert not calls("(PUT|POST) /2/0/")


def test_a_status_of_an_unknown_shape_is_not_taken_for_free(plan: Anaplan, plant: Plant) -> None:
    """Whether somebody is inside cannot be told, so nothing is sent."""
    plant("GET .*/status", times=-1, kind="status", status=200, headers=JSON, body='{"requestStatus":null}')
    with pytest.raises(PipelineError, match="status"):
        plan.wait_until_free()


@pytest.mark.parametrize(
    ("state", "said"), [("ARCHIVED", "archived"), ("LOCKED", "locked"), ("MAINTENANCE", "offline")]
)
def test_E19_a_model_that_closes_between_upload_and_import(
    plan: Anaplan, plant: Plant, sandbox: Sandbox, hands: Any, three_rows: Path, state: str, said: str
) -> None:
    """Archived, locked or offline: told by name, no task was started, and the same load works once it is open again."""
    plant("POST .*/complete", kind="status", status=503, after=True)
    closed = {"model_state": state, "admins_enter_maintenance": False}
    hands.meanwhile.append(lambda: sandbox.set_switches(anaplan=closed))
    with pytest.raises(SetupError, match=f"is {said}"):
        plan.import_file(IMPORT, three_rows)
    assert [] == tasks(sandbox)
    sandbox.set_switches(anaplan={"model_state": "UNLOCKED"})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken


def test_a_model_in_deployed_mode_takes_figures(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """Only structural changes are refused there."""
    sandbox.set_switches(anaplan={"model_state": "PRODUCTION"})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken


def test_no_message_shows_a_query_or_a_secret(plan: Anaplan, plant: Plant, sandbox: Sandbox) -> None:
    """Paths only, and no token, also where a server echoes it."""
    plan.key()
    [token] = sandbox.tenant.tokens
    plant("GET .*/lists", times=-1, kind="status", status=400, body=f"bad header AnaplanAuthToken {token}")
    with pytest.raises(PipelineError) as caught:
        plan.read_members("Accounts")
    assert token not in str(caught.value)
    assert not re.search(r"\?|limit=", str(caught.value))
