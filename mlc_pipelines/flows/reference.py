"""Reference data first: what codes the ledger has, what members the plan has, and how they pair up."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, read_frame, read_kept_frame
from mlc_pipelines.flows.mapping import kept_version, require_sound, table_of
from mlc_pipelines.flows.members import read_lists
from mlc_pipelines.flows.report import Notice, Report
from mlc_pipelines.flows.steps import CHART, CODES_UNCHANGED, COST_CENTERS, MEMBER_MAP, MEMBERS, VENDORS
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.mapping import MAP_COLUMNS, MemberRule, align, dead_entries, drift


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


def read_vendors(desk: Desk) -> Report:
    """The ERP's vendors, as they are now: code, name, active."""
    if desk.payables is None:
        raise SetupError(
            f"Connection {desk.connection} reads no payables.",
            holds="Nothing was read.",
            next_step="Declare `ap_spend` in the connection file, or leave this step out.",
        )
    vendors = desk.payables.read_vendors()
    counts = {"vendors": len(vendors), "inactive vendors": int((~vendors["active"]).sum())}
    return _kept(desk, VENDORS, vendors, f"{len(vendors):,} vendors.", counts, {"Vendors": vendors.head(500)})


def read_members(desk: Desk) -> Report:
    """The members of the plan's lists that codes land on, as they are now: list, code, name, parent, leaf."""
    rules = rules_of(desk).values()
    lists = list(dict.fromkeys(rule.list_name for rule in rules))
    members = read_lists(desk, lists, {(rule.list_name, rule.list_property) for rule in rules if rule.list_property})
    counts = {f"members of {name}": int((members["list"] == name).sum()) for name in lists}
    summary = f"{len(members)} members in the lists {', '.join(lists[:-1])} and {lists[-1]} of {desk.plan.identity()}."
    return _kept(desk, MEMBERS, members, summary, counts, {"Members": members.head(500)})


def map_members(desk: Desk) -> Report:
    """Pair every ERP code with its list member, and list those without one. Works on the steps above, in their newest state."""
    held = desk.store.history
    rules = rules_of(desk)
    frames = {step: read_frame(desk, held.require_step(desk.connection, step)) for step in (*rules, MEMBERS)}
    members = frames[MEMBERS]
    sound = require_sound(desk, rules, frames, members)
    aligned = [align(frames[step], members[members["list"] == rule.list_name], rule) for step, rule in rules.items()]
    pairs = pd.concat(aligned, ignore_index=True)[MAP_COLUMNS]
    lacking = pairs[pairs["problem"] != ""]
    entries = table_of(list(rules.values()), members)
    notice = _noticed(desk, frames, pairs)
    counts = _counted(pairs, rules, frames) | {"codes and members changed since the last map": len(notice.rows)}
    tables = {
        "Codes without a member": lacking.drop(columns=["member", "sign"]),
        "Mapping tables": entries,
        "To look at in the mapping tables": sound.rows,
        "Member map": pairs,
        "Changed since the last map": notice.rows,
    }
    made_of = {step: held.require_step(desk.connection, step).artefact for step in frames}
    version = kept_version(desk, list(rules.values()), members)
    facts = {"made_of": made_of, "mapping_version": version}
    report = _kept(desk, MEMBER_MAP, pairs, _said_of(pairs), counts, tables, facts=facts)
    return replace(report, notices=(notice, sound), texts={"mapping version": version})


def _counted(
    pairs: pd.DataFrame, rules: Mapping[str, MemberRule], frames: Mapping[str, pd.DataFrame]
) -> dict[str, int]:
    """Codes, not rows: one that goes elsewhere from a period on has two rows."""
    return {
        "codes": len(_codes(pairs)),
        "codes without a member": len(_codes(pairs[pairs["problem"] != ""])),
        "entries of the mapping tables without a code": sum(
            len(dead_entries(rule, frames[step])) for step, rule in rules.items()
        ),
    }


def _said_of(pairs: pd.DataFrame) -> str:
    lacking, every = _codes(pairs[pairs["problem"] != ""]), len(_codes(pairs))
    named = f"; without one: {', '.join(lacking['code'].head(20))}." if len(lacking) else "."
    return f"{every - len(lacking)} of {every} codes have their member{named}"


