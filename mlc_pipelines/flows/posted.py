"""The posted figures of a period, from the journal lines or from the ERP's own balances, proved in either way.

    journals   lines of the period = trial balance; with figures to date, opening + lines = closing of the trial balance as well
    balances   account x subaccount, opening, debit, credit, closing = the account's own row; and opening = closing of the period before
    both       balances, held against the lines by account and cost center; with figures to date as the first way

In the second way no line is read: nothing tells lines that the ERP itself left out of its balances; in the others every line is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_centers, keep_frame, keep_lines, read_line_amounts
from mlc_pipelines.flows.steps import (
    BALANCES_MATCH_LEDGER,
    CLOSING_MATCHES_LEDGER,
    JOURNALS,
    LINES_MATCH_LEDGER,
    NOTHING_SENT,
    OPENING_MATCHES_BEFORE,
    YTD,
)
from mlc_pipelines.ledger.balances import FIGURES, by_figure, carried_over
from mlc_pipelines.ledger.control import Leg, compare, debits_and_credits
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import BOOKS_KEYS, by_cost_center, sum_lines, turnover_by_account
from mlc_pipelines.ledger.mapping import CELL_KEYS, COST_CENTER
from mlc_pipelines.ledger.ports import LedgerIdentity

_SUMMED = ["debit_minor", "credit_minor", "amount_minor", "lines"]


@dataclass(frozen=True)
class Asked:
    """What is read: the period in each company's books, and the period before it there (None where there is none). unit: of all amounts."""

    period: FiscalPeriod
    books: Sequence[LedgerIdentity]
    before: Mapping[str, FiscalPeriod | None]
    unit: str
    keys: Sequence[str]

    @property
    def several(self) -> bool:
        return len(self.books) > 1

    @property
    def account_keys(self) -> list[str]:
        return ["company", "account"] if self.several else ["account"]


@dataclass(frozen=True)
class Posted:
    """amounts: the keys asked for, debit_minor, credit_minor (movement), amount_minor (the figure that goes on), lines (rows behind it).

    extract: hash of what was read, whole. balances: hash of the ERP's own, which it was held against. centers: of the cost center that each
    subaccount had then. opening: of the balances that the lines are added to, "" where the figures are lines alone, or balances alone.
    """

    amounts: pd.DataFrame
    extract: str
    balances: str
    centers: str
    legs: tuple[Leg, ...]
    opening: str = ""


def read_journals(desk: Desk, asked: Asked) -> Posted:
    """From the posted lines. Figures to date are the opening balances, which no line tells, and the lines of the period."""
    extract = keep_lines(
        desk, chain.from_iterable(desk.ledger.read_posted(asked.period, one.company) for one in asked.books)
    )
    lines = by_cost_center(read_line_amounts(desk, extract), desk.ledger.cost_centers_of)
    by_books = asked.several or asked.keys != CELL_KEYS
    amounts = sum_lines(lines, [*BOOKS_KEYS, *CELL_KEYS] if by_books else CELL_KEYS)
    trial = _trial_balances(desk, asked)
    keys = asked.account_keys
    sides = (
        ("trial balance", debits_and_credits(trial, keys)),
        ("lines read", debits_and_credits(turnover_by_account(amounts, keys), keys)),
    )
    legs = [_agreed(asked, LINES_MATCH_LEDGER, *sides, keys=[*keys, "side"])]
    codes, opening = _subaccounts(lines), ""
    if desk.target.figures == YTD:
        pairs = _balances(desk, asked)
        opening, codes = keep_frame(desk, pairs), codes | set(pairs["subaccount"])
        opened = _as_amounts(desk, pairs, "opening_minor").assign(debit_minor=0, credit_minor=0, lines=0)
        amounts = pd.concat([opened[amounts.columns], amounts], ignore_index=True)
        legs += [_opening_leg(desk, asked, trial), _closing_leg(asked, trial, amounts)]
    centers = keep_centers(desk, codes)
    return Posted(_summed(amounts, asked.keys), extract, keep_frame(desk, trial), centers, tuple(legs), opening)


def read_balances(desk: Desk, asked: Asked) -> Posted:
    """From the ERP's own balances by account and subaccount. Pairs without movement and without a figure are left out of what goes on."""
    pairs = _balances(desk, asked)
    extract = keep_frame(desk, pairs)
    trial = _trial_balances(desk, asked)
    keys = asked.account_keys
    sides = ("accounts in the ERP", by_figure(trial, keys)), ("sum over subaccounts", by_figure(pairs, keys))
    legs = (
        _agreed(asked, BALANCES_MATCH_LEDGER, *sides, keys=[*keys, "figure"]),
        _opening_leg(desk, asked, trial),
    )
    centers = keep_centers(desk, set(pairs["subaccount"]))
    return Posted(_moved_or_held(desk, asked, pairs), extract, keep_frame(desk, trial), centers, legs)


