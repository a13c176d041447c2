"""Events and records are appended, read again and proved, in SQLite and in Postgres alike."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.store.trail import merkle
from mlc_pipelines.store.trail.event import BEGUN
from mlc_pipelines.store.trail.records import leaves_of, lines_of, to_records
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.store.trail.samples import event, lines

WRITERS = """
import os, sys
from pathlib import Path
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.trail import body
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines_tests.store.trail.samples import event, lines
home, url, *names = sys.argv[1:]
begin, started = os.pipe()
for name in names:
    if not os.fork():  # what is imported once serves all four; each opens the database by itself
        os.close(started)
        trail = Trail.at(Path(home), open_engine(url))
        os.read(begin, 1)  # ends when the parent has started all of them
        for number in range(10):
            trail.append(event(run=name, note=str(number)), [lines(70)] if number % 5 == 0 else [])
        trail.checkpoint()
        os._exit(0)
os.close(started)
sys.exit(max(os.waitpid(-1, 0)[1] for _ in names))
"""


def test_what_was_appended_is_read_again(trail: Trail) -> None:
    """The first event is preceded by one that begins the trail; numbers have no gaps, records are counted through all entries."""
    first = trail.append(event("actuals_import", counts={"read": 200}, totals={"USD debit": 12045}), [lines(200)])
    second = trail.append(event("journal_posted", reference="MLC-1", period="FY2026-P04"))
    third = trail.append(event("actuals_import"), [lines(3), lines(4)])
    assert [1, 2, 3, 4] == [one.number for one in trail.entries()]
    assert [BEGUN, "actuals_import", "journal_posted", "actuals_import"] == [
        one.event["kind"] for one in trail.entries()
    ]
    assert (0, 200, 0, 7) == (first.first, second.first, second.records, third.records)
    assert {"USD debit": 12045} == first.event["totals"]
    assert [second] == list(trail.entries(reference="MLC-1"))
    assert [first, third] == list(trail.entries(connection="demo", kind="actuals_import"))
    assert third == trail.head()
    assert pa.concat_tables([lines(3), lines(4)]).to_pylist() == pa.concat_tables(trail.records(third)).to_pylist()
    assert Kind.CLEAN == verify(trail, full=True).kind


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail SET header = 'x' WHERE number = 2",
        "DELETE FROM trail WHERE number = 2",
    ],
)
def test_the_database_refuses_to_change_what_was_written(trail: Trail, statement: str) -> None:
    """By trigger, whoever asks; what was there stays."""
    trail.append(event())
    before = list(trail.entries())
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), trail.engine.begin() as db:
        db.exec_driver_sql(statement)
    assert before == list(trail.entries())


@pytest.mark.parametrize("number", ["3", "number + 9", "NULL"])
def test_sqlite_takes_the_next_number_only(filled: Trail, number: str) -> None:
    """INSERT OR REPLACE deletes without asking the trigger of deletions, so it is stopped before; so is a gap. Postgres knows no REPLACE."""
    rest = "connection, kind, period, reference, run, event, first, records, root, file, header, leaves"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), filled.engine.begin() as db:
        db.exec_driver_sql(f"INSERT OR REPLACE INTO trail SELECT {number}, {rest} FROM trail WHERE number = 3")


def test_a_writer_without_the_right_to_change_can_append(postgres_url: str, tmp_path: Path) -> None:
    """On Postgres the role that writes needs SELECT and INSERT, and nothing else; then it cannot even lift a trigger."""
    from mlc_pipelines.store.schema import open_engine

    owner = open_engine(postgres_url)
    with owner.begin() as db:
        db.exec_driver_sql("DROP ROLE IF EXISTS writer")
        db.exec_driver_sql("CREATE ROLE writer LOGIN")
        db.exec_driver_sql("GRANT SELECT, INSERT ON trail TO writer")
    engine = sa.create_engine(postgres_url.replace("tests@", "writer@"))
    trail = Trail.at(tmp_path, engine)
    trail.append(event(), [lines(10)])
    for statement in (
        "UPDATE trail SET run = 'x'",
        "DELETE FROM trail",
        "TRUNCATE trail",
        "ALTER TABLE trail DISABLE TRIGGER ALL",
    ):
        with pytest.raises(sa.exc.DBAPIError, match=r"permission denied|must be owner"), engine.begin() as db:
            db.exec_driver_sql(statement)
    assert Kind.CLEAN == verify(trail, full=True).kind
    engine.dispose()
    with owner.begin() as db:
        db.exec_driver_sql("DROP OWNED BY writer")
        db.exec_driver_sql("DROP ROLE writer")
    owner.dispose()


def test_L10_four_processes_append_at_once(trail: Trail, tmp_path: Path) -> None:
    """The chain is unbroken, nothing is lost, each writer's events stand in its own order, every checkpoint fits."""
    names = [f"writer {number}" for number in range(4)]
    command = [
        sys.executable,
        "-c",
        WRITERS,
        str(tmp_path),
        trail.engine.url.render_as_string(hide_password=False),
        *names,
    ]
    assert 0 == subprocess.run(command, timeout=120, check=False).returncode
    verdict = verify(trail, full=True)
    assert (Kind.CLEAN, 41, 4 * 2 * 70) == (verdict.kind, verdict.entries, verdict.records)
    assert 4 == len(trail.checkpoints.read()[0])
    for name in names:
        assert [str(number) for number in range(10)] == [one.event["note"] for one in trail.entries(run=name)]


