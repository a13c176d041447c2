"""What was changed in a trail after it was written, and where. Nothing in the database or beside it is believed before it was computed again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

import sqlalchemy as sa

from mlc_pipelines.store.trail import checks, guards
from mlc_pipelines.store.trail.checkpoints import Checkpoint
from mlc_pipelines.store.trail.event import NO_HEADER, Link
from mlc_pipelines.store.trail.faults import telling_faults
from mlc_pipelines.store.trail.rows import Row, find_row, read_rows
from mlc_pipelines.store.trail.trail import Trail

_NEWEST = 100  # checkpoints that the tail is held against: years of them take seconds to check


class Kind(StrEnum):
    CLEAN = "clean"
    TAMPERED = "tampered"
    BEHIND = "behind the anchor"
    WRONG = "wrong trail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the trail is not what it was. where: "entry 12", "entry 12, records 641 to 704", "checkpoint line 3"."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verify came to. checked_from: first entry that was looked at; anchored: newest entry that a checkpoint witnesses (0: none).

    pruned: entries among them whose records were given up by retention: their hashes stand, and nothing is missing.
    """

    findings: tuple[Finding, ...]
    entries: int
    records: int
    checked_from: int
    anchored: int
    pruned: int = 0

    @property
    def kind(self) -> Kind:
        """The gravest of what was found."""
        held = {one.kind for one in self.findings}
        return next((kind for kind in (Kind.WRONG, Kind.TAMPERED, Kind.BEHIND) if kind in held), Kind.CLEAN)


def verify(trail: Trail, *, full: bool = False, heads: Sequence[str] = (), key: str = "") -> Verdict:
    """Hold the trail against itself and against its witnesses: its tail from the newest checkpoint on, or all of it.

    heads: witnesses from elsewhere (Dagster, the description of a journal), each the first digits of a header, at least 16.
    key: public key of the checkpoints, in hex; that of this installation unless given. Raises AuditBrokenError when the database cannot be read.
    """
    with telling_faults(trail.engine.url.render_as_string()), trail.engine.connect() as db:
        return _Check(trail, db, full, heads, key or trail.checkpoints.public_key()).verdict()


@dataclass(slots=True)
class _State:
    """Where the chain stands after an entry. header: None where it cannot be told."""

    number: int = 0
    records: int = 0
    header: bytes | None = NO_HEADER


