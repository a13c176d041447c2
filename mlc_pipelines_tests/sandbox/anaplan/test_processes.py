"""Processes of several imports, imports that ask at run time, and actions without a file."""

from decimal import Decimal

import pytest

LOAD_ALL, NIGHTLY = "118000000002", "118000000001"
ACTUALS, ACCOUNTS, CENTERS, BY_VERSION, YEAR_TO_DATE = (f"11200000000{n}" for n in range(1, 6))
FILES = {ACTUALS: "113000000001", ACCOUNTS: "113000000002", CENTERS: "113000000003", BY_VERSION: "113000000004"}
ACCOUNT_HEADER, CENTER_HEADER = "Code,Name,Parent,Account Type,Active\n", "Code,Name,Parent,Short Name,Capacity FTE\n"
HEADER, BY_VERSION_HEADER = "Account,Cost Center,Period,Version,Amount\n", "Account,Cost Center,Period,Amount\n"
JULY = ("A7770", "CC_130", "Jul 25", "Actual")
BUDGET = {"entityType": "Version", "entityName": "Budget"}


@pytest.fixture
def files(caller):
    """Three good files: an account and a cost center that are new, and a figure for both of them."""
    caller.upload(ACCOUNT_HEADER + "A7770,7770 Royalties,TRAVEL,Expense,true\n", FILES[ACCOUNTS])
    caller.upload(CENTER_HEADER + "CC_130,Boise,Mountain Region,Boise,3\n", FILES[CENTERS])
    caller.upload(HEADER + "A7770,CC_130,Jul 25,Actual,12.50\n", FILES[ACTUALS])


def _nested(task):
    return [(step["objectId"], step["successful"]) for step in task["result"]["nestedResults"]]


def test_members_first_then_figures(caller, files, cells):
    """The steps run in order, so that a figure finds the member of the step before."""
    ended = caller.run("processes", LOAD_ALL)
    assert [(ACCOUNTS, True), (CENTERS, True), (ACTUALS, True)] == _nested(ended)
    assert ["hierarchyRowsProcessed", "hierarchyRowsProcessed", "lineItemRowsProcessed"] == [
        step["details"][0]["type"] for step in ended["result"]["nestedResults"]
    ]
    assert ("COMPLETE", True, LOAD_ALL) == (
        ended["taskState"],
        ended["result"]["successful"],
        ended["result"]["objectId"],
    )
    assert {JULY: "12.50"} == cells()


def test_what_came_before_a_failed_step_stays(caller, tenant, cells):
    """A process is not atomic: the account is there, though the second step had no file."""
    caller.upload(ACCOUNT_HEADER + "A7770,7770 Royalties,TRAVEL,Expense,true\n", FILES[ACCOUNTS])
    caller.upload(HEADER + "A7770,CC_010,Jul 25,Actual,1\n", FILES[ACTUALS])
    ended = caller.run("processes", LOAD_ALL)
    assert [(ACCOUNTS, True), (CENTERS, False)] == _nested(ended)
    assert ("COMPLETE", False) == (ended["taskState"], ended["result"]["successful"])
    assert "A7770" in {one["code"] for one in tenant.truth_members("Accounts")}
    assert {} == cells()


def test_a_process_may_go_on_after_a_failed_step(caller, tenant, cells):
    """Nobody has recorded which; the process is unsuccessful either way."""
    tenant.set_switches({"process_after_failure": "continue"})
    caller.upload(HEADER + "A6100,CC_010,Jul 25,Actual,1\n", FILES[ACTUALS])
    ended = caller.run("processes", LOAD_ALL)
    assert [(ACCOUNTS, False), (CENTERS, False), (ACTUALS, True)] == _nested(ended)
    assert not ended["result"]["successful"]
    assert 1 == len(cells())


def test_each_step_has_a_dump_of_its_own(caller, tenant):
    """Under dumps/{import} of the process task, whole and in chunks; a clean step has none."""
    tenant.set_switches({"dump_chunk_bytes": 60})
    caller.upload(ACCOUNT_HEADER + ",No code,,,\n", FILES[ACCOUNTS])
    caller.upload(CENTER_HEADER + "CC_130,Boise,,,\n", FILES[CENTERS])
    caller.upload(HEADER + "AX,CC_130,Jul 25,Actual,1\n", FILES[ACTUALS])
    ended = caller.run("processes", LOAD_ALL)
    assert [True, False, True] == [step["failureDumpAvailable"] for step in ended["result"]["nestedResults"]]
    place = f"processes/{LOAD_ALL}/tasks/{ended['taskId']}/dumps"
    assert ["Empty key"] == [row["_Error_1_"] for row in caller.dump(ended["taskId"], f"{place}/{ACCOUNTS}")]
    assert ["AX"] == [row["Account"] for row in caller.dump(ended["taskId"], f"{place}/{ACTUALS}")]
    assert 404 == caller.get(f"{place}/{CENTERS}").status_code == caller.get(f"{place}/{CENTERS}/chunks").status_code
    chunks = [one["id"] for one in caller.get(f"{place}/{ACTUALS}/chunks").json()["chunks"]]
    assert len(chunks) > 1
    assert caller.get(f"{place}/{ACTUALS}").text == "".join(
        caller.get(f"{place}/{ACTUALS}/chunks/{number}").text for number in chunks
    )


def test_unsuccessful_because_rows_were_ignored(caller, tenant, files, cells):
    """Seen in production: every step is fine, the figures are there, and the flag says no."""
    tenant.set_switches({"process_counts_ignored": True})
    caller.upload(HEADER + "A7770,CC_130,Jul 25,Actual,12.50\nA_TOTAL,CC_010,Jul 25,Actual,1\n", FILES[ACTUALS])
    ended = caller.run("processes", LOAD_ALL)
    assert [True, True, True] == [good for _, good in _nested(ended)]
    assert (False, False) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    assert {JULY: "12.50"} == cells()


