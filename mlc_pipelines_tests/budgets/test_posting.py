"""An approved plan reaches its books to the cent, once; a later version takes the place of the one before. On every destination."""

import pytest

from mlc_pipelines.flows.approval import withdraw
from mlc_pipelines.flows.steps import DESTINATION_ALLOWED, JOURNALS_APPROVED, NO_STRAY_DRAFTS
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines_tests.budgets.office import V1, V2, Office, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, SECOND, YEAR, Articles, Native, PlanBook, Statistical, Way, ways


@ways(Statistical)
def test_a_preview_shows_everything_and_writes_nothing(office: Office, way: Way) -> None:
    """Approved, held by the ERP, to be written, in natural sign; zero write requests in the log; the same preview gives the same content."""
    report = office.preview()
    assert [] == way.writes()
    accounts = report.tables["By account"].set_index("account")
    fees, travel = (way.targets[what][0] for what in ("fees", "travel"))
    assert ["2,650.50", "300.01"] == accounts.loc[[fees, travel], "approved"].tolist()
    assert ["2,650.50", "300.01"] == accounts.loc[[fees, travel], "to be written"].tolist()
    assert [FIRST, SECOND] == report.tables["Journals"]["period"].tolist()
    assert [DESTINATION_ALLOWED] == [notice.name for notice in report.notices]
    assert all(leg.agreed for leg in report.legs)
    assert report.texts["content to approve"] == office.preview().texts["content to approve"]
    assert [] == way.writes()
    assert {} == way.totals(FIRST)


@ways(Articles, PlanBook, Native)
def test_the_approved_plan_is_posted_once(office: Office, way: Way) -> None:
    """The ERP's own totals are the plan to the cent; done again, nothing is written and it says what it was posted as."""
    report = office.issue()
    assert [office.expected(V1, period) for period in (FIRST, SECOND)] == [way.totals(FIRST), way.totals(SECOND)]
    assert [JOURNALS_APPROVED, NO_STRAY_DRAFTS] == [notice.name for notice in report.notices]
    assert all(leg.agreed for leg in report.legs)
    assert {"now"} == set(report.tables["Journals"]["posted"])
    assert way.writes()
    before = way.writes()
    again = office.post()
    assert "already posted as" in again.summary
    assert "nothing was written" in again.summary
    assert before == way.writes()
    withdraw(office.desk, office.route, YEAR, "too late")
    assert "already posted as" in office.post().summary
    anew = office.preview()
    assert 0 == anew.counts["journals"]
    assert "already posted" in anew.summary
    assert "already posted as" in office.post().summary
    assert before == way.writes()


@ways()
def test_a_period_at_a_time(office: Office, way: Way) -> None:
    """Only the period that is named is posted; the rest follows under the same approval."""
    office.previewed_and_approved()
    office.post_and_release(FIRST)
    assert (office.expected(V1, FIRST), {}) == (way.totals(FIRST), way.totals(SECOND))
    report = office.post_and_release()
    assert office.expected(V1, SECOND) == way.totals(SECOND)
    assert (1, 1) == (report.counts["journals posted before"], report.counts["journals posted now"])


def versions(office: Office, way: Way) -> None:
    """v1, v2, v1 again: the ERP's totals equal the last one each time. Approved anew without a change, there is nothing to post."""
    for figures in (V1, V2, V1):
        office.replan(figures)
        assert all(leg.agreed for leg in office.issue().legs)
        assert [office.expected(figures, one) for one in (FIRST, SECOND)] == [way.totals(FIRST), way.totals(SECOND)]
        before = way.writes()
        assert "already posted as" in office.post().summary
        assert before == way.writes()
    office.approve_plan()
    assert 0 == office.preview().counts["journals"]
    assert "already posted as" in office.post().summary
    assert before == way.writes()


@ways(Statistical)
def test_version_one_two_and_one_again(office: Office, way: Way) -> None:
    """By the difference, or by setting figures again."""
    versions(office, way)


@ways(also=[Statistical, PlanBook])
def test_version_one_two_and_one_again_by_reversal(way: Way) -> None:
    """What was posted is taken back, and the new version posted whole."""
    with open_office(way, reissue="reverse") as office:
        versions(office, way)
        held = office.desk.postings.of_plan(office.route.plan_of(YEAR))
    assert {2, 3} == {draft.issue for draft, _, _ in held if draft.reverses}


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_late_drafts_that_nobody_could_look_for_are_no_good_news(office: Office, way: Way) -> None:
    """What is posted stays posted and proved; the check beside it is yellow, with what the ERP said."""
    office.issue()
    way.sandbox.traffic.plant(
        {"match": "GET .*/JournalTransaction.*startswith", "times": -1, "action": {"kind": "status", "status": 403}}
    )
    report = office.post()
    assert "already posted as" in report.summary
    [strays] = [one for one in report.notices if one.name == NO_STRAY_DRAFTS]
    assert (1, False) == (len(strays.rows), strays.serious)
    assert "could not be looked for" in strays.said


@pytest.mark.parametrize("way", [Statistical], indirect=True)
@pytest.mark.parametrize("period", ["FY2027-P99", "FY2026-P01", "P01"])
def test_a_period_of_no_such_year_is_told_and_not_called_posted(office: Office, way: Way, period: str) -> None:
    """Nothing would be due there, and what nobody looked for would be called done."""
    office.issue()
    before = way.writes()
    with pytest.raises(DataError, match=f"{period} is no period of fiscal year {YEAR}") as caught:
        office.post(period)
    assert f"{YEAR}-P01 to " in caught.value.next_step
    assert before == way.writes()
