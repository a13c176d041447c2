"""Each difference is laid to the row behind it; what is explained and what is not add up to the whole, to the cent."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.control import compare
from mlc_pipelines.ledger.differences import (
    CALCULATED,
    DUPLICATE,
    NOT_EXPLAINED,
    NUMBER,
    OTHER,
    PARENT,
    PERIOD,
    UNKNOWN_MEMBER,
    Import,
    attribute,
    cause_of,
    explained_minor,
)

KEYS = ["account", "cost_center"]


def cells(figures: dict[tuple[str, str], int]) -> pd.DataFrame:
    return pd.DataFrame([(*key, minor) for key, minor in figures.items()], columns=[*KEYS, "amount_minor"]).astype(
        {"amount_minor": "int64"}
    )


def refusals(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(account, center, "2", why) for account, center, why in rows], columns=[*KEYS, "line", "reason"], dtype=object
    )


def laid(
    sent: dict[tuple[str, str], int],
    held: dict[tuple[str, str], int],
    *refused: tuple[str, str, str],
    before: dict[tuple[str, str], int] | None = None,
    **said: object,
) -> pd.DataFrame:
    leg = compare("leg", "P", ("sent", cells(sent)), ("held", cells(held)), keys=KEYS, unit="USD")
    return attribute(leg.breaks, Import(cells(sent), cells(before or {}), refusals(*refused), **said))  # type: ignore[arg-type]


def shown(frame: pd.DataFrame) -> list[tuple[str, str, int]]:
    return list(zip(frame["cause"], frame["account"], frame["difference_minor"], strict=True))


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Invalid Accounts identifier: A6100", UNKNOWN_MEMBER),
        ("Invalid date or timescale identifier: FY26 P3", PERIOD),
        ("Invalid number: 1.234,50", NUMBER),
        ("Invalid line item identifier: 00A Partner", OTHER),
        ("Invalid parent", PARENT),
        ("Duplicate key", DUPLICATE),
        ("Target line item is calculated", CALCULATED),
        ("Etwas anderes", OTHER),
    ],
)
def test_a_refusal_is_classed_by_its_words(reason: str, cause: str) -> None:
    """Words of the reference sheet, and words nobody has recorded: those are `other`, never a guess."""
    assert cause == cause_of(reason)


def test_a_refused_row_explains_what_its_cell_lacks() -> None:
    """Sent 12.40, still holding 2.00 of last time: 10.40 too little, because the member is unknown."""
    found = laid(
        {("A1", "C"): 1240}, {("A1", "C"): 200}, ("A1", "C", "Invalid X identifier"), before={("A1", "C"): 200}
    )
    assert [(UNKNOWN_MEMBER, "A1", -1040)] == shown(found)


def test_a_refused_row_does_not_explain_what_somebody_else_wrote() -> None:
    """The row explains that the 2.00 of last time stayed; that the cell holds 9.00 now is somebody else's doing."""
    found = laid({("A1", "C"): 1240}, {("A1", "C"): 900}, ("A1", "C", "Invalid number: x"), before={("A1", "C"): 200})
    assert {(NUMBER, "A1", -1040), (NOT_EXPLAINED, "A1", 700)} == set(shown(found))


def test_a_row_refused_twice_counts_once() -> None:
    """A dump that names a row twice does not explain twice its money."""
    row = ("A1", "C", "Invalid number: x")
    assert [-500, 0] == laid({("A1", "C"): 500}, {}, row, row)["difference_minor"].tolist()


def test_an_ignored_row_is_explained_only_where_the_count_reaches() -> None:
    """Two cells did not take their figures: with two rows ignored both are explained, with one neither can be told."""
    sent, held = {("A1", "C"): 5, ("A2", "C"): 7, ("A3", "C"): 1}, {("A3", "C"): 1}
    assert {OTHER} == set(laid(sent, held, ignored=2)["cause"])
    assert {NOT_EXPLAINED} == set(laid(sent, held, ignored=1)["cause"])


def test_causes_that_the_lists_and_figures_show() -> None:
    """A parent, a member that is gone, an import that adds up, a target that takes nothing at all."""
    sent = {("A1", "C"): 5, ("A2", "C"): 7}
    assert [(PARENT, "A2", -7)] == shown(laid(sent, {("A1", "C"): 5}, ignored=1, parents={"A2"}))
    assert [(UNKNOWN_MEMBER, "A2", -7)] == shown(laid(sent, {("A1", "C"): 5}, absent={"A2"}))
    doubled = {key: 2 * minor for key, minor in sent.items()}
    assert [(DUPLICATE, "A2", 7), (DUPLICATE, "A1", 5)] == shown(laid(sent, doubled, before=sent))
    assert {CALCULATED} == set(laid(sent, {}, ignored=2)["cause"])


def test_a_figure_that_nobody_sent_is_not_explained() -> None:
    """A person typed it in while the import ran."""
    assert [(NOT_EXPLAINED, "A9", 3)] == shown(laid({("A1", "C"): 5}, {("A1", "C"): 5, ("A9", "C"): 3}))


_KEYS = st.tuples(st.sampled_from(["A1", "A2", "A3", "A4"]), st.sampled_from(["C1", "C2"]))
_FIGURES = st.dictionaries(_KEYS, st.integers(-(2**40), 2**40) | st.sampled_from([0, 5]), max_size=8)
_REFUSED = st.lists(
    st.tuples(
        st.sampled_from(["A1", "A2", "A3", "A9"]),
        st.sampled_from(["C1", "C2", ""]),
        st.sampled_from(["Invalid number", "Invalid Accounts identifier: A9", "?"]),
    ),
    max_size=6,
)


@pytest.mark.parametrize("examples", [40, pytest.param(600, marks=pytest.mark.prove)])
def test_explained_and_unexplained_are_the_difference(examples: int) -> None:
    """Always, whatever was refused, ignored, written by others or cut short; cell by cell as well, and each refusal is shown once."""

    @settings(max_examples=examples, deadline=None)
    @given(
        sent=_FIGURES,
        held=_FIGURES,
        before=_FIGURES,
        refused=_REFUSED,
        ignored=st.integers(0, 9),
        ended=st.sampled_from(["", "The import ended CANCELLED."]),
        odd=st.sets(st.sampled_from(["A1", "A2", "C1"])),
    )
    def always(
        sent: dict[tuple[str, str], int],
        held: dict[tuple[str, str], int],
        before: dict[tuple[str, str], int],
        refused: list[tuple[str, str, str]],
        ignored: int,
        ended: str,
        odd: set[str],
    ) -> None:
        leg = compare("leg", "P", ("sent", cells(sent)), ("held", cells(held)), keys=KEYS, unit="USD")
        seen = Import(cells(sent), cells(before), refusals(*refused), ignored, ended, absent=odd, parents={"A3"})
        found = attribute(leg.breaks, seen)
        assert leg.difference_minor == sum(explained_minor(found))
        by_cell = found.groupby(KEYS)["difference_minor"].sum()
        breaks = leg.breaks.set_index(KEYS)["difference_minor"]
        assert breaks.to_dict() == by_cell[by_cell != 0].to_dict()
        assert len(refused) == (found["line"] != "").sum() - _split(found)

    always()


def _split(found: pd.DataFrame) -> int:
    """Rows that only carry the part of a refused cell which its refusal does not explain."""
    return int(((found["cause"] == NOT_EXPLAINED) & (found["line"] != "")).sum())
