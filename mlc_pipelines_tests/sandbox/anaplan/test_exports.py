"""Reading back: the export and its file."""

from decimal import Decimal

import pytest

IMPORT, FILE, EXPORT = "112000000001", "113000000001", "116000000001"


def _rows(text):
    return [line.split(",") for line in text.splitlines()[1:]]


def test_rows_that_are_not_zero_or_were_ever_written(caller):
    """Leaves by code, numbers without trailing zeros, accumulated months to the end of the fiscal year."""
    caller.load("A6100,CC_010,Apr 26,Actual,100.50\nA6100,CC_010,May 26,Actual,0\nA6110,CC_010,Jun 26,Actual,0\n")
    text = caller.export()
    assert "Account,Cost Center,Period,Version,Amount,Amount YTD" == text.splitlines()[0]
    assert [
        ["A6100", "CC_010", "Apr 26", "Actual", "100.5", "100.5"],
        ["A6100", "CC_010", "May 26", "Actual", "0", "100.5"],
        ["A6100", "CC_010", "Jun 26", "Actual", "0", "100.5"],
        ["A6110", "CC_010", "Jun 26", "Actual", "0", "0"],
    ] == _rows(text)


def test_rows_come_in_the_order_of_the_model(caller):
    """Accounts, cost centers, months, versions as the lists have them, not as text sorts."""
    caller.load("A6110,CC_010,Jul 25,Actual,1\nA6100,CC_010,Jun 26,Budget,1\nA6100,CC_010,Jun 26,Actual,1\n")
    first_three = [row[:4] for row in _rows(caller.export())[:3]]
    assert ["A6100", "CC_010", "Jun 26", "Actual"] == first_three[0]
    assert ["A6100", "CC_010", "Jun 26", "Budget"] == first_three[1]
    assert ["A6110", "CC_010", "Jul 25", "Actual"] == first_three[2]


def test_an_empty_module_exports_a_header(caller):
    """And nothing below it."""
    assert "Account,Cost Center,Period,Version,Amount,Amount YTD\n" == caller.export()


def test_the_file_has_the_id_of_the_export_and_comes_in_chunks(caller, tenant):
    """Chunks cut anywhere, also inside a letter; joined they are the whole file."""
    tenant.set_switches({"export_chunk_bytes": 37, "export_members": "name"})
    caller.load("A6150,CC_010,Jun 26,Actual,1\n")
    whole = caller.export().encode()
    ids = [one["id"] for one in caller.get(f"files/{EXPORT}/chunks").json()["chunks"]]
    assert len(ids) > 2
    assert whole == b"".join(caller.get(f"files/{EXPORT}/chunks/{number}").content for number in ids)
    counts = {one["id"]: one["chunkCount"] for one in caller.get("files").json()["files"]}
    assert len(ids) == counts[EXPORT]


def test_the_file_is_private_to_the_user(new_caller):
    """Another user has to run the export."""
    mine, other = new_caller(), new_caller(user=2)
    mine.export()
    assert 404 == other.get(f"files/{EXPORT}").status_code


def test_names_with_commas_and_quotes(caller, tenant):
    """Quoted as CSV wants it."""
    tenant.set_switches({"export_members": "name"})
    caller.load("A6440,CC_020,Jun 26,Actual,1\nA1350,CC_NONE,Jun 26,Actual,1\n")
    text = caller.export()
    assert '"6440 The ""Summit"" fund",Denver Consulting,Jun 26,Actual,1,1' in text
    assert '"1350 Dépôt, Genève",No cost center,Jun 26,Actual,1,1' in text


def test_totals_among_the_leaves(caller, tenant):
    """Parents, quarters and years, which post twice if taken; year to date is closed over time, not summed."""
    tenant.set_switches({"export_totals": True})
    caller.load("A6100,CC_020,May 26,Actual,1\nA6110,CC_020,Jun 26,Actual,2\n")
    rows = {tuple(row[:4]): row[4:] for row in _rows(caller.export())}
    assert ["1", "1"] == rows["A6100", "CC_020", "May 26", "Actual"]
    assert ["3", "3"] == rows["T_TRAVEL", "CC_020", "Q4 FY26", "Actual"]
    assert ["3", "3"] == rows["A_TOTAL", "CC_TOTAL", "FY26", "Actual"]
    assert ["1", "1"] == rows["A6100", "T_MOUNTAIN_REGION", "FY26", "Actual"]


def test_float_noise(caller, tenant):
    """Exact by default; by switch as a double that was split and added up again, right to the cent."""
    rows = "".join(f"A6100,CC_0{n}0,Jun 26,Actual,{n}64.6{n}\n" for n in range(1, 10))
    caller.load(rows)
    exact = {row[1]: row[4] for row in _rows(caller.export())}
    assert "164.61" == exact["CC_010"]
    tenant.set_switches({"float_noise": True})
    noisy = {row[1]: row[4] for row in _rows(caller.export())}
    assert exact != noisy
    assert max(map(len, noisy.values())) > 12
    cent = Decimal("0.01")
    assert {one: Decimal(text) for one, text in exact.items()} == {
        one: Decimal(text).quantize(cent) for one, text in noisy.items()
    }


@pytest.mark.parametrize(("ends", "state"), [("UNSUCCESSFUL", "COMPLETE"), ("CANCELLED", "CANCELLED")])
def test_a_failed_export_leaves_the_old_file(caller, tenant, ends, state):
    """What is there belongs to an earlier task."""
    old = caller.export()
    caller.load("A6100,CC_010,Jun 26,Actual,1\n")
    tenant.set_switches({"export_ends": ends})
    ended = caller.wait(caller.start("exports", EXPORT), "exports", EXPORT)
    assert (state, False) == (ended["taskState"], ended["result"]["successful"])
    assert old == caller.get(f"files/{EXPORT}").text


def test_a_second_export_replaces_the_file(caller):
    """Between two chunks of a slow reader, if it comes to that."""
    before = caller.export()
    caller.load("A6100,CC_010,Jun 26,Actual,1\n")
    assert before != caller.export()


def test_the_task_names_the_export(caller):
    """objectId is the id of the export and of its file."""
    ended = caller.wait(caller.start("exports", EXPORT), "exports", EXPORT)
    assert (EXPORT, ["exportSucceeded"]) == (
        ended["result"]["objectId"],
        [one["type"] for one in ended["result"]["details"]],
    )
