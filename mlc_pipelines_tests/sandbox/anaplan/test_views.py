"""Views: what there is, which page is looked at, and the figures as grid, table and JSON."""

import csv
import io
from decimal import Decimal

import pytest

MODULE, VIEW = "102000000001", "207000000001"
ACCOUNTS, CENTERS, TIME, VERSIONS, ITEMS = (
    "101000000001",
    "101000000002",
    "20000000003",
    "20000000020",
    "101999999999",
)
JSON = {"Accept": "application/json"}


@pytest.fixture
def edit(tenant):
    """Writes cells of the month, the version Actual unless named."""

    def write(*cells):
        for account, center, month, amount, *version in cells:
            tenant.edit_cell((account, center, month, *(version or ["Actual"])), Decimal(amount))

    return write


@pytest.fixture
def data(caller):
    """A view as JSON."""

    def read(view=VIEW, **query):
        answer = caller.get(f"views/{view}/data", params={"format": "v1", **query}, headers=JSON)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    return read


def _cells(body):
    """What is not zero: (row labels, column labels) -> text."""
    return {
        (*row["rowCoordinates"], *column): text
        for row in body["rows"]
        for column, text in zip(body["columnCoordinates"], row["cells"], strict=True)
        if text != "0"
    }


def _table(answer):
    assert 200 == answer.status_code, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text)))


def test_default_and_saved_views(caller):
    """The default view carries the module's id and name; a saved one is named "module.view"."""
    rows = caller.get("views?includesubsidiaryviews=true").json()["views"]
    assert (
        [
            {"code": "", "id": MODULE, "name": "GL01 Actuals", "moduleId": MODULE},
            {"code": "", "id": VIEW, "name": "GL01 Actuals.Integration", "moduleId": MODULE},
        ]
        == [row for row in rows if row["moduleId"] == MODULE]
        == caller.get(f"modules/{MODULE}/views").json()["views"]
    )
    assert {"PL01 Plan", "PL01 Plan.For the ERP"} < {row["name"] for row in rows}
    assert 404 == caller.get("modules/102000000099/views").status_code == caller.get("views/207000000099").status_code


def test_axes_of_a_view(caller):
    """Each with the ids that page selectors want; a line item leads to the view of its module."""
    body = caller.get(f"views/{VIEW}").json()
    assert (VIEW, "GL01 Actuals.Integration") == (body["viewId"], body["viewName"])
    axes = {name: [one["id"] for one in body[name]] for name in ("rows", "columns", "pages")}
    assert {"rows": [ACCOUNTS, CENTERS], "columns": [TIME], "pages": [VERSIONS, ITEMS]} == axes
    default = caller.get(f"views/{MODULE}").json()
    assert [ACCOUNTS, CENTERS, VERSIONS] == [one["id"] for one in default["pages"]]
    assert default == caller.get("views/301000000001").json()


def test_members_that_a_view_shows(caller):
    """Time can be had here, and only here; the saved view has leaves, months and the actual versions."""

    def names(path):
        return [one["name"] for one in caller.get(f"{path}/items").json()["items"]]

    assert ["Actual", "Actual Adj"] == names(f"views/{VIEW}/dimensions/{VERSIONS}")
    months = names(f"views/{VIEW}/dimensions/{TIME}")
    assert (36, "Jul 24", "Jun 27") == (len(months), months[0], months[-1])
    assert {"Q1 FY25", "FY25"} <= set(names(f"views/{MODULE}/dimensions/{TIME}"))
    assert ["Amount", "Amount YTD"] == names(f"views/{MODULE}/dimensions/{ITEMS}")
    assert "Total Cost Centers" not in names(f"views/{VIEW}/dimensions/{CENTERS}")
    assert "Jul 24" in names(f"lineItems/301000000001/dimensions/{TIME}")
    assert 404 == caller.get(f"views/{VIEW}/dimensions/101000000099/items").status_code
    assert 404 == caller.get("lineItems/301000000001/dimensions/101000000099/items").status_code


def test_dimensions_of_a_line_item(caller):
    """Time and Versions are dimensions like any other."""
    rows = caller.get("lineItems/301000000001/dimensions").json()["dimensions"]
    assert [ACCOUNTS, CENTERS, TIME, VERSIONS] == [one["id"] for one in rows]
    assert 404 == caller.get("lineItems/301000000099/dimensions").status_code


