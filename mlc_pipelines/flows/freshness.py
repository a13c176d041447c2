"""Which fiscal periods should have been loaded by now, by the close calendar, and were not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlc_pipelines.flows.signoff import FINAL, loaded_as_then, sign_off
from mlc_pipelines.ledger.closing import OPEN, CloseCalendar, Due
from mlc_pipelines.ledger.troubles import LATE, Trouble
from mlc_pipelines.store.clock import as_text
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store

_LOOKED_BACK = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Late:
    """A period whose newest moment has passed by more than the grace, without a load that agreed since. agreed_at: the last one that did, "" for none."""

    due: Due
    agreed_at: str

    def said(self, close: CloseCalendar) -> str:
        what = "open period" if self.due.step == OPEN else self.due.step
        at = self.due.at.astimezone(close.zone)
        last = (
            f"it agreed last on {self.agreed_at[:16].replace('T', ' ')} UTC"
            if self.agreed_at
            else "it has never agreed"
        )
        return (
            f"{self.due.period} should have been loaded on {at:%a %Y-%m-%d %H:%M} ({what}, {self.due.figures}); {last}."
        )


def late(store: Store, connection: str, close: CloseCalendar, now: datetime, grace: timedelta) -> list[Late]:
    """In fiscal order. Nothing is expected of a connection before its first load has agreed, nor of a period whose final figures agree already."""
    first = store.history.first_agreed(connection)
    if not first:
        return []
    since = max(now - _LOOKED_BACK, datetime.fromisoformat(first))
    newest = {due.period: due for due in close.between(since, now - grace)}
    found = []
    for key in close.fiscal.keys:
        if key in newest:
            agreed_at = _agreed_at(store, connection, key)
            if agreed_at < as_text(newest[key].at) and sign_off(store, connection, key).state != FINAL:
                found.append(Late(newest[key], agreed_at))
    return found


def late_troubles(connection: str, found: Sequence[Late], close: CloseCalendar) -> list[Trouble]:
    next_step = f"Look at the newest run of the period in Dagit, or load it by hand: `mlc load {connection} PERIOD`. Is the schedule {connection}_close on?"
    return [Trouble(LATE, one.due.period, one.said(close), next_step) for one in found]


def _agreed_at(store: Store, connection: str, period: str) -> str:
    """When the newest load began that agreed with the ERP; a later one that did not agree does not make it older, and kept figures do not make it newer."""
    kept = loaded_as_then(store.standings(connection).of_period(period))
    agreed = (one for one in store.history.loads(connection, period) if one.state == AGREED and one.id not in kept)
    return max((one.begun_at for one in agreed), default="")
