"""Entity sets: options, pages, keys. Reference: epicor 2."""

from decimal import Decimal
from urllib.parse import unquote

import httpx
import pytest

from mlc_pipelines.sandbox.ironvale import Line

LINES = "Erp.BO.GLJrnDtlSvc/GLJrnDtls"
BOOKS = "Erp.BO.GLBookSvc/GLBooks"
PERIODS = "Erp.BO.GLBookPerSearchSvc/GLBookPerSearches"
P03 = "BookID eq 'MAIN' and FiscalYear eq 2026 and FiscalPeriod eq 3"


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["ErrorMessage"]


def test_selected_columns_of_filtered_rows_in_order(rig):
    """A filter, a choice of columns and an order give just those; amounts keep every digit."""
    rows = rig.rows(LINES, filter=P03 + " and Posted eq true", select="SysRevID,BookDebitAmount", orderby="SysRevID")
    assert ["SysRevID", "BookDebitAmount"] == list(rows[0])
    assert sorted(row["SysRevID"] for row in rows) == [row["SysRevID"] for row in rows]
    assert [Decimal("100.05"), Decimal("0.01"), Decimal("2500.00"), Decimal("33.00")] == [
        row["BookDebitAmount"] for row in rows if row["BookDebitAmount"]
    ]


def test_the_service_is_matched_without_case_and_the_set_with_case(rig):
    """erp.bo is as good as Erp.BO; a misspelt set is a 404 of the type that says so."""
    assert 4 == len(rig.rows("erp.bo.glbooksvc/GLBooks"))
    answer = rig.ask("Erp.BO.GLBookSvc/glbooks")
    assert (404, "Epicor.RESTApi.ErrorHandling.ApiException") == (answer.status_code, answer.json()["ErrorType"])
    assert 404 == rig.ask("Erp.BO.NoSuchSvc/Things").status_code


@pytest.mark.parametrize("option", [{"select": "BookID,Nope"}, {"filter": "Nope eq 1"}, {"orderby": "Nope"}])
def test_an_unknown_column_is_refused_in_the_recorded_sentence(rig, option):
    """One unknown column fails the whole request."""
    assert (400, "Could not find a property named 'Nope' on type 'Erp.GLBook'.") == refused(rig.ask(BOOKS, **option))


def test_a_trailing_comma_is_refused_in_the_recorded_sentence(rig):
    """The position is where a name should begin."""
    assert (400, "An identifier was expected at position 19.") == refused(rig.ask(BOOKS, select="BookID,Description,"))


def test_options_are_case_sensitive(rig):
    """$Select is no $select."""
    answer = rig.ask(BOOKS, Select="BookID")
    assert (400, "The query parameter '$Select' is not supported.") == refused(answer)


def test_blanks_are_sent_as_percent_20(rig):
    """A plus sign stays a plus sign, so a client that encodes blanks that way is refused."""
    url = f"{rig.base}/api/v2/odata/IVM/{BOOKS}?$filter=BookID+eq+'MAIN'"
    assert 400 == rig.http.get(url, headers=rig.headers, auth=rig.login).status_code


def test_without_top_a_hundred_rows_come_silently(rig):
    """The default is 100 rows, with no sign that more follow; a larger $top is honoured."""
    answer = rig.ask(PERIODS)
    assert 100 == len(answer.json()["value"])
    assert {"@odata.context", "value"} == set(answer.json())
    assert 100 < len(rig.rows(PERIODS, top=5000))
    rig.switch(default_rows=7)
    assert 7 == len(rig.rows(PERIODS))


def test_top_is_honoured_up_to_a_cap(rig):
    """With a cap below $top a page is short though more rows follow."""
    rig.switch(page_max=10)
    assert 10 == len(rig.rows(PERIODS, top=5000))


