"""Finding out what there is: envelope, pages, both forms of the path, identifiers, and the bodies."""

import pytest

from mlc_pipelines.sandbox.chart import COST_CENTERS


def test_a_list_comes_in_the_envelope(caller):
    """Schema, paging and status stand around every collection."""
    body = caller.get("imports").json()
    assert {"code": 200, "message": "Success"} == body["status"]
    assert {"currentPageSize": 5, "offset": 0, "totalSize": 5} == body["meta"]["paging"]
    assert body["meta"]["schema"].endswith("/2/0/objects/import")


@pytest.mark.parametrize("tail", ["imports", "imports/", "files", "lists", "status", "processes/", "modelCalendar"])
def test_both_path_forms_and_a_trailing_slash_answer_alike(caller, tail):
    """/models/{m} and /workspaces/{w}/models/{m}, with or without the last slash."""
    direct = f"/2/0/models/{caller.info['model_id']}/{tail}"
    through = f"/2/0/workspaces/{caller.info['workspace_id']}/models/{caller.info['model_id']}/{tail}"
    first, second = caller.get(direct), caller.get(through)
    assert (200, 200) == (first.status_code, second.status_code)
    assert set(first.json()) == set(second.json())


def test_pages_follow_the_next_link(caller):
    """limit and offset are honoured; `next` is there while rows remain, `previous` past the first page."""
    first = caller.get("lists/101000000001/items?limit=100").json()
    assert 100 == len(first["listItems"]) == first["meta"]["paging"]["currentPageSize"]
    second = caller.get(first["meta"]["paging"]["next"]).json()
    assert 100 == second["meta"]["paging"]["offset"]
    assert "previous" in second["meta"]["paging"]
    last = caller.get(second["meta"]["paging"]["next"]).json() if "next" in second["meta"]["paging"] else second
    assert "next" not in last["meta"]["paging"]
    ids = {row["id"] for page in (first, second, last) for row in page["listItems"]}
    assert first["meta"]["paging"]["totalSize"] == len(ids)


def test_a_page_can_be_shorter_than_its_limit(caller, tenant):
    """The server may hand back fewer rows than asked for."""
    tenant.set_switches({"page_cap": 1})
    body = caller.get("files?limit=5000").json()
    assert (1, 9) == (body["meta"]["paging"]["currentPageSize"], body["meta"]["paging"]["totalSize"])
    assert "offset=1" in body["meta"]["paging"]["next"]


@pytest.mark.parametrize("query", ["limit=ten", "offset=-1"])
def test_nonsense_in_the_query_is_400(caller, query):
    """Numbers are numbers."""
    assert 400 == caller.get(f"files?{query}").status_code


def test_sorting(caller):
    """`sort=+name` and `-id`; an unknown field is ignored here and refused on models and workspaces."""
    names = [row["name"] for row in caller.get("files?sort=%2Bname").json()["files"]]
    assert sorted(names) == names
    assert list(reversed(names)) == [row["name"] for row in caller.get("files?sort=-name").json()["files"]]
    assert 200 == caller.get("files?sort=%2Bnonsense").status_code
    assert 400 == caller.get("/2/0/models?sort=%2Bnonsense").status_code
    assert 400 == caller.get("/2/0/models?sort=name").status_code


def test_letter_case_of_ids_counts(caller):
    """Workspaces are lower case, models upper case; the other case is unknown."""
    workspace, model = caller.info["workspace_id"], caller.info["model_id"]
    assert (workspace.lower(), model.upper()) == (workspace, model)
    assert 404 == caller.get(f"/2/0/models/{model.lower()}").status_code
    assert 404 == caller.get(f"/2/0/models/{model.lower()}/imports").status_code
    assert 404 == caller.get(f"/2/0/workspaces/{workspace.upper()}/models/{model}/imports").status_code
    assert 404 == caller.get(f"/2/0/workspaces/{workspace.upper()}/models").status_code


@pytest.mark.parametrize(
    "path",
    ["imports/112999999999", "exports/116999999999", "files/113999999999", "lists/101999999998", "modulez", "/2/0/x"],
)
def test_the_unknown_is_404_in_json(caller, path):
    """Unknown objects and unknown routes answer alike."""
    answer = caller.get(path)
    assert (404, "Not Found") == (answer.status_code, answer.json()["status"]["message"])
    assert caller.url(path) == answer.json()["path"]


def test_some_verbs_are_refused(caller):
    """GET on the long form of a model is 405, and so is a verb that a resource does not know."""
    long_form = f"/2/0/workspaces/{caller.info['workspace_id']}/models/{caller.info['model_id']}"
    assert 405 == caller.get(long_form).status_code
    assert 405 == caller.call("PUT", "imports").status_code


