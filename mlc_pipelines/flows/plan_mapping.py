"""A plan's cells -> the accounts and subaccounts that its figures are posted to, and the version of all that decides it."""

import json

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import read_kept_frame
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.ledger.plans import MappedBack, TargetRule, map_back


def mapped_back(desk: Desk, route: PlanRoute, artefact: str, chart: pd.DataFrame, currency: str) -> MappedBack:
    """artefact: the kept cells of the approved plan."""
    cells = read_kept_frame(desk, artefact)
    rules = (route.accounts, route.cost_centers)
    signs = _signs(route, chart)
    return map_back(cells, rules, signs, currency=currency, rounding=route.rounding, blank=route.blank)


def plan_mapping_version(desk: Desk, route: PlanRoute, chart: pd.DataFrame) -> str:
    """The hash of all that decides where a plan's figure is posted and with which sign, kept as a file under it: the targets, and the accounts whose sign is turned."""
    content = {
        "targets": [_content(rule) for rule in (route.accounts, route.cost_centers)],
        "credits positive in the plan": sorted(code for code, sign in _signs(route, chart).items() if sign < 0),
        "offset": [route.offset.account, route.offset.subaccount] if route.offset else [],
        "rounding": route.rounding,
        "blank": route.blank,
    }
    return desk.store.artefacts.keep_bytes(json.dumps(content, ensure_ascii=False, indent=1).encode())


def _content(rule: TargetRule) -> dict[str, object]:
    table = dict(sorted(rule.table.items()))
    return {
        "dimension": rule.dimension,
        "list": rule.list_name,
        "member": rule.member,
        "target": rule.target,
        "table": table,
    }


def _signs(route: PlanRoute, chart: pd.DataFrame) -> dict[str, int]:
    """Each account of the ERP: -1 where planners see credits as positive."""
    kinds = zip(chart["code"], chart["kind"], strict=True)
    return {str(account): route.signs.get(kind, 1) for account, kind in kinds}
