"""The chart of accounts: which segments an account has, which of them the balances keep, and the values of two of them.

There is no object for a cost center: it is whatever segment the connection says [S SNO; I]. A balance is only as fine as the chart's balance
segments: `PerBalFmt` lists them, "1~2", and each segment is flagged for detail and summary balances [S SNO].
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.epicor import wire
from mlc_pipelines.epicor.config import EpicorConfig
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.ports import FiguresFrom

BETWEEN = "|"
NO_CENTER = "no cost center"
_NUMBER = re.compile(r"\d+")
_KINDS = {("B", "D"): "Asset", ("B", "C"): "Liability", ("I", "C"): "Income", ("I", "D"): "Expense"}
_PARENTS_MAX = 50
_NEXT_STEP = "Correct it in Kinetic (Chart of Accounts), or ask its administrator."


@dataclass(frozen=True)
class Chart:
    """The segments of an account in physical order, by their numbers and names; kept: those that the balances keep."""

    code: str
    names: Mapping[int, str]
    kept: frozenset[int]
    account: int
    center: int | None
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many segments an account has."""
        return max(self.names)

    @property
    def others(self) -> list[int]:
        """The segments of a subaccount: all but the account itself, in physical order."""
        return [number for number in sorted(self.names) if number != self.account]

    @property
    def keeps_center(self) -> bool:
        """Whether balances tell cost centers apart."""
        return self.account in self.kept and (self.center is None or self.center in self.kept)

    def figures_from(self, read: str) -> FiguresFrom:
        """Lines or balances, and in one sentence why. Raises SetupError where balances are declared that do not tell cost centers apart."""
        if read == "balances" and not self.keeps_center:
            raise SetupError(
                f"{self.said} So figures by cost center cannot be read from balances.",
                holds="Nothing was read.",
                next_step="Write `read: auto` or `read: journals` under `erp` in the connection file.",
            )
        if read != "auto":
            return FiguresFrom(read)
        if self.keeps_center:
            return FiguresFrom(
                "balances", f"{self.said} So the figures are its balances, held against the posted lines.", both=True
            )
        return FiguresFrom("journals", f"{self.said} So the figures are added up from the posted lines.")

    @property
    def said(self) -> str:
        """Which segments the balances keep, in a sentence."""
        kept = [self._named(number) for number in sorted(self.kept)]
        left_out = [self._named(number) for number in sorted(self.names) if number not in self.kept]
        but = f", not {' and '.join(left_out)}" if left_out else ""
        return f"Chart {self.code} keeps {' and '.join(kept) or 'no segment'} in its balances{but}."

    def _named(self, number: int) -> str:
        role = {self.account: ", the account", self.center: ", the cost center"}.get(number, "")
        return f"{self.names[number]} (segment {number}{role})".strip()

    def as_balance(self, account: str) -> tuple[str, str]:
        """Account and subaccount of "3200|000|MF" as far as balances keep them; "" for both where there is no account.

        An account is its segment values in physical order with bars between them; empty ones at its end are left off [S SNO; C GLC2].
        """
        parts = dict(zip(sorted(self.names), account.split(BETWEEN), strict=False))
        kept = [parts.get(number, "") if number in self.kept else "" for number in self.others]
        return (parts[self.account], BETWEEN.join(kept)) if parts.get(self.account) else ("", "")

    def cost_centers_of(self, subaccounts: Sequence[str]) -> list[str]:
        """The cost center part of each subaccount, "110" of "110|MF". Raises DataError for one that has not as many parts."""
        if self.center is None:
            return [""] * len(subaccounts)
        at, parts_wanted = self.others.index(self.center), len(self.others)
        centers = []
        for subaccount in subaccounts:
            parts = subaccount.split(BETWEEN)
            if len(parts) != parts_wanted:
                raise DataError(
                    f"Subaccount {subaccount!r} does not have the {parts_wanted} segments that chart {self.code} has beside the account.",
                    next_step="Read the period again; if the chart got a segment since, that is enough.",
                )
            centers.append(parts[at])
        return centers


def chart_of(row: wire.Chart, segments: Sequence[wire.Segment], config: EpicorConfig) -> Chart:
    """The chart of a book. Raises SetupError when it does not have the declared segments."""
    names = {one.number: one.name or "" for one in segments if one.coa == row.code}
    for setting, number in (
        ("account_segment", config.account_segment),
        ("cost_center_segment", config.cost_center_segment),
    ):
        if number is not None and number not in names:
            has = ", ".join(f"{one} {names[one]}".strip() for one in sorted(names)) or "none"
            raise SetupError(
                f"Chart {row.code} has no segment {number}; it has {has}.",
                holds="Nothing was read.",
                next_step=f"Correct `erp.{setting}` in the connection file.",
            )
    kept, warnings = _kept(row, segments, config)
    return Chart(row.code, names, kept, config.account_segment, config.cost_center_segment, warnings)


