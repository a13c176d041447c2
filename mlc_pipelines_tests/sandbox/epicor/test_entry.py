"""Journals in entry: header, lines, what is checked and what is cleaned up. Reference: epicor 6.2 B and C, 6.4, 6.5, 7.2."""

from decimal import Decimal

import pytest

from mlc_pipelines_tests.sandbox.epicor.conftest import codes

ENTRY = "GLJournalEntry"
LINE = "GLJrnDtlMnl"


def journals(door, **query: str) -> list[dict]:
    return door.get("/epicor/journals", params=query).json()["journals"]


def test_a_journal_is_built_call_by_call(rig, clerk, door):
    """The header gets its number with Update, each line its own; the account falls apart into segments, the header adds up."""
    expense, _, bank = codes(rig.site.books)
    ds = clerk.journal()
    header, (first, second) = ds["GLJrnHed"][0], ds[LINE]
    assert (2, "BU", 2026, 6) == tuple(
        header[name] for name in ("JournalNum", "JournalCode", "FiscalYear", "FiscalPeriod")
    )
    assert (1, 2) == (first["JournalLine"], second["JournalLine"])
    assert (expense, "110", "MF") == (first["SegValue1"], first["SegValue2"], first["SegValue3"])
    assert ("Plan", "mlc:1:abc", "G1") == (first["Description"], first["CommentText"], first["GroupID"])
    assert (10.05, 10.05, 0) == (header["TotDebit"], header["TotCredit"], header["Balance"])
    assert (10.05, -10.05) == (first["TransAmt"], second["TransAmt"])
    [entered] = journals(door, group="G1")
    assert ("entry", [(expense, 1005, 0), (bank, 0, 1005)]) == (
        entered["state"],
        [(line["account"], line["debit_minor"], line["credit_minor"]) for line in entered["lines"]],
    )
    assert [] == rig.rows("Erp.BO.GLJrnDtlSvc/GLJrnDtls", filter="GroupID eq 'G1'")


def test_what_is_in_entry_can_be_found_again(rig, clerk):
    """By the group, by a where-clause of the header, and by OData with its lines."""
    assert [] == clerk.do(ENTRY, "GetByGroupID", GroupID="G1").json()["returnObj"]["GLJrnHed"]
    clerk.journal()
    found = clerk.do(ENTRY, "GetByGroupID", GroupID="G1").json()["returnObj"]
    assert (1, 2, []) == (len(found["GLJrnHed"]), len(found[LINE]), found["GlAllocations"])
    others = {f"whereClause{name}": "" for name in ("GLJrnHedAttch", LINE, "GlAllocations")}
    clause = {"whereClauseGLJrnHed": "GroupID = 'G1' AND Posted = 0", **others}
    rows = clerk.do(ENTRY, "GetRows", **clause, pageSize=0, absolutePage=0).json()["returnObj"]["GLJrnHed"]
    assert found["GLJrnHed"] == rows
    path = "Erp.BO.GLJournalEntrySvc/GLJournalEntries"
    [head] = rig.rows(path, filter="GroupID eq 'G1'", expand="GLJrnDtlMnls")
    assert [Decimal("10.05"), Decimal(0)] == [line["TotDebit"] for line in head["GLJrnDtlMnls"]]


def test_the_new_row_is_the_last_and_an_empty_one_lacks_its_account(rig, clerk):
    """Filling an earlier row leaves the new one without an account."""
    clerk.group()
    ds = clerk.line(clerk.header(), f"{rig.expense()}|110|MF", debit="1.00")
    ds = clerk.fresh_line(ds, "", debit="2.00")
    assert ["", "A"] == [row["RowMod"] for row in ds[LINE]]
    assert (400, "G/L Account is required") == clerk.refusal(ENTRY, "Update", ds=ds)


def test_a_value_that_is_blocked(rig, clerk):
    """In the recorded words."""
    expense = rig.expense()
    clerk.group()
    ds = clerk.fresh_line(clerk.header(), f"{expense}|110|MF", debit="1.00")
    rig.switch(restricted_values=[expense])
    said = (
        f"Invalid GL Account {expense}|110|MF for Journal 2 Line 1: Segment Chart: "
        f"the segment value {expense} is blocked for entry in current application"
    )
    assert (400, said) == clerk.refusal(ENTRY, "Update", ds=ds)


