"""The plan in both models: what it holds, how it is exported and shown, who approved it, and the doors to change all that."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mlc_pipelines.sandbox import chart as meridian
from mlc_pipelines.sandbox.anaplan import planner
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.company import sample_company
from mlc_pipelines.sandbox.ironvale import chart as ironvale_chart
from mlc_pipelines.sandbox.ironvale import sample_books
from mlc_pipelines_tests.sandbox.anaplan.conftest import Caller

BUDGET, FORECAST, EVIDENCE = "116000000002", "116000000003", "116000000004"
PLAN, SEPTEMBER = "PL01 Plan", ("A6100", "CC_020", "Sep 26", "Budget")
Row = dict[str, str]


@pytest.fixture
def exported(caller: Caller) -> Callable[[str], list[Row]]:
    """Runs an export; the rows of its file."""

    def run(export: str) -> list[Row]:
        assert caller.run("exports", export)["result"]["successful"]
        return list(csv.DictReader(io.StringIO(caller.get(f"files/{export}").content.decode())))

    return run


def key_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("Account", "Cost Center", "Period", "Version"))


def truth(tenant: Tenant, model: str = "") -> dict[tuple[str, ...], str]:
    rows = tenant.truth_cells(model, PLAN)
    return {(row["account"], row["cost_center"], row["period"], row["version"]): row["amount"] for row in rows}


def months(tenant: Tenant, year: int) -> list[str]:
    return [month.label for month in tenant.model().time.months.values() if month.year == year]


def ironvale_id(tenant: Tenant) -> str:
    return next(model.id for model in tenant.models() if model.name == "Ironvale FP&A")


# -- what it holds ----------------------------------------------------------------------------------------------------


def test_the_first_company_plans_two_whole_years(tenant: Tenant) -> None:
    """Every period of FY2026 and FY2027 in both versions; accounts of income and expense that the ERP has and that are active."""
    held = truth(tenant)
    periods = [*months(tenant, 2026), *months(tenant, 2027)]
    assert {(month, version) for month in periods for version in ("Budget", "Forecast")} == {key[2:] for key in held}
    accounts = sample_company().accounts
    used = {key[0].removeprefix("A") for key in held}
    assert 41 == len(used)
    assert {("Income", True), ("Expense", True)} == {(accounts[code].type, accounts[code].active) for code in used}
    assert set(meridian.COST_CENTERS) == {key[1].removeprefix("CC_") for key in held}


def test_the_second_company_plans_what_it_has_posted_before(tenant: Tenant) -> None:
    """Each account with its department stands in the books already, or the ERP would refuse it."""
    held = truth(tenant, ironvale_id(tenant))
    posted = {
        (account, dept)
        for company, account, dept, _ in sample_books(2026, 1, None).accounts_used
        if company == ironvale_chart.COMPANY
    }
    pairs = {(key[0].removeprefix("A"), key[1].removeprefix("CC_")) for key in held}
    assert set() == pairs - posted
    assert (25, 8) == (len({account for account, _ in pairs}), len({dept for _, dept in pairs}))
    assert {f"P{number:02} FY{year}" for number in range(1, 13) for year in (26, 27)} == {key[2] for key in held}


def test_figures_are_as_planners_write_them(tenant: Tenant) -> None:
    """Fees and salaries both positive, discounts negative; cents; zeros; all of a size that a company has."""
    amounts = {key: Decimal(amount) for key, amount in truth(tenant).items()}
    of = {code: [amount for key, amount in amounts.items() if key[0] == code] for code in ("A4010", "A5010", "A4110")}
    assert min(of["A4010"]) > 0 < min(of["A5010"])
    assert max(of["A4110"]) < 0
    assert 0 in amounts.values()
    assert any(amount % 1 for amount in amounts.values())
    assert 50_000_000 < sum(of["A4010"]) < 500_000_000
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in amounts.values())


def test_the_figures_of_today_are_those_of_yesterday(tenant: Tenant) -> None:
    """An edit is gone after a reset, and nothing else has moved."""
    before = truth(tenant)
    tenant.edit_cell(SEPTEMBER, Decimal("1.23"), "", PLAN)
    assert before != truth(tenant)
    tenant.reset()
    assert before == truth(tenant)


# -- exports and views ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("export", "version"), [(BUDGET, "Budget"), (FORECAST, "Forecast")])
def test_an_export_shows_one_version_cell_by_cell(
    tenant: Tenant, exported: Callable[[str], list[Row]], export: str, version: str
) -> None:
    """Leaves by their codes; an emptied cell is a row without an amount, and a zero is a zero."""
    rows = exported(export)
    assert ["Account", "Cost Center", "Period", "Version", "Amount"] == list(rows[0])
    held = {key: Decimal(amount) for key, amount in truth(tenant).items() if key[3] == version}
    assert held == {key_of(row): Decimal(row["Amount"]) for row in rows if row["Amount"]}
    assert len(rows) == len({key_of(row) for row in rows})
    assert 100 < len([row for row in rows if row["Amount"] == ""]) < 500
    assert any(row["Amount"] == "0" for row in rows)


def test_a_cell_is_edited_and_emptied_by_hand(tenant: Tenant, http: Any, exported: Callable[[str], list[Row]]) -> None:
    """An amount of any fineness, or none."""
    at = {"account": "A6100", "cost_center": "CC_020", "period": "Sep 26", "version": "Budget", "module": PLAN}
    for amount, shown in (("1500.0000001", "1500.0000001"), ("", ""), ("0", "0")):
        assert 204 == http.post("/control/anaplan/cell", json={**at, "amount": amount}).status_code
        assert [shown] == [row["Amount"] for row in exported(BUDGET) if key_of(row) == SEPTEMBER]
    assert "0.00" == truth(tenant)[SEPTEMBER]


def test_a_figure_of_a_year_is_spread_over_its_months(
    tenant: Tenant, http: Any, exported: Callable[[str], list[Row]]
) -> None:
    """A hundred thousand in twelve shares: each is finer than a cent, and together they are the figure but for a trace."""
    body = {"account": "A6100", "cost_center": "CC_020", "year": "FY27", "version": "Budget", "amount": "100000"}
    assert 204 == http.post("/control/anaplan/spread", json=body).status_code
    shown = {row["Period"]: row["Amount"] for row in exported(BUDGET) if key_of(row)[:2] == SEPTEMBER[:2]}
    assert dict.fromkeys(months(tenant, 2027), "8333.333333333333") == {
        period: amount for period, amount in shown.items() if amount == "8333.333333333333"
    }
    assert 400 == http.post("/control/anaplan/spread", json={**body, "year": "FY99"}).status_code


def test_F08_an_export_with_totals_has_rows_of_parents(tenant: Tenant, exported: Callable[[str], list[Row]]) -> None:
    """Parents of accounts and cost centers, quarters and years stand among the leaves; who adds them all up counts twice."""
    leaves = {key_of(row) for row in exported(BUDGET)}
    tenant.set_switches({"export_totals": True})
    rows = {key_of(row): row["Amount"] for row in exported(BUDGET)}
    assert leaves < set(rows)
    assert {"A_TOTAL", "CC_TOTAL", "FY27", "Q1 FY27"} < {part for key in rows for part in key}
    year = set(months(tenant, 2027))
    fiscal = sum(Decimal(amount) for key, amount in truth(tenant).items() if key[2] in year and key[3] == "Budget")
    assert fiscal == Decimal(rows["A_TOTAL", "CC_TOTAL", "FY27", "Budget"])
    assert {"Budget"} == {key[3] for key in rows}


def test_names_and_noise_reach_the_plan_too(tenant: Tenant, exported: Callable[[str], list[Row]]) -> None:
    """The switches of all exports."""
    tenant.set_switches({"export_members": "name", "float_noise": True})
    rows = exported(BUDGET)
    assert "6100 Travel" in {row["Account"] for row in rows}
    assert any(len(row["Amount"].partition(".")[2]) > 6 for row in rows)


def test_the_pool_of_new_hires_comes_and_goes(
    tenant: Tenant, caller: Caller, exported: Callable[[str], list[Row]]
) -> None:
    """A member that no ERP knows, with figures in every planned month, by a switch."""

    def pool() -> list[Row]:
        return [row for row in exported(BUDGET) if row["Account"] == "A_NEW_HIRES"]

    assert [] == pool()
    tenant.set_switches({"new_hire_pool": True})
    tenant.set_switches({"new_hire_pool": True})
    assert 2 * 24 == len(pool())
    assert any(member["name"] == "New hire pool" for member in tenant.truth_members("Accounts"))
    tenant.set_switches({"new_hire_pool": False})
    assert [] == pool()


def test_the_saved_view_shows_the_plan(tenant: Tenant, caller: Caller) -> None:
    """Page by page, months on columns; what was emptied shows nothing."""
    [view] = [one for one in caller.get("views").json()["views"] if one["name"] == caller.info["view_plan"]]
    query = {"format": "v1", "pages": "20000000020:107000000003"}
    body = caller.get(f"views/{view['id']}/data", params=query, headers={"Accept": "application/json"}).json()
    assert "Budget" == body["pages"][0]
    columns = [label for [label] in body["columnCoordinates"]]
    shown = {
        (*row["rowCoordinates"], label, "Budget"): text
        for row in body["rows"]
        for label, text in zip(columns, row["cells"], strict=True)
    }
    held = {key: Decimal(amount) for key, amount in truth(tenant).items() if key[3] == "Budget"}
    assert held == {key: Decimal(text) for key, text in shown.items() if key in held}
    assert any(text == "" for text in shown.values())


# -- approvals --------------------------------------------------------------------------------------------------------


def test_three_witnesses_say_the_same(tenant: Tenant, caller: Caller, exported: Callable[[str], list[Row]]) -> None:
    """The list's properties, the cells of a view and the file of an export: one draft, the others approved."""
    [listed] = [one for one in caller.get("lists").json()["lists"] if one["name"] == "Plan Versions"]
    items = caller.get(f"lists/{listed['id']}/items?includeAll=true").json()["listItems"]
    from_list = {one["name"]: one["properties"] for one in items}
    assert {"", "Plan Versions"} == {one["code"] for one in items} | {one["listName"] for one in items}
    from_file = {row.pop("Plan"): row for row in exported(EVIDENCE)}
    [view] = [one for one in caller.get("views").json()["views"] if one["name"] == caller.info["view_approvals"]]
    query = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": view["moduleId"]}
    table = caller.get(f"views/{view['id']}/data", params=query).content.decode()
    from_cells = {row.pop("Plan Versions"): row for row in csv.DictReader(io.StringIO(table))}
    assert from_list == from_file == from_cells
    assert {
        "Status": "Approved",
        "Approved By": "R. Okafor",
        "Approved At": "2026-06-12T15:30:00Z",
        "Revision": "1",
    } == from_list["FY2027 Budget"]
    assert ["FY2026 Forecast"] == [plan for plan, said in from_list.items() if said["Status"] == "Draft"]


