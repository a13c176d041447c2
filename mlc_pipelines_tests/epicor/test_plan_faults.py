"""Group G of the fault catalogue in Kinetic: the real engine, a real register, real HTTP."""

import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from mlc_pipelines.epicor.config import PlanJournalsRule
from mlc_pipelines.epicor.draftnames import group_of
from mlc_pipelines.flows.posting import abandon, post_once, sweep
from mlc_pipelines.ledger.drafts import DraftEdited, GroupBusy, PeriodClosed, ReferenceReused
from mlc_pipelines.ledger.errors import (
    DataError,
    PipelineError,
    SetupError,
    TransientError,
    UncertainError,
    WaitingError,
)
from mlc_pipelines.ledger.ports import ON_HOLD, RELEASED
from mlc_pipelines.store.postings import ABANDONED, CONFLICT, SEALED, WAITING
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines_tests.epicor.planning import (
    APPLIED,
    DRAFT,
    ENTRY_UPDATE,
    GROUP_UPDATE,
    LINES,
    LOST,
    POSTING,
    approved,
    desk_of,
)

APPROVAL = approved(DRAFT)
LONG = pytest.mark.prove
GROUP = group_of(DRAFT.reference)
RULE = PlanJournalsRule(book="PLAN", journal_code="BU")

BUILD = [(GROUP_UPDATE, 0), *((ENTRY_UPDATE, at) for at in range(5)), (r"POST .*/UnlockGroup", 0)]
"""Every write of a build: the group, the header, three lines, the finished mark, the group given back."""
NAMES = ["group", "header", "line 1", "line 2", "line 3", "finished", "unlock"]


@pytest.mark.parametrize("at", range(len(BUILD)), ids=NAMES)
@pytest.mark.parametrize("fault", [APPLIED, pytest.param(LOST, marks=LONG)], ids=["applied", "lost"])
def test_G01_the_answer_to_a_write_of_a_build_is_lost(desk, door, at, fault):
    """Whatever stands there then is unfinished and cleared away, or finished and used: one is posted, nothing is left."""
    match, skip = BUILD[at]
    planted = door.plant(match, fault, skip=skip)
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    assert 1 == planted.fired
    door.require_one()
    assert [] == door.groups


@pytest.mark.parametrize("status", [500, pytest.param(503, marks=LONG)])
def test_G01_a_server_error_after_the_header_was_stored(desk, door, status):
    """A 500 may have been carried out, as may one from what stands in front of the server."""
    door.plant(ENTRY_UPDATE, {"kind": "status", "status": status, "after": True})
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    door.require_one()


@pytest.mark.parametrize(
    "at",
    [0, 1, pytest.param(3, marks=LONG), pytest.param(5, marks=LONG)],
    ids=["group", "header", "line 2", "finished"],
)
def test_G02_a_write_of_a_build_that_is_applied_later(connect, register, clock, door, at):
    """The client gave it up, built anew and posted; what comes then is refused for its row version, or is a stray that is swept up."""
    match, skip = BUILD[at]
    door.plant(match, {"kind": "delay", "seconds": 1.6}, skip=skip)
    with connect(limits=Limits(read_seconds=0.8, attempts=3)) as client:
        desk = desk_of(client.plan_journals(RULE), register, clock)
        assert SEALED == post_once(DRAFT, APPROVAL, desk).state
        door.wait_for_late_ones()
        sweep(desk)
    door.require_one()
    assert [] == door.groups


def test_G02_a_group_that_comes_after_all_is_posted(desk, door, person):
    """Its id was free again: an empty group is a stray; what was posted under its id tells its reference, and the sweep deletes it."""
    post_once(DRAFT, APPROVAL, desk)
    person.empty_group(GROUP)
    assert [f"{GROUP} ({DRAFT.reference}): deleted"] == [str(one) for one in sweep(desk)]
    door.require_one()
    assert [] == door.groups


