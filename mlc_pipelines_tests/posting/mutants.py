"""Engines with one mistake each. Every one looks reasonable at some desk; the enumerator must find all of them out."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mlc_pipelines.flows import posting
from mlc_pipelines.flows.clerk import Clerk, PostingDesk
from mlc_pipelines.ledger.drafts import DraftEdited, FenceLost, edited
from mlc_pipelines.ledger.errors import PipelineError, TransientError, UncertainError
from mlc_pipelines.ledger.ports import ON_HOLD, BookedJournal
from mlc_pipelines.store.postings import CHECKED, CONFLICT, DRAFT_SEEN, POSTED_SEEN, RELEASING, SEALED, WAITING, Posting


class Blunt(Clerk):
    """Help for those that send without the manners of the real one."""

    def sent(self, name: str, *given: Any) -> Any:
        """What a write answered, or the error that it came back with."""
        self.desk.require_fence()
        try:
            return getattr(self.desk.books, name)(*given)
        except PipelineError as error:
            return error

    def seal(self, number: object) -> bool:
        self.note(RELEASING, str(number))
        self.note(SEALED, str(number))
        return True


class PostsThenNotes(Blunt):
    """Creates and releases, and writes down afterwards that it did."""

    def __init__(self, draft: Any, approval: Any, desk: Any) -> None:
        self.draft, self.desk = draft, desk
        number = self.sent("create_on_hold", draft)
        if not isinstance(number, PipelineError):
            self.sent("release", str(number))
        super().__init__(draft, approval, desk)

    def one_step(self, goal: str) -> bool:
        found = self.look()
        return self.seal(found[0].number) if found else False


class RetriesBlindly(Blunt):
    """Sends each write until it is answered, as a helpful HTTP library does."""

    def one_step(self, goal: str) -> bool:
        self.require_patience()
        number = self.sent("create_on_hold", self.draft)
        while isinstance(number, PipelineError):
            number = self.sent("create_on_hold", self.draft)
        while isinstance(self.sent("release", str(number)), UncertainError | TransientError):
            pass
        return self.seal(number)


class OnePhase(Blunt):
    """Looks up before it posts, and posts in one go."""

    def one_step(self, goal: str) -> bool:
        self.require_patience()
        if found := self.look():
            self.sent("release", found[0].number)
            return self.seal(found[0].number)
        number = self.sent("create_on_hold", self.draft)
        if not isinstance(number, PipelineError):
            self.sent("release", str(number))
        return False


class ReleasesWhatCameBack(Blunt):
    """Two phases, but releases the number of the create's answer instead of looking for the lowest."""

    def create(self) -> None:
        number = self.sent("create_on_hold", self.draft)
        if not isinstance(number, PipelineError):
            self.note(RELEASING, str(number))
            self.sent("release", str(number))


class TakesTheNewest(Clerk):
    """Chooses the highest number: what everybody saw first may not be what everybody sees last."""

    def choose(self, found: Sequence[BookedJournal]) -> BookedJournal | None:
        released = [journal for journal in found if journal.released]
        return max(released or found, key=lambda journal: journal.order, default=None)


class OverlooksReleased(Clerk):
    """Prefers a draft to a released one."""

    def choose(self, found: Sequence[BookedJournal]) -> BookedJournal | None:
        held = [journal for journal in found if not journal.released]
        return min(held or found, key=lambda journal: journal.order, default=None)


class ReadsNothingBack(Clerk):
    """Releases what it finds without comparing it."""

    def compare(self, journal: BookedJournal) -> bool:
        return self.note(POSTED_SEEN if journal.released else CHECKED, journal.number)


class ComparesTotals(Clerk):
    """Compares debit and credit totals only: the money on another cost center goes through."""

    def require_equal(self, read: Any) -> None:
        if sum(line.debit_minor for line in read.lines) != self.draft.debit.minor:
            super().require_equal(read)


class BelievesTheRelease(Clerk):
    """Seals when the release came back well."""

    def release(self, journal: BookedJournal) -> None:
        super().release(journal)
        if "release" not in self.said:
            self.note(SEALED, journal.number)


