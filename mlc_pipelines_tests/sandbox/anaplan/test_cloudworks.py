"""CloudWorks: the customer's own jobs, their schedules and runs, and how they occupy a model. Reference: anaplan 10."""

from datetime import UTC, datetime, timedelta

import pytest

from mlc_pipelines.sandbox.anaplan.cloudworks import checked_schedule, occurrences

NIGHTLY, LAKE = "Nightly GL Actuals", "Plan to the data lake"
IMPORT, PROCESS = "112000000001", "118000000001"
DAILY = {"type": "daily", "time": "02:00", "timezone": "Europe/Paris", "startDate": "2026-01-01"}


@pytest.fixture
def cloud(caller):
    """Calls CloudWorks."""

    def call(method, path, **options):
        return caller.call(method, f"{caller.info['cloudworks_url']}/{path}", **options)

    return call


@pytest.fixture
def integration(cloud):
    """An integration by name, as the list shows it."""

    def find(name):
        rows = cloud("GET", "integrations").json()["integrations"]
        return next(row for row in rows if row["name"] == name)

    return find


def _run(caller, name, **wish):
    answer = caller.http.post("/control/anaplan/integration-run", json={"integration": name, **wish})
    assert 200 == answer.status_code, answer.text
    return answer.json()


def test_integrations_are_listed_with_their_schedules(caller, cloud, integration):
    """All models together; the schedule has its zone, the counts of the tenant stand in the meta."""
    body = cloud("GET", "integrations").json()
    assert [NIGHTLY, LAKE] == [row["name"] for row in body["integrations"]]
    assert {"currentPageSize": 2, "totalSize": 2, "offset": 0} == body["meta"]["paging"]
    assert (2, 500) == (body["meta"]["tenantCurrentCount"], body["meta"]["tenantMaxAllowed"])
    nightly = integration(NIGHTLY)
    assert ("Process", PROCESS, caller.info["model_id"], {}) == (
        nightly["integrationType"],
        nightly["processId"],
        nightly["modelId"],
        nightly["latestRun"],
    )
    assert ("daily", "02:00", "America/Los_Angeles", "Active") == tuple(
        nightly["schedule"][key] for key in ("type", "time", "timezone", "status")
    )
    assert "schedule" not in integration(LAKE)


def test_the_api_host_and_the_own_host_answer_alike(caller, cloud):
    """/cloudworks/2/0 and /2/0; both want a login, under either header."""
    own = caller.get("/2/0/integrations/")
    assert own.json() == cloud("GET", "integrations").json()
    for root in ("/2/0", "/cloudworks/2/0"):
        assert 401 == caller.http.get(f"{root}/integrations").status_code
        bearer = {"Authorization": f"Bearer {caller.token}"}
        assert 200 == caller.http.get(f"{root}/integrations", headers=bearer).status_code


def test_pages_order_and_mine(caller, cloud):
    """25 to a page unless asked; by name in both directions; only those of the caller."""
    for number in range(30):
        wish = {"name": f"Copy {number:02}", "type": "Import", "schedule": DAILY}
        assert 200 == caller.http.post("/control/anaplan/integration", json=wish).status_code
    assert 25 == len(cloud("GET", "integrations").json()["integrations"])
    rest = cloud("GET", "integrations?offset=25&limit=50").json()
    assert (7, 32) == (len(rest["integrations"]), rest["meta"]["paging"]["totalSize"])
    names = [row["name"] for row in cloud("GET", "integrations?sortBy=-name&limit=2").json()["integrations"]]
    assert [LAKE, NIGHTLY] == names
    assert [] == cloud("GET", "integrations?myIntegrations=1").json()["integrations"]


def test_one_integration_does_not_tell_its_type(cloud, integration):
    """But its job, if it has one."""
    lake = cloud("GET", f"integrations/{integration(LAKE)['integrationId']}").json()["integration"]
    assert ("integrationType" in lake, "AnaplanToAmazonS3") == (False, lake["jobs"][0]["type"])
    nightly = cloud("GET", f"integrations/{integration(NIGHTLY)['integrationId']}").json()["integration"]
    assert "jobs" not in nightly
    unknown = cloud("GET", "integrations/" + "0" * 32)
    assert (404, 404) == (unknown.status_code, unknown.json()["status"]["code"])


def test_what_is_not_routed_is_a_page_of_the_web_server(caller, cloud):
    """HTML, with or without a login; so is the dead filter by model."""
    paths = [f"integrations/anaplanModels/{caller.info['model_id']}", "nothing", "integrations/a/b/c"]
    for path in paths:
        answer = cloud("GET", path)
        assert (404, "text/html") == (answer.status_code, answer.headers["content-type"].split(";")[0])
    assert "nginx" in caller.http.get("/2/0/integrations/anaplanModels/x").text


