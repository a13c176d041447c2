"""Figures by period, account and subaccount: added up, subtracted, as lines of journals and back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.drafts import DraftLine
from mlc_pipelines.ledger.figures import (
    FIGURES,
    OFFSET,
    figures_of,
    keys_of,
    minus,
    natural,
    reversed_lines,
    summed,
    to_lines,
    written_keys,
)
from mlc_pipelines_tests.posting.samples import DRAFT

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["FY2027-P01", "FY2027-P02"]),
        st.sampled_from(["0010", "NA", "6100"]),
        st.sampled_from(["", "000-DEN"]),
        st.integers(-(10**14), 10**14) | st.sampled_from([0, 1, -1]),
    ),
    max_size=12,
)


def figures(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return summed(pd.DataFrame(list(rows), columns=FIGURES).astype({"amount_minor": "int64"}))


def rows_of(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    assert FIGURES == list(frame.columns)
    return list(frame.itertuples(index=False, name=None))


def test_figures_are_added_by_key_in_order_without_zeros() -> None:
    """Codes stay texts, "" and "NA" among them; what cancels out is no figure."""
    rows = [("P2", "NA", "", 5), ("P1", "0010", "X", 7), ("P1", "0010", "X", -7), ("P1", "10", "", 1), ("P2", "NA", "", 1)]  # fmt: skip
    assert [("P1", "10", "", 1), ("P2", "NA", "", 6)] == rows_of(figures(*rows))


@settings(deadline=None, max_examples=6)
@given(ROWS, ROWS)
def test_what_is_written_on_top_of_what_was_written_makes_the_figures(one: Any, other: Any) -> None:
    """written + (figures - written) = figures, and nothing is to be written on top of the same."""
    wanted, written = figures(*one), figures(*other)
    change = minus(wanted, written)
    assert rows_of(wanted) == rows_of(summed(pd.concat([written, change])))
    assert [] == rows_of(minus(wanted, wanted))
    assert "int64" == change["amount_minor"].dtype


@settings(deadline=None, max_examples=6)
@given(ROWS)
def test_figures_come_back_from_the_lines_of_a_journal(rows: Any) -> None:
    """One line for each, on the side that its sign says; reversed lines take everything back."""
    wanted = figures(*rows)
    drafts = [
        replace(DRAFT, period=period, lines=to_lines(wanted[wanted["period"] == period], "Budget"))
        for period in sorted(set(wanted["period"]))
    ]
    assert rows_of(wanted) == rows_of(figures_of(drafts))
    assert keys_of(wanted) == list(written_keys(drafts).itertuples(index=False, name=None))
    assert all((line.debit_minor > 0) != (line.credit_minor > 0) for draft in drafts for line in draft.lines)
    back = [replace(draft, lines=reversed_lines(draft.lines)) for draft in drafts]
    assert [] == rows_of(figures_of([*drafts, *back]))


def test_a_line_that_only_balances_is_no_figure_of_the_plan() -> None:
    """Unless it is asked for, as when our own journals are held against the books."""
    draft = replace(DRAFT, lines=(DraftLine("6100", "000", 5, 0, "Budget"), DraftLine("9999", "000", 0, 5, OFFSET)))
    assert [("FY2026-P03", "6100", "000", 5)] == rows_of(figures_of([draft]))
    assert 2 == len(figures_of([draft], balancing=True))
    assert [] == rows_of(figures_of([]))


def test_a_key_that_was_written_is_known_even_where_amounts_cancel_out() -> None:
    """+5 by one version and -5 by the next: together nothing, and yet there is a figure in the ERP to be cleared."""
    plus = replace(DRAFT, lines=(DraftLine("6100", "000", 5, 0),))
    less = replace(DRAFT, lines=(DraftLine("6100", "000", 0, 5),))
    assert [] == rows_of(figures_of([plus, less]))
    assert [("FY2026-P03", "6100", "000")] == list(written_keys([plus, less]).itertuples(index=False, name=None))


def test_people_read_income_and_liabilities_as_positive() -> None:
    """What an account normally holds is positive; an unknown kind keeps the debit's sign."""
    kinds = ["Income", "Liability", "Expense", "Asset", ""]
    assert [5, 5, 5, 5, -5] == natural(np.array([-5, -5, 5, 5, -5], np.int64), kinds).tolist()
