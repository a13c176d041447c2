"""What happens when others cross our way, and when a run is given up half-way: no guess, no half file, nothing left unsaid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.errors import TransientError, UncertainError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]

IMPORT, EXPORT = "Load GL Actuals", "Export GL Actuals"
START, TASKS = r"POST .*/imports/\d+/tasks$", r"GET .*/imports/\d+/tasks\?"
POLL = r"GET .*/imports/\d+/tasks/[0-9A-F]{32}"
CHUNKS = r"GET .*/files/116\d+/chunks"


def test_A04_of_two_tasks_that_appeared_neither_is_taken_for_ours(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, hands: Any, calls: Calls, three_rows: Path
) -> None:
    """Both have run to their end and either would do as an outcome; which one is ours is still not known."""
    plant(START, kind="reset", after=True)
    plant(TASKS, skip=1, kind="status", status=503)
    hands.meanwhile.append(lambda: sandbox.tenant.foreign_task(0.01))
    with pytest.raises(UncertainError, match="2 tasks appeared at once") as caught:
        plan.import_file(IMPORT, three_rows)
    assert all(task["task"] in caught.value.what for task in sandbox.tenant.log()["actions"])
    assert 1 == len(calls(START))


def test_A17_the_end_of_another_task_is_not_the_end_of_ours(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path
) -> None:
    """An answer about another task, complete and successful, does not end the watch."""
    other = '{"task":{"taskId":"0BAD","taskState":"COMPLETE","result":{"successful":true}}}'
    fault = plant(POLL, kind="status", status=200, body=other, headers={"content-type": "application/json"})
    outcome = plan.import_file(IMPORT, three_rows)
    assert 1 == fault.fired
    assert ([outcome.task], 3) == ([task["task"] for task in sandbox.tenant.log()["actions"]], outcome.rows_taken)


def test_a_stopped_run_names_the_task_that_it_left_behind(
    connect: Connect, sandbox: Sandbox, hands: Any, calls: Calls, three_rows: Path
) -> None:
    """Ctrl-C while an import runs: the token is ended, the task goes on in Anaplan, and the person is told which."""
    sandbox.set_switches(anaplan={"task_seconds": 100.0})

    def stop() -> None:
        raise KeyboardInterrupt

    hands.meanwhile.append(stop)
    with pytest.raises(KeyboardInterrupt) as caught, connect() as plan:
        plan.import_file(IMPORT, three_rows)
    [task] = sandbox.tenant.log()["actions"]
    assert f"Task {task['task']} of the import {IMPORT} was left running in Anaplan." == caught.value.__notes__[0]
    assert 1 == len(calls("POST /token/logout"))


def test_a_stopped_export_leaves_no_half_file(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, hands: Any, three_rows: Path, tmp_path: Path
) -> None:
    """Ctrl-C between two chunks: neither a file of the asked name nor a piece under another one."""
    plan.import_file(IMPORT, three_rows)
    sandbox.set_switches(anaplan={"export_chunk_bytes": 40, "task_seconds": 0.0})
    fault = plant(f"{CHUNKS}/1$", kind="status", status=503)  # the pause before this chunk is asked for again
    before = sorted(tmp_path.iterdir())

    def stop() -> None:
        if fault.fired:
            assert len(list(tmp_path.iterdir())) > len(before)
            raise KeyboardInterrupt
        hands.meanwhile.append(stop)

    hands.meanwhile.append(stop)
    with pytest.raises(KeyboardInterrupt):
        plan.export_file(EXPORT, tmp_path / "export.csv")
    assert before == sorted(tmp_path.iterdir())


def test_F01_a_file_of_another_size_after_the_last_chunk_is_exported_again(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, calls: Calls, three_rows: Path, tmp_path: Path
) -> None:
    """The chunks are listed once more after the last one: a list that has grown says that the file is another one by now."""
    plan.import_file(IMPORT, three_rows)
    more = {"pattern": r'"totalSize":1(.*)("chunks":\[.*)\]', "with": r'"totalSize":2\g<1>\g<2>,{"id":"1"}]'}
    fault = plant(rf"{CHUNKS}\?", skip=1, kind="replace", **more)
    plan.export_file(EXPORT, tmp_path / "export.csv")
    assert 1 == fault.fired
    assert 2 == len(calls(r"POST .*/exports/\d+/tasks$"))


def test_F02_a_list_of_chunks_shorter_than_the_file_is_not_used(
    plan: Anaplan, plant: Plant, three_rows: Path, tmp_path: Path
) -> None:
    """The list of files counts more chunks than the list of chunks has: the end of the file is missing."""
    plan.import_file(IMPORT, three_rows)
    count = {"pattern": r'("id":"116000000001"[^}]*?"chunkCount":)\d+', "with": r"\g<1>4"}
    fault = plant(r"GET .*/files\?", times=-1, kind="replace", **count)
    with pytest.raises(TransientError, match="has 4 chunks, but 1 were listed"):
        plan.export_file(EXPORT, tmp_path / "export.csv")
    assert fault.fired
    assert not (tmp_path / "export.csv").exists()


@pytest.mark.parametrize("process", ["", "Nightly GL Actuals"])
def test_P12_a_task_of_our_import_that_still_waits_in_line_counts_as_busy(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, hands: Any, process: str
) -> None:
    """The model itself says that it is free; the import, or process, about to be used has a task that has not ended."""
    plan.require_import(IMPORT, ["Account", "Cost Center", "Period", "Version", "Amount"], process=process)
    kind = "processes" if process else "imports"
    sandbox.tenant.foreign_task(0.0, kind=kind, action=process or IMPORT)
    waiting = {"pattern": '"taskState":"COMPLETE"', "with": '"taskState":"NOT_STARTED"'}
    fault = plant(TASKS.replace("imports", kind), times=2, kind="replace", **waiting)
    plan.wait_until_free()
    assert (2, 2) == (fault.fired, len(hands.slept))