class TimeOutMeansDone(Clerk):
    """Takes an unanswered release for done: it mostly is."""

    def release(self, journal: BookedJournal) -> None:
        super().release(journal)
        if isinstance(self.said.get("release"), UncertainError):
            self.note(SEALED, journal.number)


class RefusedMeansReleased(Clerk):
    """Takes a refused release for 'already released': it mostly is."""

    def release(self, journal: BookedJournal) -> None:
        super().release(journal)
        if "release" in self.said and not isinstance(self.said["release"], UncertainError | TransientError):
            self.note(SEALED, journal.number)


class FoundMeansPosted(Clerk):
    """Takes a draft for the journal."""

    def release(self, journal: BookedJournal) -> None:
        self.note(SEALED, journal.number)


class BelievesItsOwnNote(Clerk):
    """Reads RELEASING in the register and takes the release for done."""

    def one_step(self, goal: str) -> bool:
        if self.posting.state == RELEASING:
            return not self.note(SEALED, self.posting.number)
        return super().one_step(goal)


class NothingLeftMeansDone(Clerk):
    """Finds no draft any more after a release and takes it for posted."""

    def create(self) -> None:
        if self.posting.number:
            self.note(SEALED, self.posting.number)
        else:
            super().create()


class CreatesAgainAtOnce(Clerk):
    """Repeats an unanswered create without a look-up."""

    def create(self) -> None:
        super().create()
        if isinstance(self.said.get("create"), UncertainError):
            self.said.clear()
            self.write("create", lambda: self.desk.books.create_on_hold(self.draft))


class ReleasesAgainAtOnce(Clerk):
    """Repeats an unanswered release without a look-up."""

    def release(self, journal: BookedJournal) -> None:
        super().release(journal)
        if isinstance(self.said.get("release"), UncertainError):
            self.said.clear()
            self.write("release", lambda: self.desk.books.release(journal.number))


class ForgetsTheFence(Clerk):
    """Writes without asking whether it still may."""

    def write(self, step: str, send: Any, doing: str = "") -> None:
        try:
            send()
        except PipelineError as error:
            self.said[step] = error


class NotesAfterwards(Clerk):
    """Writes down that it releases after it did."""

    def release(self, journal: BookedJournal) -> None:
        self.write("release", lambda: self.desk.books.release(journal.number))
        self.note(RELEASING, journal.number)


class GoesOnWhenClosed(Clerk):
    """Does not heed that somebody closed the journal meanwhile."""

    def note(self, state: str, number: str = "", note: str = "") -> bool:
        super().note(state, number, note)
        return True


class TrustsTheFilter(Clerk):
    """Takes every journal that a look-up returns for its own."""

    def look(self) -> list[BookedJournal]:
        return self.desk.books.find_by_reference(self.draft.reference)


class JudgesHalfADraft(Clerk):
    """Compares a draft that is still being built, and calls for a person."""

    def clear(self, journal: BookedJournal) -> None:
        self.note(DRAFT_SEEN, journal.number)
        if read := self.desk.books.read_back(journal.number):
            self.require_equal(read)


class StepsOverHalfADraft(Clerk):
    """Leaves an unfinished draft aside and makes another: the first one may be finished after all, and then is the lowest."""

    def look(self) -> list[BookedJournal]:
        return [journal for journal in super().look() if not journal.unfinished]


class ReleasesAll(Clerk):
    """Releases every draft that it finds."""

    def release(self, journal: BookedJournal) -> None:
        for one in self.look():
            if one.state == ON_HOLD and not one.unfinished and self.note(RELEASING, one.number):
                self.write("release", lambda one=one: self.desk.books.release(one.number))  # type: ignore[misc]
                self.look()


class TriesTheNextOne(Clerk):
    """After an unanswered release tries its luck with another draft."""

    tried = ""

    def choose(self, found: Sequence[BookedJournal]) -> BookedJournal | None:
        others = [journal for journal in found if journal.number != self.tried or journal.released]
        return super().choose(others or found)

    def release(self, journal: BookedJournal) -> None:
        super().release(journal)
        self.tried = journal.number if "release" in self.said else ""


