"""A whole period, ledger to plan, against the sandbox in its own process.

Ours is `mlc load`: reference data, posted lines, trial balance, member map, file, import, read-back, all legs of the tie-out,
everything kept and written down. The other is the first program a user would write: easy-acumatica for the lines and the chart,
json_normalize, Decimal objects, merges, to_csv, anaplan-sdk for members, upload and import; it proves nothing afterwards.
"""

import json
import os
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_pipelines_tests.bench.aggregate import SUSPENSE, summary
from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
PERIOD, ERP_PERIOD, LABEL = "FY2026-P03", "032026", "Sep 25"
_GOALS = (Goal("whole_cpu_seconds", times=5), Goal("whole_peak_mb", times=3))
FOREIGN = Contender("easy-acumatica, pandas Decimal, to_csv, anaplan-sdk", "first_pick", _GOALS)


def bench(server: Mapping[str, Any], lines: int) -> Bench:
    return Bench(
        "period",
        f"load a period of {lines:,} lines, ledger to plan",
        __name__,
        {"info": server["info"], "url": server["url"]},
        (Contender("mlc load", "ours"), FOREIGN),
        before=lambda: {"home": fresh_start(server)},
    )


def fresh_start(server: Mapping[str, Any]) -> str:
    """The sandbox as it was seeded, and a new home that holds the demo connection's credentials."""
    from mlc_pipelines.store.home import Store

    urllib.request.urlopen(urllib.request.Request(f"{server['url']}/control/reset", method="POST"), timeout=600).close()
    home = tempfile.mkdtemp(prefix="bench-home-")
    vault = Store.open(Path(home)).vault
    erp, plan = server["info"]["acumatica"], server["info"]["anaplan"]
    vault.put("demo-acumatica", {name: erp[name] for name in ("username", "password", "client_id", "client_secret")})
    vault.put("demo-anaplan", {name: plan[name] for name in ("username", "password")})
    return home


def ours(setting: Mapping[str, Any]) -> Work:
    os.environ.update({"MLC_HOME": setting["home"], "MLC_SANDBOX_URL": setting["url"]})
    import click

    from mlc_pipelines.cli import cli

    load = cli.get_command(click.Context(cli), "load")  # as `mlc` itself comes to it
    if load is None:
        raise LookupError("mlc has no command load")
    return lambda: load.main(["demo", PERIOD, "--json"], standalone_mode=False), lambda _: held_cells(setting)


def first_pick(setting: Mapping[str, Any]) -> Work:
    import anaplan_sdk
    import easy_acumatica
    import httpx2
    import pandas as pd
    from easy_acumatica.odata import QueryOptions

    erp, plan = setting["info"]["acumatica"], setting["info"]["anaplan"]

    class ToSandbox(httpx2.HTTPTransport):
        """anaplan-sdk knows Anaplan's own hosts only; each request goes to the sandbox instead."""

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            request.url = request.url.copy_with(scheme="http", netloc=setting["url"].partition("://")[2].encode())
            return super().handle_request(request)

    def work() -> None:
        client = easy_acumatica.AcumaticaClient(
            base_url=erp["url"],
            username=erp["username"],
            password=erp["password"],
            tenant=erp["tenant"],
            rate_limit_calls_per_second=1_000_000,
            timeout=600,
            cache_dir=tempfile.mkdtemp(prefix="easy-"),
        )
        asked = client.models.AccountDetailsForPeriodInquiry(
            FromPeriod=ERP_PERIOD, ToPeriod=ERP_PERIOD, Ledger="ACTUAL"
        )
        inquiry = client.account_details_for_period_inquiry
        lines = pd.json_normalize(inquiry.put_entity(asked, options=QueryOptions(expand=["Results"]))["Results"])
        chart = pd.json_normalize(client.account.get_list())
        client.logout()
        model = anaplan_sdk.Client(
            plan["workspace_id"],
            plan["model_id"],
            plan["username"],
            plan["password"],
            token="expired",  # so that its first log-in, too, goes through the transport
            transport=ToSandbox(),
        )
        cells = placed(pd, lines, chart, members(model, "Accounts"), members(model, "Cost Centers"))
        [file] = [one.id for one in model.get_files() if one.name == plan["file"]]
        [load] = [one.id for one in model.get_imports() if one.name == plan["import"]]
        model.upload_file(file, cells.to_csv(index=False).encode())
        model.run_action(load)

    return work, lambda _: held_cells(setting)


def members(model: Any, name: str) -> set[str]:
    [list_id] = [one.id for one in model.tr.get_lists() if one.name == name]
    return {item["code"] for item in model.tr.get_list_items(list_id, return_raw=True) if item.get("code")}


def placed(pd: Any, lines: Any, chart: Any, accounts: set[str], centers: set[str]) -> Any:
    """The file's rows: exact amounts, planners' signs, suspense members for what has no partner."""
    for side in ("Debit", "Credit"):
        lines[side] = [Decimal(str(amount)) for amount in lines[f"{side}AmountInBaseCurrency.value"]]
    kinds = chart[["AccountCD.value", "Type.value"]].rename(columns={"AccountCD.value": "Account.value"})
    lines = lines.merge(kinds, on="Account.value", how="left")
    lines["Account"] = ("A" + lines["Account.value"]).where(lambda code: code.isin(accounts), SUSPENSE[0])
    lines["Cost Center"] = "CC_" + lines["Subaccount.value"].str.partition("-")[0]
    lines["Cost Center"] = lines["Cost Center"].where(lambda code: code.isin(centers), SUSPENSE[1])
    flipped = lines["Type.value"].isin(["Income", "Liability"]) & (lines["Account"] != SUSPENSE[0])
    lines["Amount"] = (lines["Debit"] - lines["Credit"]) * flipped.map({True: -1, False: 1})
    cells = lines.groupby(["Account", "Cost Center"])["Amount"].sum().reset_index()
    cells.insert(2, "Period", LABEL)
    cells.insert(3, "Version", "Actual")
    return cells


def held_cells(setting: Mapping[str, Any]) -> dict[str, Any]:
    """What the model holds in the end, by the sandbox's own word; zeros aside, which only ours sends."""
    with urllib.request.urlopen(f"{setting['url']}/control/truth/cells", timeout=600) as answer:
        cells = json.load(answer)["cells"]
    amounts = ((one, int(Decimal(one["amount"]).scaleb(2))) for one in cells if one["period"] == LABEL)
    return summary((one["account"], one["cost_center"], minor) for one, minor in amounts if minor)
