"""An approved plan on its way back: from the plan's members to the accounts and subaccounts that the ERP posts to. Pure.

A direction of its own: many codes may share a member on the way in, so no member is posted anywhere but to its declared target.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlc_pipelines.ledger.errors import DataError, few
from mlc_pipelines.ledger.figures import FIGURES, KEYS, Key, keys_of, summed
from mlc_pipelines.ledger.mapping import CELL_KEYS
from mlc_pipelines.ledger.money import Money, minor_digits, require_summable

REFUSE, LAST_PERIOD = "refuse", "last_period"
ZERO, UNCHANGED = "zero", "unchanged"
_BILLION = 10**9
_NO_TARGET = "no posting target is declared for it"
_STOPPED = {"holds": "Nothing was written into the ERP."}


@dataclass(frozen=True, slots=True)
class TargetRule:
    """Where figures of a dimension's members are posted. An entry of the table wins over the patterns.

    member: how a member's code is spelled around the ERP's code, "CC_{code}"; "" where only the table counts.
    target: what is posted to, with the code filled in: "{code}" for an account, "{code}-000" for a whole subaccount.
    table: member -> target, as declared by hand.
    """

    dimension: str
    list_name: str
    member: str = ""
    target: str = "{code}"
    table: Mapping[str, str] = field(default_factory=dict)

    def target_of(self, member: str) -> str:
        """The declared target of a member; "" where there is none."""
        if member in self.table:
            return self.table[member]
        before, _, after = self.member.partition("{code}")
        found = re.fullmatch(re.escape(before) + "(.+)" + re.escape(after), member) if self.member else None
        return self.target.replace("{code}", found[1]) if found else ""


@dataclass(frozen=True, slots=True)
class Residue:
    """What was too fine for money in one account and subaccount over a year, and the period that took it."""

    account: str
    subaccount: str
    period: str
    minor: int


@dataclass(frozen=True)
class MappedBack:
    """figures: FIGURES. untouched: keys that the plan leaves blank and that stay as they are. residues: what rounding moved, by key."""

    figures: pd.DataFrame
    untouched: frozenset[Key] = frozenset()
    residues: tuple[Residue, ...] = ()

    def beside(self, written: pd.DataFrame) -> pd.DataFrame:
        """What is to stand in the ERP: the plan's figures, and on untouched keys what was written there before."""
        kept = np.array([key in self.untouched for key in keys_of(written)], bool)
        return summed(pd.concat([self.figures, written[kept]])) if kept.any() else self.figures


def of_year(cells: pd.DataFrame, labels: Mapping[str, str], keys: Collection[str]) -> tuple[pd.DataFrame, int]:
    """The cells of the periods in keys, with the keys of their periods; and how many cells belong to other fiscal years.

    labels: the plan's label -> key of the period. Raises DataError naming labels that are no period: totals over time among them (F08).
    """
    period_of = cells["period"].map(labels)
    if strangers := sorted(set(cells["period"][period_of.isna()])):
        raise DataError(
            f"The export shows {few(strangers)}, which {'is' if len(strangers) == 1 else 'are'} no fiscal period of this connection: "
            "a total over time, or a period that the calendar does not have.",
            holds="Nothing was written into the ERP.",
            next_step="Have the model builder leave totals out of the export, or correct period_label and calendar in the connection file.",
        )
    chosen = period_of.isin(set(keys))
    return cells.assign(period=period_of)[chosen].reset_index(drop=True), int((~chosen).sum())


def require_leaves(cells: pd.DataFrame, members: pd.DataFrame, rules: Sequence[TargetRule]) -> None:
    """Refuse a plan that shows parents, totals or members that no list has: posting those too would count figures twice (F08).

    members: list, code, name, leaf.
    """
    found: list[str] = []
    for rule in rules:
        listed = members[members["list"] == rule.list_name]
        coded = listed["code"].where(listed["code"] != "", listed["name"])
        leaves, named = set(coded[listed["leaf"]]), set(listed["name"][listed["leaf"]])
        known = set(coded) | set(listed["name"])
        for member in sorted(set(cells[rule.dimension]) - leaves):
            what = "is a parent" if member in known else f"is no member of list {rule.list_name}"
            what = "is shown by its name, not its code" if member in named else what
            found.append(f"{rule.dimension.replace('_', ' ')} {member} {what}")
    if found:
        raise DataError(
            f"The export shows {len(found)} members that are no leaves: {few(found)}.",
            holds="Nothing was written into the ERP.",
            next_step="Have the model builder show leaf members only, by their codes.",
        )


def require_distinct(cells: pd.DataFrame) -> None:
    """Refuse an export that shows a cell twice: which of the two was approved cannot be told."""
    twice = cells[cells.duplicated([*CELL_KEYS, "period"])]
    if not twice.empty:
        row = twice.iloc[0]
        raise DataError(
            f"The export shows cell {row['account']} / {row['cost_center']} / {row['period']} more than once ({len(twice)} such rows).",
            holds="Nothing was written into the ERP.",
            next_step="Have the model builder export each cell once; another dimension than account, cost center, time and version may be in it.",
        )


