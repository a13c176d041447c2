"""The small verifier: alone on a machine without this project, it tells a whole pack from one in which one byte was flipped."""

import ast
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.store.trail import verify_pack
from mlc_pipelines.store.trail.event import PRUNED
from mlc_pipelines.store.trail.evidence import VERIFIER, write_manifest, write_pack
from mlc_pipelines.store.trail.records import to_records
from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines_tests.store.trail.samples import event, fill, lines, sqlite_trail

SOURCE = Path(verify_pack.__file__)


def verified(pack: Path, *arguments: str) -> tuple[int, str]:
    """By the copy that lies in the pack, with an interpreter that sees the standard library only."""
    command = [sys.executable, "-I", "-S", str(pack / VERIFIER), str(pack), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def packed(trail: Trail, folder: Path, *, first: int = 1) -> Path:
    checkpoint = trail.checkpoints.read()[0][-1]
    write_pack(trail, folder, first=first, told=[3, 5], checkpoint=checkpoint, single={7: [0, 50]})
    write_manifest(folder)
    return folder


def test_it_is_small_and_stands_alone() -> None:
    """At most 150 lines, standard library only."""
    text = SOURCE.read_text()
    imported = {name.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for name in node.names}
    imported |= {
        str(node.module).split(".")[0] for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    }
    assert 150 >= text.count("\n")
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("first", [1, 3])
def test_a_whole_pack_is_clean(filled: Trail, tmp_path: Path, first: int) -> None:
    """From the beginning of the trail, or from an entry in its middle; with the key and the heads that somebody knows from elsewhere."""
    pack, newest = packed(filled, tmp_path / "pack", first=first), filled.checkpoints.read()[0][-1]
    said = f"clean: 2 of {9 - first} entries are told\n"
    assert (0, said) == verified(pack)
    assert (0, said) == verified(pack, newest.key, newest.short)
    assert (12, f"checkpoint of entry 8: signed with {newest.key}\nNOT CLEAN\n") == verified(pack, "ab" * 32)
    assert (11, f"head {'0' * 16}: no entry has it\nNOT CLEAN\n") == verified(pack, newest.key, "0" * 16)


def test_unfriendly_texts_and_many_sizes_are_clean(trail: Trail, tmp_path: Path) -> None:
    sizes = [1, 63, 64, 65, 129, 300]
    for size in sizes:
        trail.append(event(note='"\\\n\x00\u2028 é'), [lines(size, size)])
    checkpoint = trail.checkpoint()
    assert checkpoint
    single = {number: [0, size // 2, size - 1] for number, size in enumerate(sizes, 2)}
    write_pack(trail, tmp_path / "pack", first=1, told=[2, 5, 7], checkpoint=checkpoint, single=single)
    write_manifest(tmp_path / "pack")
    assert (0, "clean: 3 of 7 entries are told\n") == verified(tmp_path / "pack")


def test_what_is_not_told_does_not_stand_in_it(filled: Trail, tmp_path: Path) -> None:
    """Entries of others are there by their hashes alone; a record of one can be proved all the same."""
    pack = packed(filled, tmp_path / "pack")
    told = [line for line in (pack / "entries.jsonl").read_text().splitlines() if '"event":' in line]
    assert 2 == len(told)
    assert {"3.jsonl", "5.jsonl"} == {one.name for one in (pack / "records").iterdir()}


def flips(pack: Path, dice: random.Random) -> str:
    """A bit of some file is flipped; which file."""
    file = dice.choice(sorted(one for one in pack.rglob("*") if one.is_file() and one.name != VERIFIER))
    content = bytearray(file.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    file.write_bytes(content)
    return file.relative_to(pack).as_posix()


def test_a_flipped_bit_names_its_file(filled: Trail, tmp_path: Path) -> None:
    whole = packed(filled, tmp_path / "whole")
    for seed in range(6):
        pack = tmp_path / "pack"
        shutil.copytree(whole, pack)
        name = flips(pack, random.Random(seed))
        code, said = verified(pack)
        assert (10, True) == (code, f"{name}: changed" in said or name == "manifest.json"), said
        shutil.rmtree(pack)


def test_who_also_writes_the_manifest_anew_is_found_by_the_chain(filled: Trail, tmp_path: Path) -> None:
    """The manifest only helps to name the file; records, events, proofs and checkpoints hold without it."""
    whole = packed(filled, tmp_path / "whole")
    for seed in range(12):
        pack = tmp_path / "pack"
        shutil.copytree(whole, pack)
        name = flips(pack, random.Random(seed))
        write_manifest(pack)
        code, said = verified(pack)
        assert (0 if name == "manifest.json" else 10) == code, f"{seed} {name}: {said}"
        shutil.rmtree(pack)


@pytest.mark.parametrize(("name", "old", "new"), [
    ("entries.jsonl", '"attempt\\":1', '"attempt\\":1,\\"attempt\\":1'),
    ("entries.jsonl", '"attempt\\":1', '"attempt\\":NaN'),
    ("records/3.jsonl", "\n", " \n"),
    ("records/3.jsonl", "null", "0"),
    ("proofs/7-0.json", '"leaf":0', '"leaf":1'),
    ("checkpoints.jsonl", '"number":8', '"number":7'),
    ("start.json", '"number":0', '"number":1'),
])  # fmt: skip
def test_L11_what_was_put_in_another_form_is_found(
    filled: Trail, tmp_path: Path, name: str, old: str, new: str
) -> None:
    pack = packed(filled, tmp_path / "pack")
    text = (pack / name).read_text()
    assert old in text
    (pack / name).write_text(text.replace(old, new, 1))
    write_manifest(pack)
    assert 10 == verified(pack)[0]


UNSIGNED, NO_RECORDS = "the last entry is not signed", "records/3.jsonl: taken away, and not given up by retention"


@pytest.mark.parametrize(("emptied", "deleted", "said", "codes"), [
    (["checkpoints.jsonl"], [], UNSIGNED, (10, 12)),
    ([], ["checkpoints.jsonl"], "the pack cannot be read to its end", (10, 10)),
    ([], ["records/3.jsonl"], NO_RECORDS, (10, 10)),
    (["checkpoints.jsonl"], ["records/3.jsonl"], NO_RECORDS, (10, 10)),
    (["checkpoints.jsonl", "entries.jsonl"], ["records", "proofs"], UNSIGNED, (10, 12)),
], ids=["heads emptied", "heads deleted", "records", "both", "everything"])  # fmt: skip
def test_what_was_taken_away_shows_although_the_manifest_is_new(
    filled: Trail, tmp_path: Path, emptied: list[str], deleted: list[str], said: str, codes: tuple[int, int]
) -> None:
    """A pack is not clean because nothing is left in it that could be wrong: neither without the key, nor with it, nor with another one."""
    pack, key = packed(filled, tmp_path / "pack"), filled.checkpoints.read()[0][-1].key
    for name in emptied:
        (pack / name).write_bytes(b"")
    for name in deleted:
        shutil.rmtree(pack / name) if (pack / name).is_dir() else (pack / name).unlink()
    write_manifest(pack)
    for arguments, code in (((), codes[0]), ((key,), codes[1]), (("ab" * 32,), codes[1])):
        found, lines_said = verified(pack, *arguments)
        assert (code, True) == (found, said in lines_said), lines_said


@pytest.mark.parametrize("name", ["absent.json", "aside"])
def test_a_file_is_not_excused_by_who_took_it_away(filled: Trail, tmp_path: Path, name: str) -> None:
    """A kept file that an event names is there, or an entry says that retention gave it up: a list without a signature does not count, nor another file that bears its hash as its name."""
    digest = "12" * 32
    filled.append(event(artefacts={"file": digest}))
    newest = filled.checkpoint()
    assert newest
    write_pack(filled, tmp_path / "pack", first=1, told=[9], checkpoint=newest, absent=[digest])
    if name == "aside":
        (tmp_path / "pack" / "absent.json").write_text("[]\n")
        (tmp_path / "pack" / "aside").mkdir()
        (tmp_path / "pack" / "aside" / digest).write_bytes(b"something else")
    write_manifest(tmp_path / "pack")
    code, said = verified(tmp_path / "pack", newest.key)
    assert (10, True) == (code, f"its file, file {digest}, is not here" in said), said


def test_what_retention_gave_up_is_excused_by_its_signed_entry(filled: Trail, tmp_path: Path) -> None:
    """Records of the entry that it names, and files by their hashes; no others."""
    third, fifth = (next(filled.entries(first=number)) for number in (3, 5))
    given_up = pa.table({"source_key": [third.file], "source_line": [3]})
    filled.append(event(PRUNED), [to_records(given_up, source="kept files")])
    filled.files.give_up(third.file, "old")
    newest = filled.checkpoint()
    assert newest
    write_pack(filled, tmp_path / "pack", first=1, told=[3, 5, 9], checkpoint=newest, absent=[third.file])
    write_manifest(tmp_path / "pack")
    assert not (tmp_path / "pack" / "records" / "3.jsonl").exists()
    assert (0, "clean: 3 of 9 entries are told\n") == verified(tmp_path / "pack", newest.key)
    (tmp_path / "pack" / "records" / f"{fifth.number}.jsonl").unlink()
    write_manifest(tmp_path / "pack")
    assert 10 == verified(tmp_path / "pack", newest.key)[0]


def test_another_trail_altogether_is_told_by_the_key(filled: Trail, tmp_path: Path) -> None:
    """It is whole and signed, by somebody else: without the key nobody can tell; with the key it is seen, whether it brings its own heads or none."""
    key, forger = filled.checkpoints.read()[0][-1].key, tmp_path / "forger"
    forger.mkdir()
    open_engine(f"sqlite:///{forger / 'mlc.db'}").dispose()
    forged = sqlite_trail(forger)
    fill(forged, seed=3)
    pack = packed(forged, tmp_path / "pack")
    assert (0, 12) == (verified(pack)[0], verified(pack, key)[0])
    (pack / "checkpoints.jsonl").write_bytes(b"")
    write_manifest(pack)
    assert (10, 12) == (verified(pack)[0], verified(pack, key)[0])
