"""The evidence of a period: whole, the same each time, checked without this project, and broken by one flipped byte."""

import json
import os
import random
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.retention import before as retention_before
from mlc_pipelines.flows.retention import prunable, prune
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail import verify_pack
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines_tests.flows.evidence.conftest import PERIOD, Export, verified
from mlc_pipelines_tests.store.trail.samples import event, lines


def content(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def record(store: Store, artefact: str = "") -> None:
    """An event of the period with the lines that it moved."""
    store.trail.append(event(artefacts={"file": artefact} if artefact else {}), [lines(200)])


def test_a_pack_holds_the_period_byte_for_byte(loaded: Named, export: Export, tmp_path: Path) -> None:
    """What was read, sent and read back; each leg with both sides; the mapping; all of it named in the manifest."""
    store = Store.open()
    [load] = store.history.loads("demo", PERIOD)
    done = export(tmp_path / "pack")
    held = content(done.place)
    assert store.artefacts.path(load.sent).read_bytes() == held[f"files/{load.sent}.csv"]
    assert store.artefacts.path(load.read_back).read_bytes() == held[f"files/{load.read_back}.parquet"]
    manifest = json.loads(held["manifest.json"])
    assert {name: sha256(one).hexdigest() for name, one in held.items() if name != "manifest.json"} == manifest
    tie_outs = held["tables/tie_outs.csv"].decode("utf-8-sig")
    for leg in ("lines_match_ledger", "cells_match_lines", "rows_all_taken", "model_matches_cells"):
        assert leg in tie_outs
    assert {"accounts_actuals", "cells_actuals", "mapping_actuals", "loads", "steps"} <= {
        Path(name).stem for name in held if name.startswith("tables/")
    }
    assert done.digest == sha256(held["manifest.json"]).hexdigest()


def test_the_same_holdings_give_the_same_bytes(loaded: Named, export: Export, tmp_path: Path) -> None:
    """As a folder and as a zip; also after the trail went on, and the checkpoint that first covered the period is not the newest any more."""
    store = Store.open()
    record(store)
    store.trail.checkpoint()
    first, again = export(tmp_path / "first"), export(tmp_path / "again")
    assert content(first.place) == content(again.place)
    packed = export(tmp_path / "first.zip").place.read_bytes()
    store.trail.append(event("other_work", period="FY2026-P07"))
    store.trail.checkpoint()
    assert content(first.place) == content(export(tmp_path / "later").place)
    assert packed == export(tmp_path / "later.zip").place.read_bytes()
    with zipfile.ZipFile(tmp_path / "later.zip") as archive:
        assert content(first.place) == {name: archive.read(name) for name in archive.namelist()}


def test_it_is_checked_without_this_project(loaded: Named, export: Export, tmp_path: Path) -> None:
    """With the key and the head as somebody knows them from elsewhere; every entry of the period is there with its records and a proof."""
    store = Store.open()
    record(store)
    done = export(tmp_path / "pack")
    newest = store.trail.checkpoints.read()[0][-1]
    assert 0 == verified(done.place)[0]
    assert 0 == verified(done.place, newest.key, newest.short)[0]
    assert 12 == verified(done.place, "0" * 64)[0]
    assert 11 == verified(done.place, newest.key, "0" * 16)[0]
    own = [one for one in store.trail.entries(connection="demo", period=PERIOD) if one.records]
    assert {f"{one.number}.jsonl" for one in own} == {one.name for one in (done.place / "records").iterdir()}
    assert len(own) == len(list((done.place / "proofs").iterdir()))


def findings(pack: Path) -> list[str]:
    """What the small verifier finds, as its last lines do it."""
    verify_pack.found.clear()
    try:
        verify_pack.check(pack, "", [])
    except (ValueError, LookupError, TypeError, AttributeError, OSError, ArithmeticError, RecursionError) as error:
        verify_pack.found.append((10, str(error)))
    return [said for _, said in verify_pack.found]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.prove)])
def test_one_flipped_byte_names_the_file(loaded: Named, export: Export, tmp_path: Path, every: bool) -> None:
    """In each file of the pack (in the short form in some), at a place that chance chooses."""
    pack, dice = export(tmp_path / "pack").place, random.Random(7)
    files = sorted(content(pack).items())
    for name, held in files if every else dice.sample(files, 4):
        if not held:
            continue
        changed = bytearray(held)
        changed[dice.randrange(len(held))] ^= 1 << dice.randrange(8)
        file = pack / name
        file.chmod(0o600)
        file.write_bytes(changed)
        assert any(name in one or name == "manifest.json" for one in findings(pack)), name
        file.write_bytes(held)
    assert 0 == verified(pack)[0]


