"""Imports into lists: what becomes of each row of a file, and how it is told."""

from decimal import Decimal

import pytest

ACCOUNTS, CENTERS = "112000000002", "112000000003"
ACCOUNTS_FILE, CENTERS_FILE = "113000000002", "113000000003"
ACCOUNT_HEADER, CENTER_HEADER = "Code,Name,Parent,Account Type,Active\n", "Code,Name,Parent,Short Name,Capacity FTE\n"
DUMP = f"imports/{ACCOUNTS}/tasks/{{}}/dump"


@pytest.fixture
def load(caller):
    """Uploads accounts and imports them; the task when it has ended."""

    def run(rows, header=ACCOUNT_HEADER):
        caller.upload(header + rows, ACCOUNTS_FILE)
        return caller.run("imports", ACCOUNTS)

    return run


@pytest.fixture
def member(tenant):
    """A member by its code, or None."""

    def find(code, place="Accounts"):
        return {one["code"]: one for one in tenant.truth_members(place)}.get(code)

    return find


def _counts(task):
    values = task["result"]["details"][0]["values"]
    return dict(zip(values[::2], values[1::2], strict=True))


def _types(task):
    return [one["type"] for one in task["result"]["details"]]


def test_it_says_what_it_is(caller):
    """HIERARCHY_DATA, with a file of its own whose header it wants."""
    rows = {one["name"]: one for one in caller.get("imports").json()["imports"]}
    listed = rows["Load Accounts"]
    assert ("HIERARCHY_DATA", ACCOUNTS_FILE) == (listed["importType"], listed["importDataSourceId"])
    source = caller.get(f"imports/{ACCOUNTS}").json()["importMetadata"]["source"]
    assert ["Code", "Name", "Parent", "Account Type", "Active"] == source["headerNames"]


def test_members_are_created_and_updated(load, member):
    """By code: a new one, a renamed one, one that is as it was. Counts and text as in the recorded sample."""
    ended = load(
        "A7770,7770 Royalties,TRAVEL,Expense,true\n"
        "A6100,6100 Trips,TRAVEL,Expense,true\n"
        "A0010,0010 Petty cash,CASH,Asset,true\n"
    )
    head = ended["result"]["details"][0]
    assert ("hierarchyRowsProcessed", "Accounts: 3 (1/2) rows successful, 0 ignored ") == (
        head["type"],
        head["localMessageText"],
    )
    counts = _counts(ended)
    assert {
        "hierarchyName": "Accounts",
        "successRowCount": "3",
        "successCreateCount": "1",
        "successUpdateCount": "2",
        "failedCount": "0",
        "totalRowCount": "3",
        "createdCount": "1",
        "updatedCount": "1",
        "renamedCount": "1",
    }.items() <= counts.items()
    assert 16 == len(counts)
    assert (True, False) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    new = member("A7770")
    assert ("7770 Royalties", "T_TRAVEL", "Expense", "true") == (
        new["name"],
        new["parent"],
        new["properties"]["Account Type"],
        new["properties"]["Active"],
    )
    assert "6100 Trips" == member("A6100")["name"]


def test_nothing_is_ever_removed(load, tenant):
    """A file with one account leaves the others; figures stay with a member that is renamed and moved."""
    before = len(tenant.truth_members("Accounts"))
    tenant.edit_cell(("A6100", "CC_010", "Jul 25", "Actual"), Decimal(5))
    load("A6100,6100 Trips,CASH,Expense,true\n")
    assert before == len(tenant.truth_members("Accounts"))
    assert ["5.00"] == [cell["amount"] for cell in tenant.truth_cells()]


def test_the_same_file_again_changes_nothing(load, tenant):
    """Every row is an update, and no member differs."""
    rows = "A7770,7770 Royalties,TRAVEL,Expense,true\n"
    load(rows)
    before = tenant.truth_members("Accounts")
    counts = _counts(load(rows))
    assert ("0", "1", "0") == (counts["createdCount"], counts["successUpdateCount"], counts["updatedCount"])
    assert before == tenant.truth_members("Accounts")


def test_a_parent_may_stand_earlier_in_the_file(load, member):
    """Not later: then the member is there, without it, and the row is a warning."""
    load("T_NEW,New group,Total Accounts,,\nA7770,7770 Royalties,New group,Expense,true\n")
    assert "T_NEW" == member("A7770")["parent"]
    ended = load("A8880,8880 Fines,Newer group,Expense,true\nT_NEWER,Newer group,Total Accounts,,\n")
    assert ("1", "1") == (_counts(ended)["warningsCreateCount"], _counts(ended)["successCreateCount"])
    assert "" == member("A8880")["parent"]


