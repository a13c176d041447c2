"""Journals that are to be written: who they are (reference), what they say (content hash), and every objection to them. Pure.

The reference comes before the write and never from it, so that whoever takes the work up again finds what was written under it.
"""

import hashlib
import json
from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from mlc_pipelines.ledger.errors import DataError, PipelineError, UncertainError, WaitingError, few
from mlc_pipelines.ledger.money import LARGEST_MINOR, Money

PREFIX = "MLC-"
"""How every reference begins: what the sweep looks for."""
_REFERENCE_LENGTH = 20  # 100 bits


class Unbalanced(DataError):  # noqa: N818  # named as in the fault catalogue
    """Debits and credits of a journal differ: refused before anything is written down or sent (G25)."""


class ReferenceReused(DataError):  # noqa: N818
    """The same reference with other content: never written over (P04, G16)."""


class DraftEdited(DataError):  # noqa: N818
    """What the ERP holds under the reference is not what was approved (G10, G17)."""


class ApprovalVoid(DataError):  # noqa: N818
    """The content is not the one that was approved, or the approval was taken back."""


class ApprovalForged(DataError):  # noqa: N818
    """An approval that the audit trail does not know, or knows otherwise: somebody wrote it into the database by hand."""


class DoublePosted(UncertainError):  # noqa: N818
    """Two released journals with one reference: a person decides; nothing is reversed by itself."""


class PeriodClosed(WaitingError):  # noqa: N818
    """The ERP takes no journal into the period now (G22)."""


class GroupBusy(WaitingError):  # noqa: N818
    """Somebody else has the journal group or the ledger open (G23)."""


class FenceLost(WaitingError):  # noqa: N818
    """Somebody else may be writing: the process that lost the fence stops, and whoever holds it goes on."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Which set of books a journal is for: installation is ours, tenant, company and ledger are named as the ERP names them.

    one_sided: the ledger takes journals that need not balance (Acumatica's Statistical [S UG GL_20_15_00]).
    """

    installation: str
    tenant: str
    company: str
    ledger: str
    one_sided: bool = False

    def __str__(self) -> str:
        return f"{self.tenant} {self.company} {self.ledger}"


@dataclass(frozen=True, slots=True, order=True)
class DraftLine:
    """One line, in minor units of the journal's currency; exactly one side is above zero."""

    account: str
    subaccount: str
    debit_minor: int
    credit_minor: int
    description: str = ""

    @property
    def money(self) -> tuple[str, str, int, int]:
        """What is approved and compared. Not the description: an ERP cuts and completes texts, and no figure hangs on them."""
        return (self.account, self.subaccount, self.debit_minor, self.credit_minor)