def test_a_file_exchanged_with_a_new_manifest_is_found_by_the_trail(
    loaded: Named, export: Export, tmp_path: Path
) -> None:
    """Who writes another file under its true name, and the manifest anew, leaves an event that names a file which is not there."""
    from mlc_pipelines.store.trail.evidence import write_manifest

    store = Store.open()
    sent = store.history.loads("demo", PERIOD)[0].sent
    record(store, sent)
    pack = export(tmp_path / "pack").place
    other = (pack / "files" / f"{sent}.csv").read_bytes().replace(b"1", b"2")
    (pack / "files" / f"{sent}.csv").unlink()
    (pack / "files" / f"{sha256(other).hexdigest()}.csv").write_bytes(other)
    write_manifest(pack)
    code, said = verified(pack)
    assert (10, True) == (code, f"file {sent}, is not here" in said)


class Page(HTMLParser):
    """What a reader sees, and what the page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags, self.links = "", [], []  # type: ignore[var-annotated]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_for_a_controller(loaded: Named, export: Export, tmp_path: Path) -> None:
    """Agreed or not in the first lines, charts, each leg with both sides, income positive; nothing is fetched, no script, no clock."""
    pack = export(tmp_path / "pack").place
    page = Page()
    page.feed((pack / "index.html").read_text())
    assert "plan and ledger agreed at" in page.text
    assert "posted lines = the ERP's trial balance" in page.text
    assert {"svg", "table"} <= set(page.tags)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert all((pack / str(link)).exists() for link in page.links)
    income = [
        line.split('","') for line in (pack / "tables" / "accounts_actuals.csv").read_text("utf-8-sig").splitlines()
    ]
    revenue = [row for row in income if len(row) > 2 and row[2].startswith("Income")]
    assert revenue
    assert all("-" not in row[2].split(",")[3] for row in revenue[:1])


def test_a_period_that_was_never_loaded_has_no_evidence(loaded: Named, export: Export, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was ever loaded or posted for FY2026-P05"):
        export(tmp_path / "pack", "FY2026-P05")
    assert [] == [one for one in tmp_path.iterdir() if one.name.startswith((".evidence", "pack"))]


def test_a_file_that_is_missing_is_told_before_anything_is_written(
    loaded: Named, export: Export, tmp_path: Path
) -> None:
    """A pack with a hole would look whole."""
    store = Store.open()
    store.artefacts.place(store.history.loads("demo", PERIOD)[0].sent).unlink()
    with pytest.raises(DataError, match="is missing from"):
        export(tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_files_that_retention_gave_up_are_told(loaded: Named, export: Export, tmp_path: Path) -> None:
    """The rest is there and clean; the page and the trail say which file is not, since when and by whose word."""
    store, later = Store.open(), datetime.now(UTC) + timedelta(days=4000)
    before = content(export(tmp_path / "before").place)
    old = prunable(store, "demo", retention_before(84, later), later)
    for one in old:
        if not one.entries:
            os.utime(store.artefacts.place(one.digest), (0, 0))
    entry = prune(store, "demo", old, months=84, who="ann")
    pack = export(tmp_path / "after").place
    held, gone = content(pack), {one.digest for one in old}
    assert 0 == verified(pack)[0]
    assert gone & {Path(name).stem for name in before} == set(json.loads(held["absent.json"])) & gone
    assert gone.isdisjoint(Path(name).stem for name in held)
    assert "by ann at" in held["index.html"].decode()
    assert f"records/{entry}.jsonl" in held


def test_the_command_writes_it(loaded: Named, tmp_path: Path) -> None:
    """And overwrites nothing."""
    arguments = ["audit", "export", "demo", PERIOD, "--to", str(tmp_path / "march.zip")]
    done = CliRunner().invoke(cli, arguments)
    assert 0 == done.exit_code, done.output
    assert "Hash of the manifest: " in done.output
    assert isinstance(CliRunner().invoke(cli, arguments).exception, DataError)
