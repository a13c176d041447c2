"""The evidence for tests: cells, switches, the action log, and where two callers crossed."""

import pytest

HEADER = "Account,Cost Center,Period,Version,Amount\n"
IMPORT, FILE, EXPORT = "112000000001", "113000000001", "116000000001"
ROW = "A6100,CC_010,Jul 25,Actual,5\n"


def test_cells_over_http(caller):
    """Every cell that is not zero or was ever written, exactly."""
    caller.load("A6100,CC_010,Jul 25,Actual,1234.5\nA6110,CC_010,Jul 25,Actual,0\nA6120,CC_010,Jul 25,Actual,0.005\n")
    rows = caller.http.get("/control/truth/cells").json()["cells"]
    assert ["1234.50", "0.00", "0.005"] == [row["amount"] for row in rows]
    assert {"account": "A6100", "cost_center": "CC_010", "period": "Jul 25", "version": "Actual"} == {
        name: text for name, text in rows[0].items() if name != "amount"
    }


def test_an_edit_by_hand(caller, cells):
    """As a planner would; an unknown member or no number is 400."""
    cell = {"account": "A6100", "cost_center": "CC_010", "period": "Jul 25", "version": "Actual", "amount": "9.99"}
    assert 204 == caller.http.post("/control/anaplan/cell", json=cell).status_code
    assert ["9.99"] == list(cells().values())
    for wrong in ({"account": "A7770"}, {"amount": "much"}, {"amount": None}):
        assert 400 == caller.http.post("/control/anaplan/cell", json={**cell, **wrong}).status_code
    assert ["9.99"] == list(cells().values())


def test_switches_over_http(caller):
    """Shown, set, and refused when unknown or of the wrong kind."""
    http = caller.http
    assert "off" == http.get("/control/anaplan/switches").json()["clear_target"]
    assert 0.5 == http.post("/control/anaplan/switches", json={"task_seconds": 0.5}).json()["task_seconds"]
    for wrong in ({"nonsense": 1}, {"float_noise": "yes"}, {"task_seconds": "long"}, {"page_cap": True}):
        assert 400 == http.post("/control/anaplan/switches", json=wrong).status_code
    assert 0.5 == http.get("/control/anaplan/switches").json()["task_seconds"]


def test_revoked_tokens_over_http(caller):
    """Every login ends."""
    assert 204 == caller.http.post("/control/anaplan/revoke-tokens").status_code
    assert 401 == caller.get("imports").status_code


def test_a_default_file_over_http(caller):
    """Set and taken away."""
    body = {"file": "gl_actuals.csv", "text": HEADER + ROW}
    assert 204 == caller.http.post("/control/anaplan/default-file", json=body).status_code
    assert HEADER + ROW == caller.get(f"files/{FILE}").text
    caller.http.post("/control/anaplan/default-file", json={**body, "text": None})
    assert 404 == caller.get(f"files/{FILE}").status_code


def test_reset_brings_everything_back(caller, tenant, cells):
    """No cell, no file, no login, default switches."""
    caller.load(ROW)
    tenant.set_switches({"clear_target": "all"})
    tenant.reset()
    assert 401 == caller.get("imports").status_code
    assert ({}, "off") == (cells(), tenant.switches["clear_target"])
    log = tenant.log()
    assert ([], [], [], 1) == (log["actions"], log["uploads"], log["overlaps"], log["rate"]["calls"])


def test_the_log_names_actions_and_uploads(caller):
    """Created, started and ended by the clock; the uploads with their user and instants."""
    ended = caller.load(ROW)
    log = caller.http.get("/control/anaplan/log").json()
    action, upload = log["actions"][0], log["uploads"][0]
    assert ("imports", "Load GL Actuals", ended["taskId"]) == (action["kind"], action["action"], action["task"])
    assert upload["begun"] <= upload["last"] <= action["created"] <= action["started"] < action["ended"]
    assert (FILE, action["user"], action["caller"]) == (upload["file"], upload["user"], upload["caller"])
    assert [] == log["overlaps"]


