"""What is written down of a journal: durable, whole, refused for other content, and the same rules that the enumeration assumes."""

import itertools
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from mlc_pipelines.ledger.drafts import ReferenceReused
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.postings import (
    ABANDONED,
    CHECKED,
    CONFLICT,
    DRAFT_SEEN,
    INTENT,
    PLANNED,
    POSTED_SEEN,
    RELEASING,
    SEALED,
    WAITING,
    Postings,
)
from mlc_pipelines_tests.posting.enumerator import committed
from mlc_pipelines_tests.posting.samples import CONTRA, DRAFT, RENT, approved, parts

APPROVAL = approved(DRAFT)
OTHER = replace(DRAFT, lines=(replace(RENT, debit_minor=7), replace(CONTRA, credit_minor=7)))


def test_an_intent_keeps_everything_that_anybody_needs_to_go_on(register) -> None:
    """The whole journal and its approval come back as they were, for another process and another person."""
    register.record_intent(DRAFT, APPROVAL)
    somebody = Postings(register.engine, "demo", who="m.lee", run="run-2")
    assert [INTENT] == [posting.state for posting in somebody.open()]
    assert (DRAFT, APPROVAL) == somebody.draft(somebody.open()[0].reference)
    somebody.move(DRAFT.reference, DRAFT_SEEN, number="101")
    events = [(event.state, event.number, event.who, event.run) for event in register.events(DRAFT.reference)]
    assert [(INTENT, "", "r.diaz", "run-1"), (DRAFT_SEEN, "101", "m.lee", "run-2")] == events


