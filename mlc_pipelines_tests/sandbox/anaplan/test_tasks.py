"""Starting, queueing, polling and cancelling; what a busy model makes others wait for."""

import threading

import pytest

HEADER = "Account,Cost Center,Period,Version,Amount\n"
IMPORT, FILE, EXPORT, PROCESS = "112000000001", "113000000001", "116000000001", "118000000001"
CELL = ("A6100", "CC_010", "Jul 25", "Actual")


def _row(amount):
    return f"{HEADER}A6100,CC_010,Jul 25,Actual,{amount}\n"


def test_a_task_is_posted_not_started_and_ends_complete(caller, tenant, clock):
    """The first answer has id, state and creation time; the last one the result."""
    tenant.set_switches({"task_seconds": 60})
    caller.upload(_row("1"))
    answer = caller.call("POST", f"imports/{IMPORT}/tasks", json={"localeName": "en_US"})
    first = answer.json()["task"]
    assert (200, "NOT_STARTED") == (answer.status_code, first["taskState"])
    running = caller.task(first["taskId"])
    assert ("IN_PROGRESS", "Processing ...") == (running["taskState"], running["currentStep"])
    assert "result" not in running
    clock.advance(61)
    ended = caller.wait(first["taskId"])
    assert ("Complete.", 1.0) == (ended["currentStep"], ended["progress"])
    assert first["creationTime"] == ended["creationTime"]
    assert (IMPORT, "Load GL Actuals", True, False) == tuple(
        ended["result"][name] for name in ("objectId", "objectName", "successful", "failureDumpAvailable")
    )


@pytest.mark.parametrize("body", [{}, {"localeName": "de_DE"}, {"localeName": "en_US", "mappingParameters": "x"}])
def test_a_wrong_body_is_400(caller, body):
    """localeName is compulsory and always en_US."""
    assert 400 == caller.call("POST", f"imports/{IMPORT}/tasks", json=body).status_code
    assert 400 == caller.call("POST", f"imports/{IMPORT}/tasks", content=b"no json").status_code


def test_a_bare_task_id_by_switch(caller, tenant):
    """Some documents show the answer without `task` around it."""
    tenant.set_switches({"no_envelope_task": True})
    body = caller.call("POST", f"imports/{IMPORT}/tasks", json={"localeName": "en_US"}).json()
    assert {"taskId"} == set(body)


def test_a_repeated_post_starts_a_second_task(caller):
    """There is no idempotency key."""
    first, second = caller.start(), caller.start()
    assert first != second
    listed = caller.get(f"imports/{IMPORT}/tasks").json()["tasks"]
    assert [first, second] == [one["taskId"] for one in listed]
    assert {"taskId", "taskState", "creationTime"} == set(listed[0])


def test_tasks_can_be_listed_newest_first(caller, clock):
    """sort=-creationDate."""
    tasks = [caller.start(), caller.start()]
    clock.advance(1)
    tasks.append(caller.start())
    listed = caller.get(f"imports/{IMPORT}/tasks?sort=-creationDate").json()["tasks"]
    assert tasks[2] == listed[0]["taskId"]


def test_a_task_is_known_under_its_own_action_only(caller):
    """Elsewhere it is 404; an unknown action has an empty list, not 404, but cannot be started."""
    task = caller.start()
    assert 404 == caller.get(f"exports/{EXPORT}/tasks/{task}").status_code
    assert 404 == caller.get(f"imports/{IMPORT}/tasks/{task.lower()}").status_code
    assert [] == caller.get("imports/112999999999/tasks").json()["tasks"]
    gone = caller.call("POST", "imports/112999999999/tasks", json={"localeName": "en_US"})
    assert 404 == gone.status_code


