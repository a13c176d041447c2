"""The sandbox's Kinetic with one query of its answered from lines made on the spot, in a process of its own.

    python -m mlc_pipelines_tests.bench.baq_server LINES

So many distinct posted lines of FY2026-P03 in the columns of ML_GLJrnDtl, by its own ways to page: $top, $skip, $select, $orderby by row version up or
down, and the parameter SinceRev. A page is made when it is asked for, so a million lines take no memory here. Signing in, books, chart and all else
is the sandbox's own. Prints one line of JSON once it answers, and ends when its standard input is closed.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.server import LOOPBACK
from mlc_pipelines.sandbox.world import Seed, World
from mlc_pipelines_tests.bench.aggregate import summary

QUERY = "ML_GLJrnDtl"
TABLE = "GLJrnDtl_"
_BLOCK = 256 << 10
_DEFAULT_TOP = 100
_FIRST_REVISION, _STEP = 158_501, 4
_PER_JOURNAL, _ACCOUNTS = 8, 400
_DESCRIBED = "Material issued to job, Dépôt %(engagement)04d"
_FORMS = {
    "Company": '"IVM"',
    "BookID": '"MAIN"',
    "FiscalYear": "2026",
    "FiscalYearSuffix": '""',
    "FiscalPeriod": "3",
    "FiscalCalendarID": '"F445"',
    "CloseFiscalPeriod": "0",
    "JournalCode": '"GJ"',
    "JournalNum": "%(journal)d",
    "JournalLine": "%(line)d",
    "Description": f'"{_DESCRIBED}"',
    "CommentText": '""',
    "JEDate": '"%(day)sT00:00:00"',
    "PostedDate": '"%(day)sT00:00:00"',
    "CreateDate": '"%(day)sT00:00:00"',
    "Posted": "true",
    "GroupID": '"JE%(group)06d"',
    "SourceModule": '"GL"',
    "COACode": '"MAIN"',
    "GLAccount": '"%(account)s|%(center)s|MF"',
    "SegValue1": '"%(account)s"',
    "SegValue2": '"%(center)s"',
    "SegValue3": '"MF"',
    "BalanceAcct": '"%(account)s|%(center)s"',
    "CurrencyCode": '"USD"',
    "DebitAmount": "%(debit)s",
    "CreditAmount": "%(credit)s",
    "BookDebitAmount": "%(debit)s",
    "BookCreditAmount": "%(credit)s",
    "Statistical": "false",
    "DebitStatAmt": "0.00",
    "CreditStatAmt": "0.00",
    "VendorNum": "0",
    "APInvoiceNum": '""',
    "Plant": '"MfgSys"',
    "PerBalFlag": "true",
    "Reverse": "false",
    "SrcCompany": '""',
    "SysRevID": "%(revision)d",
}
COLUMNS = {TABLE + name: form for name, form in _FORMS.items()} | {
    "RowIdent": '"%(number)08x-0000-4000-8000-000000000001"'
}
"""The columns in the order of the query, and how each is written."""


class Queried:
    """The sandbox's application, but for the one query."""

    def __init__(self, app: ASGIApp, lines: int) -> None:
        self._app = app
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(f"/BaqSvc/{QUERY}/Data"):
            await self._app(scope, receive, send)
            return
        body = memoryview(page(self._lines, scope["query_string"].decode()))
        headers = [
            (b"content-type", b"application/json; odata.metadata=minimal"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for at in range(0, len(body), _BLOCK):
            await send({"type": "http.response.body", "body": body[at : at + _BLOCK], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def page(lines: int, query: str) -> bytes:
    """One answer of the query. The order that is not asked for is the one by row version."""
    asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    first = (
        max(int(asked.get("SinceRev", "0")) - _FIRST_REVISION, -_STEP) // _STEP + 1
    )  # the first line behind that version
    order = asked.get("$orderby", "").split(",")[0]
    if order.removesuffix(" desc") not in {"", TABLE + "SysRevID", TABLE + "BookID", TABLE + "JournalNum"}:
        raise ValueError(f"the lines are not made in the order {order}")
    numbers = range(first, lines)[:: -1 if order.endswith(" desc") else 1][int(asked.get("$skip", "0")) :]
    template = row_template(asked.get("$select", ""))
    rows = ",".join(template % _values(number) for number in numbers[: int(asked.get("$top", _DEFAULT_TOP))])
    return f'{{"@odata.context":"$metadata#Epicor.DynamicQuery.{QUERY}","value":[{rows}]}}'.encode()


def row_template(select: str) -> str:
    wanted = select.split(",") if select else COLUMNS
    return "{" + ",".join(f'"{name}":{COLUMNS[name]}' for name in wanted) + "}"


def _values(number: int) -> dict[str, Any]:
    account, minor, on_debit = booked(number)
    amount = f"{minor // 100}.{minor % 100:02d}"
    return {
        "number": number,
        "revision": _FIRST_REVISION + _STEP * number,
        "journal": number // _PER_JOURNAL + 1,
        "line": number % _PER_JOURNAL + 1,
        "group": number // 500 + 1,
        "day": f"2025-12-{number // _PER_JOURNAL % 27 + 1:02d}",
        "engagement": number % 900,
        "account": account,
        "center": f"{number * 13 % 60 * 10 + 110:03d}",
        "debit": amount if on_debit else "0.00",
        "credit": "0.00" if on_debit else amount,
    }


def booked(number: int) -> tuple[str, int, bool]:
    """Account, amount and whether it is a debit. Two lines of a pair have the same amount, so that every journal balances."""
    return f"{1000 + number * 7 % _ACCOUNTS * 10}", (number // 2 * 7_919) % 4_999_900 + 100, number % 2 == 0


def totals(lines: int) -> dict[str, Any]:
    """What the lines come to: debits and credits by account."""
    sums: dict[tuple[str, str], int] = {}
    for number in range(lines):
        account, minor, on_debit = booked(number)
        key = account, "debit" if on_debit else "credit"
        sums[key] = sums.get(key, 0) + minor
    return result(lines, ((account, side, minor) for (account, side), minor in sums.items()))


def result(lines: int, sums: Iterable[tuple[str, str, int]]) -> dict[str, Any]:
    """How many lines, and in a few figures the sums by account and side that are not nothing."""
    return {"lines": lines, **summary(one for one in sums if one[2])}


def main(lines: int) -> None:
    world = World(Seed())
    listener = Listener(Queried(world.app, lines), LOOPBACK, 0)
    world.url = f"http://{LOOPBACK}:{listener.port}"
    facts = {"url": world.url, "info": world.info, "totals": totals(lines)}
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    listener.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
