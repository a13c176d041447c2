"""One journal brought to its end by a clerk who acts on what a look-up shows, and on nothing else.

Two phases (draft on hold, then release). Every clerk chooses the same journal, so that even two at once release the same one. The proof
is by exhaustion: reliability sheet 5, and the tests of posting.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from mlc_pipelines.ledger.drafts import (
    Approval,
    DoublePosted,
    DraftEdited,
    FenceLost,
    JournalDraft,
    differences,
    edited,
)
from mlc_pipelines.ledger.errors import PipelineError, TransientError, UncertainError, WaitingError
from mlc_pipelines.ledger.ports import RELEASED, BookedJournal, PlanBooks, ReadJournal
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
    Posting,
)

_CREATING = "a draft is being created"
NAME_IT = "Name the reversal: `mlc budget reversed CONNECTION JOURNAL --by REVERSAL --because ...`"
"""What makes a reversal count: in the ERP a reversed journal stands as released as before."""


class Register(Protocol):
    """What the engine needs of `store.postings.Postings`: durable when it returns."""

    def record_intent(self, draft: JournalDraft, approval: Approval) -> Posting: ...

    def move(self, reference: str, state: str, *, number: str = "", note: str = "") -> Posting: ...

    def find(self, reference: str) -> Posting | None: ...

    def hold_back(self, reference: str, why: str) -> Posting: ...

    def let_go_on(self, reference: str, why: str) -> Posting: ...

    def give_up(self, reference: str, why: str, *, taken_back: Collection[str] = ()) -> Posting: ...

    def abandoned(self) -> list[Posting]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run gives up for now. looks: each is followed by one write at most. refusals: how often a definite no is asked for again.

    quiet_seconds: how long an unanswered write may still be under way (twice the ERP's longest request), counted from when it was noted. It spares stray drafts; nothing
    depends on it.
    """

    looks: int = 12
    minutes: float = 30
    pause_seconds: float = 5
    quiet_seconds: float = 120
    refusals: int = 2


def _no_head() -> str:
    """No audit trail to bear witness to."""
    return ""


def _nothing_said(_draft: JournalDraft) -> None:
    """No approval to be read again."""


def age_of(posting: Posting) -> float:
    """Seconds since the journal's state was written down last; none where the register does not tell."""
    if not posting.changed_at:
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(posting.changed_at)).total_seconds()


