"""Late drafts after a posting: what the sweep cleared away, and what it leaves to a person, beside the posting as a check of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.flows.clerk import PostingDesk
from mlc_pipelines.flows.posting import Swept, sweep
from mlc_pipelines.flows.report import Notice
from mlc_pipelines.flows.steps import NO_STRAY_DRAFTS
from mlc_pipelines.ledger.errors import PipelineError, few


@dataclass(frozen=True, slots=True)
class Strays:
    """What a sweep came to. problem: why nobody could look, or not at all of it, and what to do; what was posted stays posted, so that fails no run."""

    swept: Sequence[Swept] = ()
    problem: str = ""

    @property
    def deleted(self) -> int:
        return sum(not one.said for one in self.swept)

    def __str__(self) -> str:
        return self.problem or "; ".join(map(str, self.swept)) or "none"

    def notice(self, connection: str) -> Notice:
        """Yellow where a draft, or the sweep itself, asks for a person; red where a journal counts that was given up."""
        left = [one for one in self.swept if one.asks]
        rows = [{"journal": one.journal.number, "reference": one.journal.reference, "what": one.said} for one in left]
        rows += [{"journal": "", "reference": "", "what": self.problem}] if self.problem else []
        said = [f"Late drafts deleted: {self.deleted}."]
        said += [f"Left to a person: {few([str(one) for one in left])}."] if left else []
        said += [f"Late drafts could not be looked for: {self.problem}"] if self.problem else []
        said += [f"What was posted stays posted. `mlc budget sweep {connection}` looks again."] if rows else []
        counts = any(one.journal.released for one in left)
        return Notice(NO_STRAY_DRAFTS, " ".join(said), pd.DataFrame(rows), serious=counts, title="Left to a person")


def cleared(desk: PostingDesk) -> Strays:
    """Delete drafts that an ERP made late of requests that were given up."""
    try:
        return Strays(sweep(desk))
    except PipelineError as error:
        return Strays(problem=" ".join(filter(None, (error.what, error.next_step))))
