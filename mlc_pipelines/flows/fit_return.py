"""What must be there before an approved plan can go back into the ledger: its export, its approval, an allowed destination, a period that takes it."""

from collections.abc import Iterator
from functools import partial

from mlc_pipelines.flows.fit_ledger import OPEN
from mlc_pipelines.flows.premises import PlanAsked, Premises
from mlc_pipelines.flows.route import year_of
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fit import (
    CONTROLLER,
    ENGINEER,
    ERP,
    MODEL_BUILDER,
    NOT_CHECKED,
    PLAN,
    Check,
    Found,
    fine,
    missing,
)
from mlc_pipelines.ledger.ports import ReadWay

_SHOWN = 3


def return_checks(premises: Premises) -> list[Check]:
    return [check for asked in premises.asked for check in _of_plan(premises, asked)]


def _of_plan(premises: Premises, asked: PlanAsked) -> list[Check]:
    name, opened = asked.name, ("set_up.plan", "plan.role")
    destination = f"return.destination.{name}"
    to_write = (f"set_up.{name}", *premises.needs("plans"))
    said = f"Plan {name}"
    return [
        Check(
            f"return.source.{name}",
            f"{said}: {asked.export or asked.view}",
            PLAN,
            MODEL_BUILDER,
            partial(_source, premises, asked),
            opened,
        ),
        Check(
            f"return.approval.{name}",
            f"{said}: approval",
            PLAN,
            MODEL_BUILDER,
            partial(_approval, premises, asked),
            (*opened, "set_up.calendar"),
        ),
        Check(destination, f"{said}: destination", ERP, ENGINEER, partial(_destination, premises, name), to_write),
        Check(
            f"return.open.{name}",
            f"{said}: open periods",
            ERP,
            CONTROLLER,
            partial(_open, premises, name),
            (destination, "erp.calendar", "set_up.calendar"),
        ),
    ]


def _source(premises: Premises, asked: PlanAsked) -> Iterator[Found]:
    """The export or saved view shows the plan's columns."""
    plan = premises.the_plan
    if asked.view:
        lists = {rule.dimension: rule.list_name for target in premises.targets for rule in target.rules}
        way = ReadWay(
            "cells",
            asked.view,
            asked.columns,
            lists.get("account", ""),
            lists.get("cost_center", ""),
            versions=(asked.version,),
            whole=True,
        )
        plan.require_shown(way)
    else:
        plan.require_export(asked.export, asked.columns.header)
    yield fine(f"It shows {', '.join(asked.columns.header)}.")


def _approval(premises: Premises, asked: PlanAsked) -> Iterator[Found]:
    """Who approved which version can be read, of some fiscal year. An export is not run for it; its columns tell."""
    way = asked.evidence
    names = (way.status, way.by, way.at, way.version)
    if way.way.by == "export":
        premises.the_plan.require_export(way.way.name, names)
        yield fine(f"Export {way.way.name} shows {', '.join(names)}.")
        return
    years = list(dict.fromkeys(year_of(key) for key in reversed(premises.the_calendar.keys)))
    problems: list[SetupError] = []
    for year in years:
        member = way.member_of(year)
        try:
            said = premises.the_plan.read_texts(way.way, member, names)
        except SetupError as problem:
            problems.append(problem)
            continue
        told = f"by {said[way.by] or 'nobody'}, version {said[way.version] or 'blank'}"
        yield fine(f"{member}: {said[way.status] or 'blank'} {told}.")
        return
    raise problems[0]


def _destination(premises: Premises, name: str) -> Iterator[Found]:
    """The ERP's own word that the declared place takes plans, and is no actual ledger."""
    found = premises.routes[name].books.require_destination()
    yield fine(f"{found.ledger} of {found.company}: {found.ledger_type}, {found.currency}.")


def _open(premises: Premises, name: str) -> Iterator[Found]:
    """Some period of the connection's years takes a plan now."""
    keys = [period.key for period in premises.the_calendar.periods if not period.adjustment]
    shut = premises.routes[name].books.not_open(keys)
    takes = [key for key in keys if key not in shut]
    if not takes and not _any_open(premises):
        yield Found(NOT_CHECKED, "Not checked, because no period of the ERP is open at all.")
    elif not takes:
        shown = "; ".join(f"{key}: {why}" for key, why in list(shut.items())[-_SHOWN:])
        yield missing(
            f"No period takes the plan {name} now ({shown}).", "Have the periods of the plan opened in the ERP."
        )
    else:
        yield fine(f"{len(takes)} periods take it, {takes[0]} to {takes[-1]}.")


def _any_open(premises: Premises) -> bool:
    ledger = premises.the_ledger
    return any(one.status == OPEN for books in ledger.identities() for one in ledger.read_periods(books.company))