def test_the_grid_of_approvals_is_texts(caller: Caller) -> None:
    """Plans by line items, in JSON as well; the module has neither time nor versions."""
    [view] = [one for one in caller.get("views").json()["views"] if one["name"] == caller.info["view_approvals"]]
    body = caller.get(f"views/{view['id']}/data?format=v1", headers={"Accept": "application/json"}).json()
    assert [["Status"], ["Approved By"], ["Approved At"], ["Revision"]] == body["columnCoordinates"]
    assert ["FY2026 Forecast"] in [row["rowCoordinates"] for row in body["rows"]]
    assert ["Draft", "", "", "1"] in [row["cells"] for row in body["rows"]]
    items = caller.get(f"modules/{view['moduleId']}/lineItems?includeAll=true").json()["items"]
    assert {("TEXT", "Not Applicable")} == {(item["format"], item["timeScale"]) for item in items}
    assert 200 == caller.get(f"views/{view['moduleId']}/data").status_code


def test_a_plan_is_approved_anew_and_withdrawn(tenant: Tenant, http: Any, clock: Any) -> None:
    """The next revision, by whom and when; then a draft again. The other plans stay."""
    others = planner.truth_approvals(tenant)[:1]
    before = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert (
        204 == http.post("/control/anaplan/approve", json={"plan": "FY2027 Budget", "by": "M. Lindqvist"}).status_code
    )
    [now] = [one for one in http.get("/control/truth/approvals").json()["approvals"] if one["plan"] == "FY2027 Budget"]
    assert now["list"] == now["cells"]
    assert ("Approved", "M. Lindqvist", "2") == tuple(
        now["list"][name] for name in ("Status", "Approved By", "Revision")
    )
    assert before <= now["list"]["Approved At"] <= f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    planner.withdraw(tenant, "FY2027 Budget")
    [now] = [one for one in planner.truth_approvals(tenant) if one["plan"] == "FY2027 Budget"]
    assert {"Status": "Draft", "Approved By": "", "Approved At": "", "Revision": "2"} == now["cells"] == now["list"]
    assert others == planner.truth_approvals(tenant)[:1]


