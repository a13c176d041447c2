"""Group G of the fault catalogue, as far as it concerns the engine alone: the real one, a real register, small books."""

from dataclasses import replace

import pytest

from mlc_pipelines.flows.clerk import Limits
from mlc_pipelines.flows.posting import ALL_OR_NONE, abandon, post_all, post_once, sweep
from mlc_pipelines.ledger.drafts import ApprovalVoid, DraftLine, FenceLost, ReferenceReused, Unbalanced
from mlc_pipelines.ledger.errors import DataError, WaitingError
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, RELEASED
from mlc_pipelines.store.postings import (
    ABANDONED,
    CHECKED,
    CONFLICT,
    DRAFT_SEEN,
    INTENT,
    POSTED_SEEN,
    RELEASING,
    SEALED,
    WAITING,
    Postings,
)
from mlc_pipelines_tests.posting.books import FINE, HALF, KILLED_AFTER, KILLED_BEFORE, LATE, LOST, UNANSWERED, Killed
from mlc_pipelines_tests.posting.samples import CONTRA, DRAFT, RENT, approved, parts, taken_up

APPROVAL = approved(DRAFT)


def states(register, draft=DRAFT) -> list[str]:
    return [event.state for event in register.events(draft.reference)]


def require_one(books, draft=DRAFT) -> None:
    """Exactly one released journal with exactly the approved lines."""
    released = [journal for journal in books.released if journal.reference == draft.reference]
    assert [tuple(draft.lines)] == [journal.lines for journal in released]


def test_a_plain_posting_is_two_phases_and_three_looks(desk, books, register) -> None:
    """Nothing is sent that was not looked for before, and every state is written down in turn."""
    outcome = post_once(DRAFT, APPROVAL, desk)
    require_one(books)
    assert f"{DRAFT}: posted as 101" == str(outcome)
    find = f"find {DRAFT.reference}"
    assert [find, f"create {DRAFT.reference}", find, "read 101", "release 101", find, "read 101"] == books.requests
    way = [INTENT, INTENT, DRAFT_SEEN, CHECKED, RELEASING, POSTED_SEEN, SEALED]
    assert way == states(register)
    assert {"r.diaz"} == {event.who for event in register.events(DRAFT.reference)}


def test_P22_a_posting_done_again_asks_and_writes_nothing(desk, books) -> None:
    """It says as which journal it was posted, without a request."""
    post_once(DRAFT, APPROVAL, desk)
    books.requests.clear()
    assert f"{DRAFT}: already posted as 101" == str(post_once(DRAFT, APPROVAL, desk))
    assert [] == books.requests


@pytest.mark.parametrize("step", ["create", "release"])
@pytest.mark.parametrize("fault", [LOST, UNANSWERED, LATE, HALF])
def test_G01_G02_G04_an_unanswered_write_is_looked_up(desk, books, step, fault) -> None:
    """One is posted whether the request was lost, applied without an answer, or applied later; what came too late is swept up."""
    books.faults = [FINE, fault] if step == "create" else [FINE, FINE, FINE, FINE, fault]
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    books.apply_late()
    require_one(books)
    swept = sweep(desk)
    assert ([""] if (step, fault) == ("create", LATE) else []) == [one.said for one in swept]
    assert [] == books.drafts
    require_one(books)


def test_rule_4_an_unanswered_create_is_waited_for(desk, books, clock) -> None:
    """Nothing is created again before the quiet time has passed and another look was taken: it spares a stray."""
    books.faults = [FINE, LATE]
    sleep = clock.sleep

    def arrives(seconds: float) -> None:
        sleep(seconds)
        if seconds == desk.limits.quiet_seconds:
            books.apply_late()

    post_once(DRAFT, APPROVAL, replace(desk, sleep=arrives))
    require_one(books)
    assert 1 == len([write for write in books.writes if write.startswith("create")])


@pytest.mark.parametrize("at", range(9))
@pytest.mark.parametrize("fault", [KILLED_BEFORE, KILLED_AFTER])
def test_G05_killed_at_any_request_and_taken_up_again(desk, books, at, fault) -> None:
    """Whoever comes next brings it to its end from what the ERP shows."""
    books.faults = [*[FINE] * at, fault]
    try:
        post_once(DRAFT, APPROVAL, desk)
    except Killed:
        post_once(DRAFT, APPROVAL, desk)
    require_one(books)
    assert [] == books.drafts


def test_G07_a_look_up_one_write_behind_makes_no_second_posting(desk, books) -> None:
    """What is not seen yet is waited for, then perhaps made again; the lowest is released, the other one deleted."""
    create = books.create_on_hold

    def then_stale(draft) -> None:
        create(draft)
        books.stale = True

    books.create_on_hold = then_stale
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    require_one(books)
    assert [] == books.drafts