def test_G02_a_late_line_of_an_earlier_build_meets_the_next_one(connect, register, clock, door):
    """Kinetic gives the journal's number again, so it fits; but its header has another row version: it is refused, and the build is what was approved."""
    door.plant(ENTRY_UPDATE, {"kind": "delay", "seconds": 1.6}, skip=2)
    with connect(limits=Limits(read_seconds=0.8, attempts=3)) as client:
        books = client.plan_journals(RULE)
        with pytest.raises(UncertainError):
            books.create_on_hold(DRAFT)
        [half] = books.find_by_reference(DRAFT.reference)
        assert half.unfinished
        books.delete_draft(half.number)
        books.create_on_hold(DRAFT)
        [whole] = books.find_by_reference(DRAFT.reference)
        assert half.number.split("-")[:2] == whole.number.split("-")[:2]
        door.wait_for_late_ones()
        assert sorted(LINES) == sorted(books.read_back(whole.number).lines)
        assert books.read_back(half.number) is None


@pytest.mark.parametrize("fault", [APPLIED, LOST, {"kind": "delay", "seconds": 1.6}], ids=["applied", "lost", "late"])
def test_G04_the_answer_to_the_posting_is_lost(connect, register, clock, door, fault):
    """Looked up: it is posted, or posted again; the late one finds no group any more."""
    door.plant(POSTING, fault)
    with connect(limits=Limits(read_seconds=0.8, attempts=3)) as client:
        assert SEALED == post_once(DRAFT, APPROVAL, desk_of(client.plan_journals(RULE), register, clock)).state
    door.wait_for_late_ones()
    door.require_one()


def test_G04_posting_what_is_posted_already(books, door):
    """Refused without a call that posts."""
    books.create_on_hold(DRAFT)
    [draft] = books.find_by_reference(DRAFT.reference)
    books.release(draft.number)
    door.sandbox.traffic.clear()
    with pytest.raises(DataError, match="is not in entry"):
        books.release(draft.number)
    assert [] == door.writes
    door.require_one()


# -- half built ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, *(pytest.param(at, marks=LONG) for at in (1, 2, 3)), 4, 5], ids=NAMES[:6])
def test_a_half_built_journal_is_known_as_such(books, door, at):
    """By our own mark, not by its lines: it is never released; it can be deleted, with its group."""
    match, skip = BUILD[at]
    door.plant(match, APPLIED, skip=skip)
    with pytest.raises(UncertainError):
        books.create_on_hold(DRAFT)
    [half] = books.find_by_reference(DRAFT.reference)
    assert (at < 5, ON_HOLD, DRAFT.reference) == (half.unfinished, half.state, half.reference)
    if half.unfinished:
        with pytest.raises(DataError):
            books.release(half.number)
        assert [] == [path for path in door.writes if "PostGroup" in path]
    assert [half.number] == [one.number for one in books.find_drafts()]
    books.delete_draft(half.number)
    assert [] == books.find_by_reference(DRAFT.reference)
    assert [] == door.groups


def test_a_group_without_a_journal_is_swept_only_when_its_reference_is_known(books, desk, door, register):
    """A group does not tell its reference: unknown, it is shown to a person and left."""
    door.plant(GROUP_UPDATE, APPLIED)
    with pytest.raises(UncertainError):
        books.create_on_hold(DRAFT)
    [shown] = sweep(desk)
    assert f"{GROUP} (MLC-{GROUP[1:]}): not of this installation" == str(shown)
    assert [GROUP] == door.groups


@pytest.mark.parametrize("step", ["header", "group"])
def test_clearing_up_that_is_cut_short_is_taken_up_again(books, door, step):
    """The journal is gone, the group still there, or neither: the next one finishes it."""
    books.create_on_hold(DRAFT)
    [draft] = books.find_by_reference(DRAFT.reference)
    door.plant(ENTRY_UPDATE if step == "header" else GROUP_UPDATE, APPLIED)
    with pytest.raises(UncertainError):
        books.delete_draft(draft.number)
    for left in books.find_by_reference(DRAFT.reference):
        assert left.unfinished
        books.delete_draft(left.number)
    assert [] == books.find_by_reference(DRAFT.reference)
    assert [] == door.groups


