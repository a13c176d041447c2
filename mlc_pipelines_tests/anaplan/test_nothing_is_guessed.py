"""Where an answer contradicts itself, or says less than it seems to, it is not used: doubt is told, never filled in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.counts import row_counts
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request

Calls = Callable[[str], list[Request]]
Plant = Callable[..., Fault]
WriteFile = Callable[..., Path]

IMPORT = "Load GL Actuals"
ROWS = "lineItemRowsProcessed"


def told(text: str = "", *values: str | None, kind: str = ROWS) -> dict[str, int]:
    return row_counts({"details": [{"type": kind, "localMessageText": text, "values": list(values)}]})


def test_E11_the_vendors_sample_shows_5_ignored_rows_of_95() -> None:
    """COMPLETE, successful, no dump: only the counts say that five rows are missing. Keys in any order [S PM]."""
    values = ("ignoredCount", "5", "hierarchyName", "Employees", "successRowCount", "90", "totalRowCount", "95")
    counts = told("Employees: 90 (0/90) rows successful, 5 ignored ", *values, kind="hierarchyRowsProcessed")
    assert (90, 5, 0) == (counts["taken"], counts["ignored"], counts["failed"])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(
            ("successRowCount", "6", "failedCount", "1", "ignoredCount", "2", "totalRowCount", "10"), id="less"
        ),
        pytest.param(
            ("successRowCount", "9", "failedCount", "1", "ignoredCount", "2", "totalRowCount", "10"), id="more"
        ),
        pytest.param(("successRowCount", "12", "failedCount", "0", "totalRowCount", "10"), id="beyond-the-total"),
    ],
)
def test_counts_that_contradict_their_total_are_no_counts(values: tuple[str, ...]) -> None:
    """Rows that do not add up say nothing about the rows taken."""
    assert {} == told("", *values)


@pytest.mark.parametrize("key", ["unsuccessfulRows", "rowsNotLoaded", "notLoadedCount"])
def test_a_key_that_only_sounds_like_success_is_none(key: str) -> None:
    """Unknown keys are read by their wording, and a negation in it counts."""
    assert "taken" not in told("", key, "7")


def test_thousands_are_read_whole() -> None:
    """1,234 is not 234."""
    assert {"taken": 1234, "failed": 0, "ignored": 12000} == told("A: 1,234 rows successful, 0 failed, 12,000 ignored")


@pytest.mark.parametrize(
    "text", ["Betrag: 95 Zeilen erfolgreich, 3 ignoriert", "Betrag: 1.234 Zeilen", "Amount: no rows", ""]
)
def test_a_text_that_can_be_read_in_two_ways_is_not_read(text: str) -> None:
    """Another language is understood only where nothing but the first number counts anything."""
    assert {} == told(text)


def test_an_import_checks_the_header_of_the_very_file_it_sends(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, write_file: WriteFile
) -> None:
    """Whatever was checked before: two columns changed places, and not a byte goes up."""
    path = write_file(("A1010", "CC_010", "1.00"), header=("Account", "Period", "Cost Center", "Version", "Amount"))
    with pytest.raises(SetupError, match=r"does not fit our file.*'Cost Center'.*'Period'"):
        plan.import_file(IMPORT, path)
    assert [] == calls("PUT |POST .*/(files|tasks)")
    assert [] == sandbox.tenant.log()["actions"]


def test_E14_an_announced_dump_without_content_is_a_missing_one(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path
) -> None:
    """Nothing to read is not the same as nothing refused: no dump is handed on, and the reason stands beside the counts."""
    sandbox.set_switches(anaplan={"reject_rows": 1})
    empty: dict[str, Any] = {"pattern": r'"totalSize":\d+(.*),"chunks":\[.*\]', "with": r'"totalSize":0\g<1>'}
    fault = plant(r"GET .*/dump/chunks\?", times=-1, kind="replace", **empty)
    outcome = plan.import_file(IMPORT, three_rows)
    assert fault.fired
    assert (None, 1, True) == (outcome.dump, outcome.rows_failed, outcome.refused.empty)
    assert "lists nothing, although refused rows were announced" in outcome.dump_problem


def test_D04_an_entry_that_comes_twice_spoils_the_list(plan: Anaplan, plant: Plant) -> None:
    """A page served twice would double members without a word."""
    twice = {"pattern": r'"id":"202000000002"', "with": '"id":"202000000001"'}
    fault = plant(r"GET .*/items\?", times=-1, kind="replace", **twice)
    with pytest.raises(TransientError, match="sent an entry twice"):
        plan.read_members("Cost Centers")
    assert fault.fired
