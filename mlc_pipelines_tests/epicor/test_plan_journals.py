"""An approved plan as journals of a plan book of Kinetic: the engine over real HTTP, and what the destination says of itself."""

from dataclasses import replace

import pandas as pd
import pytest

from mlc_pipelines.epicor.config import PlanJournalsRule
from mlc_pipelines.flows.posting import ALL_OR_NONE, post_all, post_once
from mlc_pipelines.ledger.drafts import DraftLine, GroupBusy, PeriodClosed, differences
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED
from mlc_pipelines.store.postings import CHECKED, SEALED, WAITING
from mlc_pipelines_tests.epicor.planning import DRAFT, LINES, approved, desk_of

APPROVAL = approved(DRAFT)


def rule(**changes) -> PlanJournalsRule:
    return PlanJournalsRule(**{"book": "PLAN", "journal_code": "BU", **changes})


# -- the happy path -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["each", ALL_OR_NONE])
def test_approved_journals_are_posted_once_each(desk, door, mode):
    """Every journal in a group of its own, its whole reference on every line; the main book stays as it was; done again, nothing is asked."""
    main, drafts = door.digest, [DRAFT, replace(DRAFT, part=2, lines=LINES[::-1])]
    outcomes = post_all(drafts, approved(*drafts), desk, mode=mode)
    assert [SEALED, SEALED] == [one.state for one in outcomes]
    for draft in drafts:
        door.require_one(draft)
    assert [] == door.groups
    assert main == door.digest
    door.sandbox.traffic.clear()
    assert all("already posted" in str(one) for one in post_all(drafts, approved(*drafts), desk, mode=mode))
    assert [] == door.sandbox.traffic.requests


def test_what_a_posted_journal_carries(books, desk, door):
    """The group id is nine characters of the reference; number and comment name the build; descriptions are cut to what Kinetic holds."""
    long = replace(DRAFT, description="Budget of the fiscal year 2027, version 1, approved")
    outcome = post_once(long, approved(long), desk)
    [posted] = door.journals(DRAFT.reference)
    assert 9 == len(posted["group"])
    assert f"M{DRAFT.reference[4:12]}" == posted["group"]
    assert f"{posted['group']}-{posted['number']}-{posted['comment'][-8:]}" == outcome.number
    assert ("BU", "Budget of the fiscal year 2027", "2026-12-26") == tuple(
        posted[name] for name in ("code", "description", "day")
    )
    assert ["Offset", "Rent", "Travel"] == sorted(line["description"] for line in posted["lines"])
    [found] = books.find_by_reference(DRAFT.reference)
    assert (POSTED, DRAFT.reference, outcome.number) == (found.state, found.reference, found.number)
    read = books.read_back(found.number)
    assert [] == differences(DRAFT, read.period, read.currency, read.lines)


def test_it_counts_in_what_the_book_holds_only_when_posted(books, door):
    """A draft has no effect; posted, its figures are added to what stood there, by account and subaccount."""

    def held() -> dict:
        rows = books.read_held("FY2027-P03")
        return {(account, sub): minor for account, sub, minor in rows.itertuples(index=False)}

    before = held()
    books.create_on_hold(DRAFT)
    assert before == held()
    [draft] = books.find_by_reference(DRAFT.reference)
    assert (ON_HOLD, "", False) == (draft.state, draft.waiting, draft.unfinished)
    books.release(draft.number)
    added = {key: minor - before.get(key, 0) for key, minor in held().items() if minor != before.get(key, 0)}
    assert {("6010", "310|"): 150_000, ("6110", "310|MF"): 5_005, ("3990", "|"): -155_005} == added


def test_an_adjustment_period(books, desk, door):
    """A journal of the closing period is dated the last day of the year and stands in that period."""
    draft = replace(DRAFT, period="FY2026-P13")
    assert SEALED == post_once(draft, approved(draft), desk).state
    [posted] = door.journals(draft.reference)
    assert ("2026", 13) == (posted["year"], posted["period"])


