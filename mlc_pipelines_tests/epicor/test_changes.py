"""Changes: by row versions, each told once, and none lost that becomes visible late."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.epicor.changes import Cursor
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.ports import CHANGES
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Epicor]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def post(sandbox: Sandbox, period: str, **more: Any) -> str:
    """A journal in a period, wherever the clock stands; its name."""
    lines = [{"account": "6520", "dept": "420", "debit": "10.00"}, {"account": "2110", "credit": "10.00"}]
    said = httpx.post(f"{sandbox.url}/control/epicor/journals", json={"period": period, "lines": lines, **more})
    assert 200 == said.status_code, said.text
    return str(said.json()["journal"]) if "journal" in said.json() else str(said.json())


def test_nothing_changed_nothing_told(ledger: Epicor) -> None:
    """A look right after another finds nothing, though it looks a margin back."""
    cursor = ledger.cursor()
    for _ in range(3):
        found = ledger.read_changes(LONG_AGO, cursor)
        assert (CHANGES, 0) == (list(found.batches.columns), len(found.batches))
        cursor = found.cursor


def test_a_late_journal_is_told_once_with_its_period(ledger: Epicor, sandbox: Sandbox) -> None:
    """Back-dated into a closed period as well; changed_at is the day of posting, aware."""
    cursor = ledger.cursor()
    post(sandbox, "FY2026-P09")
    found = ledger.read_changes(LONG_AGO, cursor)
    assert ["FY2026-P09"] == found.batches["period"].tolist()
    assert found.batches["changed_at"][0].tzinfo is not None
    assert 0 == len(ledger.read_changes(LONG_AGO, found.cursor).batches)


def test_a_recoded_line_is_told(ledger: Epicor, sandbox: Sandbox) -> None:
    """A change of a posted line moves its version."""
    cursor = ledger.cursor()
    said = {"period": "FY2026-P03", "journal": "RV 13", "line": 1, "dept": "410"}
    assert 200 == httpx.post(f"{sandbox.url}/control/epicor/recode", json=said).status_code
    found = ledger.read_changes(LONG_AGO, cursor)
    assert [("RV 13", "FY2026-P03")] == list(zip(found.batches["batch"], found.batches["period"], strict=True))


def test_what_becomes_visible_late_is_not_lost(ledger: Epicor, sandbox: Sandbox) -> None:
    """A slow transaction got its versions before others that are seen already; the margin finds it, and the others are not told again."""
    cursor = ledger.cursor()
    slow, quick = post(sandbox, "FY2026-P11"), post(sandbox, "FY2026-P12")
    sandbox.set_switches(epicor={"uncommitted": [f"MAIN 2026 {slow}"]})
    first = ledger.read_changes(LONG_AGO, cursor)
    assert [(quick, "FY2026-P12")] == list(zip(first.batches["batch"], first.batches["period"], strict=True))
    sandbox.set_switches(epicor={"uncommitted": []})
    second = ledger.read_changes(LONG_AGO, first.cursor)
    assert [(slow, "FY2026-P11")] == list(zip(second.batches["batch"], second.batches["period"], strict=True))
    assert 0 == len(ledger.read_changes(LONG_AGO, second.cursor).batches)


def test_the_first_look_goes_by_the_day_of_posting(ledger: Epicor, sandbox: Sandbox) -> None:
    """Without a cursor: lines posted since, and a cursor for the next look; unposted ones and other books are left aside."""
    since = datetime(2026, 11, 1, tzinfo=UTC)
    found = ledger.read_changes(since)
    assert len(found.batches) > 10
    assert set(found.batches["period"]) <= {"FY2026-P11", "FY2026-P12", "FY2026-P13", "FY2027-P01", "FY2027-P02"}
    assert found.batches["changed_at"].min() >= datetime(2026, 10, 31, tzinfo=UTC)
    assert found.until >= since
    assert 0 == len(ledger.read_changes(since, found.cursor).batches)


def test_a_cursor_is_taken_before_anything_is_read(ledger: Epicor, sandbox: Sandbox) -> None:
    """What is posted while the first look reads is told by the second."""
    sandbox.traffic.plant(
        {
            "match": r"GLJrnDtls\?.*PostedDate ge",
            "action": {
                "kind": "control",
                "path": "/control/epicor/journals",
                "after": True,
                "body": {
                    "period": "FY2027-P01",
                    "lines": [
                        {"account": "6520", "dept": "420", "debit": "1.00"},
                        {"account": "2110", "credit": "1.00"},
                    ],
                },
            },
        }
    )
    first = ledger.read_changes(datetime(2026, 11, 1, tzinfo=UTC))
    again = ledger.read_changes(LONG_AGO, first.cursor)
    assert ["FY2027-P01"] == again.batches["period"].tolist()


@pytest.mark.parametrize("margin", [0, 5, 1000])
def test_any_margin_does(connect: Connect, sandbox: Sandbox, margin: int) -> None:
    """Nothing is told twice with a margin, and nothing that is visible is lost without."""
    with connect(revision_margin=margin) as ledger:
        cursor = ledger.cursor()
        told = []
        for period in ("FY2026-P11", "FY2026-P12"):
            post(sandbox, period)
            found = ledger.read_changes(LONG_AGO, cursor)
            told += found.batches["period"].tolist()
            cursor = found.cursor
    assert ["FY2026-P11", "FY2026-P12"] == told


@given(st.integers(0, 10**12), st.sets(st.integers(1, 1000), max_size=60))
def test_a_cursor_goes_there_and_back(mark: int, above: set[int]) -> None:
    """As text, in few characters."""
    cursor = Cursor(mark, frozenset(mark + one for one in above))
    assert cursor == Cursor.of(str(cursor))
    assert len(str(cursor)) < 280


@pytest.mark.parametrize("said", ["x", "-5", "5+", "5+g", "5 6", "1" * 30])
def test_a_cursor_that_is_none_of_ours(said: str) -> None:
    """Refused by name."""
    with pytest.raises(DataError, match="is not a cursor"):
        Cursor.of(said)
