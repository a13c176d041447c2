"""Faults of group L of the catalogue, each by its id; who owns what; and what `mlc audit verify` makes of it."""

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.trail.event import PRUNED
from mlc_pipelines.store.trail.records import to_records
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines.store.trail.verify import Kind, Verdict, verify
from mlc_pipelines_tests.store.trail.mutations import change_records, owner, rewrite_all
from mlc_pipelines_tests.store.trail.samples import event, fill, lines


def told(verdict: Verdict) -> list[str]:
    return [str(one) for one in verdict.findings]


def places(verdict: Verdict) -> list[str]:
    return [one.where for one in verdict.findings]


@pytest.fixture
def lifted(trail: Trail) -> sa.Engine:
    """The database of an owner who lifted the triggers first."""
    fill(trail)
    with trail.engine.begin() as db:
        if db.dialect.name == "sqlite":
            for name in ("trail_no_update", "trail_no_delete", "trail_only_next"):
                db.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            db.exec_driver_sql("ALTER TABLE trail DISABLE TRIGGER ALL")
    return trail.engine


@pytest.mark.parametrize(("statement", "place"), [
    ("UPDATE trail SET event = replace(event, 'ann', 'bob') WHERE number = 4", "entry 4"),
    ("UPDATE trail SET period = 'FY2026-P04' WHERE number = 4", "entry 4"),
    ("UPDATE trail SET root = header WHERE number = 4", "entry 4"),
    ("UPDATE trail SET records = records + 1 WHERE number = 4", "entry 4"),
    ("UPDATE trail SET first = first - 1 WHERE number = 4", "entry 4"),
    ("UPDATE trail SET file = '../../etc/passwd' WHERE number = 3", "entry 3"),
    ("UPDATE trail SET number = number + 100 WHERE number = 4", "entry 4"),
    ("DELETE FROM trail WHERE number = 4", "entry 4"),
    ("DELETE FROM trail WHERE number IN (2, 3, 4)", "entries 2 to 4"),
])  # fmt: skip
def test_L01_L02_what_an_owner_of_the_database_changes_is_told_with_its_place(
    trail: Trail, lifted: sa.Engine, statement: str, place: str
) -> None:
    """In SQLite and in Postgres."""
    with lifted.begin() as db:
        db.exec_driver_sql(statement)
    verdict = verify(trail, full=True)
    assert Kind.TAMPERED == verdict.kind
    assert place in places(verdict)


def test_L01_a_changed_record_is_told_to_64_records(filled: Trail, home: Path) -> None:
    """Its file was written anew with one figure changed: the leaf that holds it no longer fits."""
    dice = next(
        random.Random(seed)
        for seed in range(99)
        if "of entry 3: change" in change_records(_copy(home, seed), random.Random(seed)).what
    )
    done = change_records(home, dice)
    first = int(done.what.split()[1]) // 64 * 64 + 1
    assert f"entry 3, records {first} to {min(first + 63, 200)}" in places(verify(filled, full=True))


def _copy(home: Path, seed: int) -> Path:
    place = home.parent / f"copy {seed}"
    shutil.copytree(home, place)
    return place


def test_L02_an_entry_missing_after_the_newest_checkpoint_is_found_by_the_tail(filled: Trail, home: Path) -> None:
    """The tail needs no full check."""
    for _ in range(3):
        filled.append(event(), [lines(3)])
    with owner(home) as db:
        db.execute("DELETE FROM trail WHERE number = 10")
    verdict = verify(filled)
    assert (9, ["entry 10: missing before entry 11"]) == (verdict.checked_from, told(verdict))