def test_one_sided_where_the_book_takes_it(books, desk, door):
    """Debits alone, in a book whose journals need not balance; elsewhere Kinetic's own words say why it stays in entry."""
    destination = replace(DRAFT.destination, one_sided=True)
    draft = replace(DRAFT, destination=destination, lines=LINES[:2])
    refused = post_once(draft, approved(draft), desk)
    assert WAITING == refused.state
    assert "Out of Balance transactions" in refused.why
    assert "declare an offset line" in refused.error.next_step
    [left] = books.find_by_reference(draft.reference)
    assert not left.unfinished
    door.switch(unbalanced_books=["PLAN"])
    other = replace(draft, part=2)
    assert SEALED == post_once(other, approved(other), desk).state
    assert 1 == len(door.journals(other.reference, "posted"))


# -- what it costs ------------------------------------------------------------------------------------------------------


def many(count: int):
    lines = tuple(DraftLine("6010", "310|", 100 + at, 0, f"line {at}") for at in range(count - 1))
    return replace(DRAFT, lines=(*lines, DraftLine("3990", "|", 0, sum(line.debit_minor for line in lines), "Offset")))


@pytest.mark.parametrize(("at_once", "lines", "calls"), [(1, 5, 10), (1, 10, 20), (50, 10, 2)])
def test_two_calls_a_line_or_two_calls_a_block(ledger, door, at_once, lines, calls):
    """One line per Update is what programs in the field do; where Kinetic takes several, a block of them costs what one line does."""
    door.switch(lines_per_update="any")
    books = ledger.plan_journals(rule(lines_per_update=at_once))
    books.create_on_hold(many(lines))
    paths = [one.path for one in door.sandbox.traffic.requests]
    of_lines = [path for path in paths if path.endswith("GetNewGLJrnDtlMnl")]
    updates = [path for path in paths if path.endswith("GLJournalEntrySvc/Update")]
    assert calls == len(of_lines) + len(updates) - 2  # of the header, and the finished mark
    [draft] = books.find_by_reference(DRAFT.reference)
    assert [] == differences(many(lines), "FY2027-P03", "USD", books.read_back(draft.number).lines)


@pytest.mark.parametrize("kind", ["refused", "first only"])
def test_several_lines_at_once_that_kinetic_does_not_take(ledger, register, clock, door, kind):
    """Whether it says so or forgets all but one: nothing is posted, nothing is left, and the message says what to declare."""
    door.switch(lines_per_update=kind)
    books = ledger.plan_journals(rule(lines_per_update=50))
    outcome = post_once(DRAFT, APPROVAL, desk_of(books, register, clock))
    assert WAITING == outcome.state
    assert ("one new line" if kind == "refused" else "1 of 3 lines") in outcome.why
    assert [] == door.journals()
    assert [] == door.groups


# -- posting by a task --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["", "GLJournalEntry"])
@pytest.mark.parametrize("case", ["title", "upper"])
def test_a_large_group_is_posted_by_a_task(ledger, register, clock, door, program, case):
    """Where Kinetic wants one: submitted to the agent and waited for, or run directly where no program is declared."""
    door.switch(task_polls=3, task_status_case=case)
    books = ledger.plan_journals(rule(maintenance_program=program, lines_at_once=2))
    assert SEALED == post_once(DRAFT, APPROVAL, desk_of(books, register, clock)).state
    door.require_one()
    assert [] == [path for path in door.writes if path.endswith("PostGroupJournals")]
    ran = [path.rpartition("/")[2] for path in door.writes if "GLJrnAsynchSvc" in path]
    assert ["SubmitToAgent" if program else "RunDirect"] == ran


def test_a_task_that_lasts_is_waited_for_and_not_started_again(ledger, register, clock, door):
    """The wait is bounded; what comes after it looks for the task of this very journal before it starts another."""
    door.switch(posting_async="always", task_polls=6)
    short = rule(maintenance_program="GLJournalEntry", post_wait_seconds=5, post_poll_seconds=5)
    assert SEALED == post_once(DRAFT, APPROVAL, desk_of(ledger.plan_journals(short), register, clock)).state
    door.require_one()
    assert 1 == len([path for path in door.writes if path.endswith("SubmitToAgent")])


