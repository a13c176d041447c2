"""Which periods changed: Kinetic dates no change of the ledger to the second, but numbers each version of a row (SysRevID).

A number is given out when a row is written and becomes visible when it is committed, so a slow transaction appears "in the past"
[C SUG]. Each look therefore begins a margin below the highest number that was seen, and the cursor says which numbers of that margin were
seen already: nothing is told twice, and nothing that comes late is missed. Rows that vanish are not seen by any cursor [C SUG]; a posted
line never does.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from mlc_pipelines.epicor import columns, wire
from mlc_pipelines.epicor.codec import Books, day, key_of
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.lines import POSTED
from mlc_pipelines.epicor.odata import both, feed_of, highest_revision, moment, pages, some, text
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.ports import CHANGES, Changes

_SOMEWHERE_EARLIER = timedelta(days=1)
_CURSOR = re.compile(r"(\d{1,19})(?:\+([0-9a-f]+))?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to mark everything was seen; above it, these numbers were."""

    mark: int
    seen: frozenset[int] = frozenset()

    def __str__(self) -> str:
        """The mark, and the numbers above it as bits."""
        bits = sum(1 << (number - self.mark - 1) for number in self.seen)
        return f"{self.mark}+{bits:x}" if bits else str(self.mark)

    @classmethod
    def of(cls, said: str) -> "Cursor":
        """Raises DataError for a text that is none of ours."""
        if not (match := _CURSOR.fullmatch(said)):
            raise DataError(
                f"{said[:40]!r} is not a cursor of Epicor's changes.",
                holds="Nothing was marked as changed.",
                next_step="Begin anew from a day: `mlc watch --since`.",
            )
        mark, bits = int(match[1]), int(match[2] or "0", 16)
        return cls(mark, frozenset(mark + 1 + at for at in range(bits.bit_length()) if bits >> at & 1))

    @classmethod
    def behind(cls, mark: int, highest: int, seen: Collection[int], margin: int) -> "Cursor":
        """Where the next look begins, never before mark."""
        mark = max(mark, highest - margin)
        return cls(mark, frozenset(number for number in seen if number > mark))


def cursor_now(site: Connection, books: Books) -> str:
    """The cursor behind everything that can be seen now. What it leaves out by mistake is only told once more."""
    entity, where, margin = wire.LINE_KEYS, _of_book(books), site.config.revision_margin
    feed = feed_of(site, entity, where=where, of=f"book {books.ledger}")
    highest = highest_revision(site, feed)
    mark = max(highest - margin, 0)
    seen = [row.revision for row in some(site, feed.narrowed(f"SysRevID gt {mark}"), max(margin, 2))]
    return str(Cursor.behind(mark, max(seen, default=highest), seen, margin))


def read_changes(site: Connection, books: Books, since: datetime, cursor: str) -> Changes:
    """Posted journals with a line that was written since the cursor; without one, with a line that was posted on the day before
    `since` or later, for the server's day may begin later than that of UTC.

    changed_at is the day of posting, which is all that Kinetic tells; a line that is matched or reconciled is told as well [I].
    """
    begun = Cursor.of(cursor) if cursor else None
    # Without a cursor it is taken before anything is read: what is posted meanwhile is told by the next look.
    onward = "" if begun else cursor_now(site, books)
    narrowed = f"SysRevID gt {begun.mark}" if begun else f"PostedDate ge {moment((since - _SOMEWHERE_EARLIER).date())}"
    rows: set[tuple[str, str, datetime]] = set()
    seen: set[int] = set()
    for line in _lines(site, books, narrowed):
        seen.add(line.revision)
        if begun is None or line.revision not in begun.seen:
            rows.add((f"{line.journal} {line.journal_number}", key_of(line), _posted_at(line, since)))
    frame = pd.DataFrame(sorted(rows), columns=CHANGES).sort_values(["changed_at", "batch"], ignore_index=True)
    until = site.now() or since
    if begun:
        known = seen | begun.seen
        onward = str(Cursor.behind(begun.mark, max(known, default=begun.mark), known, site.config.revision_margin))
    return Changes(max(until, since), frame, onward)


def _lines(site: Connection, books: Books, narrowed: str) -> Iterator[wire.JournalKey]:
    feed = feed_of(site, wire.LINE_KEYS, where=both(_of_book(books), POSTED, narrowed), of=f"book {books.ledger}")
    for page in pages(site, feed):

        def where(row: int, page: list[wire.JournalKey] = page) -> str:
            return f"Journal {page[row].journal} {page[row].journal_number} line {page[row].line}"

        columns.require_of(page, books, None, where)
        columns.require_only([row.posted for row in page], {True}, "Posted", where)
        yield from page


def _of_book(books: Books) -> str:
    return both(f"BookID eq {text(books.ledger)}", f"FiscalCalendarID eq {text(books.calendar)}")


def _posted_at(line: wire.JournalKey, since: datetime) -> datetime:
    """The beginning of the day of posting, in UTC; where none is told, the moment that was asked about."""
    said = day(line.posted_on)
    return datetime.fromisoformat(said).replace(tzinfo=UTC) if said else since.astimezone(UTC)
