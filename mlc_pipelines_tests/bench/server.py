"""What the contenders ask, in a process of its own, so that its work is not counted as theirs.

    python -m mlc_pipelines_tests.bench.server canned LINES          the sandbox, with one inquiry answered from ready bytes,
                                                                     in the 15 fields that a load needs
    python -m mlc_pipelines_tests.bench.server documented LINES      the same, in all 22 fields of the documented answer
    python -m mlc_pipelines_tests.bench.server sandbox PERIOD LINES  the sandbox, with one period of so many lines

Prints one line of JSON once it answers, and ends when its standard input is closed.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.server import LOOPBACK, Sandbox
from mlc_pipelines.sandbox.world import Seed, World

INQUIRY = "AccountDetailsForPeriodInquiry"
_BLOCK = 256 << 10


@contextmanager
def served(*what: str, module: str = __name__) -> Iterator[dict[str, Any]]:
    """A server in its own process while the block runs; gives what it says about itself."""
    command = [sys.executable, "-m", module, *what]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the server has no pipes")
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


class Canned:
    """The sandbox's application, but for the one inquiry, whose answer is the same bytes every time."""

    def __init__(self, app: ASGIApp, body: bytes) -> None:
        self._app = app
        self._body = memoryview(body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(INQUIRY):
            await self._app(scope, receive, send)
            return
        # In chunks without a length, as the sandbox sends large answers.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        for at in range(0, len(self._body), _BLOCK):
            await send({"type": "http.response.body", "body": bytes(self._body[at : at + _BLOCK]), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def canned_answer(lines: int, *, all_fields: bool = False) -> tuple[bytes, dict[str, Any]]:
    """The posted lines of 032026 as the site wraps them, and what they add up to.

    19 keys and about 690 bytes a line; with all fields of the documented answer 26 keys and about 870 bytes, two of them empty.
    """
    totals = {"lines": lines, "debit_minor": 0, "credit_minor": 0}
    rows = []
    for number in range(lines):
        minor = (number // 2 * 7_919) % 4_999_900 + 100  # both lines of a pair, so that every batch balances
        debit, credit = (minor, 0) if number % 2 == 0 else (0, minor)
        totals["debit_minor"] += debit
        totals["credit_minor"] += credit
        line = _line(number, debit, credit)
        rows.append(_with_the_others(line, debit, credit) if all_fields else line)
    head = f'{{"id":"{_id(0)}","rowNumber":1,"note":null,"FromPeriod":{{"value":"032026"}},"ToPeriod":{{"value":"032026"}},'
    head += '"Ledger":{"value":"ACTUAL"},"Results":['
    return (head + ",".join(rows) + '],"custom":{}}').encode(), totals


def _line(number: int, debit: int, credit: int) -> str:
    batch, day = number // 8, number // 8 % 30 + 1
    account, center = 1000 + number * 7 % 400 * 10, number * 13 % 60 * 10 + 10
    at = f"2025-09-{day:02d}T{number % 24:02d}:{number % 60:02d}:07.{number % 1000:03d}+00:00"
    return (
        f'{{"id":"{_id(number)}","rowNumber":{number + 1},"note":null,"Account":{{"value":"{account}"}},'
        f'"BatchNumber":{{"value":"GL{batch:08d}"}},"Branch":{{"value":"{"HQ" if batch % 3 else "WEST"}"}},'
        f'"CreditAmountInBaseCurrency":{{"value":{_amount(credit)}}},"DebitAmountInBaseCurrency":{{"value":{_amount(debit)}}},'
        f'"LastModifiedDateTime":{{"value":"{at}"}},"Ledger":{{"value":"ACTUAL"}},"Module":{{"value":"GL"}},'
        f'"PeriodID":{{"value":"032026"}},"Posted":{{"value":true}},"RefNumber":{{"value":"INV-{number:07d}"}},'
        f'"Released":{{"value":true}},"Subaccount":{{"value":"{center:03d}-ADV"}},'
        f'"TransactionDate":{{"value":"2025-09-{day:02d}T00:00:00+00:00"}},'
        f'"TransactionDescription":{{"value":"Services rendered in Dépôt, engagement {number % 900:04d}"}},"custom":{{}}}}'
    )


def _with_the_others(line: str, debit: int, credit: int) -> str:
    """The seven fields that a load does not need, each in its place; two are empty in lines of the general ledger."""
    others = (
        ('"CreditAmountInBaseCurrency":', f'"CreditAmount":{{"value":{_amount(credit)}}},'),
        ('"DebitAmountInBaseCurrency":', '"Currency":{"value":"USD"},"CustomerVendor":{},'),
        ('"DebitAmountInBaseCurrency":', f'"DebitAmount":{{"value":{_amount(debit)}}},'),
        ('"RefNumber":', '"Project":{"value":"X"},"ProjectTask":{},'),
        ('"custom":', '"TransactionType":{"value":"GL Entry"},'),
    )
    for before, other in others:
        line = line.replace(before, other + before, 1)
    return line


def _id(number: int) -> str:
    return f"5f0c1a7e-3b1d-4c52-9b57-{number:012x}"


def _amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}00"


def _say(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def main(kind: str, *arguments: str) -> None:
    if kind == "sandbox":
        with Sandbox.start(lines_in=(arguments[0], int(arguments[1]))) as sandbox:
            _say({"url": sandbox.url, "info": sandbox.info})
        return
    body, totals = canned_answer(int(arguments[0]), all_fields=kind == "documented")
    world = World(Seed())
    listener = Listener(Canned(world.app, body), LOOPBACK, 0)
    world.url = f"http://{LOOPBACK}:{listener.port}"
    _say({"url": world.url, "info": world.info, "totals": totals, "bytes": len(body)})
    listener.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
