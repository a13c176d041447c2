"""The trail itself: events with their records, one after the other, each chained to the one before."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import trail
from mlc_pipelines.store.trail import merkle
from mlc_pipelines.store.trail.canonical import from_canonical
from mlc_pipelines.store.trail.checkpoints import SHORT_DIGITS, Checkpoint, Checkpoints
from mlc_pipelines.store.trail.event import BEGUN, NO_HEADER, Event, Link, searched
from mlc_pipelines.store.trail.faults import telling_faults

if TYPE_CHECKING:  # a quarter of a second, which an event without records need not wait for
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LOCK = 7_302_418_221_005  # Postgres knows its advisory locks by number; any one, always the same
_FOUND = trail.select().with_only_columns(*(one for one in trail.c if one.name != "leaves")).order_by(trail.c.number)
_HEAD = _FOUND.order_by(None).order_by(trail.c.number.desc()).limit(1)
_BEGINNING = sa.select(trail.c.event).where(trail.c.number == 1)
_ADD = trail.insert()
"""Put together once: that costs more than the question itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the trail. first: number of its first record, counted through the whole trail from 0."""

    number: int
    event: Mapping[str, Any]
    first: int
    records: int
    root: str
    file: str
    header: str

    @property
    def short(self) -> str:
        """The first digits of its header: enough to witness all that was written up to it."""
        return self.header[:SHORT_DIGITS]


@dataclass(frozen=True, slots=True)
class Proof:
    """That some lines stand in an entry: they are leaf number `leaf` of the tree whose root the entry's header holds. lines: canonical, 64 or fewer."""

    entry: int
    leaf: int
    leaves: int
    lines: bytes
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """Records that are kept already, and belong to no entry yet: the file's hash, and the hashes of its lines."""

    file: str = ""
    leaves: tuple[bytes, ...] = ()
    records: int = 0


NO_BODY = Body()


