"""Reference data first: what codes the ledger has, what members the plan has, and how they pair up."""

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_frame
from mlc_pipelines.flows.members import members_now
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.steps import CHART, COST_CENTERS, MEMBER_MAP, MEMBERS
from mlc_pipelines.ledger.mapping import MAP_COLUMNS, align, dead_entries


def read_chart(desk: Desk) -> Report:
    """The ERP's accounts, as they are now."""
    books = desk.ledger.identity()
    chart = desk.ledger.read_accounts()
    counts = {"accounts": len(chart), "inactive accounts": int((~chart["active"]).sum())}
    summary = f"{len(chart)} accounts of {books.company} in {books.system}."
    return _kept(desk, CHART, chart, summary, counts, {"Accounts": chart})


def read_cost_centers(desk: Desk) -> Report:
    """The ERP's cost centers, as they are now."""
    centers = desk.ledger.read_cost_centers()
    counts = {"cost centers": len(centers), "inactive cost centers": int((~centers["active"]).sum())}
    return _kept(desk, COST_CENTERS, centers, f"{len(centers)} cost centers.", counts, {"Cost centers": centers})


def read_members(desk: Desk) -> Report:
    """The members of the plan's account and cost-center lists, as they are now: list, code, name, parent, leaf."""
    lists = [desk.target.accounts.list_name, desk.target.cost_centers.list_name]
    members = members_now(desk)
    counts = {f"members of {name}": int((members["list"] == name).sum()) for name in lists}
    summary = f"{len(members)} members in the lists {' and '.join(lists)} of {desk.plan.identity()}."
    return _kept(desk, MEMBERS, members, summary, counts, {"Members": members.head(500)})


def map_members(desk: Desk) -> Report:
    """Pair every ERP code with its list member, and list those without one. Works on the three steps above, in their newest state."""
    held = desk.store.history
    frames = {
        step: read_frame(desk, held.require_step(desk.connection, step)) for step in (CHART, COST_CENTERS, MEMBERS)
    }
    rules = {CHART: desk.target.accounts, COST_CENTERS: desk.target.cost_centers}
    aligned = [
        align(frames[step], frames[MEMBERS][frames[MEMBERS]["list"] == rule.list_name], rule)
        for step, rule in rules.items()
    ]
    pairs = pd.concat(aligned, ignore_index=True)[MAP_COLUMNS]
    dead = [code for step, rule in rules.items() for code in dead_entries(rule, frames[step])]
    lacking = pairs[pairs["problem"] != ""]
    counts = {
        "codes": len(pairs),
        "codes without a member": len(lacking),
        "entries of the mapping files without a code": len(dead),
    }
    summary = f"{len(pairs) - len(lacking)} of {len(pairs)} codes have their member" + (
        f"; without one: {', '.join(lacking['code'].head(20))}." if len(lacking) else "."
    )
    tables = {"Codes without a member": lacking.drop(columns=["member", "sign"]), "Member map": pairs}
    return _kept(desk, MEMBER_MAP, pairs, summary, counts, tables)


def refresh_reference(desk: Desk) -> list[Report]:
    """All four, in order."""
    return [step(desk) for step in (read_chart, read_cost_centers, read_members, map_members)]


def _kept(
    desk: Desk, step: str, frame: pd.DataFrame, summary: str, counts: dict[str, int], tables: dict[str, pd.DataFrame]
) -> Report:
    artefact = keep_frame(desk, frame)
    desk.store.history.record_step(desk.connection, step, "", artefact, counts, run=desk.run)
    desk.progress(f"{step}: {summary}")
    return Report(step, "", summary, artefact, counts=counts, tables=tables)
