"""What an import makes of a file, row by row, and how it tells."""

from decimal import Decimal

import pytest

from mlc_pipelines.sandbox.anaplan.built import ImportAction
from mlc_pipelines.sandbox.anaplan.dimension import Member
from mlc_pipelines.sandbox.anaplan.imports import evaluate, write
from mlc_pipelines.sandbox.anaplan.switches import DEFAULTS

HEADER = "Account,Cost Center,Period,Version,Amount\n"
IMPORT, FILE, PROCESS = "112000000001", "113000000001", "118000000001"
JULY = ("A6100", "CC_010", "Jul 25", "Actual")


def _counts(task):
    values = task["result"]["details"][0]["values"]
    pairs = dict(zip(values[::2], values[1::2], strict=True))
    return tuple(int(pairs[name]) for name in ("successRowCount", "failedCount", "ignoredCount", "totalRowCount"))


def _types(task):
    return [one["type"] for one in task["result"]["details"]]


def test_rows_become_cells(caller, cells):
    """One row, one cell; negative, unsigned and very large numbers keep every digit."""
    ended = caller.load(
        "A6100,CC_010,Jul 25,Actual,100.10\n"
        "A0010,CC_NONE,Jun 27,Budget,-1234567890123456.78\n"
        '"ANA","CC_020","Jul 24","Actual Adj","+5"\n'
        "A6440,CC_010,Aug 25,Forecast,.5\n"
    )
    assert (4, 0, 0, 4) == _counts(ended)
    assert ["lineItemRowsProcessed"] == _types(ended)
    assert {
        JULY: "100.10",
        ("A0010", "CC_NONE", "Jun 27", "Budget"): "-1234567890123456.78",
        ("ANA", "CC_020", "Jul 24", "Actual Adj"): "5.00",
        ("A6440", "CC_010", "Aug 25", "Forecast"): "0.50",
    } == cells()


def test_repeated_keys_are_added_up(caller, cells):
    """Not overwritten, and not reported."""
    assert (3, 0, 0, 3) == _counts(caller.load("A6100,CC_010,Jul 25,Actual,1.10\n" * 3))
    assert {JULY: "3.30"} == cells()


def test_a_second_load_replaces(caller, cells):
    """The figures of a file are absolute: the same file again changes nothing."""
    for _ in range(2):
        caller.load("A6100,CC_010,Jul 25,Actual,7\n")
    assert {JULY: "7.00"} == cells()


@pytest.mark.parametrize(
    ("row", "type_", "message"),
    [
        ("A7770,CC_010,Jul 25,Actual,1", "moduleImportInvalidListIdentifier", "Invalid Accounts identifier: A7770"),
        ("a6100,CC_010,Jul 25,Actual,1", "moduleImportInvalidListIdentifier", "Invalid Accounts identifier: a6100"),
        (
            "A6100,CC_999,Jul 25,Actual,1",
            "moduleImportInvalidListIdentifier",
            "Invalid Cost Centers identifier: CC_999",
        ),
        ("A6100,CC_010,July 25,Actual,1", "moduleImportInvalidTimeEntityIdentifier", "identifier: July 25"),
        ("A6100,CC_010,Jul 27,Actual,1", "moduleImportInvalidTimeEntityIdentifier", "identifier: Jul 27"),
        ("A6100,CC_010,Jul 25,Actuals,1", "moduleImportInvalidListIdentifier", "Invalid Versions identifier: Actuals"),
        ('A6100,CC_010,Jul 25,Actual,"1,000.00"', "moduleImportNumberFormat", "Invalid number: 1,000.00"),
        ("A6100,CC_010,Jul 25,Actual,(5)", "moduleImportNumberFormat", "Invalid number: (5)"),
        ("A6100,CC_010,Jul 25,Actual,NaN", "moduleImportNumberFormat", "Invalid number: NaN"),
        ("A6100,CC_010,Jul 25,Actual,１２", "moduleImportNumberFormat", "Invalid number: １２"),
        ("A6100,CC_010,Jul 25,Actual,1e3", "moduleImportNumberFormat", "Invalid number: 1e3"),
        ("A6100,CC_010,Jul 25", "columnSeparatorExpected", "Column separator expected"),
        ('A6100,CC_010,Jul 25,Actual,"1', "unmatchedTextDelimiter", "Unmatched text delimiter"),
    ],
)
def test_a_bad_row_fails_and_stands_in_the_dump(caller, cells, row, type_, message):
    """The good row is loaded, the bad one is in the dump with its line in the file."""
    ended = caller.load(f"A6100,CC_020,Jul 25,Actual,8\n{row}\n")
    assert (1, 1, 0, 2) == _counts(ended)
    assert ["lineItemRowsProcessedWithFailures", type_] == _types(ended)
    assert ended["result"]["failureDumpAvailable"]
    dumped = caller.dump(ended["taskId"])
    assert [("E", "3")] == [(one["_Status_"], one["_Line_"]) for one in dumped]
    assert dumped[0]["_Error_1_"].endswith(message)
    assert {("A6100", "CC_020", "Jul 25", "Actual"): "8.00"} == cells()