@pytest.mark.parametrize("mode", ["each", ALL_OR_NONE])
def test_G08_twelve_journals_of_which_five_were_posted(desk, books, mode) -> None:
    """The next run goes on with the sixth: twelve posted in all, each under its own reference, none touched twice."""
    drafts = parts(12)
    release = books.release

    def dies_at_the_sixth(number: str) -> None:
        if len(books.released) == 5:
            raise Killed
        release(number)

    books.release = dies_at_the_sixth
    with pytest.raises(Killed):
        post_all(drafts, approved(*drafts), desk, mode=mode)
    books.release = release
    outcomes = post_all(drafts, approved(*drafts), desk, mode=mode)
    assert [False] * 5 + [True] * 7 == [outcome.anew for outcome in outcomes]
    assert 12 == len({journal.reference for journal in books.released}) == len(books.released)


def test_G08_somebody_else_goes_on_from_what_was_written_down(desk, books, register) -> None:
    """No plan, no approval at hand: the register has both. A package whose writing down was cut short was not sent at all."""
    drafts = parts(4)
    books.faults = [FINE, FINE, FINE, FINE, KILLED_AFTER]
    with pytest.raises(Killed):
        post_all(drafts, approved(*drafts), desk)
    somebody = Postings(register.engine, "demo", who="m.lee")
    assert [SEALED] * 4 == [outcome.state for outcome in taken_up(DRAFT.plan, replace(desk, register=somebody))]
    assert {draft.reference for draft in drafts} == {journal.reference for journal in books.released}
    cut_short = [replace(DRAFT, plan="Forecast", part=part) for part in (1, 2)]
    register.record_intent(cut_short[0], approved(*cut_short))
    requests = len(books.requests)
    with pytest.raises(ApprovalVoid, match="approved content"):
        taken_up("Forecast", replace(desk, register=somebody))
    assert requests == len(books.requests)


def test_G10_a_draft_changed_by_a_person_is_not_released(desk, books, register) -> None:
    """The line is named, and nothing goes on before a person has put it right and said so."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    books.journals[101] = replace(books.journals[101], waiting="", lines=(replace(RENT, debit_minor=150_001), CONTRA))
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert CONFLICT == outcome.state
    assert "Journal 101" in outcome.why
    assert "6100 000-DEN debit 1,500.01 USD was not approved" in outcome.why
    assert [] == books.released
    books.journals[101] = replace(books.journals[101], lines=DRAFT.lines)
    books.approval_map = False
    assert CONFLICT == post_once(DRAFT, APPROVAL, desk).state
    register.reopen(DRAFT.reference, "line put back by M. Lee")
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    require_one(books)


def test_G11_a_draft_deleted_by_a_person_is_made_again_after_a_quiet_time(desk, books, clock) -> None:
    """And the run says so."""
    said: list[str] = []
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    del books.journals[101]
    books.approval_map = False
    assert SEALED == post_once(DRAFT, APPROVAL, replace(desk, progress=said.append, age=lambda _posting: 0.0)).state
    assert 120 in clock.waited
    assert any("journal 101 is gone" in line for line in said)
    require_one(books)


def test_a_journal_that_lost_its_reference_is_not_made_again(desk, books) -> None:
    """No look-up finds it any more, yet it is there: a second one would double it."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    books.journals[101] = replace(books.journals[101], reference="Rent March", waiting="", state=POSTED)
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (CONFLICT, 1) == (outcome.state, len(books.journals))
    assert "its reference is 'Rent March' now" in outcome.why


def test_G13_an_approval_map_in_the_erp_is_waited_for(desk, books, register) -> None:
    """The journal stands checked, the reason names it, and the next run goes on once somebody approved it there."""
    books.approval_map = True
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert WAITING == outcome.state
    assert "journal 101 waits for approval of batch 101 in the ERP" in outcome.why
    assert [DRAFT.reference] == [posting.reference for posting in register.open()]
    books.approve(101)
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    assert [] == register.open()
    require_one(books)


@pytest.mark.parametrize(("post_too", "state"), [(False, RELEASED), (True, POSTED)])
def test_G14_released_but_not_posted_counts_as_released(desk, books, post_too, state) -> None:
    """The second step is ours only where the connection says so."""
    books.post_on_release = False
    assert SEALED == post_once(DRAFT, APPROVAL, replace(desk, post_too=post_too)).state
    assert [state] == [journal.state for journal in books.journals.values()]


