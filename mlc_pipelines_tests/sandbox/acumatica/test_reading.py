"""Lists and single records: shapes, select, expand, paging, order, and what goes wrong. Reference: acumatica 3.1 to 3.4."""

import re
from decimal import Decimal

import pytest


def test_a_batch_as_the_site_writes_it(rig):
    """Value objects around every field; `{}` for an empty one; nothing expanded; links with the virtual directory."""
    batch = rig.rows("JournalTransaction", filter="BatchNbr eq 'GL000008'")[0]
    number = batch["id"]
    assert {"value": "GL000008"} == batch["BatchNbr"]
    assert {} == batch["Description"]
    assert {"value": "132025"} == batch["PostPeriod"]
    assert {"value": "2025-06-30T00:00:00+00:00"} == batch["TransactionDate"]
    assert {"value": "2026-01-09T12:00:00+00:00"} == batch["LastModifiedDateTime"]
    assert (1, {"value": ""}, {}) == (batch["rowNumber"], batch["note"], batch["custom"])
    assert "Details" not in batch
    assert f"/AcumaticaERP/entity/Default/24.200.001/JournalTransaction/{number}" == batch["_links"]["self"]


def test_lines_come_with_expand_and_amounts_have_four_decimals(rig):
    """Amounts are JSON numbers, digit for digit."""
    response = rig.get("JournalTransaction/GL/GL000003", expand="Details")
    assert '"DebitAmount":{"value":10.0500}' in response.text
    first = response.json()["Details"][0]
    told = rig.plain(first)
    assert ("0010", "020-ADV", "WEST", 1) == (told["Account"], told["Subaccount"], told["BranchID"], told["LineNbr"])
    assert ("Petty cash", "Counsel, Genève", "R1") == (
        told["Description"],
        told["TransactionDescription"],
        told["ReferenceNbr"],
    )
    assert (None, {}, {}) == (first["note"], first["custom"], first["UOM"])


def test_without_top_a_list_holds_everything(rig):
    """All nine batches, bare in an array, by module and number."""
    numbers = [row["BatchNbr"]["value"] for row in rig.rows("JournalTransaction")]
    assert ["AP000001", *(f"GL00000{n}" for n in range(1, 9))] == numbers


def test_top_and_skip_cut_a_page(rig):
    """The page is numbered from 1; a page past the end is empty."""
    page = rig.rows("JournalTransaction", top=2, skip=1)
    assert [("GL000001", 1), ("GL000002", 2)] == [(row["BatchNbr"]["value"], row["rowNumber"]) for row in page]
    assert [] == rig.rows("JournalTransaction", skip=9)
    assert 400 == rig.get("JournalTransaction", top="many").status_code


def test_scrambled_order_is_another_one_at_each_call(rig):
    """No order is promised, so a test can make it show: same rows, other order."""
    rig.site.set_switches({"order": "scrambled"})
    calls = [[row["BatchNbr"]["value"] for row in rig.rows("JournalTransaction")] for _ in range(4)]
    assert 1 == len({tuple(sorted(call)) for call in calls})
    assert 1 < len({tuple(call) for call in calls})


def test_select_names_the_fields_and_nested_ones_need_the_expand(rig):
    """Details/Account without the expand gives no details."""
    chosen = "Module,BatchNbr,Details/Account,Details/DebitAmount"
    row = rig.rows("JournalTransaction", select=chosen, expand="Details", top=1)[0]
    assert {"Module", "BatchNbr", "Details"} == set(row) - {"id", "rowNumber", "note", "custom", "_links"}
    assert {"Account", "DebitAmount"} == set(rig.plain(row["Details"][0]))
    assert "Details" not in rig.rows("JournalTransaction", select=chosen, top=1)[0]


def test_custom_reaches_fields_outside_the_contract(rig):
    """By view and field, with their type; an unknown one is left out."""
    asked = "BatchModule.AutoReverse,BatchModule.OrigBatchNbr,BatchModule.Nothing"
    row = rig.rows("JournalTransaction", custom=asked, top=1)[0]
    assert {
        "BatchModule": {
            "AutoReverse": {"type": "CustomBooleanField", "value": False},
            "OrigBatchNbr": {"type": "CustomStringField"},
        }
    } == row["custom"]


def test_a_record_is_found_by_its_keys_or_its_id(rig):
    """Keys in contract order."""
    by_keys = rig.get("JournalTransaction/AP/AP000001").json()
    assert by_keys == rig.get(f"JournalTransaction/{by_keys['id']}").json()
    assert "NA" == rig.get("Account/NA").json()["AccountCD"]["value"]
    year = rig.get("CompanyFinancialPeriod/MERIDIAN/2026", expand="Details").json()
    assert 13 == len(year["Details"])


