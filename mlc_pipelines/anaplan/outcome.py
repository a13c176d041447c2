"""What a task says it did: its flags, its words, its counts, and the rows it refused."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.counts import FAILED, IGNORED, TAKEN, details_of, nested_in, row_counts
from mlc_pipelines.anaplan.dump import fetch_dump, read_dump
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.ledger.outcomes import ActionOutcome
from mlc_pipelines.ledger.ports import ImportOutcome


def read_outcome(api: Api, action: str, task: Mapping[str, Any]) -> ImportOutcome:
    """The outcome of an ended import task whose action path is given; its failure dump is fetched at once, for it does not last.

    A dump is kept per user and only for the latest failing task, and is gone after 48 h [S PM]. One that cannot be fetched or
    read is told in dump_problem; whether that is a failure is for the flow to say.
    """
    return _outcome(api, f"{action}/tasks/{task['taskId']}/dump", task, _result_of(task))


def read_steps(api: Api, action: str, label: str, task: Mapping[str, Any]) -> ActionOutcome:
    """The outcome of any ended task. A process: one step per nested result, each with its own dump [C JAVA; S HELP-procdump]."""
    result, place = _result_of(task), f"{action}/tasks/{task['taskId']}"
    if nested := nested_in(result):
        steps = [_outcome(api, f"{place}/dumps/{one.get('objectId')}", task, one) for one in nested]
    else:
        steps = [_outcome(api, f"{place}/dump", task, result)]
    return ActionOutcome(
        label, str(task.get("taskId")), str(task.get("taskState")), _done(result), messages_of(result), tuple(steps)
    )


def import_within(process: ActionOutcome, import_id: str, import_name: str) -> ImportOutcome:
    """Our import as the process ran it. successful: of the process as a whole; rows and dump: of the import alone.

    Anaplan has been seen to call a process unsuccessful only because steps ignored rows [C AUD4]; whether each step succeeded counts then.
    """
    beside = tuple(step for step in process.steps if step.object_id != import_id)
    found = [step for step in process.steps if step.object_id == import_id]
    if len(found) == 1:
        return replace(found[0], successful=process.successful, messages=process.messages, beside=beside)
    why = f"The import {import_name} (id {import_id}) {'ran more than once' if found else 'has not run'} within the {process.label}."
    return ImportOutcome(
        task=process.task,
        state=process.state,
        successful=False,
        rows_taken=None,
        rows_ignored=None,
        rows_failed=None,
        messages=(why, *process.messages),
        object_id=import_id,
        object_name=import_name,
        beside=beside,
    )


def _result_of(task: Mapping[str, Any]) -> Mapping[str, Any]:
    result = task.get("result")
    return result if isinstance(result, Mapping) else {}


def _outcome(api: Api, dump_place: str, task: Mapping[str, Any], result: Mapping[str, Any]) -> ImportOutcome:
    dump, refused, problem = None, pd.DataFrame(), ""
    if result.get("failureDumpAvailable"):
        try:
            dump = fetch_dump(api, dump_place)
            refused = read_dump(dump)
        except PipelineError as error:
            problem = error.what
    counts = row_counts(result)
    return ImportOutcome(
        task=str(task.get("taskId")),
        state=str(task.get("taskState")),
        successful=_successful(result),
        rows_taken=counts.get(TAKEN),
        rows_ignored=counts.get(IGNORED),
        rows_failed=counts.get(FAILED),
        messages=messages_of(result),
        refused=refused,
        dump=dump,
        dump_problem=problem,
        object_id=str(result.get("objectId") or ""),
        object_name=str(result.get("objectName") or ""),
    )


def _done(result: Mapping[str, Any]) -> bool:
    """Whether a task succeeded whole; of a process every step, its own flag being overruled where ignored rows explain it [C AUD4]."""
    nested = nested_in(result)
    if not nested or result.get("successful") is True:
        return _successful(result)
    ignored = any(row_counts(one).get(IGNORED) for one in nested)
    return ignored and all(_successful(one) for one in nested)


def _successful(result: Mapping[str, Any]) -> bool:
    """A result is only as good as every one nested in it."""
    return result.get("successful") is True and all(_successful(nested) for nested in nested_in(result))


def messages_of(result: Mapping[str, Any]) -> tuple[str, ...]:
    """What Anaplan says to people about a task; of its nested results those that failed are named by their object."""
    failed = [
        f"Step {nested.get('objectName') or 'without a name'} (id {nested.get('objectId')}) was not successful"
        for nested in nested_in(result)
        if not _successful(nested)
    ]
    own = [*failed] + [
        str(detail["localMessageText"]) for detail in details_of(result) if detail.get("localMessageText")
    ]
    return (*own, *(text for nested in nested_in(result) for text in messages_of(nested)))