def test_one_task_runs_at_a_time_in_order(caller, tenant, clock):
    """The second is queued, not refused: it starts when the first has ended."""
    tenant.set_switches({"task_seconds": 60})
    caller.upload(_row("1"))
    first, second = caller.start(), caller.start("exports", EXPORT)
    assert ("IN_PROGRESS", "NOT_STARTED") == (
        caller.task(first)["taskState"],
        caller.task(second, "exports", EXPORT)["taskState"],
    )
    clock.advance(61)
    assert ("COMPLETE", "IN_PROGRESS") == (
        caller.task(first)["taskState"],
        caller.task(second, "exports", EXPORT)["taskState"],
    )
    clock.advance(60)
    assert "COMPLETE" == caller.task(second, "exports", EXPORT)["taskState"]
    rows = {row["task"]: row for row in tenant.log()["actions"]}
    assert rows[first]["ended"] == rows[second]["started"]


def test_progress_follows_the_clock(caller, tenant, clock):
    """Half the time, half the progress."""
    tenant.set_switches({"task_seconds": 100})
    task = caller.start()
    clock.advance(50)
    assert 0.5 <= caller.task(task)["progress"] < 0.6


def test_the_file_is_read_at_the_end_of_the_work(caller, tenant, clock, cells):
    """An upload while the import runs is what gets loaded, without any error."""
    tenant.set_switches({"task_seconds": 60})
    caller.upload(_row("1"))
    task = caller.start()
    caller.upload(_row("2"))
    clock.advance(61)
    assert caller.wait(task)["result"]["successful"]
    assert {CELL: "2.00"} == cells()


def test_an_upload_after_the_end_of_the_work_is_not_seen(caller, tenant, clock, cells):
    """Even if nobody has looked at the task in between."""
    tenant.set_switches({"task_seconds": 60})
    caller.upload(_row("1"))
    task = caller.start()
    clock.advance(61)
    caller.upload(_row("2"))
    assert caller.wait(task)["result"]["successful"]
    assert {CELL: "1.00"} == cells()


def test_the_task_goes_on_when_the_client_has_gone(caller, tenant, clock, cells):
    """No poll is needed."""
    tenant.set_switches({"task_seconds": 60})
    caller.upload(_row("1"))
    caller.start()
    clock.advance(61)
    assert {CELL: "1.00"} == cells()


def test_cancelling_a_running_task_rolls_back(caller, tenant, clock, cells):
    """CANCELLING first, then CANCELLED; nothing was loaded, and the next task has the model."""
    tenant.set_switches({"task_seconds": 60, "cancel_seconds": 5})
    caller.upload(_row("1"))
    task, queued = caller.start(), caller.start()
    answer = caller.call("DELETE", f"imports/{IMPORT}/tasks/{task}")
    assert (200, "CANCELLING") == (answer.status_code, answer.json()["task"]["taskState"])
    clock.advance(6)
    body = caller.task(task)
    assert ("CANCELLED", caller.info["username"]) == (body["taskState"], body["cancelledBy"])
    assert "IN_PROGRESS" == caller.task(queued)["taskState"]
    assert {} == cells()


def test_cancelling_a_queued_task_takes_it_out_of_the_queue(caller, tenant, clock):
    """It never starts; cancelling an ended task changes nothing."""
    tenant.set_switches({"task_seconds": 60, "cancel_seconds": 0})
    first, second = caller.start(), caller.start()
    caller.call("DELETE", f"imports/{IMPORT}/tasks/{second}")
    clock.advance(61)
    assert ("COMPLETE", "CANCELLED") == (caller.task(first)["taskState"], caller.task(second)["taskState"])
    assert "COMPLETE" == caller.call("DELETE", f"imports/{IMPORT}/tasks/{first}").json()["task"]["taskState"]
    assert [None] == [row["started"] for row in tenant.log()["actions"] if row["task"] == second]


def test_a_cancel_may_not_succeed(caller, tenant, cells):
    """A task that cannot roll back goes on to its end."""
    tenant.set_switches({"cancel": "refused"})
    caller.upload(_row("1"))
    task = caller.start()
    caller.call("DELETE", f"imports/{IMPORT}/tasks/{task}")
    assert "COMPLETE" == caller.wait(task)["taskState"]
    assert {CELL: "1.00"} == cells()