def test_G16_changed_figures_under_an_old_reference_are_refused(desk, books) -> None:
    """Both contents are named, and nothing is sent; as a new version they have a reference of their own."""
    post_once(DRAFT, APPROVAL, desk)
    requests = list(books.requests)
    changed = replace(DRAFT, lines=(replace(RENT, debit_minor=7), replace(CONTRA, credit_minor=7)))
    with pytest.raises(ReferenceReused) as refusal:
        post_once(changed, approved(changed), desk)
    assert DRAFT.content_hash[:16] in refusal.value.what
    assert changed.content_hash[:16] in refusal.value.what
    assert requests == books.requests
    assert replace(changed, version="2").reference != DRAFT.reference


@pytest.mark.parametrize(
    ("distort", "said"),
    [
        (lambda lines: (replace(lines[0], debit_minor=150_001), lines[1]), "debit 1,500.01 USD was not approved"),
        (lambda lines: (*lines, DraftLine("2000", "000-DEN", 5, 0)), "2000 000-DEN debit 0.05 USD was not approved"),
        (lambda lines: (replace(lines[0], subaccount="000-SEA"), lines[1]), "6100 000-DEN debit 1,500.00 USD is not"),
        (lambda lines: (*lines, lines[0]), "6100 000-DEN debit 1,500.00 USD was not approved"),
    ],
    ids=["rounded", "balancing line", "subaccount by default", "line doubled"],
)
def test_G17_what_the_erp_made_of_the_lines_is_seen_before_the_release(desk, books, distort, said) -> None:
    """It stays on hold for a person."""
    books.distort = distort
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (CONFLICT, [ON_HOLD]) == (outcome.state, [journal.state for journal in books.journals.values()])
    assert said in outcome.why


@pytest.mark.parametrize("reference", ["MLC-SOMEBODYELSE", DRAFT.reference.lower(), DRAFT.reference + " ", ""])
def test_G20_a_careless_filter_is_filtered_again(desk, books, reference) -> None:
    """Somebody else's draft, or one whose reference differs in case or blanks, is neither released nor deleted."""
    post_once(parts(2)[1], approved(parts(2)[1]), desk)
    books.journals[1] = replace(books.journals[101], number="1", order=1, reference=reference, state=ON_HOLD)
    books.careless = True
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    assert ON_HOLD == books.journals[1].state
    require_one(books)


def test_G22_a_period_that_closed_meanwhile_is_waited_for(desk, books) -> None:
    """The draft stays on hold, by its number; after the period is open again the work goes on."""
    books.closed = True
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (WAITING, "101") == (outcome.state, outcome.number)
    assert f"{DRAFT}: WAITING (Period FY2026-P03 is closed.)" == str(outcome)
    assert [ON_HOLD] == [journal.state for journal in books.journals.values()]
    books.closed = False
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state
    require_one(books)


def test_G23_a_busy_group_is_waited_for(desk, books) -> None:
    """Whose desk it is open at stands in the reason."""
    books.busy = True
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (WAITING, True) == (outcome.state, "M. Lee" in outcome.why)
    books.busy = False
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state


def test_G25_an_unbalanced_journal_is_refused_before_its_intent(desk, books, register) -> None:
    """The difference is named, of the whole package nothing is written down, and a one-sided ledger takes it."""
    lame = replace(DRAFT, part=2, lines=(RENT,))
    with pytest.raises(Unbalanced, match=r"difference 1,500\.00 USD"):
        post_all([DRAFT, lame], approved(DRAFT, lame), desk)
    assert ([], None) == (books.requests, register.find(DRAFT.reference))
    statistical = replace(lame, destination=replace(DRAFT.destination, one_sided=True))
    assert SEALED == post_once(statistical, approved(statistical), desk).state


def test_changed_content_voids_the_approval(desk, books, register) -> None:
    """An approval is for exactly these journals: none changed, none left out, none added."""
    for package in ([replace(DRAFT, lines=DRAFT.lines * 2)], [DRAFT, parts(2)[1]]):
        with pytest.raises(ApprovalVoid):
            post_all(package, APPROVAL, desk)
    assert ([], None) == (books.requests, register.find(DRAFT.reference))


def test_an_approval_taken_back_stops_the_release(desk, books) -> None:
    """It is read again just before; the draft stays on hold."""

    def taken_back(_draft) -> None:
        raise ApprovalVoid("r.diaz took the approval back.")

    outcome = post_once(DRAFT, APPROVAL, replace(desk, require_approval=taken_back))
    assert (WAITING, "r.diaz took the approval back.") == (outcome.state, outcome.why)
    assert ([ON_HOLD], []) == ([journal.state for journal in books.journals.values()], books.released)


