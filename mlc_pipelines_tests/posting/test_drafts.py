"""What a journal to be written is called, what it says, and every objection to it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.ledger.drafts import (
    DraftLine,
    JournalDraft,
    Unbalanced,
    differences,
    findings,
    package_hash,
    require_sound,
    split,
)
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines_tests.posting.samples import BOOKS, CONTRA, DRAFT, RENT

AMOUNTS = st.integers(min_value=1, max_value=10**12)
CODES = st.text(max_size=6).map(lambda text: "6" + text)


@st.composite
def lines(draw: st.DrawFn) -> DraftLine:
    amount, debit = draw(AMOUNTS), draw(st.booleans())
    return DraftLine(draw(CODES), draw(st.text(max_size=6)), amount * debit, amount * (not debit), draw(st.text()))


JOURNALS = st.lists(lines(), min_size=1, max_size=30).map(lambda some: replace(DRAFT, lines=tuple(some)))


def contra(excess: int) -> DraftLine:
    return DraftLine("9999", "", max(-excess, 0), max(excess, 0))


def test_the_reference_is_known_for_ever() -> None:
    """It must not change with a release of ours: what was posted under it would not be found again."""
    assert "MLC-I4ZDVX337HQZHES47Y4J" == DRAFT.reference
    assert re.fullmatch("MLC-[A-Z2-7]{20}", DRAFT.reference)


@pytest.mark.parametrize(
    "other",
    [
        replace(DRAFT, destination=replace(BOOKS, installation="home-2")),
        replace(DRAFT, destination=replace(BOOKS, tenant="https://other.example")),
        replace(DRAFT, destination=replace(BOOKS, company="CAPITAL")),
        replace(DRAFT, destination=replace(BOOKS, ledger="PLAN2")),
        replace(DRAFT, plan="Forecast"),
        replace(DRAFT, version="2"),
        replace(DRAFT, period="FY2026-P04"),
        replace(DRAFT, part=2),
    ],
)
def test_whatever_tells_two_journals_apart_is_in_the_reference(other: JournalDraft) -> None:
    assert other.reference != DRAFT.reference


def test_content_is_money_only_and_no_part_of_the_reference() -> None:
    """Order and texts do not matter; an amount, a code, the currency do, and leave the reference as it is."""
    same = replace(DRAFT, lines=(CONTRA, replace(RENT, description="cut by the E")), description="x")
    assert DRAFT.content_hash == same.content_hash
    for other in (replace(DRAFT, currency="CAD"), replace(DRAFT, lines=(replace(RENT, account="6101"), CONTRA))):
        assert DRAFT.content_hash != other.content_hash
        assert DRAFT.reference == other.reference
        assert package_hash([DRAFT]) != package_hash([other])


@given(JOURNALS)
def test_a_journal_comes_back_from_its_text(draft: JournalDraft) -> None:
    """To the letter, whatever letters they are."""
    assert draft == JournalDraft.from_text(draft.to_text())
    assert draft.content_hash == JournalDraft.from_text(draft.to_text()).content_hash


@given(JOURNALS, st.integers(min_value=1, max_value=10), st.randoms())
def test_parts_are_cut_alike_and_lose_nothing(draft: JournalDraft, most: int, shuffle) -> None:
    """Whatever the order in which the lines came; each part balances with its offset line, and has a reference of its own."""
    mixed = list(draft.lines)
    shuffle.shuffle(mixed)
    parts = split(draft, lines_max=most, offset=contra)
    assert parts == split(replace(draft, lines=tuple(mixed)), lines_max=most, offset=contra)
    assert sorted(draft.lines) == sorted(line for part in parts for line in part.lines if line.account != "9999")
    assert all(part.debit == part.credit and len(part.lines) <= most + 1 for part in parts)
    assert len(parts) == len({part.reference for part in parts})


@given(JOURNALS, st.integers(min_value=0), st.integers(min_value=1, max_value=999))
def test_any_changed_amount_is_a_difference(draft: JournalDraft, place: int, more: int) -> None:
    """And the journal itself in another order is none."""
    place %= len(draft.lines)
    line = draft.lines[place]
    changed = replace(line, debit_minor=line.debit_minor + more)
    others = (*draft.lines[:place], changed, *draft.lines[place + 1 :])
    assert [] == differences(draft, draft.period, draft.currency, reversed(draft.lines))
    assert 2 == len(differences(draft, draft.period, draft.currency, others))
    assert 1 == len(differences(draft, "FY2026-P04", draft.currency, draft.lines))


def test_a_person_sees_every_objection_at_once() -> None:
    """Both sides, none, a negative amount, no account."""
    bad = (
        DraftLine("6100", "", 5, 5),
        DraftLine("6100", "", 0, 0),
        DraftLine("6100", "", -5, 0),
        DraftLine(" ", "", 1, 0),
    )
    assert 4 == len(findings(replace(DRAFT, lines=bad)))
    assert ["it has no lines"] == findings(replace(DRAFT, lines=()))
    with pytest.raises(DataError, match=r"line 1 .*line 2 .*line 3 .*line 4 has no account"):
        require_sound(replace(DRAFT, lines=bad))


def test_G25_debits_must_equal_credits() -> None:
    """To the cent, in whole cents."""
    require_sound(DRAFT)
    with pytest.raises(Unbalanced, match=r"debits 1,500\.01 USD, credits 1,500\.00 USD, difference 0\.01 USD"):
        require_sound(replace(DRAFT, lines=(replace(RENT, debit_minor=150_001), CONTRA)))
