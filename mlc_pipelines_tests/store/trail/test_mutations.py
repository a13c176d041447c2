"""P20: whatever is done to a trail is reported, with its place; a trail to which nothing was done is clean."""

import random
import shutil
from pathlib import Path

import pytest

from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.store.trail.mutations import MUTATIONS, copied
from mlc_pipelines_tests.store.trail.samples import fill, sqlite_trail

SHORT, LONG, IN_ONE_TEST = 8, 2_000, 500


def undetected(filled_home: Path, place: Path, name: str, seeds: range) -> list[str]:
    """What was done and not reported at its place."""
    missed = []
    for seed in seeds:
        home = copied(filled_home, place / "home")
        done = MUTATIONS[name](home, random.Random(f"{name} {seed}"))
        verdict = verify(sqlite_trail(home), full=True)
        if not any(done.kind == one.kind and one.where.startswith(done.where) for one in verdict.findings):
            missed.append(f"{name} {seed}: {done}; found {[str(one) for one in verdict.findings]}")
    return missed


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_reported_with_its_place(filled_home: Path, tmp_path: Path, name: str) -> None:
    assert [] == undetected(filled_home, tmp_path, name, range(SHORT))


@pytest.mark.prove
@pytest.mark.parametrize("part", range(LONG // IN_ONE_TEST))
def test_thousands_of_mutations_are_reported(filled_home: Path, tmp_path: Path, part: int) -> None:
    names, each = list(MUTATIONS), range(part * IN_ONE_TEST, (part + 1) * IN_ONE_TEST)
    assert [] == [
        one
        for seed in each
        for one in undetected(filled_home, tmp_path, names[seed % len(names)], range(seed, seed + 1))
    ]


def alarms(fresh_home: Path, place: Path, seeds: range) -> list[str]:
    """What verify found in trails to which nothing was done, their tails and all of them."""
    found = []
    for seed in seeds:
        home = place / "home"
        shutil.copytree(fresh_home, home)
        trail = sqlite_trail(home)
        dice = random.Random(seed)
        fill(trail, seed, dice.randrange(0, 9))
        for full in (True, False):
            verdict = verify(trail, full=full, heads=[one.short for one in trail.checkpoints.read()[0]])
            found += [f"{seed}: {one}" for one in verdict.findings]
        shutil.rmtree(home)
    return found


def test_no_false_alarm(fresh_home: Path, tmp_path: Path) -> None:
    assert [] == alarms(fresh_home, tmp_path, range(15))


@pytest.mark.prove
def test_no_false_alarm_on_a_thousand_trails(fresh_home: Path, tmp_path: Path) -> None:
    assert [] == alarms(fresh_home, tmp_path, range(1000))


@pytest.mark.parametrize("name", ["cut_tail", "rewrite_all"])
def test_L04_L05_the_chain_alone_says_clean(filled_home: Path, tmp_path: Path, name: str) -> None:
    """Only a head that is kept elsewhere shows these; without any, nothing does."""
    home = copied(filled_home, tmp_path / "home")
    MUTATIONS[name](home, random.Random(1))
    shutil.rmtree(home / "keys")
    (home / "audit" / "checkpoints.jsonl").unlink()
    assert Kind.CLEAN == verify(sqlite_trail(home), full=True).kind


@pytest.mark.parametrize("name", ["cut_tail", "rewrite_all"])
def test_a_head_in_a_journal_is_witness_enough(filled_home: Path, tmp_path: Path, name: str) -> None:
    """Who owns database, checkpoints and key cannot change the description of a posted journal."""
    home = copied(filled_home, tmp_path / "home")
    written_in_journal = sqlite_trail(home).checkpoints.read()[0][-1].short
    MUTATIONS[name](home, random.Random(1))
    shutil.rmtree(home / "keys")
    (home / "audit" / "checkpoints.jsonl").unlink()
    verdict = verify(sqlite_trail(home), heads=[written_in_journal])
    assert (Kind.BEHIND, f"head {written_in_journal}") == (verdict.kind, verdict.findings[0].where)