def test_the_witnesses_can_be_set_at_odds(tenant: Tenant, http: Any) -> None:
    """One of the two alone; an unknown plan or witness is refused."""
    planner.approve(tenant, "FY2026 Forecast", only="cells", at="yesterday, in the evening", revision="7")
    held = {one["plan"]: one for one in planner.truth_approvals(tenant)}["FY2026 Forecast"]
    assert ("Draft", "1") == (held["list"]["Status"], held["list"]["Revision"])
    assert ("Approved", "yesterday, in the evening", "7") == tuple(
        held["cells"][name] for name in ("Status", "Approved At", "Revision")
    )
    for body in ({"plan": "FY1999 Budget"}, {"plan": "FY2027 Budget", "only": "paper"}):
        assert 400 == http.post("/control/anaplan/approve", json=body).status_code


def test_the_second_company_has_the_same_plan_side(tenant: Tenant, http: Any) -> None:
    """Under ids of its own."""
    model = tenant.model(ironvale_id(tenant))
    assert ["Export Approved Budget", "Export Approved Forecast", "Export Plan Approvals"] == [
        one.name for one in model.actions("exports")[2:]
    ]
    assert 204 == http.post("/control/anaplan/withdraw", json={"plan": "FY2026 Budget", "model": model.id}).status_code
    drafts = [one["plan"] for one in planner.truth_approvals(tenant, model.id) if one["cells"]["Status"] == "Draft"]
    assert ["FY2026 Budget", "FY2026 Forecast"] == drafts
    assert 1 == len([one for one in planner.truth_approvals(tenant) if one["cells"]["Status"] == "Draft"])


@pytest.mark.parametrize("labels", ["month", "number"])
def test_the_plan_follows_the_labels_of_the_weeks(tenant: Tenant, labels: str) -> None:
    """Figures and emptied cells keep their periods under whatever label."""
    model, before = tenant.model(ironvale_id(tenant)), truth(tenant, ironvale_id(tenant))
    emptied = len(model.module_named(PLAN).blanks)
    tenant.set_switches({"week_labels": labels})
    after = truth(tenant, model.id)
    assert [*before.values()] == [*after.values()]
    assert emptied == len(model.module_named(PLAN).blanks) > 0
    assert (labels == "number") == (before == after)