def test_user_workspaces_and_models(caller):
    """Sizes and details come only when asked for."""
    assert caller.info["username"] == caller.get("/2/0/users/me").json()["user"]["email"]
    plain = caller.get("/2/0/workspaces").json()["workspaces"]
    assert (caller.info["workspace_id"], "Finance") == (plain[0]["id"], plain[0]["name"])
    assert ["Finance", "Operations"] == [one["name"] for one in plain]
    assert "sizeAllowance" not in plain[0]
    assert caller.get("/2/0/workspaces?tenantDetails=true").json()["workspaces"][0]["currentSize"] > 0
    models = caller.get(f"/2/0/workspaces/{caller.info['workspace_id']}/models").json()["models"]
    assert ["Meridian FP&A", "Meridian FP&A (dev)"] == [one["name"] for one in models]
    one = caller.get(f"/2/0/models/{models[0]['id']}?modelDetails=true").json()["model"]
    assert {"lastSavedSerialNumber", "lastModifiedByUserGuid", "isoCreationDate", "categoryValues"} <= set(one)
    assert (False, "UNLOCKED") == (one["modelTransactionRunning"], one["activeState"])


def test_users(new_caller):
    """Administrators see everybody, others themselves."""
    admin, planner = new_caller(), new_caller(user=1)
    users = admin.get("/2/0/users?sort=%2Bemail").json()["users"]
    assert 3 == len(users)
    assert sorted(one["email"] for one in users) == [one["email"] for one in users]
    found = admin.get("/2/0/users?s=PAUL").json()["users"]
    assert ["planner@meridian.example"] == [one["email"] for one in found]
    number = found[0]["id"]
    for path in (f"/2/0/users/{number}", "/2/0/users/me"):
        assert number == planner.get(path).json()["user"]["id"]
    others = next(one["id"] for one in users if one["id"] != number)
    assert (403, 404) == (planner.get("/2/0/users").status_code, planner.get(f"/2/0/users/{others}").status_code)
    assert 404 == admin.get("/2/0/users/nobody").status_code


def test_a_workspace_hides_from_those_who_do_not_manage_it(new_caller):
    """The single GET is 404 for a planner; versions and calendar want an administrator too."""
    admin, planner = new_caller(), new_caller(user=1)
    path = f"/2/0/workspaces/{admin.info['workspace_id']}"
    assert (200, 404) == (admin.get(path).status_code, planner.get(path).status_code)
    assert (200, 403) == (admin.get("versions").status_code, planner.get("versions").status_code)


def test_import_metadata_tells_the_file_it_wants(caller):
    """Separator, delimiter, encoding, rows and header names stand in `source`."""
    listed = caller.get("imports").json()["imports"][0]
    assert ("Load GL Actuals", "MODULE_DATA") == (listed["name"], listed["importType"])
    body = caller.get(f"imports/{listed['id']}").json()["importMetadata"]
    assert ["Account", "Cost Center", "Period", "Version", "Amount"] == body["source"]["headerNames"]
    assert (",", '"', "UTF-8", 1, 2, 5) == tuple(
        body["source"][name]
        for name in ("columnSeparator", "textDelimiter", "textEncoding", "headerRow", "firstDataRow", "columnCount")
    )
    files = {one["id"]: one for one in caller.get("files").json()["files"]}
    assert "gl_actuals.csv" == files[listed["importDataSourceId"]]["name"]


def test_export_metadata_names_its_columns(caller):
    """And the export's file has the export's own id."""
    listed = caller.get("exports").json()["exports"][0]
    assert ("Export GL Actuals", "TABULAR_MULTI_COLUMN", "text/csv") == tuple(
        listed[name] for name in ("name", "exportType", "exportFormat")
    )
    body = caller.get(f"exports/{listed['id']}").json()["exportMetadata"]
    assert ["Account", "Cost Center", "Period", "Version", "Amount", "Amount YTD"] == body["headerNames"]
    assert listed["id"] in {one["id"] for one in caller.get("files").json()["files"]}


def test_processes_and_actions(caller):
    """A process names its steps in the order in which they run."""
    process = caller.get("processes").json()["processes"][0]
    body = caller.get(f"processes/{process['id']}?showImportDataSource=true").json()["processMetadata"]
    assert ["IMPORT", "UPDATE_CURRENT_PERIOD", "EXPORT"] == [step["actionType"] for step in body["actions"]]
    assert {"importDataSourceId": "113000000001", "type": "FILE"} == body["actions"][0]["importDataSource"]
    assert "UPDATE_CURRENT_PERIOD" == caller.get("actions").json()["actions"][0]["actionType"]


def test_accounts_follow_the_chart(caller):
    """Codes are text with an A before them; two accounts are missing; parents have no account of their own."""
    rows = caller.get("lists/101000000001/items?includeAll=true").json()["listItems"]
    by_code = {row["code"]: row for row in rows}
    assert "0010 Petty cash" == by_code["A0010"]["name"]
    assert "NA Clearing, not assigned" == by_code["ANA"]["name"]
    assert "6150 旅費交通費" == by_code["A6150"]["name"]
    assert 'The "Summit" fund' in by_code["A6440"]["name"]
    assert "Unmapped accounts" == by_code["A_UNMAPPED"]["name"]
    assert {"A7770", "A8880"}.isdisjoint(by_code)
    travel = by_code["A6100"]
    assert "TRAVEL" == travel["parent"]
    assert travel["parentId"] in {row["id"] for row in rows}
    assert len(rows) == len({row["name"] for row in rows}) == len(by_code)
    assert len(rows) == caller.get("lists/101000000001").json()["metadata"]["itemCount"]


