"""What one worker of the enumeration sees: its ERP, its register and its fence, as answers that were given so far; and all that it remembers of them."""

from collections.abc import Collection
from typing import Any

from mlc_pipelines.flows.clerk import Clerk
from mlc_pipelines.ledger.drafts import DraftLine, JournalDraft
from mlc_pipelines.ledger.errors import DataError, TransientError, UncertainError, WaitingError
from mlc_pipelines.ledger.ports import ON_HOLD, RELEASED, BookedJournal, ReadJournal
from mlc_pipelines.store.postings import CLOSED, CONFLICT, INTENT, RELEASING, SEALED, WAITING, Posting
from mlc_pipelines_tests.posting.samples import DRAFT

IS_RELEASED, UNFINISHED, WRONG = 1, 2, 4
FOREIGN = 0
"""Number of a draft with another reference, which a careless ERP shows with ours (G20)."""
WRITES = ("create", "release", "delete")
NOT_MEMORY = {"self", "draft", "desk", "approval", "send", "error"}
"""The same in every run of the engine, or made of what is compared anyway."""
Doc = tuple[int, int]
Call = tuple[Any, ...]
Answer = tuple[str, Any]
ERRORS = {"uncertain": UncertainError, "transient": TransientError, "refused": DataError, "busy": WaitingError}


class Stopped(BaseException):
    """The engine asked for something that no answer was given for yet."""


class Script:
    """What a worker sees as ERP, register and fence: the given answers, then the end. Notes what its next question broke."""

    def __init__(self, answers: list[Answer], person: bool = False) -> None:
        self.answers, self.at, self.person = answers, 0, person
        self.asked: Call = ()
        self.fenced = self.told_closed = False
        self.noted, self.broke = "", ""
        self.seen_drafts: set[int] = set()
        self.sent = self.note = ""

    def ask(self, *call: Any) -> Any:
        self.broke = self._broken(call)
        self.fenced = False
        if self.at == len(self.answers):
            self.asked = call
            raise Stopped
        kind, value = self.answers[self.at]
        self.at += 1
        if kind != "ok":
            raise ERRORS[kind]("as the world said")
        return value

    def _broken(self, call: Call) -> str:
        if call[0] == "find":
            self.sent = ""
        if call[0] in WRITES:
            if self.sent and not self.sent == call[0] == "delete":
                return "a write without a look-up since the last one"
            self.sent = call[0]
            if not self.fenced:
                return "a write without a look at the fence"
            if self.person:
                return "" if call[0] == "delete" else "a person who gives up wrote something"
            if self.told_closed:
                return "a write after the register said that the journal is closed"
            if call[0] == "release" and self.noted != RELEASING:
                return "a release that was not written down before"
            if call[0] == "delete":
                self.seen_drafts.discard(call[1])
        if call[0] == "move":
            self.noted = call[1]
            if call[1] in (WAITING, CONFLICT) and not self.note:
                return "left for somebody, without a reason"
            if call[1] == SEALED and self.seen_drafts:
                return "sealed although drafts seen beside it were left"
        return ""

    def fence(self) -> None:
        self.fenced = True

    def record_intent(self, draft: JournalDraft, approval: object) -> Posting:
        return self._posting(self.ask("intent"))

    def move(self, reference: str, state: str, *, number: str = "", note: str = "") -> Posting:
        self.note = note
        return self._posting(self.ask("move", state, number, note if state == INTENT else ""))

    def find(self, reference: str) -> Posting | None:
        raise NotImplementedError

    def hold_back(self, reference: str, why: str) -> Posting:
        return self._posting(self.ask("hold back"))

    def let_go_on(self, reference: str, why: str) -> Posting:
        return self._posting(self.ask("let go on"))

    def give_up(self, reference: str, why: str, *, taken_back: Collection[str] = ()) -> Posting:
        return self._posting(self.ask("give up"))

    def abandoned(self) -> list[Posting]:
        raise NotImplementedError

    def _posting(self, row: tuple[str, str, str]) -> Posting:
        self.told_closed = row[0] in CLOSED
        return Posting(DRAFT.reference, DRAFT.content_hash, *row)

    def find_by_reference(self, reference: str) -> list[BookedJournal]:
        docs = self.ask("find")
        released = [number for number, flags in docs if flags & IS_RELEASED]
        self.seen_drafts = {number for number, _ in docs} - set(released) if released else set()
        return [BookedJournal("0", FOREIGN, "MLC-SOMEBODY-ELSE", ON_HOLD), *(booked(doc) for doc in docs)]

    def find_drafts(self) -> list[BookedJournal]:
        raise NotImplementedError

    def read_back(self, number: str) -> ReadJournal | None:
        doc = self.ask("read", int(number))
        return read(doc) if doc else None

    def create_on_hold(self, draft: JournalDraft) -> int:
        return int(self.ask("create") or 0)

    def release(self, number: str) -> None:
        self.ask("release", int(number))

    def post(self, number: str) -> None:
        raise NotImplementedError

    def delete_draft(self, number: str) -> None:
        self.ask("delete", int(number))


def memory(stopped: Stopped, script: Script) -> object:
    """Where the engine stands and all that it can still act upon: its clerk's attributes, and what its open functions hold."""
    places, remembers, traceback = [], [], stopped.__traceback__
    while traceback:
        held = traceback.tb_frame.f_locals
        if script.person and "draft" in held:
            kept = sorted((name, repr(value)) for name, value in held.items() if name not in NOT_MEMORY)
            places.append((traceback.tb_frame.f_code.co_name, traceback.tb_lineno, *kept))
        if isinstance(clerk := held.get("self"), Clerk):
            kept = sorted((name, repr(value)) for name, value in held.items() if name not in NOT_MEMORY)
            places.append((traceback.tb_frame.f_code.co_name, traceback.tb_lineno, *kept))
            remembers = sorted((name, repr(value)) for name, value in vars(clerk).items() if name not in NOT_MEMORY)
        traceback = traceback.tb_next
    seen = (script.fenced, script.sent, script.told_closed, script.noted, *sorted(script.seen_drafts))
    return (script.person, seen, tuple(places), tuple(remembers))


def booked(doc: Doc) -> BookedJournal:
    number, flags = doc
    state = RELEASED if flags & IS_RELEASED else ON_HOLD
    return BookedJournal(str(number), number, DRAFT.reference, state, unfinished=bool(flags & UNFINISHED))


def read(doc: Doc) -> ReadJournal:
    number, flags = doc
    lines = DRAFT.lines[: 1 if flags & UNFINISHED else None]
    if flags & WRONG:
        lines = (DraftLine("6100", "000-SEA", 150_000, 0), *lines[1:])
    reference, state = (DRAFT.reference, RELEASED if flags & IS_RELEASED else ON_HOLD) if number else ("", ON_HOLD)
    marks = (str(number), number, reference, state, "", bool(flags & UNFINISHED))
    return ReadJournal(*marks, period=DRAFT.period, currency=DRAFT.currency, lines=lines)