def read_both(desk: Desk, asked: Asked) -> Posted:
    """From the ERP's own balances, held against the posted lines by account and cost center; the lines are kept as evidence, and counted."""
    pairs = _balances(desk, asked)
    extract = keep_lines(
        desk, chain.from_iterable(desk.ledger.read_posted(asked.period, one.company) for one in asked.books)
    )
    posted = read_line_amounts(desk, extract)
    lines = sum_lines(by_cost_center(posted, desk.ledger.cost_centers_of), [*BOOKS_KEYS, *CELL_KEYS])
    keys = [*asked.account_keys, COST_CENTER]
    sides = (
        ("balances", debits_and_credits(turnover_by_account(_as_amounts(desk, pairs, "movement"), keys), keys)),
        ("lines read", debits_and_credits(turnover_by_account(lines, keys), keys)),
    )
    legs = [_agreed(asked, LINES_MATCH_LEDGER, *sides, keys=[*keys, "side"])]
    if desk.target.figures == YTD:
        trial = _trial_balances(desk, asked)
        opened = trial[asked.account_keys].assign(amount_minor=trial["opening_minor"])
        to_date = pd.concat([opened, lines[[*asked.account_keys, "amount_minor"]]], ignore_index=True)
        legs += [_opening_leg(desk, asked, trial), _closing_leg(asked, trial, to_date)]
    amounts = _moved_or_held(desk, asked, pairs).drop(columns="lines")
    counts = _summed(lines, asked.keys)[[*asked.keys, "lines"]]
    amounts = amounts.merge(counts, on=list(asked.keys), how="left").fillna({"lines": 0}).astype({"lines": "int64"})
    kept = keep_frame(desk, pairs)
    centers = keep_centers(desk, _subaccounts(posted) | set(pairs["subaccount"]))
    opening = kept if desk.target.figures == YTD else ""
    return Posted(amounts, extract, kept, centers, tuple(legs), opening)


def _subaccounts(lines: pa.Table) -> set[str]:
    """Those that stand on lines, each once."""
    return {code for code in pc.unique(lines["subaccount"].cast(pa.string())).to_pylist() if code is not None}


def read_again(desk: Desk, period: FiscalPeriod, counted: str) -> str:
    """What the ERP holds of a period now, kept like what was read of it: its lines, or its balances. To be compared, not to be loaded: no leg is proved."""
    books = desk.ledger.identities()
    if counted == JOURNALS:
        return keep_lines(desk, chain.from_iterable(desk.ledger.read_posted(period, one.company) for one in books))
    return keep_frame(desk, _balances(desk, Asked(period, books, {}, "", ())))


def _moved_or_held(desk: Desk, asked: Asked, pairs: pd.DataFrame) -> pd.DataFrame:
    """The balances as the figures that go on, without those that neither moved nor are one."""
    figure = "closing_minor" if desk.target.figures == YTD else "movement"
    amounts = _summed(_as_amounts(desk, pairs, figure), asked.keys)
    return amounts[(amounts[_SUMMED[:3]] != 0).any(axis=1)].reset_index(drop=True)


def _balances(desk: Desk, asked: Asked) -> pd.DataFrame:
    """company, ledger, currency, account, subaccount and the four figures, of all companies."""
    frames = [
        desk.ledger.read_balances(asked.period, one.company).assign(
            company=one.company, ledger=one.ledger, currency=one.currency
        )
        for one in asked.books
    ]
    whole = pd.concat(frames, ignore_index=True)
    return whole[["company", "ledger", "currency", "account", "subaccount", *FIGURES]]


def _as_amounts(desk: Desk, pairs: pd.DataFrame, figure: str) -> pd.DataFrame:
    """Balances as amounts, each with its cost center."""
    codes = pairs["subaccount"].drop_duplicates().tolist()
    centers = dict(zip(codes, desk.ledger.cost_centers_of(codes), strict=True))
    moved = pairs["debit_minor"] - pairs["credit_minor"]
    return pairs.assign(
        cost_center=pairs["subaccount"].map(centers).astype(object),
        amount_minor=moved if figure == "movement" else pairs[figure],
        lines=1,
    )


def _summed(amounts: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return amounts.groupby(list(keys), as_index=False, sort=True)[_SUMMED].sum()


def _trial_balances(desk: Desk, asked: Asked) -> pd.DataFrame:
    frames = [
        desk.ledger.read_trial_balance(asked.period, one.company).assign(company=one.company) for one in asked.books
    ]
    return pd.concat(frames, ignore_index=True)


def _opening_leg(desk: Desk, asked: Asked, trial: pd.DataFrame) -> Leg:
    """What each account begins with = what it ended with in the period before; all zero in the first period that the ERP has."""
    carried = []
    for one in asked.books:
        own, before = trial[trial["company"] == one.company], asked.before[one.company]
        if before is None:
            continue
        ended = desk.ledger.read_trial_balance(before, one.company)
        kinds = None
        if before.year != asked.period.year:
            chart = desk.ledger.read_accounts()
            kinds = dict(zip(chart["code"], chart["kind"], strict=True))
        carried.append(carried_over(ended, own, kinds).assign(company=one.company))
    keys = asked.account_keys
    ended_with = pd.concat([trial.head(0)[keys].assign(amount_minor=trial.head(0)["opening_minor"]), *carried])
    begun_with = trial[keys].assign(amount_minor=trial["opening_minor"])
    names = sorted({one.key if one else "nothing before" for one in asked.before.values()})
    sides = (f"closing of {', '.join(names)}", ended_with), ("opening", begun_with)
    return _agreed(asked, OPENING_MATCHES_BEFORE, *sides, keys=keys)


def _closing_leg(asked: Asked, trial: pd.DataFrame, amounts: pd.DataFrame) -> Leg:
    keys = asked.account_keys
    closing = trial[keys].assign(amount_minor=trial["closing_minor"])
    sides = ("closing in the trial balance", closing), ("opening and lines read", amounts)
    return _agreed(asked, CLOSING_MATCHES_LEDGER, *sides, keys=keys)


def _agreed(
    asked: Asked,
    name: str,
    left: tuple[str, pd.DataFrame],
    right: tuple[str, pd.DataFrame],
    *,
    keys: Sequence[str],
) -> Leg:
    leg = compare(name, asked.period.key, left, right, keys=keys, unit=asked.unit)
    leg.require_agreed(
        holds=NOTHING_SENT,
        next_step=f"Materialize gl_actuals for {asked.period.key} again: figures may have been posted while they were read. If it fails again, compare the accounts named above in the ERP.",
    )
    return leg
