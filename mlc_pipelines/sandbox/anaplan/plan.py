"""The plan in a sample model, what a model builder made to hand it over, and the evidence that it was approved.

Module "PL01 Plan" holds Budget and Forecast by account, cost center and month; the exports "Export Approved Budget" and "Export
Approved Forecast" and the saved view "PL01 Plan.For the ERP" show it. Who approved which plan stands in the list "Plan Versions"
as properties, in module "PL00 Approvals" as texts by plan (view "PL00 Approvals.For the ERP"), and in the file of the export
"Export Plan Approvals". The ids follow on those that the model has already.
"""

from collections.abc import Iterable
from typing import Any

from mlc_pipelines.sandbox.anaplan.built import ExportAction, View
from mlc_pipelines.sandbox.anaplan.dimension import LINE_ITEMS_ID, TIME_ID, VERSIONS_ID, Dimension, Member
from mlc_pipelines.sandbox.anaplan.files import DataFile
from mlc_pipelines.sandbox.anaplan.model import LineItem, Model, Module
from mlc_pipelines.sandbox.anaplan.planfigures import Figures, planned
from mlc_pipelines.sandbox.anaplan.roster import Roster

PLAN, APPROVALS, PLANS = "PL01 Plan", "PL00 Approvals", "Plan Versions"
EXPORTS = {"Budget": "Export Approved Budget", "Forecast": "Export Approved Forecast"}
EXPORT_APPROVALS = "Export Plan Approvals"
EVIDENCE = ("Status", "Approved By", "Approved At", "Revision")
APPROVED, DRAFT = "Approved", "Draft"

SEEDED = {
    "FY2026 Budget": (APPROVED, "R. Okafor", "2025-06-13T14:05:00Z", "1"),
    "FY2027 Budget": (APPROVED, "R. Okafor", "2026-06-12T15:30:00Z", "1"),
    "FY2026 Forecast": (DRAFT, "", "", "1"),
    "FY2027 Forecast": (APPROVED, "R. Okafor", "2026-08-04T09:12:00Z", "1"),
}
"""Evidence for each plan at the start: last year's forecast was overtaken before anybody approved it."""

POOL = Member("", "New hire pool", "A_NEW_HIRES")
"""An account that only planners know."""

POOLED = {"CC_010": 2_500_000, "CC_020": 4_175_050}
"""Its figure of each month, in cents."""


def add_plan(model: Model, figures: Figures) -> None:
    """Give a model the plan. `figures` are a template: the cells are the model's own from then on."""
    accounts, centers = list(model.lists.values())[:2]
    plans = _plans_list(_next(model.lists))
    model.lists[plans.id] = plans
    items = [item.id for module in model.modules.values() for item in module.items]
    plan = Module(
        _next(model.modules),
        PLAN,
        [accounts, centers, model.time, model.versions],
        model.time,
        [LineItem(_next(items), "Amount")],
    )
    plan.inputs["Amount"], plan.blanks = dict(figures.cells), set(figures.blanks)
    model.modules[plan.id] = plan
    texts = [LineItem(_next(items, place), name, text=True) for place, name in enumerate(EVIDENCE, start=2)]
    approvals = Module(_next(model.modules), APPROVALS, [plans], model.time, texts)
    approvals.texts = {
        name: {(key,): said[place] for key, said in SEEDED.items()} for place, name in enumerate(EVIDENCE)
    }
    model.modules[approvals.id] = approvals
    _add_exports(model, plan, approvals)
    _add_views(model, plan, approvals)
    model.follows.append(follow_pool)


def _next(ids: Iterable[str], place: int = 1) -> str:
    return str(max(int(id_) for id_ in ids) + place)


def _plans_list(list_id: str) -> Dimension:
    """The plans by name alone: such a short list has no codes."""
    members = [
        Member(str(int(list_id) + 100_000_000_000 + place), name, properties=dict(zip(EVIDENCE, said, strict=True)))
        for place, (name, said) in enumerate(SEEDED.items(), start=1)
    ]
    return Dimension(list_id, PLANS, members, dict.fromkeys(EVIDENCE, "TEXT"), production=True)