def test_pages_by_top_and_skip_are_the_whole(rig):
    """Pages in the order of the key are the whole, once each."""
    order = "Company,BookID,FiscalCalendarID,FiscalYear,FiscalYearSuffix,FiscalPeriod"
    whole = rig.rows(PERIODS, top=5000, orderby=order)
    pages = [row for skip in range(0, len(whole), 40) for row in rig.rows(PERIODS, top=40, skip=skip, orderby=order)]
    assert whole == pages
    assert [] == rig.rows(PERIODS, top=40, skip=len(whole), orderby=order)


def test_keyset_paging_by_row_version(rig):
    """SysRevID gt the last one seen, in its order, brings every line once."""
    seen, last = [], 0
    while page := rig.rows(LINES, filter=f"{P03} and SysRevID gt {last}", orderby="SysRevID", top=4):
        seen += [row["SysRevID"] for row in page]
        last = seen[-1]
    assert sorted(set(seen)) == seen
    assert 10 == len(seen)


def test_count_and_its_lie(rig):
    """$count=true tells the rows of the filter, whatever the page holds; it may be wrong."""
    asked = {"filter": "FiscalYear eq 2026", "top": 3, "count": "true"}
    whole = len(rig.rows(PERIODS, filter="FiscalYear eq 2026", top=5000))
    assert whole == rig.ask(PERIODS, **asked).json()["@odata.count"]
    rig.switch(count_off=-2)
    assert whole - 2 == rig.ask(PERIODS, **asked).json()["@odata.count"]


def test_next_links_by_switch(rig):
    """Where the instance gives next links they lead through the whole; none stands behind the last row."""
    rig.switch(nextlink="given")
    whole = rig.rows(PERIODS, top=5000, orderby="SysRevID")
    answer = rig.ask(PERIODS, orderby="SysRevID").json()
    rows = answer["value"]
    while link := answer.get("@odata.nextLink"):
        answer = rig.http.get(link, headers=rig.headers, auth=rig.login).json()
        rows += answer["value"]
    assert whole == rows
    assert "@odata.nextLink" not in rig.ask(PERIODS, top=5, orderby="SysRevID").json()


def test_D05_next_links_that_lead_astray(rig):
    """A next link may name another host, or the page it stands on."""
    rig.switch(nextlink="other host")
    link = rig.ask(PERIODS, orderby="SysRevID").json()["@odata.nextLink"]
    assert link.startswith("https://elsewhere.example/Kinetic/api/v2/odata/IVM/Erp.BO.GLBookPerSearchSvc/")
    rig.switch(nextlink="loops")
    link = rig.ask(PERIODS, orderby="SysRevID", skip=3).json()["@odata.nextLink"]
    assert "$skip=3" in unquote(link)


def test_without_orderby_rows_may_shift(rig):
    """Scrambled, two reads of the same rows give another order; an $orderby holds."""
    rig.switch(order="scrambled")
    first, second = (rig.rows(PERIODS, select="SysRevID", top=50) for _ in range(2))
    assert first != second
    assert rig.rows(PERIODS, orderby="SysRevID", top=50) == rig.rows(PERIODS, orderby="SysRevID", top=50)


def test_a_row_by_its_key(rig):
    """Named or positional, quotes doubled; a key that nobody has is a 404 of another type than a misspelt address."""
    for keys in ("Company='IVM',BookID='MAIN'", "'IVM','MAIN'"):
        row = rig.ask(f"{BOOKS}({keys})", select="BookID,MainBook").json()
        assert ("MAIN", True) == (row["BookID"], row["MainBook"])
    missing = rig.ask(f"{BOOKS}('IVM','O''X')")
    assert (404, "Ice.Common.RecordNotFoundException") == (missing.status_code, missing.json()["ErrorType"])
    assert 404 == rig.ask(f"{BOOKS}('IVM')").status_code


def test_a_key_of_numbers_and_empty_parts(rig):
    """Numbers stand bare, an empty suffix is ''."""
    key = "Company='IVM',BookID='MAIN',FiscalCalendarID='F445',FiscalYear=2026,FiscalYearSuffix='',FiscalPeriod=3"
    assert "2025-11-23T00:00:00" == rig.ask(f"{PERIODS}({key})").json()["StartDate"]