def test_L04_an_older_copy_is_behind_its_checkpoints(trail: Trail, tmp_path: Path) -> None:
    """Have and anchored are told; who never signed anything is told that nothing witnesses."""
    fill(trail)
    unsigned = Trail(trail.engine, trail.files, type(trail.checkpoints)(tmp_path / "none", tmp_path / "no key"))
    assert (Kind.CLEAN, 0) == ((verdict := verify(unsigned)).kind, verdict.anchored)
    other = open_engine(f"sqlite:///{tmp_path / 'older.db'}")
    verdict = verify(Trail(other, trail.files, trail.checkpoints), full=True)
    assert (Kind.BEHIND, ["entries 1 to 8"]) == (verdict.kind, places(verdict))
    assert "ends with entry 0" in told(verdict)[0]
    other.dispose()


def test_L05_the_place_lies_between_two_checkpoints(filled: Trail, home: Path) -> None:
    """What was written anew is narrowed down by the checkpoints around it; the tail alone finds it too."""
    dice = next(
        random.Random(seed)
        for seed in range(99)
        if rewrite_all(_copy(home, seed), random.Random(seed)).what.endswith(" 6")
    )
    rewrite_all(home, dice)
    assert ["entries 6 to 8"] == places(verify(filled, full=True)) == places(verify(filled))


