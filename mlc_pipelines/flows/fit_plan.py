"""What must be there in the planning model before figures are sent: actions, columns, time, versions, members."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pandas as pd

from mlc_pipelines.flows.desk import Target
from mlc_pipelines.flows.premises import Premises
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fit import (
    BOTH,
    ENGINEER,
    MODEL_BUILDER,
    PLAN,
    Check,
    Found,
    beware,
    fine,
    missing,
)
from mlc_pipelines.ledger.mapping import ACCOUNT, COST_CENTER, VENDOR, MemberRule, align, dead_entries
from mlc_pipelines.ledger.mapping_table import NO_PERIOD, SERIOUS, findings
from mlc_pipelines.ledger.members import ListRule

_OPENED = ("set_up.plan", "plan.role")
_SHOWN = 12


def plan_checks(premises: Premises) -> list[Check]:
    within = (*_OPENED, "set_up.mapping")
    checks: list[Check] = []
    for target in premises.targets:
        checks += _of_feed(premises, target, within)
    checks += _of_lists(premises, within)
    labelled = (*within, "set_up.calendar", "erp.calendar")
    checks += [
        Check("plan.time", "Period labels", PLAN, MODEL_BUILDER, partial(_labels, premises), labelled),
        Check("plan.versions", "Versions", PLAN, MODEL_BUILDER, partial(_versions, premises), within),
    ]
    return checks


# -- actions -----------------------------------------------------------------------------------------------------------------


def _of_feed(premises: Premises, target: Target, within: tuple[str, ...]) -> list[Check]:
    """The import that takes a feed's figures, or the process that runs it, and what reads them back."""
    feed = target.feed.name
    kind, name = ("process", target.process) if target.process else ("import", target.import_name)
    header, way = target.columns.header, target.read_back
    started, shown = f"plan.{kind}.{feed}", f"plan.read_back.{feed}"

    def fits() -> Iterator[Found]:
        premises.the_plan.require_import(target.import_name, header, process=target.process)
        yield fine(f"It reads the columns {', '.join(header)}.")

    def read_back() -> Iterator[Found]:
        premises.the_plan.require_shown(way)
        yield fine(f"{way.name} shows {', '.join(way.columns.header)}.")

    return [
        Check(
            started, f"{kind.capitalize()}: {name}", PLAN, MODEL_BUILDER, _action_check(premises, kind, name), within
        ),
        Check(f"plan.columns.{feed}", f"Columns of {name}", PLAN, MODEL_BUILDER, fits, (*within, started)),
        Check(shown, f"Read-back: {way.name}", PLAN, MODEL_BUILDER, read_back, within),
    ]


def _action_check(premises: Premises, kind: str, name: str) -> Callable[[], Iterator[Found]]:
    def look() -> Iterator[Found]:
        found = premises.the_plan.find_action(kind, name)
        premises.actions[found] = name
        yield fine(f"It is there ({found}).")

    return look


# -- lists and members -------------------------------------------------------------------------------------------------------


def _of_lists(premises: Premises, within: tuple[str, ...]) -> list[Check]:
    """Each list that codes land on, the members of every code, the members that take what has none, and the lists that follow the ERP."""
    rules = {rule.dimension: rule for target in premises.targets for rule in target.rules}
    names = list(dict.fromkeys(rule.list_name for rule in rules.values()))
    checks = [
        Check(f"plan.list.{name}", f"List: {name}", PLAN, MODEL_BUILDER, partial(_list, premises, name), within)
        for name in names
    ]
    whose = {ACCOUNT: "accounts", COST_CENTER: "cost_centers", VENDOR: "vendors"}
    for dimension, rule in rules.items():
        needs = (*within, f"plan.list.{rule.list_name}", *premises.needs(whose[dimension]))
        look = partial(_members, premises, rule)
        checks.append(Check(f"members.{dimension}", f"Members of {rule.list_name}", BOTH, MODEL_BUILDER, look, needs))
    for dimension, rule in rules.items():
        needs = (*within, f"plan.list.{rule.list_name}")
        look = partial(_parked, premises, rule)
        title = f"Members of {rule.list_name} for figures without one"
        checks.append(Check(f"plan.parked.{dimension}", title, PLAN, MODEL_BUILDER, look, needs))
    for synced in premises.lists:
        look = partial(_synced, premises, synced)
        title = f"List that follows the ERP: {synced.list_name}"
        checks.append(Check(f"plan.follows.{synced.source}", title, PLAN, MODEL_BUILDER, look, within))
    return checks


def _list(premises: Premises, name: str) -> Iterator[Found]:
    premises.the_plan.find_action("list", name)
    yield fine(f"{len(premises.members(name)):,} members.")


def _codes(premises: Premises, dimension: str) -> pd.DataFrame:
    if dimension == ACCOUNT:
        return premises.the_ledger.read_accounts()
    if dimension == COST_CENTER:
        return premises.the_ledger.read_cost_centers()
    if premises.payables is None:
        raise SetupError("The connection reads no payables.")
    return premises.payables.read_vendors()


