"""The planning side of the second company: workspace "Operations" with the model "Ironvale FP&A", in the same tenant.

The model goes by weeks (4-4-5, years end on the last Saturday of September). Module "GL01 Actuals" is by account, cost center,
period and version, module "AP01 AP Spend" by vendor as well; the plan stands in `plan`. The lists follow the company's books, with some codes left out on
purpose. What else a model builder made there stands in `ironvalebuilder`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from mlc_pipelines.sandbox.anaplan import ironvalebuilder as builder
from mlc_pipelines.sandbox.anaplan.dimension import Dimension
from mlc_pipelines.sandbox.anaplan.making import Tree, actual_and_plan_versions, hex_id
from mlc_pipelines.sandbox.anaplan.model import LineItem, Model, Module
from mlc_pipelines.sandbox.anaplan.plan import add_plan, plan_info
from mlc_pipelines.sandbox.anaplan.planfigures import Figures, ironvale_figures
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.tenant import Tenant, Workspace
from mlc_pipelines.sandbox.anaplan.timescale import SEPTEMBER, Calendar, YearEnd, week_calendar
from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.vendors import vendors

MODEL_ID, WORKSPACE_ID = hex_id("ironvale", "model Ironvale FP&A").upper(), hex_id("ironvale", "workspace Operations")
FIRST_YEAR, LAST_YEAR, CURRENT = 2025, 2027, "P02 FY27"
NEAREST_SATURDAY = YearEnd(SEPTEMBER.month, SEPTEMBER.weekday, nearest=True)
PROPERTIES = {"Active": "BOOLEAN"}
VENDOR_GROUPS = {
    "MATL": "Materials",
    "MRO": "Supplies and tools",
    "SERV": "Services",
    "UTIL": "Energy and water",
    "FRT": "Freight",
    "PROF": "Professional services",
    "EQUP": "Machines",
}


class Coded(NamedTuple):
    """One code of the books as the planners see it: what it is called, and the group that it stands below."""

    code: str
    name: str
    group: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Lists:
    """The three lists of the model: templates, of which each model takes a copy."""

    accounts: Dimension
    centers: Dimension
    vendors: Dimension

    def copy(self) -> "Lists":
        """The same lists for another model."""
        return Lists(self.accounts.copy(), self.centers.copy(), self.vendors.copy())


def lists_of(accounts: Iterable[Coded], centers: Iterable[Coded], vendors: Iterable[Coded]) -> Lists:
    """Accounts "A4010" / "4010 Sales, pumps", cost centers "CC_110" / "Machining", vendors "V_ACME" / "Acme Steel Supply (ACME)".

    Each below its group, and a member for what has none. Codes and names of vendors may repeat one another's words, and two
    vendors may have one name, so the name in the plan carries the code.
    """
    account_tree = Tree("201000000001", "Total Accounts", "A_TOTAL")
    for one in accounts:
        _add(account_tree, one, f"{one.code} {one.name}", f"A{one.code}")
    account_tree.add("Unmapped accounts", "A_UNMAPPED")
    center_tree = Tree("202000000001", "Total Cost Centers", "CC_TOTAL")
    for one in centers:
        _add(center_tree, one, one.name, f"CC_{one.code}")
    center_tree.add("No cost center", "CC_NONE")
    vendor_tree = Tree("203000000001", "Total Vendors", "V_TOTAL")
    for one in vendors:
        _add(vendor_tree, one, f"{one.name} ({one.code})", f"V_{one.code}")
    vendor_tree.add("No vendor", "V_NONE")
    return Lists(
        Dimension(builder.ACCOUNTS_LIST, "Accounts", account_tree.members, PROPERTIES, production=True),
        Dimension(builder.CENTERS_LIST, "Cost Centers", center_tree.members, PROPERTIES),
        Dimension(builder.VENDORS_LIST, "Vendors", vendor_tree.members, PROPERTIES, production=True),
    )


def _add(tree: Tree, one: Coded, name: str, code: str) -> None:
    tree.add(name, code, tree.group(one.group, one.group), {"Active": "true" if one.active else "false"})


@lru_cache
def sample_lists() -> Lists:
    """The lists as the company's books have them, without what the plan does not know; templates."""
    categories = chart.categories()
    accounts = [
        Coded(one.code, one.name, categories[one.category].name, one.active)
        for one in chart.accounts().values()
        if one.code not in chart.NO_PLAN_MEMBER
    ]
    centers = [
        Coded(one.code, one.name, _center_group(one.code), one.active)
        for one in chart.departments().values()
        if one.code != chart.NO_PLAN_CENTER
    ]
    sellers = [
        Coded(one.code, one.name, VENDOR_GROUPS[one.group], one.active)
        for one in vendors().values()
        if one.company == chart.COMPANY and one.code != chart.NO_PLAN_VENDOR
    ]
    return lists_of(accounts, centers, sellers)


