"""Which journals a preview asks approval for, given what the register says became of those before."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from mlc_pipelines.flows.approval import latest_preview
from mlc_pipelines.flows.preview import Issued, issued, next_issue
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.ledger.drafts import Approval, ApprovalVoid, Destination, JournalDraft, package_hash
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.figures import FIGURES, figures_of, summed
from mlc_pipelines.ledger.issues import DELTA, REPLACE, REVERSE, IssueRule, effective
from mlc_pipelines.ledger.plans import MappedBack
from mlc_pipelines.store.history import History
from mlc_pipelines.store.postings import (
    ABANDONED,
    CONFLICT,
    INTENT,
    PLANNED,
    RELEASING,
    SEALED,
    Postings,
)
from mlc_pipelines.wiring.connections import folder, read_one
from mlc_pipelines.wiring.ledgers import OpenBooks
from mlc_pipelines.wiring.routes import routes_of

PLAN = "Budget FY2027"
BOOKS = Destination("demo", "Meridian", "MERIDIAN", "PLAN", True)
P1, P2, P3 = (f"FY2027-P0{number}" for number in (1, 2, 3))
V1, V2 = {P1: 100, P2: 200}, {P1: 130, P3: 5}
Drafts = list[JournalDraft]


def rule(reissue: str = DELTA) -> IssueRule:
    return IssueRule(BOOKS, PLAN, "USD", reissue)


def mapped(version: dict[str, int], untouched: frozenset[tuple[str, str, str]] = frozenset()) -> MappedBack:
    """One account's figures by period."""
    rows = [(period, "6100", "000-DEN", minor) for period, minor in version.items()]
    return MappedBack(summed(pd.DataFrame(rows, columns=FIGURES).astype({"amount_minor": "int64"})), untouched)


def preview(register: Postings, version: dict[str, int], number: str = "1", reissue: str = DELTA) -> Drafts:
    """What a preview of this version asks for, written down as planned."""
    known = Issued(register.of_plan(PLAN))
    drafts, figures = next_issue(mapped(version), known, rule(reissue), number)
    assert version == dict(zip(figures["period"], figures["amount_minor"], strict=True))
    if drafts:
        register.plan(drafts, package_hash(drafts))
    return drafts


def post(register: Postings, drafts: Drafts, *states: str) -> None:
    """Begin the first journals of a package and bring them to these states, the last state for all that are left."""
    approval = Approval("r.okafor", "2026-06-12", package_hash(drafts))
    for at, draft in enumerate(drafts):
        state = states[min(at, len(states) - 1)]
        if state != PLANNED:
            register.record_intent(draft, approval)
            bring(register, draft, state)


def bring(register: Postings, draft: JournalDraft, state: str) -> None:
    if state == ABANDONED:
        register.give_up(draft.reference, "withdrawn")
    else:
        register.move(draft.reference, state, number="B7" if state == SEALED else "", note="why")


def names(drafts: Drafts) -> list[tuple[int, str, str]]:
    return [(draft.issue, draft.version, draft.period) for draft in drafts]


def total(register: Postings, reissue: str = DELTA) -> dict[str, int]:
    """What is proved to be in the books, by period."""
    held = figures_of(effective(Issued(register.of_plan(PLAN)).sealed(), reissue))
    return dict(zip(held["period"], held["amount_minor"], strict=True))


def test_the_first_preview_asks_for_the_first_issue(register: Postings) -> None:
    """And asks for the same again, however often it is made, as long as nothing was begun."""
    first = preview(register, V1)
    assert [(1, "1", P1), (1, "1", P2)] == names(first)
    assert first == preview(register, V1)
    assert [PLANNED, PLANNED] == [posting.state for _, posting, _ in register.of_plan(PLAN)]


def test_a_number_of_which_nothing_was_begun_is_used_again(register: Postings) -> None:
    """Previews that nobody posted leave no trace in the numbers; each journal belongs to the newest package that has it."""
    first = preview(register, V1)
    changed = preview(register, {P1: 100, P2: 201})
    assert names(first) == names(changed)
    assert first[0].reference == changed[0].reference
    assert {package_hash(changed)} == {package for _, _, package in register.of_plan(PLAN)}
    assert [(1, "2", P1), (1, "2", P3)] == names(preview(register, V2, "2"))
    back = preview(register, V1)
    assert first == back
    packages = {draft.reference: package for draft, _, package in register.of_plan(PLAN)}
    assert {package_hash(back)} == {packages[draft.reference] for draft in back}