def test_P03_an_intent_is_on_the_disk_before_the_call_returns(register, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database synchronises at every commit, and another connection sees the row at once."""
    with register.engine.connect() as db:
        assert 2 == db.exec_driver_sql("PRAGMA synchronous").scalar()  # FULL
    register.record_intent(DRAFT, APPROVAL)
    path = register.engine.url.database
    assert Path(f"{path}-wal").stat().st_size
    assert [(INTENT,)] == sqlite3.connect(path).execute("SELECT state FROM postings").fetchall()


def test_P04_a_reference_is_not_reused_for_other_content(register) -> None:
    """Both contents are named, and the row stays as it is."""
    register.record_intent(DRAFT, APPROVAL)
    with pytest.raises(ReferenceReused) as refusal:
        register.record_intent(OTHER, approved(OTHER))
    assert all(one.content_hash[:16] in refusal.value.what for one in (DRAFT, OTHER))
    assert DRAFT == register.draft(DRAFT.reference)[0]


def test_a_preview_may_change_until_it_is_approved(register) -> None:
    """Planned journals are not taken up; the approved content is the last one previewed."""
    register.plan([DRAFT], "package")
    register.plan([OTHER], "package 2")
    assert [] == register.open()
    assert PLANNED == register.require(DRAFT.reference).state
    held = register.record_intent(OTHER, approved(OTHER))
    assert (INTENT, OTHER.content_hash) == (held.state, held.content_hash)
    assert (OTHER, approved(OTHER)) == register.draft(DRAFT.reference)
    with pytest.raises(ReferenceReused):
        register.plan([DRAFT], "package")


def test_closed_journals_move_no_more(register) -> None:
    """A worker that comes late is told; only a conflict is written over an end, and only a person reopens it, with a reason."""
    register.record_intent(DRAFT, APPROVAL)
    register.move(DRAFT.reference, SEALED, number="101")
    assert SEALED == register.move(DRAFT.reference, RELEASING, number="102").state
    held = register.move(DRAFT.reference, CONFLICT, note="two")
    assert ("101", CONFLICT) == (held.number, held.state)
    with pytest.raises(DataError, match="for a reason"):
        register.reopen(DRAFT.reference, " ")
    assert INTENT == register.reopen(DRAFT.reference, "102 was reversed").state
    assert [INTENT, SEALED, CONFLICT, INTENT] == [event.state for event in register.events(DRAFT.reference)]


def test_an_unknown_reference_is_said_to_be_one(register) -> None:
    with pytest.raises(DataError, match="MLC-NOBODY"):
        register.move("MLC-NOBODY", SEALED)
    assert register.find("MLC-NOBODY") is None


def test_the_enumeration_assumes_just_what_the_register_does(register) -> None:
    """After any two commits in a row both hold the same (the enumeration keeps no reasons but those of intents)."""
    by_command = {"hold back": register.hold_back, "let go on": register.let_go_on, "give up": register.give_up}
    states = [INTENT, DRAFT_SEEN, CHECKED, RELEASING, POSTED_SEEN, SEALED, WAITING, CONFLICT, ABANDONED]
    for part, (first, second) in enumerate(itertools.product(states, [*states, *by_command]), start=1):
        draft = replace(DRAFT, part=part)
        register.record_intent(draft, approved(draft))
        row = committed(None, ("intent",))
        for state, number in ((first, "7"), (second, "")):
            if state in by_command:
                posting = by_command[state](draft.reference, "a reason")
                row = committed(row, (state,))
            else:
                posting = register.move(draft.reference, state, number=number)
                row = committed(row, ("move", state, number, ""))
        assert row == (posting.state, posting.number, "")
        assert posting.note in ("", "a reason")


def test_what_a_person_commands_is_kept_with_its_reason(register) -> None:
    """Held back, let go on, held back and given up: each with its reason; only the last one is for ever, and is listed for the sweep."""
    register.record_intent(DRAFT, APPROVAL)
    assert CONFLICT == register.hold_back(DRAFT.reference, "being given up").state
    assert (WAITING, "released as 101") == (lambda row: (row.state, row.note))(
        register.let_go_on(DRAFT.reference, "released as 101")
    )
    register.hold_back(DRAFT.reference, "being given up again")
    assert [] == register.abandoned()
    register.give_up(DRAFT.reference, "plan withdrawn")
    assert [(DRAFT.reference, "plan withdrawn")] == [(row.reference, row.note) for row in register.abandoned()]
    assert ABANDONED == register.let_go_on(DRAFT.reference, "after all").state
    reasons = ["", "being given up", "released as 101", "being given up again", "plan withdrawn"]
    assert reasons == [event.note for event in register.events(DRAFT.reference)]


def test_every_journal_has_a_row_of_its_own(register) -> None:
    for draft in parts(3):
        register.record_intent(draft, approved(*parts(3)))
    assert {draft.reference for draft in parts(3)} == {posting.reference for posting in register.open()}


def test_a_plans_journals_come_in_the_order_of_their_issues(register) -> None:
    """By issue, period, reversals first, part; with state and package; of this connection and plan only, planned ones among them."""
    second = replace(DRAFT, issue=2, period="FY2026-P01")
    back = replace(DRAFT, issue=2, reverses=DRAFT.reference)
    anew, other_plan = replace(DRAFT, issue=2), replace(DRAFT, plan="Forecast")
    for drafts, package in (([anew, second, back], "two"), (parts(2)[::-1], "one"), ([other_plan], "three")):
        register.plan(drafts, package)
    register.move(DRAFT.reference, SEALED, number="7")
    found = register.of_plan(DRAFT.plan)
    assert [*parts(2), second, back, anew] == [draft for draft, _, _ in found]
    assert ["one", "one", "two", "two", "two"] == [package for _, _, package in found]
    assert [SEALED, PLANNED] == [posting.state for _, posting, _ in found[:2]]
    assert [] == Postings(register.engine, "demo_epicor", who="r.diaz").of_plan(DRAFT.plan)
    assert [] == register.of_plan("")


def test_a_journal_moves_into_the_package_of_the_newest_preview(register) -> None:
    """With its new content where that changed, and each time it is noted; what was begun stays with what was approved."""
    register.plan(parts(2), "one")
    register.plan([DRAFT], "two")
    register.plan([DRAFT], "two")
    register.plan([OTHER], "three")
    assert [("three", OTHER), ("one", parts(2)[1])] == [
        (package, draft) for draft, _, package in register.of_plan(DRAFT.plan)
    ]
    noted = [(event.state, bool(event.note)) for event in register.events(DRAFT.reference)]
    assert [(PLANNED, False), (PLANNED, True), (PLANNED, True)] == noted
    register.record_intent(OTHER, approved(OTHER))
    assert INTENT == register.plan([OTHER], "four")[0].state
    assert approved(OTHER).content_hash == register.of_plan(DRAFT.plan)[0][2]


def test_what_is_begun_takes_the_place_of_a_preview_that_nobody_approved(register) -> None:
    """It was approved, and the newer preview is only a thought; from then on that one has to be another issue."""
    register.plan([DRAFT], "one")
    register.plan([OTHER], "two")
    assert INTENT == register.record_intent(DRAFT, APPROVAL).state
    assert (DRAFT, APPROVAL) == register.draft(DRAFT.reference)
    assert [APPROVAL.content_hash] == [package for _, _, package in register.of_plan(DRAFT.plan)]
    with pytest.raises(ReferenceReused, match="the figures have changed"):
        register.plan([OTHER], "two")