def _kept(
    row: wire.Chart, segments: Sequence[wire.Segment], config: EpicorConfig
) -> tuple[frozenset[int], tuple[str, ...]]:
    """The segments in balances: as flagged, and for detail balances as the chart's format says too; what only one of them says is not relied on."""
    own = [one for one in segments if one.coa == row.code]
    if config.balance_type == "S":
        return frozenset(one.number for one in own if one.in_summary), ()
    flagged = frozenset(one.number for one in own if one.in_detail)
    listed = frozenset(map(int, _NUMBER.findall(row.balance_format or "")))
    if flagged == listed or not listed:
        return flagged, ()
    warning = (
        f"Chart {row.code} says in its balance format ({row.balance_format}) that other segments are kept in balances than its segments "
        f"are flagged for ({', '.join(map(str, sorted(flagged))) or 'none'}); only what both say is relied on."
    )
    return flagged & listed, (warning,)


def to_accounts(values: Sequence[wire.SegmentValue], categories: Sequence[wire.Category], today: str) -> pd.DataFrame:
    """Accounts in code order: code, name, account_class (the category), kind, active (by flag and by its dates).

    Whether an account is an asset, a liability (equity among them), income or expense is said by its category: balance sheet or income
    statement, and the side on which it grows. One that counts no money and has no category is left out.
    Raises DataError naming an account whose category does not say it.
    """
    known = {one.code: one for one in categories}
    rows = []
    for one in values:
        if one.statistical and not one.category:
            continue
        category = known.get(one.category or "")
        kind = _KINDS.get(_type_and_side(category, known)) if category else None
        if kind is None:
            raise DataError(
                f"Account {one.code!r} of chart {one.coa} has category {one.category!r}, which does not say whether it is an asset, "
                "a liability, income or expense.",
                holds="Nothing was loaded.",
                next_step=_NEXT_STEP,
            )
        rows.append((one.code, one.name or one.description or "", _class_of(category), kind, _active(one, today)))
    return _frame(rows, ["code", "name", "account_class", "kind", "active"])


def _class_of(category: wire.Category | None) -> str:
    return (category.description or category.code) if category else ""


def _type_and_side(category: wire.Category, known: Mapping[str, wire.Category]) -> tuple[str, str]:
    """B or I, and D or C: the category's own, else those of what it belongs to."""
    type_, side = category.type, category.normal_side
    above: wire.Category | None = category
    for _ in range(_PARENTS_MAX):
        above = known.get(above.parent or "") if above else None
        if (type_ and side) or above is None:
            break
        type_, side = type_ or above.type, side or above.normal_side
    return type_ or "", side or ""


def to_cost_centers(values: Sequence[wire.SegmentValue], carriers: Mapping[str, int], today: str) -> pd.DataFrame:
    """Cost centers in code order: code, name, active, subaccounts (how many the chart's accounts combine it with).

    "" is among them, for accounts may stand without one, as those of the balance sheet mostly do.
    """
    rows: list[tuple[object, ...]] = [("", NO_CENTER, True, carriers.get("", 0))]
    rows += [
        (one.code, one.name or one.description or "", _active(one, today), carriers.get(one.code, 0)) for one in values
    ]
    return _frame(rows, ["code", "name", "active", "subaccounts"])


def no_cost_centers() -> pd.DataFrame:
    """The one cost center "" of a chart without."""
    return _frame([("", "", True, 0)], ["code", "name", "active", "subaccounts"])


def _active(one: wire.SegmentValue, today: str) -> bool:
    """By its flag, and within its dates where it has any."""
    begins, ends = (one.active_from or "")[:10], (one.active_to or "")[:10]
    return one.active and (not begins or begins <= today) and (not ends or today <= ends)


def _frame(rows: Sequence[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    seen: set[object] = set()
    for code, *_ in rows:
        if code in seen:
            raise DataError(
                f"Segment value {code} stands twice in the chart.", holds="Nothing was loaded.", next_step=_NEXT_STEP
            )
        seen.add(code)
    frame = pd.DataFrame(rows, columns=columns)
    texts = {name: "object" for name in columns if name in {"code", "name", "account_class", "kind"}}
    return frame.astype(texts).sort_values("code", ignore_index=True)
