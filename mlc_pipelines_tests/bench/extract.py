"""Posted lines of one period from the wire into columns: one answer of AccountDetailsForPeriodInquiry.

All end with the same table: the eleven columns of journal.LINE (ours also says whose books they are), amounts in whole cents. Ours is Arrow, and every line is checked
to be posted, of this ledger and this period; the others are DataFrames, and check nothing. Log-in and easy-acumatica's
building of itself are not counted.
"""

import tempfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal
from mlc_pipelines_tests.bench.server import INQUIRY

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
ASKED = {"FromPeriod": "032026", "ToPeriod": "032026", "Ledger": "ACTUAL"}
_FIELDS = {
    "branch": "Branch",
    "account": "Account",
    "subaccount": "Subaccount",
    "reference": "RefNumber",
    "description": "TransactionDescription",
    "modified_at": "LastModifiedDateTime",
}
FOREIGN = (
    Contender("easy-acumatica + json_normalize", "easy_normalized", (Goal("cpu_seconds", times=8),)),
    Contender("easy-acumatica + dicts -> DataFrame", "easy_dicts"),
    Contender("requests + json_normalize", "requests_normalized", (Goal("cpu_seconds", times=10),)),
)


def bench(server: Mapping[str, Any], name: str = "extract") -> Bench:
    lines, size = server["totals"]["lines"], server["bytes"]
    return Bench(
        name,
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
    fields = ("username", "password", "client_id", "client_secret")
    credential = AcumaticaCredential(**{name: Secret(erp[name], name) for name in fields})
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
    return lambda: same_table(pd.json_normalize(ask()), ".value"), totals


def easy_dicts(setting: Mapping[str, Any]) -> Work:
    import pandas as pd

    ask = _easy(setting)

    def work() -> pd.DataFrame:
        plain = pd.DataFrame([
            {name: field.get("value") if isinstance(field, dict) else field for name, field in line.items()}
            for line in ask()
        ])  # fmt: skip
        return same_table(plain, "")

    return work, totals


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
        return same_table(pd.json_normalize(answer.json()["Results"]), ".value")

    return work, totals


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


def same_table(frame: Any, ending: str) -> Any:
    """The columns of journal.LINE from a DataFrame of all fields; floats become exact by their shortest text, as everybody does it."""
    batch = frame["Module" + ending] + " " + frame["BatchNumber" + ending]
    kept = {"batch": batch, "line": None, **{name: frame[field + ending] for name, field in _FIELDS.items()}}
    amounts = {
        f"{side.lower()}_minor": [
            int(Decimal(str(amount)).scaleb(2)) for amount in frame[f"{side}AmountInBaseCurrency{ending}"]
        ]
        for side in ("Debit", "Credit")
    }
    return type(frame)({**kept, "transaction_on": frame["TransactionDate" + ending].str[:10], **amounts})


def totals(frame: Any) -> dict[str, int]:
    sums = {name: int(frame[name].sum()) for name in ("debit_minor", "credit_minor")}
    return {"lines": len(frame), **sums}
