"""Groups of journals: what GetNew and the Change methods fill in, and what Update refuses. Reference: epicor 6.1, 6.2 A and D."""

from concurrent.futures import ThreadPoolExecutor

import pytest

GROUP = "GLJrnGrp"
DUPLICATE = "Ice.Common.DuplicateRecordException"


def groups(door) -> list[tuple[str, str, str]]:
    return [(row["group"], row["book"], row["held_by"]) for row in door.get("/epicor/groups").json()["groups"]]


def test_nothing_is_stored_before_update(rig, clerk, door):
    """GetNew and Change work on the dataset that is sent; Update stores it, held by the caller."""
    ds = clerk.draft_group("B26AB01")
    row = ds[GROUP][0]
    assert [] == groups(door)
    assert ("PLAN", "S", "USD", "F445") == tuple(
        row[name] for name in ("BookID", "BookMode", "CurrencyCode", "FiscalCalendarID")
    )
    assert (2026, 6, "", "A") == tuple(
        row[name] for name in ("FiscalYear", "FiscalPeriod", "FiscalYearSuffix", "RowMod")
    )
    stored = clerk.ds(GROUP, "Update", ds=ds)[GROUP][0]
    assert "" == stored["RowMod"]
    assert [("B26AB01", "PLAN", rig.site.username)] == groups(door)
    found = clerk.do(GROUP, "GetByID", groupID="B26AB01").json()["returnObj"][GROUP]
    assert [stored] == found


def test_the_year_of_a_date_and_the_warning_about_it(clerk):
    """CheckFiscalYear sets the period of a date; its message is empty only within the present period."""
    ds = clerk.draft_group()

    def check(day: str) -> tuple[str, int, int]:
        said = clerk.do(GROUP, "CheckFiscalYear", ds=ds, cGroupID="G1", cJEDate=day).json()["parameters"]
        row = said["ds"][GROUP][0]
        return said["opMessage"], row["FiscalYear"], row["FiscalPeriod"]

    assert ("", 2026, 6) == check("2026-03-10")
    assert (True, 2027, 1) == (bool(check("2026-09-27")[0]), *check("2026-09-27")[1:])
    assert 400 == clerk.do(GROUP, "CheckFiscalYear", ds=ds, cGroupID="G1", cJEDate="1999-01-01").status_code


def test_parameter_names_are_case_exact(clerk):
    """`proposeBookID` has no d; another spelling is a parameter that is missing."""
    ds = clerk.draft_group()
    status, text = clerk.refusal(GROUP, "ChangeBookID", proposedBookID="PLAN", ds=ds)
    assert (400, True) == (status, "proposeBookID" in text)
    assert 400 == clerk.do(GROUP, "Update", DS=ds).status_code


def test_all_books_mode_keeps_the_main_book(clerk):
    """A new group is one of all books, in the main book; only in the mode of a single one the book changes."""
    ds = clerk.ds(GROUP, "GetNewGLJrnGrp", ds={GROUP: []})
    assert ("M", "MAIN") == (ds[GROUP][0]["BookMode"], ds[GROUP][0]["BookID"])
    assert 400 == clerk.do(GROUP, "ChangeBookID", proposeBookID="PLAN", ds=ds).status_code
    single = clerk.ds(GROUP, "ChangeEntryMode", proposedBookMode="S", ds=ds)
    for book in ("OLD", "NONE"):  # inactive, and not there
        assert 400 == clerk.do(GROUP, "ChangeBookID", proposeBookID=book, ds=single).status_code


@pytest.mark.parametrize("code", ["G1", "g1"])
def test_a_group_that_there_is_already(clerk, code):
    """409 of the type for duplicates, without regard to case as the collation has it."""
    clerk.group("G1")
    answer = clerk.do(GROUP, "Update", ds=clerk.draft_group(code))
    assert (409, DUPLICATE) == (answer.status_code, answer.json()["ErrorType"])


def test_a_group_whose_id_differs_by_case_only(rig, clerk, door):
    """Where texts compare with case it is another group."""
    rig.switch(ignore_case=False)
    clerk.group("G1")
    clerk.group("g1")
    assert ["G1", "g1"] == [row[0] for row in groups(door)]


def test_a_row_without_all_of_its_columns(rig, clerk):
    """Update refuses it, and fills it by switch."""
    row = clerk.draft_group()[GROUP][0]
    part = {GROUP: [{name: row[name] for name in row if name != "PostErrorLog"}]}
    status, text = clerk.refusal(GROUP, "Update", ds=part)
    assert (400, True) == (status, "PostErrorLog" in text)
    rig.switch(partial_rows="filled")
    assert "G1" == clerk.ds(GROUP, "Update", ds=part)[GROUP][0]["GroupID"]