def test_all_or_none_releases_nothing_before_all_are_ready(desk, books) -> None:
    """One journal that the ERP changed keeps all others on hold."""
    drafts = parts(3)
    create = books.create_on_hold

    def spoils_the_second(draft) -> None:
        books.distort = (lambda lines: lines[:1]) if draft.part == 2 else (lambda lines: lines)
        create(draft)

    books.create_on_hold = spoils_the_second
    outcomes = post_all(drafts, approved(*drafts), desk, mode=ALL_OR_NONE)
    assert [CHECKED, CONFLICT, CHECKED] == [outcome.state for outcome in outcomes]
    assert [] == books.released
    assert [SEALED, CONFLICT, SEALED] == [one.state for one in post_all(drafts, approved(*drafts), desk)]


def test_two_released_ones_are_an_alarm_and_nothing_is_reversed(desk, books) -> None:
    """Rule 7: a person made a second one; the engine touches neither."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    books.approve(101)
    books.journals[90] = replace(books.journals[101], number="90", order=90)
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (CONFLICT, 2) == (outcome.state, len(books.released))
    assert "journals 90 and 101" in outcome.why or "journals 101 and 90" in outcome.why


def test_of_two_released_ones_the_one_that_a_person_took_back_counts_no_more(desk, books, register) -> None:
    """It stays released in the ERP for ever, and is looked past: the posting is reopened and sealed by the other one."""
    post_once(DRAFT, APPROVAL, desk)
    books.journals[90] = replace(books.journals[101], number="90", order=90)
    register.move(DRAFT.reference, CONFLICT, note="released twice")
    register.reopen(DRAFT.reference, "90 was reversed by 103")
    outcome = post_once(DRAFT, APPROVAL, replace(desk, taken_back={"90", "103"}))
    assert (SEALED, "101", 2) == (outcome.state, outcome.number, len(books.released))


def test_a_sealed_journal_is_given_up_once_it_was_taken_back(desk, books, register) -> None:
    """Before that it stays sealed and cannot be; afterwards the sweep does not take it for one that was released nevertheless."""
    post_once(DRAFT, APPROVAL, desk)
    with pytest.raises(DataError, match="is released as journal 101"):
        abandon(DRAFT, desk, "reversed")
    known = replace(desk, taken_back={"101", "103"})
    assert ABANDONED == abandon(DRAFT, known, "reversed").state
    assert ([], ABANDONED) == (sweep(known), register.require(DRAFT.reference).state)


@pytest.mark.parametrize("held", [0, 1])
def test_losing_the_fence_ends_the_work_without_harm(desk, books, held) -> None:
    """Not a write more; the next holder brings it to its end."""
    checks = iter([*[True] * held, *[False] * 50])

    def require_fence() -> None:
        if not next(checks):
            raise FenceLost("Another process holds the fence of PRODWHOLE.")

    with pytest.raises(FenceLost):
        post_once(DRAFT, APPROVAL, replace(desk, require_fence=require_fence))
    assert held == len(books.writes)
    post_once(DRAFT, APPROVAL, desk)
    require_one(books)


def test_rule_9_there_is_a_limit_of_looks_and_of_time(desk, books, clock) -> None:
    """An ERP that never answers ends as WAITING with what it said last, never in an endless loop."""
    books.faults = [LOST] * 1000
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (WAITING, 12) == (outcome.state, len(books.requests))
    assert "after 12 looks: The ERP did not answer." in outcome.why
    hurried = replace(desk, limits=Limits(looks=1000, minutes=1))
    assert WAITING == post_once(DRAFT, APPROVAL, hurried).state
    assert clock.at <= 60 + 60 + 5 + 5
    books.faults.clear()
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state


def test_a_definite_no_is_asked_for_twice_and_then_told(desk, books) -> None:
    """What the ERP refuses is a person's to correct; it is not asked for ever."""

    def refuses(_draft) -> None:
        books.requests.append("create")
        raise DataError("Account 6100 is inactive.")

    books.create_on_hold = refuses
    outcome = post_once(DRAFT, APPROVAL, desk)
    assert (WAITING, "Account 6100 is inactive.", 2) == (outcome.state, outcome.why, books.requests.count("create"))


def test_rule_10_the_sweep_touches_only_what_is_finished(desk, books, register) -> None:
    """Drafts of journals at work, and of other installations, are told and left."""
    books.faults = [FINE, LATE]
    post_once(DRAFT, APPROVAL, desk)
    books.apply_late()
    stray = books.drafts[0]
    books.approval_map = True
    at_work = parts(2)[1]
    post_once(at_work, approved(at_work), desk)
    books.journals[7] = replace(stray, number="7", order=7, reference="MLC-OTHERINSTALLATION")
    said = {one.journal.number: one.said for one in sweep(desk)}
    assert {stray.number: "", "103": "still at work, WAITING", "7": "not of this installation"} == said
    assert {103, 7} == {journal.order for journal in books.drafts}


