"""How a task tells its outcome: result, details, and the dump of refused rows.

The `values` keys of a module import are not recorded anywhere, so the switch `details_style` varies them; a client that
leans on them is wrong under some style. Reference: anaplan 6.1 [I], 6.4 [S].
"""

import csv
import io
from collections import defaultdict
from typing import Any

from mlc_pipelines.sandbox.anaplan.imports import Outcome, RefusedRow, Tally
from mlc_pipelines.sandbox.anaplan.listimports import Count, ListOutcome

Detail = dict[str, Any]
Result = dict[str, Any]


def detail(type_: str, text: str, *, occurrences: int = 0, values: list[str | None] | None = None) -> Detail:
    """One entry of `details`."""
    return {"localMessageText": text, "type": type_, "occurrences": occurrences, "values": values or []}


def result(
    object_id: str, object_name: str, *, successful: bool, details: list[Detail], dump: bool = False, named: bool = True
) -> Result:
    """What stands in a finished task. `named` false leaves out objectName, which is not always there [S]."""
    body = {"details": details, "failureDumpAvailable": dump, "objectId": object_id, "successful": successful}
    return {**body, "objectName": object_name} if named else body


def import_details(outcome: Outcome, style: str) -> list[Detail]:
    """One detail per line item, then one per kind of complaint."""
    if style == "none":
        return []
    items = [_item_detail(name, tally, style) for name, tally in outcome.tallies.items()]
    return items + ([] if style == "german" else _complaint_details(outcome.refused))


def _item_detail(name: str, tally: Tally, style: str) -> Detail:
    type_ = "lineItemRowsProcessedWithFailures" if tally.failed else "lineItemRowsProcessed"
    text = f"{name}: {tally.loaded} rows successful, {tally.failed} failed, {tally.ignored} ignored"
    if style == "german":
        text = f"{name}: {tally.loaded} Zeilen erfolgreich, {tally.failed} fehlgeschlagen, {tally.ignored} ignoriert"
    return detail(type_, text, values=_values(name, tally, style))


def _values(name: str, tally: Tally, style: str) -> list[str | None]:
    counts = [str(count) for count in (tally.loaded, tally.failed, tally.ignored, tally.total)]
    keys = {
        "values": ["lineItemName", "successRowCount", "failedCount", "ignoredCount", "totalRowCount"],
        "nulls": ["lineItemName", "successRowCount", "failedCount", "ignoredCount", "totalRowCount"],
        "other_keys": ["name", "cellsLoaded", "cellsRejected", "cellsSkipped", "cellsTotal"],
    }.get(style, [])
    texts: list[str | None] = [name, *counts]
    if style == "nulls":
        texts = [name, *[None if count == "0" else count for count in counts]]
    return [text for pair in zip(keys, texts, strict=False) for text in pair]


def list_details(outcome: ListOutcome, style: str) -> list[Detail]:
    """One detail for the list, then one per kind of complaint; keys and texts as recorded [S]."""
    if style == "none":
        return []
    problems = bool(outcome.failed or outcome.warned.rows)
    type_ = "hierarchyRowsProcessedWithFailures" if problems else "hierarchyRowsProcessed"
    texts = _german_text if style == "german" else _list_text
    values: list[str | None] = []
    if style not in ("text", "german"):
        for key, count in _list_counts(outcome).items():
            values += [key, None if style == "nulls" and count == "0" else count]
    head = detail(type_, texts(outcome, problems), values=values)
    return [head] + ([] if style == "german" else _complaint_details(outcome.refused))


def _list_text(outcome: ListOutcome, problems: bool) -> str:
    def rows(count: Count) -> str:
        return f"{count.rows} ({count.created}/{count.updated}) rows"

    text = f"{outcome.list_name}: {rows(outcome.clean)} successful, "
    if problems:
        return text + f"{rows(outcome.warned)} has warnings, {outcome.failed} failed, 0 ignored"
    return text + "0 ignored "


def _german_text(outcome: ListOutcome, _: bool) -> str:
    return f"{outcome.list_name}: {outcome.clean.rows} Zeilen erfolgreich, {outcome.failed} fehlgeschlagen, 0 ignoriert"


def _list_counts(outcome: ListOutcome) -> dict[str, str]:
    clean, warned = outcome.clean, outcome.warned
    numbers = {
        "successRowCount": clean.rows,
        "successCreateCount": clean.created,
        "successUpdateCount": clean.updated,
        "warningsRowCount": warned.rows,
        "warningsCreateCount": warned.created,
        "warningsUpdateCount": warned.updated,
        "failedCount": outcome.failed,
        "ignoredCount": 0,
        "totalRowCount": outcome.total,
        "totalCreateCount": clean.created + warned.created,
        "totalUpdateCount": clean.updated + warned.updated,
        "invalidCount": outcome.failed,
        "updatedCount": outcome.changed,
        "renamedCount": outcome.renamed,
        "createdCount": clean.created + warned.created,
    }
    return {"hierarchyName": outcome.list_name} | {key: str(number) for key, number in numbers.items()}


def _complaint_details(refused: list[RefusedRow]) -> list[Detail]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in refused:
        for complaint in row.complaints:
            found[complaint.type].append(complaint.text)
    return [detail(type_, texts[0], occurrences=len(texts)) for type_, texts in found.items()]


def dump_csv(header: list[str], refused: list[RefusedRow]) -> bytes:
    """The failure dump: status, the source columns, the line in the file, one column per message. Everything quoted."""
    errors = max(len(row.complaints) for row in refused)
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["_Status_", *header, "_Line_", *[f"_Error_{number}_" for number in range(1, errors + 1)]])
    for row in refused:
        texts = [*row.texts, *[""] * len(header)][: len(header)]
        messages = [complaint.text for complaint in row.complaints]
        writer.writerow([row.status, *texts, row.line, *messages, *[""] * (errors - len(messages))])
    return stream.getvalue().encode()