def test_one_caller_after_the_other_is_no_overlap(new_caller, tenant):
    """Upload, import, export, then the next process of the same user."""
    for caller in (new_caller(), new_caller()):
        caller.load(ROW)
        caller.export()
    assert [] == tenant.log()["overlaps"]


def test_an_upload_into_somebody_elses_import_is_found(new_caller, tenant, clock):
    """Two processes share one user: the second overwrites the file that the first is about to import."""
    first, second = new_caller(), new_caller()
    first.upload(HEADER + ROW)
    clock.advance(1)
    second.upload(HEADER + ROW)
    task = first.start()
    first.wait(task)
    found = tenant.log()["overlaps"]
    assert [(task, FILE, "upload")] == [(one["task"], one["file"], one["crossed_by"]["kind"]) for one in found]
    assert found[0]["caller"] != found[0]["crossed_by"]["caller"]


def test_late_chunks_of_another_process_are_found(new_caller, tenant, clock):
    """It announced its upload before, and goes on writing."""
    first, second = new_caller(), new_caller()
    second.call("POST", f"files/{FILE}", json={"chunkCount": 2})
    clock.advance(1)
    first.call("POST", f"files/{FILE}", json={"chunkCount": 1})
    first.call("PUT", f"files/{FILE}/chunks/0", content=(HEADER + ROW).encode())
    second.call("PUT", f"files/{FILE}/chunks/0", content=b"something else")
    first.wait(first.start())
    assert ["upload"] == [one["crossed_by"]["kind"] for one in tenant.log()["overlaps"]]


@pytest.mark.parametrize(("kind", "action"), [("imports", IMPORT), ("exports", EXPORT)])
def test_an_action_within_somebody_elses_window_is_found(new_caller, tenant, kind, action):
    """Queued or not, its start lies between the upload and the end of the import."""
    first, second = new_caller(), new_caller(user=2)
    first.upload(HEADER + ROW)
    rival = second.start(kind, action)
    first.wait(first.start())
    found = [one["crossed_by"] for one in tenant.log()["overlaps"]]
    assert [("action", rival)] == [(one["kind"], one["task"]) for one in found]


def test_another_users_upload_is_no_crossing(new_caller, tenant):
    """Files are private: it does no harm."""
    first, second = new_caller(), new_caller(user=2)
    first.upload(HEADER + ROW)
    second.upload(HEADER + ROW)
    first.wait(first.start())
    assert [] == tenant.log()["overlaps"]


def test_a_new_login_within_an_upload_is_no_crossing(caller, tenant):
    """The token ran out between two chunks: the same caller goes on under another login."""
    caller.call("POST", f"files/{FILE}", json={"chunkCount": 1})
    caller.log_in()
    caller.call("PUT", f"files/{FILE}/chunks/0", content=(HEADER + ROW).encode())
    caller.wait(caller.start())
    assert [] == tenant.log()["overlaps"]


def test_a_planted_foreign_task_is_no_missing_fence(caller, tenant):
    """No fence of ours could hold it back."""
    caller.upload(HEADER + ROW)
    tenant.foreign_task(0.01)
    caller.wait(caller.start())
    assert [] == tenant.log()["overlaps"]
    assert [True, False] == [row["planted"] for row in tenant.log()["actions"]]


def test_the_info_is_complete(tenant):
    """Everything that a connection needs."""
    info = tenant.info("http://127.0.0.1:1")
    assert ("http://127.0.0.1:1/2/0", "http://127.0.0.1:1") == (info["api_url"], info["auth_url"])
    names = ("workspace", "model", "import", "file", "export", "module")
    assert (
        "Finance",
        "Meridian FP&A",
        "Load GL Actuals",
        "gl_actuals.csv",
        "Export GL Actuals",
        "GL01 Actuals",
    ) == tuple(info[name] for name in names)