def test_two_workers_build_the_same_journal_at_once(connect, register, clock, door):
    """Kinetic refuses the second group; whoever is first builds, one is posted, nothing is left."""

    def work(client) -> None:
        desk = desk_of(client.plan_journals(RULE), register, clock)
        outcomes.append(post_once(DRAFT, APPROVAL, desk).state)

    outcomes: list[str] = []
    clock.meanwhile = lambda: time.sleep(0.02)
    with ExitStack() as open_ones:
        clients = [open_ones.enter_context(connect()) for _ in range(2)]
        workers = [threading.Thread(target=work, args=(client,)) for client in clients]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=60)
    assert SEALED in outcomes
    with connect() as client:
        desk = desk_of(client.plan_journals(RULE), register, clock)
        assert SEALED == post_once(DRAFT, APPROVAL, desk).state
        sweep(desk)
    door.require_one()


@LONG
def test_a_worker_whose_build_was_taken_away_stops(connect, door):
    """Another one cleared it and built anew under the same number: not one line of the first gets into it."""
    said: list[PipelineError] = []
    with connect() as first, connect() as second:
        mine, theirs = first.plan_journals(RULE), second.plan_journals(RULE)

        def work() -> None:
            try:
                mine.create_on_hold(DRAFT)
            except PipelineError as error:
                said.append(error)

        theirs.require_destination()
        door.plant(r"POST .*/GetNewGLJrnDtlMnl", {"kind": "delay", "seconds": 2.5})
        worker = threading.Thread(target=work)
        worker.start()
        while not (half := theirs.find_by_reference(DRAFT.reference)) or "-" not in half[0].number:
            time.sleep(0.02)
        theirs.delete_draft(half[0].number)
        theirs.create_on_hold(DRAFT)
        worker.join(timeout=30)
        [whole] = theirs.find_by_reference(DRAFT.reference)
        assert half[0].number.split("-")[:2] == whole.number.split("-")[:2]
        assert not whole.unfinished
        assert sorted(LINES) == sorted(theirs.read_back(whole.number).lines)
    assert [True] == [isinstance(error, TransientError) for error in said]


# -- what others do to it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["amount", "account", "line", "period", "comment"])
def test_G10_G17_a_draft_that_is_not_what_was_approved(books, desk, door, person, what):
    """Somebody, or a rule of Kinetic, changed a cent, a segment, a line, its reference: read back, named, not posted."""
    books.create_on_hold(DRAFT)
    [draft] = books.find_by_reference(DRAFT.reference)
    desk.register.record_intent(DRAFT, APPROVAL)
    desk.register.move(DRAFT.reference, "DRAFT_SEEN", number=draft.number)
    match what:
        case "amount":
            person.change(GROUP, "GLJrnDtlMnl", 0, TotDebit="1500.01")
        case "account":
            person.change(GROUP, "GLJrnDtlMnl", 0, GLAccount="6010|410", SegValue2="410")
        case "line":
            person.add_line(GROUP, "6010|310", TotDebit="0.01", CommentText="Rounding")
        case "period":
            person.change(GROUP, "GLJrnHed", 0, FiscalPeriod=4)
        case "comment":
            person.change(GROUP, "GLJrnHed", 0, CommentText=f"{DRAFT.reference} ")
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert CONFLICT == outcome.state
    assert isinstance(outcome.error, DraftEdited)
    assert draft.number in str(outcome.error)
    assert [] == door.journals(state="posted")
    assert [] == [path for path in door.writes if "PostGroup" in path]


def test_G11_a_draft_that_a_person_deleted(books, desk, door):
    """It is built again, and posted once."""
    books.create_on_hold(DRAFT)
    [draft] = books.find_by_reference(DRAFT.reference)
    desk.register.record_intent(DRAFT, APPROVAL)
    desk.register.move(DRAFT.reference, "CHECKED", number=draft.number)
    books.delete_draft(draft.number)
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert SEALED == outcome.state
    assert draft.number != outcome.number
    door.require_one()