class StartsAfresh(Clerk):
    """After an unanswered release makes a new draft and goes on with that one."""

    fresh = 0

    def release(self, journal: BookedJournal) -> None:
        super().release(journal)
        if "release" in self.said:
            self.look()
            self.fresh = journal.order
            self.write("create", lambda: self.desk.books.create_on_hold(self.draft))

    def look(self) -> list[BookedJournal]:
        return [journal for journal in super().look() if journal.order > self.fresh]


class LeavesStrays(Clerk):
    """Seals and leaves the other drafts on hold, where a person may release them some day."""

    def finish(self, journal: BookedJournal, found: Sequence[BookedJournal]) -> None:
        self.note(SEALED, journal.number)


class CriesConflict(Clerk):
    """Takes a journal that cannot be read back yet for one that was deleted by a person."""

    def compare(self, journal: BookedJournal) -> bool:
        if self.desk.books.read_back(journal.number) is None:
            raise edited(self.draft, journal.number, ["it is gone"])
        return super().compare(journal)


class MistakesTroubleForConflict(Clerk):
    """Calls for a person at every broken connection."""

    def one_step(self, goal: str) -> bool:
        try:
            return super().one_step(goal)
        except (DraftEdited, FenceLost):
            raise
        except PipelineError as error:
            return not self.note(CONFLICT, note=error.what)

    def look(self) -> list[BookedJournal]:
        try:
            return super().look()
        except TransientError as error:
            raise DraftEdited(error.what) from None


class WaitsForEver(Clerk):
    """Gives up at the first trouble, and whoever takes it up again gives up at once."""

    def one_step(self, goal: str) -> bool:
        if self.posting.state == WAITING or self.unsettled:
            self.note(WAITING)
            return True
        return super().one_step(goal)


def only_deletes(draft: Any, desk: PostingDesk, why: str) -> Posting:
    """Gives a journal up without holding back those who are at it: they set out to release what is made meanwhile."""
    posting._clear_away(draft, desk)
    given_up = desk.register.give_up(draft.reference, why)
    posting._require_unreleased(draft, desk)
    return given_up


def believes_the_delete(draft: Any, desk: PostingDesk, why: str) -> Posting:
    """Does not look whether the draft is gone."""
    desk.register.hold_back(draft.reference, why)
    for journal in posting._require_unreleased(draft, desk):
        desk.require_fence()
        with suppress(PipelineError):
            desk.books.delete_draft(journal.number)
    return desk.register.give_up(draft.reference, why)


def notes_alone(draft: Any, desk: PostingDesk, why: str) -> Posting:
    """Writes it down and leaves the ERP as it is."""
    return desk.register.give_up(draft.reference, why)


def sweeps_drafts_alone(desk: PostingDesk) -> list[posting.Swept]:
    """Does not look whether what was given up was released after all."""
    return [posting._swept(journal, desk) for journal in desk.books.find_drafts() if not journal.released]


GIVERS_UP = [only_deletes, believes_the_delete, notes_alone]
"""`abandon` with one mistake each."""
WEAKER = [PostsThenNotes, RetriesBlindly, OnePhase, ReleasesWhatCameBack]
"""The protocols that are commonly used, each shown to post twice (reliability sheet 5.5)."""
MUTANTS = [
    *WEAKER,
    TakesTheNewest,
    OverlooksReleased,
    ReadsNothingBack,
    ComparesTotals,
    BelievesTheRelease,
    TimeOutMeansDone,
    RefusedMeansReleased,
    FoundMeansPosted,
    BelievesItsOwnNote,
    NothingLeftMeansDone,
    CreatesAgainAtOnce,
    ReleasesAgainAtOnce,
    ForgetsTheFence,
    NotesAfterwards,
    GoesOnWhenClosed,
    TrustsTheFilter,
    JudgesHalfADraft,
    StepsOverHalfADraft,
    ReleasesAll,
    TriesTheNextOne,
    StartsAfresh,
    LeavesStrays,
    CriesConflict,
    MistakesTroubleForConflict,
    WaitsForEver,
]
