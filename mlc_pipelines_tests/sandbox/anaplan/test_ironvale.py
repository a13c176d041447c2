"""The second company's model: by weeks, two modules of different dimensions, three lists, beside the first one's in one tenant."""

from dataclasses import replace
from decimal import Decimal

import pytest

from mlc_pipelines.sandbox.anaplan.ironvale import MODEL_ID, ironvale_info
from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.calendars import calendars

LOAD, LOAD_SPEND = "112000000001", "112000000002"
EXPORT, EXPORT_SPEND = "116000000001", "116000000002"
SPEND = "AP01 AP Spend"
SPEND_HEADER = "Vendor,Account,Cost Center,Period,Version,Amount\n"


@pytest.fixture
def ironvale(new_caller, tenant):
    """The same user in the other model."""
    caller = new_caller()
    return replace(caller, info={**caller.info, **ironvale_info(tenant)})


@pytest.fixture
def load_spend(ironvale):
    def load(rows, header=SPEND_HEADER):
        ironvale.upload(header + rows, "113000000002")
        return ironvale.run("imports", LOAD_SPEND)

    return load


def _messages(task):
    return [one["localMessageText"] for one in task["result"]["details"]]


def _file(caller, export):
    assert caller.run("exports", export)["result"]["successful"]
    return caller.get(f"files/{export}").text.splitlines()


# -- finding it -------------------------------------------------------------------------------------------------------


def test_both_workspaces_are_found(ironvale, caller):
    """Each with its own models; a model answers below its own workspace only."""
    plain = caller.get("/2/0/workspaces").json()["workspaces"]
    assert [caller.info["workspace_id"], ironvale.info["workspace_id"]] == [one["id"] for one in plain]
    inside = caller.get(f"/2/0/workspaces/{ironvale.info['workspace_id']}/models").json()["models"]
    assert [("Ironvale FP&A", MODEL_ID, "Operations")] == [
        (one["name"], one["id"], one["currentWorkspaceName"]) for one in inside
    ]
    assert 404 == caller.get(f"/2/0/workspaces/{caller.info['workspace_id']}/models/{MODEL_ID}/imports").status_code
    assert 200 == caller.get(f"/2/0/workspaces/{ironvale.info['workspace_id']}/models/{MODEL_ID}/imports").status_code


def test_what_there_is(ironvale):
    """Two modules of actuals, two of the plan, their lists, imports, files, exports and views, by the names that the info tells."""
    info = ironvale.info
    modules = [info[name] for name in ("module", "module_spend", "module_plan", "module_approvals")]
    assert modules == [one["name"] for one in ironvale.get("modules").json()["modules"]]
    lists = ["Accounts", "Cost Centers", "Vendors", "Plan Versions"]
    assert lists == [one["name"] for one in ironvale.get("lists").json()["lists"]]
    imports = [one["name"] for one in ironvale.get("imports").json()["imports"]]
    assert [info[name] for name in ("import", "import_spend", "import_accounts", "import_cost_centers")] == imports[:4]
    assert ["Export GL Actuals", "Export AP Spend"] == [info["export"], info["export_spend"]]
    files = [one["name"] for one in ironvale.get("files").json()["files"]]
    assert ["gl_actuals.csv", "ap_spend.csv"] == files[:2] == [info["file"], info["file_spend"]]
    views = [one["name"] for one in ironvale.get("views").json()["views"]]
    assert {info["view"], info["view_spend"], SPEND} < set(views)
    assert ["Load All"] == [one["name"] for one in ironvale.get("processes").json()["processes"]] == [info["process"]]


def test_one_id_means_another_thing_in_another_model(ironvale, caller):
    """Ids are a model's own."""
    names = [
        {one["id"]: one["name"] for one in who.get("imports").json()["imports"]}[LOAD_SPEND]
        for who in (caller, ironvale)
    ]
    assert ["Load Accounts", "Load AP Spend"] == names


