"""A month of bad luck: the real engine and a real database against books that fail, people who meddle, and processes that die."""

import itertools
import os
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mlc_pipelines.flows.clerk import Limits
from mlc_pipelines.flows.posting import ALL_OR_NONE, EACH, abandon, post_all, sweep
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.store.postings import ABANDONED, CHECKED, CONFLICT, SEALED, WAITING
from mlc_pipelines_tests.posting.books import (
    FINE,
    HALF,
    KILLED_AFTER,
    KILLED_BEFORE,
    LATE,
    LOST,
    UNANSWERED,
    Killed,
    SmallBooks,
)
from mlc_pipelines_tests.posting.conftest import Clock, desk_of
from mlc_pipelines_tests.posting.samples import CONTRA, DRAFT, RENT, approved

SERIAL = itertools.count()
FAULTS = st.lists(st.sampled_from([FINE, FINE, LOST, UNANSWERED, LATE, HALF, KILLED_BEFORE, KILLED_AFTER]), max_size=14)


class Month(RuleBasedStateMachine):
    """Two journals of one plan are to be posted. Every example has a plan of its own in one shared database."""

    register = None

    @initialize()
    def begin(self) -> None:
        plan = f"Budget {os.getpid()} {next(SERIAL)}"
        self.drafts = [replace(DRAFT, plan=plan, part=part) for part in (1, 2)]
        self.books, self.clock = SmallBooks(), Clock()
        self.desk = desk_of(self.register, self.books, self.clock, limits=Limits(looks=6))

    @rule(faults=FAULTS, mode=st.sampled_from([EACH, ALL_OR_NONE]), stale=st.booleans())
    def somebody_posts(self, faults: list[str], mode: str, stale: bool) -> None:
        self.books.faults, self.books.stale = list(faults), stale
        try:
            outcomes = post_all(self.drafts, approved(*self.drafts), self.desk, mode=mode)
            require_told(outcomes)
        except Killed:
            pass
        finally:
            self.books.faults.clear()

    @rule()
    def late_requests_arrive(self) -> None:
        self.books.apply_late()

    @rule()
    def strays_are_swept(self) -> None:
        sweep(self.desk)

    @rule(closed=st.booleans(), busy=st.booleans(), approval_map=st.booleans())
    def the_erp_changes_its_mind(self, closed: bool, busy: bool, approval_map: bool) -> None:
        self.books.closed, self.books.busy, self.books.approval_map = closed, busy, approval_map

    @precondition(lambda self: any(journal.waiting for journal in self.books.drafts))
    @rule()
    def a_person_approves_in_the_erp(self) -> None:
        self.books.approve(next(journal.order for journal in self.books.drafts if journal.waiting))

    @precondition(lambda self: self.books.drafts)
    @rule(data=st.data())
    def a_person_deletes_a_draft(self, data: st.DataObject) -> None:
        del self.books.journals[data.draw(st.sampled_from(self.books.drafts)).order]

    @precondition(lambda self: any(not one.waiting for one in self.books.drafts) and not self.books.late)
    @rule(data=st.data())
    def a_person_edits_a_draft(self, data: st.DataObject) -> None:
        """Not one that waits for its approval there, which would show the change; nor while a release of it may still be on its way: that cannot be helped."""
        one = data.draw(st.sampled_from([journal for journal in self.books.drafts if not journal.waiting]))
        lines = (replace(RENT, debit_minor=150_001), replace(CONTRA, credit_minor=150_001))
        self.books.journals[one.order] = replace(one, lines=lines)

    @rule(which=st.integers(0, 1))
    def a_person_abandons_one(self, which: int) -> None:
        """Which may be refused: it is released, or a draft cannot be deleted now."""
        if self.register.find(self.drafts[which].reference):
            with suppress(PipelineError):
                abandon(self.drafts[which], self.desk, "not wanted any more")

    @invariant()
    def never_two_and_never_a_wrong_one(self) -> None:
        for draft in getattr(self, "drafts", ()):
            released = [journal for journal in self.books.released if journal.reference == draft.reference]
            assert [DRAFT.lines] * len(released) == [journal.lines for journal in released]
            assert len(released) <= 1
            posting = self.register.find(draft.reference)
            if posting and posting.state == SEALED:
                assert [posting.number] == [journal.number for journal in released]
            if posting and posting.state == ABANDONED:
                assert [] == released

    def teardown(self) -> None:
        """Once the ERP is well and people have put right what they did, everything is posted, and only once."""
        if not hasattr(self, "drafts"):
            return
        self.books.closed = self.books.busy = self.books.approval_map = self.books.stale = False
        self.books.apply_late()
        for journal in self.books.drafts:
            if journal.waiting:
                self.books.approve(journal.order)
            elif journal.lines != DRAFT.lines and not journal.unfinished:
                del self.books.journals[journal.order]
        self.never_two_and_never_a_wrong_one()
        for draft in self.drafts:
            if (posting := self.register.find(draft.reference)) and posting.state == CONFLICT:
                self.register.reopen(draft.reference, "put right")
        outcomes = post_all(self.drafts, approved(*self.drafts), self.desk)
        sweep(self.desk)
        assert {outcome.state for outcome in outcomes} <= {SEALED, ABANDONED}, outcomes
        self.never_two_and_never_a_wrong_one()
        assert [] == self.books.drafts


def require_told(outcomes) -> None:
    """P13: no run leaves a journal in a state that says nothing; one that is ready waits for another of its package."""
    for outcome in outcomes:
        assert outcome.state in (SEALED, CHECKED) or (outcome.state in (WAITING, CONFLICT, ABANDONED) and outcome.why)
    assert all(outcome.state != CHECKED for outcome in outcomes) or any(outcome.why for outcome in outcomes)


@pytest.fixture
def quick_register(register):
    """The same database without waiting for the disk: no power is cut here."""
    register.engine.dispose()
    sa.event.listen(register.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return register


def run(register, examples: int, steps: int) -> None:
    class Here(Month):
        pass

    Here.register = register
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    how = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Here, settings=how)


def test_no_month_of_bad_luck_doubles_or_loses_a_journal(quick_register) -> None:
    """The short form."""
    run(quick_register, 12, 20)


@pytest.mark.prove
def test_no_long_row_of_bad_months_does(quick_register) -> None:
    """The long form."""
    run(quick_register, 400, 60)