def map_back(
    cells: pd.DataFrame,
    rules: Sequence[TargetRule],
    signs: Mapping[str, int],
    *,
    currency: str,
    rounding: str = REFUSE,
    blank: str = ZERO,
) -> MappedBack:
    """Cells of one fiscal year on the ERP's codes, debits positive, exact to the minor unit.

    cells: period (key), account, cost_center (members), blank, amount_minor, stray. signs: posted account -> -1 where planners see credits as
    positive. rounding: REFUSE raises DataError for figures finer than money; LAST_PERIOD rounds each, half to even, and adds what the year's
    total, rounded likewise, is more, by account and subaccount, to its last period that has a figure. blank: ZERO or UNCHANGED.
    Raises DataError naming every member without a posting target, with the money at stake.
    """
    require_summable(cells["amount_minor"].to_numpy(np.int64))
    used = cells[~cells["blank"]] if blank == UNCHANGED else cells
    placed = _placed(used, rules, currency)
    sign = placed["account"].map(lambda account: signs.get(account, 1)).to_numpy(np.int64)
    placed = placed.assign(amount_minor=placed["amount_minor"] * sign, stray=placed["stray"] * sign)
    sums: pd.DataFrame = placed.groupby(KEYS, sort=True)[["amount_minor", "stray"]].sum().reset_index()
    figures, residues = _rounded(sums, currency, rounding)
    blanks = keys_of(_placed(cells[cells["blank"]], rules, currency)) if blank == UNCHANGED else []
    return MappedBack(summed(figures), frozenset(blanks) - frozenset(keys_of(sums)), residues)


def _placed(cells: pd.DataFrame, rules: Sequence[TargetRule], currency: str) -> pd.DataFrame:
    """The cells with account and subaccount as the ERP's codes. Members without a target may only hold nothing."""
    held = (cells["amount_minor"] != 0) | (cells["stray"] != 0)
    targets, lacking = {}, []
    for rule in rules:
        of = {member: rule.target_of(member) for member in cells[rule.dimension].unique()}
        targets[rule.dimension] = cells[rule.dimension].map(of)
        for member in sorted(member for member, target in of.items() if not target):
            at_stake = cells[(cells[rule.dimension] == member) & held]
            if len(at_stake):
                money = Money(int(at_stake["amount_minor"].abs().sum()), currency)
                lacking.append((rule.dimension.replace("_", " "), member, len(at_stake), str(money)))
    if lacking:
        raise _no_target(lacking)
    placed = cells.assign(account=targets["account"], subaccount=targets["cost_center"])
    return placed[(placed["account"] != "") & (placed["subaccount"] != "") | held]


def _no_target(lacking: Sequence[tuple[str, str, int, str]]) -> DataError:
    said = few([f"{dimension} {member} ({cells} cells, {money})" for dimension, member, cells, money in lacking])
    error = DataError(
        f"{len(lacking)} members of the plan hold figures and have no posting target: {said}.",
        next_step="Name a target for each in the targets file of the connection, or move the figures in the plan.",
        **_STOPPED,
    )
    table = pd.DataFrame(lacking, columns=["dimension", "member", "cells", "money"])
    error.evidence = {"Members without a posting target": table.assign(problem=_NO_TARGET)}
    return error


def _rounded(sums: pd.DataFrame, currency: str, rounding: str) -> tuple[pd.DataFrame, tuple[Residue, ...]]:
    """The figures, each rounded once; what the year's total of an account and subaccount, rounded once, is more than they are goes to the last of them."""
    if not sums["stray"].any():
        return sums[FIGURES], ()
    unit = _BILLION // 10 ** minor_digits(currency)
    columns = (sums[name].tolist() for name in ("amount_minor", "stray"))
    exact = [minor * unit + stray for minor, stray in zip(*columns, strict=True)]
    keys = keys_of(sums)
    if rounding == REFUSE:
        _require_whole([key for key, one in zip(keys, exact, strict=True) if one % unit], currency)
    amounts = [_half_even(one, unit) for one in exact]
    of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (_, account, subaccount) in enumerate(keys):
        if exact[at]:
            of[account, subaccount].append(at)
    residues: list[Residue] = []
    for (account, subaccount), rows in sorted(of.items()):
        total = _half_even(sum(exact[at] for at in rows), unit)
        if lacking := total - sum(amounts[at] for at in rows):
            amounts[rows[-1]] += lacking
            residues.append(Residue(account, subaccount, keys[rows[-1]][0], lacking))
    return sums.assign(amount_minor=amounts)[FIGURES], tuple(residues)


def _require_whole(finer: Sequence[Key], currency: str) -> None:
    if finer:
        period, account, subaccount = finer[0]
        raise DataError(
            f"{len(finer)} figures of the plan are finer than {currency} allows, the first of them {account} {subaccount} {period}.",
            next_step="Round them in the plan, or declare `rounding: last_period` for this plan in the connection file.",
            **_STOPPED,
        )


def _half_even(amount: int, unit: int) -> int:
    whole, rest = divmod(amount, unit)
    up = 2 * rest > unit or (2 * rest == unit and whole % 2 == 1)
    return whole + up
