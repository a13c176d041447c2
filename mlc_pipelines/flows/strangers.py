"""What stands in the books of a plan and is not known here: refused before anything is added to it, so that plan and ledger can agree afterwards.

Books of our own must hold what our register says, to the cent. In books that others share, their figures are theirs; but a journal that bears a
reference of ours and this plan's name, and that the register does not know, was posted by an installation that lost its memory: the plan would stand there twice.
"""

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from mlc_pipelines.flows.clerk import NAME_IT
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.report import money_table
from mlc_pipelines.flows.route import PlanRoute, keys_of_year
from mlc_pipelines.flows.standing import read_sealed, require_posted
from mlc_pipelines.flows.steps import NOTHING_WRITTEN
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.ledger.errors import DataError, few
from mlc_pipelines.ledger.figures import figures_of, minus
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import BookedJournal, PlanBooks
from mlc_pipelines.store.postings import PLANNED, Posting

_OF_PLAN = re.compile(r"(?:^|; )(?:Reversal of )?([^;]+?) version ")
"""How the text of a journal of ours names its plan (`ledger.issues`)."""


def require_own(
    route: PlanRoute,
    year: str,
    held: pd.DataFrame,
    sealed: Sequence[tuple[JournalDraft, Posting]],
    drafts: Sequence[JournalDraft],
    currency: str,
) -> None:
    """Refuse books of our own that hold figures which nobody here wrote, or lack some. held: FIGURES of the year; drafts: what is about to be approved.

    Raises WaitingError where all that they lack may be journals of ours which are released and not posted yet.
    """
    if route.journals is None:
        return
    strangers = minus(held, figures_of((draft for draft, _ in sealed), balancing=True))
    if not strangers.empty:
        strangers = minus(strangers, _found_again(route.journals, drafts))
    if strangers.empty:
        return
    require_posted(route, read_sealed(route, sealed))
    row = strangers.iloc[0]
    error = DataError(
        f"{route.destination} holds {len(strangers)} figures of {year} that this connection did not write, or lacks some that it did; the first is "
        f"{row['period']} {row['account']} {row['subaccount']} with {Money(int(row['amount_minor']), currency)}.",
        holds=NOTHING_WRITTEN,
        next_step="Take them out in the ERP, use a ledger of its own for this plan, or declare `shared: true` for it in the connection file.",
    )
    error.evidence = {"Figures of others": money_table(strangers, currency)}
    raise error


def _found_again(books: PlanBooks, drafts: Sequence[JournalDraft]) -> pd.DataFrame:
    """What counts under the references of these journals already: an installation that lost its memory gives the same ones again."""
    found = [
        one for draft in drafts for one in books.find_by_reference(draft.reference) if one.reference == draft.reference
    ]
    read = (books.read_back(one.number) for one in found if one.released)
    return figures_of((one for one in read if one is not None), balancing=True)


def require_remembered(desk: Desk, route: PlanRoute, year: str, drafts: Sequence[JournalDraft]) -> None:
    """Refuse, in books that others share, to post a plan again of which released journals stand there that the register does not know."""
    found = list(_forgotten(desk, route, year, drafts))
    if not found:
        return
    error = DataError(
        f"{route.destination} holds {len(found)} released journals of {route.plan_of(year)} that this installation does not remember: "
        f"{few([f'{one.number} ({one.reference})' for one in found])}. Posted on top of them, the plan would stand there twice.",
        holds=NOTHING_WRITTEN,
        next_step=f"Restore the database that posted them, then preview the plan again. Is it lost, reverse them in the ERP. {NAME_IT}.",
    )
    rows = [(one.number, one.reference, one.text) for one in found]
    error.evidence = {"Journals not remembered": pd.DataFrame(rows, columns=["journal", "reference", "what"])}
    raise error


def _forgotten(desk: Desk, route: PlanRoute, year: str, drafts: Sequence[JournalDraft]) -> Iterator[BookedJournal]:
    """Released journals of this plan and year by their references and texts, unless the register knows them or these drafts are they."""
    if route.journals is None:
        return
    reversed_ = desk.reversals.taken_back()
    about_to_be = {draft.reference for draft in drafts}
    for journal in route.journals.find_released(keys_of_year(desk.calendar, year)):
        known = desk.postings.find(journal.reference)
        if journal.reference in about_to_be or journal.number in reversed_ or (known and known.state != PLANNED):
            continue
        plans = _OF_PLAN.findall(journal.text)
        if not plans or route.plan_of(year) in plans:
            yield journal
