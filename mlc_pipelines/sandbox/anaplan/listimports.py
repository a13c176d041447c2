"""The import engine for lists: members created and changed by code, never removed.

Outcomes of a row: created or updated, in both cases perhaps with a warning (the member is there, but a parent or a property
is not); failed (no usable key, name taken, key repeated in the file). Reference: anaplan 6.1, 6.2 [S]; that a parent must
exist already or stand earlier in the file is [I].
"""

from dataclasses import dataclass, field

from mlc_pipelines.sandbox.anaplan.built import ListImport
from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.files import DataFile
from mlc_pipelines.sandbox.anaplan.imports import NUMBER, Complaint, RefusedRow, lines_of, unreadable
from mlc_pipelines.sandbox.anaplan.roster import Roster
from mlc_pipelines.sandbox.anaplan.switches import Switches

NAME_CHARACTERS_MAX = 60
"""Longer names and codes are refused [S: community threads on numbered lists]."""

EMPTY_KEY = "hierarchyImportEmptyKey"
REPEATED_KEY = "hierarchyImportDuplicateSourceKey"
BOOLEANS = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}


@dataclass(slots=True)
class Count:
    """Rows that made a member and rows that changed one."""

    created: int = 0
    updated: int = 0

    @property
    def rows(self) -> int:
        """Both."""
        return self.created + self.updated


@dataclass(slots=True)
class ListOutcome:
    """What an import made of a file. `missing` are mapped headers that the file lacks: then nothing is read.

    `changed` and `renamed` count members that are really different now, among the updated rows.
    """

    list_name: str
    header: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    clean: Count = field(default_factory=Count)
    warned: Count = field(default_factory=Count)
    failed: int = 0
    repeated: int = 0
    changed: int = 0
    renamed: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All rows."""
        return self.clean.rows + self.warned.rows + self.failed


def evaluate_list(
    action: ListImport, target: Dimension, source: DataFile, content: bytes, how: Switches
) -> tuple[Roster, ListOutcome]:
    """Judge every row of a file; the roster that comes with the outcome is not in place yet."""
    lines = lines_of(content, source)
    header = next((texts for line, texts in lines if line >= source.header_row and texts), [])
    headers = list(source.header_names) if how["mapping_by"] == "position" else header
    outcome = ListOutcome(target.name, header, [name for name, _ in action.columns if name not in headers])
    roster = Roster(target)
    if outcome.missing:
        return roster, outcome
    places = {field_name: headers.index(name) for name, field_name in action.columns}
    rows = _Rows(roster, outcome, places, how)
    for line, texts in lines:
        if line >= source.first_data_row:
            rows.take(line, texts)
    return roster, outcome


class _Rows:
    """Takes one row of the file after the other."""

    def __init__(self, roster: Roster, outcome: ListOutcome, places: dict[str, int], how: Switches) -> None:
        self.roster, self.outcome, self.places = roster, outcome, places
        self.blank_clears, self.fold = how["blank_cells"] == "zero", str if how["match_case"] else str.casefold
        self.width = max(places.values(), default=0) + 1
        self.seen: set[str] = set()

    def take(self, line: int, texts: list[str] | None) -> None:
        if texts is None or len(texts) < self.width:
            return self._refuse(line, texts or [], unreadable(texts))
        row = {field_name: texts[place] for field_name, place in self.places.items()}
        if complaint := self._key_complaint(row):
            return self._refuse(line, texts, complaint)
        self.seen.add(self.fold(row["Code"]))
        member, warnings = self.roster.coded(row["Code"]), list[Complaint]()
        name = row.get("Name", "") or (member.name if member else row["Code"])
        properties = self._properties(row, member, warnings)
        parent = self._parent(row.get("Parent", ""), member, warnings)
        count = self.outcome.warned if warnings else self.outcome.clean
        if member is None:
            self.roster.add(name, row["Code"], parent, properties)
            count.created += 1
        else:
            self._update(member, name, parent, properties)
            count.updated += 1
        if warnings:
            self.outcome.refused.append(RefusedRow("W", line, texts, warnings))
        return None

    def _update(self, member: Member, name: str, parent: str, properties: dict[str, str]) -> None:
        changed = self.roster.change(member, name=name, parent=parent, properties=properties)
        self.outcome.changed += changed != member
        self.outcome.renamed += changed.name != member.name

    def _key_complaint(self, row: dict[str, str]) -> Complaint | None:
        code, name = row["Code"], row.get("Name", "")
        if not code:
            return Complaint(EMPTY_KEY, "Empty key")
        if len(code) > NAME_CHARACTERS_MAX:
            return Complaint("hierarchyImportInvalidCode", f"Invalid code: {code}")
        if len(name) > NAME_CHARACTERS_MAX:
            return Complaint("hierarchyImportInvalidName", f"Invalid name: {name}")
        if self.fold(code) in self.seen:
            self.outcome.repeated += 1
            return Complaint(REPEATED_KEY, f"Duplicate key: {code}")
        member = self.roster.coded(code)
        holder = self.roster.named(name or ("" if member else code))
        if member is not None and self.fold(member.code) != self.fold(code):
            return Complaint("hierarchyImportNameOrCodeExists", f"Code already exists: {member.code}")
        if holder is not None and (member is None or holder.id != member.id):
            return Complaint("hierarchyImportNameOrCodeExists", f"Name already exists: {name}")
        return None

    def _parent(self, text: str, member: Member | None, warnings: list[Complaint]) -> str:
        """The id of the parent that the member gets; unchanged when the text is blank or means nobody."""
        old = member.parent if member else ""
        if not text:
            return "" if self.blank_clears else old
        parent = self.roster.parent(text)
        if parent is None or (member is not None and self.roster.is_below(parent, member)):
            warnings.append(Complaint("hierarchyImportInvalidParent", "Invalid parent"))
            return old
        return parent.id

    def _properties(self, row: dict[str, str], member: Member | None, warnings: list[Complaint]) -> dict[str, str]:
        texts = dict(member.properties) if member else {}
        for name, format_ in self.roster.dimension.properties.items():
            if name not in row or (row[name] == "" and not self.blank_clears):
                continue
            value = property_text(row[name], format_)
            if value is None:
                warnings.append(_format_complaint(row[name], format_))
            else:
                texts[name] = value
        return texts

    def _refuse(self, line: int, texts: list[str], complaint: Complaint) -> None:
        self.outcome.failed += 1
        self.outcome.refused.append(RefusedRow("E", line, texts, [complaint]))


def property_text(text: str, format_: str) -> str | None:
    """A property's value as it is kept, or None when the text does not fit the format."""
    if format_ == "BOOLEAN" and text:
        return BOOLEANS.get(text.casefold())
    if format_ == "NUMBER" and text:
        return text if NUMBER.fullmatch(text) else None
    return text


def _format_complaint(text: str, format_: str) -> Complaint:
    if format_ == "BOOLEAN":
        return Complaint("moduleImportBooleanFormat", f"Invalid boolean: {text}")
    return Complaint("moduleImportNumberFormat", f"Invalid number: {text}")
