"""A posted plan proved: what was approved against our own journals as the ERP shows them, and against all that the destination holds."""

from collections.abc import Sequence

import pandas as pd

from mlc_pipelines.flows.clerk import NAME_IT
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import read_kept_frame
from mlc_pipelines.flows.preview import Issued, issued
from mlc_pipelines.flows.report import money_table
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.flows.standing import read_sealed, require_alone, require_posted
from mlc_pipelines.flows.steps import LEDGER_MATCHES_PLAN, POSTED_MATCHES_PLAN
from mlc_pipelines.ledger.control import Leg, compare
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.figures import FIGURES, KEYS, figures_of, minus, summed, written_keys
from mlc_pipelines.store.history import Step


def tie_out(
    desk: Desk, route: PlanRoute, year: str, previewed: Step, periods: Sequence[str]
) -> tuple[tuple[Leg, ...], pd.DataFrame]:
    """The legs of these periods, and what the ERP showed of ours (FIGURES). Raises DataError, with all legs, at the first that does not agree.

    Raises WaitingError while journals of ours are released and not posted, DoublePosted where another one bears the reference of one of ours.
    """
    figures, currency = read_kept_frame(desk, previewed.artefact), previewed.facts["currency"]
    approved = figures[figures["period"].isin(set(periods))]
    known = issued(desk, route, year)
    held = summed(pd.concat([route.books.read_held(key).assign(period=key)[FIGURES] for key in periods]))
    where = f"held by {route.destination.ledger}"
    if route.table is not None:
        ours = _only(held, approved, known, periods)
        legs = [compare(LEDGER_MATCHES_PLAN, year, ("approved", approved), (where, ours), keys=KEYS, unit=currency)]
    else:
        sealed = [row for row in known.proved() if row[0].period in set(periods)]
        whole = _with_offsets(approved, [draft for draft, _ in sealed])
        read = read_sealed(route, sealed)
        require_posted(route, read)
        ours = figures_of(read, balancing=True)
        sides = ("approved, with offsets", whole), ("our journals in the ERP", ours)
        legs = [compare(POSTED_MATCHES_PLAN, year, *sides, keys=KEYS, unit=currency)]
        if route.shared:
            require_alone(desk, route, periods, sealed)
        else:
            legs.append(compare(LEDGER_MATCHES_PLAN, year, sides[0], (where, held), keys=KEYS, unit=currency))
    for leg in legs:
        _require_agreed(leg, tuple(legs), route)
    return tuple(legs), ours.reset_index(drop=True)


def _with_offsets(approved: pd.DataFrame, sealed: Sequence[JournalDraft]) -> pd.DataFrame:
    """The approved figures, and what our journals hold beside them only to balance."""
    offsets = minus(figures_of(sealed, balancing=True), figures_of(sealed))
    return summed(pd.concat([approved, offsets]))


def _only(held: pd.DataFrame, approved: pd.DataFrame, known: Issued, periods: Sequence[str]) -> pd.DataFrame:
    """Of native figures those that are ours: approved now, or perhaps written by an earlier version. The others are not our business."""
    maybe = written_keys(draft for draft, _, _ in known.begun if draft.period in set(periods))
    ours = pd.MultiIndex.from_frame(pd.concat([approved[KEYS], maybe]))
    return held[pd.MultiIndex.from_frame(held[KEYS]).isin(ours)]


def _require_agreed(leg: Leg, legs: tuple[Leg, ...], route: PlanRoute) -> None:
    try:
        leg.require_agreed(
            holds=f"The journals are released and count in {route.destination}; nothing was reversed.",
            next_step="Find out who else writes there, or changed a journal of ours: the table shows where. Correct it in the ERP, then run the posting "
            f"again, which writes nothing that is posted already. Was a journal of ours reversed: {NAME_IT[0].lower()}{NAME_IT[1:]}, then abandon its posting.",
        )
    except DataError as error:
        error.legs = legs
        error.evidence = {"What differs": money_table(leg.breaks, leg.unit)}
        raise
