"""Who approved which content, and who took an approval back. Rows are only added; the newest one of a content counts."""

from dataclasses import dataclass

import sqlalchemy as sa

from mlc_pipelines.ledger.drafts import Approval
from mlc_pipelines.store.history import timestamp
from mlc_pipelines.store.schema import approvals

APPROVED, WITHDRAWN = "APPROVED", "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of one connection."""

    engine: sa.Engine
    connection: str

    def approve(self, plan: str, package: str, who: str, *, evidence: str, note: str = "") -> Approval:
        """Write down, durably, that somebody approved this content. evidence: the plan's own approval, in words."""
        return _approval(self._add(plan, package, APPROVED, who, evidence, note))

    def withdraw(self, plan: str, package: str, who: str, why: str) -> None:
        """Take the approval of a content back; what is released already stays released."""
        self._add(plan, package, WITHDRAWN, who, "", why)

    def find(self, package: str) -> Approval | None:
        """The approval of this content that stands now."""
        of_package = (approvals.c.connection == self.connection) & (approvals.c.package == package)
        newest = approvals.select().where(of_package).order_by(approvals.c.id.desc()).limit(1)
        with self.engine.connect() as db:
            row = db.execute(newest).mappings().first()
        return _approval(row) if row and row["state"] == APPROVED else None

    def _add(self, plan: str, package: str, state: str, who: str, evidence: str, note: str) -> dict[str, str]:
        row = {"connection": self.connection, "plan": plan, "package": package, "state": state}
        row |= {"who": who, "evidence": evidence, "note": note, "at": timestamp()}
        with self.engine.begin() as db:
            db.execute(approvals.insert().values(**row))
        return row


def _approval(row: sa.RowMapping | dict[str, str]) -> Approval:
    return Approval(row["who"], row["at"], row["package"], row["evidence"])
