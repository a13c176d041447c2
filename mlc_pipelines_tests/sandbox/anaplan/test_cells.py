"""Cells written one request at a time."""

import json

import pytest

MODULE = "102000000001"
JULY = ("A6100", "CC_020", "Jul 25", "Actual")
PLACES = (("Accounts", "A6100"), ("Cost Centers", "CC_020"), ("Time", "Jul 25"), ("Versions", "Actual"))


def _cell(value, item="Amount", **places):
    """A cell by names and codes; `places` replaces a dimension's member."""
    named = [(name, places.get(name.split()[0], member)) for name, member in PLACES]
    return {
        "lineItemName": item,
        "dimensions": [
            {"dimensionName": name, "itemName" if name in ("Time", "Versions") else "itemCode": member}
            for name, member in named
        ],
        "value": value,
    }


@pytest.fixture
def write(caller):
    """Writes cells; the answer."""

    def send(*cells):
        answer = caller.call("POST", f"modules/{MODULE}/data", json=list(cells))
        assert 200 == answer.status_code, answer.text
        return answer.json()

    return send


def test_cells_by_name_and_code(write, cells):
    """Numbers and texts of numbers; no key for failures when all went well."""
    body = write(_cell(1111), _cell("-7.25", Accounts="A6110"))
    assert (2, False) == (body["numberOfCellsChanged"], "failures" in body)
    assert {JULY: "1111.00", ("A6110", *JULY[1:]): "-7.25"} == cells()


def test_digits_are_kept(caller, cells):
    """A number in JSON is not put through a double."""
    body = json.dumps([_cell(0)]).replace('"value": 0', '"value": 1234567890123456.78')
    answer = caller.call("POST", f"modules/{MODULE}/data", content=body)
    assert (1, {JULY: "1234567890123456.78"}) == (answer.json()["numberOfCellsChanged"], cells())


def test_cells_by_id(write, cells, tenant):
    """Line item, dimensions and members; or members by name."""
    model = tenant.model()
    ids = [
        {"dimensionId": one.id, "itemId": one.by_key[part].id}
        for one, part in zip(model.modules[MODULE].dimensions, JULY, strict=True)
    ]
    ids[0] = {"dimensionId": ids[0]["dimensionId"], "itemName": "6100 Travel"}
    assert 1 == write({"lineItemId": "301000000001", "dimensions": ids, "value": 3})["numberOfCellsChanged"]
    assert {JULY: "3.00"} == cells()


@pytest.mark.parametrize(
    ("cell", "type_", "text"),
    [
        (
            _cell(1, item="Amount YTD"),
            "cellIsCalculated",
            "the cell is a calculated/aggregate cell and is not writeable",
        ),
        (_cell(1, Accounts="T_TRAVEL"), "cellIsCalculated", "calculated/aggregate"),
        (_cell(1, Time="Q1 FY26"), "cellIsCalculated", "calculated/aggregate"),
        (_cell(1, Accounts="A7770"), "cellIsInvalid", "the cell could not be found or resolved"),
        (_cell(1, Versions="Plan"), "cellIsInvalid", "could not be found"),
        (_cell(1, item="Nothing"), "cellIsInvalid", "could not be found"),
        ({"lineItemName": "Amount", "value": 1}, "cellIsInvalid", "could not be found"),
        (_cell("many"), "invalidValue", "format"),
        (_cell(True), "invalidValue", "format"),
        (_cell(None), "invalidValue", "format"),
    ],
)
def test_one_cell_fails_and_the_other_is_written(write, cells, cell, type_, text):
    """Partial success is normal; the failure names the place in the request."""
    body = write(_cell(8, Accounts="A6110"), cell)
    assert 1 == body["numberOfCellsChanged"]
    (failure,) = body["failures"]
    assert (1, type_) == (failure["requestIndex"], failure["failureType"])
    assert text in failure["failureMessageDetails"]
    assert {("A6110", *JULY[1:]): "8.00"} == cells()


def test_the_last_of_several_values_stays(write, cells):
    """Not the sum, as in an import."""
    write(_cell(1), _cell(2))
    assert {JULY: "2.00"} == cells()


def test_failures_may_be_an_empty_list(write, tenant):
    """One document has it so."""
    tenant.set_switches({"cell_failures_key": "empty"})
    assert [] == write(_cell(1))["failures"]


def test_the_limit_of_one_request(caller, write, tenant, cells):
    """100,000 cells or 1,000: documents differ. One more, and nothing is written."""
    assert 100_000 == tenant.switches["cell_write_cap"]
    tenant.set_switches({"cell_write_cap": 1})
    assert 400 == caller.call("POST", f"modules/{MODULE}/data", json=[_cell(1), _cell(2)]).status_code
    assert {} == cells()
    assert 1 == write(_cell(1))["numberOfCellsChanged"]


def test_fifteen_megabytes(caller, cells):
    """Are the other limit."""
    heavy = [{**_cell(1), "note": "x" * 15_000_000}]
    assert 400 == caller.call("POST", f"modules/{MODULE}/data", json=heavy).status_code
    assert {} == cells()


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"no"])
def test_a_body_that_is_no_array_of_cells(caller, body):
    """400."""
    assert 400 == caller.call("POST", f"modules/{MODULE}/data", content=body).status_code


def test_other_refusals(caller, tenant):
    """An unknown module is 404, a locked model 423."""
    assert 404 == caller.call("POST", "modules/102000000099/data", json=[]).status_code
    tenant.set_switches({"model_state": "LOCKED"})
    assert 423 == caller.call("POST", f"modules/{MODULE}/data", json=[_cell(1)]).status_code


def test_a_deployed_model_takes_cells(write, tenant, cells):
    """They are data."""
    tenant.set_switches({"model_state": "PRODUCTION"})
    write(_cell(4))
    assert {JULY: "4.00"} == cells()
