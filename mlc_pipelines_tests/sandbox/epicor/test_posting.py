"""Posting: at once, by a task, and into review; what is not posted says why. Reference: epicor 6.2 E, 11.8."""

from decimal import Decimal

import pytest

from mlc_pipelines_tests.sandbox.epicor.conftest import codes

LINES = "Erp.BO.GLJrnDtlSvc/GLJrnDtls"
ENTRY = "GLJournalEntry"


def journals(door, group: str = "G1") -> list[dict]:
    return door.get("/epicor/journals", params={"group": group}).json()["journals"]


def states(door, group: str = "G1") -> list[str]:
    return [one["state"] for one in journals(door, group)]


def digest(door, book: str) -> str:
    return door.get("/epicor/digest", params={"book": book}).json()["books"][f"IVM/{book}"]


def test_a_posted_group_is_in_the_ledger_and_gone_from_entry(rig, clerk, door):
    """GroupID and CommentText survive on the lines, the balances of its book move, no other book does, the group is gone."""
    expense, _, bank = codes(rig.site.books)
    before = {book: digest(door, book) for book in ("MAIN", "TAX", "PLAN")}
    clerk.journal()
    assert before == {book: digest(door, book) for book in before}
    assert "" == clerk.post()
    after = {book: digest(door, book) for book in before}
    assert [True, True, False] == [before[book] == after[book] for book in ("MAIN", "TAX", "PLAN")]
    rows = rig.rows(LINES, filter="GroupID eq 'G1' and BookID eq 'PLAN' and FiscalYear eq 2026", orderby="JournalLine")
    assert [(True, "mlc:1:abc", "Plan", "BU", 2)] * 2 == [
        tuple(row[name] for name in ("Posted", "CommentText", "Description", "JournalCode", "JournalNum"))
        for row in rows
    ]
    assert [(f"{expense}|110|MF", Decimal("10.05")), (bank, Decimal(0))] == [(row["GLAccount"], row["BookDebitAmount"]) for row in rows]  # fmt: skip
    balances = "Erp.BO.GLPeriodBalSearchSvc/GLPeriodBalSearches"
    [balance] = rig.rows(balances, filter=f"BookID eq 'PLAN' and FiscalPeriod eq 6 and BalanceAcct eq '{expense}|110'")
    assert Decimal("10.05") == balance["DebitAmt"]
    assert ["posted"] == states(door)
    assert 404 == clerk.do("GLJrnGrp", "PostGroupJournals", postGroupID="G1").status_code
    assert [] == rig.rows("Erp.BO.GLJrnGrpSvc/GLJrnGrps", filter="GroupID eq 'G1'")


def test_a_group_that_stays_flagged(rig, clerk, door):
    """By switch the row stays, Posted; it cannot be posted or used again."""
    rig.switch(posted_group="flagged")
    clerk.journal()
    assert "" == clerk.post()
    [group] = rig.rows("Erp.BO.GLJrnGrpSvc/GLJrnGrps", filter="GroupID eq 'G1'")
    assert group["Posted"]
    assert 400 == clerk.do("GLJrnGrp", "PostGroupJournals", postGroupID="G1").status_code
    assert ["posted"] == states(door)


def test_each_line_keeps_its_own_comment(rig, clerk):
    """Where it is not the header's."""
    clerk.group()
    ds = clerk.fresh_line(clerk.header(), f"{rig.expense()}|110|MF", debit="1.00")
    ds["GLJrnDtlMnl"][-1]["CommentText"] = "mlc:1:line"
    ds = clerk.ds(ENTRY, "Update", ds=ds)
    clerk.line(ds, f"{rig.expense()}|120|MF", credit="1.00")
    clerk.post()
    rows = rig.rows(LINES, filter="GroupID eq 'G1'", orderby="JournalLine")
    assert [("mlc:1:line", "mlc:1:abc"), ("mlc:1:abc", "mlc:1:abc")] == [
        (row["CommentText"], row["HeaderCommentText"]) for row in rows
    ]