@pytest.mark.parametrize(
    "path",
    ["JournalTransaction/GL/GL999999", "JournalTransaction/AP/GL000001", "JournalTransaction/GL,GL000001", "Account/X"],
)
def test_a_missing_record_is_a_500(rig, path):
    """Not a 404; the exceptionType tells."""
    response = rig.get(path)
    assert 500 == response.status_code
    assert "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException" == response.json()["exceptionType"]


def test_accounts_subaccounts_and_ledgers(rig):
    """Codes are texts with their leading zeros; four account types; the ledger tells its branches and companies."""
    accounts = {row["AccountCD"]["value"]: rig.plain(row) for row in rig.rows("Account")}
    assert ("Petty cash", "Asset", True) == tuple(accounts["0010"][name] for name in ("Description", "Type", "Active"))
    assert {"Asset", "Liability", "Income", "Expense"} == {account["Type"] for account in accounts.values()}
    assert "020-ADV" in {row["SubaccountCD"]["value"] for row in rig.rows("Subaccount")}
    ledgers = rig.rows("Ledger", expand="Branches,Companies")
    kinds = {row["LedgerID"]["value"]: row["Type"]["value"] for row in ledgers}
    assert {"ACTUAL": "Actual", "STAT": "Statistical", "PLAN": "Statistical", "BUDGET": "Budget"} == kinds
    assert ["HQ", "WEST"] == [branch["BranchID"]["value"] for branch in ledgers[0]["Branches"]]
    assert "MERIDIAN" == ledgers[0]["Companies"][0]["Company"]["value"]


def test_the_calendar_tells_status_and_adjustment_period(rig):
    """Period 13 starts and ends on one day; a company's calendar repeats the master one here."""
    years = {row["FinancialYear"]["value"]: row for row in rig.rows("FinancialPeriod", expand="Details")}
    assert ["2025", "2026", "2027"] == list(years)
    last = rig.plain(years["2026"]["Details"][12])
    assert ("132026", "13", True) == (last["FinancialPeriodID"], last["PeriodNbr"], last["AdjustmentPeriod"])
    assert last["StartDate"] == last["EndDate"] == "2026-06-30T00:00:00+00:00"
    assert {"Closed", "Open"} == {rig.plain(row)["Status"] for row in years["2026"]["Details"]}
    assert ["MERIDIAN"] * 3 == [row["Company"]["value"] for row in rig.rows("CompanyFinancialPeriod")]


def test_the_calendar_can_be_empty_without_a_company_context(rig):
    """200 and no rows, as seen on sites of several companies."""
    rig.site.set_switches({"calendar_rows": False})
    assert [] == rig.rows("FinancialPeriod")
    assert [] == rig.rows("CompanyFinancialPeriod")


def test_periods_are_shown_with_or_without_dash(rig):
    """By switch, everywhere alike."""
    rig.site.set_switches({"post_period_format": "MM-YYYY"})
    assert "12-2025" == rig.rows("JournalTransaction", filter="BatchNbr eq 'GL000001'")[0]["PostPeriod"]["value"]
    assert "03-2026" == rig.lines()[0]["PeriodID"]["value"]
    details = rig.rows("FinancialPeriod", expand="Details")[0]["Details"]
    assert "01-2025" == details[0]["FinancialPeriodID"]["value"]


def test_batches_can_be_lost_and_doubled(rig):
    """What unordered paging may do, on purpose."""
    rig.site.set_switches({"drop_batches": 2, "repeat_batches": 1})
    numbers = [row["BatchNbr"]["value"] for row in rig.rows("JournalTransaction")]
    assert ["AP000001", *(f"GL00000{n}" for n in range(1, 7)), "AP000001"] == numbers


def test_an_unknown_field_may_stand_in_every_record(rig):
    """A customised site adds its own."""
    rig.site.set_switches({"extra_unknown_fields": True})
    row = rig.rows("JournalTransaction", expand="Details", top=1)[0]
    assert "UsrSandboxRemark" in row
    assert "UsrSandboxRemark" in row["Details"][0]


def test_indented_json_says_the_same(rig):
    """Only the bytes between the values differ, and amounts keep their digits."""
    compact = rig.get("JournalTransaction", expand="Details")
    rig.site.set_switches({"pretty_json": True})
    indented = rig.get("JournalTransaction", expand="Details")
    assert compact.json(parse_float=Decimal) == indented.json(parse_float=Decimal)
    assert compact.text != indented.text
    assert re.search(r'"DebitAmount": \{\r\n +"value": 10\.0500\r\n', indented.text)
    assert '"custom": {}' in indented.text


def test_unexpanded_details_may_be_empty_lists(rig):
    """Some builds show them so."""
    rig.site.set_switches({"unexpanded": "empty"})
    assert [] == rig.rows("JournalTransaction", top=1)[0]["Details"]


def test_a_branch_header_is_accepted(rig):
    """It changes nothing in a read."""
    headers = rig.signed_in() | {"PX-CbApiBranch": "WEST"}
    assert 9 == len(rig.http.get(f"{rig.entity}/JournalTransaction", headers=headers).json())