def test_a_row_with_a_warning_is_loaded(load, caller, member):
    """W in the dump, with a message for each problem; `successful` stays, the dump is there."""
    ended = load("A7770,7770 Royalties,Nowhere,Expense,perhaps\nA8880,8880 Fines,TRAVEL,Expense,true\n")
    assert ["hierarchyRowsProcessedWithFailures", "moduleImportBooleanFormat", "hierarchyImportInvalidParent"] == (
        _types(ended)
    )
    assert (
        "Accounts: 1 (1/0) rows successful, 1 (1/0) rows has warnings, 0 failed, 0 ignored"
        == (ended["result"]["details"][0]["localMessageText"])
    )
    assert (True, True) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    (row,) = caller.dump(ended["taskId"], DUMP)
    assert ("W", "A7770", "2", "Invalid boolean: perhaps", "Invalid parent") == tuple(
        row[name] for name in ("_Status_", "Code", "_Line_", "_Error_1_", "_Error_2_")
    )
    assert {"Account Type": "Expense"} == member("A7770")["properties"]


@pytest.mark.parametrize(
    ("row", "type_", "message"),
    [
        (",No code,TRAVEL,Expense,true", "hierarchyImportEmptyKey", "Empty key"),
        ("A9999,6110 Lodging,TRAVEL,Expense,true", "hierarchyImportNameOrCodeExists", "Name already exists: 6110 Lod"),
        ("a6100,6100 Trips,TRAVEL,Expense,true", "hierarchyImportNameOrCodeExists", "Code already exists: A6100"),
        (f"A9999,{'x' * 61},TRAVEL,Expense,true", "hierarchyImportInvalidName", "Invalid name: xxx"),
        (f"{'A' * 61},Long,TRAVEL,Expense,true", "hierarchyImportInvalidCode", "Invalid code: AAA"),
        ("A9999,Short", "columnSeparatorExpected", "Column separator expected"),
        ('A9999,"Open,TRAVEL,Expense,true', "unmatchedTextDelimiter", "Unmatched text delimiter"),
    ],
)
def test_a_bad_row_fails_and_stands_in_the_dump(load, caller, member, row, type_, message):
    """E, with its line; the good row is loaded."""
    ended = load(f"A7770,7770 Royalties,TRAVEL,Expense,true\n{row}\n")
    assert ["hierarchyRowsProcessedWithFailures", type_] == _types(ended)
    assert ("1", "1", "2") == tuple(
        _counts(ended)[name] for name in ("successRowCount", "failedCount", "totalRowCount")
    )
    (refused,) = caller.dump(ended["taskId"], DUMP)
    assert ("E", "3") == (refused["_Status_"], refused["_Line_"])
    assert refused["_Error_1_"].startswith(message)
    assert ("7770 Royalties", None) == (member("A7770")["name"], member("A9999"))


def test_of_a_repeated_key_the_first_row_counts(load, caller, member, tenant):
    """Or, by an option of the import, nothing is loaded at all."""
    rows = "A7770,First,TRAVEL,Expense,true\nA7770,Second,TRAVEL,Expense,true\n"
    tenant.set_switches({"list_import_duplicates": "reject"})
    ended = load(rows)
    assert (False, ["hierarchyImportDuplicateSourceKey"]) == (ended["result"]["successful"], _types(ended))
    assert member("A7770") is None
    tenant.set_switches({"list_import_duplicates": "first"})
    ended = load(rows)
    assert ["Duplicate key: A7770"] == [row["_Error_1_"] for row in caller.dump(ended["taskId"], DUMP)]
    assert "First" == member("A7770")["name"]


@pytest.mark.parametrize(("blank", "left"), [("skip", ("T_TRAVEL", "Expense")), ("zero", ("", ""))])
def test_blank_texts(load, member, tenant, blank, left):
    """They leave parent and property alone, or clear them: nobody knows. A blank name stays as it is."""
    tenant.set_switches({"blank_cells": blank})
    load("A6100,,,,\n")
    found = member("A6100")
    assert ("6100 Travel", *left) == (found["name"], found["parent"], found["properties"]["Account Type"])


