"""The whole sample company read through the instance: what comes over the wire is what the books hold."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mlc_pipelines.sandbox.server import Sandbox

PERIODS = ("FY2026-P03", "FY2025-P13")


class Reader:
    """Reads everything of a set or query page by page."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.info, self.http = sandbox.info["epicor"], http
        self.headers = {"x-api-key": self.info["api_key"], "Accept": "application/json"}

    def whole(self, path: str, orderby: str, size: int = 5000, **params: Any) -> Iterator[dict[str, Any]]:
        skip = 0
        while True:
            asked = {**params, "$orderby": orderby, "$top": size, "$skip": skip}
            query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in asked.items())
            url = f"{self.info['url']}/api/v2/odata/IVM/{path}?{query}"
            answer = self.http.get(url, headers=self.headers, auth=(self.info["username"], self.info["password"]))
            rows = answer.json(parse_float=Decimal)["value"]
            yield from rows
            if len(rows) < size:
                return
            skip += size


@pytest.fixture
def reader(sandbox: Sandbox) -> Iterator[Reader]:
    with httpx.Client(verify=False) as http:
        yield Reader(sandbox, http)


def split(period: str) -> tuple[str, str]:
    """FY2026-P03 -> 2026, 3."""
    return period[2:6], str(int(period[-2:]))


def minor(amount: Any) -> int:
    return int(amount * 100)


@pytest.mark.parametrize("period", PERIODS)
def test_posted_lines_sum_up_to_the_truth(sandbox: Sandbox, reader: Reader, period: str):
    """Lines of the main book by their three segments, statistics left out."""
    year, number = split(period)
    wanted = f"BookID eq 'MAIN' and FiscalYear eq {year} and FiscalPeriod eq {number} and Posted eq true and Statistical eq false"
    columns = "SegValue1,SegValue2,SegValue3,BookDebitAmount,BookCreditAmount,SysRevID"
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    params = {"$filter": wanted, "$select": columns}
    for row in reader.whole("Erp.BO.GLJrnDtlSvc/GLJrnDtls", "SysRevID", 500, **params):
        sides = sums[row["SegValue1"], row["SegValue2"], row["SegValue3"]]
        sides[0] += minor(row["BookDebitAmount"])
        sides[1] += minor(row["BookCreditAmount"])
    assert {tuple(row[:3]): list(row[3:]) for row in sandbox.ironvale.truth("MAIN", period)} == dict(sums)


def test_the_query_of_lines_gives_the_same_rows_as_the_set(sandbox: Sandbox, reader: Reader):
    """Both ways of reading a period agree row by row."""
    columns = ["BookID", "JournalCode", "JournalNum", "JournalLine", "SegValue2", "BookDebitAmount", "SysRevID"]
    params = {"$filter": "BookID eq 'TAX' and FiscalYear eq 2026 and FiscalPeriod eq 3", "$select": ",".join(columns)}
    lines = list(reader.whole("Erp.BO.GLJrnDtlSvc/GLJrnDtls", "SysRevID", **params))
    asked = {"BookID": "TAX", "FiscalYear": 2026, "FiscalPeriod": 3, "Company": "IVM"}
    chosen = {"$select": ",".join(f"GLJrnDtl_{name}" for name in columns)}
    rows = list(reader.whole("BaqSvc/ML_GLJrnDtl/Data", "GLJrnDtl_SysRevID", **asked, **chosen))
    assert lines
    assert [list(row.values()) for row in lines] == [list(row.values()) for row in rows]


def test_detail_balances_equal_the_lines(sandbox: Sandbox, reader: Reader):
    """By account and department; the summary rows would double them."""
    year, number = split(PERIODS[0])
    wanted = f"BookID eq 'MAIN' and FiscalYear eq {year} and FiscalPeriod eq {number} and BalanceType ne 'S'"
    columns = "SegValue1,SegValue2,DebitAmt,CreditAmt,BalanceAmt,BalanceAcct"
    params = {"$filter": wanted, "$select": columns}
    rows = list(reader.whole("Erp.BO.GLPeriodBalSearchSvc/GLPeriodBalSearches", "BalanceAcct", **params))
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in sandbox.ironvale.truth("MAIN", PERIODS[0]):
        sums[row[0], row[1]] += row[3] - row[4]
    found = {(row["SegValue1"], row["SegValue2"]): minor(row["BalanceAmt"]) for row in rows}
    assert {key: net for key, net in sums.items() if net} == {key: net for key, net in found.items() if net}


def test_the_query_of_spend_equals_the_invoices(sandbox: Sandbox, reader: Reader):
    """By vendor, account and department, in the main book only."""
    period = sandbox.ironvale.period(PERIODS[0])
    asked = {"FromDate": period.start.isoformat(), "ToDate": period.end.isoformat(), "Company": "IVM"}
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in reader.whole("BaqSvc/ML_APSpend/Data", "RowIdent", **asked):
        net = minor(row["APInvExpTGLC_BookDebitAmount"]) - minor(row["APInvExpTGLC_BookCreditAmount"])
        sums[row["Vendor_VendorID"], row["APInvExpTGLC_SegValue1"], row["APInvExpTGLC_SegValue2"]] += net
    expected = {tuple(row[:3]): row[3] for row in sandbox.ironvale.spend_truth(PERIODS[0])}
    assert {key: net for key, net in expected.items() if net} == {key: net for key, net in sums.items() if net}