def test_import_and_export_metadata(ironvale):
    """The vendor is one column more."""
    source = ironvale.get(f"imports/{LOAD_SPEND}").json()["importMetadata"]["source"]
    assert ["Vendor", "Account", "Cost Center", "Period", "Version", "Amount"] == source["headerNames"]
    header = ironvale.get(f"exports/{EXPORT_SPEND}").json()["exportMetadata"]["headerNames"]
    assert ["Vendor", "Account", "Cost Center", "Period", "Version", "Spend"] == header


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "total", "none", "member"),
    [
        (1, "A_TOTAL", "A_UNMAPPED", "A4010"),
        (2, "CC_TOTAL", "CC_NONE", "CC_110"),
        (3, "V_TOTAL", "V_NONE", "V_ACME"),
    ],
)
def test_lists_have_parents_and_a_member_for_what_has_none(ironvale, number, total, none, member):
    """Every leaf stands below a group; codes and names are unique whatever their case, and differ from each other."""
    path = f"lists/10100000000{number}/items?includeAll=true"
    rows = ironvale.get(path).json()["listItems"]
    by_id, by_code = {row["id"]: row for row in rows}, {row["code"]: row for row in rows}
    assert {total, none, member} < set(by_code)
    assert total == by_id[by_id[by_code[member]["parentId"]]["parentId"]]["code"]
    assert len(rows) == len({row["name"].casefold() for row in rows}) == len({row["code"].casefold() for row in rows})
    assert [] == [row["code"] for row in rows if row["code"] == row["name"]]
    assert "true" == by_code[member]["properties"]["Active"]


def test_some_codes_of_the_books_are_missing(tenant):
    """On purpose: the plan does not know them."""
    codes = {one["code"] for one in tenant.truth_members("Accounts", MODEL_ID)}
    assert {f"A{code}" for code in chart.accounts()} - codes == {f"A{code}" for code in chart.NO_PLAN_MEMBER}
    centers = {one["code"] for one in tenant.truth_members("Cost Centers", MODEL_ID)}
    assert {f"CC_{code}" for code in chart.departments()} - centers == {f"CC_{chart.NO_PLAN_CENTER}"}
    assert f"V_{chart.NO_PLAN_VENDOR}" not in {one["code"] for one in tenant.truth_members("Vendors", MODEL_ID)}


def test_vendors_are_loaded_into_their_list(ironvale, tenant):
    """By code, below a parent that is named."""
    ironvale.upload("Code,Name,Parent,Active\nV_NEW,New Castings (NEW),Total Vendors,true\n", "113000000005")
    assert ironvale.run("imports", "112000000005")["result"]["successful"]
    added = tenant.truth_members("Vendors", MODEL_ID)[-1]
    assert ("V_NEW", "New Castings (NEW)", "V_TOTAL") == (added["code"], added["name"], added["parent"])


def test_a_reset_brings_the_lists_back(tenant):
    """The templates never change."""
    before = tenant.truth_members("Vendors", MODEL_ID)
    tenant.edit_member("Vendors", "V_NEW", name="New", parent="V_TOTAL", model=MODEL_ID)
    tenant.edit_member("Vendors", "V_ACME", remove=True, model=MODEL_ID)
    assert before != tenant.truth_members("Vendors", MODEL_ID)
    tenant.reset()
    assert before == tenant.truth_members("Vendors", MODEL_ID)


# -- cells ------------------------------------------------------------------------------------------------------------


