"""The import engine: what Anaplan would make of the bytes of a file, row by row.

Outcomes of a row: loaded (repeated keys are added up), failed (an identifier or a value does not parse; it goes into the
dump), ignored (a total or a calculated line item; only counted), dropped by the mapping (perhaps not even counted).
Reference: anaplan 6.2 and 11 [S].
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from mlc_pipelines.sandbox.anaplan.built import ImportAction
from mlc_pipelines.sandbox.anaplan.dimension import Dimension
from mlc_pipelines.sandbox.anaplan.files import DataFile
from mlc_pipelines.sandbox.anaplan.model import Cells, Key, Module
from mlc_pipelines.sandbox.anaplan.switches import Switches, picked_rows
from mlc_pipelines.sandbox.anaplan.timescale import Calendar

Answers = dict[str, str]
"""Dimension name -> key of the member that was given at run time."""

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")

INVALID_LIST = "moduleImportInvalidListIdentifier"
INVALID_TIME = "moduleImportInvalidTimeEntityIdentifier"
INVALID_NUMBER = "moduleImportNumberFormat"
INVALID_ITEM = "moduleImportInvalidLineItemIdentifier"
TOO_FEW_COLUMNS = "columnSeparatorExpected"
UNMATCHED_DELIMITER = "unmatchedTextDelimiter"


class Complaint(NamedTuple):
    """Why a row failed: the code of a result detail, and the text for a person."""

    type: str
    text: str


class RefusedRow(NamedTuple):
    """A row for the dump: E refused or W loaded in part, the line in the uploaded file, its texts, every complaint."""

    status: str
    line: int
    texts: Sequence[str]
    complaints: list[Complaint]


@dataclass(slots=True)
class Tally:
    """Rows by outcome, for one line item."""

    loaded: int = 0
    failed: int = 0
    ignored: int = 0

    @property
    def total(self) -> int:
        """All rows that count."""
        return self.loaded + self.failed + self.ignored


@dataclass(slots=True)
class Outcome:
    """What an import made of a file. `missing` are mapped headers that the file does not have: then nothing is read."""

    header: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)
    cells: dict[str, Cells] = field(default_factory=dict)

    @property
    def ignored(self) -> int:
        """Rows that were ignored, over all line items."""
        return sum(tally.ignored for tally in self.tallies.values())


class _Axis:
    """How one mapped column finds its member: lists by code or name, time and versions by name.

    `fixed` is the member key that was given at run time instead of a column.
    """

    def __init__(self, dimension: Dimension, column: int, how: Switches, fixed: str = "") -> None:
        self.fixed, self.fold = fixed, str if how["match_case"] else str.casefold
        by_code = how["match_members"] == "code" and any(member.code for member in dimension.members)
        field_of = "code" if by_code else "name"
        self.name, self.column, self.is_time = dimension.name, column, isinstance(dimension, Calendar)
        self.keys = {self.fold(text): one.key for one in dimension.members if (text := getattr(one, field_of))}
        self.totals = dimension.totals

    def complaint(self, text: str) -> Complaint:
        if self.is_time:
            return Complaint(INVALID_TIME, f"Invalid date or timescale identifier: {text}")
        return Complaint(INVALID_LIST, f"Invalid {self.name} identifier: {text}")


class _Mapping:
    """The saved mapping, laid over the header of this file."""

    def __init__(
        self,
        action: ImportAction,
        module: Module,
        source: DataFile,
        header: list[str],
        how: Switches,
        answers: Answers,
    ) -> None:
        headers = list(source.header_names) if how["mapping_by"] == "position" else header
        self.missing = [name for name, _ in action.columns if name not in headers]
        place = {target: headers.index(name) for name, target in action.columns if name in headers}
        self.axes = [
            _Axis(one, place.get(one.name, 0), how, answers.get(one.name, ""))
            for one in module.dimensions
            if one.name in place or one.name in answers
        ]
        self.values = [(place[item.name], item) for item in module.items if item.name in place]
        self.width = max(place.values(), default=0) + 1

    def cell(self, texts: list[str]) -> tuple[Key, list[Complaint], bool]:
        """The key of the cells that a row speaks of, what is wrong with it, and whether it is a total."""
        parts, complaints, total = [], [], False
        for axis in self.axes:
            text = texts[axis.column]
            key = axis.fixed or axis.keys.get(axis.fold(text))
            if key is None:
                complaints.append(axis.complaint(text))
                continue
            parts.append(key)
            total = total or key in axis.totals
        return tuple(parts), complaints, total


def lines_of(content: bytes, source: DataFile) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and texts of each row that is not empty; None and the end where a text delimiter is never closed."""
    text = content.decode(source.encoding, errors="replace").removeprefix("\ufeff")
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=source.separator, quotechar=source.delimiter, strict=True)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            return
        if row:
            yield line, row
        line = reader.line_num + 1


