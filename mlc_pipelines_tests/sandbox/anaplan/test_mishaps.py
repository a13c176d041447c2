"""What a test can let happen to a tenant, alone or at a certain moment of a caller's work. Reference: anaplan 15, reliability 4."""

import base64

import httpx
import pytest

HEADER = "Account,Cost Center,Period,Version,Amount\n"
ROW = "A6100,CC_010,Jul 25,Actual,5\n"
IMPORT, FILE, EXPORT, PROCESS = "112000000001", "113000000001", "116000000001", "118000000001"
TASKS = {"localeName": "en_US"}


def _post(caller, path, **wish):
    return caller.http.post(f"/control/anaplan/{path}", json=wish)


# -- the model's own --------------------------------------------------------------------------------------------------


def test_an_action_is_removed(caller):
    """Its id leads nowhere any more."""
    assert IMPORT == _post(caller, "action", kind="imports", name="Load GL Actuals", do="remove").json()["id"]
    assert 404 == caller.call("POST", f"imports/{IMPORT}/tasks", json=TASKS).status_code
    assert "Load GL Actuals" not in [row["name"] for row in caller.get("imports").json()["imports"]]


def test_an_action_is_recreated_under_another_id(caller, cells):
    """The name stays, the process runs the new one."""
    new = _post(caller, "action", kind="imports", name="Load GL Actuals", do="recreate").json()["id"]
    rows = {row["name"]: row["id"] for row in caller.get("imports").json()["imports"]}
    assert (new, 404) == (rows["Load GL Actuals"], caller.get(f"imports/{IMPORT}").status_code)
    caller.upload(HEADER + ROW)
    assert caller.wait(caller.start("processes", PROCESS), "processes", PROCESS)["result"]["successful"]
    assert ["5.00"] == list(cells().values())


def test_an_export_is_recreated_with_its_file(caller):
    """The file has the export's id."""
    new = _post(caller, "action", kind="exports", name="Export GL Actuals", do="recreate").json()["id"]
    assert 404 == caller.get(f"files/{EXPORT}").status_code
    assert caller.wait(caller.start("exports", new), "exports", new)["result"]["successful"]
    assert 200 == caller.get(f"files/{new}").status_code


def test_an_action_is_renamed(caller):
    """Same id; what makes no sense is refused."""
    wish = {"kind": "imports", "name": "Load GL Actuals"}
    assert IMPORT == _post(caller, "action", **wish, do="rename", to="Load (old)").json()["id"]
    assert "Load (old)" in [row["name"] for row in caller.get("imports").json()["imports"]]
    for wrong in ({**wish, "do": "remove"}, {**wish, "name": "Load (old)", "do": "paint"}):
        assert 400 == _post(caller, "action", **wrong).status_code


def test_a_task_vanishes_and_its_effect_stays(caller, cells):
    """404 when polled, not in the list, but done."""
    caller.upload(HEADER + ROW)
    task = caller.start()
    assert 204 == _post(caller, "forget-task", task=task).status_code
    assert 404 == caller.get(f"imports/{IMPORT}/tasks/{task}").status_code
    assert [] == caller.get(f"imports/{IMPORT}/tasks").json()["tasks"]
    caller.wait(caller.start("exports", EXPORT), "exports", EXPORT)
    assert ["5.00"] == list(cells().values())
    assert 400 == _post(caller, "forget-task", task="X").status_code


def test_another_run_of_the_same_user_replaces_the_export_file(caller, tenant):
    """A foreign task with effect does what its action does, for that user; other users' files stay as they are."""
    first = caller.export()
    edit = {"account": "A6100", "cost_center": "CC_010", "period": "Jul 25", "version": "Actual", "amount": "9.99"}
    caller.http.post("/control/anaplan/cell", json=edit)
    wish = {"seconds": 0, "kind": "exports", "action": "Export GL Actuals", "effect": True}
    _post(caller, "foreign-task", **wish, user=tenant.world.users[2].email)
    assert first == caller.get(f"files/{EXPORT}").text
    _post(caller, "foreign-task", **wish, user=caller.info["username"])
    assert first != caller.get(f"files/{EXPORT}").text
    assert 400 == _post(caller, "foreign-task", **wish, user="nobody").status_code


# -- at a certain moment ----------------------------------------------------------------------------------------------


