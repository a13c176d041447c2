"""An approved plan back into the ledger: export it, work out its journals, have them approved, post them once, prove them equal.

read_approved    the plan's figures of a fiscal year, with the approval that the plan itself shows
preview_plan     the journals that they make, beside what the ERP holds: nothing is written
approve          a controller's approval of exactly that content
post_plan        each journal once, whatever is killed or cut; then the tie-out:

posted_matches_plan    the approved figures        = the lines of our journals, read back from the ERP
ledger_matches_plan    the approved figures        = what the destination holds, whoever wrote it (unless others may write there)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd

from mlc_pipelines.flows.approval import latest_preview, require_approval, require_same_evidence
from mlc_pipelines.flows.approved import require_unchanged
from mlc_pipelines.flows.clerk import Limits, Outcome, PostingDesk
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame
from mlc_pipelines.flows.native import TableDesk, write_all
from mlc_pipelines.flows.plan_tie_out import tie_out
from mlc_pipelines.flows.posting import post_all
from mlc_pipelines.flows.preview import issued
from mlc_pipelines.flows.report import Notice, Report
from mlc_pipelines.flows.route import PlanRoute, keys_of_year, year_of
from mlc_pipelines.flows.steps import JOURNALS_APPROVED
from mlc_pipelines.flows.strays import Strays, cleared
from mlc_pipelines.flows.trail import head_of, record_step
from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.drafts import Approval, JournalDraft
from mlc_pipelines.ledger.errors import DataError, few, told_as
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import PlanBooks
from mlc_pipelines.store.history import Step
from mlc_pipelines.store.postings import CONFLICT, SEALED, Posting


def post_plan(desk: Desk, route: PlanRoute, year: str, periods: Sequence[str] = ()) -> Report:
    """Post the approved journals of a plan and fiscal year, of these periods only where some are named, and prove that the ERP holds the plan.

    Safe to run again: what is posted is found, told as "already posted as ...", and nothing is written twice. Raises DataError on a period of another year.
    """
    periods = _of_year(desk, year, periods)
    previewed = latest_preview(desk, route, year)
    route.books.require_destination()
    outcomes: list[Outcome] = []
    strays = Strays()
    approval = None
    if package := _package(desk, route, year, previewed):
        approval = desk.approvals.find(previewed.facts["package"])
        if due := any(posting.state != SEALED and draft.period in periods for draft, posting in package):
            approval = _both_approvals(desk, route, year, previewed)
        with company(desk, route, year) as require_fence:
            if due and approval:
                drafts = [draft for draft, _ in package]
                outcomes = _posted(desk, route, previewed, drafts, approval, require_fence, periods)
                _require_sealed(desk, route, outcomes)
            if route.journals is not None:
                strays = cleared(clearing_desk(desk, route.journals, require_fence))
    legs, read_back = tie_out(desk, route, year, previewed, periods)
    facts = {
        **{name: previewed.facts[name] for name in ("package", "currency", "books")},
        "periods": periods,
        "read_back": keep_frame(desk, read_back),
        "legs": [leg.facts for leg in legs],
    }
    for key in periods:
        record_step(desk, route.steps.posting, key, previewed.artefact, facts)
    return _report(desk, route, year, periods, outcomes, strays, approval, legs)


def _of_year(desk: Desk, year: str, periods: Sequence[str]) -> list[str]:
    """The periods that are meant: a name that is none of the year's would be looked for nowhere, and its posting called done."""
    known = keys_of_year(desk.calendar, year)
    if strange := [period for period in periods if period not in known]:
        raise DataError(
            f"{few(strange)} is no period of fiscal year {year}.",
            holds="Nothing was read or written.",
            next_step=f"Its periods are {known[0]} to {known[-1]}; name some of them, or none for all.",
        )
    return list(periods) or known


def _package(desk: Desk, route: PlanRoute, year: str, previewed: Step) -> list[tuple[JournalDraft, Posting]]:
    """The journals of the newest preview, with how each stands."""
    package = previewed.facts["package"]
    return [(draft, posting) for draft, posting, of in issued(desk, route, year).rows if package and of == package]


def _both_approvals(desk: Desk, route: PlanRoute, year: str, previewed: Step) -> Approval:
    """The controller's approval. Before anything is written down or sent the plan's own is read again, as before every release, and the plan itself (F07)."""
    with told_as(JOURNALS_APPROVED):
        approval = require_approval(desk, route, year, previewed)
        require_same_evidence(desk, route, year, previewed)
        require_unchanged(
            desk, route, year, desk.store.history.require_step(desk.connection, route.steps.approved, year)
        )
    return approval


@contextmanager
def company(desk: Desk, route: PlanRoute, work: str) -> Iterator[Callable[[], None]]:
    """One writer per ERP company, from the first look to the last."""
    where = "company " + "".join(letter if letter.isalnum() else "_" for letter in route.company)
    holder = f"{desk.connection} {route.name} {work}"
    with desk.store.fence(where, holder=holder, wait_seconds=desk.fence_wait_seconds) as require_fence:
        yield require_fence


def posting_desk(
    desk: Desk, route: PlanRoute, require_fence: Callable[[], None], year: str, previewed: Step
) -> PostingDesk:
    """What journals of a plan are posted with; its approvals are read again before each release."""
    if route.journals is None:
        raise ValueError("native figures are not journals")
    return replace(
        clearing_desk(desk, route.journals, require_fence),
        require_approval=_approval_reader(desk, route, year, previewed),
        post_too=route.post_too,
        witness=lambda: head_of(desk.store.trail),
        limits=Limits(quiet_seconds=route.quiet_seconds),
        progress=desk.progress,
    )


