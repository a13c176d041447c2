"""Records of a load written to the audit trail, and a trail of them verified; by every contender as one JSON array per record, hashed.

Ours: store.trail, columns to canonical lines, a hash for 64 of them, Parquet. The others: a row of SQLite per record in one transaction, chained by
a hash per record, which is what one would write first. Our bytes per record are told with the result (goal: at most 100).
"""

import hashlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlc_pipelines_tests.bench import period
from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
CELLS, BATCHES_OF, BYTES_AT_MOST = 24_000, 8, 100


def append_bench(records: int) -> Bench:
    return Bench(
        "audit",
        f"write {records:,} records to the audit trail",
        __name__,
        {"records": records},
        (
            Contender("mlc_pipelines", "ours"),
            Contender("sqlite, a row and a hash a record", "sqlite_rows", (Goal("cpu_seconds", times=3),)),
        ),
    )


def events_bench(events: int) -> Bench:
    """Intents, each on the disk before the next thing is done: what a posting waits for before it sends."""
    plain = Contender("sqlite, a row a commit", "events_plain", (Goal("wall_seconds", times=1 / 4),))
    return Bench(
        "audit-events",
        f"write down {events:,} events, each of them durable",
        __name__,
        {"events": events},
        (Contender("mlc_pipelines", "events_ours"), plain),
    )


def load_bench(server: Mapping[str, Any], lines: int) -> Bench:
    """A whole load with the trail's records of it, beside the same load without them: they may cost 15 % of it."""
    without = Contender(
        "the same without its records", "load_without_records", (Goal("whole_cpu_seconds", times=1 / 1.15),)
    )
    return Bench(
        "audit-load",
        f"load a period of {lines:,} lines, each of them recorded",
        __name__,
        {"info": server["info"], "url": server["url"]},
        (Contender("mlc load", "load_with_records"), without),
        before=lambda: {"home": period.fresh_start(server)},
    )


def load_with_records(setting: Mapping[str, Any]) -> Work:
    return period.ours(setting)


def load_without_records(setting: Mapping[str, Any]) -> Work:
    from mlc_pipelines.flows import attempts
    from mlc_pipelines.store.trail.trail import NO_BODY

    work = period.ours(setting)
    attempts._records = lambda *_given: NO_BODY  # the bench alone can do without
    return work


def verify_bench(records: int) -> Bench:
    return Bench(
        "audit-verify",
        f"verify a trail of {records:,} records",
        __name__,
        {"records": records},
        (
            Contender("mlc_pipelines", "ours_verified"),
            Contender("sqlite, a row and a hash a record", "sqlite_verified", (Goal("cpu_seconds", times=1),)),
        ),
    )


def ours(setting: Mapping[str, Any]) -> Work:
    from mlc_pipelines.store.schema import open_engine
    from mlc_pipelines.store.trail import body
    from mlc_pipelines.store.trail.event import Event
    from mlc_pipelines.store.trail.records import lines_of, text_of, to_records
    from mlc_pipelines.store.trail.trail import Trail

    home, columns = Path(tempfile.mkdtemp(prefix="bench-")), _columns(setting["records"])
    trail = Trail.at(home, open_engine(f"sqlite:///{home / 'mlc.db'}"))
    assert body, "loaded before the clock runs"

    def work() -> Any:
        return trail, trail.append(Event("actuals_import", "demo", "AGREED", "bench"), [to_records(columns, **SAME)])

    def summary(done: Any) -> Mapping[str, Any]:
        digest = hashlib.sha256()
        for table in trail.records(done[1]):
            for lines in lines_of(table):
                digest.update(text_of(lines))
        size = trail.files.path(done[1].file).stat().st_size
        return {
            "records": done[1].records,
            "digest": digest.hexdigest()[:16],
            "small": size / done[1].records <= BYTES_AT_MOST,
        }

    return work, summary


def events_ours(setting: Mapping[str, Any]) -> Work:
    from mlc_pipelines.store.schema import open_engine
    from mlc_pipelines.store.trail.event import Event
    from mlc_pipelines.store.trail.trail import Trail

    home = Path(tempfile.mkdtemp(prefix="bench-"))
    trail = Trail.at(home, open_engine(f"sqlite:///{home / 'mlc.db'}"))

    def work() -> float:
        return _slow_end(
            lambda at: trail.append(Event("journal", "demo", "INTENT", "bench", reference=f"MLC-{at}")), setting
        )

    return work, lambda slow: _told(slow, {"events": sum(1 for _ in trail.entries(kind="journal"))})