@pytest.mark.parametrize("account", ["6010|700", "1190", "6010|710", "6010|999", "XXXX", "6010|520"])
def test_accounts_that_take_nothing(rig, clerk, account):
    """Inactive department or account, an expired one, unknown values, and a combination that does not exist."""
    clerk.group()
    status, text = clerk.refusal(ENTRY, "Update", ds=clerk.fresh_line(clerk.header(), account, debit="1.00"))
    assert (400, True) == (status, text.startswith(f"Invalid GL Account {account} for Journal 2 Line 1: "))


def test_accounts_checked_at_posting_only(rig, clerk):
    """By switch Update takes any account, and says on the line what is wrong with it; each segment for itself by another."""
    clerk.group()
    ds = clerk.header()
    rig.switch(account_exists="segments")
    ds = clerk.line(ds, "6010|520", debit="1.00")
    rig.switch(account_check="posting")
    ds = clerk.line(ds, "6010|999", debit="1.00")
    assert [False, True] == [row["InvalidGLAccount"] for row in ds[LINE]]


def test_amounts(rig, clerk):
    """One side, and not below zero; TransAmt alone says it as well, with its sign."""
    account = f"{rig.expense()}|110|MF"
    clerk.group()
    ds = clerk.header()
    for debit, credit in (("1.00", "1.00"), ("-1.00", "0")):
        assert 400 == clerk.do(ENTRY, "Update", ds=clerk.fresh_line(ds, account, debit, credit)).status_code
    signed = clerk.fresh_line(ds, account)
    signed[LINE][-1]["TransAmt"] = -2.5
    assert 2.5 == clerk.ds(ENTRY, "Update", ds=signed)[LINE][0]["TotCredit"]
    drafted = clerk.fresh_line(ds, account)
    drafted = clerk.ds(ENTRY, "ConvertDebitAmount", proposedAmount=3.25, iLineNum=0, ds=drafted)
    drafted = clerk.ds(ENTRY, "ChangeGlAcct1", iLineNum=0, ds=drafted)
    assert (3.25, "110") == (drafted[LINE][-1]["TransAmt"], drafted[LINE][-1]["SegValue2"])


@pytest.mark.parametrize(("kind", "status", "lines"), [("refused", 400, 0), ("any", 200, 2), ("first only", 200, 1)])
def test_several_new_lines_in_one_update(rig, clerk, door, kind, status, lines):
    """Unproven: refused here, or taken, or all but the first one forgotten."""
    rig.switch(lines_per_update=kind)
    account = f"{rig.expense()}|110|MF"
    clerk.group()
    ds = clerk.fresh_line(clerk.fresh_line(clerk.header(), account, debit="1.00"), account, credit="1.00")
    assert status == clerk.do(ENTRY, "Update", ds=ds).status_code
    assert lines == len(journals(door, group="G1")[0]["lines"])


def test_update_is_all_or_nothing_and_update_ext_is_not(rig, clerk, door):
    """A bad line undoes the good one of the same Update; UpdateExt keeps it, or undoes header and lines together."""
    rig.switch(lines_per_update="any")
    clerk.group()
    ds = clerk.ds(ENTRY, "GetNewGlJrnHedTran", ds={}, GroupID="G1")
    fresh = clerk.header()
    lines = clerk.fresh_line(clerk.fresh_line(fresh, f"{rig.expense()}|110|MF", debit="1.00"), "XXXX", credit="1.00")
    assert 400 == clerk.do(ENTRY, "Update", ds=lines).status_code
    assert [] == journals(door, group="G1")[0]["lines"]
    whole = {**ds, LINE: [{**row, "JournalNum": 0} for row in lines[LINE]]}
    for back, count in ((True, 1), (False, 2)):
        said = clerk.do(ENTRY, "UpdateExt", ds=whole, continueProcessingOnError=True, rollbackParentOnChildError=back)
        assert (True, [LINE]) == (
            said.json()["parameters"]["errorsOccurred"],
            [row["TableName"] for row in said.json()["returnObj"]["BOUpdError"]],
        )
        assert count == len(journals(door, group="G1"))
    assert [0, 1] == [len(one["lines"]) for one in journals(door, group="G1")]


def test_a_group_or_header_that_is_gone(rig, clerk):
    """A journal needs its group, a line its header."""
    assert 400 == clerk.do(ENTRY, "GetNewGlJrnHedTran", ds={}, GroupID="G1").status_code
    clerk.group()
    ds = clerk.fresh_line(clerk.header(), f"{rig.expense()}|110|MF", debit="1.00")
    head = ds["GLJrnHed"][0]
    key = {name: head[column] for name, column in (("bookID", "BookID"), ("journalCode", "JournalCode"))}
    key |= {"fiscalYear": 2026, "fiscalYearSuffix": "", "journalNum": head["JournalNum"], "fiscalCalendarID": "F445"}
    assert 200 == clerk.do(ENTRY, "DeleteByID", **key).status_code
    assert 404 == clerk.do(ENTRY, "DeleteByID", **key).status_code
    assert 400 == clerk.do(ENTRY, "Update", ds={**ds, "GLJrnHed": []}).status_code


