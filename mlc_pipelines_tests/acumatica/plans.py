"""A bookkeeper's small plan for the sample company, and the desk that brings it into the ledger over HTTP."""

from dataclasses import dataclass, replace
from typing import Any

from mlc_pipelines.acumatica.config import PlanRule
from mlc_pipelines.flows.clerk import Outcome, PostingDesk
from mlc_pipelines.flows.posting import EACH, post_all
from mlc_pipelines.ledger.drafts import Approval, Destination, DraftLine, JournalDraft, package_hash
from mlc_pipelines.ledger.ports import PlanBooks
from mlc_pipelines.sandbox.company import Batch
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.postings import WAITING, Postings

STAT = PlanRule(company="MERIDIAN", ledger="STAT", branch="HQ")
BUDGET = PlanRule(company="MERIDIAN", ledger="BUDGET", branch="HQ")
PERIOD = "FY2026-P12"
TRAVEL = DraftLine("6100", "020-ADV", 150_050, 0, "Travel, Denver")
FEES = DraftLine("4010", "020-ADV", 0, 90_025, "Advisory fees")
DRAFT = JournalDraft(
    Destination("home-1", "Meridian", "MERIDIAN", "STAT", one_sided=True),
    *("Budget", "1", PERIOD, 1, "USD"),
    (TRAVEL, FEES),
    "Budget FY2026",
)


def approved(*drafts: JournalDraft) -> Approval:
    return Approval("r.diaz", "2026-02-27T09:00:00.000+00:00", package_hash(drafts))


@dataclass
class Posting:
    """The engine at work on one destination of the sandbox, without waiting."""

    sandbox: Sandbox
    books: PlanBooks
    register: Postings

    def desk(self, **other: Any) -> PostingDesk:
        return PostingDesk(self.books, self.register, require_fence=lambda: None, sleep=lambda _: None, **other)

    def post(self, *drafts: JournalDraft, mode: str = EACH, **other: Any) -> list[Outcome]:
        chosen = drafts or (DRAFT,)
        return post_all(chosen, approved(*chosen), self.desk(**other), mode=mode)

    def batches(self, draft: JournalDraft = DRAFT) -> list[Batch]:
        """What the books themselves hold under a reference."""
        return [one for one in self.sandbox.books.batches if one.description.startswith(draft.reference)]

    def require_one(self, draft: JournalDraft = DRAFT, status: str = "Posted") -> Batch:
        """Exactly one batch, released, with exactly the approved lines."""
        [batch] = self.batches(draft)
        money = [(line.account, line.subaccount, line.debit_minor, line.credit_minor) for line in batch.lines]
        assert (status, "STAT", draft.period) == (batch.status, batch.ledger, batch.period)
        assert sorted(line.money for line in draft.lines) == sorted(money)
        return batch


def writes(sandbox: Sandbox) -> list[str]:
    """Requests that were to change something: inquiries and sign-ins are none."""
    harmless = ("/identity/", "/auth/", "Inquiry", "/Budget?")
    return [
        f"{one.method} {one.path.partition('/24.200.001/')[2]}"
        for one in sandbox.traffic.requests
        if one.method != "GET" and not any(part in one.path for part in harmless)
    ]


def version(number: int) -> JournalDraft:
    return replace(DRAFT, version=str(number))


def waiting_for_approval(posting: Posting) -> Any:
    posting.sandbox.set_switches(acumatica={"approval_map": True})
    [outcome] = posting.post()
    assert WAITING == outcome.state
    [batch] = posting.batches()
    return batch
