"""Which journal was to be written, how far it came and how: one row per reference, and every transition beside it.

A row is durable before the first byte of a write leaves (SQLite's FULL synchronisation). It never proves what the ERP holds: only a
look-up there does. It keeps the whole journal, so that the work can be taken up by anybody, anywhere.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mlc_pipelines.ledger.drafts import Approval, JournalDraft, ReferenceReused
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.clock import timestamp
from mlc_pipelines.store.schema import posting_events, postings
from mlc_pipelines.store.told import tell_figures, tell_transition
from mlc_pipelines.store.trail.logbook import Logbook

if TYPE_CHECKING:
    import pandas as pd

PLANNED, INTENT, DRAFT_SEEN, CHECKED, RELEASING, POSTED_SEEN, SEALED = (
    "PLANNED",
    "INTENT",
    "DRAFT_SEEN",
    "CHECKED",
    "RELEASING",
    "POSTED_SEEN",
    "SEALED",
)
"""The way of a journal. Up to CHECKED nothing counts in any balance; RELEASING is written before the release is sent."""
WAITING, CONFLICT, ABANDONED = "WAITING", "CONFLICT", "ABANDONED"
"""Beside the way: taken up again by itself; stopped until a person reopens it; given up by a person."""
CLOSED = frozenset({SEALED, CONFLICT, ABANDONED})
"""States that a worker cannot leave: one who comes late finds out and stops."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One journal as we know it. number: the ERP's, as last seen. note: why it stands where it stands. mapping: version of the targets that its figures went through."""

    reference: str
    content_hash: str
    state: str
    number: str = ""
    note: str = ""
    changed_at: str = ""
    mapping: str = ""

    @property
    def closed(self) -> bool:
        return self.state in CLOSED


@dataclass(frozen=True, slots=True)
class Event:
    """One transition, as it was written down."""

    state: str
    number: str
    note: str
    who: str
    run: str
    at: str


