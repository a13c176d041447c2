"""Which periods are no longer what was loaded: the ERP is asked what changed since the last look, and every touched period waits to be read again.

Three sources tell of changes, and all of them only name periods, for every load reads its period whole:

    changed batches    LastModifiedDateTime by the ERP's own clock, looked at again a little before the last look
    period status      a period that was closed and is open again
    push notifications what the ERP tells unasked (`mlc listen`)

A period waits from the moment a change was found until a load that began to read after it has agreed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.steps import EXTRACT
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.marks import Mark

BATCHES, STATUS = "changed batches", "period status"
OVERLAP = timedelta(minutes=15)
_CLOSED = {"Closed", "Locked"}


@dataclass(frozen=True)
class Look:
    """What one look found: the batches not seen before, the periods opened again, and from when to when the ERP was asked."""

    since: datetime
    until: datetime
    batches: pd.DataFrame
    reopened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A period to be read again, the newest reason, and the number of the notice that says so."""

    period: str
    reason: str
    since: str
    notice: int


def look(desk: Desk) -> Look:
    """Ask the ERP what changed since the last look, and write down the periods that it touches before the mark moves.

    Killed between the two, the next look finds the same again and writes down nothing twice. The first look begins where the oldest loaded
    period was read, so that nothing posted since is missed; where nothing was loaded yet, now.
    """
    held = desk.store.marks.latest(desk.connection, BATCHES)
    since = held.until if held else _beginning(desk)
    cursor = held.facts.get("cursor", "") if held else _first_cursor(desk)
    found = desk.ledger.read_changes(since - OVERLAP, cursor)
    names = _names(found.batches)
    known = pd.Series(names, dtype=str).isin(held.seen if held else ())
    fresh = found.batches[~known].reset_index(drop=True)
    books = desk.ledger.identities()
    statuses = {
        f"{one.key} {of.company}" if len(books) > 1 else one.key: one.status
        for of in books
        for one in desk.ledger.read_periods(of.company)
    }
    reopened = _reopened(held, statuses)
    stamp = int(found.until.timestamp() * 1000)
    told = ((BATCHES, sorted(set(fresh["period"])), _names(fresh)), (STATUS, list(reopened), list(reopened)))
    for source, periods, what in told:
        if periods:
            desk.store.notices.keep(desk.connection, source, _identity(since, what), stamp, periods)
    recent = [name for name, at in zip(names, found.batches["changed_at"], strict=True) if at > found.until - OVERLAP]
    desk.store.marks.move(desk.connection, BATCHES, found.until, recent, {"statuses": statuses, "cursor": found.cursor})
    return Look(since, found.until, fresh, reopened)


def look_from(desk: Desk, since: datetime) -> None:
    """Have the next look begin at this moment of the ERP's clock. What it finds again only asks for a period to be read once more."""
    held = desk.store.marks.latest(desk.connection, BATCHES)
    facts = {**held.facts, "cursor": ""} if held else {"statuses": {}}
    desk.store.marks.move(desk.connection, BATCHES, since, (), facts)


def waiting(store: Store, connection: str) -> list[Waiting]:
    """The periods whose newest known change lies after the beginning of the reading that was last loaded and agreed. No call is made."""
    newest: dict[str, Waiting] = {}
    for notice in store.notices.after(connection, 0):
        for period in notice.periods:
            newest[period] = Waiting(period, notice.source, notice.received_at, notice.number)
    return [one for _, one in sorted(newest.items()) if one.since >= _agreed_reading(store, connection, one.period)]


def _agreed_reading(store: Store, connection: str, period: str) -> str:
    """When the reading began that the model agreed with last; "" when there is none: everything is then newer."""
    reading = store.history.latest_step(connection, EXTRACT, period)
    attempts = store.history.loads(connection, period)
    if reading is None or not attempts or attempts[-1].state != AGREED or attempts[-1].begun_at < reading.made_at:
        return ""
    return str(reading.facts.get("begun_at", ""))


def _beginning(desk: Desk) -> datetime:
    """Where the first look begins: the earliest of the newest readings of all periods, by the ERP's clock; now, where nothing was read yet."""
    readings = [desk.store.history.latest_step(desk.connection, EXTRACT, key) for key in desk.calendar.keys]
    told = [one.facts["read_at"] for one in readings if one and one.facts.get("read_at")]
    if told:
        return datetime.fromisoformat(min(told))
    if (now := desk.ledger.now()) is None:
        raise SetupError(
            "The ERP does not say what time it is there (its answers have no Date header), so nobody can tell what changed since.",
            holds="Nothing was marked as changed.",
            next_step="Have the proxy in front of the site pass its Date header on.",
        )
    return now


def _first_cursor(desk: Desk) -> str:
    """Where the ERP's numbers stood when the oldest of the newest readings began; "" for an ERP that dates its changes."""
    readings = [desk.store.history.latest_step(desk.connection, EXTRACT, key) for key in desk.calendar.keys]
    told = [one.facts for one in readings if one and one.facts.get("cursor")]
    return str(min(told, key=lambda facts: facts["begun_at"])["cursor"]) if told else desk.ledger.cursor()


def _names(batches: pd.DataFrame) -> list[str]:
    return [f"{batch} {at.isoformat()}" for batch, at in zip(batches["batch"], batches["changed_at"], strict=True)]


def _identity(since: datetime, what: list[str]) -> str:
    """The same for the same finding after the same mark: a look that was killed before its mark moved is told once; one more change is told anew."""
    return sha256("\n".join([since.isoformat(), *what]).encode()).hexdigest()


def _reopened(held: Mark | None, statuses: dict[str, str]) -> tuple[str, ...]:
    before = held.facts["statuses"] if held else {}
    opened = {name for name, status in before.items() if status in _CLOSED and statuses.get(name) == "Open"}
    return tuple(sorted({name.partition(" ")[0] for name in opened}))
