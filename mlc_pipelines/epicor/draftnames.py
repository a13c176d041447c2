"""What a plan journal is called in Kinetic: its group, the marks in its comment, its number. Pure.

Kinetic gives a journal number again when the journal before was not posted [S SNO], and a group id when the group has gone. So every journal that is
built has a token of its own in its comment: a number of ours names the group, the journal and the token, and no two journals ever share it.
"""

import re
import secrets
from base64 import b32encode
from dataclasses import dataclass

from mlc_pipelines.ledger.drafts import PREFIX

WIDTH = 9
"""Of GroupID [I: a working program builds exactly 9 characters, GLC2]."""
FIRST = "M"
BEING_BUILT = "(being built) "
_TOKEN_BYTES = 5
_COMMENT = re.compile(rf"({re.escape(BEING_BUILT)})?(\S+) #([A-Z2-7]{{8}})")
_GROUP = re.compile(rf"{FIRST}[A-Z2-7]{{{WIDTH - 1}}}")


def group_of(reference: str) -> str:
    """The group of a reference, the same for everybody: M and the first eight characters behind "MLC-", 40 bits of it."""
    return FIRST + reference.removeprefix(PREFIX)[: WIDTH - 1]


def like_ours(group: str) -> bool:
    """Whether a group's id has the form of ours."""
    return _GROUP.fullmatch(group) is not None


def new_token() -> str:
    return b32encode(secrets.token_bytes(_TOKEN_BYTES)).decode()


@dataclass(frozen=True, slots=True)
class Mark:
    """What we write into CommentText, which stays on the posted lines [S SNO]: the whole reference, the token, and whether it is still being built."""

    reference: str
    token: str
    unfinished: bool = False

    @property
    def finished(self) -> str:
        return f"{self.reference} #{self.token}"

    @property
    def being_built(self) -> str:
        """The mark of an unfinished journal stands in front, where no column that is too narrow cuts it off."""
        return BEING_BUILT + self.finished


def token_in(comment: str | None) -> str:
    """The token of a journal by its comment; "" where the comment is not one of ours, or not any more."""
    found = mark_in(comment)
    return found.token if found else ""


def mark_in(comment: str | None) -> Mark | None:
    """The mark in a comment, to the letter; None where it is not one of ours, or not any more."""
    found = _COMMENT.fullmatch(comment or "")
    return Mark(found[2], found[3], found[1] is not None) if found else None


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a journal in Kinetic as we name it: "MABCDEFGH-412-K3J5XQ2A"; of a group without a journal, the group alone."""

    group: str
    journal: int = 0
    token: str = ""

    def __str__(self) -> str:
        return f"{self.group}-{self.journal}-{self.token}" if self.journal else self.group

    @classmethod
    def parse(cls, text: str) -> "Number":
        """Also of a text that is none of ours: then a group that there is not."""
        group, _, rest = text.partition("-")
        journal, _, token = rest.partition("-")
        return cls(group, int(journal), token) if journal.isdecimal() else cls(text)

    def fits(self, journal: int, token: str) -> bool:
        """Whether a journal of this group is the one meant. One whose comment somebody changed has no token and still is; one of another token is not."""
        return journal == self.journal and token in ("", self.token)