def _members(premises: Premises, rule: MemberRule) -> Iterator[Found]:
    """Every active code of the ERP has its member; codes that are not active are counted only."""
    codes = _codes(premises, rule.dimension)
    pairs = align(codes, premises.members(rule.list_name), rule)
    lacking = pairs[pairs["problem"] != ""]
    active = lacking[lacking["active"].astype(bool)]
    named, parked = rule.dimension.replace("_", " "), _suspense(premises, rule.dimension)
    idle = f" ({len(lacking) - len(active):,} more are not active.)" if len(lacking) > len(active) else ""
    if active.empty:
        yield fine(f"Every active {named} of {len(codes):,} has its member.{idle}")
    else:
        said = f"{len(active):,} of {len(codes):,} {named}s have no member: {_few(active['code'].tolist())}.{idle}"
        remedy = f"Add the members to {rule.list_name}, or map the codes by hand: `mlc map suggest {premises.connection}` names the likeliest."
        if parked:
            yield beware(f"{said} Their figures go to {parked}.", remedy)
        else:
            yield missing(said, remedy)
    yield from _entries(premises, rule, codes)
    if dead := [code for code in dead_entries(rule, codes) if code]:
        yield beware(
            f"The mapping tables name {len(dead)} {named}s that the ERP does not have: {_few(dead)}.",
            "Correct or delete these entries.",
            ENGINEER,
        )


def _entries(premises: Premises, rule: MemberRule, codes: pd.DataFrame) -> Iterator[Found]:
    """Entries of the mapping tables that contradict each other, or whose member or period is not there."""
    members = premises.members(rule.list_name)
    keys = premises.the_calendar.keys if premises.calendar else []
    rows = findings(rule.every_entry(members), rule.template, codes, members, keys)
    for one in rows[rows["finding"].isin(SERIOUS)].to_dict("records"):
        if one["finding"] != NO_PERIOD or keys:
            yield missing(f"{one['said']}.", f"Correct or delete it: {one['source']}.", ENGINEER)


def _suspense(premises: Premises, dimension: str) -> str:
    """The member that takes figures of codes without one; "" where they stop the load."""
    suspense = next((target.suspense for target in premises.targets if target.suspense), None)
    return str(getattr(suspense, dimension)) if suspense else ""


def _parked(premises: Premises, rule: MemberRule) -> Iterator[Found]:
    """The suspense member, and the one of figures without a code, are leaves of the list."""
    members = premises.members(rule.list_name)
    coded = members["code"].where(members["code"] != "", members["name"])
    leaves = set(coded[members["leaf"]])
    wanted = [one for one in dict.fromkeys((_suspense(premises, rule.dimension), rule.table.get("", ""))) if one]
    for name in wanted:
        if name not in leaves:
            what = "is a parent" if name in set(coded) else "is not there"
            yield missing(
                f"Member {name} of {rule.list_name} {what}: figures without a member of their own could not be sent.",
                "Add it as a leaf.",
            )
    if set(wanted) <= leaves:
        yield fine(
            f"There: {', '.join(wanted)}." if wanted else "None is declared: a code without a member stops its load."
        )


def _synced(premises: Premises, rule: ListRule) -> Iterator[Found]:
    """The import that takes its members, with its columns, or the properties that are written one by one."""
    if rule.by == "import":
        premises.the_plan.require_import(rule.import_name, tuple(rule.columns))
        yield fine(f"{rule.import_name} reads the columns {', '.join(rule.columns)}.")
        return
    premises.the_plan.read_members(rule.list_name, tuple(rule.properties))
    yield fine(f"{rule.list_name} has the properties {', '.join(rule.properties) or '(none are written)'}.")


# -- time and versions ---------------------------------------------------------------------------------------------------------


def _labels(premises: Premises) -> Iterator[Found]:
    """Every period has its label in the model's time. Where none has, the pattern is wrong; where some have not, the model's time is too short."""
    periods = premises.the_calendar.periods
    patterns = dict.fromkeys([target.period_label for target in premises.targets])
    for pattern in dict.fromkeys([*patterns, *(plan.period_label for plan in premises.asked)]):
        wanted = list(dict.fromkeys(period.label(pattern) for period in periods))
        lost = premises.the_plan.strangers("time", wanted)
        if len(lost) == len(wanted):
            yield missing(
                f"The model's time knows none of the labels that the pattern {pattern!r} makes ({_few(wanted[:3])} ...).",
                "Correct `period_label` in the connection file to what the model shows.",
                ENGINEER,
            )
        elif lost:
            yield missing(
                f"The model's time does not have {len(lost)} of {len(wanted)} periods: {_few(lost)}.",
                "Have the model's time scale extended, or shorten `calendar` in the connection file.",
            )
        else:
            yield fine(f"{len(wanted)} labels, {wanted[0]} to {wanted[-1]}, are in the model's time.")


def _versions(premises: Premises) -> Iterator[Found]:
    wanted = [version for target in premises.targets for version in target.versions]
    wanted = list(dict.fromkeys([*wanted, *(plan.version for plan in premises.asked)]))
    if lost := premises.the_plan.strangers("versions", wanted):
        yield missing(
            f"The model has no version {', '.join(lost)}.",
            "Have it added to the model, or correct its name in the connection file.",
        )
        return
    yield fine(f"There: {', '.join(wanted)}.")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