def test_a_number_that_was_not_posted_is_given_again(clerk):
    """It is the last one used plus one: journals in entry count, deleted ones do not."""
    clerk.group()
    first, second = clerk.header(), clerk.header()
    assert (2, 3) == (first["GLJrnHed"][0]["JournalNum"], second["GLJrnHed"][0]["JournalNum"])
    gone = {**second, "GLJrnHed": [{**second["GLJrnHed"][0], "RowMod": "D"}]}
    assert [] == clerk.ds(ENTRY, "Update", ds=gone)["GLJrnHed"]
    assert 3 == clerk.header()["GLJrnHed"][0]["JournalNum"]


def test_the_clean_up_of_a_failed_build(clerk, door):
    """What is in entry is fetched, deleted with its lines, and then the group."""
    clerk.journal()
    ds = clerk.do(ENTRY, "GetByGroupID", GroupID="G1").json()["returnObj"]
    for row in (*ds["GLJrnHed"], *ds[LINE]):
        row["RowMod"] = "D"
    assert [] == clerk.ds(ENTRY, "Update", ds=ds)[LINE]
    group = clerk.do("GLJrnGrp", "GetByID", groupID="G1").json()["returnObj"]
    group["GLJrnGrp"][0]["RowMod"] = "D"
    assert 200 == clerk.do("GLJrnGrp", "CheckDocumentIsLocked", keyValue="G1").status_code
    clerk.ds("GLJrnGrp", "Update", ds=group)
    assert ([], []) == (journals(door, group="G1"), door.get("/epicor/groups").json()["groups"])


def test_a_legal_number_is_wanted(rig, clerk):
    """PreUpdate says so, and Update takes no journal without."""
    clerk.group()
    ds = clerk.ds(ENTRY, "GetNewGlJrnHedTran", ds={}, GroupID="G1")
    assert not clerk.do(ENTRY, "PreUpdate", ds=ds).json()["parameters"]["RequiresUserInput"]
    rig.switch(legal_number=True)
    assert clerk.do(ENTRY, "PreUpdate", ds=ds).json()["parameters"]["RequiresUserInput"]
    assert 400 == clerk.do(ENTRY, "Update", ds=ds).status_code


def test_texts_that_are_too_long(rig, clerk):
    """A description of 30 characters; a reference may be cut, by switch, and is then not what was sent."""
    clerk.group()
    ds = clerk.ds(ENTRY, "GetNewGlJrnHedTran", ds={}, GroupID="G1")
    ds["GLJrnHed"][0]["Description"] = "x" * 31
    assert 400 == clerk.do(ENTRY, "Update", ds=ds).status_code
    rig.switch(over_width="cut", comment_width=8)
    ds["GLJrnHed"][0]["CommentText"] = "mlc:1:abcdef"
    stored = clerk.ds(ENTRY, "Update", ds=ds)["GLJrnHed"][0]
    assert ("x" * 30, "mlc:1:ab") == (stored["Description"], stored["CommentText"])


def test_a_line_changed_by_two(rig, clerk):
    """Both read it, both change it: the second is refused."""
    ds = clerk.journal()
    changed = {**ds, "GLJrnHed": [], LINE: [{**ds[LINE][0], "TotDebit": 7, "RowMod": "U"}]}
    assert 7 == clerk.ds(ENTRY, "Update", ds=changed)[LINE][0]["TotDebit"]
    status, text = clerk.refusal(ENTRY, "Update", ds=changed)
    assert (409, True) == (status, "modified by another user" in text)


def test_a_method_that_writes_is_not_asked_by_get(rig, clerk):
    """405; and nothing is written by OData."""
    assert 405 == rig.ask("Erp.BO.GLJournalEntrySvc/Update").status_code
    assert 405 == rig.call("Erp.BO.GLJrnGrpSvc/GLJrnGrps").status_code


def test_rights_to_a_method(rig, clerk):
    """The denial names the method."""
    rig.switch(denied=["Erp.BO.GLJrnGrpSvc/PostGroupJournals"])
    status, text = clerk.refusal("GLJrnGrp", "PostGroupJournals", postGroupID="G1")
    assert (403, "Access denied (Erp.BO.GLJrnGrp.PostGroupJournals).") == (status, text)