def events_plain(setting: Mapping[str, Any]) -> Work:
    db = sqlite3.connect(Path(tempfile.mkdtemp(prefix="bench-")) / "rows.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, reference TEXT)")

    def work() -> float:
        return _slow_end(lambda at: db.execute("INSERT INTO events VALUES (?, ?)", (at, f"MLC-{at}")), setting)

    return work, lambda slow: _told(slow, {"events": db.execute("SELECT count(*) FROM events").fetchone()[0]})


def _slow_end(write: Callable[[int], object], setting: Mapping[str, Any]) -> float:
    """Write so many, one after the other; how long 99 in 100 of them take at most, in seconds."""
    taken = []
    for at in range(setting["events"]):
        begun = time.perf_counter()
        write(at)
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[len(taken) * 99 // 100]


def _told(slow: float, figures: Mapping[str, Any]) -> Mapping[str, Any]:
    sys.stderr.write(f"99 in 100 took at most {slow * 1000:.1f} ms\n")
    return figures


def ours_verified(setting: Mapping[str, Any]) -> Work:
    from mlc_pipelines.store.trail.verify import verify

    trail, _ = ours(setting)[0]()
    return lambda: verify(trail, full=True), lambda verdict: {
        "records": verdict.records,
        "clean": verdict.kind == "clean",
    }


def sqlite_rows(setting: Mapping[str, Any]) -> Work:
    rows, place = _columns(setting["records"]).to_pylist(), Path(tempfile.mkdtemp(prefix="bench-")) / "rows.db"

    def work() -> Path:
        db = sqlite3.connect(place)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE records (number INTEGER PRIMARY KEY, line TEXT, hash BLOB)")
        db.executemany("INSERT INTO records VALUES (?, ?, ?)", _chained(rows))
        db.commit()
        db.close()
        return place

    def summary(place: Path) -> Mapping[str, Any]:
        digest, count = hashlib.sha256(), 0
        with sqlite3.connect(place) as db:
            for (line,) in db.execute("SELECT line FROM records ORDER BY number"):
                digest.update(line.encode())
                count += 1
        return {"records": count, "digest": digest.hexdigest()[:16], "small": True}

    return work, summary


def sqlite_verified(setting: Mapping[str, Any]) -> Work:
    place = sqlite_rows(setting)[0]()

    def work() -> Mapping[str, Any]:
        before, count, clean = b"", 0, True
        for line, held in sqlite3.connect(place).execute("SELECT line, hash FROM records ORDER BY number"):
            before = hashlib.sha256(before + line.encode()).digest()
            clean, count = clean and before == held, count + 1
        return {"records": count, "clean": clean}

    return work, lambda result: result


SAME = {"source": "acumatica JournalTransaction", "mapping": "3f2a" * 16, "currency": "USD", "outcome": "LOADED"}
_ORDER = (
    "source", "source_key", "source_line", "modified_at", "mapping", "target",
    "amount_minor", "before_minor", "after_minor", "currency", "outcome", "reason",
)  # fmt: skip


def _chained(rows: list[dict[str, Any]]) -> Iterator[tuple[int, str, bytes]]:
    before, empty = b"", {**dict.fromkeys(_ORDER, ""), **SAME, "before_minor": None}
    for number, row in enumerate(rows):
        said = {**empty, **row}
        line = json.dumps([said[name] for name in _ORDER], ensure_ascii=False, separators=(",", ":")) + "\n"
        before = hashlib.sha256(before + line.encode()).digest()
        yield number, line, before


def _columns(records: int) -> Any:
    """Lines of batches of some eight lines, each with its cell and its amount, as a load has them in memory."""
    import numpy as np
    import pyarrow as pa

    dice = np.random.default_rng(2026)
    batch, cell = np.arange(records, dtype=np.int32) // BATCHES_OF, dice.integers(0, CELLS, records, dtype=np.int32)
    batches, amount = int(batch[-1]) + 1, dice.integers(-5_000_000, 5_000_000, records)
    after = np.zeros(CELLS, np.int64)
    np.add.at(after, cell, amount)
    at = [
        f"2026-03-{1 + n % 28:02d}T{n % 24:02d}:{n % 60:02d}:{n * 7 % 60:02d}.{n * 37 % 1000:03d}+00:00"
        for n in range(batches)
    ]
    coded = {
        "source_key": (batch, [f"GL GL{number:06d}" for number in range(batches)]),
        "modified_at": (batch, at),
        "target": (cell, [f"A{1000 + 10 * (n // 60):04d}|CC_{10 + n % 60 * 10:03d}|FY2026-P03" for n in range(CELLS)]),
    }
    table = {name: pa.DictionaryArray.from_arrays(pa.array(codes), texts) for name, (codes, texts) in coded.items()}
    return pa.table(
        {
            **table,
            "source_line": np.arange(records) % BATCHES_OF + 1,
            "amount_minor": amount,
            "after_minor": after[cell],
        }
    )
