"""What the model holds, by its own word (an export, a view, a large read): the slice cell by cell, and whether the periods beside it stayed as they were."""

from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.flows.attempts import doubt
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.ledger.cells import fingerprints, read_cells
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod

_UNSEEN = (
    "not seen: {way} shows one month at a time. The figures of this period are proved; that the import left other periods alone is not. "
    "A load of such a period proves it anew; an export, or a view with months on rows or columns, proves it each time."
)


@dataclass(frozen=True)
class Held:
    """cells: account, cost_center (member codes), amount_minor of the slice; leaves only. beside: (period, version) -> fingerprint of
    the others, None where the way of reading back shows the slice alone.
    """

    cells: pd.DataFrame
    beside: dict[tuple[str, str], int] | None


def look(desk: Desk, period: FiscalPeriod, currency: str, members: pd.DataFrame) -> Held:
    """Read what the model holds now.

    A saved export may show parents among the leaves, and names instead of codes [S anaplan.md 11.6]; both are told apart by the lists.
    Totals over time stand under labels of their own and fall away with the other periods. A text that no list knows stays, and will differ.
    """
    slice_ = desk.target.label_of(period), desk.target.version_of(period)
    with desk.store.artefacts.draft() as draft:
        way = desk.target.read_back
        whole = desk.plan.read_cells(way, slice_, draft)
        cells = read_cells(draft, way.columns, currency=currency, only=slice_)
        beside = fingerprints(draft, way.columns, versions=desk.target.versions) if whole else None
    for rule in desk.target.rules:
        cells = _leaves(cells, rule.dimension, members[members["list"] == rule.list_name])
    own = desk.period_labels()
    others = beside and {place: number for place, number in beside.items() if place in own and place != slice_}
    return Held(cells[[*desk.target.columns.keys, "amount_minor"]].reset_index(drop=True), others)


def _leaves(cells: pd.DataFrame, key: str, listed: pd.DataFrame) -> pd.DataFrame:
    """Each member by its code, without parents. A text that is a code already stays, also where another member has it for a name."""
    coded = listed.assign(code=listed["code"].where(listed["code"] != "", listed["name"]))
    code_of = dict(zip(listed["name"], coded["code"], strict=True)) | {code: code for code in coded["code"]}
    parents = set(coded["code"][~listed["leaf"]]) - set(coded["code"][listed["leaf"]])
    named = cells.assign(**{key: cells[key].map(code_of).fillna(cells[key])})
    return named[~named[key].isin(parents)]


def require_untouched(desk: Desk, key: str, before: Held, after: Held) -> str:
    """Refuse an import that reached beyond its slice; returns what is known of the other periods, for people.

    A module import clears its target by default, and how far is a setting of the builder that the API does not show
    [S HELP-clear; anaplan.md 11.5]: one set to clear all items would empty every other period, and this slice would still agree.
    The periods concerned are marked, so that they count as not loaded.
    """
    if before.beside is None or after.beside is None:
        return _UNSEEN.format(way=desk.target.read_back.name)
    own = desk.period_labels()
    changed = sorted({own[place] for place, _ in set(before.beside.items()) ^ set(after.beside.items())})
    if not changed:
        return f"unchanged, {len(after.beside):,} with figures were compared before and after"
    for other in changed:
        doubt(desk, other, f"The import of {key} changed this period as well.")
    raise DataError(
        f"The import of {key} also changed other periods: {', '.join(changed[:12])}.",
        holds=f"{key} holds its figures; those of the periods named are gone or different, and they are marked as not loaded.",
        next_step="Have the model builder set the import to update only imported cells, or to clear only the items mapped in the source; "
        f"then materialize {desk.feed.load} for the periods named again.",
    )
