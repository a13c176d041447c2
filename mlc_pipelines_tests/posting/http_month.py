"""A month of bad luck over HTTP: two workers of the real engine at once, a real register, an emulated ERP, and people who meddle.

A worker goes on from one request to the next when the machine says so, hence any two of them meet at any request. Nobody holds a fence and
no time passes: the worst case. A request may be lost, answered badly, be carried out without an answer, or arrive when its sender
has long given up; a worker may die at any request; the ERP may close the period, ask for an approval, show its lists one write behind.
"""

import itertools
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mlc_pipelines.flows.clerk import Limits, PostingDesk
from mlc_pipelines.flows.posting import ALL_OR_NONE, EACH, abandon, post_all, sweep
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.store.postings import ABANDONED, CHECKED, CONFLICT, SEALED, WAITING, Posting, Postings
from mlc_pipelines_tests.posting.network import Gated, Network, Worker
from mlc_pipelines_tests.posting.offices import READS, WRITES, Office, Standing
from mlc_pipelines_tests.posting.samples import approved

SERIAL = itertools.count()
WORKERS = (0, 1)
PERSON = 2
"""The desk of whoever gives up, sweeps and puts right."""
SELDOM = st.sampled_from([False, False, False, True])
MISHAPS: dict[str, dict[str, Any]] = {
    "lost": {"kind": "reset"},
    "unanswered": {"kind": "reset", "after": True},
    "an error": {"kind": "status", "status": 503},
    "carried out, and an error": {"kind": "status", "status": 500, "after": True},
    "a sign-in page": {"kind": "html"},
    "answered by halves": {"kind": "truncate"},
}