def evaluate(
    action: ImportAction,
    module: Module,
    source: DataFile,
    content: bytes,
    how: Switches,
    answers: Answers | None = None,
) -> Outcome:
    """Judge every row of a file; nothing is written yet. `answers` are the members that were given at run time."""
    lines = lines_of(content, source)
    header = next((texts for line, texts in lines if line >= source.header_row and texts), [])
    mapping = _Mapping(action, module, source, header, how, answers or {})
    outcome = Outcome(header, mapping.missing)
    if outcome.missing:
        return outcome
    outcome.tallies = {item.name: Tally() for _, item in mapping.values}
    outcome.cells = {item.name: {} for _, item in mapping.values if not item.year_to_date_of}
    rejected, dropped = picked_rows(how["reject_rows"]), picked_rows(how["ignore_rows"])
    data = (row for row in lines if row[0] >= source.first_data_row)
    for number, (line, texts) in enumerate(data, start=1):
        if number in dropped:
            _ignore(outcome, 1 if how["ignored_counted"] else 0)
        elif number in rejected:
            _refuse(outcome, line, texts or [], [Complaint(INVALID_ITEM, how["reject_message"])])
        else:
            _judge(outcome, mapping, line, texts, how["blank_cells"])
    return outcome


def unreadable(texts: list[str] | None) -> Complaint:
    """What is wrong with a row that has too few columns, or None for a text delimiter that is never closed."""
    if texts is None:
        return Complaint(UNMATCHED_DELIMITER, "Unmatched text delimiter")
    return Complaint(TOO_FEW_COLUMNS, "Column separator expected")


def _judge(outcome: Outcome, mapping: _Mapping, line: int, texts: list[str] | None, blank: str) -> None:
    """Take one row, ignore it or refuse it."""
    if texts is None or len(texts) < mapping.width:
        return _refuse(outcome, line, texts or [], [unreadable(texts)])
    key, complaints, total = mapping.cell(texts)
    if complaints:
        return _refuse(outcome, line, texts, complaints)
    if total:
        return _ignore(outcome, 1)
    return _take_values(outcome, mapping, line, texts, key, blank)


def _take_values(outcome: Outcome, mapping: _Mapping, line: int, texts: list[str], key: Key, blank: str) -> None:
    complaints, loaded = [], 0
    for column, item in mapping.values:
        tally, text = outcome.tallies[item.name], texts[column]
        if item.year_to_date_of:
            tally.ignored += 1
        elif NUMBER.fullmatch(text):
            cells = outcome.cells[item.name]
            cells[key] = cells.get(key, Decimal(0)) + Decimal(text)
            tally.loaded += 1
            loaded += 1
        elif text == "":
            if blank == "zero":
                outcome.cells[item.name].setdefault(key, Decimal(0))
            tally.loaded += 1
            loaded += 1
        else:
            tally.failed += 1
            complaints.append(Complaint(INVALID_NUMBER, f"Invalid number: {text}"))
    if complaints:
        outcome.refused.append(RefusedRow("W" if loaded else "E", line, texts, complaints))


def _refuse(outcome: Outcome, line: int, texts: list[str], complaints: list[Complaint]) -> None:
    for tally in outcome.tallies.values():
        tally.failed += 1
    outcome.refused.append(RefusedRow("E", line, texts, complaints))


def _ignore(outcome: Outcome, rows: int) -> None:
    for tally in outcome.tallies.values():
        tally.ignored += rows


def write(module: Module, outcome: Outcome, clear: str) -> None:
    """Put the values into the module, after clearing what the import is set to clear.

    "mapped" clears the cross product of the items that occur in the file, so a file with only the changed rows wipes
    their neighbours; "all" clears the line item. A file without data clears nothing. Reference: anaplan 11.5 [S, I].
    """
    for name, cells in outcome.cells.items():
        stored = module.inputs[name]
        if cells and clear == "all":
            stored.update(dict.fromkeys(stored, Decimal(0)))
        elif cells and clear == "mapped":
            occurring = [frozenset(parts) for parts in zip(*cells, strict=True)]
            wiped = [key for key in stored if all(part in items for part, items in zip(key, occurring, strict=True))]
            stored.update(dict.fromkeys(wiped, Decimal(0)))
        stored.update(cells)