def test_a_running_job_shows_and_holds_the_model(caller, tenant, clock, integration):
    """latestRun says Running, the model's status names the process; our own task waits for its end."""
    run = _run(caller, NIGHTLY, seconds=600)
    latest = integration(NIGHTLY)["latestRun"]
    assert ("Running", False, "scheduled") == (latest["message"], "endDate" in latest, latest["triggerSource"])
    status = caller.get("status").json()["requestStatus"]
    assert ("Processing ...", run["task"]) == (status["currentStep"], status["taskId"])
    assert "Process started by user Nadia Nightly" in status["tooltip"]
    ours = caller.start()
    assert "NOT_STARTED" == caller.task(ours)["taskState"]
    clock.advance(601)
    latest = integration(NIGHTLY)["latestRun"]
    assert (True, None, True) == (latest["success"], latest["executionErrorCode"], "endDate" in latest)
    assert "IN_PROGRESS" != caller.wait(ours)["taskState"]


def test_a_job_of_a_busy_model_is_queued(caller, integration, tenant, clock):
    """Like everybody's."""
    tenant.set_switches({"task_seconds": 60})
    caller.start()
    _run(caller, LAKE, seconds=10)
    clock.advance(61)
    assert "Running" == integration(LAKE)["latestRun"]["message"]
    clock.advance(10)
    assert integration(LAKE)["latestRun"]["success"]


@pytest.mark.parametrize(
    ("ends", "successful", "code"), [("success", True, None), ("partial", True, 38), ("failed", False, 12)]
)
def test_the_history_tells_how_runs_ended(caller, cloud, clock, integration, ends, successful, code):
    """A partial success counts as one; the error is told for what was not clean, and {} for what was."""
    run = _run(caller, NIGHTLY, seconds=5, ends=ends, trigger="manual")["run"]
    clock.advance(6)
    history = cloud("GET", f"integrations/runs/{integration(NIGHTLY)['integrationId']}?offset=0&limit=25")
    shown = history.json()["history_of_runs"]
    assert (1, run) == (shown["totalRuns"], shown["runs"][0]["id"])
    assert (successful, code, "manual") == tuple(
        shown["runs"][0][key] for key in ("success", "executionErrorCode", "triggerSource")
    )
    assert abs(shown["runs"][0]["lastRun"] - clock.now().timestamp()) < 60
    assert shown["runs"][0]["startDate"] == cloud("GET", f"integrations/run/{run}").json()["run"]["startDate"]
    error = cloud("GET", f"integrations/runerror/{run}").json()["runs"]
    assert {} == error if ends == "success" else PROCESS == error["errorMessages"][0]["actionId"]
    for dump in ("dumps", f"process/import/{IMPORT}/dumps"):
        answer = cloud("GET", f"integrations/run/{run}/{dump}")
        assert (404, 404) == (answer.status_code, answer.json()["status"]["code"])


def test_a_history_may_want_its_page_named(tenant, cloud, integration):
    """Documents say that offset and limit are required; a client in use sends neither."""
    path = f"integrations/runs/{integration(NIGHTLY)['integrationId']}"
    assert {"integrationId", "totalRuns"} == set(cloud("GET", path).json()["history_of_runs"])
    tenant.set_switches({"cloudworks_run_paging": "required"})
    assert [400, 200] == [cloud("GET", path + query).status_code for query in ("", "?offset=0&limit=5")]


def test_a_job_is_started_once_at_a_time_and_can_be_cancelled(cloud, integration):
    """409 while that integration runs; another one of the same model is let in. Cancelling what does not run is 409."""
    nightly, lake = (integration(name)["integrationId"] for name in (NIGHTLY, LAKE))
    run = cloud("POST", f"integrations/{nightly}/run").json()["run"]["id"]
    again = cloud("POST", f"integrations/{nightly}/run")
    assert (409, "Integration is already running") == (again.status_code, again.json()["status"]["message"])
    assert 200 == cloud("POST", f"integrations/{lake}/run").status_code
    assert 200 == cloud("POST", f"integrations/{lake}/cancel").status_code
    assert 409 == cloud("POST", f"integrations/{lake}/cancel").status_code
    assert "Running" == cloud("GET", f"integrations/run/{run}").json()["run"]["message"]
    assert 404 == cloud("GET", "integrations/run/x").status_code


