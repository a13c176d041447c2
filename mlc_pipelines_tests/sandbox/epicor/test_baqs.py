"""Queries. Reference: epicor 3."""

from decimal import Decimal

import pytest

from mlc_pipelines.sandbox.ironvale import Line

LINES, BALANCES, SPEND, ORDERS = (
    f"BaqSvc/{name}/Data" for name in ("ML_GLJrnDtl", "ML_GLPeriodBal", "ML_APSpend", "OpenPOs")
)
P03 = {"_BookID": "MAIN", "_FiscalYear": 2026, "_FiscalPeriod": 3}


def test_parameters_are_plain_names(rig):
    """Columns are Table_Field, with a RowIdent; parameters limit what is read, and unknown ones do nothing."""
    rows = rig.rows(LINES, **P03, _Nonsense="x", orderby="GLJrnDtl_SysRevID")
    assert 10 == len(rows)
    assert {"MAIN"} == {row["GLJrnDtl_BookID"] for row in rows}
    assert len(rows) == len({row["RowIdent"] for row in rows})
    assert Decimal("100.05") == rows[0]["GLJrnDtl_BookDebitAmount"]


def test_a_repeated_parameter_is_a_list(rig):
    """Each of its values will do."""
    url = f"{rig.base}/api/v2/odata/IVM/{LINES}?BookID=MAIN&BookID=PLAN&FiscalYear=2026&FiscalPeriod=3"
    rows = rig.http.get(url, headers=rig.headers, auth=rig.login).json()["value"]
    assert {"MAIN", "PLAN"} == {row["GLJrnDtl_BookID"] for row in rows}


def test_a_parameter_with_the_name_of_a_constant_leaves_nothing(rig):
    """CurrentCompany, UserID and the like make the query return nothing."""
    assert [] == rig.rows(LINES, **P03, _CurrentCompany="IVM")


def test_a_parameter_of_another_type_is_refused(rig):
    """A year is a number."""
    assert 400 == rig.ask(LINES, _FiscalYear="last").status_code


def test_only_what_came_since_a_row_version(rig):
    """SinceRev is exclusive."""
    revs = sorted(row["GLJrnDtl_SysRevID"] for row in rig.rows(LINES, **P03))
    assert revs[4:] == sorted(row["GLJrnDtl_SysRevID"] for row in rig.rows(LINES, **P03, _SinceRev=revs[3]))


def test_dollar_options_work_on_the_result(rig):
    """Filter, columns, order and pages; 100 rows without $top."""
    asked = {"select": "GLJrnDtl_JournalNum,GLJrnDtl_SysRevID", "orderby": "GLJrnDtl_SysRevID desc"}
    rows = rig.rows(LINES, filter="GLJrnDtl_SourceModule eq 'AP'", **asked)
    assert [{"GLJrnDtl_JournalNum", "GLJrnDtl_SysRevID"}] * 2 == [set(row) for row in rows]
    assert rows[1:] == rig.rows(LINES, filter="GLJrnDtl_SourceModule eq 'AP'", **asked, skip=1)
    lines = [Line(rig.expense(), "110", "MF", 1, 1)]
    rig.site.books.post("MAIN", "FY2026-P04", lines * 120, now=rig.clock.now())
    assert (100, 120) == tuple(len(rig.rows(LINES, _FiscalPeriod=4, **more)) for more in ({}, {"top": 500}))


def test_an_unknown_column_is_refused(rig):
    """As in entity sets."""
    answer = rig.ask(LINES, select="GLJrnDtl_Nope")
    assert (400, True) == (answer.status_code, "'GLJrnDtl_Nope'" in answer.json()["ErrorMessage"])


def test_a_sister_company_comes_too(rig):
    """The queries are limited to one company only by their parameter, whatever company the path names."""
    account = rig.expense()
    lines = [Line(account, "", "", 5, 0), Line(account, "", "", 0, 5)]
    rig.site.books.post("MAIN", "FY2026-P03", lines, now=rig.clock.now(), company="IVC")
    assert {"IVM", "IVC"} == {row["GLJrnDtl_Company"] for row in rig.rows(LINES, **P03)}
    assert {"IVM", "IVC"} == {row["GLPeriodBal_Company"] for row in rig.rows(BALANCES, **P03)}
    assert {"IVM"} == {row["GLJrnDtl_Company"] for row in rig.rows(LINES, **P03, _Company="IVM")}