@dataclass(frozen=True, slots=True)
class Trail:
    """Append-only history of one installation. Its events lie in the database, their records in files, its signed heads in a file of their own."""

    engine: sa.Engine
    files: Artefacts
    checkpoints: Checkpoints

    @classmethod
    def at(cls, home: Path, engine: sa.Engine) -> "Trail":
        """The trail of an installation. MLC_AUDIT_CHECKPOINTS names another place for the checkpoints, best one that the database's owner cannot write;
        MLC_AUDIT_RECORDS another folder for the records, where several machines share them.
        """
        file = Path(os.environ.get("MLC_AUDIT_CHECKPOINTS") or home / "audit" / "checkpoints.jsonl")
        records = Path(os.environ.get("MLC_AUDIT_RECORDS") or home / "audit" / "records")
        return cls(engine, Artefacts(records), Checkpoints(file, home / "keys" / "audit.key"))

    def append(self, event: Event, records: "Iterable[pa.Table]" = ()) -> Entry:
        """Write an event durably, with its records (tables as to_records makes them). Others may append at the same time; order is who came first.

        Raises AuditFullError, AuditBrokenError or AuditBusyError when it could not: then nothing may be sent.
        """
        body = self.keep(records)
        with self.writing() as db:
            return self.add(db, event, body)

    def keep(self, records: "Iterable[pa.Table]") -> Body:
        """Keep the records of an entry that is still to be written. Without their entry they are a file that nothing names."""
        with telling_faults(str(self.files.folder)):
            return self._kept(iter(records))

    def head(self) -> Entry | None:
        """The newest entry."""
        with self._reading() as db:
            row = db.execute(_HEAD).first()
        return None if row is None else _entry(row)

    def entries(self, *, first: int = 1, **searched_for: str) -> Iterator[Entry]:
        """Entries from a number on, oldest first; searched_for: connection, kind, period, reference, run."""
        wanted = [trail.c.number >= first, *(trail.c[name] == value for name, value in searched_for.items())]
        with self._reading() as db:
            for row in db.execute(_FOUND.where(*wanted)):
                yield _entry(row)

    def has_records(self, entry: Entry) -> bool:
        """Whether its records can be told: it has some, and retention did not give them up."""
        return bool(entry.records) and not self.files.given_up(entry.file)

    def records(self, entry: Entry) -> "Iterator[pa.Table]":
        """The records of an entry, in order. Raises DataError when their file is missing or was changed."""
        if entry.records:
            from mlc_pipelines.store.trail import body

            yield from body.read(self.files.path(entry.file))

    def find(
        self, entry: Entry, column: str, wanted: Callable[[str], bool]
    ) -> "Iterator[tuple[npt.NDArray[np.int64], pa.Table]]":
        """The records of an entry that have a wanted text in a column, with their numbers within it (from 0). Raises DataError when their file is missing or was changed."""
        if entry.records:
            from mlc_pipelines.store.trail import body

            yield from body.find(self.files.path(entry.file), column, wanted)

    def require_unchanged(self, entry: Entry) -> None:
        """Hold the records of an entry against the root that is chained. Raises DataError when they are not those that were written."""
        if not entry.records:
            return
        from mlc_pipelines.store.trail.records import Leaves, lines_of

        leaves = Leaves()
        for table in self.records(entry):
            for lines in lines_of(table):
                leaves.add(lines)
        if (leaves.records, merkle.root_of(leaves.all()).hex()) != (entry.records, entry.root):
            raise DataError(
                f"The records of entry {entry.number} of the audit trail are not those that were written.",
                holds="Nothing was told from them.",
                next_step="`mlc audit verify --full` names the place.",
            )

    def prove(self, entry: Entry, record: int) -> Proof:
        """What shows that one record (counted from 0 within its entry) belongs to the trail, beside the entry itself."""
        from mlc_pipelines.store.trail.records import LEAF_LINES, lines_of

        if not 0 <= record < entry.records:
            raise DataError(
                f"Entry {entry.number} of the audit trail has {entry.records} records; there is no number {record}.",
                next_step="Records are counted from 0 within their entry.",
            )
        leaf = record // LEAF_LINES
        with self._reading() as db:
            held = db.execute(sa.select(trail.c.leaves).where(trail.c.number == entry.number)).scalar_one()
        leaves, skip = merkle.split(held), leaf * LEAF_LINES
        lines: list[str] = []
        for table in self.records(entry):  # a leaf may begin in one group of the file and end in the next
            part = table.slice(skip, LEAF_LINES - len(lines))
            skip = max(0, skip - len(table))
            lines += (line for some in lines_of(part) for line in some.to_pylist())
        path = tuple(one.hex() for one in merkle.path_of(leaves, leaf))
        return Proof(entry.number, leaf, len(leaves), "".join(lines).encode(), path)

    def checkpoint(self) -> Checkpoint | None:
        """Sign the head as it is now, and keep that apart from the database; None while nothing was ever recorded."""
        head = self.head()
        if head is None:
            return None
        with telling_faults(str(self.checkpoints.file)):
            return self.checkpoints.sign(
                installation=self.installation(),
                number=head.number,
                records=head.first + head.records,
                header=head.header,
                at=timestamp(),
            )

    def installation(self) -> str:
        """The random name that this trail was begun under."""
        with self._reading() as db:
            return _installation(db)

    def _kept(self, tables: "Iterator[pa.Table]") -> Body:
        first = next(tables, None)
        if first is None:
            return NO_BODY
        from mlc_pipelines.store.trail import body

        file, leaves = body.keep(chain([first], tables), self.files)
        return Body(file, tuple(leaves.all()), leaves.records) if leaves.records else NO_BODY

    def add(self, db: sa.Connection, event: Event, body: Body = NO_BODY) -> Entry:
        """Write an event within a transaction that writes something else as well: both become true at once, or neither.

        The transaction is one of `writing`, or one that has written before it read anything.
        """
        if db.dialect.name != "sqlite":  # there the first write of a transaction locks the database
            db.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
            db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")  # needs no right to change the table
        row = db.execute(_HEAD).first()
        if row is None:
            begun = Event(BEGUN, "", "begun", event.who, objects={"installation": uuid4().hex})
            text = begun.text(timestamp())
            head = self._chained(db, None, text, NO_BODY, _begun_as(text))
        else:
            head = _entry(row)
        return self._chained(db, head, event.text(timestamp()), body, _installation(db))

    def _chained(self, db: sa.Connection, head: Entry | None, text: bytes, body: Body, installation: str) -> Entry:
        number, first, before = (
            (head.number + 1, head.first + head.records, head.header) if head else (1, 0, NO_HEADER.hex())
        )
        link = Link(number, sha256(text).digest(), first, body.records, merkle.root_of(body.leaves))
        header = link.header(bytes.fromhex(before), installation).hex()
        event = from_canonical(text)
        entry = Entry(number, event, first, body.records, link.root.hex(), body.file, header)
        stored = {
            "event": text.decode(),
            "root": entry.root,
            "file": body.file,
            "header": header,
            "leaves": b"".join(body.leaves),
        }
        db.execute(_ADD, {"number": number, "first": first, "records": body.records, **searched(event), **stored})
        return entry

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that may append; on SQLite it alone may write, from its first question to its end."""
        with telling_faults(self.engine.url.render_as_string()), self.engine.begin() as db:
            if db.dialect.name == "sqlite":
                db.exec_driver_sql("BEGIN IMMEDIATE")
            yield db

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with telling_faults(self.engine.url.render_as_string()), self.engine.connect() as db:
            yield db


def _installation(db: sa.Connection) -> str:
    return _begun_as(db.execute(_BEGINNING).scalar_one().encode())


def _begun_as(text: bytes) -> str:
    return str(from_canonical(text)["objects"]["installation"])


def _entry(row: sa.Row[Any]) -> Entry:
    event = from_canonical(row.event.encode())
    return Entry(row.number, event, row.first, row.records, row.root, row.file, row.header)