def test_letter_case_of_a_code_may_not_count(load, member, tenant):
    """Then a row of the other case updates the member, and a second one repeats the key."""
    tenant.set_switches({"match_case": False})
    counts = _counts(load("a6100,6100 Trips,TRAVEL,Expense,true\nA6100,Again,TRAVEL,Expense,true\n"))
    assert ("1", "1") == (counts["successUpdateCount"], counts["failedCount"])
    assert "6100 Trips" == member("A6100")["name"]


def test_numbers_are_looked_at(caller, member):
    """A property of format NUMBER takes no words."""
    caller.upload(CENTER_HEADER + "CC_130,Boise,Mountain Region,Boise,12.5\nCC_020,,,,many\n", CENTERS_FILE)
    ended = caller.run("imports", CENTERS)
    assert ["hierarchyRowsProcessedWithFailures", "moduleImportNumberFormat"] == _types(ended)
    assert "12.5" == member("CC_130", "Cost Centers")["properties"]["Capacity FTE"]


def test_a_circle_of_parents(load, member):
    """Is no parent."""
    ended = load("T_TRAVEL,TRAVEL,6100 Travel,,\n")
    assert "hierarchyImportInvalidParent" in _types(ended)
    assert "A6100" != member("T_TRAVEL")["parent"]


def test_a_missing_column_fails_the_whole_import(load, member):
    """Nothing is loaded, and the column is named."""
    ended = load("A7770,7770 Royalties,TRAVEL,Expense\n", header="Code,Name,Parent,Account Type\n")
    assert (False, ["missingFields"]) == (ended["result"]["successful"], _types(ended))
    assert "Active" in ended["result"]["details"][0]["localMessageText"]
    assert member("A7770") is None


def test_a_deployed_model_takes_members_of_production_lists_only(load, caller, tenant, member):
    """The import of cost centers fails and says why."""
    tenant.set_switches({"model_state": "PRODUCTION"})
    load("A7770,7770 Royalties,TRAVEL,Expense,true\n")
    caller.upload(CENTER_HEADER + "CC_130,Boise,,,\n", CENTERS_FILE)
    ended = caller.run("imports", CENTERS)
    assert (False, ["hierarchyImportFailed"]) == (ended["result"]["successful"], _types(ended))
    assert "7770 Royalties" == member("A7770")["name"]
    assert member("CC_130", "Cost Centers") is None


@pytest.mark.parametrize("flag", [True, False])
def test_the_flag_after_a_partial_failure(load, tenant, flag):
    """Nobody knows it; warnings alone never take it away."""
    tenant.set_switches({"successful_despite_failures": flag})
    assert load("A7770,x,Nowhere,,\n")["result"]["successful"]
    assert flag == load(",No code,,,\nA8880,y,,,\n")["result"]["successful"]


@pytest.mark.parametrize(
    ("style", "text", "values"),
    [
        ("text", "Accounts: 1 (1/0) rows successful, 0 ignored ", []),
        ("german", "Accounts: 1 Zeilen erfolgreich, 0 fehlgeschlagen, 0 ignoriert", []),
        ("nulls", "Accounts: 1 (1/0) rows successful, 0 ignored ", ["failedCount", None]),
        ("other_keys", "Accounts: 1 (1/0) rows successful, 0 ignored ", ["failedCount", "0"]),
    ],
)
def test_styles_of_the_details(load, tenant, style, text, values):
    """As for modules, but that the keys are recorded."""
    tenant.set_switches({"details_style": style})
    head = load("A7770,7770 Royalties,TRAVEL,Expense,true\n")["result"]["details"][0]
    assert text == head["localMessageText"]
    assert values == head["values"][14:16]


def test_no_details_at_all(load, tenant):
    """An empty list."""
    tenant.set_switches({"details_style": "none"})
    assert [] == load("A7770,7770 Royalties,TRAVEL,Expense,true\n")["result"]["details"]


def test_an_upload_that_is_not_there(caller):
    """The file is private to its user, and nobody put one."""
    assert ["uploadedFileNoLongerAvailable"] == _types(caller.run("imports", ACCOUNTS))


def test_a_mapping_by_position(load, member, tenant):
    """The header is not looked at."""
    tenant.set_switches({"mapping_by": "position"})
    load("A7770,7770 Royalties,TRAVEL,Expense,true\n", header="a,b,c,d,e\n")
    assert "7770 Royalties" == member("A7770")["name"]