def test_another_trail_is_told_from_a_changed_one(filled: Trail, tmp_path: Path) -> None:
    """A whole trail that is not the one of the checkpoints, and checkpoints signed by somebody else."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    engine = open_engine(f"sqlite:///{elsewhere / 'mlc.db'}")
    other = Trail.at(elsewhere, engine)
    fill(other, seed=1)
    mixed = Trail(engine, other.files, filled.checkpoints)
    assert (Kind.WRONG, ["entry 1"]) == ((verdict := verify(mixed)).kind, places(verdict))
    verdict = verify(filled, key=other.checkpoints.public_key())
    assert (Kind.WRONG, "checkpoint of entry 5") == (verdict.kind, verdict.findings[0].where)
    engine.dispose()


def test_L07_a_value_of_another_type_is_reported(filled: Trail, home: Path) -> None:
    with owner(home) as db:
        db.execute("UPDATE trail SET header = x'00ff' WHERE number = 3")
        db.execute("UPDATE trail SET leaves = 'a text', records = 'many' WHERE number = 5")
        db.execute("UPDATE trail SET event = CAST(x'c328' AS TEXT) WHERE number = 7")
    found = told(verify(filled, full=True))
    assert "entry 3: its header is bytes" in found
    assert {
        "entry 5: its leaves is a text that does not fit",
        "entry 5: its records is a text that does not fit",
    } <= set(found)
    assert "entry 7: its event is no Unicode" in found


def test_L08_missing_triggers_are_reported_at_every_start(trail: Trail, lifted: sa.Engine) -> None:
    """By the tail, on which every run begins; also where they were only disabled."""
    assert {"table trail"} == set(places(verify(trail)))
    if lifted.dialect.name != "sqlite":
        with lifted.begin() as db:
            db.exec_driver_sql("ALTER TABLE trail ENABLE TRIGGER ALL")
        assert [] == told(verify(trail))
        with lifted.begin() as db:
            db.exec_driver_sql(
                "CREATE OR REPLACE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
            )
        assert ["table trail: function trail_is_append_only is not what it was"] == told(verify(trail))


def test_L11_an_event_in_another_form_is_told_apart(filled: Trail, home: Path) -> None:
    with owner(home) as db:
        for number, put in (
            (2, '"attempt":1,"attempt":1'),
            (3, '"attempt":NaN'),
            (4, '"attempt": 1'),
            (5, '"attempt":"1"'),
        ):
            db.execute("UPDATE trail SET event = replace(event, '\"attempt\":1', ?) WHERE number = ?", (put, number))
    found = told(verify(filled, full=True))
    for number, said in (
        (2, "not in the canonical form"),
        (3, "holds NaN"),
        (4, "not in the canonical form"),
        (5, "fields of an event"),
    ):
        assert any(one.startswith(f"entry {number}: ") and said in one for one in found)


def test_records_that_were_pruned_are_no_alarm(filled: Trail, home: Path) -> None:
    """Retention gives files up, says so in the trail, and leaves the chain whole; what it does not name must still be there."""
    files = {entry.number: entry.file for entry in filled.entries() if entry.records}
    gone = pa.table({"source_key": [files[3], files[5]]})
    filled.append(event(PRUNED), [to_records(gone, source="kept files")])
    for number in (3, 5):
        filled.files.place(files[number]).unlink()
    verdict = verify(filled, full=True)
    assert (Kind.CLEAN, 2) == (verdict.kind, verdict.pruned)
    filled.files.place(files[7]).unlink()
    assert ["entry 7"] == places(verify(filled, full=True))


def test_a_word_of_pruning_that_names_no_file_excuses_none(filled: Trail) -> None:
    """Whoever may add to the trail cannot take whatever they like out of it by "up to here, all was pruned"."""
    filled.append(event(PRUNED, counts={"through": 5}))
    filled.files.place(next(filled.entries(first=3)).file).unlink()
    assert ["entry 3"] == places(verify(filled, full=True))


def test_records_that_were_kept_again_after_they_were_pruned_must_be_there(filled: Trail) -> None:
    """The word of an earlier pruning is of the entries before it."""
    table = lines(40, 99)
    file = filled.append(event(), [table]).file
    gone = pa.table({"source_key": [file]})
    filled.append(event(PRUNED), [to_records(gone, source="kept files")])
    again = filled.append(event(), [table])
    assert file == again.file
    filled.files.place(file).unlink()
    assert [f"entry {again.number}"] == places(verify(filled, full=True))


def run(home: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["audit", "verify", *arguments], env={"MLC_HOME": str(home), "MLC_DATABASE_URL": ""})
    return done.exit_code, done.output


def test_the_command_tells_kinds_by_its_exit_code(filled: Trail, home: Path, tmp_path: Path) -> None:
    """0 clean, 10 tampered with, 11 behind, 12 another trail; 2 stays wrong usage."""
    newest = filled.checkpoints.read()[0][-1]
    code, said = run(home, "--full", "--head", newest.short)
    assert (0, "clean: 8 entries, 395 records; looked at entries 1 to 8; a checkpoint witnesses the first 8.\n") == (
        code,
        said,
    )
    assert (0, True) == ((got := run(home))[0], "looked at nothing new" in got[1])
    assert 2 == run(home, "--head", "abc")[0]
    assert 11 == run(home, "--head", "0" * 16)[0]
    assert 2 == run(home, "--key", "0" * 63)[0]
    assert 12 == run(home, "--key", "0" * 64)[0]
    with owner(home) as db:
        db.execute("UPDATE trail SET run = 'other' WHERE number = 4")
    code, said = run(home, "--full", "--json")
    assert (10, "tampered", "entry 4") == (code, (facts := json.loads(said))["verdict"], facts["findings"][0]["where"])


def test_a_checkpoint_is_signed_by_hand(filled: Trail, home: Path) -> None:
    """Whoever writes the head down can hold the trail against it later."""
    filled.append(event())
    done = CliRunner().invoke(cli, ["audit", "checkpoint"], env={"MLC_HOME": str(home), "MLC_DATABASE_URL": ""})
    newest = filled.checkpoints.read()[0][-1]
    assert (0, f"9 entries, 395 records, head {newest.header}, key {newest.key}\n") == (done.exit_code, done.output)


def test_an_empty_home_is_clean(tmp_path: Path) -> None:
    assert (0, "clean: 0 entries, 0 records; looked at nothing new; no checkpoint witnesses any of them.\n") == run(
        tmp_path / "new", "--full"
    )


def test_the_database_itself_is_checked_when_all_is(filled: Trail, home: Path) -> None:
    """An index that lost a row shows no hash to be wrong."""
    with sqlite3.connect(home / "mlc.db") as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'kind', 'run') WHERE name = 'trail_by_place'")
    db.close()
    assert "database" in places(verify(filled, full=True))