def test_companies_are_apart(rig):
    """A path names one company; a set may show another's rows too, by switch."""
    rig.site.books.post(
        "MAIN",
        "FY2026-P03",
        [Line(rig.expense(), "", "", 500, 0), Line(rig.expense(), "", "", 0, 500)],
        now=rig.clock.now(),
        company="IVC",
    )
    assert {"IVC"} == {row["Company"] for row in rig.rows(LINES.replace("IVM", "IVC"), company="IVC")}
    assert {"IVM"} == {row["Company"] for row in rig.rows(LINES, filter=P03)}
    assert [] == rig.rows(LINES, filter="Company eq 'IVC'")
    assert rig.rows(LINES, filter=P03) == rig.rows(LINES, filter=f"Company eq 'ivm' and {P03}")
    rig.switch(foreign_rows=["GLJrnDtls"])
    assert {"IVM", "IVC"} == {row["Company"] for row in rig.rows(LINES, filter=P03)}


def test_renamed_columns_of_entities(rig):
    """A column named like its entity carries a 1; the detail of an order spells PONUM in capitals."""
    assert {"GLAccount1", "AccountDesc"} <= set(rig.ask("Erp.BO.GLAccountSvc/GLAccounts", top=1).json()["value"][0])
    assert "IVM" == rig.rows("Erp.BO.CompanySvc/Companies")[0]["Company1"]
    assert [] == rig.rows("Erp.BO.POSvc/PODetails", select="PONUM")


def test_the_list_view_is_the_top_set(rig):
    """/List takes the same options."""
    assert rig.rows(BOOKS, select="BookID") == rig.rows("Erp.BO.GLBookSvc/List", select="BookID")


def test_a_removed_column_is_unknown(rig):
    """A release without a column neither shows nor takes it."""
    rig.switch(removed=["GLJrnDtl/PerBalFlag"])
    assert 400 == rig.ask(LINES, select="PerBalFlag").status_code
    assert "PerBalFlag" not in rig.rows(LINES, top=1)[0]


def test_unknown_fields_may_stand_in_rows(rig):
    """A customer's own column may appear that no metadata names."""
    rig.switch(extra_unknown_fields=True)
    assert {"BookID", "Unlisted_c"} == set(rig.rows(BOOKS, select="BookID")[0])


@pytest.mark.parametrize(
    ("form", "shown"), [("number", b":100.05,"), ("text", b':"100.05",'), ("padded", b":100.05000,")]
)
def test_forms_of_amounts(rig, form, shown):
    """Amounts are numbers with all their digits, texts, or numbers with five decimals."""
    rig.switch(decimals=form)
    answer = rig.ask(LINES, filter=P03, orderby="SysRevID", select="BookDebitAmount,SysRevID", top=1)
    assert shown in answer.content


@pytest.mark.parametrize(
    ("form", "end"),
    [("plain", "2025-12-27T00:00:00"), ("Z", "2025-12-27T00:00:00Z"), ("offset", "2025-12-27T00:00:00-06:00")],
)
def test_forms_of_days(rig, form, end):
    """D08 A day is its midnight, bare or with a zone."""
    rig.switch(date_form=form)
    assert (
        end == rig.rows(PERIODS, filter="BookID eq 'MAIN' and FiscalYear eq 2026 and FiscalPeriod eq 3")[0]["EndDate"]
    )


def test_an_address_beyond_8_kb_is_refused_by_the_proxy(rig):
    """250 alternatives in a filter are too many: 414, and no JSON."""
    long = " or ".join(f"JournalNum eq {number:012d}" for number in range(250))
    answer = rig.ask(LINES, filter=long)
    assert (414, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert 200 == rig.ask(LINES, filter=" or ".join(f"JournalNum eq {number}" for number in range(150))).status_code


def test_writing_by_odata_is_not_served(rig):
    """POST to a set is refused."""
    assert 405 == rig.call(BOOKS).status_code