def _codes(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.drop_duplicates(["dimension", "code"])


def rules_of(desk: Desk) -> dict[str, MemberRule]:
    """The step that reads a kind of codes -> how these find their members; vendors only where some feed has them."""
    rules = {CHART: desk.target.accounts, COST_CENTERS: desk.target.cost_centers}
    of_vendors = [target.vendors for target in desk.targets if target.vendors]
    return rules | dict(zip([VENDORS], of_vendors, strict=False))


_WATCHED = {
    CHART: ("name", "account_class", "kind", "active"),
    COST_CENTERS: ("name", "active"),
    VENDORS: ("name", "active"),
    MEMBERS: ("name", "parent", "leaf"),
}
_WHERE = {CHART: "account in the ERP", COST_CENTERS: "cost center in the ERP", VENDORS: "vendor in the ERP"}


def _noticed(desk: Desk, frames: Mapping[str, pd.DataFrame], pairs: pd.DataFrame) -> Notice:
    """What became of codes and members since the last member map: renamed, moved, switched off, new, vanished (S38).

    Serious where a code that had its member has none any more: its figures would stop, or go to the suspense members.
    """
    last = desk.store.history.latest_step(desk.connection, MEMBER_MAP)
    if last is None or "made_of" not in last.facts:
        return Notice(CODES_UNCHANGED, "This is the first member map: there is nothing to compare it with.", _NO_DRIFT)
    found = []
    for step, watched in _WATCHED.items():
        if step not in frames or step not in last.facts["made_of"]:
            continue  # vendors are mapped only since the connection declares AP spend
        before, now = read_kept_frame(desk, last.facts["made_of"][step]), frames[step]
        for where, old, new in _parts(step, before, now):
            found.append(drift(old, new, key="code", watched=watched).assign(where=where))
    rows = pd.concat(found, ignore_index=True)[list(_NO_DRIFT.columns)]
    lost = _lost(read_frame(desk, last), pairs)
    said = f"{len(rows):,} changes of codes and members since {last.made_at[:16].replace('T', ' ')} UTC."
    if lost:
        said += f" {len(lost):,} codes had a member and have none now: {', '.join(lost[:10])}."
    return Notice(
        CODES_UNCHANGED, said if len(rows) or lost else "Codes and members are as they were.", rows, bool(lost)
    )


_NO_DRIFT = pd.DataFrame(columns=["where", "code", "change", "before", "now"], dtype=object)


def _parts(step: str, before: pd.DataFrame, now: pd.DataFrame) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Each set of codes by itself: two lists may use the same code. A member without a code goes by its name."""
    if step != MEMBERS:
        return [(_WHERE[step], before, now)]
    before, now = (one.assign(code=one["code"].where(one["code"] != "", one["name"])) for one in (before, now))
    names = list(dict.fromkeys([*before["list"], *now["list"]]))
    return [(f"list {name}", before[before["list"] == name], now[now["list"] == name]) for name in names]


def _lost(before: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    had = set(zip(before["dimension"], before["code"], strict=True)) - _lacking(before)
    return sorted(code for _, code in had & _lacking(now))


def _lacking(pairs: pd.DataFrame) -> set[tuple[str, str]]:
    rows = pairs[pairs["problem"] != ""]
    return set(zip(rows["dimension"], rows["code"], strict=True))


def refresh_reference(desk: Desk) -> list[Report]:
    """All of them, in order."""
    vendors = (read_vendors,) if VENDORS in rules_of(desk) else ()
    return [step(desk) for step in (read_chart, read_cost_centers, *vendors, read_members, map_members)]


def _kept(
    desk: Desk,
    step: str,
    frame: pd.DataFrame,
    summary: str,
    counts: dict[str, int],
    tables: dict[str, pd.DataFrame],
    facts: Mapping[str, object] | None = None,
) -> Report:
    artefact = keep_frame(desk, frame)
    record_step(desk, step, "", artefact, {**counts, **(facts or {})})
    desk.progress(f"{step}: {summary}")
    return Report(step, "", summary, artefact, counts=counts, tables=tables)