def test_a_row_may_have_several_errors(caller):
    """One column per message, the source columns as they were, all of it quoted."""
    ended = caller.load("AX,CC_010,Jul 25,Actual,1\nAY,CCY,never,Actual,1\n")
    first, second = caller.dump(ended["taskId"])
    assert ("AX", "2", "", "") == (first["Account"], first["_Line_"], first["_Error_2_"], first["_Error_3_"])
    assert "Invalid date or timescale identifier: never" == second["_Error_3_"]
    text = caller.get(f"imports/{IMPORT}/tasks/{ended['taskId']}/dump").text
    assert text.startswith('"_Status_","Account","Cost Center","Period","Version","Amount","_Line_","_Error_1_"')


def test_line_numbers_count_lines_of_the_file(caller):
    """A quoted text with line breaks takes several lines; an empty line is no row."""
    ended = caller.load('"A\n\n6100",CC_010,Jul 25,Actual,1\n\nAX,CC_010,Jul 25,Actual,1\n')
    assert ["2", "6"] == [row["_Line_"] for row in caller.dump(ended["taskId"])]


@pytest.mark.parametrize(
    "row",
    [
        "T_REVENUE,CC_010,Jul 25,Actual,1",
        "A6100,CC_TOTAL,Jul 25,Actual,1",
        "A6100,CC_010,Q1 FY26,Actual,1",
        "A6100,CC_010,FY26,Actual,1",
    ],
)
def test_values_on_totals_are_ignored(caller, cells, row):
    """Counted, but no failure and no dump."""
    ended = caller.load(row + "\n")
    assert (0, 0, 1, 1) == _counts(ended)
    assert (True, False) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    assert {} == cells()


def test_a_calculated_line_item_is_ignored(tenant):
    """An import may aim at one; nothing is written."""
    model = tenant.model()
    module, source = model.modules["102000000001"], model.files[FILE]
    pairs = (("Account", "Accounts"), ("Cost Center", "Cost Centers"), ("Period", "Time"), ("Version", "Versions"))
    action = ImportAction(
        "112000000077", "Both", FILE, module.id, (*pairs, ("Amount", "Amount"), ("YTD", "Amount YTD"))
    )
    content = (HEADER.strip() + ",YTD\nA6100,CC_010,Jul 25,Actual,1,99\n").encode()
    outcome = evaluate(action, module, source, content, DEFAULTS)
    assert (1, 0) == (outcome.tallies["Amount"].loaded, outcome.tallies["Amount"].ignored)
    assert (0, 1) == (outcome.tallies["Amount YTD"].loaded, outcome.tallies["Amount YTD"].ignored)
    write(module, outcome, "off")
    assert {JULY: Decimal(1)} == module.values("Amount")


def test_year_to_date_runs_from_july(tenant):
    """It starts anew each fiscal year and goes on to its end."""
    module = tenant.model().modules["102000000001"]
    for month, amount in (("Jun 25", "5"), ("Jul 25", "10"), ("Sep 25", "-3")):
        tenant.edit_cell(("A6100", "CC_010", month, "Actual"), Decimal(amount))
    sums = {key[2]: amount for key, amount in module.values("Amount YTD").items()}
    assert (5, 10, 10, 7, 7) == tuple(sums[month] for month in ("Jun 25", "Jul 25", "Aug 25", "Sep 25", "Jun 26"))
    assert {"May 25", "Jul 26"}.isdisjoint(sums)


def test_letter_case_of_a_code_may_not_count(caller, tenant, cells):
    """The look-up by the API does not tell a6100 from A6100; whether an import does, nobody has recorded."""
    tenant.set_switches({"match_case": False})
    assert (2, 0, 0, 2) == _counts(caller.load("a6100,cc_010,jul 25,actual,1\nA6100,CC_010,Jul 25,Actual,1\n"))
    assert {JULY: "2.00"} == cells()