def _center_group(code: str) -> str:
    if code in chart.SHOPS:
        return "Shops"
    if code in chart.PLANT_DEPTS:
        return "Plant services"
    return "Offices" if code in chart.OFFICE_DEPTS else "Closed departments"


def operations(now: datetime, switches: Switches, lists: Lists) -> Workspace:
    """The workspace with its model; the lists are the model's own from then on."""
    return Workspace(WORKSPACE_ID, "Operations", {MODEL_ID: _model(now, switches, lists)})


def _model(now: datetime, switches: Switches, lists: Lists) -> Model:
    time, versions = calendar_for(switches).copy(), actual_and_plan_versions()
    shared = [lists.accounts, lists.centers, time, versions]
    modules = [
        Module(builder.ACTUALS_MODULE, "GL01 Actuals", shared, time, [LineItem("301000000001", "Amount")]),
        Module(
            builder.SPEND_MODULE, "AP01 AP Spend", [lists.vendors, *shared], time, [LineItem("301000000002", "Spend")]
        ),
    ]
    model = Model(
        id=MODEL_ID,
        name="Ironvale FP&A",
        created_at=now,
        switches=switches,
        time=time,
        versions=versions,
        current_month=CURRENT,
        lists={one.id: one for one in (lists.accounts, lists.centers, lists.vendors)},
        modules={module.id: module for module in modules},
        files={file.id: file for file in builder.files()},
        views=builder.views(),
        built=builder.actions(),
        calendar=calendar_for,
    )
    add_plan(model, _figures(switches["week_labels"], switches["weeks_53"]))
    return model


@lru_cache
def _figures(labels: str, weeks_53: bool) -> Figures:
    return ironvale_figures(_calendar(labels, weeks_53))


def calendar_for(switches: Switches) -> Calendar:
    """The model calendar as the switches have it: a template."""
    return _calendar(switches["week_labels"], switches["weeks_53"])


@lru_cache
def _calendar(labels: str, weeks_53: bool) -> Calendar:
    year_end = NEAREST_SATURDAY if weeks_53 else SEPTEMBER
    return week_calendar(FIRST_YEAR, LAST_YEAR, "4-4-5", year_end=year_end, labels=labels)


def ironvale_info(tenant: Tenant) -> dict[str, str]:
    """What a client needs to know of the model, besides the way into the tenant."""
    model = tenant.model(MODEL_ID)
    workspace, files = tenant.workspace_of(model), list(model.files.values())
    imports, exports = model.actions("imports"), model.actions("exports")
    actuals, spend = list(model.modules.values())[:2]
    return {
        "workspace_id": workspace.id,
        "workspace": workspace.name,
        "model_id": model.id,
        "model": model.name,
        "import": imports[0].name,
        "file": files[0].name,
        "export": exports[0].name,
        "module": actuals.name,
        "view": model.views[0].name,
        "import_spend": imports[1].name,
        "file_spend": files[1].name,
        "export_spend": exports[1].name,
        "module_spend": spend.name,
        "view_spend": model.views[1].name,
        "process": model.actions("processes")[-1].name,
        "import_accounts": imports[2].name,
        "import_cost_centers": imports[3].name,
        "import_vendors": imports[4].name,
        **plan_info(model),
    }
