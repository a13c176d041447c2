"""Which periods are no longer what was loaded: the ERP is asked what changed since the last look, and every touched period waits to be read again.

Three sources tell of changes, and all of them only name periods, for every load reads its period whole:

    changed batches    LastModifiedDateTime by the ERP's own clock, looked at again a little before the last look
    period status      a period that was closed and is open again, or that was closed since it was loaded
    push notifications what the ERP tells unasked (`mlc listen`)

A period waits from the moment a change was found until a load that began to read after it has agreed, or until its sign-off was looked into
(`flows.signoff`) and no figure had changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.steps import EXTRACT, IMPORT
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.ports import LedgerIdentity, LedgerPeriod
from mlc_pipelines.store import standings
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.marks import Mark

BATCHES, STATUS, CLOSED_IN_ERP = "changed batches", "period status", "period closed"
OVERLAP = timedelta(minutes=15)
CLOSED = frozenset({"Closed", "Locked"})
"""What an ERP calls a period that it has closed."""

_NOT_YET = "not open yet"
_AHEAD = timedelta(days=1)  # an ERP that only tells days may be on a later one than UTC


@dataclass(frozen=True)
class Look:
    """What one look found: the batches not seen before, what became of periods in the ERP, and from when to when the ERP was asked.

    beyond: the ERP's periods after the last one of the connection's calendar, by company.
    """

    since: datetime
    until: datetime
    batches: pd.DataFrame
    reopened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    beyond: Mapping[str, tuple[LedgerPeriod, ...]] = field(default_factory=dict)

    @property
    def ahead(self) -> pd.DataFrame:
        """Those of the batches that are dated later than the ERP's own now: wrong rows, or a wrong clock there (J10)."""
        found: pd.DataFrame = self.batches[self.batches["changed_at"] > self.until + _AHEAD]
        return found


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
    periods = {of.company: desk.ledger.read_periods(of.company) for of in books}
    statuses = {
        _place(one.key, company, books): one.status if one.readable else _NOT_YET
        for company, every in periods.items()
        for one in every
    }
    reopened, closed, opened = _turned(held, statuses)
    stamp = int(found.until.timestamp() * 1000)
    _write_down(desk, {standings.REOPENED: reopened, standings.CLOSED: closed, standings.OPENED: opened})
    unsettled = [key for key in closed if not _final(desk.store, desk.connection, key)]
    told = (
        (BATCHES, sorted(set(fresh["period"])), _names(fresh)),
        (CLOSED_IN_ERP, unsettled, unsettled),
        (STATUS, list(reopened), list(reopened)),
    )
    for source, keys, what in told:
        if keys:
            desk.store.notices.keep(desk.connection, source, _identity(since, what), stamp, keys)
    recent = [name for name, at in zip(names, found.batches["changed_at"], strict=True) if at > found.until - OVERLAP]
    desk.store.marks.move(desk.connection, BATCHES, found.until, recent, {"statuses": statuses, "cursor": found.cursor})
    beyond = {company: tuple(one for one in every if _after(desk, one)) for company, every in periods.items()}
    return Look(since, found.until, fresh, reopened, closed, opened, beyond)


def look_from(desk: Desk, since: datetime) -> None:
    """Have the next look begin at this moment of the ERP's clock. What it finds again only asks for a period to be read once more."""
    held = desk.store.marks.latest(desk.connection, BATCHES)
    facts = {**held.facts, "cursor": ""} if held else {"statuses": {}}
    desk.store.marks.move(desk.connection, BATCHES, since, (), facts)


def touched(store: Store, connection: str) -> list[Waiting]:
    """The periods whose newest known change lies after the beginning of the reading that was last loaded and agreed. No call is made."""
    newest: dict[str, Waiting] = {}
    for notice in store.notices.after(connection, 0):
        for period in notice.periods:
            newest[period] = Waiting(period, notice.source, notice.received_at, notice.number)
    return [one for _, one in sorted(newest.items()) if _after_agreed_reading(store, connection, one)]


