"""Approved journals -> exactly one released journal each in the ERP, whatever is killed, cut or answered late; and what is swept up after."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlc_pipelines.flows.clerk import Clerk, Outcome, PostingDesk
from mlc_pipelines.ledger.drafts import (
    Approval,
    ApprovalVoid,
    JournalDraft,
    package_hash,
    require_sound,
)
from mlc_pipelines.ledger.errors import DataError, PipelineError, WaitingError
from mlc_pipelines.ledger.ports import BookedJournal
from mlc_pipelines.store.postings import ABANDONED, CHECKED, CONFLICT, SEALED, WAITING, Posting, Postings

EACH, ALL_OR_NONE = "each", "all_or_none"
"""Several journals: each by itself, or none released before all stand on hold and are proved equal."""


def post_all(
    drafts: Sequence[JournalDraft], approval: Approval, desk: PostingDesk, *, mode: str = EACH
) -> list[Outcome]:
    """Have exactly one released journal for each draft. Safe to call again, by anybody, after any end of an earlier call.

    Raises before anything is written down or sent: DataError, Unbalanced, ApprovalVoid, and ReferenceReused before anything is sent. FenceLost
    ends the work at once. All else stands in the outcomes: of `each`, one for every draft; of `all_or_none`, nothing is released until all
    are ready, and the first journal whose release does not succeed ends the run, since what is released cannot be taken back.
    """
    if mode not in (EACH, ALL_OR_NONE):
        raise ValueError(f"{mode!r} is neither {EACH!r} nor {ALL_OR_NONE!r}")
    for draft in drafts:
        require_sound(draft)
    require_approved(drafts, approval)
    clerks = [Clerk(draft, approval, desk) for draft in drafts]
    if mode == EACH:
        return [clerk.bring_to(SEALED) for clerk in clerks]
    ready = [clerk.bring_to(CHECKED) for clerk in clerks]
    if not all(outcome.ready for outcome in ready):
        return ready
    return _until_one_fails(clerks)


def post_once(draft: JournalDraft, approval: Approval, desk: PostingDesk) -> Outcome:
    """The same for a single journal."""
    return post_all([draft], approval, desk)[0]


def resume(postings: Postings, desk: PostingDesk, *, mode: str = EACH) -> list[Outcome]:
    """Take up every approved package that is not at its end, from what was written down alone, whoever began it.

    A package of which not every journal was written down stands in the outcomes as it is: nothing of it was sent yet.
    """
    outcomes: list[Outcome] = []
    for drafts, approval in postings.packages():
        try:
            outcomes += post_all(drafts, approval, desk, mode=mode)
        except DataError as error:
            outcomes += [Outcome(draft, WAITING, why=error.what, error=error) for draft in drafts]
    return outcomes


def require_approved(drafts: Sequence[JournalDraft], approval: Approval) -> None:
    """Refuse journals that are not, all together and to the cent, those that were approved."""
    if (content := package_hash(drafts)) != approval.content_hash:
        raise ApprovalVoid(
            f"{approval.by} approved content {approval.content_hash[:16]} at {approval.at}; these journals are {content[:16]}.",
            holds="Nothing was written down or sent.",
            next_step="Preview the journals again and have them approved as they are now.",
        )


def _until_one_fails(clerks: Sequence["Clerk"]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for clerk in clerks:
        stopped = any(outcome.state != SEALED for outcome in outcomes)
        outcomes.append(clerk.outcome() if stopped else clerk.bring_to(SEALED))
    return outcomes


@dataclass(frozen=True, slots=True)
class Swept:
    """One draft of ours that still stood on hold, and what became of it: deleted where said is ""."""

    journal: BookedJournal
    said: str = ""

    def __str__(self) -> str:
        return f"{self.journal.number} ({self.journal.reference}): {self.said or 'deleted'}"


def sweep(desk: PostingDesk) -> list[Swept]:
    """Delete drafts whose journal was sealed or abandoned: an ERP that applies a request late leaves them. The others are told, not touched."""
    return [_swept(journal, desk) for journal in desk.books.find_drafts() if not journal.released]


def _swept(journal: BookedJournal, desk: PostingDesk) -> Swept:
    posting = desk.register.find(journal.reference)
    if why_not := _why_kept(journal, posting):
        return Swept(journal, why_not)
    desk.require_fence()
    try:
        desk.books.delete_draft(journal.number)
    except PipelineError as error:
        return Swept(journal, f"not deleted: {error.what}")
    return Swept(journal)


def _why_kept(journal: BookedJournal, posting: Posting | None) -> str:
    if posting is None:
        return "not of this installation"
    if posting.state not in (SEALED, ABANDONED):
        return f"still at work, {posting.state}"
    if posting.state == SEALED and posting.number == journal.number:
        return "sealed as released, and yet on hold: somebody should look at it"
    return ""


def abandon(draft: JournalDraft, desk: PostingDesk, why: str) -> Posting:
    """Give a journal up, by a person's command: its drafts are deleted, and nothing is written under its reference again.

    Raises DataError where it is released (only a reversal helps then), WaitingError where a draft could not be deleted.
    """
    if not why.strip():
        raise DataError("A journal is abandoned for a reason, which is kept.", next_step="Say why.")
    for journal in _require_unreleased(draft, desk):
        desk.require_fence()
        desk.books.delete_draft(journal.number)
    if left := _require_unreleased(draft, desk):
        raise WaitingError(
            f"{draft}: drafts {', '.join(journal.number for journal in left)} are still there.",
            holds="They stand on hold and count in no balance.",
            next_step="Give the same command again, or delete them in the ERP first.",
        )
    posting = desk.register.move(draft.reference, ABANDONED, note=why)
    try:
        _require_unreleased(draft, desk)  # a worker that was not held back by the fence may have been quicker
    except DataError as error:
        return desk.register.move(draft.reference, CONFLICT, note=error.what)
    return posting


def _require_unreleased(draft: JournalDraft, desk: PostingDesk) -> list[BookedJournal]:
    found = [one for one in desk.books.find_by_reference(draft.reference) if one.reference == draft.reference]
    if released := [journal.number for journal in found if journal.released]:
        raise DataError(
            f"{draft} is released as journal {', '.join(released)} and cannot be abandoned.",
            holds=f"It counts in {draft.destination}.",
            next_step="Reverse it in the ERP, or issue a new version of the plan, which replaces it.",
        )
    return found
