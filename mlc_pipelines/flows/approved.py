"""The approved figures of a plan: exported whole, leaves only, and tied to the approval that the plan itself shows."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_kept_frame
from mlc_pipelines.flows.members import read_lists
from mlc_pipelines.flows.report import Notice, Report
from mlc_pipelines.flows.route import PlanRoute, keys_of_year, labels, year_of
from mlc_pipelines.flows.steps import CELLS_ALL_EXPORTED, NOTHING_WRITTEN, PLAN_APPROVED
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.cells import read_plan
from mlc_pipelines.ledger.control import ROWS, Leg, compare
from mlc_pipelines.ledger.drafts import ApprovalVoid
from mlc_pipelines.ledger.errors import DataError, WaitingError, told_as
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.plans import of_year, require_distinct, require_leaves
from mlc_pipelines.ledger.ports import ExportOutcome, ReadWay
from mlc_pipelines.store.history import Step

_TRIES = 2
_CELL = ["period", "account", "cost_center"]


@dataclass(frozen=True, slots=True)
class PlanApproval:
    """What the plan says of itself: the member that says it, its status, who approved which version of it, and when. Texts as they stand there."""

    member: str
    status: str
    by: str
    at: str
    version: str

    def __str__(self) -> str:
        return f"{self.member} version {self.version}: {self.status} by {self.by or 'nobody'} {self.at}".strip()


def read_plan_approval(desk: Desk, route: PlanRoute, year: str) -> PlanApproval:
    """The plan's own approval of a fiscal year, as it is now."""
    way = route.evidence
    member = way.member_of(year)
    said = desk.plan.read_texts(way.way, member, (way.status, way.by, way.at, way.version))
    return PlanApproval(member, said[way.status], said[way.by], said[way.at], said[way.version])


def require_plan_approved(desk: Desk, route: PlanRoute, year: str) -> PlanApproval:
    """The plan's own approval. Raises WaitingError while it has none, DataError for one that does not say who, when, which version."""
    with told_as(PLAN_APPROVED):
        found = read_plan_approval(desk, route, year)
        _require_complete(route, found)
    return found


def _require_complete(route: PlanRoute, found: PlanApproval) -> None:
    if found.status != route.evidence.approved:
        raise WaitingError(
            f"{found.member} is not approved in Anaplan: its status is {found.status or 'blank'!r}, not {route.evidence.approved!r}.",
            holds=NOTHING_WRITTEN,
            next_step="Have the plan approved in Anaplan, then start this step again.",
        )
    way = route.evidence
    lacking = [name for name in ("by", "at", "version") if not getattr(found, name).strip()]
    if lacking:
        named = ", ".join(getattr(way, name) for name in lacking)
        raise DataError(
            f"{found.member} is approved in Anaplan, but {named} is blank there: who approved which version, and when, cannot be shown.",
            holds=NOTHING_WRITTEN,
            next_step="Have it filled in in Anaplan, then start this step again.",
        )


def read_approved(desk: Desk, route: PlanRoute, year: str) -> Report:
    """Export a plan's approved figures of one fiscal year (FY2027) and keep them with their approval, which is the same before and after."""
    keys = keys_of_year(desk.calendar, year)
    approval, outcome, cells = _exported(desk, route, year)
    of_version, chosen, other_years = _chosen(desk, route, keys, cells)
    members = read_lists(desk, list(dict.fromkeys([route.accounts.list_name, route.cost_centers.list_name])))
    require_leaves(chosen, members, (route.accounts, route.cost_centers))
    require_distinct(chosen)
    artefact = _kept(desk, chosen)
    currency = desk.ledger.identity().currency
    facts = {
        "approval": asdict(approval),
        "currency": currency,
        "task": outcome.task,
        "sha256": outcome.sha256,
        "rows": outcome.rows,
        "rows_said": outcome.rows_said,
    }
    record_step(desk, route.steps.approved, year, artefact, facts)
    counts = {
        "cells": len(chosen),
        "blank cells": int(chosen["blank"].sum()),
        "cells of other versions": len(cells) - of_version,
        "cells of other years": other_years,
    }
    return _report(route, year, approval, outcome, chosen, counts, currency, artefact, len(cells))


def _chosen(desk: Desk, route: PlanRoute, keys: Sequence[str], cells: pd.DataFrame) -> tuple[int, pd.DataFrame, int]:
    """How many cells are of the plan's version, those of them that are of the year (keys of its periods), and how many are of other years."""
    of_version = cells[cells["version"] == route.version].reset_index(drop=True)
    chosen, others = of_year(of_version, labels(route, desk.calendar), keys)
    return len(of_version), chosen, others


def _kept(desk: Desk, chosen: pd.DataFrame) -> str:
    return keep_frame(desk, chosen.drop(columns=["version"]))