def test_rule_10_the_sweep_leaves_a_reversal_that_a_person_prepares(desk, books) -> None:
    """The ERP may give it the text of the journal that it takes back, hence our reference: with exchanged sides it is no stray of ours."""
    post_once(DRAFT, APPROVAL, desk)
    back = tuple(replace(one, debit_minor=one.credit_minor, credit_minor=one.debit_minor) for one in DRAFT.lines)
    books.journals[102] = replace(books.journals[101], number="102", order=102, state=ON_HOLD, lines=back)
    books.journals[103] = replace(books.journals[101], number="103", order=103, state=ON_HOLD)
    assert ["somebody is about to reverse journal 101 by it", ""] == [one.said for one in sweep(desk)]
    assert {101, 102} == set(books.journals)


def test_a_journal_is_abandoned_by_a_person_and_never_written_again(desk, books, register) -> None:
    """Its drafts are deleted, the reason is kept, and a released one cannot be abandoned."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    assert ABANDONED == abandon(DRAFT, desk, "plan withdrawn").state
    assert {} == books.journals
    assert (ABANDONED, "plan withdrawn") == (lambda out: (out.state, out.why))(post_once(DRAFT, APPROVAL, desk))
    assert {} == books.journals
    books.approval_map = False
    other = parts(2)[1]
    post_once(other, approved(other), desk)
    with pytest.raises(DataError, match="cannot be abandoned"):
        abandon(other, desk, "too late")


def test_giving_up_stops_a_worker_that_is_just_about_to_make_a_draft(desk, books, register) -> None:
    """It makes it, since nothing can stop a request on its way, but it does not release it; the sweep deletes it."""
    create = books.create_on_hold

    def meanwhile_somebody_gives_it_up(draft) -> None:
        books.create_on_hold = create
        abandon(DRAFT, desk, "plan withdrawn")
        create(draft)

    books.create_on_hold = meanwhile_somebody_gives_it_up
    assert ABANDONED == post_once(DRAFT, APPROVAL, desk).state
    assert ([ON_HOLD], [""]) == ([one.state for one in books.drafts], [one.said for one in sweep(desk)])
    assert {} == books.journals


def test_giving_up_too_late_leaves_the_journal_to_be_sealed(desk, books, register) -> None:
    """The worker released it while the command was given: the person is told, and the next run brings it to its end."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    hold_back = type(register).hold_back

    class Slow(type(register)):
        def hold_back(self, reference: str, why: str):
            books.approve(101)
            return hold_back(self, reference, why)

    slow = Slow(register.engine, "demo", who="m.lee")
    with pytest.raises(DataError, match="cannot be abandoned"):
        abandon(DRAFT, replace(desk, register=slow), "plan withdrawn")
    assert (WAITING, "101") == (register.find(DRAFT.reference).state, books.released[0].number)
    assert SEALED == post_once(DRAFT, APPROVAL, desk).state


def test_giving_up_that_was_cut_short_is_a_named_conflict(desk, books, register) -> None:
    """A draft that does not go away keeps the command from its end; the same command finishes it, and from a conflict, too."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    books.faults = [FINE, FINE, LOST]
    with pytest.raises(WaitingError, match=r"drafts 101 are still there\. The answer did not come"):
        abandon(DRAFT, desk, "plan withdrawn")
    held = post_once(DRAFT, APPROVAL, desk)
    assert (CONFLICT, "being given up: plan withdrawn") == (held.state, held.why)
    assert ABANDONED == abandon(DRAFT, desk, "plan withdrawn").state
    assert {} == books.journals


def test_a_journal_given_up_and_released_nevertheless_is_told_by_the_sweep(desk, books, register) -> None:
    """A person released the draft of another desk in the ERP: a conflict by its number, once."""
    books.approval_map = True
    post_once(DRAFT, APPROVAL, desk)
    held = books.journals[101]
    abandon(DRAFT, desk, "plan withdrawn")
    books.journals[102] = replace(held, number="102", order=102, waiting="", state=POSTED)
    said = "journal 102 is released, although it was given up"
    assert [said] == [one.said for one in sweep(desk)]
    assert (CONFLICT, said) == (lambda row: (row.state, row.note))(register.find(DRAFT.reference))
    assert [] == sweep(desk)
