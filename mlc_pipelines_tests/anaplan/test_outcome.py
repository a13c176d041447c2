"""What an import says it did: read rightly or not at all, with the refused rows at hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.counts import row_counts
from mlc_pipelines.ledger.ports import ImportOutcome
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox

Plant = Callable[..., Fault]
WriteFile = Callable[..., Path]

IMPORT = "Load GL Actuals"
POLL = r"GET .*/imports/\d+/tasks/[0-9A-F]{32}$"
READABLE, UNREADABLE = ("values", "text", "other_keys", "nulls"), ("german", "none")


@pytest.fixture
def load(plan: Anaplan, write_file: WriteFile) -> Callable[[], ImportOutcome]:
    """Loads ten rows."""
    path = write_file(*(("A1010", f"CC_{number:02d}0", f"{number}.00") for number in range(1, 11)))
    return lambda: plan.import_file(IMPORT, path)


def counted(outcome: ImportOutcome) -> tuple[int | None, int | None, int | None]:
    return outcome.rows_taken, outcome.rows_ignored, outcome.rows_failed


@pytest.mark.parametrize("style", READABLE)
@pytest.mark.parametrize(("reject", "ignore"), [(0, 0), (2, 0), (0, [5]), ([1, 2], [5])])
def test_counts_that_can_be_read_are_right(
    load: Callable[[], ImportOutcome], sandbox: Sandbox, style: str, reject: Any, ignore: Any
) -> None:
    """In whatever keys or words; a count that is left out is not invented."""
    sandbox.set_switches(anaplan={"details_style": style, "reject_rows": reject, "ignore_rows": ignore})
    failed = reject if isinstance(reject, int) else len(reject)
    ignored = ignore if isinstance(ignore, int) else len(ignore)
    taken, said_ignored, said_failed = counted(load())
    assert 10 - failed - ignored == taken
    assert said_ignored in {ignored, None if ignored == 0 else ignored}
    assert said_failed in {failed, None if failed == 0 else failed}


@pytest.mark.parametrize("style", UNREADABLE)
def test_counts_that_cannot_be_read_are_none(load: Callable[[], ImportOutcome], sandbox: Sandbox, style: str) -> None:
    """Another language or no details: None, never a guess, although the task calls itself successful."""
    sandbox.set_switches(anaplan={"details_style": style, "reject_rows": 2, "ignore_rows": [5]})
    outcome = load()
    assert (None, None, None) == counted(outcome)
    assert 2 == len(outcome.refused)


@pytest.mark.parametrize(
    ("values", "text", "taken"),
    [
        ([None, None], "", None),
        (["successRowCount"], "", None),
        (["successRowCount", None], "Amount: 7 rows successful, 0 failed, 0 ignored", 7),
        (["successRowCount", "many"], "", None),
        ([None, "3", "ignoredCount", "0", "successRowCount", "9", None, None], "", 9),
        (None, None, None),
        ([], "Amount: 1,234 rows successful, 0 failed, 5 ignored", 1234),
        ([], "Employees: 90 (0/90) rows successful, 5 ignored ", 90),
    ],
)
def test_null_entries_are_read_over(values: Any, text: Any, taken: int | None) -> None:
    """Entries may be null, cut or in any order; the vendor's own samples included."""
    details = [None, {"type": "lineItemRowsProcessed", "values": values, "localMessageText": text}]
    assert taken == row_counts({"details": details}).get("taken")


def test_several_line_items_claim_only_what_holds_for_all() -> None:
    """A row is taken when every one of its values was."""
    details = [
        {"type": "lineItemRowsProcessed", "values": ["successRowCount", "10", "failedCount", "0", "ignoredCount", "0"]},
        {
            "type": "lineItemRowsProcessedWithFailures",
            "values": ["successRowCount", "8", "failedCount", "2", "ignoredCount", "0"],
        },
    ]
    assert (8, 2) == (row_counts({"details": details})["taken"], row_counts({"details": details})["failed"])


def test_E10_complete_and_not_successful(load: Callable[[], ImportOutcome], sandbox: Sandbox) -> None:
    """There is no state FAILED: the flag and the words say it."""
    sandbox.set_switches(anaplan={"import_ends": "UNSUCCESSFUL", "failed_step": "Failed.", "object_name": False})
    outcome = load()
    assert ("COMPLETE", False, None) == (outcome.state, outcome.successful, outcome.rows_taken)
    assert ("The import failed.",) == outcome.messages


def test_E11_successful_and_rows_ignored(load: Callable[[], ImportOutcome], sandbox: Sandbox) -> None:
    """COMPLETE, successful, no dump, five rows ignored, as in the vendor's sample: only the counts tell."""
    sandbox.set_switches(anaplan={"ignore_rows": 5})
    outcome = load()
    assert ("COMPLETE", True, None) == (outcome.state, outcome.successful, outcome.dump)
    assert (5, 5, 0) == counted(outcome)


