"""Journals, budget figures and approvals as the audit trail tells them: every transition an event, every line that reached the ERP a record."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.store.trail.logbook import Logbook

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

JOURNAL, FIGURES, APPROVAL = "journal", "budget_figures", "approval"
"""Kinds of events."""
POSTED, SENT = "POSTED", "SENT"
"""Outcomes of records: read back from the ERP as it was approved; about to be set, over what stood there."""


def tell_transition(
    logbook: Logbook, db: sa.Connection, row: sa.Row[Any], state: str, number: str, note: str, *, posted: bool
) -> None:
    """One step of a journal, in the transaction that makes it. posted: the ERP holds its lines now, proved by reading them back."""
    draft = JournalDraft.from_text(row.draft)
    body = logbook.trail.keep(_lines(draft, number or row.number, row.mapping)) if posted and draft.lines else None
    said: dict[str, Any] = {
        "period": row.period,
        "reference": row.reference,
        "objects": _objects(draft, number or row.number),
        "approval": json.loads(row.approval) if row.approval else {},
        "request_hash": row.content_hash,
        "note": note,
        "query": {"package": row.package},
        "artefacts": _mapped_by(row.mapping),
        "counts": {"lines": len(draft.lines)},
        "totals": {f"{draft.currency} debit": draft.debit.minor, f"{draft.currency} credit": draft.credit.minor},
    }
    logbook.add(db, JOURNAL, state, **({"body": body} if body else {}), **said)


def tell_figures(logbook: Logbook, draft: JournalDraft, rows: "pd.DataFrame", mapping: str) -> None:
    """Budget figures that are about to be set: account, subaccount, before_minor, amount_minor; durable before the first of them leaves."""
    said: dict[str, Any] = {"period": draft.period, "reference": draft.reference, "counts": {"figures": len(rows)}}
    said |= {"artefacts": _mapped_by(mapping), "request_hash": draft.content_hash}
    logbook.append(FIGURES, SENT, _figures(draft, rows, mapping), objects=_objects(draft, ""), **said)


def _mapped_by(mapping: str) -> dict[str, str]:
    """The kept file of the targets, under the name that loads have for theirs."""
    return {"mapping_version": mapping} if mapping else {}


def _objects(draft: JournalDraft, number: str) -> dict[str, str]:
    books = draft.destination
    where = {"tenant": books.tenant, "company": books.company, "ledger": books.ledger}
    return {**where, "plan": draft.plan, "version": draft.version, "journal": number}


def _lines(draft: JournalDraft, number: str, mapping: str) -> "Iterator[pa.Table]":
    minor = [line.debit_minor - line.credit_minor for line in draft.lines]
    codes = [(line.account, line.subaccount) for line in draft.lines]
    reason = f"reversal of {draft.reverses}" if draft.reverses else ""
    held = {"amount_minor": minor, "after_minor": minor}
    yield _records(draft, [(number, *one) for one in codes], held, outcome=POSTED, reason=reason, mapping=mapping)


def _figures(draft: JournalDraft, rows: "pd.DataFrame", mapping: str) -> "Iterator[pa.Table]":
    codes = zip(rows["account"], rows["subaccount"], strict=True)
    held = {name: rows[name].tolist() for name in ("amount_minor", "before_minor")}
    yield _records(draft, [(draft.destination.ledger, *one) for one in codes], held, outcome=SENT, mapping=mapping)


def _records(
    draft: JournalDraft, places: Sequence[tuple[str, ...]], held: dict[str, list[int]], **same: str
) -> "pa.Table":
    """source: the plan and its version; source_key: the journal's reference; target: journal or ledger, account, subaccount, period."""
    import pyarrow as pa

    from mlc_pipelines.store.trail.records import to_records

    columns = {name: pa.array(minor, pa.int64()) for name, minor in held.items()}
    columns["source_line"] = pa.array(range(1, len(places) + 1), pa.int64())
    columns["target"] = pa.array([place_of(*place, draft.period) for place in places], pa.string())
    plan = f"{draft.plan} version {draft.version}"
    return to_records(pa.table(columns), source=plan, source_key=draft.reference, currency=draft.currency, **same)


def place_of(*codes: str) -> str:
    """The name of a cell or of a journal line in the trail: its codes and the fiscal period, "A6100|CC_110|FY2026-P03"."""
    return "|".join(map(escaped, codes))


def escaped(code: str) -> str:
    """A code as it stands in such a name."""
    return code.replace("\\", "\\\\").replace("|", "\\|")


def codes_of(place: str) -> tuple[str, ...]:
    """The codes of such a name again."""
    codes, escaped = [""], False
    for letter in place:
        if escaped or letter not in "\\|":
            codes[-1], escaped = codes[-1] + letter, False
        elif letter == "|":
            codes.append("")
        else:
            escaped = True
    return tuple(codes)