def test_a_line_is_what_json_writes(trail: Trail) -> None:
    """Each record's line is the JSON array of its columns, whatever stands in its texts, and 64 of them make a leaf."""
    records = lines(200, seed=3)
    written = [line for part in lines_of(records) for line in part.to_pylist()]
    expected = [
        json.dumps(list(row.values()), ensure_ascii=False, separators=(",", ":")) + "\n" for row in records.to_pylist()
    ]
    assert expected == written
    leaf = hashlib.sha256(b"\0" + "".join(expected[64:128]).encode()).digest()
    assert (leaf, 4) == (leaves_of(records).all()[1], len(leaves_of(records).all()))


def test_how_records_are_cut_into_tables_does_not_matter(trail: Trail) -> None:
    """The same records in one table, in three, or in slices coded anew have the same root."""
    records = lines(300)
    parts = [
        records.slice(0, 7),
        records.slice(7, 193),
        to_records(pa.Table.from_pylist(records.slice(200).to_pylist()).cast(records.schema)),
    ]
    assert trail.append(event(), [records]).root == trail.append(event(), iter(parts)).root


@pytest.mark.parametrize("record", [0, 63, 64, 130, 199])
def test_one_record_is_proved(trail: Trail, record: int) -> None:
    """The lines around it and few hashes lead to the root in the entry's header."""
    entry = trail.append(event(), [lines(30), lines(170)])
    proof = trail.prove(entry, record)
    assert json.dumps(
        list(pa.concat_tables([lines(30), lines(170)]).slice(record, 1).to_pylist()[0].values()),
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode() in proof.lines.split(b"\n")
    assert (record // 64, 4, min(64, 200 - 64 * (record // 64))) == (proof.leaf, proof.leaves, proof.lines.count(b"\n"))
    here, place, width = hashlib.sha256(merkle.LEAF + proof.lines).digest(), proof.leaf, proof.leaves
    for beside in map(bytes.fromhex, proof.path):
        while place % 2 == 0 and place == width - 1:
            place, width = place // 2, (width + 1) // 2
        pair = beside + here if place % 2 else here + beside
        here, place, width = hashlib.sha256(merkle.NODE + pair).digest(), place // 2, (width + 1) // 2
    assert entry.root == here.hex()
    with pytest.raises(DataError, match="no number 200"):
        trail.prove(entry, 200)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"amount": [1]}, "no column amount"),
        ({"amount_minor": [1.5]}, "amount_minor .* type double"),
        ({"target": [None]}, "type null"),
        ({"target": ["A", None]}, "empty places"),
        ({"source_key": [1]}, "type int64"),
    ],
)
def test_what_is_no_record_is_refused(table: dict[str, list[object]], said: str) -> None:
    with pytest.raises(DataError, match=said):
        to_records(pa.table(table))


@pytest.mark.parametrize(
    "totals", [{"USD": 1.5}, {"USD": float("nan")}, {"USD": 1 << 63}, {1: 2}, {"a": "half \ud800"}]
)
def test_L11_an_event_without_a_canonical_form_is_refused(trail: Trail, totals: dict[str, int]) -> None:
    """No fraction, no NaN, no number past 64 bits, no half of a surrogate pair; nothing is written."""
    with pytest.raises(DataError):
        trail.append(event(totals=totals))
    assert trail.head() is None


def test_checkpoints_are_signed_and_told_in_short(trail: Trail) -> None:
    """The text for a journal is the first 16 digits of the head; a changed checkpoint is not genuine any more."""
    assert trail.checkpoint() is None
    entry = trail.append(event(), [lines(5)])
    signed = trail.checkpoint()
    assert signed
    assert entry.header[:16] == signed.short
    assert {
        "audit entries": 2,
        "audit records": 5,
        "audit head": entry.header,
        "audit signature": signed.signature,
    } == signed.metadata()
    assert signed.is_genuine()
    assert not replace(signed, records=6).is_genuine()
    assert not replace(signed, signature="zz").is_genuine()
    assert ([signed], []) == trail.checkpoints.read()
    assert 0o600 == trail.checkpoints.key_file.stat().st_mode & 0o777


def test_a_checkpoint_cut_off_by_a_crash_is_no_alarm(trail: Trail) -> None:
    """What only begins well witnesses nothing; the next one stands on a line of its own."""
    trail.append(event())
    first = trail.checkpoint()
    with trail.checkpoints.file.open("ab") as file:
        file.write(first.line()[:70])  # type: ignore[union-attr]
    second = trail.checkpoint()
    assert ([first, second], []) == trail.checkpoints.read()
    assert Kind.CLEAN == verify(trail).kind


def test_a_key_that_others_can_read_signs_nothing(trail: Trail) -> None:
    trail.append(event())
    trail.checkpoint()
    trail.checkpoints.key_file.chmod(0o644)
    with pytest.raises(SetupError, match="mode 0644"):
        trail.checkpoint()


def test_checkpoints_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: Trail) -> None:
    """Best where the database's owner cannot write."""
    monkeypatch.setenv("MLC_AUDIT_CHECKPOINTS", str(tmp_path / "other volume" / "heads.jsonl"))
    Trail.at(tmp_path / "home", filled.engine).checkpoint()
    assert (tmp_path / "other volume" / "heads.jsonl").read_text().count("\n") == 1


def test_no_records_have_no_lines() -> None:
    """A file of which somebody cut all records away is read like any other."""
    assert [] == list(lines_of(lines(3).slice(3)))
    assert 0 == leaves_of(pa.table(lines(3).schema.empty_table())).records