class Month(RuleBasedStateMachine):
    """Two journals of one plan are to be posted. Every example has a plan of its own in one shared register and one shared ERP."""

    office: ClassVar[Office]
    network: ClassVar[Network]
    shared: ClassVar[Postings]
    steps: ClassVar[int] = 0
    met: ClassVar[Counter[str]] = Counter()
    """What the months had in them: worth looking at, since a month in which nothing happens proves nothing."""

    @initialize()
    def begin(self) -> None:
        self.workers: dict[int, Worker] = {}
        self.standing: list[Standing] = []
        self.postings: list[Posting | None] = []
        """What the last look after a step showed: between two steps nobody moves, and the questions which step may come next are many."""
        self.register_moved = True
        """Whether a step may have changed the register: most leave it alone, and to read it takes as long as they do."""
        self._new_plan()

    def _new_plan(self) -> None:
        plan = f"Budget {os.getpid()} {next(SERIAL)}"
        self.register = replace(self.shared, connection=plan)
        self.drafts = [replace(self.office.draft, plan=plan, part=part) for part in (1, 2)]
        self.touched: set[str] = set()
        """References of drafts that somebody changed while their release may have been on its way: nobody can help that, but it is told."""
        self.lagging, self.register_moved = False, True

    @precondition(lambda self: not self.workers and self.all_closed())
    @rule()
    def the_next_plan_comes(self) -> None:
        """Else the rest of a month in which everything went well would prove nothing."""
        self.met["plans"] += 1
        self._ends_well()
        self.office.clear()
        self._new_plan()

    def all_closed(self) -> bool:
        return all(posting and posting.closed for posting in self.postings)

    # -- the workers --------------------------------------------------------------------------------------------------

    def desk(self, place: int, worker: Worker | None = None) -> PostingDesk:
        books: Any = self.office.open_books(place)
        fence = worker.gate if worker else lambda: None
        seen = Gated(books, worker) if worker else books
        limits = Limits(looks=8, minutes=1e6)
        return PostingDesk(seen, self.register, require_fence=fence, limits=limits, sleep=lambda _seconds: None)

    @precondition(lambda self: any(place not in self.workers for place in WORKERS))
    @rule(mode=st.sampled_from([EACH, EACH, ALL_OR_NONE]), gates=st.sampled_from([40, *range(14)]))
    def a_worker_begins(self, mode: str, gates: int) -> None:
        place = next(place for place in WORKERS if place not in self.workers)

        def work(worker: Worker) -> Any:
            return post_all(self.drafts, approved(*self.drafts), self.desk(place, worker), mode=mode)

        self.workers[place] = Worker(work)
        self._goes_on(place, gates)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), gates=st.sampled_from([1, 1, 2, 3, 5, 9, 40]), dies=st.sampled_from(["", "", "", "", "before", "after"]))  # fmt: skip
    def a_worker_goes_on(self, data: st.DataObject, gates: int, dies: str) -> None:
        """And may be killed there, or right after the next request."""
        place = data.draw(st.sampled_from(sorted(self.workers)))
        self._goes_on(place, gates)
        if dies and place in self.workers:
            self.met[f"died {dies}"] += 1
            self.workers.pop(place).die(after=dies == "after")

    def _goes_on(self, place: int, gates: int) -> None:
        worker, self.register_moved = self.workers[place], True
        worker.go_on(gates=gates)
        if worker.ended:
            del self.workers[place]
            self._require_told(worker)

    def _require_told(self, worker: Worker) -> None:
        """P13: whoever comes to the end of the work says how each journal stands, and why it is not sealed."""
        for outcome in worker.result:
            self.met[outcome.state] += 1
            assert outcome.state in (SEALED, CONFLICT, WAITING, ABANDONED, CHECKED), outcome
            assert outcome.why or outcome.state in (SEALED, CHECKED), outcome
        if any(outcome.state == CHECKED for outcome in worker.result):
            assert any(outcome.why for outcome in worker.result)

    # -- the network and the ERP --------------------------------------------------------------------------------------

    @rule(
        what=st.sampled_from([WRITES, WRITES, READS]), mishap=st.sampled_from(sorted(MISHAPS)), skip=st.integers(0, 3)
    )
    def a_request_will_go_wrong(self, what: str, mishap: str, skip: int) -> None:
        fault = {"match": self.office.pattern[what], "skip": skip, "action": MISHAPS[mishap]}
        self.office.sandbox.traffic.plant(fault)

    @rule(skip=st.integers(0, 3))
    def a_write_will_be_late(self, skip: int) -> None:
        self.network.late_in = skip

    @precondition(lambda self: self.network.on_its_way)
    @rule()
    def what_was_late_arrives(self) -> None:
        self.network.arrives()

    @rule(closed=SELDOM, approval=SELDOM, behind=SELDOM)
    def the_erp_changes_its_mind(self, closed: bool, approval: bool, behind: bool) -> None:
        self.lagging |= behind
        self.office.decide(closed=closed, approval=approval, behind=behind)

    # -- people -------------------------------------------------------------------------------------------------------

    def ours(self) -> list[Standing]:
        references = {draft.reference for draft in self.drafts}
        return [one for one in self.office.journals() if one.reference in references]

    def on_hold(self) -> list[Standing]:
        return [one for one in self.standing if not one.released]

    @precondition(lambda self: any(one.waiting for one in self.standing))
    @rule()
    def a_person_approves_in_the_erp(self) -> None:
        self.office.approve(next(one.number for one in self.standing if one.waiting))

    @precondition(lambda self: self.on_hold())
    @rule(data=st.data())
    def a_person_deletes_a_draft(self, data: st.DataObject) -> None:
        self.office.delete(data.draw(st.sampled_from(self.on_hold())).number)

    @precondition(lambda self: any(not one.waiting for one in self.on_hold()))
    @rule(data=st.data())
    def a_person_edits_a_draft(self, data: st.DataObject) -> None:
        """Not one that waits for its approval, which would show the change."""
        one = data.draw(st.sampled_from([one for one in self.on_hold() if not one.waiting]))
        if self.workers or self.network.on_its_way:
            self.touched.add(one.reference)
        self.office.edit(one.number)

    @rule(which=st.integers(0, 1), really=SELDOM)
    def a_person_gives_one_up(self, which: int, really: bool) -> None:
        """Which may be refused: it is released, or a draft cannot be deleted now."""
        if really and self.register.find(self.drafts[which].reference):
            self.register_moved = True
            with suppress(PipelineError):
                abandon(self.drafts[which], self.desk(PERSON), "not wanted any more")

    @precondition(lambda self: self.on_hold())
    @rule()
    def strays_are_swept(self) -> None:
        self.register_moved = True
        with suppress(PipelineError):
            sweep(self.desk(PERSON))

    # -- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def never_two_and_never_a_wrong_one(self) -> None:
        type(self).steps += 1
        assert self.office.actual()
        if not hasattr(self, "drafts"):
            return
        self.standing = self.ours()
        if self.register_moved:
            self.postings = [self.register.find(draft.reference) for draft in self.drafts]
            self.register_moved = False
        for draft, posting in zip(self.drafts, self.postings, strict=True):
            released = [one for one in self.standing if one.released and one.reference == draft.reference]
            assert len(released) <= 1, released
            if draft.reference not in self.touched:
                assert [money(draft)] * len(released) == [one.money for one in released]
            if posting and posting.state == SEALED:
                assert [posting.number] == [one.number for one in released]
            if posting and posting.state == ABANDONED and not self.lagging:
                assert [] == released

    def teardown(self) -> None:
        """Once the ERP is well and people have put right what they did, everything is posted, and only once."""
        if not hasattr(self, "drafts"):
            return
        try:
            self._ends_well()
        finally:
            for worker in self.workers.values():
                with suppress(BaseException):
                    worker.die(after=False)
            self.network.on_its_way.clear()
            self.network.late_in = None
            self.office.clear()

    def _ends_well(self) -> None:
        while self.workers:
            self.workers.popitem()[1].die(after=False)
        self.network.late_in = None
        self.office.sandbox.traffic.clear()
        self.office.decide(closed=False, approval=False, behind=False)
        self.network.arrives()
        desk, self.register_moved = self.desk(PERSON), True
        sweep(desk)
        for one in self.ours():
            if one.released:
                continue
            if one.money not in {money(draft) for draft in self.drafts}:
                self.office.delete(one.number)
            elif one.waiting:
                self.office.approve(one.number)
        self.never_two_and_never_a_wrong_one()
        for draft in self.drafts:
            if (posting := self.register.find(draft.reference)) and posting.state == CONFLICT:
                self.register.reopen(draft.reference, "put right")
        outcomes = post_all(self.drafts, approved(*self.drafts), desk)
        sweep(desk)
        self.register_moved = True
        self.never_two_and_never_a_wrong_one()
        released = {one.reference: one.money for one in self.standing if one.released}
        for outcome in outcomes:
            wrong = released.get(outcome.draft.reference, money(outcome.draft)) != money(outcome.draft)
            assert (outcome.state == CONFLICT) == wrong, outcome
            assert outcome.state in (SEALED, ABANDONED, CONFLICT), outcome
            assert (outcome.state == ABANDONED) == (outcome.draft.reference not in released), outcome
        conflicts = {outcome.draft.reference for outcome in outcomes if outcome.state == CONFLICT}
        assert {
            one.reference for one in self.on_hold()
        } <= conflicts  # what is late there is told by the sweep, and left to whoever settles it


def money(draft: JournalDraft) -> tuple[tuple[str, str, int, int], ...]:
    return tuple(sorted(line.money for line in draft.lines))
