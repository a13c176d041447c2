"""What somebody might do to a trail who owns the database, its files, or both. Each takes a home and a die, and says what must be reported."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.trail import body
from mlc_pipelines.store.trail.canonical import to_canonical
from mlc_pipelines.store.trail.event import Link
from mlc_pipelines.store.trail.records import RECORD

COLUMNS = ["number", "connection", "kind", "period", "reference", "run", "event", "first", "records", "root", "file", "header", "leaves"]  # fmt: skip
SIGNED = (5, 8)
"""Entries of the sample trail (samples.fill) of which a checkpoint was signed; it has 8."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and what a finding must say: its kind, and a part of its place."""

    what: str
    where: str
    kind: str = "tampered"


@contextmanager
def owner(home: Path) -> Iterator[sqlite3.Connection]:
    """The database as its owner has it: triggers are lifted, and put up again so that nothing shows."""
    db = sqlite3.connect(home / "mlc.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")  # whoever tampers has no fear of power cuts, and tests have better to do
    guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    try:
        yield db
    finally:
        for _, made_by in guards:
            db.execute(made_by)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


def change_event(home: Path, dice: random.Random) -> Done:
    """One field of one event says something else, in the canonical form."""
    with owner(home) as db:
        number = dice.randrange(1, 9)
        event = json.loads(db.execute("SELECT event FROM trail WHERE number = ?", (number,)).fetchone()[0])
        field = dice.choice(["outcome", "who", "note", "at", "attempt", "counts"])
        event[field] = {"str": "else", "int": 99, "dict": {"read": 12345}}[type(event[field]).__name__]
        db.execute("UPDATE trail SET event = ? WHERE number = ?", (to_canonical(event).decode(), number))
    return Done(f"{field} of event {number}", f"entry {number}")


def change_column(home: Path, dice: random.Random) -> Done:
    """One column of one entry holds something else of the right type."""
    with owner(home) as db:
        number, column = dice.randrange(1, 9), dice.choice([*COLUMNS[1:6], "first", "records", "root", "header"])
        held = db.execute(f"SELECT {column} FROM trail WHERE number = ?", (number,)).fetchone()[0]
        digit = dice.choice([one for one in "0123456789abcdef" if one != str(held)[:1]])
        value = held + dice.choice([1, -1, 64, 1 << 40]) if isinstance(held, int) else digit + held[1:]
        db.execute(f"UPDATE trail SET {column} = ? WHERE number = ?", (value, number))
    return Done(f"{column} of entry {number}: {held!r} to {value!r}", f"entry {number}")


def change_type(home: Path, dice: random.Random) -> Done:
    """L07: a value of another type, or text that is no Unicode."""
    with owner(home) as db:
        number, column = dice.randrange(1, 9), dice.choice(COLUMNS[1:])
        held = db.execute(f"SELECT typeof({column}) FROM trail WHERE number = ?", (number,)).fetchone()[0]
        values = {"real": "1.5", "blob": "x'00ff'", "text": "'a text'", "no text": "CAST(x'c328' AS TEXT)"}
        kind = dice.choice([one for one in values if one != held and not (held == "text" and one == "real")])
        db.execute(f"UPDATE trail SET {column} = {values[kind]} WHERE number = ?", (number,))
    return Done(f"{column} of entry {number} became {kind}", f"entry {number}")


def not_canonical(home: Path, dice: random.Random) -> Done:
    """L11: the same meaning or nearly so in another form: a key twice, NaN, a fraction, a space, another order."""
    forms: list[Callable[[str], str]] = [
        lambda text: text.replace('"attempt":1', '"attempt":1,"attempt":1'),
        lambda text: text.replace('"attempt":1', '"attempt":NaN'),
        lambda text: text.replace('"attempt":1', '"attempt":1.0'),
        lambda text: text.replace('"attempt":1', '"attempt": 1'),
        lambda text: text.replace('"attempt":1', '"attempt":true'),
        lambda text: text.replace('"who":"ann"', '"who":"\\u0061nn"'),
        lambda text: "{" + ",".join(reversed(text[1:-1].split(',"')))[:-1] + "}",
        lambda text: text + "\n",
        lambda text: "\ufeff" + text,
        lambda text: "[" * 5000,
        lambda text: "",
    ]
    with owner(home) as db:
        number = dice.randrange(1, 9)
        text = db.execute("SELECT event FROM trail WHERE number = ?", (number,)).fetchone()[0]
        db.execute("UPDATE trail SET event = ? WHERE number = ?", (dice.choice(forms)(text), number))
    return Done(f"event {number} in another form", f"entry {number}")


