"""Old files are given up, and the trail stays whole: their hashes stay where they stand, and an event says which files were given up, when, by whom."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.clock import as_text
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.references import Reference, References
from mlc_pipelines.store.trail.event import PRUNED, Event
from mlc_pipelines.store.trail.records import to_records

GIVEN_UP = "GIVEN_UP"
_DAYS_A_MONTH = 30.436875  # of the Gregorian calendar
_IN_USE = timedelta(days=1)  # a file that was kept again since then may be part of a load under way


@dataclass(frozen=True, slots=True)
class Old:
    """A file that may be given up. entries: numbers of those of the audit trail whose records it holds; none for other files."""

    digest: str
    what: str
    period: str
    made_at: str
    size: int
    entries: tuple[int, ...] = ()


def before(months: int, now: datetime) -> str:
    """The moment that is so many months ago, as the store writes moments."""
    return as_text(now - timedelta(days=months * _DAYS_A_MONTH))


def prunable(store: Store, connection: str, until: str, now: datetime) -> list[Old]:
    """Files of the connection that are older than that and that nothing needs any more, oldest first.

    Kept are: whatever is younger; files of a period that did not agree when it was loaded last, or that was never loaded; of one in which a journal
    is not at its end; what the next load or posting begins with; and whatever another connection still needs.
    """
    references = References(store.engine)
    settled = references.settled(connection) | {""}
    of_file: dict[str, list[Reference]] = defaultdict(list)
    for one in references.all():
        of_file[one.digest].append(one)
    old = [
        Old(digest, named[-1].what, named[-1].period, named[-1].made_at, size)
        for digest, named in of_file.items()
        if all(_done(one, connection, settled, until) for one in named)
        and (size := _idle(store, digest, now)) is not None
    ]
    return sorted([*old, *_old_records(store, connection, settled, until)], key=lambda one: (one.made_at, one.digest))


def _done(one: Reference, connection: str, settled: set[str], until: str) -> bool:
    return not one.needed and one.connection == connection and one.made_at < until and one.period in settled


def _idle(store: Store, digest: str, now: datetime) -> int | None:
    """The size of a kept file that nobody has kept again just now; None where there is none."""
    place = store.artefacts.place(digest)
    if not place.is_file():
        return 0 if store.artefacts.elsewhere and store.artefacts.elsewhere.holds(f"{digest[:2]}/{digest}") else None
    status = place.stat()
    return status.st_size if datetime.fromtimestamp(status.st_mtime, UTC) < now - _IN_USE else None


def _old_records(store: Store, connection: str, settled: set[str], until: str) -> list[Old]:
    """Records of the audit trail. Those that say what was given up are never given up themselves."""
    trail, needed = store.trail, set()
    free: dict[str, Old] = {}
    for one in trail.entries():
        own, kind, period, at = (one.event[name] for name in ("connection", "kind", "period", "at"))
        if own != connection or kind == PRUNED or at >= until or period not in settled:
            needed.add(one.file)
        elif one.records and (place := trail.files.place(one.file)).is_file():
            others = free[one.file].entries if one.file in free else ()  # the same records, moved more than once
            numbers = (*others, one.number)
            free[one.file] = Old(one.file, f"records of {kind}", period, at, place.stat().st_size, numbers)
    return [one for digest, one in free.items() if digest not in needed]


def prune(store: Store, connection: str, old: Sequence[Old], *, months: int, who: str) -> int:
    """Give these files up; returns the number of the event that says so. The event is durable before the first of them is removed.

    Its records name each file, and where it holds records of the trail, the entry as `source_line`, so that an auditor can tell given up from taken away.
    Cut short, the same command goes on. A file that was kept again meanwhile stays.
    """
    if not old:
        raise DataError(
            f"{connection}: nothing is older than {months} months and given free.",
            holds="Nothing was removed.",
            next_step="Nothing needs to be done: each period is shown by the same command once it is old enough.",
        )
    rows = [(one, number) for one in old for number in one.entries or (None,)]
    table = pa.table(
        {
            "source_key": [one.digest for one, _ in rows],
            "source_line": pa.array([number for _, number in rows], pa.int64()),
            "target": [one.what for one, _ in rows],
            "modified_at": [one.made_at for one, _ in rows],
        }
    )
    reason = f"older than {months} months"
    records = to_records(table, source="kept files", outcome=GIVEN_UP, reason=reason)
    counts = {"files": len(old), "bytes": sum(one.size for one in old)}
    event = Event(PRUNED, connection, GIVEN_UP, who, query={"keep": f"{months} months"}, counts=counts)
    entry = store.trail.append(event, [records])
    note = f"{reason}; by {who} at {entry.event['at']}, entry {entry.number} of the audit trail"
    now = datetime.now(UTC)
    for one in old:
        if one.entries:
            store.trail.files.give_up(one.digest, note)
        elif _idle(store, one.digest, now) is not None:
            store.artefacts.give_up(one.digest, note)
    store.trail.checkpoint()
    return entry.number
