"""Reading by batches while colleagues post, re-code and move journals between any two calls: every line once, to the cent."""

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.ledger.errors import TransientError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod
from mlc_pipelines.ledger.journal import sum_lines
from mlc_pipelines.sandbox.company import Batch, Books, Line
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Acumatica]
YEAR = [f"FY2026-P{number:02d}" for number in range(1, 13)]
TRIES = 5


def read_whole(ledger: Acumatica, period: FiscalPeriod) -> pa.Table:
    """As a scheduler does: again, when somebody changed what had been read already."""
    for _ in range(TRIES - 1):
        try:
            return pa.Table.from_batches(ledger.read_posted(period))
        except TransientError:
            continue
    return pa.Table.from_batches(ledger.read_posted(period))


def require_truth(sandbox: Sandbox, period: FiscalPeriod, lines: pa.Table) -> None:
    """Each posted line stands there once, and account, subaccount and branch add up to what the books say now."""
    posted = [one for one in sandbox.books.batches_of("ACTUAL", period.key) if one.status == "Posted"]
    wanted = Counter((f"{one.module} {one.number}", line.number) for one in posted for line in one.lines)
    assert wanted == Counter(zip(lines["batch"].to_pylist(), lines["line"].to_pylist(), strict=True))
    truth = [row for row in sandbox.books.truth("ACTUAL", period.key) if row.debit_minor or row.credit_minor]
    sums = sum_lines(lines, ["account", "subaccount", "branch"])
    columns = ["account", "subaccount", "branch", "debit_minor", "credit_minor"]
    assert [tuple(row) for row in truth] == [tuple(row) for row in sums[columns].itertuples(index=False)]


def fill(books: Books, period: str, batches: int, lines: int) -> None:
    """So many more posted journals of so many lines each."""
    first = 1 + max(int(one.number[2:]) for one in books.batches if one.module == "GL")
    sample = books.batches_of("ACTUAL", period)[0]
    half = lines // 2
    for number in range(first, first + batches):
        booked = [
            Line(
                at + 1, "6100", f"{at % 12 + 1:02d}0-ADV", "HQ", *((700 + at, 0) if at < half else (0, 700 + at - half))
            )
            for at in range(2 * half)
        ]
        note, name = str(uuid.UUID(int=number)), f"GL{number:06d}"
        books.batches.append(
            Batch(
                "GL", name, "ACTUAL", "HQ", period, sample.date, "Posted", "", sample.currency, sample.created_at,
                sample.modified_at, False, None, booked, note,
            )
        )  # fmt: skip
    books.batches.sort(key=lambda one: one.sort_key)


@pytest.mark.parametrize("parallel", [1, 3])
def test_d01_posting_between_calls_is_read_over(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, parallel: int
) -> None:
    """Rows in another order at each call; before every third one somebody posts in this period, posts beside it, or re-codes beside it."""
    sandbox.set_switches(acumatica={"order": "scrambled", "busy_every": 3})
    with connect(lines_from="transactions", page_batches=60, sessions=3, parallel=parallel) as ledger:
        lines = pa.Table.from_batches(ledger.read_posted(march))
    require_truth(sandbox, march, lines)
    assert sandbox.site.busy_calls >= 6


def test_d10_what_is_changed_after_it_was_read_is_never_read_wrong(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod
) -> None:
    """Re-coding and moving in the very period makes a reading void at most; the one that ends has the truth."""
    sandbox.set_switches(acumatica={"order": "scrambled", "busy_every": 5, "busy_deeds": ["change", "move", "insert"]})
    with connect(lines_from="transactions", page_batches=60) as ledger:
        require_truth(sandbox, march, read_whole(ledger, march))
    assert sandbox.site.busy_calls >= 10


@pytest.mark.prove
@pytest.mark.parametrize(
    "said",
    [
        {"busy_every": 4},
        {"busy_every": 11, "busy_deeds": ["change", "insert", "move", "insert beside", "change beside", "move beside"]},
    ],
    ids=["posting", "everything"],
)
def test_d01_d02_d10_a_year_of_100_000_lines(
    connect: Connect, sandbox: Sandbox, calendar: FiscalCalendar, said: dict[str, Any]
) -> None:
    """Twelve periods, read in three sessions at once, while others work: each equals the books at its end, each line once."""
    for key in YEAR:
        fill(sandbox.books, key, 100, 76)
    assert 100_000 <= sum(len(sandbox.books.posted_lines("ACTUAL", key)) for key in YEAR)
    sandbox.set_switches(acumatica={"order": "scrambled", **said})
    read = 0
    with connect(lines_from="transactions", page_batches=50, sessions=3, parallel=3) as ledger:
        for key in YEAR:
            lines = read_whole(ledger, calendar.period(key))
            require_truth(sandbox, calendar.period(key), lines)
            read += len(lines)
    assert read >= 100_000
    assert sandbox.site.busy_calls // said["busy_every"] >= 8
