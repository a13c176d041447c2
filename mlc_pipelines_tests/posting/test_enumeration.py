"""P01 and P13 by exhaustion: in no schedule of faults does the real engine post twice, post something else, lose a journal, or leave it without a word (G05, G07)."""

import pytest

from mlc_pipelines_tests.posting.enumerator import PLAIN, RICH, Enumerator, enumerate_all

SHORT = [(1, 2, RICH, 10_000), (2, 0, RICH, 3_000)]
LONG = [(1, 3, RICH, 100_000), (2, 1, RICH, 300_000), (2, 2, PLAIN, 2_000_000)]
GIVEN_UP = [(1, 1, RICH, 10_000), (2, 0, PLAIN, 50_000)]
GIVEN_UP_LONG = [(1, 3, PLAIN, 600_000), (2, 1, PLAIN, 2_000_000), (3, 0, PLAIN, 12_000_000)]


def prove(walked: Enumerator, at_least: int, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{walked}")  # noqa: T201  # the sizes are what the proof has to say
    assert "" == walked.broken, walked.told_whole()
    assert at_least <= walked.transitions
    assert walked.ends["SEALED"]


@pytest.mark.parametrize(("workers", "faults", "kinds", "at_least"), SHORT)
def test_G05_G07_no_schedule_doubles_or_loses_a_journal(workers, faults, kinds, at_least, capsys) -> None:
    """Every step lost, unanswered, late, or the last one of its process; every look-up perhaps one write behind."""
    prove(enumerate_all(workers, faults, kinds), at_least, capsys)


@pytest.mark.prove
@pytest.mark.parametrize(("workers", "faults", "kinds", "at_least"), LONG)
def test_G05_G07_no_longer_schedule_either(workers, faults, kinds, at_least, capsys) -> None:
    """The same with more faults and more workers; sizes are printed, and held against what they were."""
    prove(enumerate_all(workers, faults, kinds), at_least, capsys)


@pytest.mark.parametrize(("workers", "faults", "kinds", "at_least"), GIVEN_UP)
def test_P01_what_a_person_gives_up_meanwhile_is_never_released_or_is_told(
    workers, faults, kinds, at_least, capsys
) -> None:
    """The command may come between any two steps, without the fence, and go wrong in the same ways."""
    walked = enumerate_all(workers, faults, kinds, person=True)
    prove(walked, at_least, capsys)
    assert walked.ends["ABANDONED"]


@pytest.mark.prove
@pytest.mark.parametrize(("workers", "faults", "kinds", "at_least"), GIVEN_UP_LONG)
def test_P01_nor_in_any_longer_schedule(workers, faults, kinds, at_least, capsys) -> None:
    """Up to four processes at one journal; the largest one is the million and more of three workers."""
    prove(enumerate_all(workers, faults, kinds, person=True), at_least, capsys)
