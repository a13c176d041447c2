"""Children: expanded with their parents they are whole; read by themselves they are a trap. Reference: epicor 2.5."""

import pytest

CALENDARS = "Erp.BO.FiscalCalSvc/FiscalCals"
YEARS, PERIODS = "Erp.BO.FiscalCalSvc/FiscalYrs", "Erp.BO.FiscalCalSvc/FiscalPers"


@pytest.fixture
def invoices(rig):
    """Three invoices of one vendor, each with a line of two distributions."""
    vendor, account = rig.vendor(), rig.expense()
    for number in ("INV-1", "INV-2", "INV-3"):
        expenses = [(account, "110", "MF", 10_000), (account, "120", "MF", 5_050)]
        rig.site.books.post_invoice(vendor, number, "FY2026-P03", expenses, now=rig.clock.now())


def test_nested_expand(rig, invoices):
    """Invoices with lines with expenses with their ledger rows, each with the columns asked for."""
    expand = "APInvDtls($select=InvoiceLine;$expand=APInvExps($select=ExpAmt;$expand=APInvExpTGLCs($select=SegValue2)))"
    rows = rig.rows("Erp.BO.APInvoiceSvc/APInvoices", select="InvoiceNum", orderby="InvoiceNum", expand=expand)
    assert ["INV-1", "INV-2", "INV-3"] == [row["InvoiceNum"] for row in rows]
    [line] = rows[0]["APInvDtls"]
    assert {"InvoiceLine", "APInvExps"} == set(line)
    assert ["100.00", "50.50"] == [str(one["ExpAmt"]) for one in line["APInvExps"]]
    assert {"110", "120"} == {one["SegValue2"] for expense in line["APInvExps"] for one in expense["APInvExpTGLCs"]}


def test_a_filter_inside_expand_is_ignored(rig):
    """All children come, whatever the filter in the parentheses says."""
    whole = rig.rows(CALENDARS, expand="FiscalYrs($select=FiscalYear)")
    filtered = rig.rows(CALENDARS, expand="FiscalYrs($select=FiscalYear;$filter=FiscalYear eq 2026)")
    assert whole == filtered
    assert 1 < len(whole[0]["FiscalYrs"])


def test_an_expanded_child_may_be_cut(rig):
    """Beyond the cap of the switch a next link stands beside the child, which is the only sign."""
    rig.switch(expand_max=2)
    row = rig.rows(CALENDARS, expand="FiscalYrs")[0]
    assert 2 == len(row["FiscalYrs"])
    assert row["FiscalYrs@odata.nextLink"].endswith("/FiscalYrs?$skip=2")


def test_an_unknown_child_is_an_unknown_property(rig):
    """Only what hangs below a set can be expanded."""
    answer = rig.ask(CALENDARS, expand="FiscalPers")
    assert "Could not find a property named 'FiscalPers' on type 'Erp.FiscalCal'." == answer.json()["ErrorMessage"]


def test_a_filtered_child_set_sees_the_children_of_the_first_parents_only(rig):
    """D04 The window of $skip + $top is cut out of the parents before the filter: rows further back are an empty 200."""
    wanted = "FiscalCalendarID eq 'F445' and FiscalYear eq 2026"
    assert 13 == len(rig.rows(PERIODS, filter=wanted, top=1000))
    hidden = rig.rows(PERIODS, filter="FiscalCalendarID eq 'F445'", top=1)
    other = rig.rows(PERIODS, filter="FiscalCalendarID eq 'CAL12'", top=1)
    assert 1 == len([one for one in (hidden, other) if one])
    assert [] in (hidden, other)


def test_a_child_set_by_company_alone_is_whole(rig):
    """Read without a filter, or by Company only, a child set pages as it should."""
    whole = rig.rows("Erp.BO.FiscalPerSearchSvc/FiscalPerSearches", top=5000)
    assert len(whole) == len(rig.rows(PERIODS, filter="Company eq 'IVM'", top=5000))
    assert 5 == len(rig.rows(PERIODS, top=5, skip=20))


def test_a_child_set_cannot_be_ordered(rig):
    """$orderby by anything but SysRowID is a 500, and so is a filter with a text function."""
    assert 500 == rig.ask(YEARS, orderby="FiscalYear").status_code
    assert 500 == rig.ask(YEARS, filter="startswith(FiscalCalendarID,'F')").status_code
    ids = [row["SysRowID"] for row in rig.rows(YEARS, orderby="SysRowID", top=500)]
    assert sorted(ids) == ids


def test_children_below_one_parent(rig):
    """Navigation from a key brings that parent's children; they can be filtered and ordered."""
    path = f"{YEARS}('IVM','F445',2026,'')/FiscalPers"
    assert list(range(1, 14)) == [row["FiscalPeriod"] for row in rig.rows(path, orderby="FiscalPeriod")]
    assert [13] == [row["FiscalPeriod"] for row in rig.rows(path, filter="FiscalPeriod gt 12")]
    assert 404 == rig.ask(f"{YEARS}('IVM','F445',1999,'')/FiscalPers").status_code


def test_a_row_by_its_key_with_its_children(rig):
    """A single read takes $select and $expand."""
    answer = rig.ask(
        f"{CALENDARS}('IVM','F445')", select="FiscalCalendarID", expand="FiscalYrs($select=FiscalYear)"
    ).json()
    assert {"@odata.context", "FiscalCalendarID", "FiscalYrs"} == set(answer)


def test_segments_with_their_chart(rig):
    """The chart and its segments tell which of them balances are kept by."""
    [chart] = rig.rows(
        "Erp.BO.COASvc/COAs", select="COACode,PerBalFmt", expand="COASegments($select=SegmentNbr,DetailBal)"
    )
    assert "1~2" == chart["PerBalFmt"]
    assert {1: True, 2: True, 3: False} == {one["SegmentNbr"]: one["DetailBal"] for one in chart["COASegments"]}
    rig.switch(balance_segments="1")
    [chart] = rig.rows(
        "Erp.BO.COASvc/COAs", select="COACode,PerBalFmt", expand="COASegments($select=SegmentNbr,DetailBal)"
    )
    assert ("1", {1: True, 2: False, 3: False}) == (
        chart["PerBalFmt"],
        {one["SegmentNbr"]: one["DetailBal"] for one in chart["COASegments"]},
    )


def test_expenses_of_the_header_expand_like_those_of_lines(rig, invoices):
    """They are the same kind of row, so the same hangs below them."""
    rows = rig.rows("Erp.BO.APInvoiceSvc/APInvoices", expand="APIHAPInvExps($expand=APInvExpTGLCs($select=SegValue1))")
    assert [[], [], []] == [row["APIHAPInvExps"] for row in rows]
