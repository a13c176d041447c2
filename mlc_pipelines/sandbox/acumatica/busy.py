"""Colleagues at work: before every so-manyth list of journals somebody posts, changes or moves one, in the period that is asked for or beside it.

Switches `busy_every` and `busy_deeds`; the deeds come in turn. A batch is exchanged as a whole, so that no list shows half of a deed.
"""

import re
import uuid
from bisect import insort
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.company import Batch, Books, Line

_ASKED = re.compile(r"PostPeriod eq '(\d\d)-?(\d{4})'")
_LEDGER = "ACTUAL"


def stir(site: Site, asked: str) -> None:
    """One deed, if it is time for one. asked: the filter of the list that is about to be answered."""
    every, found = site.switches["busy_every"], _ASKED.search(asked)
    if not every or found is None:
        return
    with site.lock:
        site.busy_calls += 1
        if site.busy_calls % every == 0:
            number = site.busy_calls // every
            deeds = site.switches["busy_deeds"]
            _DEEDS[deeds[(number - 1) % len(deeds)]](site, f"FY{found[2]}-P{found[1]}", number)


def _insert(site: Site, period: str, number: int) -> None:
    """A journal of two lines, under the number after the last one or, every other time, in a gap far before it."""
    books, now = site.books, site.clock.now()
    last = books.next_number("GL")
    batch = Batch(
        module="GL",
        number=last if number % 2 else f"GL0{number:06d}",
        ledger=_LEDGER,
        branch="HQ",
        period=period,
        date=books.periods[period].end,
        status="Posted",
        description=f"Posted meanwhile {number}",
        currency=books.currency,
        created_at=now,
        modified_at=now,
        auto_reversing=False,
        original=None,
        lines=[Line(1, "6100", "010-000", "HQ", 100 + number, 0), Line(2, "1010", "010-000", "HQ", 0, 100 + number)],
        note_id=str(uuid.uuid4()),
    )
    insort(books.batches, batch, key=lambda one: one.sort_key)


def _change(site: Site, period: str, number: int) -> None:
    """Another cost center in the first line of a posted journal."""
    batch = _some(site.books, period, number)
    other = "020-000" if batch.lines[0].subaccount != "020-000" else "030-000"
    _exchange(site, batch, lines=[replace(batch.lines[0], subaccount=other), *batch.lines[1:]])


def _move(site: Site, period: str, number: int) -> None:
    """A posted journal gets the next period: as when it is reversed and entered again under the same number."""
    _exchange(site, _some(site.books, period, number), period=_beside(site.books, period, 1))


def _exchange(site: Site, batch: Batch, **changes: object) -> None:
    at = next(at for at, one in enumerate(site.books.batches) if one is batch)
    later = max(site.clock.now(), batch.modified_at + timedelta(seconds=1))
    site.books.batches[at] = replace(batch, modified_at=later, **changes)  # type: ignore[arg-type]


def _some(books: Books, period: str, number: int) -> Batch:
    posted = [batch for batch in books.batches_of(_LEDGER, period) if batch.status == "Posted"]
    return posted[number * 17 % len(posted)]


def _beside(books: Books, period: str, steps: int) -> str:
    """The period so many steps away; at the end of the calendar, the other way."""
    keys = sorted(books.periods)
    at = keys.index(period) + steps
    return keys[at] if 0 <= at < len(keys) else keys[keys.index(period) - steps]


def _next_door(deed: Callable[[Site, str, int], None]) -> Callable[[Site, str, int], None]:
    return lambda site, period, number: deed(site, _beside(site.books, period, 1 if number % 2 else -1), number)


_DEEDS: dict[str, Callable[[Site, str, int], None]] = {
    "insert": _insert,
    "insert beside": _next_door(_insert),
    "change": _change,
    "change beside": _next_door(_change),
    "move": _move,
    "move beside": _next_door(_move),
}
