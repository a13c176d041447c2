"""P01 by exhaustion: in no schedule of faults does the real engine post twice, post something else, or lose a journal (G05, G07)."""

import pytest

from mlc_pipelines_tests.posting.enumerator import PLAIN, RICH, enumerate_all

SHORT = [(1, 2, RICH, 10_000), (2, 0, RICH, 3_000)]
LONG = [(1, 3, RICH, 100_000), (2, 1, RICH, 300_000), (2, 2, PLAIN, 2_000_000)]


def prove(workers: int, faults: int, kinds: frozenset[str], at_least: int, capsys: pytest.CaptureFixture[str]) -> None:
    walked = enumerate_all(workers, faults, kinds)
    with capsys.disabled():
        print(f"\n{walked}")  # noqa: T201  # the sizes are what the proof has to say
    assert "" == walked.broken, walked.told_whole()
    assert at_least <= walked.transitions
    assert walked.ends["SEALED"]


@pytest.mark.parametrize(("workers", "faults", "kinds", "at_least"), SHORT)
def test_G05_G07_no_schedule_doubles_or_loses_a_journal(workers, faults, kinds, at_least, capsys) -> None:
    """Every step lost, unanswered, late, or the last one of its process; every look-up perhaps one write behind."""
    prove(workers, faults, kinds, at_least, capsys)


@pytest.mark.prove
@pytest.mark.parametrize(("workers", "faults", "kinds", "at_least"), LONG)
def test_G05_G07_no_longer_schedule_either(workers, faults, kinds, at_least, capsys) -> None:
    """The same with more faults and more workers; sizes are printed, and held against what they were."""
    prove(workers, faults, kinds, at_least, capsys)
