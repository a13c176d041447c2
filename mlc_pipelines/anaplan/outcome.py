"""What an import says it did. Counts are read defensively: their keys for module imports are recorded nowhere, and texts vary by language."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.dump import fetch_dump, read_dump
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.ledger.ports import ImportOutcome

Counts = dict[str, int]

_COUNTED = ("lineItemRowsProcessed", "hierarchyRowsProcessed", "usersRowsProcessed", "versionsRowsProcessed")
_TAKEN, _IGNORED, _FAILED, _TOTAL = "taken", "ignored", "failed", "total"
_ROWS = (_TAKEN, _IGNORED, _FAILED)
# Exact names first [S PM, C JAVA fixtures: list imports]; a row taken with a warning was not taken whole, so it counts as failed.
_KEYS = {
    "successRowCount": _TAKEN,
    "ignoredCount": _IGNORED,
    "failedCount": _FAILED,
    "warningsRowCount": _FAILED,
    "totalRowCount": _TOTAL,
}
# Then what a key of another wording most plainly says.
_WORDING = {
    _TAKEN: r"(?<!un)success|(?<!not)loaded",
    _IGNORED: r"ignor|skip",
    _FAILED: r"fail|reject|refus|unsuccess|notloaded",
    _TOTAL: r"total",
}
_NUMBER = r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(?![\d])"
_TEXT = {
    _TAKEN: rf"{_NUMBER}(?: \(\d+/\d+\))? (?:rows?|cells?)(?: were)? successful",
    _IGNORED: rf"{_NUMBER}(?: (?:rows?|cells?))?(?: were)? ignored",
    _FAILED: rf"{_NUMBER}(?: (?:rows?|cells?))? failed",
}


def read_outcome(api: Api, action: str, task: Mapping[str, Any]) -> ImportOutcome:
    """The outcome of an ended import task whose action path is given; its failure dump is fetched at once, for it does not last.

    A dump is kept per user and only for the latest failing task, and is gone after 48 h [S PM]. One that cannot be fetched or
    read is told in dump_problem; whether that is a failure is for the flow to say.
    """
    result = task.get("result")
    result = result if isinstance(result, Mapping) else {}
    dump, refused, problem = None, pd.DataFrame(), ""
    if result.get("failureDumpAvailable"):
        try:
            dump = fetch_dump(api, f"{action}/tasks/{task['taskId']}/dump")
            refused = read_dump(dump)
        except PipelineError as error:
            problem = error.what
    counts = row_counts(result)
    return ImportOutcome(
        task=str(task.get("taskId")),
        state=str(task.get("taskState")),
        successful=_successful(result),
        rows_taken=counts.get(_TAKEN),
        rows_ignored=counts.get(_IGNORED),
        rows_failed=counts.get(_FAILED),
        messages=messages_of(result),
        refused=refused,
        dump=dump,
        dump_problem=problem,
    )


def _successful(result: Mapping[str, Any]) -> bool:
    """A result is only as good as every one nested in it."""
    return result.get("successful") is True and all(_successful(nested) for nested in _nested(result))


def messages_of(result: Mapping[str, Any]) -> tuple[str, ...]:
    """What Anaplan says to people about a task; of its nested results those that failed are named by their object."""
    failed = [
        f"Step {nested.get('objectName') or 'without a name'} (id {nested.get('objectId')}) was not successful"
        for nested in _nested(result)
        if not _successful(nested)
    ]
    own = [*failed] + [str(detail["localMessageText"]) for detail in _details(result) if detail.get("localMessageText")]
    return (*own, *(text for nested in _nested(result) for text in messages_of(nested)))


def row_counts(result: Mapping[str, Any]) -> Counts:
    """Rows taken, ignored and failed (and the total, where given), as far as they can be read; empty when the rows taken cannot.

    With several line items each has its own detail: the fewest taken and the most ignored and failed are what the rows as a
    whole can claim. With one value column the cells of its line item are the rows. Nested results are added up.
    """
    read = [_settled(detail) for detail in _details(result) if str(detail.get("type", "")).startswith(_COUNTED)]
    nested = [row_counts(one) for one in _nested(result)]
    own = _over_line_items(read)
    if not nested:
        return own
    parts = [*nested, own] if read else nested
    return _summed(parts)


def _details(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [detail for detail in result.get("details") or [] if isinstance(detail, Mapping)]


def _nested(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [nested for nested in result.get("nestedResults") or [] if isinstance(nested, Mapping)]


def _over_line_items(read: list[Counts]) -> Counts:
    if not read or any(_TAKEN not in counts for counts in read):
        return {}
    claims = {_TAKEN: min(counts[_TAKEN] for counts in read)}
    return claims | {name: max(counts[name] for counts in read) for name in (_IGNORED, _FAILED) if _in_all(name, read)}


def _summed(parts: list[Counts]) -> Counts:
    if not _in_all(_TAKEN, parts):
        return {}
    return {name: sum(counts[name] for counts in parts) for name in _ROWS if _in_all(name, parts)}


def _in_all(name: str, parts: Iterable[Counts]) -> bool:
    return all(name in counts for counts in parts)


def _settled(detail: Mapping[str, Any]) -> Counts:
    """The counts of one detail; completed from the total where one is missing, empty where they contradict their total."""
    counts = _one_count(detail)
    missing = [name for name in _ROWS if name not in counts]
    if _TOTAL not in counts or len(missing) > 1:
        return counts
    left = counts[_TOTAL] - sum(counts[name] for name in _ROWS if name in counts)
    if left < 0 or (left and not missing):
        return {}
    return {**counts, missing[0]: left} if missing else counts


def _one_count(detail: Mapping[str, Any]) -> Counts:
    """From the flat list key, value, key, value ... in no fixed order, with nulls [C JAVA TaskResultDetail]; what it lacks, from the text."""
    values = detail.get("values")
    flat = values if isinstance(values, list) else []
    pairs = [(key, value) for key, value in zip(flat[::2], flat[1::2], strict=False) if isinstance(key, str)]
    counts = _by_name(pairs) or _by_wording(pairs)
    return _by_text(str(detail.get("localMessageText") or ""), str(detail.get("type"))) | counts


def _by_name(pairs: list[tuple[str, Any]]) -> Counts:
    counts: Counts = {}
    for key, value in pairs:
        if (number := _number(value)) is not None and key in _KEYS:
            counts[_KEYS[key]] = counts.get(_KEYS[key], 0) + number
    return counts


def _by_wording(pairs: list[tuple[str, Any]]) -> Counts:
    """Keys of another wording, each meaning only where exactly one key says it."""
    counts: Counts = {}
    for meaning, pattern in _WORDING.items():
        values = [value for key, value in pairs if re.search(pattern, key, re.IGNORECASE)]
        if len(values) == 1 and (number := _number(values[0])) is not None:
            counts[meaning] = number
    return counts


def _by_text(text: str, kind: str) -> Counts:
    """English words; in another language the first number, where the type says that nothing failed and every other number is 0.

    en_US is the only language a task can be started in [S PM]; the type `lineItemRowsProcessed` comes without failures [S APIMD].
    """
    matches = {meaning: re.search(pattern, text) for meaning, pattern in _TEXT.items()}
    if counts := {meaning: int(match[1].replace(",", "")) for meaning, match in matches.items() if match}:
        return counts
    numbers = [int(digits) for digits in re.findall(r"(?<![\w.,])\d+(?![\w.,/]\d)", text.rpartition(":")[2])]
    if kind == _COUNTED[0] and numbers and not any(numbers[1:]):
        return {_TAKEN: numbers[0]}
    return {}


def _number(value: Any) -> int | None:
    """Only a written number is believed; null says nothing."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None
