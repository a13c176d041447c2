"""Journals of a plan as batches of the site: what is written, how far a batch is by its status, and what is read back.

The reference stands whole at the start of the header's Description, the one text of ours that can be searched; a line's ReferenceNbr has room for
its first 15 characters, so that people find the way from a line to its plan [C MD]. Statuses are read by their English names [S UG GL301000].
"""

import re
from typing import Any

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.codec import SYSTEM, said
from mlc_pipelines.acumatica.plan_ledger import Target
from mlc_pipelines.ledger.amounts import minor_column
from mlc_pipelines.ledger.drafts import PREFIX, DraftEdited, DraftLine, JournalDraft
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, RELEASED, BookedJournal, LedgerPeriod, ReadJournal

NAME, MODULE = "JournalTransaction", "GL"
HEADER = "Module,BatchNbr,LedgerID,BranchID,PostPeriod,Status,CurrencyID,Description"
_LINE = "LineNbr,BranchID,Account,Subaccount,ReferenceNbr,TransactionDescription,DebitAmount,CreditAmount"
WHOLE = ",".join([HEADER, *(f"Details/{name}" for name in _LINE.split(","))])

RECOGNISED = len(PREFIX) + 4
"""So many characters of a reference are looked for: one that was cut behind them is still recognised."""
_REFERENCE_MAX, _TEXT_MAX = 15, 255  # a description has room for 512 now, had for less in older builds [I]

_HELD = {
    "On Hold": "",
    "Balanced": "",
    "Pending Approval": "approval of batch {} in Acumatica",
    "Rejected": "somebody to decide on batch {}, which its approver in Acumatica rejected: put it on hold again there, or abandon the posting",
    "Scheduled": "somebody to take batch {} out of its recurring schedule in Acumatica",
    "Void": "somebody to decide on batch {}, which is void in Acumatica: delete it there, or abandon the posting",
}
"""Status of a batch that counts nowhere -> what it waits for."""
_FINAL = {"Unposted": RELEASED, "Posted": POSTED}
_WAITING = {**_HELD, "Unposted": "posting of batch {} on form GL502000"}


class ReferenceCut(SetupError):  # noqa: N818  # named as in the fault catalogue
    """The site does not keep the reference whole where it is written (G19): nothing more is created, for no look-up would find it."""


def body_of(draft: JournalDraft, target: Target, period: LedgerPeriod) -> dict[str, Any]:
    """A batch on hold with all its lines, dated on the last day of its period; an adjustment period is named, never derived from a date."""
    text = draft.description or f"{draft.plan} version {draft.version}, part {draft.part}"
    witness = f" [audit {draft.witness}]" if draft.witness else ""
    head = {
        "Module": MODULE,
        "LedgerID": target.books.ledger,
        "BranchID": target.branch,
        "TransactionDate": f"{period.end_on}T00:00:00",
        "PostPeriod": periods.spelled_key(period.key),
        "Description": f"{draft.reference} {text}"[: _TEXT_MAX - len(witness)] + witness,
        "Hold": True,
    }
    return {**wire.wrap(head), "Details": [_row(line, draft, target) for line in draft.lines]}


def _row(line: DraftLine, draft: JournalDraft, target: Target) -> dict[str, Any]:
    """One side only. IsNonPM: no line of a project is meant [S HT]."""
    side, minor = ("DebitAmount", line.debit_minor) if line.debit_minor else ("CreditAmount", line.credit_minor)
    fields: dict[str, Any] = {"BranchID": target.branch, "Account": line.account}
    if target.books.has_subaccounts:
        fields["Subaccount"] = line.subaccount
    fields[side] = Money(minor, draft.currency).decimal
    fields |= {"ReferenceNbr": draft.reference[:_REFERENCE_MAX], "IsNonPM": True}
    fields["TransactionDescription"] = line.description[:_TEXT_MAX]
    return wire.wrap(fields)


def reference_in(batch: wire.PlanBatch) -> str:
    """The first word of the description, to the letter; blanks before it are part of it, so that it is none of ours then."""
    return re.split(r"(?<=\S)\s", said(batch.description), maxsplit=1)[0]


