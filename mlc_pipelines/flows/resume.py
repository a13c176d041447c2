"""What waits to be posted and could go on now: asked of the ERP before a run is asked for, so that nobody finds a red run every quarter of an hour."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.route import PlanRoute, year_of
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.store.postings import CLOSED, PLANNED, Posting


@dataclass(frozen=True, slots=True)
class Resumable:
    """A period of a plan of which something waits that could go on. since: when its newest state was written down."""

    plan: str
    period: str
    since: str


def resumable(desk: Desk) -> list[Resumable]:
    """The periods of the connection's plans whose postings are begun, approved still, and not held up by the ERP any more."""
    found: dict[tuple[str, str], str] = {}
    for route in desk.routes.values():
        if route.automatic:
            for draft, posting in _able(desk, route):
                key = route.name, draft.period
                found[key] = max(found.get(key, ""), posting.changed_at)
    return [Resumable(plan, period, since) for (plan, period), since in sorted(found.items())]


def _able(desk: Desk, route: PlanRoute) -> Iterator[tuple[JournalDraft, Posting]]:
    years = dict.fromkeys(year_of(key) for key in desk.calendar.keys)
    rows = [row for year in years for row in desk.postings.of_plan(route.plan_of(year))]
    begun = [(draft, posting) for draft, posting, package in rows if _waits(posting) and desk.approvals.find(package)]
    if not begun:
        return
    closed = route.books.not_open(sorted({draft.period for draft, _ in begun}))
    for draft, posting in begun:
        if draft.period not in closed and not _held_up(route, draft):
            yield draft, posting


def _waits(posting: Posting) -> bool:
    return posting.state not in CLOSED | {PLANNED}


def _held_up(route: PlanRoute, draft: JournalDraft) -> bool:
    """Whether the ERP itself still lets the journal wait: for an approval there, a review, a release by a person."""
    if route.table is not None:
        held = route.table.waits_for(draft.period)
        return bool(held)
    journals = route.journals.find_by_reference(draft.reference) if route.journals is not None else []
    own = [one for one in journals if one.reference == draft.reference]
    return bool(own) and not any(one.released for one in own) and all(one.waiting for one in own)
