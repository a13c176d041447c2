"""Seeded mistakes: each engine that makes one is found out by the short enumeration, or the enumeration is worth nothing."""

import pytest

from mlc_pipelines.flows import posting
from mlc_pipelines_tests.posting.enumerator import PLAIN, RICH, enumerate_all
from mlc_pipelines_tests.posting.mutants import GIVERS_UP, MUTANTS, WEAKER, sweeps_drafts_alone

LADDER = [(1, 1, RICH), (2, 0, PLAIN), (1, 2, RICH)]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_seeded_mistake_is_found_out(mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least twenty of them, from posting without a look-up to forgetting the fence."""
    monkeypatch.setattr(posting, "Clerk", mutant)
    assert any(enumerate_all(workers, faults, kinds).broken for workers, faults, kinds in LADDER)
    assert 20 <= len(MUTANTS)


@pytest.mark.parametrize("mutant", WEAKER, ids=lambda mutant: mutant.__name__)
def test_each_weaker_protocol_posts_twice(mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What connectors commonly do ends in a doubled ledger after one or two lost, late or unanswered requests."""
    monkeypatch.setattr(posting, "Clerk", mutant)
    found = [enumerate_all(workers, faults, manners=False).broken for workers, faults in [(1, 1), (2, 0), (1, 2)]]
    assert "DOUBLE: two journals are released" in found


@pytest.mark.parametrize("mutant", GIVERS_UP, ids=lambda mutant: mutant.__name__)
def test_a_mistake_in_giving_up_is_found_out(mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of them without any fault, by one worker who goes on meanwhile."""
    monkeypatch.setattr(posting, "abandon", mutant)
    assert any(enumerate_all(1, faults, kinds, person=True).broken for faults, kinds in [(0, PLAIN), (1, RICH)])


@pytest.mark.prove
def test_a_sweep_that_forgets_the_abandoned_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups that lag behind twice can hide a draft from who gives it up, and its release may still be on its way."""
    monkeypatch.setattr(posting, "sweep", sweeps_drafts_alone)
    walked = enumerate_all(1, 3, frozenset({"stale", "late"}), person=True)
    assert "LOST: given up, released, and nobody is told" == walked.broken