def delete_entries(home: Path, dice: random.Random) -> Done:
    """L02: one or several entries in the middle are gone."""
    with owner(home) as db:
        low = dice.randrange(1, 7)
        high = dice.randrange(low, 7)
        db.execute("DELETE FROM trail WHERE number BETWEEN ? AND ?", (low, high))
    return Done(f"entries {low} to {high} deleted", f"entry {low}" if low == high else f"entries {low} to {high}")


def insert_entry(home: Path, dice: random.Random) -> Done:
    """A copy of an entry stands between others, which move up; or before the first, or without a number of its own."""
    with owner(home) as db:
        copied, place = dice.randrange(1, 9), dice.choice([-4, 0, *range(2, 9)])
        row = db.execute("SELECT * FROM trail WHERE number = ?", (copied,)).fetchone()
        if place > 0:
            for number in range(8, place - 1, -1):
                db.execute("UPDATE trail SET number = number + 1 WHERE number = ?", (number,))
        db.execute(f"INSERT INTO trail VALUES ({', '.join('?' * len(row))})", (place, *row[1:]))
    odd = place + 1 if copied == place else place  # a copy in front of its own original: that one is the second
    return Done(f"a copy of {copied} inserted at {place}", f"entry {odd}")


def reorder_entries(home: Path, dice: random.Random) -> Done:
    with owner(home) as db:
        one, other = sorted(dice.sample(range(1, 9), 2))
        for old, new in ((one, 99), (other, one), (99, other)):
            db.execute("UPDATE trail SET number = ? WHERE number = ?", (new, old))
    return Done(f"entries {one} and {other} exchanged", f"entry {one}")


def _with_records(home: Path, dice: random.Random) -> tuple[int, Path, pa.Table]:
    with sqlite3.connect(home / "mlc.db") as db:
        number = dice.choice([one for (one,) in db.execute("SELECT number FROM trail WHERE records > 0")])
        file = db.execute("SELECT file FROM trail WHERE number = ?", (number,)).fetchone()[0]
    db.close()
    path = home / "audit" / "records" / file[:2] / file
    return number, path, pa.concat_tables(body.read(path))


def flip_in_file(home: Path, dice: random.Random) -> Done:
    """L01: one bit of a file of records."""
    number, path, _ = _with_records(home, dice)
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.chmod(0o600)
    path.write_bytes(content)
    return Done(f"a bit of the file of entry {number}", f"entry {number}")


def cut_file(home: Path, dice: random.Random) -> Done:
    number, path, _ = _with_records(home, dice)
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[: dice.randrange(len(content))])
    return Done(f"the file of entry {number} cut", f"entry {number}")


def delete_file(home: Path, dice: random.Random) -> Done:
    number, path, _ = _with_records(home, dice)
    path.unlink()
    return Done(f"the file of entry {number} deleted", f"entry {number}")


def change_records(home: Path, dice: random.Random) -> Done:
    """L01, L02: a record is changed, deleted, doubled or moved, and the file written anew; under its old name, or under its new one, which the entry then names."""
    number, path, table = _with_records(home, dice)
    rows = table.to_pylist()
    at, way = dice.randrange(len(rows)), dice.choice(["change", "delete", "double", "move"])
    if way == "move" and (len(rows) < 2 or rows[at] == rows[(at + 1) % len(rows)]):
        way = "change"
    if way == "change":
        column = dice.choice(RECORD.names)
        rows[at][column] = rows[at][column] + "x" if isinstance(rows[at][column], str) else (rows[at][column] or 0) + 1
    elif way == "delete":
        del rows[at]
    elif way == "double":
        rows.insert(at, rows[at])
    else:
        rows.insert(0 if at else len(rows), rows.pop(at))
    changed = pa.Table.from_pylist(
        rows,
        schema=pa.schema([(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type) for one in RECORD]),
    ).cast(RECORD)
    _put(home, number, path, changed, dice)
    first = 1 if way == "move" else at // 64 * 64 + 1
    return Done(
        f"record {at} of entry {number}: {way}",
        f"entry {number}, records {first} to " if way == "change" else f"entry {number}",
    )


def _put(home: Path, number: int, path: Path, table: pa.Table, dice: random.Random) -> None:
    if dice.random() < 0.5:
        path.chmod(0o600)
        pq.write_table(table, path)
        return
    file, _ = body.keep([table], Artefacts(home / "audit" / "records"))
    with owner(home) as db:
        db.execute("UPDATE trail SET file = ? WHERE number = ?", (file, number))


