"""Approved journals -> exactly one released journal each in the ERP, whatever is killed, cut or answered late; and what is swept up after."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mlc_pipelines.flows.clerk import NAME_IT, Clerk, Outcome, PostingDesk, own, released_after_all
from mlc_pipelines.ledger.drafts import (
    Approval,
    ApprovalVoid,
    JournalDraft,
    package_hash,
    require_sound,
)
from mlc_pipelines.ledger.errors import DataError, PipelineError, WaitingError
from mlc_pipelines.ledger.figures import reversed_lines
from mlc_pipelines.ledger.ports import BookedJournal
from mlc_pipelines.store.postings import ABANDONED, CHECKED, CONFLICT, SEALED, Posting

EACH, ALL_OR_NONE = "each", "all_or_none"
"""Several journals: each by itself, or none released before all stand on hold and are proved equal."""


def post_all(
    drafts: Sequence[JournalDraft],
    approval: Approval,
    desk: PostingDesk,
    *,
    mode: str = EACH,
    periods: Collection[str] = (),
) -> list[Outcome]:
    """Have exactly one released journal for each draft. Safe to call again, by anybody, after any end of an earlier call.

    drafts: the package as it was approved, whole. periods: only its journals of these, all where none are named.

    Raises before anything is written down or sent: DataError, Unbalanced, ApprovalVoid, and ReferenceReused before anything is sent. FenceLost
    ends the work at once. All else stands in the outcomes: of `each`, one for every draft; of `all_or_none`, nothing is released until all
    are ready, and the first journal whose release does not succeed ends the run, since what is released cannot be taken back.
    """
    if mode not in (EACH, ALL_OR_NONE):
        raise ValueError(f"{mode!r} is neither {EACH!r} nor {ALL_OR_NONE!r}")
    for draft in drafts:
        require_sound(draft)
    require_approved(drafts, approval)
    chosen = [draft for draft in drafts if not periods or draft.period in periods]
    clerks = [Clerk(draft, approval, desk) for draft in chosen]
    if mode == EACH:
        return [clerk.bring_to(SEALED) for clerk in clerks]
    ready = [clerk.bring_to(CHECKED) for clerk in clerks]
    if not all(outcome.ready for outcome in ready):
        return ready
    return _until_one_fails(clerks)


def post_once(draft: JournalDraft, approval: Approval, desk: PostingDesk) -> Outcome:
    """The same for a single journal."""
    return post_all([draft], approval, desk)[0]


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
    """One draft of ours that still stood on hold, and what became of it: deleted where said is "". asks: a person should look at it."""

    journal: BookedJournal
    said: str = ""
    asks: bool = False

    def __str__(self) -> str:
        return f"{self.journal.number} ({self.journal.reference}): {self.said or 'deleted'}"


def sweep(desk: PostingDesk) -> list[Swept]:
    """Delete drafts whose journal was sealed or abandoned: an ERP that applies a request late leaves them. The others are told, not touched.

    An abandoned journal that was released nevertheless (look-ups that lagged behind hid its draft) becomes a conflict, by its number.
    """
    swept = [_swept(journal, desk) for journal in desk.books.find_drafts() if not journal.released]
    return swept + [alarm for posting in desk.register.abandoned() for alarm in _released_after_all(posting, desk)]


def _released_after_all(posting: Posting, desk: PostingDesk) -> list[Swept]:
    released = [journal for journal in own(posting.reference, desk) if journal.released]
    for journal in released:
        desk.register.move(posting.reference, CONFLICT, number=journal.number, note=released_after_all(journal.number))
    return [Swept(journal, released_after_all(journal.number), asks=True) for journal in released]


def _swept(journal: BookedJournal, desk: PostingDesk) -> Swept:
    posting = desk.register.find(journal.reference)
    if why_not := _why_kept(posting):
        return Swept(journal, why_not)
    if posting and posting.state == SEALED and posting.number == journal.number:
        return Swept(journal, "sealed as released, and yet on hold: somebody should look at it", asks=True)
    desk.require_fence()
    try:
        if why_not := _taking_back(journal, posting, desk):
            return Swept(journal, why_not, asks=True)
        desk.books.delete_draft(journal.number)
    except PipelineError as error:
        return Swept(journal, f"not deleted: {error.what}", asks=True)
    return Swept(journal)


def _why_kept(posting: Posting | None) -> str:
    if posting is None:
        return "not of this installation"
    if posting.state not in (SEALED, ABANDONED):
        return f"still at work, {posting.state}"
    return ""


def _taking_back(journal: BookedJournal, posting: Posting | None, desk: PostingDesk) -> str:
    """Why a draft beside a sealed journal is not ours to delete: it is that one with its sides exchanged, a person's reversal to which the ERP gave the same text."""
    if posting is None or posting.state != SEALED:
        return ""
    posted, draft = (desk.books.read_back(number) for number in (posting.number, journal.number))
    if posted is None or draft is None or not posted.lines:
        return ""
    back = Counter(line.money for line in reversed_lines(posted.lines))
    is_reversal = back == Counter(line.money for line in draft.lines)
    return f"somebody is about to reverse journal {posting.number} by it" if is_reversal else ""


def abandon(draft: JournalDraft, desk: PostingDesk, why: str) -> Posting:
    """Give a journal up, by a person's command: its drafts are deleted, and nothing is written under its reference again.

    First the journal is closed to every worker, as a conflict that names the command: from then on nobody sets out to release it, and a
    draft that somebody was about to release before is seen here and deleted. So it holds without the fence, too. Cut short, it stands as that
    conflict: the same command finishes it, reopening takes it back.

    One that is sealed can be given up too, once a person reversed its journal in the ERP (`PostingDesk.taken_back`).

    Returns how it stands: sealed, where it was sealed at this very moment. Raises DataError where it is released (only a reversal helps then), WaitingError where a draft could not be deleted.
    """
    if not why.strip():
        raise DataError(
            "A journal is abandoned for a reason, which is kept.",
            holds="The journal stands as it did.",
            next_step="Say why.",
        )
    _require_unreleased(draft, desk)
    held = desk.register.hold_back(draft.reference, f"being given up: {why}")
    if held.state == ABANDONED or (held.state == SEALED and held.number not in desk.taken_back):
        return held
    try:
        _clear_away(draft, desk)
    except DataError as error:  # released by somebody who was quicker: it stays what it is, and the next run seals it
        desk.register.let_go_on(draft.reference, error.what)
        raise
    return desk.register.give_up(draft.reference, why, taken_back=desk.taken_back)


def _clear_away(draft: JournalDraft, desk: PostingDesk) -> None:
    drafts, said = _require_unreleased(draft, desk), ""
    for journal in drafts:
        desk.require_fence()
        try:
            desk.books.delete_draft(journal.number)
        except PipelineError as error:  # only the next look tells what came of it
            said = f" {error.what}"
    if left := _require_unreleased(draft, desk):
        raise WaitingError(
            f"{draft}: drafts {', '.join(journal.number for journal in left)} are still there.{said}",
            holds="They stand on hold and count in no balance.",
            next_step="Give the same command again, or delete them in the ERP first.",
        )


def _require_unreleased(draft: JournalDraft, desk: PostingDesk) -> list[BookedJournal]:
    found = own(draft.reference, desk)
    if released := [journal.number for journal in found if journal.released]:
        raise DataError(
            f"{draft} is released as journal {', '.join(released)} and cannot be abandoned.",
            holds=f"It counts in {draft.destination}.",
            next_step=f"Issue a new version of the plan, which replaces it; or reverse it in the ERP. {NAME_IT}; then abandon it.",
        )
    return found