def require_unchanged(desk: Desk, route: PlanRoute, year: str, exported: Step) -> None:
    """Export the plan once more. Raises ApprovalVoid where it shows other figures than those that were previewed: a cell was edited since, though nobody
    approved the plan anew (F07).
    """
    _, _, cells = _exported(desk, route, year)
    _, now, _ = _chosen(desk, route, keys_of_year(desk.calendar, year), cells)
    if _kept(desk, now) == exported.artefact:
        return
    differs = _edited(read_kept_frame(desk, exported.artefact), now)
    first = differs.iloc[0] if len(differs) else None
    where = f"; the first is {first['period']} {first['account']} {first['cost_center']}" if first is not None else ""
    error = ApprovalVoid(
        f"{len(differs)} cells of {route.plan_of(year)} are not what was previewed any more, though the plan was not approved anew{where}.",
        holds="Nothing further was written or released.",
        next_step="Have cells locked in Anaplan once they are approved. Put them back, or have the plan approved as it is now; then preview it again.",
    )
    error.evidence = {"Edited since": differs}
    raise error


def _edited(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The cells that differ, by period, account and cost center, with their amounts then and now in minor units."""
    sides = (one.assign(blank=one["blank"].astype(bool))[[*_CELL, "amount_minor", "blank"]] for one in (then, now))
    left, right = (one.drop_duplicates().astype(dict.fromkeys(_CELL, "object")) for one in sides)
    both = left.merge(right, on=_CELL, how="outer", suffixes=("_then", "_now"), indicator=True)
    same = (
        (both["_merge"] == "both")
        & (both["amount_minor_then"] == both["amount_minor_now"])
        & (both["blank_then"] == both["blank_now"])
    )
    return both.loc[~same, [*_CELL, "amount_minor_then", "amount_minor_now"]].reset_index(drop=True)


def _exported(desk: Desk, route: PlanRoute, year: str) -> tuple[PlanApproval, ExportOutcome, pd.DataFrame]:
    """The whole export. The approval is read before and after it, so that nothing is taken for approved that was changed meanwhile (F07)."""
    desk.plan.wait_until_welcome()
    currency = desk.ledger.identity().currency
    before = require_plan_approved(desk, route, year)
    for _ in range(_TRIES):
        with desk.fence(year), desk.store.artefacts.draft() as draft:
            desk.plan.wait_until_free()
            outcome = _read_whole(desk, route, year, draft)
            cells = read_plan(draft, route.columns, currency=currency)
        after = require_plan_approved(desk, route, year)
        if after == before:
            return after, outcome, cells
        desk.progress(f"{before.member} was approved anew while it was exported; it is exported again")
        before = after
    raise WaitingError(
        f"{before.member} was approved anew each time it was exported.",
        holds=NOTHING_WRITTEN,
        next_step="Start this step again when the plan has come to rest.",
    )


def _read_whole(desk: Desk, route: PlanRoute, year: str, path: Path) -> ExportOutcome:
    """The plan as a file: of an export, tied to the very task that made it, or of a saved view, which has none."""
    if not route.view:
        return desk.plan.export_file(route.export, path)
    lists = route.accounts.list_name, route.cost_centers.list_name
    way = ReadWay("cells", route.view, route.columns, *lists, versions=(route.version,), whole=True)
    first = next(label for label, key in labels(route, desk.calendar).items() if year_of(key) == year)
    desk.plan.read_cells(way, (first, route.version), path)
    content = path.read_bytes()
    return ExportOutcome("", route.columns.header, 0, hashlib.sha256(content).hexdigest())


def _report(
    route: PlanRoute,
    year: str,
    approval: PlanApproval,
    outcome: ExportOutcome,
    chosen: pd.DataFrame,
    counts: dict[str, int],
    currency: str,
    artefact: str,
    read: int,
) -> Report:
    turnover = Money(int(chosen["amount_minor"].abs().sum()), currency)
    return Report(
        route.steps.approved,
        year,
        f"{len(chosen):,} cells of {route.plan_of(year)}; {approval}.",
        artefact,
        counts=counts,
        amounts={"sum of absolute amounts": turnover},
        texts={
            "Anaplan task": outcome.task or "none: read from a saved view",
            "approved in Anaplan": str(approval),
            "file of the plan (SHA-256)": outcome.sha256,
        },
        legs=() if outcome.rows_said is None else (_rows_leg(year, outcome.rows_said, read),),
        notices=(Notice(PLAN_APPROVED, f"{approval}.", pd.DataFrame()), *_not_counted(outcome)),
    )


def _not_counted(outcome: ExportOutcome) -> tuple[Notice, ...]:
    """That nothing could be compared, where an export does not say how many rows it made."""
    if not outcome.task or outcome.rows_said is not None:
        return ()
    said = f"Not compared: Anaplan does not say how many rows it exported. {outcome.rows:,} came, in the file of this very task, which did not change meanwhile."
    return (Notice(CELLS_ALL_EXPORTED, said, pd.DataFrame()),)


def _rows_leg(year: str, said: int, read: int) -> Leg:
    sides = [pd.DataFrame({"rows": ["exported"], "amount_minor": [count]}) for count in (said, read)]
    leg = compare(
        CELLS_ALL_EXPORTED, year, ("rows of the task", sides[0]), ("rows read", sides[1]), keys=["rows"], unit=ROWS
    )
    leg.require_agreed(holds=NOTHING_WRITTEN, next_step="Start this step again; the export did not come whole.")
    return leg
