"""Histories of postings that were cut off, as texts: what the database held, and what the books. Recorded once for each revision of the database and kept.

python -m mlc_pipelines_tests.posting.record   (writes recorded/REVISION/; what was recorded before stays as it is)
"""

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlc_pipelines.flows.posting import post_once
from mlc_pipelines.ledger.drafts import DraftLine
from mlc_pipelines.ledger.ports import ReadJournal
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.store.schema import REVISION, open_engine
from mlc_pipelines_tests.posting.books import FINE, KILLED_AFTER, KILLED_BEFORE, Killed, SmallBooks
from mlc_pipelines_tests.posting.conftest import Clock, desk_of
from mlc_pipelines_tests.posting.samples import DRAFT, approved

RECORDED = Path(__file__).parent / "recorded"
REQUESTS = ("look", "create", "look-again", "read-back", "release", "look-at-it", "read-it")


def record(folder: Path) -> None:
    """One history for each request of a posting at which a process can be killed: before it leaves, and after it was carried out."""
    folder.mkdir(parents=True)
    for at, request in enumerate(REQUESTS):
        for fault in (KILLED_BEFORE, KILLED_AFTER):
            with tempfile.TemporaryDirectory() as place:
                database = Path(place) / "mlc.db"
                books = SmallBooks(faults=[*[FINE] * at, fault])
                engine = open_engine(f"sqlite:///{database}")
                try:
                    post_once(
                        DRAFT, approved(DRAFT), desk_of(Postings(engine, "demo", "r.diaz", "run-1"), books, Clock())
                    )
                except Killed:
                    engine.dispose()
                with closing(sqlite3.connect(database)) as db:
                    _write(folder / f"{at}-{request}-{fault.replace(' ', '-')}.json", db, books)
                    schema = "\n".join(line for line in db.iterdump() if not line.startswith("INSERT INTO"))
                    (folder / "schema.sql").write_text(f"{schema}\n")


def _write(place: Path, db: sqlite3.Connection, books: SmallBooks) -> None:
    db.row_factory = sqlite3.Row
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {table: [dict(row) for row in db.execute(f'SELECT * FROM "{table}"')] for table in tables}
    said = {
        "rows": {table: found for table, found in rows.items() if found},
        "journals": {str(number): asdict(one) for number, one in books.journals.items()},
        "last_number": books.last_number,
    }
    place.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def histories() -> Iterator[Path]:
    yield from sorted(RECORDED.glob("*/*.json"))


def restored(history: Path, database: Path) -> tuple[dict[str, Any], SmallBooks]:
    """The database as it was, at its own revision, and the books; and what was recorded."""
    said = json.loads(history.read_text())
    with closing(sqlite3.connect(database)) as db:
        db.executescript(history.with_name("schema.sql").read_text())
        for table, rows in said["rows"].items():
            for row in rows:
                names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
                db.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(row.values()))
        db.commit()
    journals = {int(number): _journal(one) for number, one in said["journals"].items()}
    return said, SmallBooks(journals=journals, last_number=said["last_number"])


def _journal(said: dict[str, Any]) -> ReadJournal:
    return ReadJournal(**{**said, "lines": tuple(DraftLine(**line) for line in said["lines"])})


if __name__ == "__main__":
    if (RECORDED / REVISION).exists():
        sys.exit(f"{RECORDED / REVISION} was recorded already.")
    record(RECORDED / REVISION)