def test_without_a_page_the_first_one_comes(data, edit):
    """Of the default view that is the totals of all lists: a reader that forgets the pages compares the wrong slice."""
    edit(("A6100", "CC_020", "Jul 25", "10.50"), ("A6110", "CC_030", "Aug 25", "2"))
    body = data(MODULE)
    assert ["Total Accounts", "Total Cost Centers", "Actual"] == body["pages"]
    cells = _cells(body)
    assert ("10.5", "2", "12.5", "12.5") == tuple(
        cells["Amount", period] for period in ("Jul 25", "Aug 25", "Q1 FY26", "FY26")
    )
    assert ("10.5", "12.5", "12.5", "12.5") == tuple(
        cells["Amount YTD", period] for period in ("Jul 25", "Aug 25", "Q1 FY26", "FY26")
    )


def test_pages_are_selected_by_id(caller, data, edit, tenant):
    """Repeated or with commas; a group adds up its accounts."""
    edit(("A6100", "CC_020", "Jul 25", "1"), ("A6110", "CC_020", "Jul 25", "2"), ("A6100", "CC_010", "Jul 25", "4"))
    accounts, centers = (tenant.model().lists[one].by_key for one in (ACCOUNTS, CENTERS))
    group, denver = f"{ACCOUNTS}:{accounts['T_TRAVEL'].id}", f"{CENTERS}:{centers['CC_020'].id}"
    repeated = data(MODULE, pages=[group, denver])
    assert ["TRAVEL", "Denver Consulting", "Actual"] == repeated["pages"]
    assert "3" == _cells(repeated)["Amount", "Jul 25"]
    assert repeated == data(MODULE, pages=f"{group},{denver}")


@pytest.mark.parametrize(
    ("selector", "named"),
    [(f"{TIME}:5020260001", TIME), ("101000000099:1", "101000000099"), (f"{VERSIONS}:1", f"{VERSIONS}:1")],
)
def test_a_page_selector_that_is_none(caller, selector, named):
    """Only dimensions on the page axis, and members that the view shows: 400."""
    answer = caller.get(f"views/{VIEW}/data", params={"pages": selector})
    assert (400, f"Invalid page selector [{named}]") == (answer.status_code, answer.json()["status"]["message"])


def test_the_saved_view_for_reading_back(data, edit):
    """Leaves by code, months, what was ever written: also a zero, as a row. The other version is another page."""
    edit(
        ("A6100", "CC_020", "Jul 25", "10.50"),
        ("A6110", "CC_020", "Aug 25", "0"),
        ("A6120", "CC_020", "Jul 25", "3", "Actual Adj"),
        ("A6130", "CC_020", "Jul 25", "4", "Budget"),
    )
    body = data()
    assert (["Actual", "Amount"], 36) == (body["pages"], len(body["columnCoordinates"]))
    assert [["A6100", "CC_020"], ["A6110", "CC_020"]] == [row["rowCoordinates"] for row in body["rows"]]
    assert {("A6100", "CC_020", "Jul 25"): "10.5"} == _cells(body)
    adjusted = data(pages=f"{VERSIONS}:107000000002")
    assert {("A6120", "CC_020", "Jul 25"): "3"} == _cells(adjusted)


def test_names_and_all_rows(data, edit, tenant):
    """A model builder may show names, and no filter: then every leaf is there."""
    edit(("A6100", "CC_020", "Jul 25", "10.50"))
    tenant.set_switches({"view_members": "name", "view_filter": False})
    body = data()
    assert {("6100 Travel", "Denver Consulting", "Jul 25"): "10.5"} == _cells(body)
    lists = tenant.model().lists
    leaves = [sum(one.key not in lists[id_].totals for one in lists[id_].members) for id_ in (ACCOUNTS, CENTERS)]
    assert leaves[0] * leaves[1] == len(body["rows"])


def test_a_grid_in_csv(caller, edit):
    """The page's members in the first line, the columns in the next, then the rows."""
    edit(("A6440", "CC_020", "Jul 25", "-10.50"))
    table = _table(caller.get(f"views/{VIEW}/data"))
    assert ["Actual", "Amount"] == table[0]
    assert ["", "", "Jul 24"] == table[1][:3]
    assert (["A6440", "CC_020"], "-10.5") == (table[2][:2], table[2][table[1].index("Jul 25")])
    assert 3 == len(table)