def _add_exports(model: Model, plan: Module, approvals: Module) -> None:
    first = [action.id for action in model.built if isinstance(action, ExportAction)]
    made = [
        ExportAction(_next(first, place), name, plan.id, ("Amount",), ((VERSIONS_ID, (version,)),))
        for place, (version, name) in enumerate(EXPORTS.items(), start=1)
    ]
    made.append(ExportAction(_next(first, 3), EXPORT_APPROVALS, approvals.id, EVIDENCE))
    model.built += made
    for one in made:
        header = (*(each.singular for each in model.modules[one.module].dimensions), *one.items)
        model.files[one.id] = DataFile(one.id, f"{one.name}.csv", header)


def _add_views(model: Model, plan: Module, approvals: Module) -> None:
    ids = [view.id for view in model.views]
    accounts, centers = (one.id for one in plan.dimensions[:2])
    shown = View(
        id=_next(ids),
        name=f"{PLAN}.For the ERP",
        module=plan.id,
        rows=(accounts, centers),
        columns=(TIME_ID,),
        pages=(VERSIONS_ID, LINE_ITEMS_ID),
        items=("Amount",),
        leaves_only=True,
        shown=((VERSIONS_ID, tuple(EXPORTS)),),
        labels="setting",
        filtered=True,
    )
    rows, columns = (approvals.dimensions[0].id,), (LINE_ITEMS_ID,)
    evidence = View(_next(ids, 2), f"{APPROVALS}.For the ERP", approvals.id, rows, columns, (), EVIDENCE)
    model.views += [shown, evidence]


def follow_pool(model: Model) -> None:
    """Have the member that no ERP knows, with its figures, if the switch says so."""
    plan = model.module_named(PLAN)
    roster = Roster(plan.dimensions[0])
    there, wanted = roster.coded(POOL.code), model.switches["new_hire_pool"]
    if wanted == (there is not None):
        return
    if there is not None:
        roster.remove(there)
    else:
        roster.add(POOL.name, POOL.code, roster.dimension.members[0].id, {})
    roster.commit(model)
    if wanted:
        rows = [(POOL.code, center, cents) for center, cents in POOLED.items()]
        plan.inputs[plan.main_item].update(planned("pool", model.time, rows).cells)


def plan_info(model: Model) -> dict[str, str]:
    """What a client needs to know of the plan."""
    shown, evidence = model.views[-2:]
    return {
        "module_plan": PLAN,
        "export_budget": EXPORTS["Budget"],
        "export_forecast": EXPORTS["Forecast"],
        "view_plan": shown.name,
        "module_approvals": APPROVALS,
        "export_approvals": EXPORT_APPROVALS,
        "view_approvals": evidence.name,
        "list_approvals": PLANS,
    }


# -- what planners do -------------------------------------------------------------------------------------------------


def evidence_of(model: Model) -> list[dict[str, Any]]:
    """What each plan's approval says: in the list, and in the cells."""
    texts = model.module_named(APPROVALS).texts
    plans = next(one for one in model.lists.values() if one.name == PLANS)
    return [
        {
            "plan": member.name,
            "list": dict(member.properties),
            "cells": {name: texts[name].get((member.key,), "") for name in EVIDENCE},
        }
        for member in plans.members
    ]


def put_evidence(model: Model, plan: str, said: dict[str, str], only: str) -> None:
    """Write what a plan's approval says: in the list and the cells, or in one of them (`only`: list or cells). KeyError without such a plan."""
    roster = Roster(next(one for one in model.lists.values() if one.name == PLANS))
    member = roster.named(plan)
    if member is None or only not in ("", "list", "cells"):
        raise KeyError(plan if member is None else only)
    if only != "cells":
        roster.change(member, properties={**member.properties, **said})
        roster.commit(model)
    if only != "list":
        texts = model.module_named(APPROVALS).texts
        for name, text in said.items():
            texts[name][member.key,] = text
