"""What an import says it did. Counts are read defensively: their keys for module imports are recorded nowhere, and texts vary by language."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.ledger.ports import ImportOutcome

_COUNTED = ("lineItemRowsProcessed", "hierarchyRowsProcessed", "usersRowsProcessed", "versionsRowsProcessed")
_TAKEN, _IGNORED, _FAILED = "taken", "ignored", "failed"
# Exact names first [S PM, C JAVA fixtures: list imports]; then what a key of another wording most plainly says.
_KEYS = {"successRowCount": _TAKEN, "ignoredCount": _IGNORED, "failedCount": _FAILED}
_WORDING = {_TAKEN: r"success|loaded", _IGNORED: r"ignor|skip", _FAILED: r"fail|reject|refus"}
_TEXT = {_TAKEN: r"(\d+)(?: \(\d+/\d+\))? rows successful", _IGNORED: r"(\d+) ignored", _FAILED: r"(\d+) failed"}


def read_outcome(api: Api, action: str, task: Mapping[str, Any]) -> ImportOutcome:
    """The outcome of an ended import task whose action path is given; its failure dump is fetched at once, for it does not last.

    A dump is kept per user and only for the latest failing task, and is gone after 48 h [S PM]. One that cannot be fetched is
    told in dump_problem; whether that is a failure is for the flow to say.
    """
    result = task.get("result") or {}
    details = [detail for detail in result.get("details") or [] if isinstance(detail, Mapping)]
    dump, problem = b"", ""
    if result.get("failureDumpAvailable"):
        try:
            dump = fetch_dump(api, f"{action}/tasks/{task['taskId']}/dump")
        except PipelineError as error:
            problem = error.what
    counts = row_counts(details)
    return ImportOutcome(
        task=str(task.get("taskId")),
        state=str(task.get("taskState")),
        successful=result.get("successful") is True,
        rows_taken=counts.get(_TAKEN),
        rows_ignored=counts.get(_IGNORED),
        rows_failed=counts.get(_FAILED),
        messages=tuple(str(detail.get("localMessageText")) for detail in details if detail.get("localMessageText")),
        refused=read_dump(dump) if dump else pd.DataFrame(),
        dump=dump or None,
        dump_problem=problem,
    )


def row_counts(details: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Rows taken, ignored and failed, as far as they can be read; empty when nothing can.

    With several line items each has its own detail: the fewest taken and the most failed are what the rows as a whole can claim.
    """
    read = [_one_count(detail) for detail in details if str(detail.get("type", "")).startswith(_COUNTED)]
    if not read or any(_TAKEN not in counts for counts in read):
        return {}
    return {
        _TAKEN: min(counts[_TAKEN] for counts in read),
        _IGNORED: max(counts.get(_IGNORED, 0) for counts in read),
        _FAILED: max(counts.get(_FAILED, 0) for counts in read),
    }


def _one_count(detail: Mapping[str, Any]) -> dict[str, int]:
    """From the flat list key, value, key, value ... in no fixed order, with nulls [C JAVA TaskResultDetail]; else from the text."""
    flat = detail.get("values") or []
    pairs = dict(zip(flat[::2], flat[1::2], strict=False))
    named = {meaning: _number(pairs[key]) for key, meaning in _KEYS.items() if key in pairs}
    worded = {} if named else _by_wording(pairs)
    found = {meaning: number for meaning, number in (named or worded).items() if number is not None}
    if _TAKEN in found:
        return found
    text = str(detail.get("localMessageText", ""))
    matches = {meaning: re.search(pattern, text) for meaning, pattern in _TEXT.items()}
    return found | {meaning: int(match[1]) for meaning, match in matches.items() if match}


def _by_wording(pairs: Mapping[Any, Any]) -> dict[str, int | None]:
    """Keys of another wording, each meaning only where exactly one key says it."""
    read: dict[str, int | None] = {}
    for meaning, pattern in _WORDING.items():
        keys = [key for key in pairs if isinstance(key, str) and re.search(pattern, key, re.IGNORECASE)]
        if len(keys) == 1:
            read[meaning] = _number(pairs[keys[0]])
    return read


def _number(value: Any) -> int | None:
    """A count; null stands for none counted [C JAVA: entries may be null]... but only a written number is believed for rows taken."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def fetch_dump(api: Api, place: str) -> bytes:
    """All chunks of a failure dump as one byte string, so that a character cut by a chunk border stays whole."""
    chunks = api.list(f"{place}/chunks", "chunks")
    return b"".join(api.caller.read("GET", f"{place}/chunks/{chunk['id']}").body for chunk in chunks)


def read_dump(dump: bytes) -> pd.DataFrame:
    """Refused rows: status (E refused, W taken with a problem), the columns of the file, line in the file, reason.

    Shape: "_Status_", the source columns, "_Line_", "_Error_1_" ... "_Error_n_" [S PM].
    """
    rows = list(csv.reader(io.StringIO(dump.decode("utf-8", "replace"))))
    if not rows:
        return pd.DataFrame()
    frame = pd.DataFrame([row + [""] * (len(rows[0]) - len(row)) for row in rows[1:]], columns=rows[0], dtype=object)
    errors = [column for column in frame.columns if column.startswith("_Error_")]
    reasons = ["; ".join(text for text in row if text) for row in frame[errors].itertuples(index=False, name=None)]
    shown = frame.drop(columns=errors).rename(columns={"_Status_": "status", "_Line_": "line"})
    return shown.assign(reason=reasons)
