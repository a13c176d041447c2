"""The planning tenant of the sample companies: workspace "Finance" with the model "Meridian FP&A" and its dev twin.

Lists follow the company's chart, with two accounts left out on purpose; module "GL01 Actuals" by account, cost center,
month and version is fed by the import "Load GL Actuals" and read by the export "Export GL Actuals" or through the saved
view "GL01 Actuals.Integration". What else a model builder made there stands in `builder`, the plan in `plan`, the workspace
"Operations" of the second company in `ironvale`.
"""

from datetime import datetime
from functools import lru_cache

from mlc_pipelines.sandbox.anaplan import builder, ironvale
from mlc_pipelines.sandbox.anaplan.cloudworks import Planned
from mlc_pipelines.sandbox.anaplan.dimension import Dimension
from mlc_pipelines.sandbox.anaplan.logins import Ticking, User
from mlc_pipelines.sandbox.anaplan.making import Tree, actual_and_plan_versions, hex_id
from mlc_pipelines.sandbox.anaplan.model import LineItem, Model, Module
from mlc_pipelines.sandbox.anaplan.plan import add_plan
from mlc_pipelines.sandbox.anaplan.planfigures import Figures, meridian_figures
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.tenant import Tenant, Workspace, World
from mlc_pipelines.sandbox.anaplan.timescale import month_calendar
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.chart import NO_PLAN_MEMBER

INTEGRATIONS = [
    Planned(
        "Nightly GL Actuals",
        "Process",
        "Nightly GL Actuals",
        {"type": "daily", "time": "02:00", "timezone": "America/Los_Angeles", "startDate": "2025-07-01T00:00:00.000Z"},
    ),
    Planned("Plan to the data lake", "Export", "Export GL Actuals"),
]
ACCOUNT_PROPERTIES = {"Account Type": "TEXT", "Active": "BOOLEAN"}
CENTER_PROPERTIES = {"Short Name": "TEXT", "Capacity FTE": "NUMBER"}
MONTHS = month_calendar(first_year=2025, last_year=2027, start_month=7)


def sample_tenant(company: Books, clock: Ticking) -> Tenant:
    """The tenant of the sample company. Its lists are taken now: a later change of the books does not reach them."""
    accounts, centers, others = accounts_list(company), centers_list(company), ironvale.sample_lists()

    def build(now: datetime, switches: Switches) -> World:
        models = [
            _model(name, now, switches, accounts.copy(), centers.copy())
            for name in ("Meridian FP&A", "Meridian FP&A (dev)")
        ]
        finance = Workspace(_hex("workspace Finance"), "Finance", {model.id: model for model in models})
        operations = ironvale.operations(now, switches, others.copy())
        return World(_users(), [finance, operations], models[0].id, INTEGRATIONS)

    return Tenant(clock, build)


def _users() -> list[User]:
    return [
        User(_hex("user 1"), "integration@meridian.example", "Plan-4-Meridian!", "Ingrid", "Integration"),
        User(_hex("user 2"), "planner@meridian.example", "Summit-7-Planner!", "Paul", "Planner", admin=False),
        User(_hex("user 3"), "nightly@meridian.example", "Nightly-9-Job!", "Nadia", "Nightly"),
    ]


def accounts_list(company: Books) -> Dimension:
    """Accounts as "A6100" / "6100 Travel" below class and group, and a member for what has no account."""
    tree = Tree("201000000001", "Total Accounts", "A_TOTAL")
    for account in company.accounts.values():
        if account.code in NO_PLAN_MEMBER:
            continue
        parent = group = tree.group(account.group, account.group)
        if account.account_class.casefold() != account.group.casefold():  # names are unique whatever their case
            parent = tree.group(f"{account.group} / {account.account_class}", account.account_class, group)
        properties = {"Account Type": account.type, "Active": "true" if account.active else "false"}
        tree.add(f"{account.code} {account.description}", f"A{account.code}", parent, properties)
    tree.add("Unmapped accounts", "A_UNMAPPED")
    return Dimension(builder.ACCOUNTS_LIST, "Accounts", tree.members, ACCOUNT_PROPERTIES, production=True)


def centers_list(company: Books) -> Dimension:
    """Cost centers as "CC_010" / "Denver Consulting" below their regions, and a member for what has none."""
    tree = Tree("202000000001", "Total Cost Centers", "CC_TOTAL")
    for code, name in company.cost_centers.items():
        region = tree.group(company.regions[code], f"{company.regions[code]} Region")
        tree.add(name, f"CC_{code}", region, {"Short Name": name.split()[0]})
    tree.add("No cost center", "CC_NONE")
    return Dimension(builder.CENTERS_LIST, "Cost Centers", tree.members, CENTER_PROPERTIES)


def _model(name: str, now: datetime, switches: Switches, accounts: Dimension, centers: Dimension) -> Model:
    time, versions = MONTHS.copy(), actual_and_plan_versions()
    items = [LineItem("301000000001", "Amount"), LineItem("301000000002", "Amount YTD", year_to_date_of="Amount")]
    module = Module(builder.MODULE, "GL01 Actuals", [accounts, centers, time, versions], time, items)
    model = Model(
        id=_hex(f"model {name}").upper(),
        name=name,
        created_at=now,
        switches=switches,
        time=time,
        versions=versions,
        current_month="Aug 26",
        lists={accounts.id: accounts, centers.id: centers},
        modules={module.id: module},
        files={file.id: file for file in builder.files()},
        views=[builder.integration_view()],
        built=builder.actions(),
    )
    add_plan(model, _figures())
    return model


@lru_cache
def _figures() -> Figures:
    return meridian_figures(MONTHS)


def _hex(name: str) -> str:
    return hex_id("meridian", name)