@dataclass(slots=True)
class _Check:
    trail: Trail
    db: sa.Connection
    full: bool
    heads: Sequence[str]
    key: str
    installation: str = ""
    given_up: dict[str, int] = field(default_factory=dict)  # file: the entry that says so
    state: _State = field(default_factory=_State)
    findings: list[Finding] = field(default_factory=list)
    without_file: list[tuple[int, str]] = field(default_factory=list)

    def verdict(self) -> Verdict:
        self._guards()
        signed = self._checkpoints()
        other = self._other_trail(signed)
        start = self._start(signed)
        if not other:
            for row in read_rows(self.db, start):
                self._entry(row)
            self._files()
            self._anchors([one for one in signed if one.number > start], start)
            self._heads()
        anchored = self._newest_fitting(signed)
        pruned = sum(number < self.given_up.get(file, 0) for number, file in self.without_file)
        witnessed = anchored.number if anchored else 0
        return Verdict(tuple(self.findings), self.state.number, self.state.records, start + 1, witnessed, pruned)

    def _found(self, where: str, what: str, kind: Kind = Kind.TAMPERED) -> None:
        self.findings.append(Finding(kind, where, what))

    def _guards(self) -> None:
        for what in guards.missing(self.db):
            self._found("table trail", what)
        if self.full and self.db.dialect.name == "sqlite":
            for (said,) in self.db.exec_driver_sql("PRAGMA integrity_check(20)"):
                if said != "ok":
                    self._found("database", f"its own check says: {said}")

    def _checkpoints(self) -> list[Checkpoint]:
        """Those that are genuine, oldest entry first."""
        held, bad = self.trail.checkpoints.read(0 if self.full else _NEWEST)
        for line, what in bad:
            self._found(f"checkpoint line {line}", what)
        if self.key and not held:
            self._found("checkpoints", f"{self.trail.checkpoints.file} holds none, though some were signed here")
        signed = []
        for one in held:
            where = f"checkpoint of entry {one.number}"
            if one.key != self.key:
                self._found(
                    where,
                    f"it was signed with the key {one.key[:16]}, not with {self.key[:16] or 'one that is known here'}",
                    Kind.WRONG,
                )
            elif not one.is_genuine():
                self._found(where, "its signature does not fit what it says")
            else:
                signed.append(one)
        return sorted(signed, key=lambda one: one.number)

    def _other_trail(self, signed: list[Checkpoint]) -> bool:
        """Whether what lies here is whole, but belongs to somebody else than the checkpoints say."""
        first = find_row(self.db, 1)
        said = checks.begun_as(first)
        witnessed = next((one.installation for one in signed), said)
        self.installation = witnessed
        if (
            said == witnessed
            or not said
            or first is None
            or self._header_of(first, NO_HEADER, said) != first.values.get("header")
        ):
            return False
        self._found("entry 1", f"this is the trail of {said}; the checkpoints belong to {witnessed}", Kind.WRONG)
        return True

    def _start(self, signed: list[Checkpoint]) -> int:
        """Behind which entry to begin: the newest that a checkpoint witnesses, or none."""
        newest = None if self.full else self._newest_fitting(signed)
        if newest:
            self.state = _State(newest.number, newest.records, bytes.fromhex(newest.header))
        return self.state.number

    def _newest_fitting(self, signed: list[Checkpoint]) -> Checkpoint | None:
        """The newest entry is asked for first: of a hundred checkpoints, that one fits in nearly every case."""
        return next((one for one in reversed(signed) if self._fits(one)), None)

    def _fits(self, one: Checkpoint) -> bool:
        row = find_row(self.db, one.number)
        return row is not None and row.values.get("header") == one.header

    def _entry(self, row: Row) -> None:
        number, expected = row.number, self.state.number + 1
        if number is None or number < expected:
            self._found(
                "a row without a place" if number is None else f"entry {number}", "it does not belong to the trail"
            )
            return
        where = f"entry {number}"
        if number > expected:
            missing = f"entry {expected}" if number == expected + 1 else f"entries {expected} to {number - 1}"
            self._found(missing, f"missing before entry {number}")
            self.state = _State(number - 1, row.values.get("first", 0), None)
        for what in row.wrong:
            self._found(where, what)
        self._chain(row, where)
        if "event" in row.values:
            for what in checks.of_event(row):
                self._found(where, what)
        self.given_up |= dict.fromkeys(checks.given_up(row, self.trail.files), number)
        self._records(row)

    def _chain(self, row: Row, where: str) -> None:
        before, held = self.state, row.values
        if (
            before.header is not None
            and not row.wrong
            and self._header_of(row, before.header, self.installation) != held["header"]
        ):
            self._found(where, "its event, its root, its counts or its header is not what was written")
        if held.get("first", before.records) != before.records:
            self._found(where, f"its records begin at {held['first']:,} instead of {before.records:,}")
        header = bytes.fromhex(held["header"]) if "header" in held else None
        self.state = _State(before.number + 1, held.get("first", before.records) + held.get("records", 0), header)

    @staticmethod
    def _header_of(row: Row, before: bytes, installation: str) -> str:
        """What its header must be; "" where it can have none."""
        held = row.values
        try:
            event_hash, root = sha256(held["event"].encode()).digest(), bytes.fromhex(held["root"])
            return (
                Link(held["number"], event_hash, held["first"], held["records"], root)
                .header(before, installation)
                .hex()
            )
        except (KeyError, OverflowError):
            return ""

    def _records(self, row: Row) -> None:
        if not {"leaves", "root", "records", "file"} <= set(row.values):
            return
        try:
            for where, what in checks.of_records(row, self.trail.files):
                self._found(where, what)
        except FileNotFoundError:
            self.without_file.append((self.state.number, row.values["file"]))

    def _files(self) -> None:
        for number, file in self.without_file:
            if number > self.given_up.get(file, 0):
                what = "the file of its records is missing, and nothing says that it was pruned"
                self._found(f"entry {number}", what)

    def _anchors(self, signed: list[Checkpoint], start: int) -> None:
        """Against what the checkpoints witness: a trail that was cut, put back or written anew may be whole in itself."""
        fitting = self._newest_fitting(signed)
        known = fitting.number if fitting else 0
        for one in signed:
            if one.number <= self.state.number and not self._fits(one):
                low = (
                    max((fit.number for fit in signed if fit.number < one.number and self._fits(fit)), default=start)
                    + 1
                )
                self._found(
                    f"entries {low} to {one.number}",
                    f"written anew: a checkpoint of {one.at} witnesses another entry {one.number}",
                )
                break
        if signed and signed[-1].number > max(self.state.number, known):
            newest = signed[-1]
            what = f"the trail ends with entry {self.state.number}; a checkpoint of {newest.at} witnesses entry {newest.number}"
            self._found(f"entries {self.state.number + 1} to {newest.number}", what, Kind.BEHIND)

    def _heads(self) -> None:
        for head in self.heads:
            question = sa.text("SELECT count(*) FROM trail WHERE header LIKE :head")
            if not self.db.execute(question, {"head": f"{head}%"}).scalar():
                self._found(
                    f"head {head}",
                    "no entry has it: the trail is older than this witness, or was written anew",
                    Kind.BEHIND,
                )