@pytest.mark.parametrize("state", [RELEASING, CONFLICT])
def test_other_figures_are_refused_while_an_issue_is_under_way(register: Postings, state: str) -> None:
    """What such a journal will have written cannot be known; it is named, with how it stands and what to do."""
    first = preview(register, V1)
    post(register, first, SEALED, state)
    with pytest.raises(DataError) as caught:
        preview(register, V2, "2")
    assert (
        f"{PLAN} version 1 is still being posted, and the figures have changed since: 1 journals" in caught.value.what
    )
    assert f"{first[1]} ({state}: why)" in caught.value.what
    assert "`mlc budget post`" in caught.value.next_step
    assert "`mlc budget abandon`" in caught.value.next_step


@pytest.mark.parametrize("state", [PLANNED, CONFLICT])
def test_the_same_figures_are_the_same_package_until_it_is_at_its_end(register: Postings, state: str) -> None:
    """So its approval still holds, and whoever posts it finishes it; also under another version that says the same."""
    first = preview(register, V1)
    post(register, first, SEALED, state)
    assert first == preview(register, V1)
    assert package_hash(first) == package_hash(preview(register, V1, "2"))


def test_nothing_is_asked_for_where_everything_is_sealed(register: Postings) -> None:
    """Whatever the version is called."""
    post(register, preview(register, V1), SEALED)
    assert [] == preview(register, V1)
    assert [] == preview(register, V1, "2")


@pytest.mark.parametrize("reissue", [DELTA, REVERSE, REPLACE])
def test_versions_follow_each_other_and_the_first_comes_again(register: Postings, reissue: str) -> None:
    """v1, v2, nothing, v1: the books hold the last one, the issues are numbered through, no reference is used twice."""
    seen: set[str] = set()
    for number, (version, name) in enumerate([(V1, "1"), (V2, "2"), ({}, "3"), (V1, "1")], start=1):
        drafts = preview(register, version, name, reissue)
        post(register, drafts, SEALED)
        assert {(number, name)} == {(draft.issue, draft.version) for draft in drafts}
        assert version == total(register, reissue)
        assert not seen & {draft.reference for draft in drafts}
        seen |= {draft.reference for draft in drafts}


@pytest.mark.parametrize("reissue", [DELTA, REVERSE, REPLACE])
def test_what_was_given_up_is_brought_by_the_next_issue(register: Postings, reissue: str) -> None:
    """Only what is missing: the sealed period is left alone. A number that was begun is never used again."""
    first = preview(register, V1, reissue=reissue)
    post(register, first, SEALED, ABANDONED)
    second = preview(register, V1, reissue=reissue)
    assert [(2, "1", P2)] == names(second)
    assert second == preview(register, V1, reissue=reissue)
    post(register, second, SEALED)
    assert V1 == total(register, reissue)
    assert [] == preview(register, V1, reissue=reissue)


def test_what_is_given_up_beside_a_journal_at_work_waits_for_it(register: Postings) -> None:
    """The figures did not change, and the text does not say so."""
    post(register, preview(register, V1), ABANDONED, INTENT)
    with pytest.raises(DataError, match="is still being posted, and a journal of it was given up since"):
        preview(register, V1)


def test_native_figures_are_set_again_where_another_version_was_given_up(register: Postings) -> None:
    """It may have been written before it was given up, so the version before it is not what the ERP is known to hold."""
    post(register, preview(register, V1, reissue=REPLACE), SEALED)
    post(register, preview(register, {**V1, P2: 7}, "2", REPLACE), ABANDONED)
    again = preview(register, V1, reissue=REPLACE)
    assert [(3, "1", P2)] == names(again)
    post(register, again, SEALED)
    assert [] == preview(register, V1, reissue=REPLACE)


def test_journals_that_were_given_up_were_never_in_the_books(register: Postings) -> None:
    """Giving a journal up proves that it was not released, so nothing is set again."""
    post(register, preview(register, V1), SEALED)
    post(register, preview(register, {**V1, P2: 7}, "2"), ABANDONED)
    assert [] == preview(register, V1)


