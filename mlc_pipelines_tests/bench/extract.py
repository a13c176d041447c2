"""Posted lines of one period from the wire into columns: one answer of AccountDetailsForPeriodInquiry.

Ours ends in an Arrow table with exact amounts, every line checked. The others end in a DataFrame with wrapped names
("Account.value") or plain ones, amounts as floats. Log-in and easy-acumatica's building of itself are not counted.
"""

import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal
from mlc_pipelines_tests.bench.server import INQUIRY

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
ASKED = {"FromPeriod": "032026", "ToPeriod": "032026", "Ledger": "ACTUAL"}
FOREIGN = (
    Contender("easy-acumatica + json_normalize", "easy_normalized", (Goal("cpu_seconds", times=8),)),
    Contender("easy-acumatica + dicts -> DataFrame", "easy_dicts"),
    Contender("requests + json_normalize", "requests_normalized", (Goal("cpu_seconds", times=10),)),
)


def bench(server: Mapping[str, Any]) -> Bench:
    lines, size = server["totals"]["lines"], server["bytes"]
    return Bench(
        "extract",
        f"extract and flatten {lines:,} posted lines, {size / lines:.0f} bytes each",
        __name__,
        {"info": server["info"]},
        (Contender("mlc_pipelines", "ours", (Goal("peak_mb", at_most=100),)), *FOREIGN),
        truth=server["totals"],
    )


def ours(setting: Mapping[str, Any]) -> Work:
    import pyarrow as pa
    import pyarrow.compute as pc

    from mlc_pipelines.acumatica.client import Acumatica
    from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential, SegmentRule
    from mlc_pipelines.ledger.fiscal import monthly_calendar
    from mlc_pipelines.transport.secret import Secret

    erp = setting["info"]["acumatica"]
    config = AcumaticaConfig(
        **{name: erp[name] for name in ("url", "tenant", "company", "ledger", "endpoint", "version")},
        subaccount=SegmentRule(),
    )
    secrets = {name: Secret(erp[name], name) for name in ("password", "client_secret")}
    credential = AcumaticaCredential(username=erp["username"], client_id=erp["client_id"], **secrets)
    period = monthly_calendar(2026, 2026, first_month=7).period("FY2026-P03")

    ledger = Acumatica(config, credential)
    ledger.identity()  # signs in, as the others have before they are measured

    def work() -> pa.Table:
        with ledger:
            return pa.Table.from_batches(ledger.read_posted(period))

    def summarise(table: pa.Table) -> dict[str, int]:
        sums = {name: pc.sum(table[name]).as_py() for name in ("debit_minor", "credit_minor")}
        return {"lines": table.num_rows, **sums}

    return work, summarise


def easy_normalized(setting: Mapping[str, Any]) -> Work:
    import pandas as pd

    ask = _easy(setting)
    return lambda: pd.json_normalize(ask()), _wrapped_totals


def easy_dicts(setting: Mapping[str, Any]) -> Work:
    import pandas as pd

    ask = _easy(setting)

    def work() -> pd.DataFrame:
        return pd.DataFrame([
            {name: field.get("value") if isinstance(field, dict) else field for name, field in line.items()}
            for line in ask()
        ])  # fmt: skip

    return work, _plain_totals


def requests_normalized(setting: Mapping[str, Any]) -> Work:
    import pandas as pd
    import requests

    erp = setting["info"]["acumatica"]
    session = requests.Session()
    login = {"name": erp["username"], "password": erp["password"], "tenant": erp["tenant"]}
    session.post(f"{erp['url']}/entity/auth/login", json=login, timeout=60).raise_for_status()
    url = f"{erp['url']}/entity/{erp['endpoint']}/{erp['version']}/{INQUIRY}"
    body = {name: {"value": value} for name, value in ASKED.items()}

    def work() -> pd.DataFrame:
        answer = session.put(url, params={"$expand": "Results"}, json=body, timeout=600)
        answer.raise_for_status()
        return pd.json_normalize(answer.json()["Results"])

    return work, _wrapped_totals


def _easy(setting: Mapping[str, Any]) -> Callable[[], list[dict[str, Any]]]:
    """easy-acumatica, logged in, its own limit of 10 calls a second lifted."""
    import easy_acumatica
    from easy_acumatica.odata import QueryOptions

    erp = setting["info"]["acumatica"]
    client = easy_acumatica.AcumaticaClient(
        base_url=erp["url"],
        username=erp["username"],
        password=erp["password"],
        tenant=erp["tenant"],
        rate_limit_calls_per_second=1_000_000,
        timeout=600,
        cache_dir=tempfile.mkdtemp(prefix="easy-"),
    )
    options = QueryOptions(expand=["Results"])
    question = client.models.AccountDetailsForPeriodInquiry(**ASKED)
    return lambda: client.account_details_for_period_inquiry.put_entity(question, options=options)["Results"]


def _wrapped_totals(frame: Any) -> dict[str, int]:
    return _totals(frame, ".value")


def _plain_totals(frame: Any) -> dict[str, int]:
    return _totals(frame, "")


def _totals(frame: Any, ending: str) -> dict[str, int]:
    sums = {
        f"{side.lower()}_minor": int((frame[f"{side}AmountInBaseCurrency{ending}"] * 100).round().astype("int64").sum())
        for side in ("Debit", "Credit")
    }
    return {"lines": len(frame), **sums}
