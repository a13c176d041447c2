"""What became of journals between two readings: new, changed, removed, line by line, whatever order they came in."""

import random

import pandas as pd
import pytest

from mlc_pipelines.ledger.changed import CHANGED, LINE_COLUMNS, NEW, REMOVED, changed_balances, changed_lines

Row = tuple[str, str, int | None, str, str, str, int, int]


def lines(*rows: Row) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=LINE_COLUMNS)
    return frame.astype(dict.fromkeys(("company", "batch", "branch", "account", "subaccount"), "category"))


def told(then: pd.DataFrame, now: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = ["journal", "what", "line", "account", "was_minor", "now_minor"]
    return list(changed_lines(then, now)[columns].itertuples(index=False, name=None))


FIRST: Row = ("M", "GL 1", 1, "HQ", "6100", "110", 1000, 0)
SECOND: Row = ("M", "GL 1", 2, "HQ", "1010", "000", 0, 1000)
OTHER: Row = ("M", "GL 2", 1, "HQ", "6100", "110", 500, 0)


def test_the_same_lines_in_another_order_are_no_change() -> None:
    """Order is nothing; and nothing at all is no change of nothing."""
    assert [] == told(lines(FIRST, SECOND, OTHER), lines(OTHER, SECOND, FIRST))
    assert [] == told(lines(), lines())


def test_a_new_a_removed_and_a_changed_journal() -> None:
    """Each with its lines; an amount that changed stands once with both amounts, debits positive."""
    changed = ("M", "GL 1", 2, "HQ", "1010", "000", 0, 900)
    assert [("GL 1", CHANGED, "2", "1010", -1000, -900), ("GL 2", REMOVED, "1", "6100", 500, 0)] == told(
        lines(FIRST, SECOND, OTHER), lines(FIRST, changed)
    )
    assert [("GL 2", NEW, "1", "6100", 0, 500)] == told(lines(FIRST, SECOND), lines(FIRST, SECOND, OTHER))


def test_a_line_that_moved_to_another_account_stands_there_twice() -> None:
    """What it was, and what it is: both accounts are to be looked at."""
    moved = ("M", "GL 2", 1, "HQ", "6200", "110", 500, 0)
    assert [("GL 2", CHANGED, "1", "6100", 500, 0), ("GL 2", CHANGED, "1", "6200", 0, 500)] == told(lines(OTHER), lines(moved))  # fmt: skip


def test_a_debit_is_no_negative_credit() -> None:
    """The net is the same, the turnover is not: a trial balance shows it, so it is told."""
    red = ("M", "GL 2", 1, "HQ", "6100", "110", 0, -500)
    assert [("GL 2", CHANGED, "1", "6100", 500, 500)] == told(lines(OTHER), lines(red))


def test_equal_lines_without_numbers_are_counted() -> None:
    """Where the source gives no line number, twice the same line is another thing than once."""
    once: Row = ("M", "GL 2", None, "HQ", "6100", "110", 500, 0)
    assert [("GL 2", CHANGED, "", "6100", 0, 500)] == told(lines(once), lines(once, once))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_told_explains_the_whole_difference(seed: int) -> None:
    """Whatever happened to whichever lines: was and now add up to the difference of the two readings, and journals left alone are not told."""
    dice = random.Random(seed)
    then = [("M", f"GL {dice.randrange(9)}", n, "HQ", dice.choice("AB"), dice.choice("xy"), dice.randrange(9), dice.randrange(9)) for n in range(30)]  # fmt: skip
    now = [row for row in then if dice.random() > 0.1]
    now = [(*row[:6], row[6] + (dice.random() > 0.8), row[7]) for row in now]
    now += [("M", f"GL {dice.randrange(12)}", 90, "HQ", "A", "x", 7, 0)]
    dice.shuffle(now)
    found = changed_lines(lines(*then), lines(*now))
    net = [sum(row[6] - row[7] for row in side) for side in (then, now)]
    assert net[1] - net[0] == found["now_minor"].sum() - found["was_minor"].sum()
    touched = {row[1] for row in {*then} ^ {*now}}
    assert touched == set(found["journal"])


def test_balances_differ_figure_by_figure() -> None:
    """Where no line is read, the accounts tell: each figure that is another one."""
    keys = {"company": ["M", "M"], "account": ["1010", "6100"], "subaccount": ["000", "110"]}
    then = pd.DataFrame({**keys, "opening_minor": [0, 0], "debit_minor": [0, 5], "credit_minor": [5, 0], "closing_minor": [-5, 5]})  # fmt: skip
    now = then.assign(debit_minor=[0, 7], closing_minor=[-5, 7])
    columns = ["account", "what", "was_minor", "now_minor"]
    assert [("6100", "debit", 5, 7), ("6100", "closing", 5, 7)] == list(
        changed_balances(then, now)[columns].itertuples(index=False, name=None)
    )
