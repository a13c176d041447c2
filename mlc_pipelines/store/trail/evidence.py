"""A part of the trail as plain files, which verify_pack.py checks on any machine that has Python: docs/audit-trail.md, "The pack"."""

import shutil
from collections.abc import Mapping, Sequence
from hashlib import file_digest, sha256
from itertools import takewhile
from pathlib import Path

from mlc_pipelines.store.trail import verify_pack
from mlc_pipelines.store.trail.canonical import to_canonical
from mlc_pipelines.store.trail.checkpoints import Checkpoint
from mlc_pipelines.store.trail.event import NO_HEADER
from mlc_pipelines.store.trail.trail import Entry, Proof, Trail

VERIFIER = "verify_pack.py"


def write_pack(
    trail: Trail,
    folder: Path,
    *,
    first: int,
    told: Sequence[int],
    checkpoint: Checkpoint | None,
    single: Mapping[int, Sequence[int]] | None = None,
    absent: Sequence[str] = (),
) -> None:
    """Entries from `first` to the checkpoint: those told with their events and all their records, the others by their hashes alone.

    single: records that are also proved one by one (counted from 0 within their entry), each with the lines of its leaf and its proof.
    checkpoint: None where nothing is told. absent: hashes of files that the events name and that were given up.
    """
    single = single or {}
    until = checkpoint.number if checkpoint else 0
    entries = list(takewhile(lambda one: one.number <= until, trail.entries(first=max(1, first - 1)))) if until else []
    before = entries.pop(0) if first > 1 else None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "start.json").write_bytes(_start(checkpoint.installation if checkpoint else "", before) + b"\n")
    (folder / "absent.json").write_bytes(to_canonical(sorted(absent)) + b"\n")
    (folder / "entries.jsonl").write_bytes(b"".join(_line(one, one.number in told) + b"\n" for one in entries))
    (folder / "checkpoints.jsonl").write_bytes(checkpoint.line() if checkpoint else b"")
    for entry in entries:
        if entry.number in told and trail.has_records(entry):
            _write_records(trail, entry, folder / "records")
        for record in single.get(entry.number, ()):
            _write_proof(trail.prove(entry, record), folder / "proofs")
    shutil.copyfile(verify_pack.__file__, folder / VERIFIER)


def write_manifest(folder: Path) -> None:
    """The hash of every file of the folder; the last thing to be written into a pack."""
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.name != "manifest.json")
    (folder / "manifest.json").write_bytes(
        to_canonical({one.relative_to(folder).as_posix(): _hash(one) for one in files}) + b"\n"
    )


def _start(installation: str, before: Entry | None) -> bytes:
    number, records, header = (
        (before.number, before.first + before.records, before.header) if before else (0, 0, NO_HEADER.hex())
    )
    return to_canonical(
        {"form": 1, "installation": installation, "number": number, "records": records, "header": header}
    )


def _line(entry: Entry, shown: bool) -> bytes:
    text = to_canonical(dict(entry.event))
    said = {"event": text.decode()} if shown else {"event_hash": sha256(text).hexdigest()}
    return to_canonical(
        {
            "number": entry.number,
            "first": entry.first,
            "records": entry.records,
            "root": entry.root,
            "header": entry.header,
            **said,
        }
    )


def _write_records(trail: Trail, entry: Entry, folder: Path) -> None:
    from mlc_pipelines.store.trail.records import lines_of, text_of

    folder.mkdir(exist_ok=True)
    with (folder / f"{entry.number}.jsonl").open("wb") as file:
        for table in trail.records(entry):
            for lines in lines_of(table):
                file.write(text_of(lines))


def _write_proof(proof: Proof, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    said = {
        "entry": proof.entry,
        "leaf": proof.leaf,
        "leaves": proof.leaves,
        "path": list(proof.path),
        "lines": proof.lines.decode(),
    }
    (folder / f"{proof.entry}-{proof.leaf}.json").write_bytes(to_canonical(said) + b"\n")


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