def test_actuals_are_loaded_by_period_and_exported(ironvale, tenant):
    """A year-to-date line item stands only where a module has one."""
    task = ironvale.load("A4010,CC_110,P01 FY26,Actual,-10.50\nA4010,CC_110,P13 FY26,Actual,1\n")
    assert ["Amount: 1 rows successful, 1 failed, 0 ignored", "Invalid date or timescale identifier: P13 FY26"] == (
        _messages(task)
    )
    cell = {"account": "A4010", "cost_center": "CC_110", "period": "P01 FY26", "version": "Actual", "amount": "-10.50"}
    assert [cell] == tenant.truth_cells(MODEL_ID)
    assert ["Account,Cost Center,Period,Version,Amount", "A4010,CC_110,P01 FY26,Actual,-10.5"] == (
        _file(ironvale, EXPORT)
    )
    items = ironvale.get("lineItems?includeAll=true").json()["items"]
    actuals = [one for one in items if one["moduleName"] in ("GL01 Actuals", SPEND)]
    assert [("Amount", ""), ("Spend", "")] == [(one["name"], one["formula"]) for one in actuals]


def test_spend_is_loaded_by_vendor_and_exported(ironvale, load_spend, tenant):
    """Columns are found by their headers, in whatever order; a vendor that the plan does not know is named."""
    header = "Amount,Vendor,Account,Cost Center,Period,Version\n"
    task = load_spend("5,V_ACME,A5510,CC_140,P02 FY27,Actual\n7,V_ODDJOB,A5510,CC_140,P02 FY27,Actual\n", header)
    assert ["Spend: 1 rows successful, 1 failed, 0 ignored", "Invalid Vendors identifier: V_ODDJOB"] == _messages(task)
    cell = {
        "vendor": "V_ACME",
        "account": "A5510",
        "cost_center": "CC_140",
        "period": "P02 FY27",
        "version": "Actual",
        "amount": "5.00",
    }
    assert [cell] == tenant.truth_cells(MODEL_ID, module=SPEND)
    assert [] == tenant.truth_cells(MODEL_ID)
    expected = ["Vendor,Account,Cost Center,Period,Version,Spend", "V_ACME,A5510,CC_140,P02 FY27,Actual,5"]
    assert expected == _file(ironvale, EXPORT_SPEND)


def test_a_missing_vendor_column_fails_the_import(load_spend):
    """Nothing is loaded."""
    task = load_spend("A5510,CC_140,P02 FY27,Actual,5\n", header="Account,Cost Center,Period,Version,Amount\n")
    assert (False, ["Missing columns: Vendor"]) == (task["result"]["successful"], _messages(task))


def test_values_on_totals_of_any_dimension_are_ignored(load_spend, tenant):
    """Vendors' groups too."""
    group = next(one["code"] for one in tenant.truth_members("Vendors", MODEL_ID) if one["parent"] == "V_TOTAL")
    task = load_spend(f"{group},A5510,CC_140,P02 FY27,Actual,5\nV_ACME,A5510,CC_140,Q1 FY27,Actual,5\n")
    assert ["Spend: 0 rows successful, 0 failed, 2 ignored"] == _messages(task)


def test_clearing_goes_by_all_dimensions_of_the_module(load_spend, tenant):
    """With the clear set to what occurs in the file, another vendor's cell stays."""
    members = [one for one in tenant.truth_members("Vendors", MODEL_ID) if one["code"] in ("V_ACME", "V_NONE")]
    for one in members:
        for account in ("A5510", "A5520"):
            tenant.edit_cell((one["code"], account, "CC_140", "P02 FY27", "Actual"), Decimal(1), MODEL_ID, SPEND)
    tenant.set_switches({"clear_target": "mapped"})
    load_spend("V_ACME,A5510,CC_140,P02 FY27,Actual,2\nV_ACME,A5530,CC_140,P02 FY27,Actual,2\n")
    cells = {(one["vendor"], one["account"]): one["amount"] for one in tenant.truth_cells(MODEL_ID, module=SPEND)}
    assert {
        ("V_ACME", "A5510"): "2.00",
        ("V_ACME", "A5520"): "1.00",
        ("V_ACME", "A5530"): "2.00",
        ("V_NONE", "A5510"): "1.00",
        ("V_NONE", "A5520"): "1.00",
    } == cells