def test_E13_a_nested_result_that_failed_is_named(load: Callable[[], ImportOutcome], plant: Plant) -> None:
    """A whole is only as good as its parts, whatever its own flag says."""
    nested = '"nestedResults":[{"objectId":"112000000007","successful":false,"failureDumpAvailable":false,"details":null}],"successful":true'
    fault = plant(POLL, times=-1, kind="replace", pattern='"successful":true', **{"with": nested})
    outcome = load()
    assert fault.fired >= 1
    assert not outcome.successful
    assert any("112000000007" in message for message in outcome.messages)


def test_refused_rows_come_with_line_and_reason(plan: Anaplan, write_file: WriteFile) -> None:
    """Fetched in the same step: the columns of the file, the line in it, all messages; codes stay text."""
    path = write_file(("A1010", "CC_010", "1.00"), ("A0009", "CC_999", "2.00"), ("A0010", "CC_010", "x", "Sept 25"))
    outcome = plan.import_file(IMPORT, path)
    assert (1, 0, 2) == counted(outcome)
    assert ["A0009", "A0010"] == outcome.refused["Account"].tolist()
    assert ["3", "4"] == outcome.refused["line"].tolist()
    assert ["E", "E"] == outcome.refused["status"].tolist()
    reasons = outcome.refused["reason"].tolist()
    assert "A0009" in reasons[0]
    assert "CC_999" in reasons[0]
    assert "Sept 25" in reasons[1]
    assert outcome.dump is not None


@pytest.mark.parametrize("chunk_bytes", [3, 50])
def test_a_dump_in_many_chunks_keeps_its_letters(
    load: Callable[[], ImportOutcome], sandbox: Sandbox, chunk_bytes: int
) -> None:
    """A border may fall inside a character."""
    sandbox.set_switches(
        anaplan={"reject_rows": 2, "reject_message": "Unzulässig: 旅費交通費", "dump_chunk_bytes": chunk_bytes}
    )
    assert ["Unzulässig: 旅費交通費"] * 2 == load().refused["reason"].tolist()


@pytest.mark.parametrize("fetch", ["404", "500"])
def test_E14_a_dump_that_cannot_be_had_hides_nothing(
    load: Callable[[], ImportOutcome], sandbox: Sandbox, fetch: str
) -> None:
    """The counts stay; that the list is missing is said beside them."""
    sandbox.set_switches(anaplan={"reject_rows": 2, "dump_fetch": fetch})
    outcome = load()
    assert (8, 0, 2) == counted(outcome)
    assert outcome.dump is None
    assert fetch in outcome.dump_problem


def test_E14_a_dump_cut_once_is_read_again(load: Callable[[], ImportOutcome], sandbox: Sandbox, plant: Plant) -> None:
    """Nothing of the cut one is used."""
    sandbox.set_switches(anaplan={"reject_rows": 2})
    fault = plant("GET .*/dump/chunks/0$", kind="truncate", keep=0.5)
    assert 2 == len(load().refused)
    assert 1 == fault.fired


@pytest.mark.parametrize(
    ("match", "body"),
    [
        ("GET .*/dump/chunks\\?", '{"status":{"code":200}}'),
        ("GET .*/dump/chunks/0$", '{"task":{"taskId":"1"}}'),
        ("GET .*/dump/chunks/0$", '"_Status_","Account"\n"E","A1","more","and more"\n'),
        ("GET .*/dump/chunks/0$", "<html><body>Sign in</body></html>"),
    ],
)
def test_E14_a_dump_of_another_shape_is_told(
    load: Callable[[], ImportOutcome], sandbox: Sandbox, plant: Plant, match: str, body: str
) -> None:
    """Announced and empty, or something else in its place: the outcome stays readable and names the problem."""
    sandbox.set_switches(anaplan={"reject_rows": 2})
    plant(match, times=-1, kind="status", status=200, body=body)
    outcome = load()
    assert (8, 0, 2) == counted(outcome)
    assert outcome.dump_problem
    assert outcome.refused.empty


def test_a_second_run_does_not_show_the_rows_of_the_first(plan: Anaplan, sandbox: Sandbox, three_rows: Path) -> None:
    """Each outcome is of its own task only."""
    sandbox.set_switches(anaplan={"reject_rows": 2})
    first = plan.import_file(IMPORT, three_rows)
    sandbox.set_switches(anaplan={"reject_rows": 0})
    second = plan.import_file(IMPORT, three_rows)
    assert (2, 0) == (len(first.refused), len(second.refused))
    assert (3, 0, 0) == counted(second)