@dataclass(frozen=True)
class JournalDraft:
    """One journal of an approved plan. period: key of a fiscal period; version: of the plan; part: counts from 1.

    issue: how often the plan was issued to these books, this one included; so that version 1 can be issued again after version 2.
    reverses: reference of the journal that this one takes back; "" for figures of the plan.
    witness: head of the audit trail, shown in the description where there is room; no part of what the journal is or says.
    """

    destination: Destination
    plan: str
    version: str
    period: str
    part: int
    currency: str
    lines: tuple[DraftLine, ...]
    description: str = ""
    issue: int = 1
    reverses: str = ""
    witness: str = ""

    @cached_property
    def reference(self) -> str:
        """The journal's own name, the same for everybody: from where it goes and what it is, never from its content or a clock."""
        books = (self.destination.installation, self.destination.tenant, self.destination.company)
        plan = (self.plan, self.version, self.issue, self.period, self.part, self.reverses)
        identity = (*books, self.destination.ledger, *plan)
        return PREFIX + b32encode(_hash(identity).digest()).decode()[:_REFERENCE_LENGTH]

    @cached_property
    def content_hash(self) -> str:
        """Of period, currency and lines in whatever order; changed figures under an old reference are noticed by it."""
        return _hash((self.period, self.currency, sorted(line.money for line in self.lines))).hexdigest()

    @property
    def debit(self) -> Money:
        return Money(sum(line.debit_minor for line in self.lines), self.currency)

    @property
    def credit(self) -> Money:
        return Money(sum(line.credit_minor for line in self.lines), self.currency)

    def __str__(self) -> str:
        what = f"reversal of {self.reverses}" if self.reverses else f"part {self.part}"
        return f"{self.plan} version {self.version} {self.period} {what} ({self.reference})"

    def to_text(self) -> str:
        """Canonical JSON, from which anybody can take the work up again."""
        return _canonical(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "JournalDraft":
        held: dict[str, Any] = json.loads(text)
        lines = tuple(DraftLine(**line) for line in held.pop("lines"))
        return cls(destination=Destination(**held.pop("destination")), lines=lines, **held)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved which content, when, and by what it can be shown. content_hash: of `package_hash`."""

    by: str
    at: str
    content_hash: str
    evidence: str = ""


def package_hash(drafts: Iterable[JournalDraft]) -> str:
    """What an approval is given for: every journal with its reference and its content, and that there is no other one."""
    return _hash(sorted((draft.reference, draft.content_hash) for draft in drafts)).hexdigest()


def split(
    whole: JournalDraft, *, lines_max: int, offset: Callable[[int], DraftLine] | None = None
) -> list[JournalDraft]:
    """The journal as parts of at most lines_max lines (the offset line not counted), cut in the order of the lines, hence always alike.

    offset: makes the line that balances a part, given how much its debits exceed its credits; for journals that must balance.
    """
    if lines_max < 1:
        raise ValueError("a part holds one line at least")
    lines = sorted(whole.lines)
    cuts = [lines[start : start + lines_max] for start in range(0, len(lines), lines_max)]
    return [replace(whole, part=number, lines=_offset(cut, offset)) for number, cut in enumerate(cuts, start=1)]


def _offset(lines: list[DraftLine], offset: Callable[[int], DraftLine] | None) -> tuple[DraftLine, ...]:
    excess = sum(line.debit_minor - line.credit_minor for line in lines)
    return (*lines, offset(excess)) if offset and excess else tuple(lines)


def _no_lines(draft: JournalDraft) -> Iterable[str]:
    if not draft.lines:
        yield "it has no lines"


def _sides(draft: JournalDraft) -> Iterable[str]:
    for number, line in enumerate(draft.lines, start=1):
        if min(line.debit_minor, line.credit_minor) != 0 or max(line.debit_minor, line.credit_minor) <= 0:
            yield (
                f"line {number} ({line.account} {line.subaccount}) has debit {Money(line.debit_minor, draft.currency)} and "
                f"credit {Money(line.credit_minor, draft.currency)}; one of them must be above zero, the other zero"
            )


def _names(draft: JournalDraft) -> Iterable[str]:
    for number, line in enumerate(draft.lines, start=1):
        if not line.account.strip():
            yield f"line {number} has no account"


def _size(draft: JournalDraft) -> Iterable[str]:
    if max(draft.debit.minor, draft.credit.minor) > LARGEST_MINOR:
        yield "its total is larger than any ledger amount this house can hold"


CHECKS: list[Callable[[JournalDraft], Iterable[str]]] = [_no_lines, _sides, _names, _size]


def findings(draft: JournalDraft, checks: Sequence[Callable[[JournalDraft], Iterable[str]]] = CHECKS) -> list[str]:
    """Every objection to the journal by itself, so that a person sees all of them at once; balance apart, which has its own error."""
    return [finding for check in checks for finding in check(draft)]


def require_sound(draft: JournalDraft, *, lines_needed: bool = True) -> None:
    """Raise DataError with every objection, or Unbalanced with the difference, before anything is written down.

    lines_needed: False for native figures, where a period may be emptied.
    """
    stopped = {"holds": "Nothing was written down or sent."}
    if found := findings(draft, CHECKS if lines_needed else CHECKS[1:]):
        raise DataError(
            f"Journal {draft} cannot be posted: {few(found)}.",
            next_step="Correct the mapping or the plan, then preview it again.",
            **stopped,
        )
    if not draft.destination.one_sided and draft.debit != draft.credit:
        excess = Money(draft.debit.minor - draft.credit.minor, draft.currency)
        raise Unbalanced(
            f"Journal {draft} does not balance: debits {draft.debit}, credits {draft.credit}, difference {excess}.",
            next_step="Name an offset account for this connection, or correct the mapping; then preview it again.",
            **stopped,
        )


def differences(draft: JournalDraft, period: str, currency: str, lines: Iterable[DraftLine]) -> list[str]:
    """How a journal as the ERP shows it differs from the approved one; empty where it does not. Order of lines does not matter."""
    ours, theirs = Counter(line.money for line in draft.lines), Counter(line.money for line in lines)
    said = [
        f"{what} is {shown!r} instead of {meant!r}"
        for what, meant, shown in (("period", draft.period, period), ("currency", draft.currency, currency))
        if meant != shown
    ]
    said += [f"line {_line(line, currency)} is not there" for line in sorted((ours - theirs).elements())]
    return said + [f"line {_line(line, currency)} was not approved" for line in sorted((theirs - ours).elements())]


def _line(money: tuple[str, str, int, int], currency: str) -> str:
    account, subaccount, debit, credit = money
    side = f"debit {Money(debit, currency)}" if debit else f"credit {Money(credit, currency)}"
    return f"{account} {subaccount} {side}"


def edited(draft: JournalDraft, number: str, differs: Sequence[str]) -> PipelineError:
    """The error for a journal that is not what was approved, naming it and its first differences."""
    return DraftEdited(
        f"Journal {number} in the ERP is not what was approved as {draft}: {few(differs)}.",
        holds=f"Journal {number} stands in {draft.destination} as described; it was not released by us.",
        next_step=f"Correct or delete journal {number} in the ERP, then take the posting up again.",
    )


def _hash(value: object) -> "hashlib._Hash":
    return hashlib.sha256(_canonical(value).encode())


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