def test_a_schedule_is_given_changed_disabled_and_taken_away(cloud, integration):
    """One per integration."""
    path = f"integrations/{integration(LAKE)['integrationId']}/schedule"
    body = {"schedule": {**DAILY, "name": "at night"}}
    assert [400, 404] == [cloud("PUT", path, json=body).status_code, cloud("DELETE", path).status_code]
    assert [200, 400] == [cloud("POST", path, json=body).status_code for _ in "12"]
    assert ("at night", "Active") == tuple(integration(LAKE)["schedule"][key] for key in ("name", "status"))
    assert 200 == cloud("POST", f"{path}/status/disabled").status_code
    assert "Inactive" == integration(LAKE)["schedule"]["status"]
    assert 200 == cloud("PUT", path, json={"schedule": {**DAILY, "time": "04:30"}}).status_code
    for wrong in ({"type": "yearly"}, {"time": "late"}, {"timezone": "Mars/Base"}, {"startDate": "soon"}):
        assert 400 == cloud("PUT", path, json={"schedule": {**DAILY, **wrong}}).status_code
    assert "04:30" == integration(LAKE)["schedule"]["time"]
    assert 200 == cloud("DELETE", path).status_code
    assert "schedule" not in integration(LAKE)


def test_the_role_decides_what_is_seen(tenant, cloud, integration):
    """Without a workspace the list is empty; without the role 403, and 452 for schedules and dumps."""
    one = integration(NIGHTLY)["integrationId"]
    tenant.set_switches({"cloudworks_access": "unassigned"})
    assert [] == cloud("GET", "integrations").json()["integrations"]
    tenant.set_switches({"cloudworks_access": "none"})
    assert [403, 403] == [cloud("GET", path).status_code for path in ("integrations", f"integrations/runs/{one}")]
    assert [452, 452] == [
        cloud(method, path).status_code
        for method, path in (("DELETE", f"integrations/{one}/schedule"), ("GET", "integrations/run/x/dumps"))
    ]


def test_schedules_start_their_jobs_only_by_switch(caller, tenant, clock, integration):
    """Two days later the job has run twice, each time for its minute."""
    noon = {**DAILY, "timezone": "Greenwich", "time": f"{clock.now() + timedelta(hours=12):%H:%M}"}
    caller.http.post("/control/anaplan/integration", json={"name": "Daily", "schedule": noon})
    clock.advance(86400)
    caller.log_in()
    assert {} == integration("Daily")["latestRun"]
    tenant.set_switches({"cloudworks_schedules_run": True, "cloudworks_job_seconds": 60})
    clock.advance(2 * 86400)
    tenant.settle()
    runs = tenant.cloudworks.find("Daily").runs
    assert [True, True] == [(run.task.ended_at - run.task.started_at).total_seconds() == 60 for run in runs]
    assert 86400 == (runs[1].task.created_at - runs[0].task.created_at).total_seconds()


# -- when a schedule is due -------------------------------------------------------------------------------------------


def _due(schedule, since, until):
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, until))
    return [f"{at:%m-%d %H:%M}" for at in occurrences(checked_schedule("s", schedule), begin, end)]


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, ["01-30 01:00", "01-31 01:00", "02-01 01:00", "02-02 01:00"]),
        ({"timezone": "America/Los_Angeles"}, ["01-30 10:00", "01-31 10:00", "02-01 10:00", "02-02 10:00"]),
        ({"timezone": "Asia/Tokyo"}, ["01-29 17:00", "01-30 17:00", "01-31 17:00", "02-01 17:00"]),
        ({"type": "weekly", "daysOfWeek": [0, 5]}, ["01-30 01:00", "02-01 01:00"]),
        ({"type": "monthly_specific_day", "dayOfMonth": 31}, ["01-31 01:00"]),
        ({"startDate": "2026-02-02T00:00:00.000Z"}, ["02-02 01:00"]),
        ({"endDate": "2026-01-30"}, ["01-30 01:00"]),
        ({"status": "Inactive"}, []),
        (
            {"type": "hourly", "fromTime": "08:15", "toTime": "16:00", "repeatEvery": 4, "endDate": "2026-01-30"},
            ["01-30 07:15", "01-30 11:15"],
        ),
    ],
)
def test_when_a_schedule_is_due(changes, due):
    """From Thursday 29 January noon to Monday 2 February noon; days of the week count from Sunday."""
    assert due == _due({**DAILY, **changes}, "2026-01-29 12:00", "2026-02-02 12:00")


def test_a_schedule_does_not_follow_daylight_saving():
    """02:00 in Paris is 01:00 UTC all year round."""
    assert ["01-15 01:00"] == _due(DAILY, "2026-01-15 00:00", "2026-01-15 12:00")
    assert ["07-15 01:00"] == _due(DAILY, "2026-07-15 00:00", "2026-07-15 12:00")