def test_out_of_balance(rig, clerk, door):
    """200, a message, the reason in the group's log, nothing posted; unless the book does not ask for balance."""
    clerk.journal(credit="10.04")
    assert "Out of Balance transactions" in clerk.post()
    [group] = door.get("/epicor/groups").json()["groups"]
    assert "Out of Balance transactions" in group["log"]
    assert ["entry"] == states(door)
    rig.switch(unbalanced_books=["PLAN"])
    clerk.journal("G2", credit="10.04")
    assert "" == clerk.post("G2")


def test_the_good_ones_of_a_group_are_posted(rig, clerk, door):
    """One journal of two is out of balance: the other is posted, the group stays with the bad one."""
    clerk.journal()
    clerk.journal(credit="1.00")
    assert clerk.post()
    assert ["entry", "posted"] == sorted(states(door))
    assert 1 == len(door.get("/epicor/groups").json()["groups"])


def test_an_account_that_was_deactivated_meanwhile(rig, clerk, door):
    """Invalid Account."""
    clerk.journal()
    books = rig.site.books
    books.alter(books.values[1][rig.expense()], active=False)
    assert "Invalid Account" in clerk.post()
    assert ["entry"] == states(door)


def test_a_period_closed_between_build_and_post(rig, clerk, door):
    """Nothing is posted; after reopening it is."""
    clerk.journal()
    rig.switch(before_post="period closes")
    assert "closed" in clerk.post()
    door.post("/epicor/reopen", json={"period": "FY2026-P06", "book": "PLAN"})
    assert "" == clerk.post()


def test_a_group_taken_between_build_and_post(rig, clerk, door):
    """Somebody opens it: 400 that names them, until they give it back."""
    clerk.journal()
    rig.switch(before_post="group taken")
    assert "kreyes" in clerk.refusal("GLJrnGrp", "PostGroupJournals", postGroupID="G1")[1]
    door.post("/epicor/hold", json={"group": "G1", "user": ""})
    assert "" == clerk.post()


def test_an_empty_group(clerk):
    """There is nothing to post, and it says so."""
    clerk.group()
    assert clerk.post()


def test_a_number_used_meanwhile(rig, clerk, door):
    """Somebody posts under the number that the journal in entry has: it gets the next one."""
    clerk.journal()
    account = rig.expense()
    lines = [{"account": account, "dept": "110", "debit": "1.00"}, {"account": account, "credit": "1.00"}]
    wish = {"period": "FY2026-P06", "lines": lines, "book": "PLAN", "code": "BU"}
    assert "BU 2" == door.post("/epicor/journals", json=wish).json()["journal"]
    assert "" == clerk.post()
    assert 3 == journals(door)[0]["number"]


@pytest.mark.parametrize("post", [True, False])
def test_a_journal_in_review(rig, clerk, door, post):
    """The group is locked, its lines stand in the review journal; review posts them or gives them back."""
    rig.switch(review="always")
    clerk.journal()
    assert "review" in clerk.post()
    assert ["review"] == states(door)
    [group] = rig.rows("Erp.BO.GLJrnGrpSvc/GLJrnGrps", filter="GroupID eq 'G1'")
    assert (True, 1) == (group["IsLcked"], group["RvnJrnUID"])
    assert 400 == clerk.do("GLJrnGrp", "PostGroupJournals", postGroupID="G1").status_code
    expand = "RvJrnTrs($expand=RvJrnTrDtls)"
    [parked] = rig.rows("Erp.BO.ReviewJrnSvc/RvJrns", filter="GroupID eq 'G1'", expand=expand)
    [journal] = parked["RvJrnTrs"]
    assert [("G1", Decimal("10.05")), ("G1", Decimal(0))] == [
        (line["GroupID"], line["BookDebitAmount"]) for line in journal["RvJrnTrDtls"]
    ]
    assert post == door.post("/epicor/release", json={"group": "G1", "post": post}).json()["posted"]
    assert ["posted" if post else "entry"] == states(door)
    assert [] == rig.rows("Erp.BO.ReviewJrnSvc/RvJrns")


