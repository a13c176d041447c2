"""Models that sleep, are opened and closed, go offline, or are deployed. Reference: anaplan 7.2, 7.3."""

import threading

import pytest

IMPORT = "112000000001"


def _sleep(caller):
    assert 204 == caller.http.post("/control/anaplan/sleep").status_code


def _step(caller):
    return caller.get("status").json()["requestStatus"]["currentStep"]


def test_a_sleeping_model_answers_when_it_has_woken(caller, tenant, clock):
    """The status and the model itself answer at once; the first other call waits for the waking, the next one does not."""
    tenant.set_switches({"open_seconds": 600})
    _sleep(caller)
    assert ("Closed", 200) == (_step(caller), caller.get("").status_code)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(caller.get("imports").status_code))
    waiting.start()
    waiting.join(0.05)
    assert ([], "Closed") == (answers, _step(caller))
    clock.advance(601)
    waiting.join(5)
    assert ([200], "Open") == (answers, _step(caller))
    assert 200 == caller.get("files").status_code


def test_waking_a_large_model_can_take_longer_than_the_web_server_waits(caller, tenant, clock):
    """504; the model goes on waking, so a later call finds it open."""
    tenant.set_switches({"open_seconds": 600, "block_cap_seconds": 0.01})
    _sleep(caller)
    assert 504 == caller.get("imports").status_code
    clock.advance(601)
    assert 200 == caller.get("imports").status_code


def test_a_role_without_access_does_not_wake_it(caller, tenant):
    """It is told at once that nothing is there."""
    tenant.set_switches({"open_seconds": 600, "no_access": True})
    _sleep(caller)
    assert (404, None) == (caller.get("imports").status_code, tenant.model().opens_at)


def test_a_start_on_a_sleeping_model_that_is_given_up_starts_nothing(caller, tenant, clock):
    """The task is not made before the model is there."""
    tenant.set_switches({"open_seconds": 600, "block_cap_seconds": 0.01})
    _sleep(caller)
    assert 504 == caller.call("POST", f"imports/{IMPORT}/tasks", json={"localeName": "en_US"}).status_code
    clock.advance(601)
    assert [] == caller.get(f"imports/{IMPORT}/tasks").json()["tasks"]


def test_opening_and_closing(caller, tenant, clock):
    """204 to close, 202 while it opens, 200 once it is open."""
    tenant.set_switches({"open_seconds": 60})
    assert (204, "Closed") == (caller.call("POST", "close").status_code, _step(caller))
    assert [202, 202] == [caller.call("POST", "open").status_code for _ in "12"]
    clock.advance(61)
    assert (200, "Open") == (caller.call("POST", "open").status_code, _step(caller))


def test_a_busy_model_is_not_closed(caller, tenant):
    """409 while a task has it."""
    tenant.set_switches({"task_seconds": 60})
    caller.start()
    assert 409 == caller.call("POST", "close").status_code


@pytest.mark.parametrize("path", ["open", "close"])
def test_only_administrators_open_and_close(new_caller, path):
    """403 for the others."""
    assert 403 == new_caller(user=1).call("POST", path).status_code


@pytest.mark.parametrize(
    ("state", "status"), [("ARCHIVED", 422), ("MAINTENANCE", 424), ("PRODUCTION_MAINTENANCE", 424)]
)
def test_a_model_that_is_not_there_cannot_be_opened(caller, tenant, state, status):
    """Archived or offline: that stands before everything else, also for a sleeping one."""
    tenant.set_switches({"model_state": state, "admins_enter_maintenance": False})
    _sleep(caller)
    assert [status] * 3 == [
        caller.call(*call).status_code for call in (("POST", "open"), ("POST", "close"), ("GET", "imports"))
    ]


def test_a_model_goes_offline_and_comes_back(new_caller, tenant):
    """An administrator does it; a deployed model stays deployed, a locked one is refused."""
    admin, planner = new_caller(), new_caller(user=1)
    tenant.set_switches({"model_state": "PRODUCTION"})
    assert 403 == planner.call("PUT", "onlineStatus", json={"status": "offline"}).status_code
    assert 204 == admin.call("PUT", "onlineStatus", json={"status": "offline"}).status_code
    assert (424, "PRODUCTION_MAINTENANCE") == (
        planner.get("imports").status_code,
        admin.get("").json()["model"]["activeState"],
    )
    assert 204 == admin.call("PUT", "onlineStatus", json={"status": "online"}).status_code
    assert (200, "PRODUCTION") == (planner.get("imports").status_code, tenant.switches["model_state"])
    tenant.set_switches({"model_state": "LOCKED"})
    assert 400 == admin.call("PUT", "onlineStatus", json={"status": "offline"}).status_code


def test_a_reset_lets_a_call_to_a_sleeping_model_go(caller, tenant):
    """It finds its login gone."""
    tenant.set_switches({"open_seconds": 600})
    _sleep(caller)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(caller.get("imports").status_code))
    waiting.start()
    waiting.join(0.05)
    tenant.reset()
    waiting.join(5)
    assert [401] == answers
