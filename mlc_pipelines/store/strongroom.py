"""What lies behind every credential: its record in the database, the ring that opens it, the anchor that knows the newest, the lock of who changes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from mlc_pipelines.store.anchor import Anchored, AnchorFile
from mlc_pipelines.store.dumps import keep_memory_private
from mlc_pipelines.store.fence import fence
from mlc_pipelines.store.ring import Key, KeyUnavailable, Ring, RingPlace
from mlc_pipelines.store.schema import credentials, installation
from mlc_pipelines.store.sealing import Row, as_anchored, opened, require_current

_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What may be told of a stored credential. made_by: "" where that was not written down yet."""

    name: str
    version: int
    key_id: str
    made_at: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Strongroom:
    """folder: where lock and anchor lie."""

    engine: sa.Engine
    place: RingPlace
    folder: Path

    def stored(self) -> list[Stored]:
        """Every credential, by name; nothing of it is opened."""
        with self.engine.connect() as db:
            rows = db.execute(credentials.select().order_by(credentials.c.name)).all()
        return [Stored(row.name, row.version, row.key_id, row.made_at, row.made_by) for row in rows]

    @property
    def installation(self) -> str:
        """The random name of this installation's database: a record of another one does not open here, even with the same ring."""
        with self.engine.connect() as db:
            return str(db.execute(sa.select(installation.c.name)).scalar_one())

    def open(self, row: Row, ring: Ring) -> bytes:
        """What a record holds."""
        return opened(row, ring, self.place.named, self.installation)

    @property
    def anchor(self) -> AnchorFile:
        return AnchorFile(self.folder / "credentials.anchor")

    @contextmanager
    def locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with fence(self.folder, "credentials", holder="a change of the credentials", wait_seconds=_WAIT_SECONDS):
            yield

    @contextmanager
    def changing(self) -> Iterator[tuple[Ring, dict[str, Anchored]]]:
        """Ring and anchor for a change; the anchor follows when the change stands in the database."""
        with self.locked():
            ring = self.ring_or_new(locked=True)
            before = self.anchor.opened(self.anchor.raw(), ring)
            anchored = dict(before)
            yield ring, anchored
            if anchored != before:
                self.anchor.write(anchored, ring)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, in which nobody else writes."""
        with self.engine.begin() as db:
            if self.engine.dialect.name == "sqlite":
                db.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver would begin only at the first change
            yield db

    def catch_up(self, name: str, *, locked: bool) -> None:
        """The anchor lags behind this row: a process was killed between the two, or another machine stored something."""
        if not locked:
            with self.locked():
                return self.catch_up(name, locked=True)
        raw, row, ring = self.anchor.raw(), self.row(name), self.ring()
        anchored = self.anchor.opened(raw, ring)
        if row is not None and require_current(name, row, anchored.get(name), ring):
            self.open(row, ring)  # only what an owner of the ring has written counts
            self.anchor.write({**anchored, name: as_anchored(row)}, ring)
        return None

    def require_all_current(self, ring: Ring) -> Ring:
        """The ring, when it opens every record and every one is the newest that was stored."""
        raw, rows = self.anchor.raw(), {row.name: row for row in self.rows()}
        anchored = self.anchor.opened(raw, ring)
        for name in rows.keys() | anchored.keys():
            require_current(name, rows.get(name), anchored.get(name), ring)
            if name in rows:
                self.open(rows[name], ring)
        return ring

    def row(self, name: str) -> Row | None:
        with self.engine.connect() as db:
            return db.execute(credentials.select().where(credentials.c.name == name)).first()

    def rows(self) -> list[Row]:
        with self.engine.connect() as db:
            return list(db.execute(credentials.select()).all())

    def ring(self) -> Ring:
        keep_memory_private()
        if (ring := self.place.read()) is None:
            raise KeyUnavailable(
                f"The key ring {self.place.named} is missing.",
                holds="The stored credentials cannot be opened without it; none was changed.",
                next_step="Put it back; if it is lost, `mlc secrets start-over`, and store all credentials again.",
            )
        return ring

    def ring_or_new(self, *, locked: bool = False) -> Ring:
        """The ring; a first one where nothing was ever stored."""
        keep_memory_private()
        if ring := self.place.read():
            return ring
        if not locked:
            with self.locked():
                return self.ring_or_new(locked=True)
        if self.stored() or self.anchor.raw() or not self.place.writable:
            return self.ring()
        self.place.write(Ring((Key.new(),)))
        return self.ring()
