"""Posted lines and balances, asked by PUT. Reference: acumatica 3.4 to 3.7."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from mlc_pipelines.sandbox.company import Line

LINES = "AccountDetailsForPeriodInquiry"


def numbers(rows):
    return sorted({row["BatchNumber"]["value"] for row in rows})


def test_posted_lines_of_one_period_and_ledger(rig):
    """Neither unreleased nor unposted nor statistical ones, nor those of another period."""
    rows = rig.lines()
    assert ["AP000001", "GL000002", "GL000003"] == numbers(rows)
    assert 6 == len(rows)
    assert Decimal("110.06") == sum(row["DebitAmount"]["value"] for row in rows)
    assert Decimal("110.06") == sum(row["CreditAmountInBaseCurrency"]["value"] for row in rows)


def test_a_line_as_the_site_writes_it(rig):
    """All 22 fields of the contract; amounts with four decimals."""
    response = rig.ask(LINES, FromPeriod="032026", ToPeriod="032026", Ledger="ACTUAL")
    assert '"DebitAmountInBaseCurrency":{"value":0.0100}' in response.text
    row = response.json()["Results"][0]
    assert 22 == len(set(row) - {"id", "rowNumber", "note", "custom"})
    told = rig.plain(row)
    assert ("6500", "020-ADV", "HQ", "USD", "AP", "INV") == tuple(
        told[name] for name in ("Account", "Subaccount", "Branch", "Currency", "Module", "TransactionType")
    )
    assert ("032026", True, True, "2025-09-30T00:00:00+00:00") == tuple(
        told[name] for name in ("PeriodID", "Posted", "Released", "TransactionDate")
    )
    assert ("R1", "Counsel, Genève", None) == tuple(
        told[name] for name in ("RefNumber", "TransactionDescription", "CustomerVendor")
    )


@pytest.mark.parametrize(
    ("flags", "more"),
    [
        ({"IncludeUnposted": True}, ["GL000005"]),
        ({"IncludeUnreleased": True}, ["GL000004", "GL000006"]),
        ({"IncludeUnposted": True, "IncludeUnreleased": True}, ["GL000004", "GL000005", "GL000006"]),
    ],
)
def test_the_flags_add_what_is_not_posted(rig, flags, more):
    """And the rows say so themselves."""
    rows = rig.lines(**flags)
    assert sorted(["AP000001", "GL000002", "GL000003", *more]) == numbers(rows)
    unposted = {row["BatchNumber"]["value"] for row in rows if not row["Posted"]["value"]}
    assert set(more) == unposted
    assert {"GL000004", "GL000006"} & unposted == {
        row["BatchNumber"]["value"] for row in rows if not row["Released"]["value"]
    }


def test_a_span_holds_every_period_in_it(rig):
    """Period 13 lies between 12 and the next year's first; both spellings are taken."""
    assert ["GL000001", "GL000008"] == numbers(rig.lines(FromPeriod="12-2025", ToPeriod="012026"))
    assert ["GL000008"] == numbers(rig.lines(FromPeriod="132025", ToPeriod="132025"))
    assert [] == rig.lines(FromPeriod="042026", ToPeriod="032026")


def test_results_only_if_expanded_and_the_parameters_are_echoed(rig):
    """A field that was not sent is empty, a flag is false."""
    told = rig.ask(LINES, expand="", FromPeriod="032026", ToPeriod="032026", Ledger="ACTUAL").json()
    assert "Results" not in told
    assert ({"value": "ACTUAL"}, {"value": False}) == (told["Ledger"], told["IncludeUnposted"])
    assert {} == rig.ask("AccountSummaryInquiry", expand="", Period="032026", Ledger="ACTUAL").json()["Branch"]


def test_results_may_come_before_the_parameters(rig):
    """Nobody promises the order of keys."""
    orders = []
    for place in ("after", "before"):
        rig.site.set_switches({"results_key_order": place})
        keys = list(json.loads(rig.ask(LINES, FromPeriod="032026", ToPeriod="032026", Ledger="ACTUAL").text))
        orders.append(keys.index("Results") > keys.index("Ledger"))
    assert [True, False] == orders