@pytest.fixture
def plan(sandbox):
    """A caller of the whole sandbox, where faults can be planted."""

    class Plan(httpx.Client):
        def sign_in(self):
            basic = base64.b64encode(f"{info['username']}:{info['password']}".encode()).decode()
            answer = self.post(f"{info['auth_url']}/token/authenticate", headers={"Authorization": f"Basic {basic}"})
            self.headers["Authorization"] = f"AnaplanAuthToken {answer.json()['tokenInfo']['tokenValue']}"

    info = sandbox.info["anaplan"]
    with Plan(base_url=f"{info['api_url']}/models/{info['model_id']}/") as client:
        client.sign_in()
        yield client


def _at(match, path, body=None, **more):
    return {"match": match, "action": {"kind": "control", "path": path, "body": body or {}, **more}}


def test_b01_the_token_expires_between_two_chunks(sandbox, plan):
    """The clock moves just before the second chunk: that one is 401, the first has landed."""
    fault = sandbox.traffic.plant(_at("PUT .*/chunks/1", "/control/clock", {"advance": 2200}))
    plan.post(f"files/{FILE}", json={"chunkCount": 2})
    answers = [plan.put(f"files/{FILE}/chunks/{number}", content=b"x").status_code for number in (0, 1)]
    assert ([204, 401], 1) == (answers, fault.fired)


def test_b04_the_token_is_revoked_in_the_middle_of_polling(sandbox, plan):
    """The second poll is 401; the task goes on, and a new login finds it."""
    task = plan.post(f"imports/{IMPORT}/tasks", json=TASKS).json()["task"]["taskId"]
    sandbox.traffic.plant({**_at(f"GET .*{task}", "/control/anaplan/revoke-tokens"), "skip": 1})
    assert [200, 401] == [plan.get(f"imports/{IMPORT}/tasks/{task}").status_code for _ in "12"]
    plan.sign_in()
    assert 200 == plan.get(f"imports/{IMPORT}/tasks/{task}").status_code


def test_b08_an_action_vanishes_after_its_discovery(sandbox, plan):
    """With `after` the call takes effect first: the list still names it, its start finds nothing."""
    body = {"kind": "imports", "name": "Load GL Actuals", "do": "remove"}
    sandbox.traffic.plant(_at("GET .*/imports$", "/control/anaplan/action", body, after=True))
    assert IMPORT in [row["id"] for row in plan.get("imports").json()["imports"]]
    assert 404 == plan.post(f"imports/{IMPORT}/tasks", json=TASKS).status_code


def test_e19_the_model_is_archived_between_upload_and_import(sandbox, plan):
    """422 for the start."""
    sandbox.traffic.plant(_at("POST .*/tasks", "/control/anaplan/switches", {"model_state": "ARCHIVED"}))
    assert 204 == plan.put(f"files/{FILE}", content=b"x").status_code
    assert 422 == plan.post(f"imports/{IMPORT}/tasks", json=TASKS).status_code


def test_f01_the_export_is_replaced_between_two_chunks(sandbox, plan):
    """Another run of the same user: the second chunk is of another file than the first."""
    sandbox.set_switches(anaplan={"export_chunk_bytes": 30, "task_seconds": 0.0, "export_totals": True})
    cell = {"account": "A6100", "cost_center": "CC_010", "period": "Jul 25", "version": "Actual", "amount": "1"}
    plan.post(f"{sandbox.url}/control/anaplan/cell", json=cell)
    plan.post(f"exports/{EXPORT}/tasks", json=TASKS)
    before = [plan.get(f"files/{EXPORT}/chunks/{number}").content for number in range(3)]
    plan.post(f"{sandbox.url}/control/anaplan/cell", json={**cell, "account": "A6110"})
    user = sandbox.info["anaplan"]["username"]
    again = {"seconds": 0, "kind": "exports", "effect": True, "user": user}
    sandbox.traffic.plant(_at("GET .*/chunks/2", "/control/anaplan/foreign-task", again))
    after = [plan.get(f"files/{EXPORT}/chunks/{number}").content for number in range(3)]
    assert [True, True, False] == [one == other for one, other in zip(before, after, strict=True)]


def test_a_command_that_makes_no_sense_is_no_silent_fault(sandbox, plan):
    """The call ends with a 500, so that no test passes because its mishap did not happen."""
    sandbox.traffic.plant(_at("GET .*/imports", "/control/anaplan/switches", {"nonsense": 1}))
    assert 500 == plan.get("imports").status_code
