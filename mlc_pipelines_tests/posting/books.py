"""A small set of plan books in memory, whose requests a test lets go wrong, and which people may touch as well."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mlc_pipelines.ledger.drafts import PREFIX, DraftLine, GroupBusy, JournalDraft, PeriodClosed
from mlc_pipelines.ledger.errors import DataError, TransientError, UncertainError
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, RELEASED, BookedJournal, ReadJournal

FINE, LOST, UNANSWERED, LATE, HALF, KILLED_BEFORE, KILLED_AFTER = (
    "fine",
    "lost",
    "unanswered",
    "late",
    "half",
    "killed before",
    "killed after",
)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class SmallBooks:
    """journals: by number. faults: what happens to the next requests, writes and reads alike, in order; afterwards all is fine.

    closed, busy: the ERP's own reasons to refuse. approval_map: a release first waits for a person in the ERP. post_on_release: else a
    released journal has still to be posted. careless: look-ups show everybody's journals. distort: what the ERP makes of new lines.
    """

    journals: dict[int, ReadJournal] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    late: list[Callable[[], None]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    closed: bool = False
    busy: bool = False
    approval_map: bool = False
    post_on_release: bool = True
    careless: bool = False
    distort: Callable[[tuple[DraftLine, ...]], tuple[DraftLine, ...]] = lambda lines: lines
    stale: bool = False
    last_number: int = 100
    _before: dict[int, ReadJournal] = field(default_factory=dict)

    @property
    def writes(self) -> list[str]:
        return [request for request in self.requests if not request.startswith(("find", "read"))]

    @property
    def released(self) -> list[ReadJournal]:
        return [journal for journal in self.journals.values() if journal.released]

    @property
    def drafts(self) -> list[ReadJournal]:
        return [journal for journal in self.journals.values() if not journal.released]

    def find_by_reference(self, reference: str) -> list[BookedJournal]:
        self._read(f"find {reference}")
        shown = self._before if self.stale else self.journals
        self.stale = False
        return [one for one in shown.values() if self.careless or one.reference == reference]

    def find_drafts(self) -> list[BookedJournal]:
        self._read("find drafts")
        return [journal for journal in self.drafts if journal.reference.startswith(PREFIX)]

    def read_back(self, number: str) -> ReadJournal | None:
        self._read(f"read {number}")
        return self.journals.get(int(number))

    def create_on_hold(self, draft: JournalDraft) -> None:
        def create(lines: tuple[DraftLine, ...] = self.distort(draft.lines), unfinished: bool = False) -> None:
            self.last_number += 1
            head = (str(self.last_number), self.last_number, draft.reference, ON_HOLD, "", unfinished)
            self.journals[self.last_number] = ReadJournal(*head, draft.period, draft.currency, lines)

        half = lambda: create(draft.lines[:1], unfinished=True)  # noqa: E731
        self._write(f"create {draft.reference}", create, half)

    def release(self, number: str) -> None:
        def release() -> None:
            journal = self._held(number)
            if self.closed:
                raise PeriodClosed(f"Period {journal.period} is closed.")
            if self.approval_map and not journal.waiting:
                self.journals[int(number)] = replace(journal, waiting=f"approval of batch {number} in the ERP")
            elif not journal.waiting:
                self.journals[int(number)] = replace(journal, state=POSTED if self.post_on_release else RELEASED)

        self._write(f"release {number}", release)

    def post(self, number: str) -> None:
        def post() -> None:
            if self.journals[int(number)].state == RELEASED:
                self.journals[int(number)] = replace(self.journals[int(number)], state=POSTED)

        self._write(f"post {number}", post)

    def delete_draft(self, number: str) -> None:
        def delete() -> None:
            self._held(number)
            del self.journals[int(number)]

        self._write(f"delete {number}", delete)

    def _held(self, number: str) -> ReadJournal:
        journal = self.journals.get(int(number))
        if journal is None or journal.released:
            raise DataError(f"Journal {number} is {'gone' if journal is None else 'released already'}.")
        return journal

    def approve(self, number: int) -> None:
        """A person in the ERP lets a waiting journal pass, and the ERP releases it."""
        self.journals[number] = replace(self.journals[number], waiting="", state=POSTED)

    def apply_late(self) -> None:
        """What was on its way arrives, or is refused with nobody there to hear it."""
        for request in self.late:
            try:
                request()
            except (DataError, TransientError):
                self.requests.append("refused late")
        self.late.clear()

    def _fault(self) -> str:
        return self.faults.pop(0) if self.faults else FINE

    def _read(self, request: str) -> None:
        self.requests.append(request)
        fault = self._fault()
        if fault.startswith("killed"):
            raise Killed
        if fault == LOST:
            raise TransientError("The ERP did not answer.")

    def _write(self, request: str, apply: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        self.requests.append(request)
        fault = self._fault()
        if fault == KILLED_BEFORE:
            raise Killed
        if fault == LATE:
            self.late.append(apply)
        if fault in (FINE, UNANSWERED, KILLED_AFTER) or (fault == HALF and half is None):
            if self.busy:
                raise GroupBusy("The group is open at somebody else's desk: M. Lee.")
            self._before = dict(self.journals)
            apply()
        elif fault == HALF and half:
            half()
        if fault == KILLED_AFTER:
            raise Killed
        if fault != FINE:
            raise UncertainError("The answer did not come.")
