"""Our sealed journals as the ERP shows them now: read back by number, and whether they count in the balances already."""

from collections.abc import Iterable, Sequence

from mlc_pipelines.flows.clerk import NAME_IT
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.ledger.drafts import DoublePosted, JournalDraft
from mlc_pipelines.ledger.errors import WaitingError, few
from mlc_pipelines.ledger.ports import RELEASED, ReadJournal
from mlc_pipelines.store.postings import Posting


def read_sealed(route: PlanRoute, sealed: Iterable[tuple[JournalDraft, Posting]]) -> list[ReadJournal]:
    """The lines of these journals. One that is gone, or bears another reference now, is left out, and so shows as a difference."""
    if route.journals is None:
        raise ValueError("native figures are not journals")
    read = ((draft.reference, route.journals.read_back(posting.number)) for draft, posting in sealed)
    return [one for wanted, one in read if one is not None and one.released and one.reference == wanted]


def require_alone(
    desk: Desk, route: PlanRoute, periods: Sequence[str], sealed: Sequence[tuple[JournalDraft, Posting]]
) -> None:
    """Raise DoublePosted where another released journal bears a reference of ours: made twice by somebody, or a reversal that the ERP gave the same text.

    For books that others share: there the sum of all figures cannot show it.
    """
    if route.journals is None:
        return
    numbers = {draft.reference: posting.number for draft, posting in sealed}
    taken_back = desk.reversals.taken_back()
    known = {*numbers.values(), *taken_back, *taken_back.values()}
    found = [
        one for one in route.journals.find_released(periods) if one.reference in numbers and one.number not in known
    ]
    if found:
        beside = [f"{one.number} beside {numbers[one.reference]}" for one in found]
        raise DoublePosted(
            f"{len(found)} released journals bear references of ours and were not posted from here: {few(beside)}.",
            holds=f"All of them count in {route.destination}; nothing was reversed.",
            next_step=f"Look at them in the ERP: reverse what should not stand there. {NAME_IT}.",
        )


def require_posted(route: PlanRoute, journals: Sequence[ReadJournal]) -> None:
    """Raise WaitingError while journals are released and not posted (G14): until then they count in no balance, and nothing can agree."""
    waiting = [one for one in journals if one.state == RELEASED]
    if waiting:
        what = [f"{one.number} waits for {one.waiting or 'its posting'}" for one in waiting]
        raise WaitingError(
            f"{len(waiting)} journals of ours are released and not posted yet: {few(what)}.",
            holds=f"They can no longer be changed, and count in no balance of {route.destination} before they are posted.",
            next_step="Post them in the ERP, then give the command again; or have the ERP post on release.",
        )
