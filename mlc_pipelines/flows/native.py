"""Approved figures -> native budget figures of the ERP: set by key, read back, sealed. Writing the same figure again changes nothing.

So no two phases are needed: a lost or late answer can only set what is approved. What is written down first is which keys may hold a
figure of ours from now on; the next version sets those to zero that it does not name.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mlc_pipelines.flows.clerk import Limits, Outcome
from mlc_pipelines.flows.posting import require_approved
from mlc_pipelines.ledger.drafts import Approval, FenceLost, JournalDraft, require_sound
from mlc_pipelines.ledger.errors import PipelineError, TransientError, UncertainError, WaitingError
from mlc_pipelines.ledger.figures import FIGURES, KEYS, minus
from mlc_pipelines.ledger.issues import zeros_beside
from mlc_pipelines.ledger.ports import HELD, BudgetTable
from mlc_pipelines.store.postings import INTENT, POSTED_SEEN, SEALED, WAITING, Postings


@dataclass(frozen=True)
class TableDesk:
    """What native figures are written with. The caller holds the fence of the ERP company.

    require_fence, require_approval: raise when the fence is lost, or the approval was taken back; asked before every write.
    """

    table: BudgetTable
    register: Postings
    require_fence: Callable[[], None]
    require_approval: Callable[[JournalDraft], None]
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    progress: Callable[[str], None] = field(default=lambda _said: None)


def write_all(
    drafts: Sequence[JournalDraft],
    earlier: Sequence[JournalDraft],
    approval: Approval,
    desk: TableDesk,
    *,
    periods: Sequence[str] = (),
) -> list[Outcome]:
    """Have the ERP hold exactly the approved figures in every period, and zeros where an earlier version may have written others.

    drafts: the package as it was approved; earlier: every journal of the plan that may have reached the ERP before. Safe to call again.
    """
    for draft in drafts:
        require_sound(draft, lines_needed=False)
    require_approved(drafts, approval)
    chosen = [draft for draft in drafts if not periods or draft.period in periods]
    return [_write(draft, zeros_beside(draft, earlier), approval, desk) for draft in chosen]


def _write(draft: JournalDraft, wanted: pd.DataFrame, approval: Approval, desk: TableDesk) -> Outcome:
    posting = desk.register.record_intent(draft, approval)
    if posting.closed:
        return Outcome(draft, posting.state, posting.number, posting.note)
    try:
        _until_held(draft, wanted, desk)
    except FenceLost:
        raise
    except PipelineError as error:
        note = error.what.removeprefix("WAITING: ")
        return Outcome(draft, desk.register.move(draft.reference, WAITING, note=note).state, "", note, error=error)
    number = f"{draft.destination.ledger} {draft.period}"
    return Outcome(draft, desk.register.move(draft.reference, SEALED, number=number).state, number, anew=True)


def _until_held(draft: JournalDraft, wanted: pd.DataFrame, desk: TableDesk) -> None:
    """Write what differs and look again, a limited number of times. Returns when every figure stands in the ERP and takes effect there."""
    said: PipelineError | None = None
    for _ in range(desk.limits.looks):
        try:
            differs = differing(wanted, held := desk.table.read_held(draft.period), draft.period)
            if differs.empty:
                return _require_effective(draft, desk)
            if said and not isinstance(said, (TransientError, UncertainError)):
                raise said  # a definite no, and nothing came of it
            desk.require_approval(draft)
            desk.register.move(draft.reference, INTENT, note="figures are being written")
            desk.register.about_to_set(draft, _over(differs, held))
            desk.require_fence()
            desk.progress(f"{draft}: writing {len(differs):,} figures")
            said = _sent(draft, differs, desk)
        except (WaitingError, FenceLost):
            raise
        except (TransientError, UncertainError) as error:
            said = error
        if said:
            desk.sleep(desk.limits.pause_seconds)
    raise WaitingError(
        f"{draft}: the ERP does not hold the figures after {desk.limits.looks} looks{f': {said.what}' if said else '.'}",
        holds="A part of the figures may stand there.",
        next_step="Take the posting up again when the ERP answers; nothing needs to be cleared up before.",
    )


def _sent(draft: JournalDraft, differs: pd.DataFrame, desk: TableDesk) -> PipelineError | None:
    """What the ERP said against the write, if anything; what came of it only the next look tells."""
    try:
        desk.table.write_held(draft.period, differs[HELD])
    except PipelineError as error:
        return error
    return None


def _require_effective(draft: JournalDraft, desk: TableDesk) -> None:
    desk.register.move(draft.reference, POSTED_SEEN)
    if waits := desk.table.waits_for(draft.period):
        raise WaitingError(
            f"{draft}: the figures stand in {draft.destination} and wait for the {waits}.",
            holds="They count in no report yet.",
            next_step="It is taken up again by itself, or by the same command, once that is done.",
        )


def _over(differs: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """The figures that differ, each with what stands there now, which is zero where nothing does."""
    before = held[HELD].rename(columns={"amount_minor": "before_minor"})
    return differs.merge(before, on=HELD[:2], how="left").fillna({"before_minor": 0}).astype({"before_minor": "int64"})


def differing(wanted: pd.DataFrame, held: pd.DataFrame, period: str) -> pd.DataFrame:
    """The wanted figures (FIGURES of one period, zeros included) that are held otherwise. Keys that nobody asked for are left alone."""
    of_period = held.assign(period=period)[FIGURES]
    changed = minus(wanted, of_period)
    keys = pd.MultiIndex.from_frame(changed[KEYS])
    return wanted[pd.MultiIndex.from_frame(wanted[KEYS]).isin(keys)].reset_index(drop=True)