def test_cost_centers_stand_in_regions(caller):
    """One member per cost center and one for none."""
    rows = caller.get("lists/101000000002/items?includeAll=true").json()["listItems"]
    by_code = {row["code"]: row for row in rows}
    assert {f"CC_{code}" for code in COST_CENTERS} | {"CC_NONE"} <= set(by_code)
    assert ("Denver Consulting", "Mountain Region") == (by_code["CC_020"]["name"], by_code["CC_020"]["parent"])


def test_short_list_items_have_no_properties(caller):
    """Without includeAll there is id, name, code and the parent, if there is one."""
    top, first = caller.get("lists/101000000002/items").json()["listItems"][:2]
    assert ({"id", "name", "code"}, {"id", "name", "code", "parent", "parentId"}) == (set(top), set(first))


def test_codes_are_checked_in_one_call(caller):
    """Those that exist come back, whatever the letter case; the missing are simply absent; nothing found, no key."""
    asked = {"codes": ["a6100", "A7770", "A0010"], "names": ["unmapped accounts"]}
    items = caller.call("POST", "dimensions/101000000001/items", json=asked).json()["items"]
    assert {"A6100", "A0010", "A_UNMAPPED"} == {item["code"] for item in items}
    none = caller.call("POST", "dimensions/101000000001/items", json={"codes": ["A7770"]}).json()
    assert "items" not in none
    assert 400 == caller.call("POST", "dimensions/101000000001/items", json={}).status_code


def test_time_and_versions_are_dimensions_too(caller):
    """Months are labelled "Jul 24", totals "Q1 FY25" and "FY25"; Time has no list of all items."""
    asked = {"names": ["Jul 24", "Jun 27", "Q1 FY25", "FY27", "Jul 27"]}
    items = caller.call("POST", "dimensions/20000000003/items", json=asked).json()["items"]
    assert ["Jul 24", "Q1 FY25", "Jun 27", "FY27"] == [item["name"] for item in items]
    versions = caller.get("dimensions/20000000020/items").json()["items"]
    assert ["Actual", "Actual Adj", "Budget", "Forecast"] == [item["name"] for item in versions]
    assert 400 == caller.get("dimensions/20000000003/items").status_code


def test_line_items_tell_what_is_calculated(caller):
    """Only a line item without a formula can be written."""
    module = caller.get("modules").json()["modules"][0]
    items = caller.get(f"modules/{module['id']}/lineItems?includeAll=true").json()["items"]
    assert {"Amount": "", "Amount YTD": "YEARTODATE('Amount')"} == {item["name"]: item["formula"] for item in items}
    assert "NUMBER" == items[0]["formatMetadata"]["dataType"]
    every = caller.get("lineItems?includeAll=true").json()["items"]
    assert items == [item for item in every if item["moduleId"] == module["id"]]
    assert {"GL01 Actuals", "PL01 Plan", "PL00 Approvals"} == {item["moduleName"] for item in every}


def test_versions_and_calendar(caller):
    """The fiscal year runs from July and is named by the year in which it ends."""
    versions = caller.get("versions").json()["versionMetadata"]
    assert ["Actual"] == [one["name"] for one in versions if one["isActual"]]
    calendar = caller.get("modelCalendar").json()["modelCalendar"]
    assert {"year": "FY27", "startDate": "2026-07-01", "endDate": "2027-06-30"} == calendar["fiscalYear"]
    assert (2, 0) == (calendar["pastYearsCount"], calendar["futureYearsCount"])
    current = caller.get("currentPeriod").json()["currentPeriod"]
    assert ("Aug 26", "2026-08-31") == (current["periodText"], current["lastDay"])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_status_of_an_idle_model_has_no_envelope(caller, method):
    """`Open`, progress -1, and no task."""
    body = caller.call(method, "status").json()
    assert {"requestStatus"} == set(body)
    assert ("Open", -1.0, None) == tuple(body["requestStatus"][name] for name in ("currentStep", "progress", "taskId"))


def test_renamed_and_doubled_actions(caller, tenant):
    """Names of actions are not unique, and they change."""
    tenant.set_switches({"rename_import": "Load GL (old)", "duplicate_action_names": True})
    rows = caller.get("imports").json()["imports"]
    assert ["Load GL (old)", "Load GL (old)"] == [rows[0]["name"], rows[-1]["name"]]
    assert 6 == len({row["id"] for row in rows})
    exports = [row["name"] for row in caller.get("exports").json()["exports"]]
    assert 2 == exports.count("Export GL Actuals")
    assert 5 == len(exports)
    assert 200 == caller.get(f"imports/{rows[-1]['id']}").status_code
