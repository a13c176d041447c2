"""Posted lines of one period through a Business Activity Query of Epicor Kinetic, page by page into columns.

Ours is the client's own reading: a table in Arrow, amounts in whole cents, each line once and behind the last, every line checked to be of this
company, book, chart and period, every journal to be in balance. The other turns each page into a DataFrame and puts them together: what everybody
writes first. It checks nothing, and its amounts are floats. Both end with the same debits and credits by account. Signing in is not counted.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mlc_pipelines_tests.bench.baq_server import QUERY, TABLE, result
from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
PAGE = 5000


def bench(server: Mapping[str, Any]) -> Bench:
    return Bench(
        "baq",
        f"extract and flatten {server['totals']['lines']:,} posted lines of a query, {server['bytes']} bytes each",
        __name__,
        {"info": server["info"]},
        (
            Contender("mlc_pipelines", "ours", (Goal("peak_mb", at_most=300),)),
            Contender("requests + json_normalize", "requests_normalized", (Goal("cpu_seconds", times=8),)),
        ),
        truth=server["totals"],
    )


def ours(setting: Mapping[str, Any]) -> Work:
    import pyarrow as pa

    from mlc_pipelines.epicor.baq import SUGGESTED
    from mlc_pipelines.epicor.client import Epicor
    from mlc_pipelines.epicor.config import Baqs, EpicorConfig, EpicorCredential
    from mlc_pipelines.ledger.fiscal import from_iso
    from mlc_pipelines.ledger.journal import sum_lines
    from mlc_pipelines.transport.secret import Secret

    erp = setting["info"]["epicor"]
    said = {name: erp[name] for name in ("url", "company", "book")}
    config = EpicorConfig(**said, cost_center_segment=2, page=PAGE, baqs=Baqs(lines=SUGGESTED["lines"]))
    credential = EpicorCredential(*(Secret(erp[name], name) for name in ("api_key", "username", "password")))
    period = from_iso("FY2026-P03", "2025-11-23", "2025-12-27")

    ledger = Epicor(config, credential)
    ledger.identity()  # signs in, as the other has before it is measured

    def work() -> pa.Table:
        with ledger:
            return pa.Table.from_batches(ledger.read_posted(period))

    def summarise(table: pa.Table) -> dict[str, Any]:
        sums = sum_lines(table, ["account"])
        return result(
            table.num_rows,
            (
                (account, side, minor)
                for side in ("debit", "credit")
                for account, minor in zip(sums["account"], sums[f"{side}_minor"].tolist(), strict=True)
            ),
        )

    return work, summarise


def requests_normalized(setting: Mapping[str, Any]) -> Work:
    import pandas as pd
    import requests

    erp = setting["info"]["epicor"]
    session = requests.Session()
    session.headers["x-api-key"] = erp["api_key"]
    session.auth = (erp["username"], erp["password"])
    url = f"{erp['url']}/api/v2/odata/{erp['company']}/BaqSvc/{QUERY}/Data"
    slice_ = {"Company": erp["company"], "BookID": erp["book"], "FiscalYear": "2026", "FiscalPeriod": "3"}
    asked = {**slice_, "$orderby": f"{TABLE}SysRevID", "$top": str(PAGE)}

    def work() -> pd.DataFrame:
        pages: list[pd.DataFrame] = []
        while not pages or len(pages[-1]) == PAGE:
            answer = session.get(url, params={**asked, "$skip": str(PAGE * len(pages))}, timeout=600)
            answer.raise_for_status()
            pages.append(pd.json_normalize(answer.json()["value"]))
        return pd.concat(pages, ignore_index=True)

    def summarise(frame: pd.DataFrame) -> dict[str, Any]:
        accounts, sums = frame[f"{TABLE}SegValue1"], []
        for side in ("debit", "credit"):
            minor = (frame[f"{TABLE}Book{side.capitalize()}Amount"] * 100).round().astype("int64")
            sums += [(account, side, int(total)) for account, total in minor.groupby(accounts).sum().items()]
        return result(len(frame), sums)

    return work, summarise