@pytest.mark.parametrize("program", ["", "GLJournalEntry"])
def test_a_task_that_ends_in_an_error_says_why(ledger, register, clock, door, program):
    """The group's log has Kinetic's reason, whatever the task's own status says."""
    door.switch(posting_async="always")
    draft = replace(DRAFT, destination=replace(DRAFT.destination, one_sided=True), lines=LINES[:2])
    books = ledger.plan_journals(rule(maintenance_program=program))
    outcome = post_once(draft, approved(draft), desk_of(books, register, clock))
    assert WAITING == outcome.state
    assert "Out of Balance transactions" in outcome.why


# -- review -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("posted", [True, False])
def test_G13_a_journal_in_review_is_waited_for(desk, door, posted):
    """It ends as waiting, names the review journal, and is taken up again: review posted it, or gave it back and it is posted then."""
    door.switch(review="always")
    outcome = post_once(DRAFT, APPROVAL, desk)
    [draft] = door.journals(DRAFT.reference, "review")
    assert WAITING == outcome.state
    assert f"review journal 2 of group {draft['group']} in Epicor" in outcome.why
    door.switch(review="never")
    door.post("release", group=draft["group"], post=posted)
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    door.require_one()


def test_a_journal_in_review_is_not_deleted(books, door):
    """Somebody looks at it: GroupBusy, and it is still there."""
    books.create_on_hold(DRAFT)
    [draft] = books.find_by_reference(DRAFT.reference)
    door.post("park", group=draft.number.partition("-")[0])
    with pytest.raises(GroupBusy, match="review journal"):
        books.delete_draft(draft.number)
    assert 1 == len(door.journals(DRAFT.reference, "review"))


# -- the destination ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"book": "MAIN"}, "book MAIN is the main book"),
        ({"book": "OLD"}, "book OLD of company IVM is inactive"),
        ({"book": "main"}, "has no book main"),
        ({"book": "TAX"}, "one period would mean two things"),
        ({"read_books": lambda: ("plan",)}, "book PLAN is read as actuals"),
        ({"journal_code": "XX"}, "there is no journal code XX"),
        ({"journal_code": "PJ"}, "belongs to a module of Kinetic"),
        ({"journal_code": "GJ"}, "journal code GJ stands on journals of book MAIN"),
    ],
)
def test_whatever_is_no_place_for_plans_is_refused_before_any_write(ledger, register, clock, door, changes, why):
    """By what Kinetic says, whatever the file says: no step of the engine writes anything, and the books are the same to the byte."""
    main, books = door.digest, ledger.plan_journals(rule(**changes))
    for attempt in (
        books.require_destination,
        lambda: books.create_on_hold(DRAFT),
        lambda: books.release("KR1109-9001-ABCDEFGH"),
        lambda: books.delete_draft("KR1109"),
    ):
        with pytest.raises(SetupError, match=why) as told:
            attempt()
        assert "Nothing was written." == told.value.holds
    assert WAITING == post_once(DRAFT, APPROVAL, desk_of(books, register, clock)).state
    assert [] == door.writes
    assert main == door.digest


def test_a_book_that_the_connection_reads_is_refused(connect, door):
    """Also where it is not the main book: the plan would come back as actuals."""
    with connect(book="PLAN") as client, pytest.raises(SetupError, match="book PLAN is read as actuals"):
        client.plan_journals(rule()).require_destination()
    assert [] == door.writes


def test_what_the_destination_says_of_itself(books):
    """Asked of Kinetic, for the reports."""
    said = books.require_destination()
    shown = (said.company, said.ledger, said.ledger_type, said.currency)
    assert ("IVM", "PLAN", "plan book (Approved plan), journals BU", "USD") == shown