def clearing_desk(desk: Desk, books: PlanBooks, require_fence: Callable[[], None]) -> PostingDesk:
    """What is enough to clear drafts away: nothing is released with it."""
    taken_back = desk.reversals.taken_back()
    counts_no_more = frozenset({*taken_back, *taken_back.values()})
    return PostingDesk(books, desk.postings, require_fence, taken_back=counts_no_more)


def _approval_reader(desk: Desk, route: PlanRoute, year: str, previewed: Step) -> Callable[[JournalDraft], None]:
    """Reads both approvals again: the plan's own, and the controller's."""

    def require(_draft: JournalDraft) -> None:
        require_approval(desk, route, year, previewed)
        require_same_evidence(desk, route, year, previewed)

    return require


def _posted(
    desk: Desk,
    route: PlanRoute,
    previewed: Step,
    drafts: Sequence[JournalDraft],
    approval: Approval,
    require_fence: Callable[[], None],
    periods: Sequence[str],
) -> list[Outcome]:
    year = year_of(drafts[0].period)
    if route.table is None:
        at_work = posting_desk(desk, route, require_fence, year, previewed)
        return post_all(drafts, approval, at_work, mode=route.mode, periods=periods)
    own = {draft.reference for draft in drafts}
    maybe = [draft for draft, _, _ in issued(desk, route, year).begun if draft.reference not in own]
    reader = _approval_reader(desk, route, year, previewed)
    table = TableDesk(route.table, desk.postings, require_fence, reader, progress=desk.progress)
    return write_all(drafts, maybe, approval, table, periods=periods)


def _require_sealed(desk: Desk, route: PlanRoute, outcomes: Sequence[Outcome]) -> None:
    """Raise the most serious of what stands in the way, with every journal and how it stands: a conflict before what only waits."""
    left = [outcome for outcome in outcomes if outcome.state != SEALED]
    if not left:
        return
    worst = min(left, key=lambda outcome: (outcome.state != CONFLICT, outcome.error is None))
    done = len(outcomes) - len(left)
    states = ", ".join(sorted({outcome.state for outcome in left}))
    error = worst.error or DataError(
        f"{worst}",
        holds="Nothing of it was released by this run.",
        next_step=f"See `mlc budget status {desk.connection}`.",
    )
    seen = error.within(
        what=f"{done} of {len(outcomes)} {route.unit} are posted; {len(left)} are not.",
        holds=f"{f'What is posted counts in {route.destination}; the' if done else 'The'} others are {states}. {error.holds}",
    )
    seen.evidence = {"Journals": _journals(outcomes)}
    raise seen


def _report(
    desk: Desk,
    route: PlanRoute,
    year: str,
    periods: Sequence[str],
    outcomes: Sequence[Outcome],
    strays: Strays,
    approval: Approval | None,
    legs: tuple[Leg, ...],
) -> Report:
    known = issued(desk, route, year)
    standing = [
        (draft, posting) for draft, posting, _ in known.rows if posting.state == SEALED and draft.period in set(periods)
    ]
    anew = [outcome for outcome in outcomes if outcome.anew]
    currency = legs[0].unit
    said = (
        f"{approval.by} {approval.at[:16].replace('T', ' ')} UTC (content {approval.content_hash[:16]}), under {approval.evidence}"
        if approval
        else "nothing new was to be approved"
    )
    return Report(
        route.steps.posting,
        year,
        _summary(route, year, standing, anew),
        approval.content_hash if approval else "",
        counts={
            "journals posted now": len(anew),
            "journals posted before": len(standing) - len(anew),
            "stray drafts deleted": strays.deleted,
        },
        amounts={
            "debits in the ERP": Money(sum(draft.debit.minor for draft, _ in standing), currency),
            "credits in the ERP": Money(sum(draft.credit.minor for draft, _ in standing), currency),
            "debits posted now": Money(sum(outcome.draft.debit.minor for outcome in anew), currency),
        },
        texts={"approved by": said, "drafts swept": str(strays)},
        tables={"Journals": _standing(standing, {outcome.draft.reference for outcome in anew})},
        legs=legs,
        notices=(Notice(JOURNALS_APPROVED, f"Approved by {said}.", pd.DataFrame()), strays.notice(desk.connection)),
    )


def _summary(
    route: PlanRoute, year: str, standing: Sequence[tuple[JournalDraft, Posting]], anew: Sequence[Outcome]
) -> str:
    plan, books = route.plan_of(year), route.destination.ledger
    if not standing:
        return f"{plan}: there is nothing to post; {books} holds the approved figures."
    first, last = standing[0][1].number, standing[-1][1].number
    numbers = first if first == last else f"{first} to {last}"
    agreed = (
        f"Our journals are what was approved; what others hold in {books} was not compared."
        if route.shared
        else "Plan and ledger agree."
    )
    if not anew:
        return f"{plan}: already posted as {numbers}; nothing was written. {agreed}"
    return f"{plan}: {len(anew)} of {len(standing)} journals posted now, {numbers}. {agreed}"


def _standing(rows: Sequence[tuple[JournalDraft, Posting]], anew: set[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "period": draft.period,
                "journal": posting.number,
                "what": draft.description,
                "debit": f"{draft.debit.decimal:,}",
                "credit": f"{draft.credit.decimal:,}",
                "posted": "now"
                if draft.reference in anew
                else f"before ({posting.changed_at[:16].replace('T', ' ')} UTC)",
                "reference": draft.reference,
            }
            for draft, posting in rows
        ]
    )


def _journals(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    rows = [(one.draft.period, one.draft.reference, one.number, one.state, one.why) for one in outcomes]
    return pd.DataFrame(rows, columns=["period", "reference", "journal", "state", "why"])