@pytest.mark.parametrize(
    ("ends", "state", "type_"),
    [("CANCELLED", "CANCELLED", "msgImportCancelled"), ("UNSUCCESSFUL", "COMPLETE", "importFailedGeneralError")],
)
def test_an_import_can_end_badly_without_our_doing(caller, tenant, cells, ends, state, type_):
    """Cancelled by somebody, or complete and not successful: nothing is loaded either way."""
    tenant.set_switches({"import_ends": ends, "failed_step": "Failed."})
    ended = caller.load("A6100,CC_010,Jul 25,Actual,1\n")
    assert (state, False) == (ended["taskState"], ended["result"]["successful"])
    assert [type_] == [one["type"] for one in ended["result"]["details"]]
    assert ("Failed." if state == "COMPLETE" else "Cancelled.") == ended["currentStep"]
    assert {} == cells()


def test_a_busy_model_can_answer_409(caller, tenant):
    """By switch; the default is to queue."""
    tenant.set_switches({"busy_start": "409", "task_seconds": 60})
    caller.start()
    assert 409 == caller.call("POST", f"imports/{IMPORT}/tasks", json={"localeName": "en_US"}).status_code


def test_action_calls_answer_while_the_model_is_busy(caller, tenant):
    """Listing, inspecting, starting, polling, status and the model itself do not wait."""
    tenant.set_switches({"task_seconds": 600, "block_cap_seconds": 0})
    task = caller.start()
    quick = ["imports", f"imports/{IMPORT}", "exports", "processes", "actions", f"imports/{IMPORT}/tasks", "status"]
    assert [200] * len(quick) == [caller.get(path).status_code for path in quick]
    assert "IN_PROGRESS" == caller.task(task)["taskState"]
    assert caller.get("?modelDetails=true").json()["model"]["modelTransactionRunning"]


@pytest.mark.parametrize("path", ["files", "lists", "modules", "versions", "lists/101000000001/items", "modelCalendar"])
def test_other_calls_wait_and_give_up_with_504(caller, tenant, path):
    """At most the cap."""
    tenant.set_switches({"task_seconds": 600, "block_cap_seconds": 0.01})
    caller.start()
    assert 504 == caller.get(path).status_code


def test_a_waiting_call_is_answered_when_the_model_is_free(caller, tenant, clock):
    """It stands in line behind the tasks that were there before it, and not behind later ones."""
    tenant.set_switches({"task_seconds": 60})
    caller.start()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(caller.get("lists").status_code))
    waiting.start()
    waiting.join(0.05)
    assert [] == answers
    clock.advance(61)
    waiting.join(5)
    assert [200] == answers


def test_a_reset_lets_a_waiting_call_go(caller, tenant):
    """It finds its login gone."""
    tenant.set_switches({"task_seconds": 600})
    caller.start()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(caller.get("lists").status_code))
    waiting.start()
    waiting.join(0.05)
    tenant.reset()
    waiting.join(5)
    assert [401] == answers


def test_file_contents_wait_only_by_switch(caller, tenant):
    """Files have no lock, though the documents also say that everything waits."""
    tenant.set_switches({"task_seconds": 600, "block_cap_seconds": 0.01})
    caller.start()
    assert 204 == caller.call("PUT", f"files/{FILE}", content=b"x").status_code
    tenant.set_switches({"file_calls_wait": True})
    assert 504 == caller.call("PUT", f"files/{FILE}", content=b"x").status_code


def test_somebody_elses_task_is_seen_and_queued_behind(caller, tenant, clock):
    """Status names the person; ours stays NOT_STARTED until theirs has ended."""
    foreign = caller.http.post("/control/anaplan/foreign-task", json={"seconds": 30, "user": "Jesse Smith"}).json()
    status = caller.get("status").json()["requestStatus"]
    assert ("Processing ...", foreign["task"]) == (status["currentStep"], status["taskId"])
    assert "Import started by user Jesse Smith" in status["tooltip"]
    task = caller.start()
    assert "NOT_STARTED" == caller.task(task)["taskState"]
    assert [foreign["task"], task] == [one["taskId"] for one in caller.get(f"imports/{IMPORT}/tasks").json()["tasks"]]
    clock.advance(31)
    assert "COMPLETE" == caller.wait(task)["taskState"]