def test_columns_are_found_by_name(caller, cells):
    """Another order and further columns do no harm."""
    caller.load("Actual,x,8,Jul 25,CC_010,A6100\n", header="Version,Note,Amount,Period,Cost Center,Account\n")
    assert {JULY: "8.00"} == cells()


def test_a_missing_column_fails_the_whole_import(caller, cells):
    """A renamed header, a wrong separator, an empty file: nothing is loaded, and the column is named."""
    for header in ("Account,Cost Center,Period,Version,Value\n", HEADER.replace(",", ";")):
        ended = caller.load("A6100,CC_010,Jul 25,Actual,1\n", header=header)
        assert ("COMPLETE", False, ["missingFields"]) == (
            ended["taskState"],
            ended["result"]["successful"],
            _types(ended),
        )
        assert "Amount" in ended["result"]["details"][0]["localMessageText"]
    assert {} == cells()


def test_a_mapping_by_position_takes_the_wrong_column(caller, tenant, cells):
    """The classic silent mistake: the header is not looked at."""
    tenant.set_switches({"mapping_by": "position"})
    assert caller.load("A6100,CC_010,Jul 25,Actual,8\n", header="a,b,c,d,e\n")["result"]["successful"]
    assert {JULY: "8.00"} == cells()
    assert (0, 1, 0, 1) == _counts(
        caller.load("8,A6100,CC_010,Jul 25,Actual\n", header="Amount,Account,Cost Center,Period,Version\n")
    )


def test_a_byte_order_mark_and_crlf_do_no_harm(caller, cells):
    """Text as spreadsheets save it."""
    caller.upload(("\ufeff" + HEADER + "A6100,CC_010,Jul 25,Actual,8\n").replace("\n", "\r\n"))
    assert (1, 0, 0, 1) == _counts(caller.wait(caller.start()))
    assert {JULY: "8.00"} == cells()


def test_members_can_be_matched_by_name(caller, tenant, cells):
    """Then codes are unknown."""
    tenant.set_switches({"match_members": "name"})
    ended = caller.load("6100 Travel,Denver Consulting,Jul 25,Actual,8\nA6100,CC_010,Jul 25,Actual,8\n")
    assert (1, 1, 0, 2) == _counts(ended)
    assert {("A6100", "CC_020", "Jul 25", "Actual"): "8.00"} == cells()


@pytest.mark.parametrize(("blank", "after"), [("skip", "5.00"), ("zero", "0.00")])
def test_a_blank_value(caller, tenant, cells, blank, after):
    """Leaves the cell alone or writes a zero: nobody knows, so both."""
    caller.load("A6100,CC_010,Jul 25,Actual,5\n")
    tenant.set_switches({"blank_cells": blank})
    caller.load("A6100,CC_010,Jul 25,Actual,\n")
    assert {JULY: after} == cells()


@pytest.mark.parametrize(
    ("clear", "kept"),
    [
        ("off", {"A6100/CC_010", "A6110/CC_020", "A6100/CC_020", "A6110/CC_010", "A6120/CC_010"}),
        ("mapped", {"A6100/CC_010", "A6110/CC_020", "A6120/CC_010"}),
        ("all", {"A6100/CC_010", "A6110/CC_020"}),
    ],
)
def test_clearing_the_target_first(caller, tenant, cells, clear, kept):
    """ "Mapped" clears the cross product of the items in the file: neighbours of a delta go. Another month stays."""
    accounts, centers = ("A6100", "A6110"), ("CC_010", "CC_020")
    for account in accounts:
        for center in centers:
            tenant.edit_cell((account, center, "Jul 25", "Actual"), Decimal(1))
    tenant.edit_cell(("A6120", "CC_010", "Jul 25", "Actual"), Decimal(1))
    tenant.edit_cell(("A6100", "CC_010", "Aug 25", "Actual"), Decimal(1))
    tenant.set_switches({"clear_target": clear})
    caller.load("A6100,CC_010,Jul 25,Actual,2\nA6110,CC_020,Jul 25,Actual,2\n")
    after = cells()
    assert kept == {f"{key[0]}/{key[1]}" for key, amount in after.items() if key[2] == "Jul 25" and amount != "0.00"}
    assert ("0.00" if clear == "all" else "1.00") == after["A6100", "CC_010", "Aug 25", "Actual"]


