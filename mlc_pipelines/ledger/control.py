"""The legs of the tie-out: two independent counts of the same money, held against each other key by key."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    ours, theirs = (
        frame.groupby(list(keys), sort=True, dropna=False)["amount_minor"].sum() for _, frame in (left, right)
    )
    every = ours.index.union(theirs.index)
    # reindex with a fill value, not an outer join: a join would pass the amounts through floats.
    both = pd.DataFrame(
        {"left_minor": ours.reindex(every, fill_value=0), "right_minor": theirs.reindex(every, fill_value=0)}
    )
    both["difference_minor"] = both["right_minor"] - both["left_minor"]
    breaks = both[both["difference_minor"] != 0].reset_index()
    breaks = breaks.sort_values("difference_minor", key=abs, ascending=False, kind="stable", ignore_index=True)
    return Leg(
        name,
        period,
        left[0],
        right[0],
        len(both),
        int(both["left_minor"].sum()),
        int(both["right_minor"].sum()),
        unit,
        breaks,
    )


def debits_and_credits(turnover: pd.DataFrame, keys: Sequence[str] = ("account",)) -> pd.DataFrame:
    """Turnover per account as one amount per account and side, so that errors which cancel out in the net still show."""
    sides = [
        turnover[list(keys)].assign(side=side, amount_minor=turnover[f"{side}_minor"]) for side in ("debit", "credit")
    ]
    return pd.concat(sides, ignore_index=True)
