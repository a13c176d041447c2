"""Journals that a person reversed in the ERP: they stand there as released as before, and a named reversal is the way on."""

import pytest

from mlc_pipelines.flows.by_hand import abandon_journal, record_reversal, reopen_journal
from mlc_pipelines.ledger.drafts import DoublePosted
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.postings import ABANDONED, SEALED, Posting
from mlc_pipelines_tests.budgets.office import V1, Office, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, YEAR, PlanBook, Statistical, Way, ways


def first_of(office: Office) -> Posting:
    """The posting of the first period, as the register has it."""
    return next(
        posting
        for draft, posting, _ in office.desk.postings.of_plan(office.route.plan_of(YEAR))
        if draft.period == FIRST
    )


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_two_released_ones_are_settled_by_the_reversal_of_one(office: Office, way: Statistical) -> None:
    """Nothing is believed of the command but which two are meant: they must cancel out. Then the posting is reopened, and the books hold the plan."""
    office.previewed_and_approved()
    twice: list[str] = []

    def somebody(said: str) -> None:
        if "releasing journal" in said and not twice:
            twice.append(way.books_again(said.rpartition(" ")[2]))

    with pytest.raises(DoublePosted, match="released more than once") as caught:
        office.post(FIRST, meanwhile=somebody)
    assert "`mlc budget reversed" in caught.value.next_step
    reference = first_of(office).reference
    by = way.take_back(twice[0])
    for wrong in ((twice[0], twice[0]), ("GL999999-1", by)):
        with pytest.raises(DataError):
            record_reversal(office.desk, office.route, *wrong, "a mistake")
    assert twice[0] == record_reversal(office.desk, office.route, twice[0], by, "M. Lee released it by hand").number
    with pytest.raises(DataError, match="already"):
        record_reversal(office.desk, office.route, twice[0], by, "once more")
    reopen_journal(office.desk, reference, f"{twice[0]} is reversed by {by}")
    assert 1 == office.post(FIRST).counts["journals posted now"]
    assert (SEALED, office.expected(V1, FIRST)) == (first_of(office).state, way.totals(FIRST))


@pytest.mark.prove
@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_a_reversal_in_shared_books_is_not_taken_for_agreement(way: Statistical) -> None:
    """What others hold there is not compared; but a journal that bears a reference of ours, and was not posted from here, is."""
    with open_office(way, shared=True) as office:
        office.issue()
        posted = first_of(office)
        by = way.take_back(posted.number)
        with pytest.raises(DoublePosted, match=f"{by} beside {posted.number}"):
            office.post()


@ways(Statistical, also=[PlanBook])
def test_a_posted_journal_that_was_reversed_is_given_up_and_issued_anew(office: Office, way: Way) -> None:
    """The next preview brings what is missing: once, and proved."""
    office.issue()
    posted = first_of(office)
    by = way.take_back(posted.number)
    assert {} == way.totals(FIRST)
    record_reversal(office.desk, office.route, posted.number, by, "taken back by the controller")
    assert ABANDONED == abandon_journal(office.desk, posted.reference, "taken back by the controller").state
    report = office.issue()
    assert 1 == report.counts["journals posted now"]
    assert office.expected(V1, FIRST) == way.totals(FIRST)