def test_one_period_of_a_package_may_be_posted_before_the_others(register: Postings) -> None:
    """The rest of it is asked for again, whole, or left for ever where the figures changed."""
    first = preview(register, V1)
    post(register, first, SEALED, PLANNED)
    assert first == preview(register, V1)
    second = preview(register, V2, "2")
    assert [(2, "2", P1), (2, "2", P3)] == names(second)
    post(register, second, SEALED)
    assert V2 == total(register)
    assert [] == preview(register, V2, "2")


def test_a_blank_that_changes_nothing_keeps_what_was_written(register: Postings) -> None:
    """Also while its own issue is under way, when what was written before that one counts."""
    post(register, preview(register, V1), SEALED)
    blank = mapped({P1: 130}, frozenset({(P2, "6100", "000-DEN")}))
    drafts, figures = next_issue(blank, Issued(register.of_plan(PLAN)), rule(), "2")
    assert [(2, "2", P1)] == names(drafts)
    assert [130, 200] == figures["amount_minor"].tolist()
    register.plan(drafts, package_hash(drafts))
    post(register, drafts, INTENT)
    again, as_before = next_issue(blank, Issued(register.of_plan(PLAN)), rule(), "2")
    assert (drafts, [130, 200]) == (again, as_before["amount_minor"].tolist())


def test_a_sealed_journal_that_turns_out_wrong_stops_what_comes_after(register: Postings) -> None:
    """An alarm of the sweep on an old issue is a conflict, and what the books hold is not known until a person has looked."""
    first = preview(register, V1)
    post(register, first, SEALED)
    post(register, preview(register, V2, "2"), SEALED)
    bring(register, first[0], CONFLICT)
    with pytest.raises(DataError, match=first[0].reference):
        preview(register, V2, "2")


def budget_route() -> PlanRoute:
    named = read_one(folder() / "demo.yaml")
    books: Any = object()  # a route only carries it
    return routes_of(named, OpenBooks(books, books, journals={"budget": books}, tables={"forecast": books}))["budget"]


def test_a_plan_that_was_posted_elsewhere_is_refused(register: Postings) -> None:
    """A difference to what other books hold would be a wrong figure here. Previews and journals given up are no hindrance."""
    desk: Any = SimpleNamespace(postings=register)
    here = budget_route()
    assert (PLAN, BOOKS) == (here.plan_of("FY2027"), here.destination)
    elsewhere = replace(here, destination=replace(BOOKS, ledger="PLAN2"))
    drafts = preview(register, V1)
    assert [] == issued(desk, elsewhere, "FY2027").rows
    post(register, drafts, ABANDONED, SEALED)
    assert 2 == len(issued(desk, here, "FY2027").rows)
    said = "SEALED in Meridian MERIDIAN PLAN; the connection names Meridian MERIDIAN PLAN2 now"
    with pytest.raises(DataError, match=said) as caught:
        issued(desk, elsewhere, "FY2027")
    assert "Restore plans.budget.destination" in caught.value.next_step


def test_F07_a_preview_holds_for_its_figures_and_its_books_only(register: Postings) -> None:
    """Newer approved figures void it, and so does another destination in the connection file."""
    history, route = History(register.engine), budget_route()
    desk: Any = SimpleNamespace(connection="demo", store=SimpleNamespace(history=history))
    history.record_step("demo", route.steps.approved, "FY2027", "a" * 64, {})
    facts = {"approved": "a" * 64, "books": str(BOOKS), "package": "p" * 64}
    history.record_step("demo", route.steps.preview, "FY2027", "b" * 64, facts)
    assert facts == latest_preview(desk, route, "FY2027").facts
    elsewhere = replace(route, destination=replace(BOOKS, ledger="PLAN2"))
    with pytest.raises(
        ApprovalVoid, match="made for Meridian MERIDIAN PLAN; the connection names Meridian MERIDIAN PLAN2"
    ):
        latest_preview(desk, elsewhere, "FY2027")
    history.record_step("demo", route.steps.approved, "FY2027", "c" * 64, {})
    with pytest.raises(ApprovalVoid, match="made of older figures"):
        latest_preview(desk, route, "FY2027")
