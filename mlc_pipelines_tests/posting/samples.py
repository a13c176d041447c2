"""A bookkeeper's small plan: two lines for March, approved."""

from dataclasses import replace

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
