"""The declared signs against the books: a class that would come out negative in the plan is named."""

import pandas as pd
import pytest

from mlc_pipelines.ledger.signs import by_class, proof

BOOKS = pd.DataFrame(
    [("1000", 50000), ("2000", -20000), ("3000", -10000), ("4000", -90000), ("4900", 500), ("6000", 69500)],
    columns=["account", "closing_minor"],
)
KINDS = {
    "1000": "Asset",
    "2000": "Liability",
    "3000": "Liability",
    "4000": "Income",
    "4900": "Income",
    "6000": "Expense",
}
PLANNERS = {"Income": -1, "Liability": -1}


def wrong(signs: dict[str, int], books: pd.DataFrame = BOOKS) -> list[str]:
    return sorted(proof("signs", "FY2026-P03", by_class(books, KINDS, signs), "USD").breaks.get("account_class", []))


def test_planners_signs_agree_with_sound_books() -> None:
    """Sales credit 895.00, less returns; liabilities and equity together credit 300.00: all positive in the plan."""
    classes = by_class(BOOKS, KINDS, PLANNERS).set_index("account_class")
    assert {"Asset": 50000, "Liability": 30000, "Income": 89500, "Expense": 69500} == classes["plan_minor"].to_dict()
    assert [] == wrong(PLANNERS)


@pytest.mark.parametrize(
    ("signs", "named"),
    [
        ({"Income": -1}, ["Liability"]),
        ({"Income": 1, "Liability": -1}, ["Income"]),
        ({**PLANNERS, "Asset": -1}, ["Asset"]),
        ({"Asset": -1, "Expense": -1}, ["Asset", "Expense", "Income", "Liability"]),
    ],
)
def test_a_flipped_sign_is_named_by_its_class(signs: dict[str, int], named: list[str]) -> None:
    """Also one that was forgotten: who turns income and not liabilities sees them negative."""
    assert named == wrong(signs)


def test_books_that_stand_on_the_other_side_are_found() -> None:
    """With or without declared signs: debits and credits of the whole ledger taken for each other."""
    turned = BOOKS.assign(closing_minor=-BOOKS["closing_minor"])
    assert ["Asset", "Expense", "Income", "Liability"] == wrong({}, turned) == wrong(PLANNERS, turned)
    assert [] == wrong({})
    assert [] == wrong(PLANNERS, BOOKS.head(0))
