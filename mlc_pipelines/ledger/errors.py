"""Four kinds of failure, told apart by what a person or a caller must do next, so that nobody has to read texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # errors are raised everywhere, also where loading pandas would be a waste
    import pandas as pd

    from mlc_pipelines.ledger.control import Leg

_WAITING = "WAITING: "


_SHOWN = 5


def few(texts: Sequence[str]) -> str:
    """The first of them, and how many more there are: a message can be read, and the table beside it is whole."""
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"{'; '.join(texts[:_SHOWN])}{more}"


class PipelineError(Exception):
    """Root of everything raised on purpose. The message has four parts, each a sentence or two.

    what: what happened, and to which record, period, account and difference.
    holds: what the target now holds (nothing sent, all, perhaps a part).
    next_step: what to do next, and who can do it; where nobody said it, what a failure of this kind asks for (`to_do`).
    evidence: tables by title that show the records concerned, for a screen that can show tables.
    leg: name of the leg of the tie-out that did not agree, or of another check that was not passed, if it was one.
    legs: the legs known at that moment, that one among them.
    """

    usual_step: ClassVar[str] = ""

    def __init__(self, what: str, *, holds: str = "", next_step: str = "") -> None:
        super().__init__(what, holds, next_step)
        self.what = what
        self.holds = holds
        self.next_step = next_step
        self.evidence: dict[str, pd.DataFrame] = {}
        self.leg = ""
        self.legs: tuple[Leg, ...] = ()

    @property
    def to_do(self) -> str:
        """What to do next, as people are told it."""
        return self.next_step or self.usual_step

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.holds, self.next_step) if part)

    def within(self, *, what: str = "", holds: str = "", next_step: str = "") -> PipelineError:
        """The same failure as seen by a caller who knows more: what it was doing, and what the target now holds."""
        said = f"{what} {self.what}" if what else self.what
        seen = type(self)(said, holds=holds or self.holds, next_step=self.next_step or next_step)
        seen.evidence, seen.leg, seen.legs = self.evidence, self.leg, self.legs
        return seen


@contextmanager
def told_as(check: str) -> Iterator[None]:
    """What fails within is shown as this check not passed."""
    try:
        yield
    except PipelineError as error:
        error.leg = error.leg or check
        raise


class TransientError(PipelineError):
    """Nothing happened; the same call may work later. retry_after_seconds is what the server asked for, if anything."""

    retry_after_seconds: float = 0.0
    usual_step = "Nothing needs to be corrected here: start it again later. If it stays so, ask whoever runs the system that is named."


class WaitingError(TransientError):
    """Somebody else has the right of way, and the stated time for waiting is over. The message begins with WAITING and names who or what.

    Nothing is wrong and nothing happened; whoever starts the work again later needs to correct nothing.
    """

    def __init__(self, what: str, *, holds: str = "", next_step: str = "") -> None:
        super().__init__(_WAITING + what.replace(_WAITING, ""), holds=holds, next_step=next_step)


class DataError(PipelineError):
    """A person must correct a record, a code or the mapping."""


class SetupError(PipelineError):
    """A person must correct the configuration, a credential, a right or a version."""


class UncertainError(PipelineError):
    """A write may have happened: it must be looked up before anything else is done."""

    usual_step = "Start the same step again: it first looks up what stands there, and sends nothing twice."