@pytest.mark.parametrize(
    ("state", "reading", "starting"),
    [("UNLOCKED", 200, 200), ("PRODUCTION", 200, 200), ("LOCKED", 200, 423), ("ARCHIVED", 422, 422)],
)
def test_the_state_of_the_model_decides(caller, tenant, state, reading, starting):
    """Locked refuses changes, archived refuses everything; the model itself still shows its state."""
    tenant.set_switches({"model_state": state})
    assert reading == caller.get("imports").status_code
    assert starting == caller.call("POST", f"imports/{IMPORT}/tasks", json={"localeName": "en_US"}).status_code
    assert state == caller.get("").json()["model"]["activeState"]


def test_an_offline_model_lets_administrators_in(new_caller, tenant):
    """424 for the others, and for everybody by switch."""
    admin, planner = new_caller(), new_caller(user=1)
    tenant.set_switches({"model_state": "MAINTENANCE"})
    assert (200, 424) == (admin.get("imports").status_code, planner.get("imports").status_code)
    tenant.set_switches({"admins_enter_maintenance": False})
    assert 424 == admin.get("imports").status_code


def test_no_access_looks_like_nothing_there(caller, tenant):
    """404 below the model, an empty task list, and the model itself is shown."""
    caller.start()
    tenant.set_switches({"no_access": True})
    assert 404 == caller.get("imports").status_code
    assert [] == caller.get(f"imports/{IMPORT}/tasks").json()["tasks"]
    assert 200 == caller.get("").status_code


def test_two_models_have_two_queues(caller, tenant):
    """A busy model does not hold up its twin."""
    tenant.set_switches({"task_seconds": 600, "block_cap_seconds": 0})
    caller.start()
    twin = next(model for model in tenant.models() if model.id != caller.info["model_id"])
    assert 200 == caller.get(f"/2/0/models/{twin.id}/lists").status_code


def test_a_process_runs_its_steps_in_order(caller, cells):
    """Every nested result has its own id, details and flags; the export's file is there afterwards."""
    caller.upload(_row("5"))
    ended = caller.wait(caller.start("processes", PROCESS), "processes", PROCESS)
    nested = ended["result"]["nestedResults"]
    assert [IMPORT, "117000000001", EXPORT] == [step["objectId"] for step in nested]
    assert all(step["successful"] and "details" in step and not step["failureDumpAvailable"] for step in nested)
    assert "exportSucceeded" in [one["type"] for one in nested[2]["details"]]
    assert {CELL: "5.00"} == cells()
    assert 200 == caller.get(f"files/{EXPORT}").status_code


def test_a_process_is_not_atomic(caller, tenant, cells):
    """What an earlier step did stays when a later one fails."""
    tenant.set_switches({"export_ends": "UNSUCCESSFUL"})
    caller.upload(_row("5"))
    ended = caller.wait(caller.start("processes", PROCESS), "processes", PROCESS)
    assert not ended["result"]["successful"]
    assert [True, True, False] == [step["successful"] for step in ended["result"]["nestedResults"]]
    assert {CELL: "5.00"} == cells()


def test_a_process_can_be_called_unsuccessful_for_ignored_rows(caller, tenant, cells):
    """Seen in production: no dump, no details, although the data landed."""
    tenant.set_switches({"process_counts_ignored": True, "ignore_rows": 1})
    caller.upload(_row("5") + "A6110,CC_010,Jul 25,Actual,6\n")
    result = caller.wait(caller.start("processes", PROCESS), "processes", PROCESS)["result"]
    assert (False, False, []) == (result["successful"], result["failureDumpAvailable"], result["details"])
    assert ["6.00"] == list(cells().values())


def test_step_times_of_a_process_on_request(caller):
    """includeProcessDetails=true."""
    caller.upload(_row("5"))
    task = caller.start("processes", PROCESS)
    caller.wait(task, "processes", PROCESS)
    plain = caller.task(task, "processes", PROCESS)["result"]["nestedResults"][0]
    path = f"processes/{PROCESS}/tasks/{task}?includeProcessDetails=true"
    timed = caller.get(path).json()["task"]["result"]["nestedResults"][0]
    assert {"startTime", "duration"} == set(timed) - set(plain)