def test_an_id_that_is_too_long(rig, clerk, door):
    """Nine characters; longer ones are refused, or cut by switch."""
    assert 400 == clerk.do(GROUP, "Update", ds=clerk.draft_group("B26AB01234")).status_code
    rig.switch(over_width="cut")
    clerk.group("B26AB01234")
    assert ["B26AB0123"] == [row[0] for row in groups(door)]


def test_a_change_somebody_else_has_overtaken(rig, clerk, door):
    """The version that was sent is not the stored one: 409, or 400 by switch, and nothing is stored."""
    row = clerk.group()
    door.post("/epicor/hold", json={"group": "G1", "user": rig.site.username})
    changed = {GROUP: [{**row, "RateGrpCode": "X", "RowMod": "U"}]}
    status, text = clerk.refusal(GROUP, "Update", ds=changed)
    assert (409, True) == (status, "modified by another user" in text)
    rig.switch(clash_status=400)
    assert 400 == clerk.do(GROUP, "Update", ds=changed).status_code
    fresh = clerk.do(GROUP, "GetByID", groupID="G1").json()["returnObj"][GROUP][0]
    assert "X" == clerk.ds(GROUP, "Update", ds={GROUP: [{**fresh, "RateGrpCode": "X", "RowMod": "U"}]})[GROUP][0]["RateGrpCode"]  # fmt: skip


def test_a_group_in_other_hands(rig, clerk, door):
    """ActiveUserID of somebody else: no change, no unlocking, no lock, no deletion, until they give it back."""
    rig.switch(new_groups_taken_by="kreyes")
    row = clerk.group()
    assert "kreyes" == row["ActiveUserID"]
    calls = [
        ("Update", {"ds": {GROUP: [{**row, "RowMod": "U"}]}}),
        ("UnlockGroup", {"inGroupID": "G1"}),
        ("GroupLock", {"groupID": "G1", "ds": {GROUP: []}}),
        ("CheckDocumentIsLocked", {"keyValue": "G1"}),
        ("CheckBeforePost", {"groupID": "G1"}),
        ("PostGroupJournals", {"postGroupID": "G1"}),
        ("DeleteByID", {"groupID": "G1"}),
    ]
    for method, given in calls:
        status, text = clerk.refusal(GROUP, method, **given)
        assert (400, True) == (status, "kreyes" in text), method
    door.post("/epicor/hold", json={"group": "G1", "user": ""})
    locked = clerk.ds(GROUP, "GroupLock", groupID="G1", ds={GROUP: []})[GROUP][0]
    assert rig.site.username == locked["ActiveUserID"]
    assert "" == clerk.ds(GROUP, "GroupUnlock", groupID="G1", ds={GROUP: [locked]})[GROUP][0]["ActiveUserID"]
    assert 200 == clerk.do(GROUP, "UnlockGroup", inGroupID="G1").status_code


def test_deleting_a_group(rig, clerk, door):
    """Gone by DeleteByID or by a row to be deleted; refused while it holds journals, unless those go with it."""
    clerk.group("G1")
    row = clerk.group("G2")
    assert 200 == clerk.do(GROUP, "DeleteByID", groupID="G1").status_code
    assert 404 == clerk.do(GROUP, "DeleteByID", groupID="G1").status_code
    assert [] == clerk.ds(GROUP, "Update", ds={GROUP: [{**row, "RowMod": "D"}]})[GROUP]
    clerk.journal("G3")
    assert 400 == clerk.do(GROUP, "DeleteByID", groupID="G3").status_code
    rig.switch(full_group="emptied")
    assert 200 == clerk.do(GROUP, "DeleteByID", groupID="G3").status_code
    assert ([], []) == (groups(door), door.get("/epicor/journals", params={"group": "G3"}).json()["journals"])


def test_rows_that_fail_do_not_fail_update_ext(clerk, door):
    """UpdateExt answers 200 and tells of each row that failed; the others are stored when it is to go on."""
    clerk.group("G1")
    twice, fine = clerk.draft_group("G1")[GROUP][0], clerk.draft_group("G2")[GROUP][0]
    asked = {"ds": {GROUP: [twice, fine]}, "rollbackParentOnChildError": True}
    for go_on, stored in ((False, ["G1"]), (True, ["G1", "G2"])):
        said = clerk.do(GROUP, "UpdateExt", **asked, continueProcessingOnError=go_on).json()
        assert said["parameters"]["errorsOccurred"]
        [error] = said["returnObj"]["BOUpdError"]
        assert (GROUP, DUPLICATE) == (error["TableName"], error["ErrorType"])
        assert stored == [row[0] for row in groups(door)]


