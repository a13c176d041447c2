"""How many rows an import says it took, ignored and refused. Read defensively: the keys of module imports are recorded nowhere, texts vary by language."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Counts = dict[str, int]

_COUNTED = ("lineItemRowsProcessed", "hierarchyRowsProcessed", "usersRowsProcessed", "versionsRowsProcessed")
TAKEN, IGNORED, FAILED, _TOTAL = "taken", "ignored", "failed", "total"
_ROWS = (TAKEN, IGNORED, FAILED)
# Exact names first [S PM, C JAVA fixtures: list imports]; a row taken with a warning was not taken whole, so it counts as failed.
_KEYS = {
    "successRowCount": TAKEN,
    "ignoredCount": IGNORED,
    "failedCount": FAILED,
    "warningsRowCount": FAILED,
    "totalRowCount": _TOTAL,
}
# Then what a key of another wording most plainly says.
_WORDING = {
    TAKEN: r"(?<!un)success|(?<!not)loaded",
    IGNORED: r"ignor|skip",
    FAILED: r"fail|reject|refus|unsuccess|notloaded",
    _TOTAL: r"total",
}
_NUMBER = r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(?![\d])"
_TEXT = {
    TAKEN: rf"{_NUMBER}(?: \(\d+/\d+\))? (?:rows?|cells?)(?: were)? successful",
    IGNORED: rf"{_NUMBER}(?: (?:rows?|cells?))?(?: were)? ignored",
    FAILED: rf"{_NUMBER}(?: (?:rows?|cells?))? failed",
}


def row_counts(result: Mapping[str, Any]) -> Counts:
    """Rows taken, ignored and failed (and the total, where given), as far as they can be read; empty when the rows taken cannot.

    With several line items each has its own detail: the fewest taken and the most ignored and failed are what the rows as a
    whole can claim. With one value column the cells of its line item are the rows. Nested results are added up.
    """
    read = [_settled(detail) for detail in details_of(result) if str(detail.get("type", "")).startswith(_COUNTED)]
    nested = [row_counts(one) for one in nested_in(result)]
    own = _over_line_items(read)
    if not nested:
        return own
    parts = [*nested, own] if read else nested
    return _summed(parts)


def details_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [detail for detail in result.get("details") or [] if isinstance(detail, Mapping)]


def nested_in(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [nested for nested in result.get("nestedResults") or [] if isinstance(nested, Mapping)]


def _over_line_items(read: list[Counts]) -> Counts:
    if not read or any(TAKEN not in counts for counts in read):
        return {}
    claims = {TAKEN: min(counts[TAKEN] for counts in read)}
    return claims | {name: max(counts[name] for counts in read) for name in (IGNORED, FAILED) if _in_all(name, read)}


def _summed(parts: list[Counts]) -> Counts:
    if not _in_all(TAKEN, parts):
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
    pairs = _pairs(detail)
    counts = _by_name(pairs) or _by_wording(pairs)
    return _by_text(str(detail.get("localMessageText") or ""), str(detail.get("type"))) | counts


def _pairs(detail: Mapping[str, Any]) -> list[tuple[str, Any]]:
    values = detail.get("values")
    flat = values if isinstance(values, list) else []
    return [(key, value) for key, value in zip(flat[::2], flat[1::2], strict=False) if isinstance(key, str)]


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
        return {TAKEN: numbers[0]}
    return {}


def _number(value: Any) -> int | None:
    """Only a written number is believed; null says nothing."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def exported_rows(result: Mapping[str, Any]) -> int | None:
    """How many rows an export says it wrote, where exactly one of its values is called a number of rows; None where it does not say."""
    stated = {
        number
        for detail in details_of(result)
        for key, value in _pairs(detail)
        if re.search(r"rows?(?:exported)?count|exportedrows|rowsexported", key, re.IGNORECASE)
        and (number := _number(value)) is not None
    }
    return stated.pop() if len(stated) == 1 else None