def test_balances_of_a_year(rig):
    """Detail and summary rows both come: a reader must choose."""
    rows = rig.rows(BALANCES, **P03, _Company="IVM", top=1000)
    kinds = {row["GLPeriodBal_BalanceType"] for row in rows}
    assert {"D", "S", "B"} == kinds
    net = {
        kind: sum(row["GLPeriodBal_BalanceAmt"] for row in rows if row["GLPeriodBal_BalanceType"] in kind)
        for kind in ("DB", "SB")
    }
    assert {"DB": 0, "SB": 0} == net


def test_spend_by_vendor_and_distribution(rig, invoice):
    """Posted invoices between two days, one row per distribution in the main book, with the vendor's id."""
    rows = rig.rows(SPEND, _FromDate="2025-11-23", _ToDate="2025-12-27", orderby="APInvExpTGLC_SegValue2")
    shown = [
        (row["Vendor_VendorID"], row["APInvExpTGLC_SegValue2"], row["APInvExpTGLC_BookDebitAmount"]) for row in rows
    ]
    assert [("ACME", "110", Decimal("100.00")), ("ACME", "120", Decimal("50.50"))] == shown
    assert {("MAIN", "R", "INV-1")} == {
        (row["APInvExpTGLC_BookID"], row["APInvExpTGLC_RecordType"], row["APInvHed_InvoiceNum"]) for row in rows
    }
    assert [] == rig.rows(SPEND, _FromDate="2026-01-01", _ToDate="2026-02-01")


@pytest.fixture
def invoice(rig):
    """An invoice with two distributions, and one that is not posted."""
    books, now, vendor, account = rig.site.books, rig.clock.now(), rig.vendor(), rig.expense()
    expenses = [(account, "110", "MF", 10_000), (account, "120", "MF", 5_050)]
    books.post_invoice(vendor, "INV-1", "FY2026-P03", expenses, now=now)
    books.post_invoice(vendor, "INV-2", "FY2026-P03", [(account, "110", "MF", 700)], now=now, posted=False)


def test_a_query_tells_its_columns(rig):
    """$metadata of a query names its columns with their types."""
    said = rig.ask("BaqSvc/ML_GLJrnDtl/$metadata").json()["Erp"]["ML_GLJrnDtl"]
    assert {"$Type": "Edm.Decimal", "$Nullable": True} == said["GLJrnDtl_BookDebitAmount"]
    assert ({}, ["RowIdent"]) == (
        {} if said["GLJrnDtl_BookID"] == {"$Nullable": True} else said["GLJrnDtl_BookID"],
        said["$Key"],
    )


def test_queries_that_are_missing_or_not_shared(rig):
    """A missing one is a 404, one that is not shared is denied."""
    assert 404 == rig.ask("BaqSvc/Nothing/Data").status_code
    rig.switch(baq_missing=["ML_APSpend"], baq_not_shared=["ML_GLJrnDtl"])
    assert 404 == rig.ask(SPEND).status_code
    assert (403, "Access denied (BaqSvc.ML_GLJrnDtl).") == (
        (answer := rig.ask(LINES)).status_code,
        answer.json()["ErrorMessage"],
    )


def test_a_query_that_takes_too_long(rig):
    """Its text is told; its status is not known."""
    rig.switch(baq_timeout=["ML_GLJrnDtl"], baq_timeout_status=504)
    answer = rig.ask(LINES)
    assert (504, "Execution Timeout Expired.") == (answer.status_code, answer.json()["ErrorMessage"])


def test_a_query_with_other_columns(rig):
    """A column may be missing, or have the name that its author gave it; metadata and rows agree."""
    rig.switch(
        baq_removed=["ML_GLJrnDtl/GLJrnDtl_SegValue2"], baq_aliases={"ML_GLJrnDtl/GLJrnDtl_SegValue1": "Account"}
    )
    row = rig.rows(LINES, **P03, top=1)[0]
    assert "GLJrnDtl_SegValue2" not in row
    assert row["Account"]
    assert 400 == rig.ask(LINES, select="GLJrnDtl_SegValue1").status_code
    said = rig.ask("BaqSvc/ML_GLJrnDtl/$metadata").json()["Erp"]["ML_GLJrnDtl"]
    assert set(row) == {name for name in said if not name.startswith("$")}


def test_a_result_may_be_cut(rig):
    """QueryMaxResultSet ends a result without a word."""
    rig.switch(baq_max_rows=3)
    assert 3 == len(rig.rows(LINES, **P03, top=1000))
    assert [] == rig.rows(LINES, **P03, top=1000, skip=3)


def test_open_orders(rig):
    """A plain query over three tables answers, with or without rows."""
    assert [] == rig.rows(ORDERS)
