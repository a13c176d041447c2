"""The planning tenant of the sample company: workspace "Finance" with the model "Meridian FP&A" and its dev twin.

Lists follow the company's chart, with two accounts left out on purpose; module "GL01 Actuals" by account, cost center,
month and version is fed by the import "Load GL Actuals" and read by the export "Export GL Actuals" or through the saved
view "GL01 Actuals.Integration". What else a model builder made there stands in `builder`.
"""

import hashlib
from datetime import datetime

from mlc_pipelines.sandbox.anaplan import builder
from mlc_pipelines.sandbox.anaplan.cloudworks import Planned
from mlc_pipelines.sandbox.anaplan.dimension import VERSIONS_ID, Dimension, Member
from mlc_pipelines.sandbox.anaplan.logins import Ticking, User
from mlc_pipelines.sandbox.anaplan.model import LineItem, Model, Module
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


def sample_tenant(company: Books, clock: Ticking) -> Tenant:
    """The tenant of the sample company. Its lists are taken now: a later change of the books does not reach them."""
    accounts, centers = accounts_list(company), centers_list(company)

    def build(now: datetime, switches: Switches) -> World:
        models = [
            _model(name, now, switches, accounts.copy(), centers.copy())
            for name in ("Meridian FP&A", "Meridian FP&A (dev)")
        ]
        finance = Workspace(_hex("workspace Finance"), "Finance", {model.id: model for model in models})
        return World(_users(), [finance], models[0].id, INTEGRATIONS)

    return Tenant(clock, build)


def _users() -> list[User]:
    return [
        User(_hex("user 1"), "integration@meridian.example", "Plan-4-Meridian!", "Ingrid", "Integration"),
        User(_hex("user 2"), "planner@meridian.example", "Summit-7-Planner!", "Paul", "Planner", admin=False),
        User(_hex("user 3"), "nightly@meridian.example", "Nightly-9-Job!", "Nadia", "Nightly"),
    ]


def accounts_list(company: Books) -> Dimension:
    """Accounts as "A6100" / "6100 Travel" below class and group, and a member for what has no account."""
    members = [Member("201000000001", "Total Accounts", "A_TOTAL")]
    ids = {"": members[0].id}
    for account in company.accounts.values():
        if account.code in NO_PLAN_MEMBER:
            continue
        group = _parent(members, ids, account.group, account.group, members[0].id)
        parent = group
        if account.account_class.casefold() != account.group.casefold():  # names are unique whatever their case
            parent = _parent(members, ids, f"{account.group} / {account.account_class}", account.account_class, group)
        name = f"{account.code} {account.description}"
        properties = {"Account Type": account.type, "Active": "true" if account.active else "false"}
        members.append(Member(_item_id(members), name, f"A{account.code}", parent, properties))
    members.append(Member(_item_id(members), "Unmapped accounts", "A_UNMAPPED", members[0].id))
    return Dimension(builder.ACCOUNTS_LIST, "Accounts", members, ACCOUNT_PROPERTIES, production=True)


def centers_list(company: Books) -> Dimension:
    """Cost centers as "CC_010" / "Denver Consulting" below their regions, and a member for what has none."""
    members = [Member("202000000001", "Total Cost Centers", "CC_TOTAL")]
    ids = {"": members[0].id}
    for code, name in company.cost_centers.items():
        parent = _parent(members, ids, company.regions[code], f"{company.regions[code]} Region", members[0].id)
        members.append(Member(_item_id(members), name, f"CC_{code}", parent, {"Short Name": name.split()[0]}))
    members.append(Member(_item_id(members), "No cost center", "CC_NONE", members[0].id))
    return Dimension(builder.CENTERS_LIST, "Cost Centers", members, CENTER_PROPERTIES)


def _parent(members: list[Member], ids: dict[str, str], key: str, name: str, above: str) -> str:
    """The id of a parent member, made at its first use."""
    if key not in ids:
        ids[key] = _item_id(members)
        members.append(Member(ids[key], name, f"T_{name.upper().replace(' ', '_')}", above))
    return ids[key]


def _item_id(members: list[Member]) -> str:
    return str(int(members[0].id) + len(members))


def _model(name: str, now: datetime, switches: Switches, accounts: Dimension, centers: Dimension) -> Model:
    time = month_calendar(first_year=2025, last_year=2027, start_month=7)
    names = ("Actual", "Actual Adj", "Budget", "Forecast")
    versions = Dimension(
        VERSIONS_ID, "Versions", [Member(f"10700000000{n}", text) for n, text in enumerate(names, start=1)]
    )
    items = [LineItem("301000000001", "Amount"), LineItem("301000000002", "Amount YTD", year_to_date_of="Amount")]
    module = Module(builder.MODULE, "GL01 Actuals", [accounts, centers, time, versions], time, items)
    return Model(
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


def _hex(name: str) -> str:
    """Thirty-two hex digits that stay the same from run to run."""
    return hashlib.sha256(f"meridian {name}".encode()).hexdigest()[:32]
