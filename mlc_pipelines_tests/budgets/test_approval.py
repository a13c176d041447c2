"""Two approvals, and what voids them: the plan's own in Anaplan, and the controller's of exactly this content. On every destination."""

from collections.abc import Callable

import pytest

from mlc_pipelines.flows.approval import SamePerson, withdraw
from mlc_pipelines.ledger.drafts import ApprovalVoid
from mlc_pipelines.ledger.errors import DataError, PipelineError, WaitingError
from mlc_pipelines_tests.budgets.office import ANALYST, CONTROLLER, V1, V2, Office, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, SECOND, YEAR, Articles, Native, PlanBook, Statistical, Way, ways


def refused(work: Callable[[], object], kind: type[PipelineError], *said: str) -> PipelineError:
    """The failure, whose message has all its parts."""
    with pytest.raises(kind) as caught:
        work()
    error = caught.value
    assert all((error.what, error.holds, error.next_step)), error
    assert [] == [text for text in said if text not in str(error)], error
    return error


@ways(Statistical)
def test_nobody_approves_what_he_prepared_or_has_not_seen(office: Office, way: Way) -> None:
    """Four eyes; an approval names at least eight characters of the content that the newest preview shows. Nothing is posted without one."""
    content = office.preview().texts["content to approve"]
    refused(
        lambda: office.approve(content, who=ANALYST), SamePerson, ANALYST, "same_person: true", "Nothing was approved"
    )
    for wrong in ("", content[:7], "0" * 16, content + "0"):
        refused(lambda wrong=wrong: office.approve(wrong), ApprovalVoid, content[:16])
    error = refused(office.post, WaitingError, "Nobody has approved", content[:16], ANALYST, "mlc budget approve")
    assert "journals_approved" == error.leg
    assert [] == way.writes()
    assert content == office.approve(content[:8]).content_hash


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_four_eyes_are_asked_for_at_the_posting_too(way: Way) -> None:
    """An approval that was given while one person might do both posts nothing after that was taken back; the log-in behind a name is kept."""
    with open_office(way, approval__same_person=True) as office:
        given = office.approve(office.preview(who="solo").texts["content to approve"], who="solo")
        [decision] = office.desk.approvals.history(given.content_hash)
        assert f"log-in {office.desk.log_in}" == decision.note
    with open_office(way) as office:
        assert "solo" == office.preview(who=CONTROLLER).texts["prepared by"]
        refused(office.post, SamePerson, "solo prepared the journals", "Nothing further was released")
        assert [] == way.writes()
        office.approve(given.content_hash)
        assert 2 == office.post().counts["journals posted now"]


@pytest.mark.parametrize("way", [Articles], indirect=True)
def test_a_connection_may_let_one_person_do_both(way: Way) -> None:
    """`same_person: true` is a decision of the company, and the approval is kept all the same."""
    with open_office(way, approval__same_person=True) as office:
        given = office.approve(office.preview(who="solo").texts["content to approve"], who="solo")
    assert "solo" == given.by
    assert "R. Okafor" in given.evidence


@ways(Articles)
def test_F07_a_plan_that_changed_after_its_preview_is_not_approved_and_not_posted(office: Office, way: Way) -> None:
    """A cell was edited and the plan approved anew: what was previewed is void, before and after our own approval; nothing is written."""
    content = office.preview().texts["content to approve"]
    office.replan(V2)
    refused(lambda: office.approve(content), ApprovalVoid, "version 1", "version 2")
    content = office.previewed_and_approved()
    office.replan(V1)
    refused(office.post, ApprovalVoid, "version 2", "version 3")
    assert [] == way.writes()
    office.issue()
    assert office.expected(V1, FIRST) == way.totals(FIRST)