def test_json_wants_header_and_format(caller):
    """One without the other gives CSV."""
    assert caller.get(f"views/{VIEW}/data", headers=JSON).text.startswith("Actual,Amount\n")
    assert caller.get(f"views/{VIEW}/data?format=v1").text.startswith("Actual,Amount\n")


def test_some_tenants_want_escaped_csv(caller, tenant):
    """Everything quoted; plain CSV is refused by switch."""
    tenant.set_switches({"plain_csv": "refused"})
    assert 406 == caller.get(f"views/{VIEW}/data").status_code
    answer = caller.get(f"views/{VIEW}/data", headers={"Accept": "text/csv;escaped=true"})
    assert answer.text.startswith('"Actual","Amount"\n')


def test_tables(caller, edit):
    """Line items as columns, or one line per cell: all pages of the view; the module must be named."""
    edit(("A6100", "CC_020", "Jul 25", "10.50"), ("A6100", "CC_020", "Jul 25", "3", "Actual Adj"))
    query = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": MODULE}
    assert [
        ["Accounts", "Cost Centers", "Time", "Versions", "Amount"],
        ["A6100", "CC_020", "Jul 25", "Actual", "10.5"],
        ["A6100", "CC_020", "Jul 25", "Actual Adj", "3"],
    ] == _table(caller.get(f"views/{VIEW}/data", params=query))
    query["exportType"] = "TABULAR_SINGLE_COLUMN"
    assert [
        ["Accounts", "Cost Centers", "Time", "Versions", "Line items", "Value"],
        ["A6100", "CC_020", "Jul 25", "Actual", "Amount", "10.5"],
    ] == _table(caller.get(f"views/{VIEW}/data", params={**query, "maxRows": 1}))
    assert 400 == caller.get(f"views/{VIEW}/data", params={"exportType": "TABULAR_MULTI_COLUMN"}).status_code
    assert 400 == caller.get(f"views/{VIEW}/data", params={**query, "exportType": "EXCEL"}).status_code
    assert 400 == caller.get(f"views/{VIEW}/data", params={**query, "maxRows": "all"}).status_code


def test_all_pages_of_a_grid(caller, edit):
    """One below the other."""
    edit(("A6100", "CC_020", "Jul 25", "1"), ("A6110", "CC_020", "Jul 25", "3", "Actual Adj"))
    table = _table(caller.get(f"views/{VIEW}/data", params={"exportType": "GRID_ALL_PAGES", "moduleId": MODULE}))
    assert [["Actual", "Amount"], ["Actual Adj", "Amount"]] == [line for line in table if len(line) == 2]
    assert ["A6100", "A6110"] == [line[0] for line in table if line[0].startswith("A6")]


def test_a_view_of_more_than_a_million_cells(caller, tenant):
    """Is refused as a whole; the page counts for a grid, the whole view for a table."""
    assert 1_000_000 == tenant.switches["view_cell_cap"]
    size = (
        36
        * len(caller.get(f"views/{VIEW}/dimensions/{ACCOUNTS}/items").json()["items"])
        * len(caller.get(f"views/{VIEW}/dimensions/{CENTERS}/items").json()["items"])
    )
    tenant.set_switches({"view_cell_cap": size})
    assert 200 == caller.get(f"views/{VIEW}/data").status_code
    query = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": MODULE}
    assert 400 == caller.get(f"views/{VIEW}/data", params=query).status_code
    tenant.set_switches({"view_cell_cap": size - 1})
    assert 400 == caller.get(f"views/{VIEW}/data").status_code


def test_float_noise(data, edit, tenant):
    """Figures of a view are doubles in text, by switch."""
    edit(*(("A6100", f"CC_0{n}0", "Jul 25", f"{n}64.6{n}") for n in range(1, 10)))
    exact = _cells(data())
    tenant.set_switches({"float_noise": True})
    noisy = _cells(data())
    assert exact != noisy
    cent = Decimal("0.01")
    assert {key: Decimal(text) for key, text in exact.items()} == {
        key: Decimal(text).quantize(cent) for key, text in noisy.items()
    }


def test_a_view_waits_for_a_busy_model(caller, tenant, edit):
    """A task that runs comes first: what it writes is what the view shows."""
    tenant.set_switches({"task_seconds": 0.1})
    caller.upload("Account,Cost Center,Period,Version,Amount\nA6100,CC_020,Jul 25,Actual,5\n")
    caller.start()
    assert ["A6100"] == [line[0] for line in _table(caller.get(f"views/{VIEW}/data"))[2:]]
