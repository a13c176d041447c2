"""What a person decides about single journals of a plan: give one up, let one go on, say which one was reversed in the ERP, sweep up."""

from collections import Counter

from mlc_pipelines.flows.budgets import clearing_desk, company
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.posting import abandon, sweep
from mlc_pipelines.flows.route import PlanRoute, year_of
from mlc_pipelines.ledger.drafts import PREFIX, JournalDraft
from mlc_pipelines.ledger.errors import DataError, SetupError, few
from mlc_pipelines.ledger.figures import reversed_lines
from mlc_pipelines.ledger.ports import PlanBooks, ReadJournal
from mlc_pipelines.store.postings import SEALED, Posting

_NOTHING_KEPT = "Nothing was written down; what the ERP holds is as it was."


def abandon_journal(desk: Desk, reference: str, why: str) -> Posting:
    """Give a journal up, by a person's command, under the fence. Raises DataError where it is released and was not reversed, or is native figures."""
    desk.postings.require(reference)
    draft, _ = desk.postings.draft(reference)
    route = _route_of(desk, draft)
    if route.journals is None:
        return desk.postings.give_up(reference, why)
    with company(desk, route, year_of(draft.period)) as require_fence:
        return abandon(draft, clearing_desk(desk, route.journals, require_fence), why)


def reopen_journal(desk: Desk, reference: str, why: str) -> Posting:
    """Let a conflict be worked on again, by a person's command, after it was put right in the ERP."""
    desk.postings.require(reference)
    return desk.postings.reopen(reference, why)


def sweep_drafts(desk: Desk) -> list[str]:
    """Clear away late drafts of every plan of the connection; what was found, and what became of it."""
    said: list[str] = []
    for route in desk.routes.values():
        if route.journals is not None:
            with company(desk, route, route.name) as require_fence:
                said += [str(one) for one in sweep(clearing_desk(desk, route.journals, require_fence))]
    return said


def record_reversal(desk: Desk, route: PlanRoute, number: str, by: str, why: str) -> ReadJournal:
    """Write down that a person reversed a released journal of ours in the ERP by another one: from then on neither of the two counts as the plan's.

    Both are read back, and must cancel out to the cent in one period, so that nothing is believed of the command but which two are meant.
    Returns the journal that counts no more. Raises DataError where they do not cancel out, or are not what they are said to be.
    """
    if not why.strip():
        raise DataError("A reversal is named for a reason, which is kept.", holds=_NOTHING_KEPT, next_step="Say why.")
    if route.journals is None:
        raise DataError(
            f"{route.plan_of('').strip()} is kept as native figures, which nobody reverses.",
            holds=_NOTHING_KEPT,
            next_step="Change the plan in Anaplan, and issue it again: figures are set anew.",
        )
    route.books.require_destination()
    with company(desk, route, route.name):
        journal, reversal = (_released(route.journals, one) for one in (number, by))
        _require_ours(journal)
        _require_free(desk, journal, reversal)
        _require_cancels(journal, reversal)
        desk.reversals.add(journal, reversal, why)
    return journal


def _released(books: PlanBooks, number: str) -> ReadJournal:
    found = books.read_back(number)
    if found is not None and found.released:
        return found
    how = "is not there" if found is None else "is not released"
    raise DataError(
        f"Journal {number} {how} in the ERP.",
        holds=_NOTHING_KEPT,
        next_step="Give the number as the ERP shows it (Kinetic: GROUP-NUMBER), and release or post the reversal first.",
    )


def _require_ours(journal: ReadJournal) -> None:
    if not journal.reference.startswith(PREFIX):
        raise DataError(
            f"Journal {journal.number} bears no reference of ours ({PREFIX}...): it says {journal.reference!r}.",
            holds=_NOTHING_KEPT,
            next_step="Name the plan's journal first, and its reversal with --by.",
        )


def _require_free(desk: Desk, journal: ReadJournal, reversal: ReadJournal) -> None:
    """One reversal takes back one journal, and is none that we posted ourselves."""
    known = desk.reversals.taken_back()
    posting = desk.postings.find(reversal.reference)
    if journal.number in known:
        why = f"journal {journal.number} was reversed by {known[journal.number]} already"
    elif reversal.number in known.values():
        why = f"journal {reversal.number} takes back another journal already"
    elif posting and posting.state == SEALED and posting.number == reversal.number:
        why = f"journal {reversal.number} was posted from here, as {reversal.reference}"
    else:
        return
    raise DataError(
        f"Journal {reversal.number} cannot be the reversal of {journal.number}: {why}.",
        holds=_NOTHING_KEPT,
        next_step="Look the two up in the ERP, and name the journal that a person made to take this one back.",
    )


def _require_cancels(journal: ReadJournal, reversal: ReadJournal) -> None:
    """Same period and currency, and each line of one stands in the other with its sides exchanged."""
    back = Counter(line.money for line in reversed_lines(reversal.lines))
    lines = Counter(line.money for line in journal.lines)
    said = [
        f"{what} is {theirs} instead of {ours}"
        for what, ours, theirs in (
            ("its period", journal.period, reversal.period),
            ("its currency", journal.currency, reversal.currency),
        )
        if ours != theirs
    ]
    said += [f"{account} {subaccount} is not taken back" for account, subaccount, *_ in (lines - back).elements()]
    said += [f"{account} {subaccount} is more than that" for account, subaccount, *_ in (back - lines).elements()]
    if said:
        raise DataError(
            f"Journal {reversal.number} does not take journal {journal.number} back: {few(said)}.",
            holds=_NOTHING_KEPT,
            next_step=f"Reverse the whole of journal {journal.number} in its own period {journal.period}, and name that reversal.",
        )


def _route_of(desk: Desk, draft: JournalDraft) -> PlanRoute:
    for route in desk.routes.values():
        if route.plan_of(year_of(draft.period)) == draft.plan and route.destination == draft.destination:
            return route
    raise SetupError(
        f"{draft} belongs to no plan that connection {desk.connection} declares now.",
        holds="Nothing was changed.",
        next_step="Restore the plan's section in the connection file, then give the command again.",
    )