def test_the_process_loads_lists_then_figures(ironvale, tenant):
    """One file for each of the five imports."""
    for number, text in enumerate(
        [
            "Account,Cost Center,Period,Version,Amount\nA4444,CC_999,P01 FY26,Budget,3\n",
            SPEND_HEADER + "V_NEW,A4444,CC_999,P01 FY26,Budget,4\n",
            "Code,Name,Parent,Active\nA4444,4444 New,Total Accounts,true\n",
            "Code,Name,Parent,Active\nCC_999,New shop,Shops,true\n",
            "Code,Name,Parent,Active\nV_NEW,New (NEW),Total Vendors,true\n",
        ],
        start=1,
    ):
        ironvale.upload(text, f"11300000000{number}")
    assert ironvale.run("processes", "118000000001")["result"]["successful"]
    assert ["3.00"] == [one["amount"] for one in tenant.truth_cells(MODEL_ID)]
    assert ["4.00"] == [one["amount"] for one in tenant.truth_cells(MODEL_ID, SPEND)]


def test_cells_are_written_one_by_one(ironvale, tenant):
    """Five dimensions, by code or name."""
    named = {
        "Vendors": "V_ACME",
        "Accounts": "A5510",
        "Cost Centers": "CC_140",
        "Time": "P02 FY27",
        "Versions": "Actual",
    }
    dimensions = [
        {"dimensionName": name, "itemName" if name in ("Time", "Versions") else "itemCode": text}
        for name, text in named.items()
    ]
    body = [{"lineItemName": "Spend", "dimensions": dimensions, "value": 12.5}]
    written = ironvale.call("POST", "modules/102000000002/data", json=body).json()
    assert (1, False) == (written["numberOfCellsChanged"], "failures" in written)
    assert ["12.50"] == [one["amount"] for one in tenant.truth_cells(MODEL_ID, SPEND)]


# -- reading back -----------------------------------------------------------------------------------------------------


def test_the_view_of_actuals_is_read_at_once_and_that_of_spend_in_pages(ironvale, load_spend):
    """Vendors make a view too wide for one read of a million cells; the large read shows what was written."""
    ironvale.load("A4010,CC_110,P01 FY26,Actual,8\n")
    load_spend("V_ACME,A5510,CC_140,P02 FY27,Actual,5\n")
    asked = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": "102000000001"}
    text = ironvale.get("views/207000000001/data", params=asked).text
    assert ["Accounts,Cost Centers,Time,Versions,Amount", "A4010,CC_110,P01 FY26,Actual,8"] == text.splitlines()
    assert _large_read(ironvale) == [
        "Vendors,Accounts,Cost Centers,Time,Versions,Spend",
        "V_ACME,A5510,CC_140,P02 FY27,Actual,5",
    ]


def _large_read(caller):
    place = f"/2/0/workspaces/{caller.info['workspace_id']}/models/{MODEL_ID}/views/207000000002/readRequests"
    request = caller.call("POST", place, json={"exportType": "TABULAR_MULTI_COLUMN"}).json()["viewReadRequest"]
    for _ in range(400):
        state = caller.get(f"{place}/{request['requestId']}").json()["viewReadRequest"]
        if state["requestState"] == "COMPLETE":
            return caller.get(f"{place}/{request['requestId']}/pages/0").text.splitlines()
    raise AssertionError(state)


def test_totals_over_a_quarter_of_weeks(ironvale, tenant):
    """A quarter is the sum of its three periods."""
    tenant.set_switches({"export_totals": True})
    ironvale.load("".join(f"A4010,CC_110,P0{number} FY26,Actual,{number}\n" for number in (1, 3, 4)))
    rows = {tuple(row.split(",")[:4]): row.split(",")[4] for row in _file(ironvale, EXPORT)}
    assert ("4", "8") == (
        rows["A4010", "CC_110", "Q1 FY26", "Actual"],
        rows["A_TOTAL", "CC_TOTAL", "FY26", "Actual"],
    )


# -- the calendar -----------------------------------------------------------------------------------------------------