def test_G14_lines_in_the_ledger_that_are_not_flagged_as_posted_yet(books, desk, door):
    """They can no longer be changed: it counts as released, nothing is written, and there is no second step of ours."""
    lines = [
        {"account": "6010", "dept": "310", "debit": "1500.00"},
        {"account": "6110", "dept": "310", "plant": "MF", "debit": "50.05"},
        {"account": "3990", "credit": "1550.05"},
    ]
    about = {"book": "PLAN", "period": DRAFT.period, "code": "BU", "group": GROUP, "posted": False}
    door.post("journals", lines=lines, comment=f"{DRAFT.reference} #ABCDEFGH", **about)
    [found] = books.find_by_reference(DRAFT.reference)
    assert RELEASED == found.state
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    assert [] == door.writes


def test_G16_the_same_reference_with_other_figures(desk, door):
    """Refused before anything is sent; what was posted stays."""
    post_once(DRAFT, APPROVAL, desk)
    door.sandbox.traffic.clear()
    other = replace(
        DRAFT, lines=(replace(LINES[0], debit_minor=145_000), *LINES[1:2], replace(LINES[2], credit_minor=150_005))
    )
    with pytest.raises(ReferenceReused):
        post_once(other, approved(other), desk)
    assert [] == door.sandbox.traffic.requests
    door.require_one()


@pytest.mark.parametrize("width", [20, pytest.param(40, marks=LONG)])
@pytest.mark.parametrize("over", ["refused", "cut"])
def test_G19_a_comment_too_narrow_for_the_reference(desk, door, width, over):
    """Refused or cut: noticed with the header, before a line is built; nothing is posted, nothing is left."""
    door.switch(comment_width=width, over_width=over)
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert isinstance(outcome.error, SetupError if over == "cut" else DataError)
    assert str(width) in outcome.why
    assert [] == door.journals()
    assert [] == door.groups


@pytest.mark.parametrize("comment", ["theirs", f"{DRAFT.reference}X #ABCDEFGH", f"{DRAFT.reference.lower()} #ABCDEFGH"])
def test_G20_what_only_looks_like_ours_is_not(books, desk, door, person, comment):
    """A filter that compares without case brings a group in small letters: it is not ours, it is not touched, and it is in the way."""
    person.group(GROUP.lower(), comment)
    assert [] == [one for one in books.find_by_reference(DRAFT.reference) if one.reference == DRAFT.reference]
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert isinstance(outcome.error, GroupBusy)
    assert GROUP.lower() in outcome.why
    assert [GROUP.lower()] == door.groups


def test_G20_a_filter_that_is_not_heeded(books, desk, door):
    """All groups and journals in entry come, other people's among them: only ours is seen and used."""
    door.switch(ignore_filter=["GLJrnGrps", "GLJournalEntries", "RvJrns"])
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    door.require_one()
    assert ["KR1109"] == [one["group"] for one in door.get("groups")["groups"]]


@pytest.mark.parametrize("how", ["closes before the posting", "closed between"])
def test_G22_the_period_closes_between_draft_and_posting(books, desk, door, how):
    """PeriodClosed, the draft stays in entry and is named; once the period is open again it goes on by itself."""
    if how == "closed between":
        books.create_on_hold(DRAFT)
        door.post("close", period=DRAFT.period, book="PLAN")
    else:
        door.switch(before_post="period closes")
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert isinstance(outcome.error, PeriodClosed)
    assert DRAFT.period in outcome.why
    assert GROUP in str(outcome.error) + outcome.number
    assert 1 == len(door.journals(DRAFT.reference, "entry"))
    door.post("reopen", period=DRAFT.period, book="PLAN")
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    door.require_one()