@pytest.mark.parametrize(
    ("account", "subaccount", "why"),
    [
        ("6010", "310|", ""),
        ("6010", "310|MF", ""),
        ("3990", "|", ""),
        ("9", "|", "Chart 9 does not exist"),
        ("6010", "777|", "Dept 777 does not exist"),
        ("6010", "310", "does not have the 2 segments"),
        ("3900", "|", "takes the result of the year"),
        ("2010", "|", "2010 is a control account"),
    ],
)
def test_objections_to_an_account(ledger, door, account, subaccount, why):
    """By values and combinations of the chart, and what the connection declares; nothing is written to find out."""
    books = ledger.plan_journals(rule(control_accounts=("2010",)))
    [said] = books.objections(pd.DataFrame({"account": [account], "subaccount": [subaccount]}))
    assert why in said
    assert bool(why) == bool(said)
    assert [] == door.writes


def test_objections_of_the_whole_chart_are_kinetics_own(ledger, sandbox, books):
    """Every combination of the chart is welcome unless a value is inactive, has expired, or counts units."""
    values, taken = (
        sandbox.ironvale.values,
        sorted(key[1:] for key in sandbox.ironvale.accounts_used if key[0] == "IVM"),
    )
    keys = pd.DataFrame({"account": [one[0] for one in taken], "subaccount": ["|".join(one[1:]) for one in taken]})
    said = dict(zip(taken, books.objections(keys), strict=True))
    for one, why in said.items():
        parts = [values[at][code] for at, code in enumerate(one, start=1) if code]
        bad = any(not part.active or part.until for part in parts) or parts[0].unit or one[0] == "3900"
        assert bool(bad) == bool(why), (one, why)
    assert any("inactive" in why for why in said.values())
    assert any("effective until" in why for why in said.values())
    assert any("counts units" in why for why in said.values())


def test_periods_that_are_not_open(ledger, books, door):
    """Closed in the plan book, before the earliest apply date of the company, or not in the calendar."""
    door.post("close", period="FY2027-P02", book="PLAN")
    said = books.not_open(["FY2026-P10", "FY2026-P11", "FY2027-P02", "FY2027-P03", "FY2031-P01"])
    assert ["FY2026-P10", "FY2027-P02", "FY2031-P01"] == sorted(said)
    assert "earliest apply date 2026-07-26" in said["FY2026-P10"]
    assert "closed in Kinetic for book PLAN" in said["FY2027-P02"]
    assert "no such period" in said["FY2031-P01"]
    without = ledger.plan_journals(rule(earliest_date=False))
    assert {} == without.not_open(["FY2026-P10"])
    with pytest.raises(PeriodClosed):
        books.create_on_hold(replace(DRAFT, period="FY2027-P02"))
    assert [] == door.writes


def test_a_book_apart_from_the_earliest_date(ledger, register, clock, door):
    """Where the date does not hold for plan books, a plan of a period before it is posted."""
    door.switch(earliest_date=False)
    books = ledger.plan_journals(rule(earliest_date=False))
    draft = replace(DRAFT, period="FY2026-P10")
    assert SEALED == post_once(draft, approved(draft), desk_of(books, register, clock)).state
    door.require_one(draft)


def test_legal_numbers_that_a_person_types_are_refused(books, desk, door):
    """Setup, not data: and what had been built is gone again."""
    door.switch(legal_number=True)
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert "wants a legal number typed" in outcome.why
    assert [] == door.groups


@pytest.mark.parametrize("account_check", ["update", "posting"])
def test_an_account_that_kinetic_blocks(books, desk, door, account_check):
    """Nothing tells it beforehand: its own words say which one, at entry or at posting."""
    door.switch(account_check=account_check, restricted_values=["6110"])
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert isinstance(outcome.error, DataError)
    assert ("blocked for entry" if account_check == "update" else "Invalid Account") in outcome.why
    assert [] == door.journals(state="posted")
    assert [] == (door.groups if account_check == "update" else [])


def test_checked_without_releasing(books, register, clock, door):
    """All on hold and proved equal, none posted: what all or none waits for."""
    drafts = [DRAFT, replace(DRAFT, part=2, lines=(*LINES[:2], DraftLine("9", "|", 0, 155_005)))]
    outcomes = post_all(drafts, approved(*drafts), desk_of(books, register, clock), mode=ALL_OR_NONE)
    assert [CHECKED, WAITING] == [one.state for one in outcomes]
    assert [] == door.journals(state="posted")