def test_a_file_without_data_clears_nothing(caller, tenant, cells):
    """Header only."""
    tenant.edit_cell(JULY, Decimal(1))
    tenant.set_switches({"clear_target": "all"})
    assert (0, 0, 0, 0) == _counts(caller.load(""))
    assert {JULY: "1.00"} == cells()


@pytest.mark.parametrize(("counted", "counts"), [(True, (1, 0, 2, 3)), (False, (1, 0, 0, 1))])
def test_rows_dropped_by_the_mapping(caller, tenant, cells, counted, counts):
    """No error and no dump; perhaps not even a count. Only a read-back shows the gap."""
    tenant.set_switches({"ignore_rows": 2, "ignored_counted": counted})
    ended = caller.load("".join(f"A6100,CC_0{n}0,Jul 25,Actual,1\n" for n in (1, 2, 3)))
    assert counts == _counts(ended)
    assert (True, False) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    assert {("A6100", "CC_030", "Jul 25", "Actual"): "1.00"} == cells()


def test_rows_refused_though_fine(caller, tenant, cells):
    """Row numbers may be picked; the message is the switch's."""
    tenant.set_switches({"reject_rows": [2], "reject_message": "No write access"})
    ended = caller.load("".join(f"A6100,CC_0{n}0,Jul 25,Actual,1\n" for n in (1, 2, 3)))
    assert [("CC_020", "No write access")] == [
        (row["Cost Center"], row["_Error_1_"]) for row in caller.dump(ended["taskId"])
    ]
    assert 2 == len(cells())


@pytest.mark.parametrize("flag", [True, False])
def test_the_flag_after_a_partial_failure(caller, tenant, cells, flag):
    """Nobody knows whether `successful` is false when only some rows fail; good rows are loaded either way."""
    tenant.set_switches({"successful_despite_failures": flag})
    ended = caller.load("A6100,CC_010,Jul 25,Actual,1\nAX,CC_010,Jul 25,Actual,1\n")
    assert (flag, True) == (ended["result"]["successful"], ended["result"]["failureDumpAvailable"])
    assert {JULY: "1.00"} == cells()


@pytest.mark.parametrize(
    ("style", "text", "values"),
    [
        (
            "values",
            "Amount: 1 rows successful, 0 failed, 0 ignored",
            ["lineItemName", "Amount", "successRowCount", "1"],
        ),
        ("text", "Amount: 1 rows successful, 0 failed, 0 ignored", []),
        ("other_keys", "Amount: 1 rows successful, 0 failed, 0 ignored", ["name", "Amount", "cellsLoaded", "1"]),
        ("german", "Amount: 1 Zeilen erfolgreich, 0 fehlgeschlagen, 0 ignoriert", []),
        (
            "nulls",
            "Amount: 1 rows successful, 0 failed, 0 ignored",
            ["lineItemName", "Amount", "successRowCount", "1", "failedCount", None],
        ),
    ],
)
def test_styles_of_the_details(caller, tenant, style, text, values):
    """Keys of a module import are not recorded anywhere, so they vary."""
    tenant.set_switches({"details_style": style})
    detail = caller.load("A6100,CC_010,Jul 25,Actual,1\n")["result"]["details"][0]
    assert text == detail["localMessageText"]
    assert values == detail["values"][: len(values)]
    assert bool(values) == bool(detail["values"])


def test_details_and_object_name_may_be_missing(caller, tenant):
    """An empty list, and no objectName."""
    tenant.set_switches({"details_style": "none", "object_name": False})
    result = caller.load("A6100,CC_010,Jul 25,Actual,1\n")["result"]
    assert [] == result["details"]
    assert "objectName" not in result


def test_a_dump_comes_in_chunks_too(caller, tenant):
    """Joined they are the whole."""
    tenant.set_switches({"dump_chunk_bytes": 100})
    task = caller.load("AX,CC_010,Jul 25,Actual,1\n" * 5)["taskId"]
    path = f"imports/{IMPORT}/tasks/{task}/dump"
    ids = [one["id"] for one in caller.get(f"{path}/chunks").json()["chunks"]]
    assert len(ids) > 2
    whole = caller.get(path)
    assert whole.text == "".join(caller.get(f"{path}/chunks/{number}").text for number in ids)
    assert whole.headers["content-type"].startswith("text/plain")
    assert whole.text == caller.get(f"imports/{IMPORT}/tasks/{task}/dumps/{IMPORT}").text


