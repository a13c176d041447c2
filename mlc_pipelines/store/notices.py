"""What an ERP told us unasked, kept before it is answered: each notice once, in the order in which it arrived."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import notices


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """number grows with arrival: whoever remembers the last one seen misses none, in whatever order the sender sent them."""

    number: int
    source: str
    stamp: int
    periods: tuple[str, ...]
    received_at: str


@dataclass(frozen=True, slots=True)
class Notices:
    engine: sa.Engine

    def keep(self, connection: str, source: str, notice: str, stamp: int, periods: Sequence[str]) -> bool:
        """Write it down durably; False when it was here already."""
        row = {"connection": connection, "source": source, "notice": notice, "stamp": stamp}
        kept = {
            "periods": json.dumps(list(periods)),
            "received_at": timestamp(),
        }
        try:
            with self.engine.begin() as db:
                db.execute(notices.insert().values(**row, **kept))
        except sa.exc.IntegrityError:
            return False
        return True

    def newest(self, connection: str) -> int:
        """The number of the newest notice of a connection; 0 before the first."""
        of_connection = sa.select(sa.func.max(notices.c.id)).where(notices.c.connection == connection)
        with self.engine.connect() as db:
            return int(db.execute(of_connection).scalar() or 0)

    def after(self, connection: str, number: int) -> list[KeptNotice]:
        """The notices of one connection that arrived after that number, in order of arrival."""
        newer = (notices.c.connection == connection) & (notices.c.id > number)
        with self.engine.connect() as db:
            rows = db.execute(notices.select().where(newer).order_by(notices.c.id)).all()
        return [
            KeptNotice(row.id, row.source, row.stamp, tuple(json.loads(row.periods)), row.received_at) for row in rows
        ]
