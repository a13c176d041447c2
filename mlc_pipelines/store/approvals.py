"""Who approved which content, and who took an approval back. Rows are only added; the newest one of a content counts.

It counts only as the audit trail tells it too, so that writing a row into the database approves nothing.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from mlc_pipelines.ledger.drafts import Approval, ApprovalForged
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import approvals
from mlc_pipelines.store.told import APPROVAL
from mlc_pipelines.store.trail.logbook import Logbook
from mlc_pipelines.store.trail.trail import Trail

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
        """The approval of this content that stands now. Raises ApprovalForged where the audit trail does not tell the same of it."""
        of_package = (approvals.c.connection == self.connection) & (approvals.c.package == package)
        newest = approvals.select().where(of_package).order_by(approvals.c.id.desc()).limit(1)
        with self.engine.connect() as db:
            row = db.execute(newest).mappings().first()
        if not row or row["state"] != APPROVED:
            return None
        if self.logbook and _said(row) != (told := self._told(self.logbook.trail, package)):
            raise ApprovalForged(
                f"The approval of content {package[:16]} by {row['who']} at {row['at']} is not what the audit trail tells: "
                f"{f'{told[0]} by {told[1]} at {told[2]}' if told else 'nobody approved it'}.",
                holds="Nothing further was written or released on the strength of it.",
                next_step="Find out who wrote into the database (`mlc audit verify --full`), then have the content approved: `mlc budget approve`.",
            )
        return _approval(row)

    def _told(self, trail: Trail, package: str) -> tuple[str, ...]:
        """The newest word of the audit trail on this content: state, who, when, evidence; () where it has none."""
        found = [
            entry.event
            for entry in trail.entries(kind=APPROVAL, connection=self.connection)
            if entry.event["request_hash"] == package
        ]
        if not found:
            return ()
        said = found[-1]["approval"]
        return (found[-1]["outcome"], said["by"], said["at"], said["evidence"])

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


def _said(row: sa.RowMapping) -> tuple[str, ...]:
    return (row["state"], row["who"], row["at"], row["evidence"])


def _approval(row: sa.RowMapping | dict[str, str]) -> Approval:
    return Approval(row["who"], row["at"], row["package"], row["evidence"])
