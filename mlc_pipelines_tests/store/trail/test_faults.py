"""Faults of group I of the catalogue, as far as they concern the trail: a full disk, a broken file, a busy database, an older or newer version."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.trail.faults import AuditBrokenError, AuditBusyError, AuditFullError
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.store.older import migrate
from mlc_pipelines_tests.store.trail.samples import event, fill, lines, sqlite_trail

APPENDING = """
import sys
from pathlib import Path
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines_tests.store.trail.samples import event, lines
home = Path(sys.argv[1])
try:
    trail = Trail.at(home, open_engine(f"sqlite:///{{home / 'mlc.db'}}"))
    {before}
    for _ in range(int(sys.argv[2])):
        trail.append(event(), {records})
        print("appended", flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
"""


def appending(
    home: Path, times: int, *, records: str = "[]", before: str = "pass", under: tuple[str, ...] = ()
) -> list[str]:
    """What a process of its own says while it appends."""
    program = APPENDING.format(before=before, records=records)
    command = [*under, sys.executable, "-c", program, str(home), str(times)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout.split()


def test_I01_a_full_database_stops_the_work(home: Path) -> None:
    """What was written stays whole; the refused event is not there, and with room again the trail goes on."""
    trail = Trail.at(home, open_engine(f"sqlite:///{home / 'mlc.db'}"))
    with trail.engine.connect() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()

    @sa.event.listens_for(trail.engine, "begin")
    def full(db: sa.Connection) -> None:
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(AuditFullError, match="No room is left"):
        list(map(trail.append, [event(note="x" * 500)] * 200))
    held = trail.head()
    assert held
    assert Kind.CLEAN == verify(trail, full=True).kind
    trail.engine.dispose()
    assert held.number + 1 == sqlite_trail(home).append(event()).number


def test_I01_a_full_disk_under_the_files_stops_the_work(home: Path) -> None:
    """The kernel refuses the file of records; no entry names it."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    said = appending(home, 1, records="[lines(30_000)]", before=limit)
    assert ["AuditFullError"] == said
    assert (Kind.CLEAN, 8) == ((verdict := verify(sqlite_trail(home), full=True)).kind, verdict.entries)


@pytest.mark.parametrize(
    ("call", "error", "expected"),
    [("fsync,fdatasync", "EIO", "AuditBrokenError"), ("pwrite64", "ENOSPC", "AuditFullError")],
)
def test_I01_I02_the_kernel_refuses_to_write(home: Path, call: str, error: str, expected: str) -> None:
    """From some call on every one fails; the process stops at once, and what it said it appended is there."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = f"strace -f -qq -o /dev/null -e trace={call} -e inject={call}:error={error}:when=12+"
    said = appending(home, 50, under=tuple(trace.split()))
    assert expected == said[-1]
    assert 50 > said.count("appended")
    verdict = verify(sqlite_trail(home), full=True)
    assert Kind.CLEAN == verdict.kind
    assert verdict.entries in (
        8 + said.count("appended"),
        9 + said.count("appended"),
    )  # the refused one may have come through


def damaged(home: Path, offset: int, size: int) -> None:
    with (home / "mlc.db").open("r+b") as file:
        file.seek(offset)
        file.write(os.urandom(size))


def test_I04_a_damaged_database_is_named(home: Path) -> None:
    """Its header: it is no database any more. Checkpoints and records are not touched."""
    damaged(home, 0, 64)
    for work in (lambda: sqlite_trail(home).append(event()), lambda: verify(sqlite_trail(home))):
        with pytest.raises(AuditBrokenError, match=r"mlc\.db"):
            work()
    assert 2 == len(sqlite_trail(home).checkpoints.read()[0])


def test_I04_a_damaged_page_is_found(home: Path) -> None:
    """Any page that holds a part of the trail or of its indexes: broken by name, or told as tampered; never clean, never a crash."""
    with sqlite3.connect(home / "mlc.db") as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        pages = [
            page
            for (page,) in db.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'trail' AND rootpage > 0")
        ]
    db.close()
    whole = (home / "mlc.db").read_bytes()
    for page in pages:
        damaged(home, (page - 1) * size, size)
        try:
            assert Kind.TAMPERED == verify(sqlite_trail(home), full=True).kind
        except AuditBrokenError as error:
            assert "Restore the newest backup" in error.next_step  # noqa: PT017 - either way is right
        (home / "mlc.db").write_bytes(whole)


def test_I05_a_lost_journal_of_the_database_is_a_step_back(tmp_path: Path) -> None:
    """Entries that stood in the write-ahead log only: without it the database is whole, and behind its checkpoints."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    home.mkdir()
    engine = open_engine(f"sqlite:///{home / 'mlc.db'}")
    with engine.connect() as db:
        db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    fill(Trail.at(home, engine))
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("mlc.db-*"))
    engine.dispose()
    verdict = verify(sqlite_trail(copy))
    assert (Kind.BEHIND, 0) == (verdict.kind, verdict.entries)
    assert "the trail ends with entry 0; a checkpoint of" in str(verdict.findings[0])


def test_I07_a_busy_database_is_waited_for_and_then_named(home: Path) -> None:
    """Whoever holds it longer than the stated wait; nothing was written."""
    engine = open_engine(f"sqlite:///{home / 'mlc.db'}")

    @sa.event.listens_for(engine, "begin")
    def soon(db: sa.Connection) -> None:
        db.exec_driver_sql("PRAGMA busy_timeout = 200")

    with sqlite3.connect(home / "mlc.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AuditBusyError, match="WAITING"):
            Trail.at(home, engine).append(event())
        other.execute("ROLLBACK")
    other.close()
    engine.dispose()
    assert 8 == verify(sqlite_trail(home), full=True).entries


def test_I07_a_busy_postgres_is_named_too(postgres_url: str, tmp_path: Path) -> None:
    engine = open_engine(postgres_url)
    trail = Trail.at(tmp_path, engine)
    trail.append(event())

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def soon(_db: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> tuple[str, object]:
        return statement.replace("'30s'", "'200ms'"), parameters

    other = sa.create_engine(postgres_url)
    with other.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE trail IN EXCLUSIVE MODE")
        with pytest.raises(AuditBusyError, match="WAITING"):
            trail.append(event())
    other.dispose()
    assert 2 == verify(trail, full=True).entries
    engine.dispose()


def test_I08_an_older_database_gets_its_trail_and_a_newer_one_is_refused(tmp_path: Path) -> None:
    """The table and its guards are made in one transaction, beside what was there; from the future nothing is touched."""
    place = tmp_path / "mlc.db"
    migrate(f"sqlite:///{place}", "0009")
    trail = Trail.at(tmp_path, open_engine(f"sqlite:///{place}"))
    trail.append(event(), [lines(3)])
    assert Kind.CLEAN == verify(trail, full=True).kind
    with trail.engine.begin() as held:
        held.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    trail.engine.dispose()
    with pytest.raises(SetupError, match="9999"):
        open_engine(f"sqlite:///{place}")
