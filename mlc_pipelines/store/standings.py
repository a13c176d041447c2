"""What became of each period: when its figures agreed, what the ERP did to it, and when and why its sign-off was suspended. Nothing is ever changed or taken away."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import standings

PROVISIONAL, FINAL = "PROVISIONAL", "FINAL"
"""An agreement: while the period was open in the ERP, or once it was closed there."""
AS_THEN = "AS_THEN"
"""No agreement: a load brought kept figures of an earlier one, and the ERP was not asked."""
SUSPENDED, CONFIRMED = "SUSPENDED", "CONFIRMED"
"""An agreement does not hold any more; or was looked at again, and no figure had changed."""
OPENED, CLOSED, REOPENED = "OPENED", "CLOSED", "REOPENED"
"""What the ERP did to the period."""
NEW_YEAR, NO_YEAR = "NEW YEAR", "NO YEAR"
"""Of a fiscal year instead of a period: it appeared in the ERP; or could not be taken over, or is lacking."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that became of a period. number grows: whoever remembers the last one seen misses none.

    load: the attempt that agreed. notice: the newest notice of a change that was considered. reading: fingerprint of the figures that agreed.
    changes: file with the journals that differ from them, "" where there is none.
    """

    number: int
    period: str
    state: str
    note: str
    at: str
    load: int = 0
    notice: int = 0
    reading: Mapping[str, Any] = field(default_factory=dict)
    changes: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Standings:
    """Of one connection."""

    engine: sa.Engine
    connection: str

    def keep(
        self,
        period: str,
        state: str,
        note: str,
        *,
        load: int = 0,
        notice: int = 0,
        reading: Mapping[str, Any] | None = None,
        changes: str = "",
        run: str = "",
    ) -> Standing:
        row = {"connection": self.connection, "period": period, "state": state, "note": note, "at": timestamp()}
        row |= {"changes": changes, "run": run, "reading": json.dumps(reading or {}, sort_keys=True)}
        with self.engine.begin() as db:
            result = db.execute(standings.insert().values(load=load, notice=notice, **row))
        number = int(result.inserted_primary_key[0])  # type: ignore[index]
        return Standing(number, period, state, note, row["at"], load, notice, reading or {}, changes, run)

    def of_period(self, period: str) -> list[Standing]:
        """All that became of it, oldest first."""
        return self._read(standings.c.period == period)

    def after(self, number: int) -> list[Standing]:
        """What became of any period after that, oldest first: for whoever tells people of it."""
        return self._read(standings.c.id > number)

    def _read(self, which: sa.ColumnElement[bool]) -> list[Standing]:
        wanted = standings.select().where(standings.c.connection == self.connection, which).order_by(standings.c.id)
        with self.engine.connect() as db:
            rows = db.execute(wanted).all()
        return [
            Standing(
                *(row.id, row.period, row.state, row.note, row.at, row.load, row.notice),
                json.loads(row.reading),
                row.changes,
                row.run,
            )
            for row in rows
        ]