def test_metadata_names_the_steps(caller):
    """In run order, each with its kind and file."""
    listed = {one["name"]: one["id"] for one in caller.get("processes").json()["processes"]}
    assert {"Nightly GL Actuals": NIGHTLY, "Load All": LOAD_ALL} == listed
    body = caller.get(f"processes/{LOAD_ALL}?showImportDataSource=true").json()["processMetadata"]
    assert [
        ("Load Accounts", "IMPORT", "HIERARCHY_DATA"),
        ("Load Cost Centers", "IMPORT", "HIERARCHY_DATA"),
        ("Load GL Actuals", "IMPORT", "MODULE_DATA"),
    ] == [(step["name"], step["actionType"], step["importType"]) for step in body["actions"]]
    assert [FILES[one] for one in (ACCOUNTS, CENTERS, ACTUALS)] == [
        step["importDataSource"]["importDataSourceId"] for step in body["actions"]
    ]


# -- mapping parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [BUDGET, {**BUDGET, "importId": BY_VERSION}])
def test_an_import_that_asks_for_the_version(caller, cells, entry):
    """The file has no such column; the answer fills it."""
    caller.upload(BY_VERSION_HEADER + "A6100,CC_010,Jul 25,7\nA6100,CC_010,Aug 25,8\n", FILES[BY_VERSION])
    ended = caller.run("imports", BY_VERSION, mappingParameters=[entry])
    assert ended["result"]["successful"]
    assert {
        ("A6100", "CC_010", "Jul 25", "Budget"): "7.00",
        ("A6100", "CC_010", "Aug 25", "Budget"): "8.00",
    } == cells()


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [BUDGET, BUDGET],
        [{"entityType": "Version", "entityName": "Plan"}],
        [{"entityType": "Version"}],
        [BUDGET, {"entityType": "Scenario", "entityName": "High"}],
        [{**BUDGET, "importId": ACTUALS}],
        ["Budget"],
    ],
)
def test_wrong_answers_are_refused(caller, tenant, cells, asked):
    """Missing, twice, no such member, not asked for, for another import: 400; or the task fails and says why."""
    caller.upload(BY_VERSION_HEADER + "A6100,CC_010,Jul 25,7\n", FILES[BY_VERSION])
    body = {"localeName": "en_US", "mappingParameters": asked}
    assert 400 == caller.call("POST", f"imports/{BY_VERSION}/tasks", json=body).status_code
    assert [] == caller.get(f"imports/{BY_VERSION}/tasks").json()["tasks"]
    tenant.set_switches({"mapping_refusal": "task"})
    ended = caller.run("imports", BY_VERSION, mappingParameters=asked)
    assert (False, "missingFields") == (ended["result"]["successful"], ended["result"]["details"][0]["type"])
    assert {} == cells()


def test_an_import_that_asks_nothing(caller):
    """An answer without a question is 400; an empty list is none."""
    caller.upload(HEADER + "A6100,CC_010,Jul 25,Actual,7\n")
    body = {"localeName": "en_US", "mappingParameters": [BUDGET]}
    assert 400 == caller.call("POST", f"imports/{ACTUALS}/tasks", json=body).status_code
    assert caller.run("imports", ACTUALS, mappingParameters=[])["result"]["successful"]


# -- other imports and actions ------------------------------------------------------------------------------------------


def test_an_import_aimed_at_a_calculated_line_item(caller, cells):
    """Every row is ignored: counted, neither failed nor dumped."""
    caller.upload("Account,Cost Center,Period,Version,Amount YTD\nA6100,CC_010,Jul 25,Actual,7\n", "113000000005")
    ended = caller.run("imports", YEAR_TO_DATE)
    head = ended["result"]["details"][0]
    assert "Amount YTD: 0 rows successful, 0 failed, 1 ignored" == head["localMessageText"]
    assert (True, False) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    assert {} == cells()


def test_a_delete_by_selection(caller, tenant, cells):
    """The inactive accounts go, and their figures with them; totals stay."""
    tenant.edit_cell(("A6990", "CC_010", "Jul 25", "Actual"), Decimal(1))
    tenant.edit_cell(("A6100", "CC_010", "Jul 25", "Actual"), Decimal(2))
    actions = {one["name"]: one for one in caller.get("actions").json()["actions"]}
    action = actions["Delete Inactive Accounts"]
    assert "DELETE_BY_SELECTION" == action["actionType"]
    ended = caller.run("actions", action["id"])
    assert [("deleteFromSelectionSucceeded", "4 items deleted from Accounts.")] == [
        (one["type"], one["localMessageText"]) for one in ended["result"]["details"]
    ]
    assert {"A1190", "A4990", "A6890", "A6990"}.isdisjoint(one["code"] for one in tenant.truth_members("Accounts"))
    assert {("A6100", "CC_010", "Jul 25", "Actual"): "2.00"} == cells()


def test_clearing_the_actuals(caller, tenant, cells):
    """Both actual versions become zero; plan figures stay."""
    for version in ("Actual", "Actual Adj", "Budget"):
        tenant.edit_cell(("A6100", "CC_010", "Jul 25", version), Decimal(2))
    ended = caller.run("actions", "117000000003")
    assert ["2 cells cleared."] == [one["localMessageText"] for one in ended["result"]["details"]]
    assert ["0.00", "0.00", "2.00"] == list(cells().values())
