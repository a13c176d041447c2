"""Small trails as a few loads leave them behind."""

import random
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from mlc_pipelines.store.trail.event import Event
from mlc_pipelines.store.trail.records import to_records
from mlc_pipelines.store.trail.trail import Trail


def event(kind: str = "actuals_import", **said: object) -> Event:
    return Event(kind, "demo", "AGREED", "ann", **{"period": "FY2026-P03", "run": "r1", **said})  # type: ignore[arg-type]


def lines(count: int, seed: int = 0) -> pa.Table:
    """Posted lines and the cells they went into; some of their texts are unfriendly."""
    dice = random.Random(seed)
    keys = ["GL GL000123", 'AP "quoted"', "back\\slash", "tab\tand\nfeed", "Zürich 東京 \U0001f4b6", "", "\x7f\u2028"]
    amounts = [dice.randrange(-(10**12), 10**12) for _ in range(count)]
    table = pa.table(
        {
            "source_key": [dice.choice(keys) for _ in range(count)],
            "source_line": pa.array([dice.choice([None, number]) for number in range(count)], pa.int64()),
            "modified_at": [f"2026-03-{1 + number % 28:02d}T10:00:00+00:00" for number in range(count)],
            "target": pa.array(
                [f"A{1000 + number % 7}|CC_010|FY2026-P03" for number in range(count)]
            ).dictionary_encode(),
            "amount_minor": amounts,
            "after_minor": pa.array([sum(amounts)] * count, pa.int64()),
        }
    )
    return to_records(table, source="acumatica JournalTransaction", mapping="3f2a", currency="USD", outcome="LOADED")


def fill(trail: Trail, seed: int = 0, entries: int = 7, *, only: int = 0) -> None:
    """Events with and without records, a checkpoint in the middle and one at the end. only: the one event, counted from 0, that has records; every second one unless given."""
    for number in range(entries):
        size = (200, 65, 130, 1, 64)[(number // 2 + seed) % 5]
        records = [lines(size, seed + number)] if (number == only if only else number % 2) else []
        trail.append(event(counts={"read": number}, note=f"load {number}"), records)
        if number == entries // 2:
            trail.checkpoint()
    trail.checkpoint()


def sqlite_trail(home: Path) -> Trail:
    """The trail of a home whose database was made before; every question opens the file anew, so that a test may exchange it."""
    engine = sa.create_engine(f"sqlite:///{home / 'mlc.db'}", poolclass=sa.NullPool)
    return Trail.at(home, engine)