def waiting(store: Store, connection: str) -> list[Waiting]:
    """Those of them that are to be read again: not where a look into the change showed that no figure differs."""
    return [one for one in touched(store, connection) if not _confirmed(store, connection, one)]


def _confirmed(store: Store, connection: str, one: Waiting) -> bool:
    rows = store.standings(connection).of_period(one.period)
    return any(row.state == standings.CONFIRMED and row.notice >= one.notice for row in rows)


def _after_agreed_reading(store: Store, connection: str, one: Waiting) -> bool:
    """Whether the change was told after the reading had begun that the model agreed with last; so is every change where there is none.

    By the order in which things were written down, not by our clock, which may have been set back in between (J05).
    """
    reading = store.history.latest_step(connection, EXTRACT, one.period)
    loaded = store.history.latest_step(connection, IMPORT, one.period)
    attempts = store.history.loads(connection, one.period)
    if reading is None or not attempts or attempts[-1].state != AGREED:
        return True
    taken_in = loaded.number > reading.number if loaded else attempts[-1].begun_at >= reading.made_at
    if not taken_in:  # read again since, and not loaded yet
        return True
    if "notice" in reading.facts:
        return bool(one.notice > reading.facts["notice"])
    return one.since >= str(reading.facts.get("begun_at", ""))


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


def _place(key: str, company: str, books: Sequence[LedgerIdentity]) -> str:
    return f"{key} {company}" if len(books) > 1 else key


def _turned(held: Mark | None, statuses: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Periods opened again, closed, and opened for the first time since the last look. Of several companies, any opens a period; only all close it."""
    if held is None or not held.facts["statuses"]:
        return (), (), ()
    before, now = _by_period(held.facts["statuses"]), _by_period(statuses)
    reopened = [
        key
        for key, told in now.items()
        if any(was in CLOSED and is_now == "Open" for was, is_now in _pairs(before, key, told))
    ]
    opened = [key for key, told in now.items() if any(was not in {*CLOSED, "Open"} and is_now == "Open" for was, is_now in _pairs(before, key, told))]  # fmt: skip
    closed = [key for key, told in now.items() if set(told.values()) <= CLOSED and not set(before.get(key, {"": "Closed"}).values()) <= CLOSED]  # fmt: skip
    return tuple(sorted(reopened)), tuple(sorted(closed)), tuple(sorted(opened))


def _by_period(statuses: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Period -> company ("" where there is one) -> status."""
    found: dict[str, dict[str, str]] = {}
    for name, status in statuses.items():
        key, _, company = name.partition(" ")
        found.setdefault(key, {})[company] = status
    return found


def _pairs(before: Mapping[str, Mapping[str, str]], key: str, told: Mapping[str, str]) -> list[tuple[str, str]]:
    """Status before ("" where the period is new) and now, of each company."""
    return [(before.get(key, {}).get(company, ""), status) for company, status in told.items()]


_SAID = {
    standings.REOPENED: "Opened again in the ERP.",
    standings.CLOSED: "Closed in the ERP.",
    standings.OPENED: "Opened in the ERP.",
}


def _write_down(desk: Desk, turned: Mapping[str, Sequence[str]]) -> None:
    """What the ERP did to periods. A look that was killed before its mark moved finds it again, and writes it down once."""
    kept = desk.store.standings(desk.connection)
    for state, keys in turned.items():
        for key in keys:
            of_erp = [row.state for row in kept.of_period(key) if row.state in _SAID]
            if of_erp[-1:] != [state]:
                kept.keep(key, state, _SAID[state])


def _final(store: Store, connection: str, period: str) -> bool:
    """Whether what agreed last was read from a closed period already."""
    agreed = [row.state for row in store.standings(connection).of_period(period) if row.load]
    return agreed[-1:] == [standings.FINAL]


def _after(desk: Desk, one: LedgerPeriod) -> bool:
    return one.start_on > desk.calendar.periods[-1].end_on.isoformat()