@ways(Statistical)
def test_F07_a_cell_edited_after_its_approval_is_not_posted(office: Office, way: Way) -> None:
    """Nobody approved the plan anew, so that its approval tells nothing: the plan itself is exported again, and the cell is named. Put back, it is posted."""
    office.previewed_and_approved()
    way.enter("travel", FIRST, V2["travel", FIRST])
    error = refused(office.post, ApprovalVoid, "1 cells of", FIRST, way.members["travel"][0], "not approved anew")
    [cell] = error.evidence["Edited since"].to_dict("records")
    assert (30001, 29999) == (abs(cell["amount_minor_then"]), abs(cell["amount_minor_now"]))
    assert ("journals_approved", []) == (error.leg, way.writes())
    way.enter("travel", FIRST, V1["travel", FIRST])
    office.post_and_release()
    assert office.expected(V1, FIRST) == way.totals(FIRST)


@ways(Native)
def test_F07_a_newer_export_voids_the_preview(office: Office, way: Way) -> None:
    """What is exported after the preview was not seen by whoever approves."""
    from mlc_pipelines.flows.approved import read_approved

    content = office.preview().texts["content to approve"]
    office.replan(V2)
    read_approved(office.desk, office.route, YEAR)
    refused(lambda: office.approve(content), ApprovalVoid, "older figures", "Preview it again")
    refused(office.post, ApprovalVoid, "older figures")
    assert [] == way.writes()


@ways(Native)
@pytest.mark.parametrize("whose", ["ours", pytest.param("Anaplan's", marks=pytest.mark.prove)])
def test_an_approval_withdrawn_just_before_a_release_stops_it(office: Office, way: Way, whose: str) -> None:
    """After the first period was on its way the approval is taken back: the second one is not released, and it is told what is."""
    office.previewed_and_approved()
    taken: list[str] = []

    def take_back(said: str) -> None:
        if not taken and ("releasing journal" in said or "writing" in said):
            taken.append(said)
            if whose == "ours":
                withdraw(office.desk, office.route, YEAR, "the board has second thoughts")
            else:
                office.withdraw_plan()

    error = refused(lambda: office.post(meanwhile=take_back), PipelineError)
    assert taken
    states = dict(zip(error.evidence["Journals"]["period"], error.evidence["Journals"]["state"], strict=True))
    assert "WAITING" == states[SECOND]
    if not way.by_person:
        assert f"1 of 2 {office.route.unit} are posted; 1 are not" in error.what
        assert "SEALED" == states[FIRST]
    way.release()
    assert (office.expected(V1, FIRST), {}) == (way.totals(FIRST), way.totals(SECOND))
    if whose == "ours":
        refused(office.post, WaitingError, "Nobody has approved")
    else:
        refused(office.post, DataError, "is not the one that was previewed any more")
    assert {} == way.totals(SECOND)


@ways(Statistical, Native)
def test_a_plan_that_is_not_approved_waits(office: Office, way: Way) -> None:
    """The export is not even started; once somebody approves the plan the same command goes on."""
    office.withdraw_plan()
    error = refused(office.preview, WaitingError, f"{office.member} is not approved in Anaplan", "'Draft'")
    assert ("plan_approved", []) == (error.leg, way.writes())
    assert [] == way.sandbox.tenant.log()["actions"] or "export" == office.route.evidence.way.by
    office.approve_plan()
    assert 2 == office.preview().counts["journals"]


@pytest.mark.parametrize("way", [PlanBook], indirect=True)
def test_an_approval_that_does_not_say_by_whom_counts_for_nothing(office: Office, way: Way) -> None:
    """Who, when and which version can be shown, or the plan is not taken."""
    from mlc_pipelines.sandbox.anaplan import planner

    planner.approve(way.sandbox.tenant, office.member, by="", model=way.model)
    refused(office.preview, DataError, "Approved By is blank")


@ways(also=[PlanBook])
def test_an_approval_is_withdrawn_for_a_reason_and_only_where_there_is_one(office: Office, way: Way) -> None:
    """The reason is kept; what was never approved cannot be taken back."""
    office.preview()
    refused(lambda: withdraw(office.desk, office.route, YEAR, "why not"), DataError, "is not approved")
    office.approve(office.preview().texts["content to approve"])
    with pytest.raises(DataError, match="for a reason"):
        withdraw(office.desk, office.route, YEAR, "  ")
    withdraw(office.desk, office.route, YEAR, "typo")
    refused(office.post, WaitingError, "Nobody has approved")
    assert [] == way.writes()