def test_only_the_latest_failing_task_has_a_dump(caller):
    """The older one still says that it has one."""
    older = caller.load("AX,CC_010,Jul 25,Actual,1\n")["taskId"]
    newer = caller.load("AY,CC_010,Jul 25,Actual,1\n")["taskId"]
    assert caller.task(older)["result"]["failureDumpAvailable"]
    assert 404 == caller.get(f"imports/{IMPORT}/tasks/{older}/dump").status_code
    assert ["AY"] == [row["Account"] for row in caller.dump(newer)]


def test_a_clean_run_takes_the_dump_away(caller):
    """And a clean task has none: 404, also for its chunks."""
    failing = caller.load("AX,CC_010,Jul 25,Actual,1\n")["taskId"]
    clean = caller.load("A6100,CC_010,Jul 25,Actual,1\n")["taskId"]
    for task in (failing, clean):
        assert 404 == caller.get(f"imports/{IMPORT}/tasks/{task}/dump").status_code
        assert 404 == caller.get(f"imports/{IMPORT}/tasks/{task}/dump/chunks").status_code


def test_a_dump_belongs_to_its_user(new_caller):
    """Another user sees the task in the list, but not the dump."""
    mine, other = new_caller(), new_caller(user=2)
    task = mine.load("AX,CC_010,Jul 25,Actual,1\n")["taskId"]
    assert task in {one["taskId"] for one in other.get(f"imports/{IMPORT}/tasks").json()["tasks"]}
    assert 404 == other.get(f"imports/{IMPORT}/tasks/{task}/dump").status_code
    other.load("A6100,CC_010,Jul 25,Actual,1\n")
    assert 1 == len(mine.dump(task))


def test_a_dump_dies_48_hours_after_the_last_look(caller, clock):
    """Looking prolongs it."""
    task = caller.load("AX,CC_010,Jul 25,Actual,1\n")["taskId"]
    for _ in range(2):
        clock.advance(47 * 3600)
        caller.log_in()
        assert 1 == len(caller.dump(task))
    clock.advance(48 * 3600)
    caller.log_in()
    assert 404 == caller.get(f"imports/{IMPORT}/tasks/{task}/dump").status_code


@pytest.mark.parametrize("status", ["404", "500"])
def test_a_dump_can_be_out_of_reach(caller, tenant, status):
    """Though the task says that it is there."""
    tenant.set_switches({"dump_fetch": status})
    task = caller.load("AX,CC_010,Jul 25,Actual,1\n")
    assert task["result"]["failureDumpAvailable"]
    answer = caller.get(f"imports/{IMPORT}/tasks/{task['taskId']}/dump")
    assert int(status) == answer.status_code == answer.json()["status"]["code"]


def test_a_dump_inside_a_process(caller):
    """Under dumps/{import id} of the process task."""
    caller.upload(HEADER + "AX,CC_010,Jul 25,Actual,1\n")
    task = caller.start("processes", PROCESS)
    nested = caller.wait(task, "processes", PROCESS)["result"]["nestedResults"]
    assert [True, False, False] == [step["failureDumpAvailable"] for step in nested]
    path = f"processes/{PROCESS}/tasks/{task}/dumps/{IMPORT}"
    assert '"AX"' in caller.get(path).text
    assert caller.get(path).text == caller.get(f"{path}/chunks/0").text


def test_a_month_of_a_large_company(tenant):
    """25,000 rows, some of them for the same cell: every row counts and the sum is exact."""
    model = tenant.model()
    module, source, action = model.modules["102000000001"], model.files[FILE], model.actions("imports")[0]
    accounts = [one.key for one in module.dimensions[0].members if one.key not in module.dimensions[0].totals]
    rows = [f"{accounts[n % 150]},CC_0{n % 9 + 1}0,Jul 25,Actual,{n}.25" for n in range(25_000)]
    outcome = evaluate(action, module, source, (HEADER + "\n".join(rows)).encode(), DEFAULTS)
    write(module, outcome, "mapped")
    assert 25_000 == outcome.tallies["Amount"].loaded
    assert Decimal(25_000 * 24_999 // 2) + Decimal("6250") == sum(module.values("Amount").values())


def test_members_without_a_code_go_by_name():
    """What stands for a member in a cell key."""
    assert ("A1", "Jul 25") == (Member("1", "One", "A1").key, Member("2", "Jul 25").key)
