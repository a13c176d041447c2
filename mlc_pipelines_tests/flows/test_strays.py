"""What a sweep leaves to a person is a check of its own beside the posting: what needs nobody is no warning."""

from mlc_pipelines.flows.posting import Swept
from mlc_pipelines.flows.steps import NO_STRAY_DRAFTS
from mlc_pipelines.flows.strays import Strays
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, BookedJournal

DRAFT = BookedJournal("GL001", 1, "MLC-1", ON_HOLD)
RELEASED = BookedJournal("GL002", 2, "MLC-2", POSTED)


def test_what_was_deleted_and_what_is_still_at_work_is_no_warning() -> None:
    notice = Strays([Swept(DRAFT), Swept(DRAFT, "still at work, WAITING")]).notice("demo")
    assert (NO_STRAY_DRAFTS, True, False) == (notice.name, notice.rows.empty, notice.serious)
    assert "Late drafts deleted: 1." == notice.said


def test_a_draft_that_could_not_be_deleted_is_named() -> None:
    notice = Strays([Swept(DRAFT, "not deleted: a right is missing", asks=True)]).notice("demo")
    assert [["GL001", "MLC-1", "not deleted: a right is missing"]] == notice.rows.to_numpy().tolist()
    assert not notice.serious
    assert "`mlc budget sweep demo`" in notice.said


def test_a_journal_that_counts_although_it_was_given_up_is_red() -> None:
    assert Strays([Swept(RELEASED, "is released, although it was given up", asks=True)]).notice("demo").serious


def test_a_sweep_that_could_not_look_is_no_good_news() -> None:
    strays = Strays(problem="The ERP refused the list.")
    assert (0, "The ERP refused the list.") == (strays.deleted, str(strays))
    assert "could not be looked for: The ERP refused the list." in strays.notice("demo").said
    assert 1 == len(strays.notice("demo").rows)
