"""A bookkeeper's small plan: two lines for March, approved; and how anybody takes it up again."""

from dataclasses import replace

from mlc_pipelines.flows.clerk import Outcome, PostingDesk
from mlc_pipelines.flows.posting import post_all
from mlc_pipelines.ledger.drafts import Approval, Destination, DraftLine, JournalDraft, package_hash

BOOKS = Destination("home-1", "https://demo.example", "PRODWHOLE", "PLAN")
RENT = DraftLine("6100", "000-DEN", 150_000, 0, "Rent, Denver")
CONTRA = DraftLine("9999", "000-000", 0, 150_000, "Offset")
DRAFT = JournalDraft(BOOKS, "Budget", "1", "FY2026-P03", 1, "USD", (RENT, CONTRA), "Budget FY2026")


def approved(*drafts: JournalDraft) -> Approval:
    return Approval("r.diaz", "2026-02-27T09:00:00.000+00:00", package_hash(drafts), "cell Approved of Budget")


def parts(count: int) -> list[JournalDraft]:
    """One plan as so many journals."""
    return [replace(DRAFT, part=part) for part in range(1, count + 1)]


def taken_up(plan: str, desk: PostingDesk) -> list[Outcome]:
    """As a run that knows nothing takes a plan up: journals and approval stand in the register."""
    drafts = [draft for draft, _, _ in desk.register.of_plan(plan)]
    _, approval = desk.register.draft(drafts[0].reference)
    assert approval is not None
    return post_all(drafts, approval, desk)
