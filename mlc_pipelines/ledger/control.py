"""The legs of the tie-out: two independent counts of the same money, held against each other key by key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import Money

_SHOWN = 5
ROWS = "rows"


@dataclass(frozen=True)
class Leg:
    """One comparison, in minor units of a currency or in rows. breaks has one row per key that differs: the keys, left_minor, right_minor, difference_minor (right - left), largest first."""

    name: str
    period: str
    left: str
    right: str
    compared: int
    left_minor: int
    right_minor: int
    unit: str
    breaks: pd.DataFrame

    @property
    def agreed(self) -> bool:
        return self.breaks.empty

    @property
    def difference_minor(self) -> int:
        return self.right_minor - self.left_minor

    def __str__(self) -> str:
        """What a person reads: both totals, and where the largest differences lie."""
        totals = f"{self.left} {self.shown(self.left_minor)}, {self.right} {self.shown(self.right_minor)}"
        if self.agreed:
            return f"{self.period}: {totals}; {self.compared:,} compared, all equal."
        largest = "; ".join(self._one(row) for _, row in self.breaks.head(_SHOWN).iterrows())
        return f"{self.period}: {totals}; {len(self.breaks):,} of {self.compared:,} differ, largest: {largest}."

    def _one(self, row: pd.Series) -> str:
        keys = " ".join(f"{key} {row[key]}" for key in self.breaks.columns if not key.endswith("_minor"))
        left, right = int(row["left_minor"]), int(row["right_minor"])
        return f"{keys}: {self.shown(left)} against {self.shown(right)}, difference {self.shown(right - left)}"

    def shown(self, minor: int) -> str:
        """A figure of this leg as text with its unit."""
        return f"{minor:,} rows" if self.unit == ROWS else str(Money(minor, self.unit))

    @property
    def facts(self) -> dict[str, str | int]:
        """Both sides as the history keeps them: the totals, and how many keys were compared and differed."""
        said = {"leg": self.name, "left": self.left, "right": self.right, "unit": self.unit}
        figures = {"left_minor": self.left_minor, "right_minor": self.right_minor}
        return {**said, **figures, "compared": self.compared, "differing": len(self.breaks)}

    def require_agreed(self, *, holds: str, next_step: str) -> None:
        """Raise DataError naming leg, period, accounts and differences unless both sides are equal everywhere."""
        if not self.agreed:
            error = DataError(f"Leg {self.name} does not agree. {self}", holds=holds, next_step=next_step)
            error.leg, error.legs = self.name, (self,)
            raise error


def compare(
    name: str,
    period: str,
    left: tuple[str, pd.DataFrame],
    right: tuple[str, pd.DataFrame],
    *,
    keys: Sequence[str],
    unit: str,
) -> Leg:
    """Hold two frames of amounts against each other. Each: a name for people, and a frame with the keys and amount_minor.

    A key absent on one side counts as zero there, so a vanished zero is no difference and a vanished amount is one.
    Repeated keys are added up. Totals are sums over all keys.
    """
    columns = {key: np.concatenate([frame[key].to_numpy(object) for _, frame in (left, right)]) for key in keys}
    numbers, first = _numbered(list(columns.values()))
    ours, theirs = (
        _added_up(frame, number_of, len(first))
        for (_, frame), number_of in zip((left, right), np.split(numbers, [len(left[1])]), strict=True)
    )
    return Leg(
        name,
        period,
        left[0],
        right[0],
        len(first),
        int(ours.sum()),
        int(theirs.sum()),
        unit,
        _breaks({key: column[first] for key, column in columns.items()}, ours, theirs),
    )


def _numbered(columns: Sequence[npt.NDArray[np.object_]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each row the number of its key, from 0, and for each key the first row that has it. What is missing is a key like others."""
    numbers = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        codes, texts = pd.factorize(column)
        numbers, _ = pd.factorize(numbers * (len(texts) + 1) + codes + 1)
    return numbers, np.unique(numbers, return_index=True)[1]


def _added_up(frame: pd.DataFrame, number_of: npt.NDArray[np.int64], keys: int) -> npt.NDArray[np.int64]:
    sums = np.zeros(keys, np.int64)
    np.add.at(sums, number_of, frame["amount_minor"].to_numpy(np.int64))
    return sums


def _breaks(
    keys: Mapping[str, npt.NDArray[np.object_]], ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]
) -> pd.DataFrame:
    at = np.flatnonzero(ours != theirs)
    figures = {"left_minor": ours[at], "right_minor": theirs[at], "difference_minor": theirs[at] - ours[at]}
    breaks = pd.DataFrame({key: pd.Series(column[at], dtype=object) for key, column in keys.items()} | figures)
    if breaks.empty:
        return breaks
    by_key = breaks.sort_values(list(keys), ignore_index=True)
    return by_key.sort_values("difference_minor", key=abs, ascending=False, kind="stable", ignore_index=True)


def joined(legs: Sequence[Leg]) -> Leg:
    """The same leg over several periods as one."""
    first = legs[0]
    return replace(
        first,
        period=", ".join(leg.period for leg in legs),
        compared=sum(leg.compared for leg in legs),
        left_minor=sum(leg.left_minor for leg in legs),
        right_minor=sum(leg.right_minor for leg in legs),
        breaks=pd.concat([leg.breaks for leg in legs], ignore_index=True),
    )


def debits_and_credits(turnover: pd.DataFrame, keys: Sequence[str] = ("account",)) -> pd.DataFrame:
    """Turnover per account as one amount per account and side, so that errors which cancel out in the net still show."""
    columns = {key: np.tile(turnover[key].to_numpy(object), 2) for key in keys}
    columns["side"] = np.repeat(np.array(["debit", "credit"], object), len(turnover))
    amounts = np.concatenate([turnover[f"{side}_minor"].to_numpy(np.int64) for side in ("debit", "credit")])
    texts = {name: pd.Series(column, dtype=object) for name, column in columns.items()}
    return pd.DataFrame({**texts, "amount_minor": amounts})