def test_nested_select_narrows_the_rows(rig):
    """Only the named fields of Results."""
    params = {"$expand": "Results", "$select": "Ledger,Results/Account,Results/DebitAmount"}
    body = {name: {"value": value} for name, value in (("FromPeriod", "032026"), ("ToPeriod", "032026"))}
    body["Ledger"] = {"value": "ACTUAL"}
    told = rig.http.put(f"{rig.entity}/{LINES}", params=params, json=body, headers=rig.signed_in()).json()
    assert {"Account", "DebitAmount"} == set(rig.plain(told["Results"][0]))


@pytest.mark.parametrize("inquiry", [LINES, "AccountSummaryInquiry"])
def test_a_list_of_an_inquiry_cannot_be_optimized(rig, inquiry):
    """500 with the exceptionType that tells a client to use PUT."""
    response = rig.get(inquiry)
    kind = "PX.Api.ContractBased.OptimizedExport.CannotOptimizeException"
    assert (500, kind) == (response.status_code, response.json()["exceptionType"])


@pytest.mark.parametrize(
    ("inquiry", "values", "field"),
    [
        (LINES, {"FromPeriod": "032026", "ToPeriod": "032026", "Ledger": "NOSUCH"}, "Ledger"),
        (LINES, {"FromPeriod": "202603", "ToPeriod": "032026", "Ledger": "ACTUAL"}, "FromPeriod"),
        (LINES, {"FromPeriod": "032026", "ToPeriod": "142026", "Ledger": "ACTUAL"}, "ToPeriod"),
        (LINES, {"FromPeriod": "032026", "ToPeriod": "032026"}, "Ledger"),
        ("AccountSummaryInquiry", {"Ledger": "ACTUAL"}, "Period"),
        ("AccountSummaryInquiry", {"Period": "032026"}, "Ledger"),
        ("AccountSummaryInquiry", {"Period": "032026", "Ledger": "ACTUAL", "Branch": "EAST"}, "Branch"),
    ],
)
def test_a_wrong_parameter_is_a_422_with_the_entity_echoed_or_a_500(rig, inquiry, values, field):
    """The error stands at the field and at the top."""
    response = rig.ask(inquiry, **values)
    assert (422, {field}) == (
        response.status_code,
        {name for name, cell in response.json().items() if isinstance(cell, dict) and "error" in cell},
    )
    assert "at least one error" in response.json()["error"]
    rig.site.set_switches({"inquiry_error_status": 500})
    response = rig.ask(inquiry, **values)
    assert (500, True) == (response.status_code, field in response.json()["exceptionMessage"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"Ledger":"ACTUAL"}', b'{"Ledger":{"value":5}}'])
def test_a_body_that_cannot_be_read_is_a_400(rig, body):
    """Value objects are needed around every parameter."""
    response = rig.http.put(f"{rig.entity}/{LINES}", content=body, headers=rig.signed_in())
    assert (400, "The request is invalid.") == (response.status_code, response.json()["message"])


def test_unknown_names_in_the_body_are_ignored(rig):
    """As is a list of Results that a client sends along."""
    body = {"FromPeriod": "032026", "ToPeriod": "032026", "Ledger": "ACTUAL"}
    wrapped = {name: {"value": value} for name, value in body.items()} | {"Results": [], "Colour": {"value": "red"}}
    response = rig.http.put(f"{rig.entity}/{LINES}?$expand=Results", json=wrapped, headers=rig.signed_in())
    assert (200, 6) == (response.status_code, len(response.json()["Results"]))


@pytest.mark.parametrize("status", [403, 404])
def test_a_site_can_hide_the_inquiry(rig, status):
    """It is a generic inquiry; the balances stay."""
    rig.site.set_switches({"inquiry_hidden": status})
    assert status == rig.ask(LINES, FromPeriod="032026", ToPeriod="032026", Ledger="ACTUAL").status_code
    assert 6 <= len(rig.balances())


def test_lines_can_be_lost_and_doubled(rig):
    """On purpose, so that a reader can be caught; the balances do not change."""
    rig.site.set_switches({"drop_rows": 2})
    assert 4 == len(rig.lines())
    rig.site.set_switches({"drop_rows": 0, "repeat_rows": 1})
    rows = rig.lines()
    assert (7, rows[0]["id"]) == (len(rows), rows[-1]["id"])
    assert Decimal("100.01") == rig.balances()["6500"]["DebitTotal"]


def test_an_answer_follows_the_books(rig):
    """What was rendered is not shown again once a batch was booked or a line re-coded."""
    assert 6 == len(rig.lines())
    now = datetime(2026, 3, 11, tzinfo=UTC)
    slip = [Line(0, "7770", "010-000", "HQ", 5, 0), Line(0, "2010", "010-000", "HQ", 0, 5)]
    rig.site.books.post("ACTUAL", "FY2026-P03", "HQ", "Posted", "Late", slip, now=now)
    assert 8 == len(rig.lines())
    rig.site.books.recode("GL000002", 1, subaccount="030-TAX", now=now)
    assert "030-TAX" in {row["Subaccount"]["value"] for row in rig.lines()}
    assert Decimal("0.05") == rig.balances()["7770"]["EndingBalance"]


def test_a_long_answer_comes_in_chunks_and_whole(rig):
    """2,000 lines: streamed, none lost at the seams between the blocks."""
    slip = [Line(0, "6500", "020-ADV", "HQ", 1, 0), Line(0, "2010", "010-000", "HQ", 0, 1)] * 1000
    rig.site.books.post("ACTUAL", "FY2026-P04", "HQ", "Posted", "Many", slip, now=datetime(2026, 3, 1, tzinfo=UTC))
    response = rig.ask(LINES, FromPeriod="042026", ToPeriod="042026", Ledger="ACTUAL")
    rows = response.json(parse_float=Decimal)["Results"]
    assert "chunked" == response.headers["transfer-encoding"]
    assert list(range(1, 2001)) == [row["rowNumber"] for row in rows]
    assert Decimal(10) == sum(row["DebitAmount"]["value"] for row in rows)


def test_balances_stand_on_their_own_side(rig):
    """A liability with a credit balance is positive; ending = beginning + PtdTotal."""
    balances = rig.balances()
    payables, fees, result = balances["2010"], balances["6500"], balances["3999"]
    amounts = ("BeginningBalance", "DebitTotal", "CreditTotal", "EndingBalance", "PtdTotal")
    assert [Decimal(x) for x in ("2", "0", "100.01", "102.01", "100.01")] == [payables[name] for name in amounts]
    assert [Decimal(x) for x in ("0", "100.01", "0", "100.01", "100.01")] == [fees[name] for name in amounts]
    assert Decimal("-89.96") == result["EndingBalance"]
    assert ("032026", "132025") == (fees["LastActivity"], rig.balances(Period="012026")["2010"]["LastActivity"])


def test_a_new_year_starts_income_and_expense_at_zero(rig):
    """The result of the year before stands in retained earnings."""
    balances = rig.balances(Period="012026")
    assert Decimal("998") == balances["3900"]["EndingBalance"]
    assert Decimal("1000") == balances["1210"]["BeginningBalance"]
    assert {"4010", "6500"}.isdisjoint(balances)


def test_reversed_signs_make_the_rows_add_up(rig):
    """Liability and income balances are negative and the account of the year's result is left out; PtdTotal stays."""
    rig.site.set_switches({"trial_balance_sign": "Reversed"})
    balances = rig.balances()
    assert "3999" not in balances
    assert 0 == sum(row["EndingBalance"] for row in balances.values())
    assert (Decimal("-102.01"), Decimal("100.01")) == (balances["2010"]["EndingBalance"], balances["2010"]["PtdTotal"])


def test_balances_can_be_narrowed(rig):
    """By branch, by class, or to a subaccount (mask), which then stands in the rows."""
    assert {"0010", "4010", "3999"} == set(rig.balances(Branch="WEST"))
    classes = {row["AccountClass"] for row in rig.balances().values()}
    one = sorted(classes)[0]
    assert {one} == {row["AccountClass"] for row in rig.balances(AccountClass=one).values()}
    rows = rig.balances(Subaccount="020-???")
    assert {"020-ADV"} == {row["Subaccount"] for row in rows.values()}
    assert {"0010", "1210", "3900", "3999", "6500"} == set(rows)
    rig.site.set_switches({"summary_of_mask": "summed", "trial_balance_sign": "Reversed"})
    summed = rig.balances(Subaccount="020-???")
    assert {"0010", "1210", "3900", "6500"} == set(summed)
    assert all(row.get("Subaccount") is None for row in summed.values())


def test_lines_and_balances_agree(rig):
    """Debits and credits of the lines equal the totals of the accounts, the result's own account left out."""
    rows, balances = rig.lines(), rig.balances()
    del balances["3999"]
    for side in ("Debit", "Credit"):
        of_lines = sum(row[f"{side}Amount"]["value"] for row in rows)
        assert of_lines == sum(row[f"{side}Total"] for row in balances.values())