def change_leaves(home: Path, dice: random.Random) -> Done:
    with owner(home) as db:
        number = dice.choice([one for (one,) in db.execute("SELECT number FROM trail WHERE records > 0")])
        leaves = bytearray(db.execute("SELECT leaves FROM trail WHERE number = ?", (number,)).fetchone()[0])
        leaves[dice.randrange(len(leaves))] ^= 1
        db.execute("UPDATE trail SET leaves = ? WHERE number = ?", (bytes(leaves), number))
    return Done(f"a leaf hash of entry {number}", f"entry {number}")


def drop_trigger(home: Path, dice: random.Random) -> Done:
    """L08."""
    db = sqlite3.connect(home / "mlc.db", isolation_level=None)
    name = dice.choice(["trail_no_update", "trail_no_delete", "trail_only_next"])
    db.execute(f"DROP TRIGGER {name}")
    if dice.random() < 0.5:
        db.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON trail WHEN 0 BEGIN SELECT 1; END")
    db.close()
    return Done(f"{name} dropped", "table trail")


def change_checkpoint(home: Path, dice: random.Random) -> Done:
    """A checkpoint says something else than was signed."""
    file = home / "audit" / "checkpoints.jsonl"
    signed = [json.loads(line) for line in file.read_bytes().splitlines()]
    one = dice.choice(signed)
    field = dice.choice(["number", "records", "header", "at", "signature"])
    one[field] = one[field] + 1 if isinstance(one[field], int) else one[field][::-1]
    file.write_bytes(b"".join(to_canonical(each) + b"\n" for each in signed))
    return Done(f"{field} of a checkpoint", "checkpoint of entry")


def delete_checkpoints(home: Path, dice: random.Random) -> Done:
    (home / "audit" / "checkpoints.jsonl").unlink()
    return Done("no checkpoint left", "checkpoints")


def cut_tail(home: Path, dice: random.Random) -> Done:
    """L04: whole in itself."""
    with owner(home) as db:
        last = dice.randrange(0, 8)
        db.execute("DELETE FROM trail WHERE number > ?", (last,))
    return Done(f"cut after {last}", f"entries {last + 1} to 8", "behind the anchor")


def rewrite_all(home: Path, dice: random.Random) -> Done:
    """L05: an entry is changed, and every hash after it computed again: whole in itself."""
    with owner(home) as db:
        changed = dice.randrange(1, 9)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in db.execute("SELECT * FROM trail ORDER BY number")]
        installation = json.loads(rows[0]["event"])["objects"]["installation"]
        before = bytes.fromhex(rows[changed - 2]["header"]) if changed > 1 else bytes(32)
        for row in rows[changed - 1 :]:
            if row["number"] == changed:
                row["event"] = to_canonical({**json.loads(row["event"]), "note": "as I would have it"}).decode()
            before = _chained(row, before, installation)
            db.execute(
                "UPDATE trail SET event = ?, header = ? WHERE number = ?", (row["event"], row["header"], row["number"])
            )
    low = next((after + 1 for after in reversed(SIGNED) if after < changed), 1)
    return Done(f"written anew from {changed}", f"entries {low} to {next(one for one in SIGNED if one >= changed)}")


def _chained(row: dict[str, Any], before: bytes, installation: str) -> bytes:
    link = Link(
        row["number"], sha256(row["event"].encode()).digest(), row["first"], row["records"], bytes.fromhex(row["root"])
    )
    header = link.header(before, installation)
    row["header"] = header.hex()
    return header


MUTATIONS: dict[str, Callable[[Path, random.Random], Done]] = {
    one.__name__: one
    for one in (
        change_event, change_column, change_type, not_canonical, delete_entries, insert_entry, reorder_entries, flip_in_file, cut_file,
        delete_file, change_records, change_leaves, drop_trigger, change_checkpoint, delete_checkpoints, cut_tail, rewrite_all,
    )
}  # fmt: skip


def copied(source: Path, home: Path) -> Path:
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source, home)
    return home


def image_of(home: Path) -> dict[str, bytes]:
    """Every file of a home whose database nobody has open; of that only the trail's table, which alone matters here."""
    db = sqlite3.connect(home / "mlc.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE")
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'trail'").fetchall():
        db.execute(f"DROP TABLE {table}")
    db.execute("VACUUM")
    db.close()
    return {str(one.relative_to(home)): one.read_bytes() for one in home.rglob("*") if one.is_file()}


def restored(image: dict[str, bytes], home: Path) -> Path:
    """The home as it was: what differs is written anew, and what came in addition is gone. Far quicker than a copy."""
    for one in [one for one in home.rglob("*") if one.is_file()]:
        if str(one.relative_to(home)) not in image:
            one.unlink()
    for name, content in image.items():
        file = home / name
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.unlink(missing_ok=True)
            file.write_bytes(content)
            file.chmod(0o600)
    return home