def test_the_calendar_goes_by_weeks(ironvale, caller):
    """Its type, its years from the day after the last Saturday of September, the period in progress; months for the other model."""
    calendar = ironvale.get("modelCalendar").json()["modelCalendar"]
    assert "Weeks: 4-4-5, 4-5-4 or 5-4-4" == calendar["calendarType"]
    assert {"year": "FY27", "startDate": "2026-09-27", "endDate": "2027-09-25"} == calendar["fiscalYear"]
    assert (2, 0) == (calendar["pastYearsCount"], calendar["futureYearsCount"])
    current = ironvale.get("currentPeriod").json()["currentPeriod"]
    assert ("P02 FY27", "2026-11-21", calendar["calendarType"]) == tuple(
        current[name] for name in ("periodText", "lastDay", "calendarType")
    )
    assert "Calendar Months/Quarters/Years" == caller.get("modelCalendar").json()["modelCalendar"]["calendarType"]


def test_time_has_periods_quarters_and_years(ironvale):
    """Labels are found by name; those of the other model are not there."""
    asked = {"names": ["P01 FY25", "P12 FY27", "Q4 FY26", "FY26", "Oct 25", "P13 FY26"]}
    items = ironvale.call("POST", "dimensions/20000000003/items", json=asked).json()["items"]
    assert ["P01 FY25", "Q4 FY26", "FY26", "P12 FY27"] == [one["name"] for one in items]


def test_periods_can_be_called_by_months_at_any_moment(ironvale, caller, tenant):
    """Cells, the period in progress and totals follow; the other model's months have nothing to do with it."""
    ironvale.load("A4010,CC_110,P01 FY26,Actual,8\n")
    caller.load("A6100,CC_010,Jul 25,Actual,5\n")
    before = ironvale.call("POST", "dimensions/20000000003/items", json={"names": ["P01 FY26"]}).json()["items"]
    tenant.set_switches({"week_labels": "month"})
    after = ironvale.call("POST", "dimensions/20000000003/items", json={"names": ["Oct 25"]}).json()["items"]
    assert [one["id"] for one in before] == [one["id"] for one in after]
    assert ["Oct 25"] == [one["period"] for one in tenant.truth_cells(MODEL_ID)]
    assert ["Jul 25"] == [one["period"] for one in tenant.truth_cells()]
    assert "Nov 26" == ironvale.get("currentPeriod").json()["currentPeriod"]["periodText"]
    ironvale.load("A4010,CC_110,Sep 26,Actual,1\n")
    assert ["Oct 25", "Sep 26"] == [one["period"] for one in tenant.truth_cells(MODEL_ID)]
    tenant.set_switches({"week_labels": "number"})
    assert ["P01 FY26", "P12 FY26"] == [one["period"] for one in tenant.truth_cells(MODEL_ID)]
    with pytest.raises(ValueError, match="number or month"):
        tenant.set_switches({"week_labels": "letters"})
    tenant.reset()
    assert "P01 FY26" in tenant.model(MODEL_ID).time.months


def test_a_year_of_53_weeks(ironvale, tenant):
    """By switch years end on the Saturday nearest to 30 September: the last period of fiscal 2026 has six weeks."""
    tenant.set_switches({"weeks_53": True})
    last = tenant.model(MODEL_ID).time.months["P12 FY26"]
    assert ("2026-08-23", "2026-10-03") == (last.start.isoformat(), last.end.isoformat())
    year = ironvale.get("modelCalendar").json()["modelCalendar"]["fiscalYear"]
    assert ("2026-10-04", "2027-10-02") == (year["startDate"], year["endDate"])


@pytest.mark.parametrize("weeks_53", [False, True])
def test_the_calendar_is_that_of_the_books(tenant, weeks_53):
    """Day by day, for the three fiscal years of the model; closing periods have no label of their own."""
    tenant.set_switches({"weeks_53": weeks_53})
    books = [
        (one.year, one.number, one.start, one.end)
        for one in calendars(weeks_53)["F445"].values()
        if not one.closing and not one.suffix
    ]
    assert books == [(one.year, one.number, one.start, one.end) for one in tenant.model(MODEL_ID).time.months.values()]