def booked(batch: wire.PlanBatch) -> BookedJournal:
    """The batch as a look-up shows it. Raises SetupError on a status that is not known, or a number that does not tell the order."""
    number, status = said(batch.number), said(batch.status)
    state = _FINAL.get(status, ON_HOLD)
    if status not in _FINAL and status not in _HELD:
        raise SetupError(
            f"Batch {number} has the status {status!r}; known are {', '.join([*_HELD, *_FINAL])}.",
            holds=f"Batch {number} stands in Acumatica as it is; nothing was written.",
            next_step="Statuses are read by their English names: give the API user an English locale, or report this status as a defect.",
        )
    waiting = _WAITING.get(status, "").format(number)
    return BookedJournal(number, _order(number), reference_in(batch), state, waiting)


def _order(number: str) -> int:
    """Its digits: a numbering sequence counts up, and gives no number twice [S UG CS201010]."""
    if digits := re.sub(r"\D", "", number):
        return int(digits)
    raise SetupError(
        f"Batch number {number!r} has no digits, so that it does not tell which batch is older.",
        holds=f"Batch {number} stands in Acumatica as it is; nothing was written.",
        next_step="Switch manual numbering of GL batches off (GL102000, CS201010).",
    )


def read(batch: wire.PlanBatch, target: Target) -> ReadJournal:
    """The batch with everything that was approved. Raises DraftEdited where it left the ledger or the branch of the plan."""
    require_ledger(batch, target)
    seen, rows, currency = booked(batch), batch.details, said(batch.currency)
    if rows is None:
        raise DataError(
            f"Batch {seen.number} came without its lines.",
            holds=f"Batch {seen.number} stands in Acumatica as it is; nothing was written.",
            next_step=SYSTEM,
        )

    def where(row: int) -> str:
        return f"Batch {seen.number}, line {rows[row].line_number.value}"

    strays = [where(at) for at, row in enumerate(rows) if said(row.branch) != target.branch]
    if strays:
        raise _elsewhere(batch, f"{', '.join(strays[:5])}: branch is not {target.branch}")
    debits = minor_column([row.debit.value for row in rows], currency, "DebitAmount", where).to_pylist()
    credits_ = minor_column([row.credit.value for row in rows], currency, "CreditAmount", where).to_pylist()
    lines = tuple(
        DraftLine(said(row.account), said(row.subaccount), debit, credit, said(row.transaction_description))
        for row, debit, credit in zip(rows, debits, credits_, strict=True)
    )
    period = periods.to_key(batch.period.value, f"Batch {seen.number}")
    return ReadJournal(
        seen.number, seen.order, seen.reference, seen.state, seen.waiting, period=period, currency=currency, lines=lines
    )


def require_ledger(batch: wire.PlanBatch, target: Target) -> None:
    """Raises DraftEdited for a batch that somebody moved to another ledger: it is neither released nor deleted by us."""
    if (found := said(batch.ledger)) != target.books.ledger:
        raise _elsewhere(batch, f"its ledger is {found}, not {target.books.ledger}")


def _elsewhere(batch: wire.PlanBatch, differs: str) -> DraftEdited:
    number = said(batch.number)
    return DraftEdited(
        f"Batch {number} is not what was approved: {differs}.",
        holds=f"Batch {number} stands in Acumatica as described; it was not released by us.",
        next_step=f"Correct or delete batch {number} in Acumatica, then take the posting up again.",
    )


def require_whole(reference: str, batch: wire.PlanBatch) -> None:
    """Raises ReferenceCut for a batch that begins like this reference and ends too soon."""
    found = reference_in(batch)
    if RECOGNISED <= len(found) < len(reference) and reference.startswith(found):
        raise cut(reference, batch)


def cut(reference: str, batch: wire.PlanBatch) -> ReferenceCut:
    """The error for a batch that was made with this reference and does not show it."""
    number, found = said(batch.number), reference_in(batch)
    kept = len(found) if reference.startswith(found) else 0
    return ReferenceCut(
        f"Acumatica keeps the first {kept} characters of the reference {reference}: the description of batch {number} begins with {found!r}.",
        holds=f"Batch {number} ({said(batch.status)}) was made; nothing else was created.",
        next_step="Have the description of journals (GL301000) kept as it is written, then delete the batch and take the posting up again.",
    )


def number_in(answer: Any) -> str:
    """The number that an answer names: where to look, no proof of anything."""
    number = wire.unwrap(answer).get("BatchNbr") if isinstance(answer, dict) else None
    return number if isinstance(number, str) else ""
