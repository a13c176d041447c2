"""Released journals of ours that a person reversed in the ERP, as the audit trail keeps them: they still stand there, and count no more."""

from dataclasses import dataclass

from mlc_pipelines.ledger.ports import ReadJournal
from mlc_pipelines.store.trail.logbook import Logbook

REVERSAL = "reversal"
"""Kind of event."""
_REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class Reversals:
    """The reversals of one connection. The trail is all that knows of them, so that nobody adds one without being seen."""

    logbook: Logbook

    def add(self, journal: ReadJournal, reversal: ReadJournal, why: str) -> None:
        """Write down, durably, that a person's journal took back this one of ours; whoever calls has read both back and seen that they cancel out."""
        named = {"journal": journal.number, "reversed_by": reversal.number}
        debit = sum(line.debit_minor for line in journal.lines)
        self.logbook.append(
            REVERSAL,
            _REVERSED,
            reference=journal.reference,
            period=journal.period,
            objects=named,
            note=why,
            totals={f"{journal.currency} debit": debit},
        )

    def taken_back(self) -> dict[str, str]:
        """Number of each journal that was reversed -> number of its reversal."""
        found = (
            one.event["objects"]
            for one in self.logbook.trail.entries(kind=REVERSAL, connection=self.logbook.connection)
        )
        return {one["journal"]: one["reversed_by"] for one in found}