def test_the_period_in_progress_is_set_by_a_day(ironvale):
    """27 December 2025 is the last day of the third period."""
    for day, label in (("2025-12-27", "P03 FY26"), ("2025-12-28", "P04 FY26")):
        answer = ironvale.call("PUT", "currentPeriod", json={"date": day}).json()["currentPeriod"]
        assert label == answer["periodText"]
    assert 400 == ironvale.call("PUT", "currentPeriod", json={"date": "2027-09-26"}).status_code


# -- beside the other model -------------------------------------------------------------------------------------------


def test_both_models_work_at_once(ironvale, caller, tenant):
    """Each has its own queue: a task on one holds up nobody on the other."""
    tenant.foreign_task(60, model=MODEL_ID)
    assert caller.load("A6100,CC_010,Jul 25,Actual,5\n")["result"]["successful"]
    assert 200 == caller.get("lists").status_code
    assert "Open" == caller.get("status").json()["requestStatus"]["currentStep"]
    assert "Processing ..." == ironvale.get("status").json()["requestStatus"]["currentStep"]


def test_a_task_on_the_first_model_does_not_hold_up_the_second(ironvale, load_spend, tenant):
    """The other way round."""
    tenant.foreign_task(60)
    assert load_spend("V_ACME,A5510,CC_140,P02 FY27,Actual,5\n")["result"]["successful"]
    assert 200 == ironvale.get("modules").status_code


def test_files_of_one_id_are_each_models_own(ironvale, caller):
    """An upload to one model is not there for the other, and no crossing."""
    ironvale.upload("one", "113000000001")
    assert 404 == caller.get("files/113000000001").status_code
    caller.upload("two", "113000000001")
    assert "one" == ironvale.get("files/113000000001").text


# -- the control door -------------------------------------------------------------------------------------------------


def test_cells_of_a_module_over_http(ironvale):
    """Read and edited by model and module; an unknown one is 400, and so is a field that is missing."""
    cell = {
        "vendor": "V_ACME",
        "account": "A5510",
        "cost_center": "CC_140",
        "period": "P02 FY27",
        "version": "Actual",
        "amount": "9.99",
    }
    place = {"model": MODEL_ID, "module": SPEND}
    assert 204 == ironvale.http.post("/control/anaplan/cell", json={**cell, **place}).status_code
    assert [cell] == ironvale.http.get("/control/truth/cells", params=place).json()["cells"]
    assert [] == ironvale.http.get("/control/truth/cells", params={"model": MODEL_ID}).json()["cells"]
    assert [] == ironvale.http.get("/control/truth/cells").json()["cells"]
    for wrong in ({"module": "AP02"}, {"model": "X"}, {"vendor": "V_ODDJOB"}):
        assert 400 == ironvale.http.post("/control/anaplan/cell", json={**cell, **place, **wrong}).status_code
    del cell["vendor"]
    assert 400 == ironvale.http.post("/control/anaplan/cell", json={**cell, **place}).status_code
    assert 400 == ironvale.http.get("/control/truth/cells", params={"module": SPEND}).status_code
    query = {"list": "Vendors", "model": MODEL_ID}
    members = ironvale.http.get("/control/truth/members", params=query).json()["members"]
    assert "V_ACME" in {one["code"] for one in members}


def test_the_main_model_stays_the_first_companys(tenant):
    """Where no model is named, Meridian's is meant; its info says nothing of the other."""
    info = tenant.info("http://127.0.0.1:1")
    assert ("Meridian FP&A", "Finance") == (tenant.model().name, info["workspace"])
    assert {"model_id", "module_spend", "import_vendors"} <= set(ironvale_info(tenant))
    assert "module_spend" not in info
