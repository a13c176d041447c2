"""Posted lines of one period through a Business Activity Query of Epicor Kinetic, page by page into columns.

Both ask for pages of the same size and the same columns, and end with the same table: the eleven columns of journal.LINE (ours also says whose
books they are), amounts in whole cents. Ours is Arrow; each line came once and none is missing behind the last, every line is checked to be of this
company, book, chart and period, every journal to be in balance. The other turns each page into a DataFrame and puts them together, as everybody
does first, and checks nothing. Signing in is not counted.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mlc_pipelines_tests.bench.baq_server import COLUMNS, QUERY, TABLE, result
from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
PAGE = 5000
_FIELDS = {
    "line": "JournalLine",
    "branch": "Plant",
    "account": "SegValue1",
    "description": "Description",
    "modified_at": "PostedDate",
}


def bench(server: Mapping[str, Any]) -> Bench:
    return Bench(
        "baq",
        f"extract and flatten {server['totals']['lines']:,} posted lines of a query",
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
    asked = {**slice_, "$select": ",".join(used()), "$orderby": f"{TABLE}SysRevID", "$top": str(PAGE)}

    def work() -> pd.DataFrame:
        pages: list[pd.DataFrame] = []
        while not pages or len(pages[-1]) == PAGE:
            answer = session.get(url, params={**asked, "$skip": str(PAGE * len(pages))}, timeout=600)
            answer.raise_for_status()
            pages.append(pd.json_normalize(answer.json()["value"]))
        return same_table(pd.concat(pages, ignore_index=True))

    def summarise(frame: pd.DataFrame) -> dict[str, Any]:
        sums = frame.groupby("account")[["debit_minor", "credit_minor"]].sum()
        sides = ("debit", "credit")
        return result(
            len(frame), ((one, side, int(minor)) for side in sides for one, minor in sums[f"{side}_minor"].items())
        )

    return work, summarise


def used() -> list[str]:
    """The columns that our client asks for."""
    from mlc_pipelines.epicor.baq import QUERIES

    names = [TABLE + column for column in QUERIES["lines"].columns(3)]
    return [name for name in names if name in COLUMNS]


def same_table(frame: Any) -> Any:
    """The columns of journal.LINE; floats become exact by their shortest text, as everybody does it."""
    of = {name.removeprefix(TABLE): frame[name] for name in frame}
    amounts = {
        f"{side.lower()}_minor": [int(Decimal(str(amount)).scaleb(2)) for amount in of[f"Book{side}Amount"]]
        for side in ("Debit", "Credit")
    }
    return type(frame)(
        {
            "batch": of["JournalCode"] + " " + of["JournalNum"].astype(str),
            **{name: of[field] for name, field in _FIELDS.items()},
            "subaccount": of["SegValue2"] + "|" + of["SegValue3"],
            "reference": of["APInvoiceNum"].where(of["APInvoiceNum"] != "", of["GroupID"]),
            "transaction_on": of["JEDate"].str[:10],
            **amounts,
        }
    )