@pytest.mark.parametrize("when", ["before the posting", "while it is built", "between"])
def test_G23_a_group_that_another_user_has_open(books, desk, door, when):
    """GroupBusy, naming them; nothing of it is touched; given back, it goes on."""
    match when:
        case "before the posting":
            door.switch(before_post="group taken")
        case "while it is built":
            door.switch(new_groups_taken_by="kreyes")
        case "between":
            books.create_on_hold(DRAFT)
            door.post("hold", group=GROUP, user="kreyes")
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert isinstance(outcome.error, WaitingError)
    assert f"group {GROUP}, which kreyes has open" in outcome.why
    assert [GROUP] == door.groups
    door.switch(new_groups_taken_by="")
    door.post("hold", group=GROUP, user="")
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    door.require_one()


@pytest.mark.parametrize("book", ["PLAN", "MAIN"])
def test_G23_a_group_id_that_is_taken(desk, door, person, book):
    """By a journal that is not ours, in whatever book: it stays as it is, and is named."""
    person.group(GROUP, "Accrual of December", book)
    main = door.digest
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert isinstance(outcome.error, GroupBusy)
    assert GROUP in outcome.why
    assert [GROUP] == [one["group"] for one in door.get("groups")["groups"] if one["group"] == GROUP]
    assert main == door.digest
    assert [] == door.journals()


def test_G23_an_empty_group_of_somebody_else(books, desk, door, person):
    """It has our id by chance and belongs to another user: it is not cleared away."""
    door.plant(ENTRY_UPDATE, LOST)
    with pytest.raises(UncertainError):
        books.create_on_hold(DRAFT)
    [group] = [row for row in door.sandbox.ironvale.kept["GLJrnGrp"].values() if row["GroupID"] == GROUP]
    door.sandbox.ironvale.put("GLJrnGrp", {**group, "CreatedBy": "kreyes", "ActiveUserID": "kreyes"})
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert isinstance(outcome.error, GroupBusy)
    assert [GROUP] == door.groups


def test_a_foreign_journal_in_our_group_is_not_posted_with_it(books, desk, door, person):
    """Posting posts whole groups: with another journal in it, ours waits."""
    books.create_on_hold(DRAFT)
    ds = person.call("Erp.BO.GLJournalEntrySvc/GetNewGlJrnHedTran", ds={}, GroupID=GROUP)["parameters"]["ds"]
    ds["GLJrnHed"][-1] |= {"Description": "Theirs", "CommentText": "Accrual"}
    person.call("Erp.BO.GLJournalEntrySvc/Update", ds=ds)
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert isinstance(outcome.error, GroupBusy)
    assert "posting would post both" in outcome.why
    assert [] == door.journals(state="posted")


def test_an_abandoned_journal_is_gone_from_entry(books, desk, door):
    """By a person's command; its group goes with it."""
    books.create_on_hold(DRAFT)
    desk.register.record_intent(DRAFT, APPROVAL)
    assert ABANDONED == abandon(DRAFT, desk, "plan withdrawn").state
    assert [] == door.groups


def test_a_posted_group_that_kinetic_keeps_is_no_draft(books, desk, door):
    """Some sites flag the group instead of deleting it: it is not taken for unfinished work."""
    door.switch(posted_group="flagged")
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    assert [] == books.find_drafts()
    assert [] == sweep(desk)
    assert [DRAFT.reference] == [one.reference for one in books.find_by_reference(DRAFT.reference)]


def test_a_number_that_was_used_meanwhile(books, desk, door):
    """Posting gives the journal the next number: it is found by group and token, under the number that it was seen as and the new one."""
    books.create_on_hold(DRAFT)
    [draft] = books.find_by_reference(DRAFT.reference)
    lines = [{"account": "6010", "dept": "310", "debit": "1.00"}, {"account": "3990", "credit": "1.00"}]
    for _ in range(2):
        door.post("journals", lines=lines, book="PLAN", period=DRAFT.period, code="BU")
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert SEALED == outcome.state
    assert draft.number != outcome.number
    assert sorted(LINES) == sorted(books.read_back(draft.number).lines)
    door.require_one()