_BY_REFERENCE = postings.select().where(postings.c.reference == sa.bindparam("wanted"))
"""Prepared once: a journal is looked up before and after every request, and to put the question together takes longer than the answer."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The journals of one connection. who: the person or service that acts, for the history. logbook: the audit trail, which hears of every transition."""

    engine: sa.Engine
    connection: str
    who: str
    run: str = ""
    logbook: Logbook | None = None

    def plan(self, drafts: Sequence[JournalDraft], package: str, mapping: str = "") -> list[Posting]:
        """Note journals that were previewed; nothing is approved, nothing may be sent yet, and a later preview may change them. mapping: see `Posting`."""
        return [self._first(draft, package, PLANNED, None, mapping) for draft in drafts]

    def record_intent(self, draft: JournalDraft, approval: Approval) -> Posting:
        """Write down, durably, that this journal may reach the ERP from now on; where it was written down before, how far it came.

        Raises ReferenceReused when the reference stands for other content.
        """
        held = self._first(draft, approval.content_hash, INTENT, approval)
        return self._approve(draft, approval) if held.state == PLANNED else held

    def _approve(self, draft: JournalDraft, approval: Approval) -> Posting:
        """A planned journal becomes an intent, unless its preview was changed at this very moment."""
        is_planned = (postings.c.state == PLANNED) & (postings.c.content_hash == draft.content_hash)
        values = {"state": INTENT, "approval": _approval_text(approval), "changed_at": timestamp()}
        with self.engine.begin() as db:
            of_row = (postings.c.reference == draft.reference) & is_planned
            if db.execute(postings.update().where(of_row).values(**values)).rowcount:
                self._note(db, draft.reference, INTENT, "", "")
        return self._same_content(draft)

    def _first(
        self, draft: JournalDraft, package: str, state: str, approval: Approval | None, mapping: str = ""
    ) -> Posting:
        """The row of the draft, made in this state unless there is one; a planned one takes the newer preview."""
        held = self.find(draft.reference)
        if held and held.state != PLANNED:
            return self._same_content(draft, held)
        row = {
            "reference": draft.reference,
            "connection": self.connection,
            "plan": draft.plan,
            "package": package,
            "period": draft.period,
            "content_hash": draft.content_hash,
            "draft": draft.to_text(),
            "approval": _approval_text(approval),
            "mapping": mapping,
            "state": state,
            "number": "",
            "note": "",
            "made_at": (now := timestamp()),
            "changed_at": now,
        }
        try:
            with self.engine.begin() as db:
                db.execute(postings.insert().values(**row))
                self._note(db, draft.reference, state, "", "")
                return self._required(db, draft.reference)
        except sa.exc.IntegrityError:  # there is one by now
            self._replan(row)
            return self._same_content(draft)

    def _replan(self, row: Mapping[str, str]) -> None:
        """Put a newer preview in the place of one of which nothing was sent; the package may be another one though this journal is as it was."""
        changed = {name: row[name] for name in ("package", "content_hash", "draft", "changed_at")}
        changed |= {"mapping": row["mapping"]} if row["mapping"] else {}
        of_row = (postings.c.reference == row["reference"]) & (postings.c.state == PLANNED)
        other = (postings.c.content_hash != row["content_hash"]) | (postings.c.package != row["package"])
        with self.engine.begin() as db:
            if db.execute(postings.update().where(of_row & other).values(**changed)).rowcount:
                self._note(
                    db, row["reference"], PLANNED, "", "previewed again with other figures, here or in another journal"
                )

    def _same_content(self, draft: JournalDraft, held: Posting | None = None) -> Posting:
        held = held or self.require(draft.reference)
        if held.content_hash != draft.content_hash:
            where = f" as journal {held.number}" if held.number else ""
            raise ReferenceReused(
                f"{draft}: the figures have changed since they were written down under this reference ({held.state}{where}): "
                f"content {held.content_hash[:16]} then, {draft.content_hash[:16]} now.",
                holds="Nothing was sent; what the ERP holds under the reference is as it was.",
                next_step="Issue the changed figures as a new version of the plan; the old version is then replaced, never doubled.",
            )
        return held

    def move(self, reference: str, state: str, *, number: str = "", note: str = "") -> Posting:
        """Write a transition down, durably, and say how the journal stands: unchanged where it was closed meanwhile.

        A conflict is the one thing that is written over an end, since it says that the end was wrong.
        """
        allowed = postings.c.state.not_in({CONFLICT} if state == CONFLICT else CLOSED)
        values = {"state": state, "note": note, "changed_at": timestamp()}
        values |= {"number": number} if number else {}
        with self.engine.begin() as db:
            of_row = (postings.c.reference == reference) & allowed
            if db.execute(postings.update().where(of_row).values(**values)).rowcount:
                self._note(db, reference, state, number, note)
            return self._required(db, reference)

    def about_to_set(self, draft: JournalDraft, figures: "pd.DataFrame") -> None:
        """Tell the audit trail which budget figures are about to be set over which: account, subaccount, before_minor, amount_minor."""
        if self.logbook:
            tell_figures(self.logbook, draft, figures, self.require(draft.reference).mapping)

    def hold_back(self, reference: str, why: str) -> Posting:
        """Close a journal to every worker for now, as a conflict that says why. One that is closed already stays what it is."""
        return self._by_command(reference, postings.c.state.not_in(CLOSED), CONFLICT, why)

    def reopen(self, reference: str, why: str) -> Posting:
        """Let a conflict be worked on again, by a person's command: nothing is believed of it but the intent."""
        if not why.strip():
            raise DataError(
                "A conflict is reopened for a reason, which is kept.",
                holds="The conflict stands as it did.",
                next_step="Say what was put right.",
            )
        return self._by_command(reference, postings.c.state == CONFLICT, INTENT, why)

    def let_go_on(self, reference: str, why: str) -> Posting:
        """A journal that was held back waits for the next run instead."""
        return self._by_command(reference, postings.c.state == CONFLICT, WAITING, why)

    def give_up(self, reference: str, why: str, *, taken_back: Collection[str] = ()) -> Posting:
        """Close a journal for ever, from wherever it stands except its good end; from that one too where its journal is among those that were reversed in the ERP."""
        reversed_since = (postings.c.state == SEALED) & postings.c.number.in_(sorted(taken_back))
        allowed = postings.c.state.not_in({SEALED, ABANDONED}) | reversed_since
        return self._by_command(reference, allowed, ABANDONED, why)

    def _by_command(self, reference: str, allowed: sa.ColumnElement[bool], state: str, why: str) -> Posting:
        values = {"state": state, "note": why, "changed_at": timestamp()}
        with self.engine.begin() as db:
            if db.execute(
                postings.update().where(postings.c.reference == reference, allowed).values(**values)
            ).rowcount:
                self._note(db, reference, state, "", why)
            return self._required(db, reference)

    def find(self, reference: str) -> Posting | None:
        with self.engine.connect() as db:
            return _one(db, reference)

    def require(self, reference: str) -> Posting:
        with self.engine.connect() as db:
            return self._required(db, reference)

    def _required(self, db: sa.Connection, reference: str) -> Posting:
        if found := _one(db, reference):
            return found
        raise DataError(
            f"No journal was ever written down under {reference}.",
            holds="Nothing was sent.",
            next_step="Check the reference; `mlc budget preview` shows those of a plan.",
        )

    def open(self) -> list[Posting]:
        """The connection's journals whose work is not at its end, approved ones only, oldest first: what is taken up again."""
        is_open = postings.c.state.not_in(CLOSED | {PLANNED})
        with self.engine.connect() as db:
            return list(_read(db, (postings.c.connection == self.connection) & is_open))

    def undecided(self) -> list[Posting]:
        """The connection's journals that a person has to decide on."""
        with self.engine.connect() as db:
            return list(_read(db, (postings.c.connection == self.connection) & (postings.c.state == CONFLICT)))

    def abandoned(self) -> list[Posting]:
        """The connection's journals that were given up: the sweep makes sure that they stay so in the ERP."""
        with self.engine.connect() as db:
            return list(_read(db, (postings.c.connection == self.connection) & (postings.c.state == ABANDONED)))

    def draft(self, reference: str) -> tuple[JournalDraft, Approval | None]:
        """The journal as it was written down, and its approval."""
        with self.engine.connect() as db:
            row = db.execute(_BY_REFERENCE, {"wanted": reference}).one()
        return JournalDraft.from_text(row.draft), _approval(row.approval)

    def of_plan(self, plan: str) -> list[tuple[JournalDraft, Posting, str]]:
        """Every journal that was ever previewed for a plan, in the order of its issues, with how it stands and the package it belongs to."""
        of_us = (postings.c.connection == self.connection) & (postings.c.plan == plan)
        with self.engine.connect() as db:
            rows = db.execute(postings.select().where(of_us)).all()
        held = [(JournalDraft.from_text(row.draft), _posting(row), row.package) for row in rows]
        return sorted(held, key=lambda one: (one[0].issue, one[0].period, not one[0].reverses, one[0].part))

    def of_period(self, period: str) -> list[tuple[JournalDraft, Posting, str, Approval | None]]:
        """Every journal of the connection for a fiscal period, with how it stands, its package and its approval, in the order of the issues."""
        of_us = (postings.c.connection == self.connection) & (postings.c.period == period)
        with self.engine.connect() as db:
            rows = db.execute(postings.select().where(of_us)).all()
        held = [
            (JournalDraft.from_text(row.draft), _posting(row), row.package, _approval(row.approval)) for row in rows
        ]
        return sorted(held, key=lambda one: (one[0].plan, one[0].issue, not one[0].reverses, one[0].part))

    def events(self, reference: str) -> list[Event]:
        """Every transition of a journal, oldest first."""
        of_row = posting_events.select().where(posting_events.c.reference == reference).order_by(posting_events.c.id)
        with self.engine.connect() as db:
            return [Event(row.state, row.number, row.note, row.who, row.run, row.at) for row in db.execute(of_row)]

    def _note(self, db: sa.Connection, reference: str, state: str, number: str, note: str) -> None:
        row = {"reference": reference, "state": state, "number": number, "note": note}
        db.execute(posting_events.insert().values(who=self.who, run=self.run, at=timestamp(), **row))
        if self.logbook:
            held = db.execute(_BY_REFERENCE, {"wanted": reference}).one()
            tell_transition(self.logbook, db, held, state, number, note, posted=state == SEALED)


def _approval_text(approval: Approval | None) -> str:
    return json.dumps(asdict(approval), ensure_ascii=False, sort_keys=True) if approval else ""


def _approval(text: str) -> Approval | None:
    return Approval(**json.loads(text)) if text else None


def _one(db: sa.Connection, reference: str) -> Posting | None:
    row = db.execute(_BY_REFERENCE, {"wanted": reference}).first()
    return _posting(row) if row else None


def _read(db: sa.Connection, condition: sa.ColumnElement[bool]) -> Iterator[Posting]:
    of_rows = postings.select().where(condition).order_by(postings.c.made_at, postings.c.reference)
    return (_posting(row) for row in db.execute(of_rows))


def _posting(row: sa.Row[tuple[object, ...]]) -> Posting:
    return Posting(row.reference, row.content_hash, row.state, row.number, row.note, row.changed_at, row.mapping)
