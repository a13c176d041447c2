"""Which batches of the ledger changed since a moment of the site's own clock: late, back-dated, reversed or edited ones.

Read in closed windows of LastModifiedDateTime, without paging by position: a batch that changes while we read moves to a later window and is
seen there, at the next look at the latest [S Parameter_top; the recipe of acumatica.md 3.8].
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.ports import CHANGES, Changes

_ENTITY = "JournalTransaction"
_SELECT = "Module,BatchNbr,LedgerID,PostPeriod,Status,LastModifiedDateTime"
_WINDOW = timedelta(days=7)
# One reading only: with offset, fractions of up to seven digits [C recorded responses show three]. A time without offset would be the user's zone, or the site's.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")


def read_changes(site: Connection, books: Books, since: datetime) -> Changes:
    """The posted batches of the ledger changed after `since`, in order of change.

    A batch dated later than the site's own now (a wrong row, 2099) is told like any other and never moves the mark: what changes until then would be
    missed (J10). So a mark that lies ahead of that now counts as now.

    Raises DataError naming the batch for a time without offset or a period that cannot be read.
    """
    until = site.now() or since
    since = min(since, until)
    rows = [row for window in _windows(since, until) for row in _read(site, books, *window)]
    frame = pd.DataFrame(rows, columns=CHANGES).drop_duplicates().sort_values(["changed_at", "batch"])
    return Changes(until, frame.reset_index(drop=True))


def _windows(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    """Neighbouring windows; the last one is open, for what the site changes while we read."""
    start = since
    while start + _WINDOW < until:
        yield start, start + _WINDOW
        start += _WINDOW
    yield start, None


def _read(
    site: Connection, books: Books, after: datetime, until: datetime | None
) -> Iterator[tuple[str, str, datetime]]:
    within = f" and LastModifiedDateTime le {_literal(until)}" if until else ""
    where = f"LastModifiedDateTime gt {_literal(after)}{within} and LedgerID eq '{books.ledger}' and Status eq 'Posted'"
    for batch in site.list(_ENTITY, wire.Batch, select=_SELECT, where=where):
        name = f"{batch.module.value} {batch.number.value}"
        if batch.ledger.value != books.ledger or batch.status.value != "Posted":
            raise DataError(
                f"{_ENTITY} {name} came as {batch.status.value} of ledger {batch.ledger.value}, asked for were posted ones of {books.ledger}.",
                holds="Nothing was marked as changed.",
                next_step="Ask the Acumatica administrator whether the endpoint was changed.",
            )
        yield name, periods.to_key(batch.period.value, f"{_ENTITY} {name}"), moment(batch.last_modified.value, name)


def moment(text: str | None, batch: str) -> datetime:
    """A time the site wrote, in UTC. Raises DataError for one that could be read in two ways (D08)."""
    if not _TIME.fullmatch(text or ""):
        raise DataError(
            f"{_ENTITY} {batch} has LastModifiedDateTime {text!r}, which does not say its offset from UTC.",
            holds="Nothing was marked as changed.",
            next_step="Ask the Acumatica administrator whether the endpoint was changed; load the periods in question by hand meanwhile.",
        )
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def _literal(at: datetime) -> str:
    return f"datetimeoffset'{at.isoformat(timespec='milliseconds')}'"
