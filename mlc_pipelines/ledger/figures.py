"""Figures on the ERP's codes, by fiscal period: what is to stand in a destination, what was written there, and what is still to be written. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlc_pipelines.ledger.drafts import DraftLine

FIGURES = ["period", "account", "subaccount", "amount_minor"]
"""Columns of figures: key of the fiscal period, codes, minor units with debits positive; in key order, one row per key, zeros left out."""
KEYS = FIGURES[:3]
OFFSET = "Offset"
"""The text of a line that only balances a journal: by it such lines are told from figures of the plan."""
Key = tuple[str, str, str]


class Journal(Protocol):
    """A journal as it is to be written, or as the ERP shows it."""

    @property
    def period(self) -> str: ...

    @property
    def lines(self) -> Sequence[DraftLine]: ...


def keys_of(figures: pd.DataFrame) -> list[Key]:
    """Period, account and subaccount of each row."""
    period, account, subaccount = (figures[key].tolist() for key in KEYS)
    return list(zip(period, account, subaccount, strict=True))


def summed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of FIGURES added up by key, zeros left out, in key order."""
    sums: pd.DataFrame = rows[FIGURES].groupby(KEYS, sort=True)["amount_minor"].sum().reset_index()
    return sums[sums["amount_minor"] != 0].reset_index(drop=True)


def minus(figures: pd.DataFrame, written: pd.DataFrame) -> pd.DataFrame:
    """What must be written on top of what was written, so that the figures stand there: FIGURES, zeros left out."""
    both = pd.concat([figures[FIGURES], written[FIGURES].assign(amount_minor=-written["amount_minor"])])
    return summed(both)


def to_lines(figures: pd.DataFrame, description: str) -> tuple[DraftLine, ...]:
    """Figures of one period as lines of a journal, one for each key, on the side that their sign says."""
    columns = (figures[name].tolist() for name in ("account", "subaccount", "amount_minor"))
    return tuple(
        DraftLine(account, subaccount, max(minor, 0), max(-minor, 0), description)
        for account, subaccount, minor in zip(*columns, strict=True)
    )


def figures_of(drafts: Iterable[Journal], *, balancing: bool = False) -> pd.DataFrame:
    """What journals make together, as FIGURES; balancing: with the lines that only balance them, which are no figures of the plan."""
    rows = [
        (draft.period, line.account, line.subaccount, line.debit_minor - line.credit_minor)
        for draft in drafts
        for line in draft.lines
        if balancing or line.description != OFFSET
    ]
    frame = pd.DataFrame(rows, columns=FIGURES).astype({"amount_minor": "int64"})
    return summed(frame)


def written_keys(drafts: Iterable[Journal]) -> pd.DataFrame:
    """Period, account and subaccount of every figure that any of the journals names, also where their amounts cancel out (KEYS, in order)."""
    keys = {(draft.period, line.account, line.subaccount) for draft in drafts for line in draft.lines}
    return pd.DataFrame(sorted(keys), columns=KEYS)


def reversed_lines(lines: Sequence[DraftLine]) -> tuple[DraftLine, ...]:
    """The same lines with their sides exchanged."""
    return tuple(replace(line, debit_minor=line.credit_minor, credit_minor=line.debit_minor) for line in lines)


def natural(amounts: npt.NDArray[np.int64], kinds: Sequence[str]) -> npt.NDArray[np.int64]:
    """Amounts in the natural sign of their accounts, as finance people read them: income and liabilities positive when credited."""
    sign = np.array([-1 if kind in ("Income", "Liability") else 1 for kind in kinds], np.int64)
    return amounts * sign
