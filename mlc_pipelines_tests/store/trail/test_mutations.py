"""P20: whatever is done to a trail is reported, with its place; a trail to which nothing was done is clean."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_pipelines.store.trail.trail import Trail
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.store.trail.mutations import MUTATIONS, copied, image_of, restored
from mlc_pipelines_tests.store.trail.samples import fill, sqlite_trail

SHORT, LONG, CLEAN, IN_ONE_TEST = 8, 10_000, 1_000, 2_500


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: nothing here is about a disk."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="trail-", dir=memory if memory.is_dir() else tmp_path))
    yield place
    shutil.rmtree(place)


def missed(image: dict[str, bytes], home: Path, trail: Trail, name: str, seed: int) -> str:
    """What was done and not reported at its place; "" where it was. trail: the one of the home, which opens it anew for each question."""
    done = MUTATIONS[name](restored(image, home), random.Random(f"{name} {seed}"))
    verdict = verify(trail, full=True)
    if any(done.kind == one.kind and one.where.startswith(done.where) for one in verdict.findings):
        return ""
    return f"{name} {seed}: {done}; found {[str(one) for one in verdict.findings]}"


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_reported_with_its_place(filled_home: Path, fast: Path, name: str) -> None:
    home, trail = fast / "home", sqlite_trail(fast / "home")
    image = image_of(copied(filled_home, home))
    assert [] == [said for seed in range(SHORT) if (said := missed(image, home, trail, name, seed))]


@pytest.mark.prove
@pytest.mark.parametrize("part", range(LONG // IN_ONE_TEST))
def test_ten_thousand_mutations_are_reported(fresh_home: Path, fast: Path, part: int) -> None:
    """Each kind in its turn, on trails whose records lie in another entry each time."""
    images, names, home, trail = [], list(MUTATIONS), fast / "home", sqlite_trail(fast / "home")
    for only in (1, 3, 5):
        fill(sqlite_trail(copied(fresh_home, home)), part, only=only)
        images.append(image_of(home))
    seeds = range(part * IN_ONE_TEST, (part + 1) * IN_ONE_TEST)
    done = (missed(images[seed % 3], home, trail, names[seed % len(names)], seed) for seed in seeds)
    assert [] == [said for said in done if said]


def alarms(fresh_home: Path, home: Path, seeds: range) -> list[str]:
    """What verify found in trails to which nothing was done, their tails and all of them."""
    found, image, trail = [], image_of(copied(fresh_home, home)), sqlite_trail(home)
    for seed in seeds:
        restored(image, home)
        dice = random.Random(seed)
        fill(trail, seed, dice.randrange(0, 9))
        for full in (True, False):
            verdict = verify(trail, full=full, heads=[one.short for one in trail.checkpoints.read()[0]])
            found += [f"{seed}: {one}" for one in verdict.findings]
    return found


def test_no_false_alarm(fresh_home: Path, fast: Path) -> None:
    assert [] == alarms(fresh_home, fast / "home", range(15))


@pytest.mark.prove
def test_no_false_alarm_on_a_thousand_trails(fresh_home: Path, fast: Path) -> None:
    assert [] == alarms(fresh_home, fast / "home", range(CLEAN))


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
