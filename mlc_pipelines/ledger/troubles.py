"""What people should know of, and how it is put into one message: grouped, each trouble once, with what to do next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

AUDIT = "Audit trail"
RUN_FAILED = "Loads that failed"
LATE = "Not loaded in time"
SUSPENDED = "Sign-off suspended"
KEPT = "Kept figures in the plan"
REOPENED = "Re-opened in the ERP"
UNMAPPED = "Codes without a member in the plan"
WAITING = "Postings that wait"
CONFLICT = "Postings that need a decision"
YEARS = "Fiscal years"
DAGSTER = "The installation itself"
UNDELIVERED = "Messages that did not get through"
ORDER = (
    AUDIT,
    SUSPENDED,
    KEPT,
    REOPENED,
    LATE,
    RUN_FAILED,
    CONFLICT,
    WAITING,
    UNMAPPED,
    YEARS,
    DAGSTER,
    UNDELIVERED,
)
"""Kinds of trouble, in the order in which a message names them: what concerns all that was ever proved, then signed figures."""

_LINES_MAX = 12
_LINE_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that somebody should look at. about: a period, a journal, a step: with the kind it says which trouble it is.

    what: one sentence or two; when it reads differently, the trouble has changed and is told again. next_step: what to do, and who can.
    """

    kind: str
    about: str
    what: str
    next_step: str = ""

    @property
    def content(self) -> str:
        """The same as long as there is nothing new to tell."""
        return sha256(f"{self.what}\n{self.next_step}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell at one moment. new: also what has changed; still: told before, and to be reminded of; over: solved."""

    new: Sequence[Trouble] = ()
    still: Sequence[Trouble] = ()
    over: Sequence[Trouble] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.still or self.over)


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message for people. troubles: how many of it are on, new or not; 0 says that all is well again."""

    connection: str
    title: str
    sections: tuple[Section, ...]
    troubles: int

    @property
    def text(self) -> str:
        """As plain text, below its title."""
        blocks = ["\n".join([section.heading, *(f"- {line}" for line in section.lines)]) for section in self.sections]
        return "\n\n".join(blocks)


def compose(connection: str, told: Told) -> Message:
    """One message of all there is to tell, however many periods it concerns."""
    sections = [*_sections(told.new), *_sections(told.still, ", still"), *_sections(told.over, ": solved", solved=True)]
    on = len(told.new) + len(told.still)
    counts = [(len(told.new), "new"), (len(told.still), "still on"), (len(told.over), "solved")]
    said = ", ".join(f"{number} {what}" for number, what in counts if number)
    return Message(connection, f"{connection}: {said}", tuple(sections), on)


def _sections(troubles: Sequence[Trouble], more: str = "", *, solved: bool = False) -> Iterable[Section]:
    for kind in sorted({one.kind for one in troubles}, key=_place):
        of_kind = sorted((one for one in troubles if one.kind == kind), key=lambda one: one.about)
        lines = [_short(one.about if solved else f"{one.about}: {one.what}") for one in of_kind[:_LINES_MAX]]
        if len(of_kind) > _LINES_MAX:
            lines.append(f"and {len(of_kind) - _LINES_MAX} more")
        next_steps = [] if solved else list(dict.fromkeys(one.next_step for one in of_kind if one.next_step))
        yield Section(f"{kind}{more}", (*lines, *(_short(f"What to do: {one}") for one in next_steps[:2])))


def _place(kind: str) -> tuple[int, str]:
    return (ORDER.index(kind) if kind in ORDER else len(ORDER)), kind


def _short(line: str) -> str:
    plain = " ".join(line.split())
    return plain if len(plain) <= _LINE_CHARACTERS_MAX else f"{plain[: _LINE_CHARACTERS_MAX - 1]}…"