@dataclass(frozen=True)
class PostingDesk:
    """What posting works with. The caller holds the fence of the ERP company.

    require_fence: raises FenceLost unless it is still held; asked before every write. require_approval: reads the approval again, just
    before a release, and raises when it was taken back. post_too: whether a released journal is posted by a second step of ours.
    witness: the head of the audit trail at this moment, which a journal that nobody can change any more bears witness to.
    taken_back: numbers of released journals that a person reversed in the ERP, proved and written down (`flows.reversals`), and of their
    reversals: they stand there for ever and are looked past.
    """

    books: PlanBooks
    register: Register
    require_fence: Callable[[], None]
    require_approval: Callable[[JournalDraft], None] = _nothing_said
    post_too: bool = False
    witness: Callable[[], str] = _no_head
    taken_back: Collection[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], float] = time.monotonic
    age: Callable[[Posting], float] = age_of
    sleep: Callable[[float], None] = time.sleep
    progress: Callable[[str], None] = field(default=lambda _said: None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one journal stands after a run: its state, the ERP's number, and why it is not sealed. anew: whether this run sealed it."""

    draft: JournalDraft
    state: str
    number: str = ""
    why: str = ""
    anew: bool = False
    error: PipelineError | None = None

    @property
    def ready(self) -> bool:
        """Whether nothing stands against its release."""
        return self.state in (CHECKED, SEALED)

    def __str__(self) -> str:
        if self.state == SEALED:
            return f"{self.draft}: {'posted' if self.anew else 'already posted'} as {self.number}"
        return f"{self.draft}: {self.state}{f' ({self.why})' if self.why else ''}"


def own(reference: str, desk: PostingDesk) -> list[BookedJournal]:
    """Every journal with exactly this reference, whatever else the ERP's filter let through; those that a person took back left out."""
    found = desk.books.find_by_reference(reference)
    return [one for one in found if one.reference == reference and one.number not in desk.taken_back]


def released_after_all(number: str) -> str:
    """What is said of a journal that was abandoned and yet is in the balances."""
    return f"journal {number} is released, although it was given up"


def _is_definite(said: PipelineError | None) -> bool:
    """Whether a write was refused by a clear no, so that nothing of it is under way. It spares a wait; nothing depends on it."""
    return said is not None and (
        isinstance(said, WaitingError) or not isinstance(said, (TransientError, UncertainError))
    )


class Clerk:
    """Brings one journal to its end. Knows nothing but what the last look showed; what it remembers only makes it more patient."""

    def __init__(self, draft: JournalDraft, approval: Approval, desk: PostingDesk) -> None:
        self.draft, self.desk = draft, desk
        self.posting = desk.register.record_intent(draft, approval)
        self.sealed_before = self.posting.state == SEALED
        self.unsettled = (self.posting.state, self.posting.note) != (INTENT, "")  # somebody may have sent something
        self.quiet_seconds = max(0.0, desk.limits.quiet_seconds - desk.age(self.posting))
        self.said: dict[str, PipelineError] = {}
        self.refusals = 0
        self.looks, self.give_up_at = 0, 0.0

    def bring_to(self, goal: str) -> Outcome:
        """Work until the journal is proved equal on hold (CHECKED) or sealed, or something stands in the way, which is written down."""
        self.looks, self.give_up_at = 0, self.desk.now() + self.desk.limits.minutes * 60
        try:
            while not (self.posting.closed or self.one_step(goal)):
                pass
        except FenceLost:
            raise
        except (DoublePosted, DraftEdited) as error:
            self.note(CONFLICT, note=error.what)
            return self.outcome(error)
        except PipelineError as error:
            self.note(WAITING, note=error.what.removeprefix("WAITING: "))
            return self.outcome(error)
        return self.outcome()

    def outcome(self, error: PipelineError | None = None) -> Outcome:
        state, number, why = self.posting.state, self.posting.number, self.posting.note
        return Outcome(self.draft, state, number, why, not self.sealed_before, error)

    def one_step(self, goal: str) -> bool:
        """Look, and do the one thing that follows from it; only the next look tells what came of it. Returns whether the goal is reached."""
        self.require_patience()
        try:
            found = self.look()
            journal = self.choose(found)
            if journal is None:
                self.create()
            elif journal.unfinished and not journal.released:
                self.clear(journal)
            elif self.compare(journal):
                if journal.released:
                    self.finish(journal, found)
                elif goal == CHECKED:
                    return True
                else:
                    self.release(journal)
        except (WaitingError, DoublePosted):
            raise
        except (TransientError, UncertainError) as error:
            self.said["look"] = error
            self.desk.sleep(self.desk.limits.pause_seconds)
        return False

    def look(self) -> list[BookedJournal]:
        return own(self.draft.reference, self.desk)

    def choose(self, found: Sequence[BookedJournal]) -> BookedJournal | None:
        """The released one, else the lowest: everybody chooses alike."""
        released = [journal for journal in found if journal.released]
        if len(released) > 1:
            numbers = " and ".join(journal.number for journal in released)
            raise DoublePosted(
                f"{self.draft} is released more than once: as journals {numbers}.",
                holds=f"Both count in {self.draft.destination}; nothing was reversed.",
                next_step=f"Find out who released the other one and reverse one of them in the ERP. {NAME_IT}; then reopen the posting.",
            )
        return min(released or found, key=lambda journal: journal.order, default=None)

    def create(self) -> None:
        """Nothing is there: make a draft, unless one may still be on its way, or is hidden."""
        if self.settled() and not self.hidden() and self.note(INTENT, note=_CREATING):
            self.unsettled = True
            doing = f"creating a draft of {len(self.draft.lines):,} lines"
            witnessed = replace(self.draft, witness=self.desk.witness())
            self.write("create", partial(self.desk.books.create_on_hold, witnessed), doing)
            self.unsettled = not _is_definite(self.said.get("create"))

    def settled(self) -> bool:
        """Whether nothing is under way any more, as far as waiting tells: after the first wait the caller looks again."""
        settled = not self.unsettled
        if self.unsettled:
            self.unsettled = False
            self.desk.sleep(self.quiet_seconds)
        self.quiet_seconds = self.desk.limits.quiet_seconds
        return settled

    def hidden(self) -> bool:
        """Whether the journal seen before still exists though no look-up shows it. Raises DraftEdited when it lost its reference."""
        if not (number := self.posting.number):
            return False
        if (journal := self.desk.books.read_back(number)) is None:
            self.desk.progress(f"{self.draft}: journal {number} is gone, somebody deleted it; it is made again")
            return False
        if journal.reference != self.draft.reference:
            raise edited(self.draft, number, [f"its reference is {journal.reference!r} now"])
        self.desk.sleep(self.desk.limits.pause_seconds)
        return True

    def clear(self, journal: BookedJournal) -> None:
        """A draft that its maker did not finish is never completed or released: away with it, unless its maker may still be at it."""
        if self.settled():
            self.unsettled = True
            self.write("delete", partial(self.desk.books.delete_draft, journal.number))

    def compare(self, journal: BookedJournal) -> bool:
        """Whether the journal, read back whole, is the approved one. Raises DraftEdited when it is not; False when it cannot be seen yet."""
        if not self.note(POSTED_SEEN if journal.released else DRAFT_SEEN, journal.number):
            self.require_not_abandoned(journal)
            return False
        read = self.desk.books.read_back(journal.number)
        if read is None or read.reference != self.draft.reference or (read.unfinished and not read.released):
            self.desk.sleep(self.desk.limits.pause_seconds)  # the look-up and the read-back are of different moments
            return False
        self.require_equal(read)
        return journal.released or self.note(CHECKED, journal.number)

    def require_not_abandoned(self, journal: BookedJournal) -> None:
        """Raise when the journal is released, though somebody gave it up meanwhile: nobody else may ever look at it again."""
        if journal.released and self.posting.state == ABANDONED:
            raise DraftEdited(
                f"{self.draft}: {released_after_all(journal.number)}.",
                holds=f"It counts in {self.draft.destination}.",
                next_step=f"Reverse it in the ERP. {NAME_IT}; then abandon it again. Or reopen the posting if it is wanted after all.",
            )

    def require_equal(self, read: ReadJournal) -> None:
        if differs := differences(self.draft, read.period, read.currency, read.lines):
            raise edited(self.draft, read.number, differs)

    def release(self, journal: BookedJournal) -> None:
        if journal.waiting:
            raise WaitingError(
                f"{self.draft}: journal {journal.number} waits for {journal.waiting}.",
                holds=f"Journal {journal.number} stands on hold and is what was approved.",
                next_step="It is taken up again by itself once the ERP lets it pass.",
            )
        self.desk.require_approval(self.draft)
        if self.note(RELEASING, journal.number):
            doing = f"releasing journal {journal.number}"
            self.write("release", partial(self.desk.books.release, journal.number), doing)

    def finish(self, journal: BookedJournal, found: Sequence[BookedJournal]) -> None:
        """Released and equal: post it where that is ours to do, else delete the drafts that nobody needs, and seal."""
        if self.desk.post_too and journal.state == RELEASED:
            return self.write("post", partial(self.desk.books.post, journal.number))
        strays = [stray.number for stray in found if not stray.released]
        for number in strays:
            self.write(f"delete {number}", partial(self.desk.books.delete_draft, number))
        left = [number for number in strays if f"delete {number}" in self.said]
        self.note(SEALED, journal.number, f"left for the sweep: {', '.join(left)}" if left else "")
        return None

    def write(self, step: str, send: Callable[[], None], doing: str = "") -> None:
        """Send one write and believe nothing that is said of it. An earlier no, with nothing come of it since, is taken as said."""
        said = self.said.pop(step, None)
        if isinstance(said, WaitingError) or (said and self.refusals >= self.desk.limits.refusals):
            raise said
        self.desk.require_fence()
        if doing:
            self.desk.progress(f"{self.draft}: {doing}")
        try:
            send()
        except PipelineError as error:
            self.said[step] = error
            self.refusals += not isinstance(error, (TransientError, UncertainError))
            if not isinstance(
                error, WaitingError
            ):  # that one is not asked for again, if the next look shows nothing new
                self.desk.sleep(self.desk.limits.pause_seconds)

    def note(self, state: str, number: str = "", note: str = "") -> bool:
        """Write down how far it is; whether the work may go on, since somebody may have closed it meanwhile."""
        if (self.posting.state, self.posting.number, self.posting.note) != (state, number or self.posting.number, note):
            self.posting = self.desk.register.move(self.draft.reference, state, number=number, note=note)
        return not self.posting.closed

    def require_patience(self) -> None:
        """Raise WaitingError, with what the ERP said last, when the tries or the time are over."""
        self.looks += 1
        if self.looks > self.desk.limits.looks or self.desk.now() > self.give_up_at:
            said = " ".join(error.what for error in self.said.values())
            raise WaitingError(
                f"{self.draft} is not sealed after {self.looks - 1} looks{f': {said}' if said else '.'}",
                holds=f"It stands at {self.posting.state}{f', journal {self.posting.number}' if self.posting.number else ''}.",
                next_step="Take the posting up again when the ERP answers; nothing needs to be cleared up before.",
            )