def test_a_closed_period_takes_no_group(rig, clerk, door):
    """The period of its book must be open, and the date not before the earliest one."""
    door.post("/epicor/close", json={"period": "FY2026-P06", "book": "PLAN"})
    assert "closed" in clerk.refusal(GROUP, "Update", ds=clerk.draft_group())[1]
    for key in rig.site.books.calendar_of("MAIN"):
        if key < "FY2026-P08":
            rig.site.books.close(key)
    door.post("/epicor/reopen", json={"period": "FY2026-P06", "book": "PLAN"})
    assert "earliest" in clerk.refusal(GROUP, "Update", ds=clerk.draft_group())[1]
    rig.switch(earliest_date=False)
    assert 200 == clerk.do(GROUP, "Update", ds=clerk.draft_group()).status_code


def test_a_closing_period(clerk):
    """FiscalPeriodType C takes the closing period of the year."""
    ds = clerk.ds(GROUP, "ChangeFiscalPeriodType", proposedFiscalPeriodType="C", ds=clerk.draft_group())
    assert (13, 1) == (ds[GROUP][0]["FiscalPeriod"], ds[GROUP][0]["CloseFiscalPeriod"])
    ds = clerk.ds(GROUP, "ChangeFiscalPeriodType", proposedFiscalPeriodType="O", ds=ds)
    assert (6, 0) == (ds[GROUP][0]["FiscalPeriod"], ds[GROUP][0]["CloseFiscalPeriod"])
    assert 3 == clerk.ds(GROUP, "ChangeFiscalPeriod", proposedFiscalPeriod=3, ds=ds)[GROUP][0]["FiscalPeriod"]


def test_journal_codes_of_other_modules(clerk):
    """A code of purchasing is none for entry."""
    ds = clerk.draft_group()
    assert 400 == clerk.do(GROUP, "ChangeJournalCode", proposedJournalCode="PJ", ds=ds).status_code
    assert "GJ" == clerk.ds(GROUP, "ChangeJournalCode", proposedJournalCode="GJ", ds=ds)[GROUP][0]["JournalCode"]


def test_two_who_make_the_same_group_at_once(clerk, door):
    """Exactly one makes it, the other is told that there is one."""
    drafts = [clerk.draft_group("G1") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda ds: clerk.do(GROUP, "Update", ds=ds).status_code, drafts))
    assert [200, 409] == sorted(answers)
    assert ["G1"] == [row[0] for row in groups(door)]


def test_columns_that_update_ext_was_not_sent(clerk):
    """They stay as they are."""
    clerk.group()
    part = {GROUP: [{"Company": "IVM", "GroupID": "G1", "RateGrpCode": "X", "RowMod": "U"}]}
    asked = {"continueProcessingOnError": False, "rollbackParentOnChildError": True}
    said = clerk.do(GROUP, "UpdateExt", ds=part, **asked).json()
    assert ([], False) == (said["returnObj"]["BOUpdError"], said["parameters"]["errorsOccurred"])
    row = said["parameters"]["ds"][GROUP][0]
    assert ("X", "PLAN", 6) == (row["RateGrpCode"], row["BookID"], row["FiscalPeriod"])


def test_a_group_is_found_in_whatever_spelling(rig, clerk):
    """The collation decides: a filter in capitals finds a group in small letters, unless case counts."""
    clerk.group("g1")
    assert ["g1"] == [row["GroupID"] for row in rig.rows("Erp.BO.GLJrnGrpSvc/GLJrnGrps", filter="GroupID eq 'G1'")]
    rig.switch(ignore_case=False)
    assert [] == rig.rows("Erp.BO.GLJrnGrpSvc/GLJrnGrps", filter="GroupID eq 'G1'")


def test_a_filter_that_is_not_heeded(rig, clerk):
    """By switch, set by set: all rows come."""
    clerk.group("G1")
    clerk.group("G2")
    rig.switch(ignore_filter=["GLJrnGrps"])
    found = rig.rows("Erp.BO.GLJrnGrpSvc/GLJrnGrps", filter="GroupID eq 'G1'")
    assert {"G1", "G2"} <= {row["GroupID"] for row in found}