def test_errors_that_send_to_review(rig, clerk, door):
    """By switch only those."""
    rig.switch(review="errors")
    clerk.journal("G1")
    assert "" == clerk.post("G1")
    clerk.journal("G2", credit="1.00")
    assert "review" in clerk.post("G2")
    assert ["review"] == states(door, "G2")


def test_somebody_sends_a_group_to_review(clerk, door):
    """It is locked against entry as well."""
    clerk.journal()
    door.post("/epicor/park", json={"group": "G1"})
    assert 400 == clerk.do(ENTRY, "GetNewGlJrnHedTran", ds={}, GroupID="G2").status_code
    ds = clerk.ds(ENTRY, "GetNewGlJrnHedTran", ds={}, GroupID="G1")
    assert 400 == clerk.do(ENTRY, "Update", ds=ds).status_code


# -- by a task --------------------------------------------------------------------------------------------------------

ASYNC = "Erp.Proc.GLJrnAsynchSvc"


def parameters(rig, group: str = "G1", note: str = "") -> dict:
    ds = rig.ask(f"{ASYNC}/GetNewParameters").json()["returnObj"]
    ds["GLJrnAsynchParam"][0] |= {"GroupID": group, "BookMode": "S", "TaskNote": note}
    return ds


def test_whether_a_group_is_to_be_posted_by_a_task(rig, clerk):
    """By the number of its lines, or as the switch says."""
    clerk.journal()

    def needs(most: int) -> bool:
        asked = {"groupID": "G1", "maxCountOfLines": most}
        return clerk.do("GLJrnGrp", "IsNeedAsyncronousPosting", **asked).json()["returnObj"]

    assert [True, False] == [needs(1), needs(2)]
    rig.switch(posting_async="always")
    assert needs(100)


def test_a_task_is_active_and_then_complete(rig, clerk, door):
    """The group is posted when the task is, not when it is submitted; the note finds it."""
    clerk.journal()
    asked = {"agentID": "SystemTaskAgent", "agentSchedNum": 0, "agentTaskNum": 0}
    answer = rig.call(f"{ASYNC}/SubmitToAgent", ds=parameters(rig), **asked, maintProgram="")
    assert (400, True) == (answer.status_code, "maintenance program" in answer.json()["ErrorMessage"])
    rig.call(f"{ASYNC}/SubmitToAgent", ds=parameters(rig, note="n-1"), **asked, maintProgram="Erp.UIProc.GLJrnAsynch")

    def status() -> str:
        [task] = rig.rows("Ice.BO.SysTaskSvc/SysTasks", filter="TaskNote eq 'n-1'")
        return task["TaskStatus"]

    assert ("Active", ["entry"]) == (status(), states(door))
    assert ("Complete", ["posted"]) == (status(), states(door))
    assert ["Info"] == [
        row["MsgType"] for row in rig.rows("Ice.BO.SysTaskLogSvc/SysTaskLogs", filter="SysTaskNum eq 1")
    ]


def test_a_task_that_fails(rig, clerk, door):
    """Error, in capitals by switch, and the reason in its log."""
    rig.switch(task_status_case="upper")
    clerk.journal(credit="1.00")
    asked = {"agentID": "SystemTaskAgent", "agentSchedNum": 0, "agentTaskNum": 0, "maintProgram": "X"}
    rig.call(f"{ASYNC}/SubmitToAgent", ds=parameters(rig), **asked)
    assert {"tasks": 1} == door.post("/epicor/run-tasks", json={}).json()
    assert ["ERROR"] == [row["TaskStatus"] for row in rig.rows("Ice.BO.SysTaskSvc/SysTasks")]
    [log] = rig.rows("Ice.BO.SysTaskLogSvc/SysTaskLogs")
    assert "Out of Balance" in log["MsgText"]


def test_run_direct(rig, clerk, door):
    """Posts within the call."""
    clerk.journal()
    assert 200 == rig.call(f"{ASYNC}/RunDirect", ds=parameters(rig)).status_code
    assert ["posted"] == states(door)
