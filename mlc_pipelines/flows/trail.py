"""What the steps tell the audit trail. A result and the event that tells of it become true in one transaction: neither is ever without the other."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.ledger.errors import DataError, PipelineError
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.checkpoints import Checkpoint
from mlc_pipelines.store.trail.logbook import Logbook
from mlc_pipelines.store.trail.trail import Trail

MADE = "MADE"
"""Outcome of a step that makes a file: it is durable, and its legs agreed."""
_SHOWN = 3
_HASH = re.compile("[0-9a-f]{64}")
_NO_FILES = frozenset({"package", "sha256", "sent_sha256"})
"""Facts that are hashes of something which is not kept as a file."""


def record_step(
    desk: Desk, step: str, period: str, artefact: str, facts: Mapping[str, Any], *, db: sa.Connection | None = None
) -> None:
    """Write down that a step was finished, for the next steps and for the auditor. db: a transaction of `Trail.writing` that does more."""
    record(desk.store, desk.logbook, step, period, artefact, facts, system=desk.system, db=db)


def record(
    store: Store,
    logbook: Logbook,
    step: str,
    period: str,
    artefact: str,
    facts: Mapping[str, Any],
    *,
    system: str = "",
    db: sa.Connection | None = None,
) -> None:
    """The same for work that is done at no desk."""
    if db is None:
        with store.trail.writing() as own:
            return record(store, logbook, step, period, artefact, facts, system=system, db=own)
    store.history.record_step(logbook.connection, step, period, artefact, facts, run=logbook.run, db=db)
    logbook.add(db, step, MADE, period=period, step=step, system=system, **sorted_out({"file": artefact, **facts}))
    return None


def sorted_out(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a step under the fields of an event: hashes of files, money, counts; what was asked, and all else, as text."""
    said: dict[str, dict[str, Any]] = {"artefacts": {}, "totals": {}, "counts": {}, "query": {}}
    for name, value in facts.items():
        if isinstance(value, str):
            said["artefacts" if _HASH.fullmatch(value) and name not in _NO_FILES else "query"][name] = value
        elif isinstance(value, int) and not isinstance(value, bool):
            said["totals" if name.endswith("_minor") else "counts"][name] = value
        else:
            said["query"][name] = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return said


class AuditTampered(DataError):  # noqa: N818  # named as in the fault catalogue
    """The audit trail is not what it was: nothing is moved until a person has looked at it."""


def require_clean(trail: Trail) -> None:
    """Hold the tail of the trail against its newest checkpoints, before anything is read or sent (L08 and its like)."""
    from mlc_pipelines.store.trail.verify import Kind, verify

    verdict = verify(trail)
    if verdict.kind is Kind.CLEAN:
        return
    more = f"; and {len(verdict.findings) - _SHOWN} more" if len(verdict.findings) > _SHOWN else ""
    raise AuditTampered(
        f"The audit trail is {verdict.kind}: {'; '.join(map(str, verdict.findings[:_SHOWN]))}{more}.",
        holds="Nothing was read or sent.",
        next_step="`mlc audit verify --full` tells all of it; the page on the audit trail says what to do for each verdict.",
    )


def sign_head(trail: Trail) -> Checkpoint | None:
    """The signed head as it is now; signed anew only where something was written since. None while nothing was ever recorded."""
    head, (signed, _) = trail.head(), trail.checkpoints.read(1)
    if head and signed and signed[-1].header == head.header:
        return signed[-1]
    return trail.checkpoint()


def head_of(trail: Trail) -> str:
    """The first digits of the head, for the description of a journal: whoever reads the journal later can tell whether anything before it was changed."""
    head = trail.head()
    return head.short if head else ""


@contextmanager
def signed_at_end(trail: Trail) -> Iterator[None]:
    """Sign the head when the work ends, however it ends; a failure to sign never hides why the work failed."""
    try:
        yield
    except BaseException as error:
        try:
            sign_head(trail)
        except PipelineError as problem:
            error.add_note(f"The head of the audit trail could not be signed: {problem}")
        raise
    sign_head(trail)
