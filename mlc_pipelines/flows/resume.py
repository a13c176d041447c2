"""What waits to be posted and could go on now, or is approved and may begin by itself: asked of the ERP before a run is asked for, so that nobody finds a red run every quarter of an hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.route import PlanRoute, year_of
from mlc_pipelines.ledger.drafts import Approval, JournalDraft
from mlc_pipelines.store import clock
from mlc_pipelines.store.postings import CLOSED, PLANNED, WAITING, Posting

_PAUSES = (timedelta(0), timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
"""After the first try that ended waiting, the second, the third, and every later one: an ERP that refuses for good is asked once a day, and a person is told meanwhile."""


@dataclass(frozen=True, slots=True)
class Resumable:
    """A period of a plan of which something waits that could go on, or begin. since: when its newest state was written down, or it was approved."""

    plan: str
    period: str
    since: str


def resumable(desk: Desk) -> list[Resumable]:
    """The periods of the connection's plans whose postings are approved, begun (or may begin by themselves), and not held up by the ERP any more."""
    found: dict[tuple[str, str], str] = {}
    for route in desk.routes.values():
        if route.automatic:
            for draft, since in _able(desk, route):
                key = route.name, draft.period
                found[key] = max(found.get(key, ""), since)
    return [Resumable(plan, period, since) for (plan, period), since in sorted(found.items())]


def _able(desk: Desk, route: PlanRoute) -> Iterator[tuple[JournalDraft, str]]:
    """Each journal that could go on or begin, and since when."""
    years = dict.fromkeys(year_of(key) for key in desk.calendar.keys)
    wanted = [one for year in years for one in _wanted(desk, route, year)]
    if not wanted:
        return
    closed = route.books.not_open(sorted({draft.period for draft, _ in wanted}))
    for draft, since in wanted:
        if draft.period not in closed and not _held_up(route, draft):
            yield draft, since


def _wanted(desk: Desk, route: PlanRoute, year: str) -> Iterator[tuple[JournalDraft, str]]:
    """Journals that are approved and begun; where the connection lets them begin by themselves, those of the newest preview too."""
    may_begin = _previewed(desk, route, year) if route.launched else ""
    for draft, posting, package in desk.postings.of_plan(route.plan_of(year)):
        begins = posting.state == PLANNED and package == may_begin
        approval = desk.approvals.find(package) if begins or _waits(posting) else None
        if approval and not _rests(desk, posting, approval):
            yield draft, max(posting.changed_at, approval.at)


def _previewed(desk: Desk, route: PlanRoute, year: str) -> str:
    """Content of the newest preview, "" where it was made of older figures than the newest approved ones."""
    preview, approved = (
        desk.store.history.latest_step(desk.connection, step, year)
        for step in (route.steps.preview, route.steps.approved)
    )
    fresh = preview is not None and approved is not None and preview.facts["approved"] == approved.artefact
    return str(preview.facts["package"]) if preview and fresh else ""


def _waits(posting: Posting) -> bool:
    return posting.state not in CLOSED | {PLANNED}


def _rests(desk: Desk, posting: Posting, approval: Approval) -> bool:
    """Whether it ended waiting so often since it was approved that it is let alone for a while yet."""
    if posting.state != WAITING:
        return False
    tries = sum(one.state == WAITING and one.at > approval.at for one in desk.postings.events(posting.reference))
    pause = _PAUSES[min(max(tries, 1), len(_PAUSES)) - 1]
    return clock.now() < datetime.fromisoformat(posting.changed_at) + pause


def _held_up(route: PlanRoute, draft: JournalDraft) -> bool:
    """Whether the ERP itself still lets the journal wait: for an approval there, a review, a release by a person."""
    if route.table is not None:
        held = route.table.waits_for(draft.period)
        return bool(held)
    journals = route.journals.find_by_reference(draft.reference) if route.journals is not None else []
    own = [one for one in journals if one.reference == draft.reference]
    return bool(own) and not any(one.released for one in own) and all(one.waiting for one in own)
