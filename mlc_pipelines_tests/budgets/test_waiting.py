"""What waits in the ERP and how it goes on: closed periods, releases by people, somebody else's figures in our books, a home that was lost."""

from pathlib import Path

import pytest

from mlc_pipelines.flows.steps import LEDGER_MATCHES_PLAN, POSTED_MATCHES_PLAN
from mlc_pipelines.ledger.errors import DataError, WaitingError
from mlc_pipelines.store.home import Store
from mlc_pipelines_tests.budgets.office import V1, V2, Office, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, SECOND, Articles, Native, PlanBook, Statistical, Way, ways
from mlc_pipelines_tests.conftest import store_demo_credentials, store_epicor_credentials

JOURNALS = [Statistical, PlanBook]


@ways(Statistical, also=JOURNALS)
def test_G22_a_closed_period_waits_and_the_others_are_posted(office: Office, way: Way) -> None:
    """The preview shows it; the posting says what is done and what waits; after the period was opened the same command finishes it."""
    way.close(SECOND)
    report = office.preview()
    assert [SECOND] == report.tables["Not open now"]["period"].tolist()
    assert "closed" in report.tables["Not open now"]["why"][0]
    office.approve(report.texts["content to approve"])
    with pytest.raises(WaitingError, match="1 of 2 journals are posted; 1 are not") as caught:
        office.post()
    assert SECOND in caught.value.what
    assert "closed" in caught.value.what
    assert (office.expected(V1, FIRST), {}) == (way.totals(FIRST), way.totals(SECOND))
    way.open(SECOND)
    assert 1 == office.post().counts["journals posted now"]
    assert [office.expected(V1, one) for one in (FIRST, SECOND)] == [way.totals(FIRST), way.totals(SECOND)]


@ways(also=JOURNALS)
def test_G22_all_or_none_posts_nothing_while_a_period_is_closed(way: Way) -> None:
    """Nothing counts before everything can."""
    with open_office(way, mode="all_or_none") as office:
        office.previewed_and_approved()
        way.close(SECOND)
        with pytest.raises(WaitingError, match="0 of 2 journals are posted; 2 are not"):
            office.post()
        assert ({}, {}) == (way.totals(FIRST), way.totals(SECOND))
        way.open(SECOND)
        assert 2 == office.post().counts["journals posted now"]
        assert [office.expected(V1, one) for one in (FIRST, SECOND)] == [way.totals(FIRST), way.totals(SECOND)]


@ways(also=[Articles])
def test_what_a_person_must_release_waits_until_they_did(office: Office, way: Way) -> None:
    """The form and the number of articles are named; nothing is written again meanwhile."""
    office.previewed_and_approved()
    with pytest.raises(WaitingError, match=r"release of 2 of 2 articles .* GL505510"):
        office.post()
    before = way.writes()
    with pytest.raises(WaitingError, match="GL505510"):
        office.post()
    assert (before, {}) == (way.writes(), way.totals(FIRST))
    way.release()
    office.post()
    assert (before, office.expected(V1, FIRST)) == (way.writes(), way.totals(FIRST))


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_G14_released_and_not_posted_waits_for_the_posting(office: Office, way: Statistical) -> None:
    """What counts in no balance cannot agree yet: batch and form are named, by the next preview too; nothing is written again."""
    way.sandbox.set_switches(acumatica={"post_on_release": False})
    office.previewed_and_approved()
    with pytest.raises(
        WaitingError, match=r"2 journals .* not posted yet: GL\d+ waits for posting of batch GL\d+ on form GL502000"
    ):
        office.post()
    before = way.writes()
    with pytest.raises(WaitingError, match="GL502000"):
        office.preview()
    for batch in way.sandbox.books.batches:
        batch.status = batch.status.replace("Unposted", "Posted")
    assert 2 == office.post().counts["journals posted before"]
    assert (before, office.expected(V1, FIRST)) == (way.writes(), way.totals(FIRST))


