"""A plan issued again and again: whatever came before, the books hold the last version, and nothing of it twice."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.drafts import Destination, DraftLine, JournalDraft, require_sound
from mlc_pipelines.ledger.figures import FIGURES, OFFSET, figures_of, keys_of, summed
from mlc_pipelines.ledger.issues import (
    DELTA,
    REPLACE,
    REVERSE,
    IssueRule,
    Offset,
    effective,
    issue,
    standing,
    zeros_beside,
)

BOOKS = Destination("demo", "Meridian", "MERIDIAN", "PLAN")
CONTRA = Offset("9999", "000-000")
P1, P2, P3 = (f"FY2027-P0{number}" for number in (1, 2, 3))


def rule(reissue: str, **other: Any) -> IssueRule:
    offset = None if reissue == REPLACE else CONTRA
    books = replace(BOOKS, one_sided=offset is None)
    return IssueRule(books, "Budget FY2027", "USD", reissue, **{"offset": offset, **other})


def figures(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return summed(pd.DataFrame(list(rows), columns=FIGURES).astype({"amount_minor": "int64"}))


def rows_of(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame[FIGURES].itertuples(index=False, name=None))


V1 = figures((P1, "6100", "000-DEN", 100), (P1, "4000", "000-DEN", -70), (P2, "6100", "000-DEN", 200))
V2 = figures((P1, "6100", "000-DEN", 130), (P1, "4000", "000-DEN", -70), (P3, "6100", "000-DEN", 5))


def issued(reissue: str, *versions: pd.DataFrame, **other: Any) -> list[list[JournalDraft]]:
    """Each version on top of those before, all of them posted whole."""
    done: list[list[JournalDraft]] = []
    for number, wanted in enumerate(versions, start=1):
        before = [draft for drafts in done for draft in drafts]
        done.append(issue(wanted, before, rule(reissue, **other), version=str(number), number=number))
    return done


def lines_of(draft: JournalDraft) -> list[tuple[str, int, int]]:
    return [(line.account, line.debit_minor, line.credit_minor) for line in draft.lines]


def test_a_delta_writes_what_is_missing_and_nothing_else() -> None:
    """30 more in the first period, the second taken back, the third new; the account that did not change is not touched."""
    _, second = issued(DELTA, V1, V2)
    assert [(P1, [("6100", 30, 0), ("9999", 0, 30)]), (P2, [("6100", 0, 200), ("9999", 200, 0)]), (P3, [("6100", 5, 0), ("9999", 0, 5)])] == [
        (draft.period, lines_of(draft)) for draft in second
    ]  # fmt: skip
    assert {"Budget FY2027 version 2"} == {draft.description for draft in second}


def test_a_reversal_takes_back_the_journals_of_changed_periods_and_writes_them_anew() -> None:
    """Line by line, the offset among them; a period that is as it was keeps its journal."""
    same = figures((P1, "6100", "000-DEN", 100), (P1, "4000", "000-DEN", -70), (P2, "6100", "000-DEN", 201))
    (january, february), second = issued(REVERSE, V1, same)
    back, anew = second
    assert (P2, february.reference) == (back.period, back.reverses)
    assert [("6100", 0, 200), ("9999", 200, 0)] == lines_of(back)
    assert f"Reversal of {february.description}" == back.description
    assert ("", [("6100", 201, 0), ("9999", 0, 201)]) == (anew.reverses, lines_of(anew))
    assert [january, anew] == standing([january, february, back, anew])


def test_a_reversal_takes_every_journal_back_once() -> None:
    """v1, v2, v1 again: the third takes back what the second wrote; what the second had taken back stays so."""
    first, second, third = issued(REVERSE, V1, V2, V1)
    assert {draft.reference for draft in first} == {draft.reverses for draft in second if draft.reverses}
    own = {draft.reference for draft in second if not draft.reverses}
    assert own == {draft.reverses for draft in third if draft.reverses}
    assert [] == [draft for draft in standing([*first, *second, *third]) if draft.issue < 3]


def test_native_figures_are_set_whole_for_every_changed_period() -> None:
    """The newest of a period counts; a period that was emptied gets a draft without lines, whose keys are set to zero."""
    first, second = issued(REPLACE, V1, V2)
    assert [(P1, 2), (P2, 0), (P3, 1)] == [(draft.period, len(draft.lines)) for draft in second]
    assert rows_of(V2) == rows_of(figures_of(effective([*first, *second], REPLACE)))
    assert [(P2, "6100", "000-DEN", 0)] == rows_of(zeros_beside(second[1], first))
    for draft in second:
        require_sound(draft, lines_needed=False)


def test_a_native_period_is_set_again_where_it_is_not_proved_what_stands_there() -> None:
    """A version that was given up half-way may have written some of it."""
    first = issue(V1, [], rule(REPLACE), version="1", number=1)
    assert [] == issue(V1, first, rule(REPLACE), version="1", number=3)
    (again,) = issue(V1, first, rule(REPLACE), version="1", number=3, unproved=[P2])
    assert (P2, [("6100", 200, 0)]) == (again.period, lines_of(again))


def test_zeros_stand_beside_the_figures_for_every_key_that_was_ever_written() -> None:
    """In the same period only, and also where two versions cancel out: each of them may be what stands there."""
    plus = issue(figures((P1, "6100", "D", 9), (P1, "6200", "D", 1)), [], rule(REPLACE), version="1", number=1)[0]
    less = issue(figures((P1, "6100", "D", -9)), [plus], rule(REPLACE), version="2", number=2)[0]
    other = issue(figures((P2, "6300", "D", 4)), [], rule(REPLACE), version="1", number=1)[0]
    now = issue(figures((P1, "6200", "D", 7)), [plus, less, other], rule(REPLACE), version="3", number=3)[0]
    assert [(P1, "6100", "D", 0), (P1, "6200", "D", 7)] == rows_of(zeros_beside(now, [plus, less, other]))
    assert "int64" == zeros_beside(now, [plus])["amount_minor"].dtype


def test_a_long_journal_is_cut_and_every_part_balances() -> None:
    """Two lines at most, the offset apart, in the order of the lines; a part that balances by itself gets none."""
    wanted = figures(*((P1, f"61{number:02d}", "D", 10) for number in range(5)))
    parts = issue(wanted, [], rule(DELTA, lines_max=2), version="1", number=1)
    assert [1, 2, 3] == [part.part for part in parts]
    assert [2, 2, 1] == [sum(line.description != OFFSET for line in part.lines) for part in parts]
    assert [20, 20, 10] == [part.credit.minor for part in parts]
    even = figures((P1, "6100", "D", 10), (P1, "6200", "D", -10))
    assert 2 == len(issue(even, [], rule(DELTA), version="1", number=1)[0].lines)
    assert rows_of(wanted) == rows_of(figures_of(parts))


def test_parts_are_reversed_one_by_one() -> None:
    """Each reversal names its own journal; more or fewer parts later do not matter."""
    long = figures(*((P1, f"61{number:02d}", "D", 10) for number in range(5)))
    first, second, third = issued(REVERSE, long, V1, long, lines_max=2)
    assert {draft.reference for draft in first} == {draft.reverses for draft in second if draft.reverses}
    assert rows_of(long) == rows_of(figures_of([*first, *second, *third]))


@pytest.mark.parametrize("reissue", [DELTA, REVERSE, REPLACE])
def test_what_the_books_hold_already_is_not_written_again(reissue: str) -> None:
    """The same version, or another one with the same figures; and a plan of nothing where nothing was."""
    first, second, third = issued(reissue, V1, V1, V2)
    assert (2, []) == (len(first), second)
    assert [] == issue(V2, [*first, *third], rule(reissue), version="4", number=4)
    assert [] == issue(figures(), [], rule(reissue), version="1", number=1)


def test_another_way_of_reissuing_can_follow() -> None:
    """Journals that were added up can be taken back later: each of them, whichever issue it was."""
    first, second = issued(DELTA, V1, V2)
    third = issue(V1, [*first, *second], rule(REVERSE), version="1", number=3)
    taken_back = [draft.reverses for draft in third if draft.reverses]
    assert sorted(draft.reference for draft in [*first, *second]) == sorted(taken_back)
    assert rows_of(V1) == rows_of(figures_of([*first, *second, *third]))


def test_an_offset_account_may_carry_figures_of_its_own() -> None:
    """The line that balances is told from a figure of the plan by its text, not by its account."""
    wanted = figures((P1, CONTRA.account, CONTRA.subaccount, 40), (P1, "6100", "D", 2))
    first, second = issued(DELTA, wanted, V1)
    assert rows_of(wanted) == rows_of(figures_of(first))
    assert rows_of(V1) == rows_of(figures_of([*first, *second]))


VERSION = st.dictionaries(
    st.tuples(st.sampled_from([P1, P2]), st.sampled_from(["0010", "6100"]), st.sampled_from(["000", "100"])),
    st.integers(-3, 3) | st.integers(-(10**13), 10**13),
    max_size=5,
).map(lambda cells: [(*key, minor) for key, minor in cells.items()])
STORY = st.lists(st.tuples(VERSION | st.sampled_from([[]]), st.integers(0, 2**16)), min_size=2, max_size=4).map(
    lambda story: [*story, story[0]]
)
"""Versions, the first one again at the end; and a number whose bits say which journals of an issue came into the books."""


@pytest.mark.parametrize("reissue", [DELTA, REVERSE, REPLACE])
@settings(deadline=None, max_examples=3)
@given(STORY, st.sampled_from([1, 2, 500]))
def test_after_every_issue_the_books_hold_the_last_version(reissue: str, story: Any, lines_max: int) -> None:
    """v1, v2, empty ones, v1 again, each laid on top of whatever came into the books of those before."""
    tell(story, rule(reissue, lines_max=lines_max))


@pytest.mark.prove
@pytest.mark.parametrize("reissue", [DELTA, REVERSE, REPLACE])
@settings(deadline=None, max_examples=200)
@given(STORY, st.sampled_from([1, 2, 500]))
def test_long_after_every_issue_the_books_hold_the_last_version(reissue: str, story: Any, lines_max: int) -> None:
    """The same at length."""
    tell(story, rule(reissue, lines_max=lines_max))


def tell(story: Any, how: IssueRule) -> None:
    """Issue each version. Were it posted whole, the books would hold it; in truth some of its journals may never come into the books."""
    in_books: list[JournalDraft] = []
    references: set[str] = set()
    for number, (rows, bits) in enumerate(story, start=1):
        wanted = figures(*rows)
        version = "1" if rows == story[0][0] else "2"
        drafts = issue(wanted, in_books, how, version=version, number=number)
        if number == len(story):  # the same input gives the same journals
            assert drafts == issue(wanted, list(in_books), how, version=version, number=number)
        assert dict(zip(keys_of(wanted), wanted["amount_minor"].tolist(), strict=True)) == held(
            [*in_books, *drafts], how
        )
        before = held(in_books, how)
        changed = {key[0] for key, minor in held([*in_books, *drafts], how).items() ^ before.items() if minor}
        assert changed == {draft.period for draft in drafts}
        assert_sound(drafts, in_books, how)
        own = {draft.reference for draft in drafts}
        assert len(own) == len(drafts)
        assert not own & references
        references |= own
        in_books += [draft for at, draft in enumerate(drafts) if bits == 0 or bits >> at & 1]


def held(drafts: list[JournalDraft], how: IssueRule) -> dict[tuple[str, ...], int]:
    """What the books hold of the plan, added up by hand; of native figures only the newest draft of a period counts."""
    newest = {draft.period: draft.issue for draft in sorted(drafts, key=lambda one: one.issue)}
    sums: Counter[tuple[str, ...]] = Counter()
    for draft in drafts:
        if how.reissue != REPLACE or draft.issue == newest[draft.period]:
            for line in draft.lines:
                if line.description != OFFSET:
                    sums[draft.period, line.account, line.subaccount] += line.debit_minor - line.credit_minor
    return {key: minor for key, minor in sums.items() if minor}


def assert_sound(drafts: list[JournalDraft], in_books: list[JournalDraft], how: IssueRule) -> None:
    """Each could be posted as it is; each takes back only what stands, once; none is longer than allowed."""
    for draft in drafts:
        require_sound(draft, lines_needed=how.reissue != REPLACE)
        assert how.reissue == REPLACE or how.lines_max >= sum(line.description != OFFSET for line in draft.lines)
    taken_back = [draft.reverses for draft in drafts if draft.reverses]
    assert len(set(taken_back)) == len(taken_back)
    assert set(taken_back) <= {draft.reference for draft in standing(in_books)}
    assert how.reissue == REVERSE or not taken_back


@settings(deadline=None, max_examples=3)
@given(st.lists(VERSION, min_size=2, max_size=4), st.integers(0, 255))
def test_native_keys_end_as_the_last_version_says_whichever_writes_came_through(versions: Any, bits: int) -> None:
    """Any write of any earlier version may have come into the ERP, line by line: figures and zeros together clear all of it."""
    how = rule(REPLACE)
    held: dict[tuple[str, ...], int] = {}
    drafts: list[JournalDraft] = []
    for number, rows in enumerate(versions, start=1):
        wanted = figures(*rows)
        news = issue(wanted, [], how, version=str(number), number=number, unproved=[P1, P2])
        written = pd.concat([zeros_beside(draft, drafts) for draft in news])
        last = number == len(versions)
        for at, (key, minor) in enumerate(zip(keys_of(written), written["amount_minor"].tolist(), strict=True)):
            if last or bits >> at & 1:
                held[key] = minor
        drafts += news
    assert rows_of(figures(*versions[-1])) == rows_of(figures(*((*key, minor) for key, minor in held.items())))


def test_the_offset_takes_the_other_side() -> None:
    """So much more debit asks for so much credit, and the other way round."""
    assert DraftLine("9999", "000-000", 0, 7, OFFSET) == CONTRA.line(7)
    assert DraftLine("9999", "000-000", 7, 0, OFFSET) == CONTRA.line(-7)
