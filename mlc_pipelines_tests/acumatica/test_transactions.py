"""Reading by batches while pages are lost, come twice, or somebody posts: whole, or a named error."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.ledger.errors import DataError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.company import Batch, Line
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Acumatica]
PAGE = r"GET .*JournalTransaction.*[$]expand=Details"
KEYS = r"GET .*JournalTransaction[?][$]select=Module,BatchNbr,LedgerID,PostPeriod,Status,CurrencyID,TransactionDate,LastModifiedDateTime&[$]filter"


@pytest.fixture
def ledger(connect: Connect) -> Iterator[Acumatica]:
    with connect(lines_from="transactions", page_batches=90) as opened:
        yield opened


def read(ledger: Acumatica, period: FiscalPeriod) -> pa.Table:
    return pa.Table.from_batches(ledger.read_posted(period))


def post(sandbox: Sandbox, period: FiscalPeriod) -> Batch:
    """One late journal of two lines."""
    lines = [Line(0, "6100", "010-000", "HQ", 4200, 0), Line(0, "1010", "010-000", "HQ", 0, 4200)]
    return sandbox.books.post("ACTUAL", period.key, "HQ", "Posted", "late", lines, now=datetime.now(UTC))


def posted(sandbox: Sandbox, period: FiscalPeriod) -> int:
    return len(sandbox.books.posted_lines("ACTUAL", period.key))


def replaced(pattern: str, text: str) -> dict[str, Any]:
    return {"kind": "replace", "pattern": pattern, "with": text}


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(
            {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": "[]"},
            id="empty-page",
        ),
        pytest.param(replaced(r"(?s)\A\[(.*)\]\Z", r"[\1,\1]"), id="page-twice"),
        pytest.param(
            replaced(r'"BatchNbr":\{"value":"AP\d+"\}', '"BatchNbr":{"value":"AP999999"}'), id="one-batch-exchanged"
        ),
    ],
)
def test_d04_a_page_amiss_is_asked_for_by_name(
    ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod, action: dict[str, Any]
) -> None:
    """What did not come exactly as announced is read once more by its keys; no line is lost or doubled."""
    fault = sandbox.traffic.plant({"match": PAGE, "action": action})
    if "AP999999" in str(action):
        with pytest.raises(DataError, match=r"AP AP999999 .*never stood in the list"):
            read(ledger, march)
    else:
        assert posted(sandbox, march) == len(read(ledger, march))
    assert 1 == fault.fired


def test_d04_batches_that_never_come_are_named(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Announced twice and never delivered: the load stops with their names."""
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": "[]"}
    sandbox.traffic.plant({"match": PAGE, "times": -1, "action": action})
    first = sandbox.books.batches_of("ACTUAL", march.key)[0]
    with pytest.raises(DataError, match=f"{first.module} {first.number}, .*did not come"):
        read(ledger, march)


def test_d01_batches_that_always_come_twice_are_named(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """A batch that stands twice in the list again and again is not counted once by guess."""
    sandbox.set_switches(acumatica={"repeat_batches": 2})
    with pytest.raises(DataError, match="stand twice in the list of batches"):
        read(ledger, march)


def test_d01_a_batch_posted_meanwhile_is_read_too(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Somebody posts while we read: the second reading of the keys finds it, and the period is whole."""
    batches = ledger.read_posted(march)
    first = next(batches)
    late = post(sandbox, march)
    lines = pa.Table.from_batches([first, *batches])
    assert posted(sandbox, march) == len(lines)
    assert f"GL {late.number}" in lines["batch"].to_pylist()


def test_d01_batches_posted_after_each_page_are_read_too(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod
) -> None:
    """The site inserts a batch after each of two answers: every line once, totals equal to the books."""
    sandbox.books.batches[:] = [one for one in sandbox.books.batches if one.period == march.key]
    sandbox.set_switches(acumatica={"meanwhile": "insert", "meanwhile_times": 2, "order": "scrambled"})
    with connect(lines_from="transactions", page_batches=40) as ledger:
        lines = read(ledger, march)
    assert posted(sandbox, march) == len(lines)
    truth = sum(one.debit_minor for one in sandbox.books.posted_lines("ACTUAL", march.key))
    assert truth == sum(lines["debit_minor"].to_pylist())
    assert 2 == sum(one.description == "Meanwhile" for one in sandbox.books.batches)


def test_d10_a_batch_changed_meanwhile_means_again(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """A batch that was re-coded after it was read makes the reading void, not wrong (D10)."""
    batches = ledger.read_posted(march)
    changed = next(batches)["batch"][0].as_py().split()[1]
    sandbox.books.recode(changed, 1, subaccount="020-000", now=datetime.now(UTC))
    with pytest.raises(TransientError, match=f"{changed} of FY2026-P03 changed"):
        list(batches)


def test_d02_a_batch_deleted_meanwhile_means_again(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """A batch that was read and is gone from the second list makes the reading void: its lines must not stay in the figures."""
    batches = ledger.read_posted(march)
    gone = next(batches)["batch"][0].as_py().split()[1]
    sandbox.books.batches.remove(sandbox.books.batch(gone))
    with pytest.raises(TransientError, match=f"{gone} of FY2026-P03 changed"):
        list(batches)


def test_posting_without_end_is_given_up(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Three rounds, then the period is left for later."""
    posts = (post(sandbox, march) for _ in ledger.read_posted(march))
    with pytest.raises(TransientError, match="still being posted to after 3 readings"):
        list(posts)


def test_a_foreign_currency_is_refused(ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Batches carry amounts in their own currency only, so another one than the ledger's cannot be read this way."""
    fault = {"match": KEYS, "action": replaced(r'"CurrencyID":\{"value":"USD"\}', '"CurrencyID":{"value":"EUR"}')}
    planted = sandbox.traffic.plant(fault)
    with pytest.raises(DataError, match=r"(?s)CurrencyID is 'EUR', expected was USD.*lines_from: inquiry"):
        read(ledger, march)
    assert 1 == planted.fired


@pytest.mark.parametrize(
    ("pattern", "text", "complaint"),
    [
        (r'"LineNbr":\{"value":2\}', '"LineNbr":{"value":1}', "line 1 twice"),
        (r'"LineNbr":\{"value":2\}', '"LineNbr":{}', "LineNbr is missing"),
        (r'"DebitAmount":\{"value":[\d.]+\}', '"DebitAmount":{"value":1.005}', "DebitAmount is refused: 1.005"),
        (r'"Account":\{"value":"\w+"\}', '"Account":{}', "Account is missing"),
        (r'"BranchID":\{"value":"HQ"\},"C', '"BranchID":{"value":"EAST"},"C', "BranchID is 'EAST'"),
        (r'"Status":\{"value":"Posted"\}', '"Status":{"value":"Balanced"}', "Status is 'Balanced'"),
        (r'"Details":', '"Lines":', "without its key or its lines"),
    ],
)
def test_a_line_that_cannot_be_is_named(
    ledger: Acumatica, sandbox: Sandbox, march: FiscalPeriod, pattern: str, text: str, complaint: str
) -> None:
    """Every line is checked; the message names the batch."""
    fault = sandbox.traffic.plant({"match": PAGE, "action": replaced(pattern, text)})
    with pytest.raises(DataError, match=complaint):
        read(ledger, march)
    assert 1 == fault.fired