# -- others in our books ----------------------------------------------------------------------------------------------


@ways(Statistical, also=JOURNALS)
def test_a_ledger_of_our_own_that_holds_figures_of_others_is_refused(way: Way) -> None:
    """They are listed, before anything is written; `shared: true` lets both stand side by side, and proves our own journals."""
    where = way.write_beside(FIRST)
    with open_office(way, shared=False) as office, pytest.raises(DataError, match="did not write") as caught:
        office.preview()
    listed = caught.value.evidence["Figures of others"]
    assert where in set(zip(listed["account"], listed["subaccount"], strict=True))
    assert [] == way.writes()
    theirs = way.totals(FIRST)
    with open_office(way, shared=True) as office:
        report = office.issue()
        assert [POSTED_MATCHES_PLAN] == [leg.name for leg in report.legs]
        assert "what others hold in PLAN was not compared" in report.summary
        ours = office.expected(V1, FIRST)
    both = {key: theirs.get(key, 0) + ours.get(key, 0) for key in {*theirs, *ours}}
    assert {key: minor for key, minor in both.items() if minor} == way.totals(FIRST)


@ways(Statistical, also=[Articles, Native])
def test_figures_of_others_after_the_posting_are_found(office: Office, way: Way) -> None:
    """A stray journal, or a figure of ours typed over: the next run does not agree, says where, and writes nothing."""
    office.issue()
    account, subaccount = way.write_beside(FIRST)
    before = way.writes()
    with pytest.raises(DataError) as caught:
        office.post()
    assert LEDGER_MATCHES_PLAN == caught.value.leg
    assert f"account {account} subaccount {subaccount}" in caught.value.what
    differs = caught.value.evidence["What differs"]
    assert [(account, subaccount)] == list(zip(differs["account"], differs["subaccount"], strict=True))
    assert before == way.writes()


# -- a home that was lost ---------------------------------------------------------------------------------------------


@ways(Statistical)
def test_an_installation_that_lost_its_memory_doubles_nothing(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new home, the same connection: what stands in the ERP is found by its reference, or by its key, and taken for what it is."""
    with open_office(way) as office:
        office.issue()
        references = [draft.reference for draft in office.desk.postings.of_plan(office.route.plan_of("FY2027"))[0][:1]]
    before = way.writes()
    monkeypatch.setenv("MLC_HOME", str(tmp_path / "another"))
    store = Store.open()
    store_demo_credentials(way.sandbox, store)
    store_epicor_credentials(way.sandbox, store)
    with open_office(way) as office:
        report = office.issue()
        assert references == [
            draft.reference for draft in office.desk.postings.of_plan(office.route.plan_of("FY2027"))[0][:1]
        ]
        expected = [office.expected(V1, period) for period in (FIRST, SECOND)]
    assert all(leg.agreed for leg in report.legs)
    assert (before, expected) == (way.writes(), [way.totals(FIRST), way.totals(SECOND)])


@pytest.mark.parametrize(
    ("way", "shared"),
    [
        (PlanBook, True),
        *(pytest.param(Statistical, shared, marks=pytest.mark.prove) for shared in (True, False)),
    ],
    indirect=["way"],
)
def test_an_installation_that_lost_its_memory_after_two_versions_doubles_nothing(
    way: Way, shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How often the plan was issued is not known any more: it stops instead of posting the whole plan on top of what is there."""
    with open_office(way, shared=shared) as office:
        office.issue()
        office.replan(V2)
        office.issue()
        expected = office.expected(V2, FIRST)
    before = way.writes()
    monkeypatch.setenv("MLC_HOME", str(tmp_path / "another"))
    store = Store.open()
    store_demo_credentials(way.sandbox, store)
    store_epicor_credentials(way.sandbox, store)
    with (
        open_office(way, shared=shared) as office,
        pytest.raises(DataError, match="does not remember" if shared else "did not write"),
    ):
        office.issue()
    assert (before, expected) == (way.writes(), way.totals(FIRST))
