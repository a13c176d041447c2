"""Everything together: page, tables, files, a part of the audit trail with its proofs, the small verifier, and the hash of each. The same holdings give the same bytes."""

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import pyarrow.compute as pc

from mlc_pipelines.flows.evidence.contents import Contents, gather
from mlc_pipelines.flows.evidence.page import page_of
from mlc_pipelines.flows.evidence.tables import csv_of, tables_of
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail import evidence
from mlc_pipelines.store.trail.checkpoints import Checkpoint
from mlc_pipelines.store.trail.trail import Entry, Trail

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold: a pack says nothing of when it was made
_README = """Evidence of {connection}, fiscal period {period}

index.html      for people: what was read, sent, compared and approved
tables/         the same and more, as CSV for a spreadsheet
files/          every file as it was read, sent or received, byte by byte; each is named after its own SHA-256
entries.jsonl, records/, proofs/, checkpoints.jsonl, start.json, absent.json
                the part of the audit trail that tells of it, in the form in which it was hashed and signed
manifest.json   the SHA-256 of every file here
verify_pack.py  checks all of it. It needs Python 3.11 or newer, and nothing else:

    python3 -I -S verify_pack.py .                    clean, or what was changed, by its file
    python3 -I -S verify_pack.py . PUBLIC_KEY         and that it was signed with the key that you know from elsewhere
    python3 -I -S verify_pack.py . PUBLIC_KEY HEAD    and that it holds a head that a posted journal shows in its description

It ends with 0 clean, 10 changed or taken away, 11 a head is not here, 12 not signed with that key. Whoever distrusts this copy of it takes it from elsewhere.
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """A pack that was written. digest: SHA-256 of its manifest, which names every file by its own hash."""

    place: Path
    files: int
    entries: int
    digest: str


def export_pack(
    store: Store, connection: str, period: FiscalPeriod, columns: Mapping[str, CellColumns], place: Path
) -> Exported:
    """Write the evidence of a period into a new folder, or a zip where the name ends so. Seen whole or not at all; nothing is overwritten."""
    if place.exists():
        raise DataError(
            f"{place} is there already.", holds="Nothing was written.", next_step="Name a place that is not."
        )
    contents = gather(store, connection, period, columns)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".evidence-") as scratch:
        folder = Path(scratch) / "pack"
        _write(contents, folder)
        with (folder / "manifest.json").open("rb") as manifest:
            digest = file_digest(manifest, "sha256").hexdigest()
        files = sum(one.is_file() for one in folder.rglob("*"))
        if place.suffix == ".zip":
            _zip(folder, Path(scratch) / "pack.zip").replace(place)
        else:
            folder.chmod(0o755)
            folder.replace(place)
    return Exported(place, files, len(contents.entries), digest)


def _write(contents: Contents, folder: Path) -> None:
    (folder / "tables").mkdir(parents=True)
    absent = _files(contents, folder / "files")
    checkpoint = _trail(contents, folder, [digest for digest, _, _ in absent])
    for name, frame in tables_of(contents).items():
        (folder / "tables" / f"{name}.csv").write_bytes(csv_of(frame))
    (folder / "index.html").write_text(page_of(contents, checkpoint, absent), encoding="utf-8")
    said = _README.format(connection=contents.connection, period=contents.period.key)
    (folder / "README.txt").write_text(said, encoding="utf-8")
    evidence.write_manifest(folder)


def _files(contents: Contents, folder: Path) -> list[tuple[str, str, str]]:
    """Copies of all kept files; hash, what and why of those that retention gave up. Raises DataError for one that is missing or was changed."""
    folder.mkdir()
    absent = []
    for digest, what in contents.files.items():
        if why := contents.artefacts.given_up(digest):
            absent.append((digest, what, why))
        else:
            path = contents.artefacts.path(digest)
            shutil.copyfile(path, folder / f"{digest}{_ending(path)}")
    return absent


def _ending(path: Path) -> str:
    with path.open("rb") as file:
        begins = file.read(4)
    return ".parquet" if begins == b"PAR1" else ".json" if begins.startswith(b"{") else ".csv"


def _trail(contents: Contents, folder: Path, absent: list[str]) -> Checkpoint | None:
    """The period's entries with all their records, the way from each to a signed head, and a proof of the largest record of each."""
    trail = contents.store.trail
    told = sorted(one.number for one in contents.entries)
    checkpoint = _witness(trail, told[-1]) if told else None
    evidence.write_pack(
        trail,
        folder,
        first=told[0] if told else 1,
        told=told,
        checkpoint=checkpoint,
        single={one.number: [_largest(trail, one)] for one in contents.entries if trail.has_records(one)},
        absent=absent,
    )
    return checkpoint


def _witness(trail: Trail, number: int) -> Checkpoint:
    """The oldest signed head that covers an entry, so that the same evidence is the same later; signed now where there is none yet."""
    signed = [one for one in trail.checkpoints.read()[0] if one.number >= number and one.is_genuine()]
    for one in sorted(signed, key=lambda one: (one.number, one.at)):
        entry = next(trail.entries(first=one.number), None)
        if entry and (entry.number, entry.header) == (one.number, one.header):
            return one
    if (made := trail.checkpoint()) is None:
        raise DataError(
            "The audit trail is empty, so nothing witnesses this evidence.",
            holds="Nothing was written.",
            next_step="Check MLC_HOME and MLC_DATABASE_URL: is this the installation that loaded the period?",
        )
    return made


def _largest(trail: Trail, entry: Entry) -> int:
    """The place of the record with the largest amount."""
    best, place, before = -1, 0, 0
    for table in trail.records(entry):
        amounts = pc.abs(pc.fill_null(table["amount_minor"], 0))
        highest = pc.max(amounts).as_py() or 0
        if highest > best:
            best, place = highest, before + pc.index(amounts, highest).as_py()
        before += len(table)
    return place


def _zip(folder: Path, target: Path) -> Path:
    """The folder as a zip without times, owners or an order of its own."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            about = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _LONG_AGO)
            about.compress_type, about.external_attr, about.create_system = zipfile.ZIP_DEFLATED, 0o100644 << 16, 3
            with file.open("rb") as content, packed.open(about, "w", force_zip64=True) as sink:
                shutil.copyfileobj(content, sink)
    return target
