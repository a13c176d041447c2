"""Read-only methods by GET and by POST, and the older API. Reference: epicor 1.1, 2.3, 8."""

import json

import pytest


@pytest.mark.parametrize("by", ["GET", "POST"])
def test_get_rows(rig, by):
    """A where-clause per table; the dataset comes with one list per table."""
    clause = "Company = 'IVM' AND MainBook = 1"
    if by == "GET":
        answer = rig.ask("Erp.BO.GLBookSvc/GetRows", _whereClauseGLBook=clause, _pageSize=0, _absolutePage=0)
    else:
        answer = rig.call("Erp.BO.GLBookSvc/GetRows", whereClauseGLBook=clause, pageSize=0, absolutePage=0)
    assert {"GLBook", "ExtensionTables"} == set(answer.json()["returnObj"])
    assert ["MAIN"] == [row["BookID"] for row in answer.json()["returnObj"]["GLBook"]]
    assert {"morePages": False} == answer.json()["parameters"]


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("BookID = 'MAIN' OR BookID = 'PLAN' BY BookID", ["MAIN", "PLAN"]),
        ('BookID = "TAX"', ["TAX"]),
        ("BookID <> 'MAIN' and Inactive = false", ["TAX", "PLAN"]),
        ("Inactive = yes", ["OLD"]),
        ("BookID >= 'P'", ["TAX", "PLAN"]),
        ("Description = 'AND = OR'", []),
    ],
)
def test_where_clauses(rig, clause, found):
    """The language of where-clauses: = <> >=, AND, OR, either quote, 1 or yes for true, an order at the end that is left out."""
    answer = rig.call("Erp.BO.GLBookSvc/GetList", whereClause=clause, pageSize=0, absolutePage=0)
    assert found == [row["BookID"] for row in answer.json()["returnObj"]["GLBookList"]]


def test_pages_of_methods(rig):
    """Page 0 and page 1 are both the first; morePages tells whether rows follow."""

    def page(number: int) -> tuple[list[str], bool]:
        answer = rig.call("Erp.BO.GLBookSvc/GetList", whereClause="", pageSize=3, absolutePage=number).json()
        return [row["BookID"] for row in answer["returnObj"]["GLBookList"]], answer["parameters"]["morePages"]

    assert page(0) == page(1) == (["MAIN", "TAX", "PLAN"], True)
    assert (["OLD"], False) == page(2)


def test_get_by_id_brings_the_document_with_all_below(rig):
    """Parameters are the key columns with a small first letter; children come in tables of their own."""
    answer = rig.call("Erp.BO.FiscalCalSvc/GetByID", fiscalCalendarID="F445").json()["returnObj"]
    assert {"FiscalCal", "FiscalYr", "FiscalPer", "ExtensionTables"} == set(answer)
    assert 13 == len([row for row in answer["FiscalPer"] if row["FiscalYear"] == 2026])
    assert {"F445"} == {row["FiscalCalendarID"] for row in answer["FiscalPer"]}
    missing = rig.ask("Erp.BO.FiscalCalSvc/GetByID", _fiscalCalendarID="NONE")
    assert (404, "Ice.Common.RecordNotFoundException") == (missing.status_code, missing.json()["ErrorType"])
    assert 400 == rig.ask("Erp.BO.FiscalCalSvc/GetByID", _FiscalCalendarID="F445").status_code


def test_get_by_row_id(rig):
    """A SysRowID names a document."""
    [row] = rig.rows("Erp.BO.GLBookSvc/GLBooks", filter="BookID eq 'TAX'")
    answer = rig.ask("Erp.BO.GLBookSvc/GetBySysRowID", _id=row["SysRowID"].upper())
    assert ["TAX"] == [one["BookID"] for one in answer.json()["returnObj"]["GLBook"]]
    assert 404 == rig.ask("Erp.BO.GLBookSvc/GetBySysRowIDs", _ids="00000000-0000-0000-0000-000000000000").status_code


def test_the_probe_of_a_client_in_the_field(rig):
    """A client asks for its own user to see whether its login is good."""
    answer = rig.ask(
        "Erp.BO.UserFileSvc/GetRows",
        _whereClauseUserFile=f"DcdUserID = '{rig.site.username}'",
        _whereClauseUserComp="",
        _whereClauseUserCompExt="",
        _pageSize=1,
        _absolutePage=1,
    )
    assert [rig.site.username] == [row["DcdUserID"] for row in answer.json()["returnObj"]["UserFile"]]


def test_the_generic_reader(rig):
    """Ice.Lib.BOReaderSvc/GetList reads another service's list, the columns named."""
    asked = {"serviceNamespace": "Erp.BO.GLBookSvc", "whereClause": "BookID = 'MAIN'", "columnList": ["BookID"]}
    assert {"GLBookList": [{"BookID": "MAIN"}]} == rig.call("Ice.Lib.BOReaderSvc/GetList", **asked).json()["returnObj"]


def test_a_method_that_there_is_not(rig):
    """404 of the type that says so; a body that is no object is a 400."""
    answer = rig.call("Erp.BO.GLBookSvc/GetNothing")
    assert (404, "Epicor.RESTApi.ErrorHandling.ApiException") == (answer.status_code, answer.json()["ErrorType"])
    url = f"{rig.base}/api/v2/odata/IVM/Erp.BO.GLBookSvc/GetRows"
    assert 400 == rig.http.post(url, content=b"[1]", headers=rig.headers, auth=rig.login).status_code


# -- the older API ----------------------------------------------------------------------------------------------------


def test_the_older_api_takes_its_company_from_call_settings_and_no_key(rig):
    """v1: no key, OData 3 metadata, the company in CallSettings, the BAQ without /Data."""
    headers = {"Accept": "application/json", "CallSettings": json.dumps({"Company": "IVC"})}
    answer = rig.http.get(f"{rig.base}/api/v1/Erp.Bo.GLBookSvc/GLBooks", headers=headers, auth=rig.login).json()
    assert {"odata.metadata", "value"} == set(answer)
    assert {"IVC"} == {row["Company"] for row in answer["value"]}
    query = rig.http.get(f"{rig.base}/api/v1/BaqSvc/ML_GLJrnDtl?BookID=PLAN&$top=1", headers=headers, auth=rig.login)
    assert ["PLAN"] == [row["GLJrnDtl_BookID"] for row in query.json()["value"]]
    rows = rig.http.post(
        f"{rig.base}/api/v1/Erp.Bo.GLBookSvc/GetByID", json={"bookID": "MAIN"}, headers=headers, auth=rig.login
    )
    assert 1 == len(rows.json()["returnObj"]["GLBook"])
