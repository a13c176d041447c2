"""Who approved which content, and who took an approval back. Rows are only added; the newest one of a content counts."""

from dataclasses import dataclass

import sqlalchemy as sa

from mlc_pipelines.ledger.drafts import Approval
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import approvals
from mlc_pipelines.store.told import APPROVAL
from mlc_pipelines.store.trail.logbook import Logbook

APPROVED, WITHDRAWN = "APPROVED", "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Decision:
    """An approval of a content, or one that was taken back: who, when, by what it can be shown, and why."""

    plan: str
    package: str
    state: str
    who: str
    at: str
    evidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of one connection."""

    engine: sa.Engine
    connection: str
    logbook: Logbook | None = None

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

    def history(self, package: str) -> list[Decision]:
        """Every approval of this content and every one that was taken back, oldest first."""
        of_package = (approvals.c.connection == self.connection) & (approvals.c.package == package)
        with self.engine.connect() as db:
            rows = db.execute(approvals.select().where(of_package).order_by(approvals.c.id)).all()
        return [Decision(row.plan, row.package, row.state, row.who, row.at, row.evidence, row.note) for row in rows]

    def _add(self, plan: str, package: str, state: str, who: str, evidence: str, note: str) -> dict[str, str]:
        row = {"connection": self.connection, "plan": plan, "package": package, "state": state}
        row |= {"who": who, "evidence": evidence, "note": note, "at": timestamp()}
        with self.engine.begin() as db:
            db.execute(approvals.insert().values(**row))
            if self.logbook:
                said = {"content": package, "evidence": evidence, "by": who, "at": row["at"]}
                self.logbook.add(
                    db, APPROVAL, state, who=who, approval=said, objects={"plan": plan}, request_hash=package, note=note
                )
        return row


def _approval(row: sa.RowMapping | dict[str, str]) -> Approval:
    return Approval(row["who"], row["at"], row["package"], row["evidence"])
