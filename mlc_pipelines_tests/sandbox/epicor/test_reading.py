"""Entity sets: options, pages, keys, children. Reference: epicor 2."""

from decimal import Decimal

LINES = "Erp.BO.GLJrnDtlSvc/GLJrnDtls"
BOOKS = "Erp.BO.GLBookSvc/GLBooks"
P03 = "BookID eq 'MAIN' and FiscalYear eq 2026 and FiscalPeriod eq 3"


def test_selected_columns_of_filtered_rows_in_order(rig):
    """A filter, a choice of columns and an order give just those; amounts keep every digit."""
    rows = rig.rows(LINES, filter=P03 + " and Posted eq true", select="SysRevID,BookDebitAmount", orderby="SysRevID")
    assert ["SysRevID", "BookDebitAmount"] == list(rows[0])
    assert sorted(row["SysRevID"] for row in rows) == [row["SysRevID"] for row in rows]
    assert [Decimal("100.05"), Decimal("0.01"), Decimal("2500.00"), Decimal("33.00")] == [
        row["BookDebitAmount"] for row in rows if row["BookDebitAmount"]
    ]


def test_the_service_is_matched_without_case_and_the_set_with_case(rig):
    """Erp.Bo is as good as Erp.BO; a misspelt set is a 404 of the type that says so."""
    assert 4 == len(rig.rows("erp.bo.glbooksvc/GLBooks"))
    refused = rig.ask("Erp.BO.GLBookSvc/glbooks")
    assert (404, "Epicor.RESTApi.ErrorHandling.ApiException") == (refused.status_code, refused.json()["ErrorType"])


def test_an_unknown_column_is_refused_in_the_recorded_sentence(rig):
    """One unknown column fails the whole request, in $select, $filter and $orderby alike."""
    for option in ({"select": "BookID,Nope"}, {"filter": "Nope eq 1"}, {"orderby": "Nope"}):
        refused = rig.ask(BOOKS, **option)
        assert (400, "Could not find a property named 'Nope' on type 'Erp.GLBook'.") == (
            refused.status_code,
            refused.json()["ErrorMessage"],
        )
