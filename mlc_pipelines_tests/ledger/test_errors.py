"""Failures are told apart by what to do next, and their message has four parts."""

import pandas as pd
import pytest

from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError, UncertainError

KINDS = [TransientError, DataError, SetupError, UncertainError]


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_says_what_happened_what_is_held_and_what_to_do(kind: type[PipelineError]) -> None:
    """Three sentences, each on its line; an empty one leaves no gap."""
    assert "What.\nHeld.\nNext." == str(kind("What.", holds="Held.", next_step="Next."))
    assert "What.\nNext." == str(kind("What.", next_step="Next."))
    assert "What." == str(kind("What."))


def test_no_kind_passes_for_another() -> None:
    """Whoever retries the transient ones must not catch an uncertain one."""
    assert [[one is other for other in KINDS] for one in KINDS] == [
        [issubclass(one, other) for other in KINDS] for one in KINDS
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_who_knows_more_adds_it_and_keeps_kind_and_evidence(kind: type[PipelineError]) -> None:
    """The first cause stays in the text; holds is the caller's word, the next step that of whoever knew it first."""
    inner = kind("Row 7 was refused.", holds="Unknown.", next_step="Map the account.")
    inner.evidence, inner.leg = {"Refused": pd.DataFrame({"row": [7]})}, "rows_all_taken"
    outer = inner.within(what="Actuals 2026-03 not loaded:", holds="Nothing was sent.", next_step="Ask somebody.")
    assert type(inner) is type(outer)
    assert "Actuals 2026-03 not loaded: Row 7 was refused.\nNothing was sent.\nMap the account." == str(outer)
    assert inner.evidence is outer.evidence
    assert "rows_all_taken" == outer.leg


def test_a_caller_may_leave_everything_as_it_was() -> None:
    """within() without words changes nothing."""
    inner = DataError("Row 7.", holds="Nothing.", next_step="Look.")
    assert str(inner) == str(inner.within())
    assert "Row 7.\nLook there." == str(DataError("Row 7.").within(next_step="Look there."))
