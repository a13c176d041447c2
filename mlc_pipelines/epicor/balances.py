"""Balances of a period from GLPeriodBal, by account and subaccount as far as the chart keeps segments in balances.

One row has the movement of one period; period 0 has what was carried over from the year before [S SNO]. So a balance to date is the opening
of a balance-sheet account plus the movements since; an income account begins each year at nothing [I]. Rows of one family of types are
read: detail (D and B) or summary (S and B); all of them together would count money twice [S SNO; I].
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlc_pipelines.epicor import columns, wire
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.lines import POSTED, minor
from mlc_pipelines.epicor.odata import Feed, both, feed_of, highest_revision, pages, some, text
from mlc_pipelines.ledger.balances import FIGURES
from mlc_pipelines.ledger.errors import DataError, TransientError, WaitingError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.money import Money, require_summable

_ROUNDS = 3
_PAUSE_SECONDS = 15.0
_KEYS = ["account", "subaccount"]
_NEXT_STEP = "Have the balances verified in Kinetic (Verify Balances), then load again."


@dataclass(frozen=True)
class Balances:
    """frame: one row per account and subaccount in code order, with the four figures. opened: the year has opening balances."""

    frame: pd.DataFrame
    opened: bool


def read_balances(
    site: Connection, books: Books, period: FiscalPeriod, of_year: Collection[str], rows: Sequence[Any] | None = None
) -> Balances:
    """Balances by account and subaccount, debit positive.

    of_year: the accounts of income and expense, which begin each year at nothing. rows: those of a query in place of the entity set. A segment
    that the chart does not keep in balances is empty in the subaccount. Raises DataError naming account and period where a movement is
    not debit less credit.
    """
    if rows is None:
        rows = _settled(site, _feed(site, books, period))
    opened = any(row.number == 0 for row in rows)
    return Balances(_summed(_frame(rows, books, period, of_year, site.config.balance_type)), opened)


def carried_into(balances: pd.DataFrame, before: pd.DataFrame, of_year: Collection[str], books: Books) -> pd.DataFrame:
    """The balances of a year that Kinetic has not opened yet, because the one before is not closed: with what that one carries over.

    before: balances at its end. Its result goes to the book's account for retained earnings, as the closing will book it [S SNO REAccount].
    """
    begins_anew = before["account"].isin(set(of_year))
    stays, result = before[~begins_anew], int(before["closing_minor"][begins_anew].sum())
    carried = stays[[*_KEYS, "closing_minor"]].rename(columns={"closing_minor": "opening_minor"})
    account, subaccount = books.retained
    if account and result:
        last = pd.DataFrame({"account": [account], "subaccount": [subaccount], "opening_minor": [result]})
        carried = pd.concat([carried, last], ignore_index=True)
    carried = carried.assign(debit_minor=0, credit_minor=0, closing_minor=carried["opening_minor"])
    return _summed(pd.concat([balances, carried], ignore_index=True))


def _summed(frame: pd.DataFrame) -> pd.DataFrame:
    for figure in FIGURES:
        require_summable(frame[figure].to_numpy())
    return frame.groupby(_KEYS, as_index=False, sort=True)[FIGURES].sum()


def by_account(balances: pd.DataFrame) -> pd.DataFrame:
    """One row per account: the sum over its subaccounts."""
    return balances.groupby("account", as_index=False, sort=True)[FIGURES].sum()


def _feed(site: Connection, books: Books, period: FiscalPeriod) -> Feed[Any]:
    """Rows of the whole year up to the period, the opening among them."""
    entity = wire.with_segments(wire.BALANCES, books.chart.size)
    other = {"D": "S", "S": "D"}[site.config.balance_type]
    where = both(
        books.up_to(period),
        f"COACode eq {text(books.chart.code)}",
        f"BalanceType ne {text(other)}",
    )
    return feed_of(site, entity, where=where, of=f"{period.key} and before")


def require_up_to_date(site: Connection, books: Books, period: FiscalPeriod) -> None:
    """Wait until Kinetic has added every posted line of the year so far to its balances, which it does after posting [S SNO PerBalFlag].

    Raises WaitingError, saying how many lines are missing, after the stated time.
    """
    where = both(books.up_to(period), POSTED, "PerBalFlag eq false")
    feed = feed_of(site, wire.LINE_KEYS, where=where, of=f"{period.key}, not in balances yet")
    waited = 0.0
    while True:
        lacking = some(site, feed, site.config.page)
        if not lacking:
            return
        if waited >= site.config.balance_wait_seconds:
            first, most = lacking[0], "" if len(lacking) < site.config.page else "at least "
            raise WaitingError(
                f"Kinetic has not added {most}{len(lacking):,} posted lines of book {books.ledger} up to {period.key} to its balances yet, "
                f"journal {first.journal} {first.journal_number} among them; waited {waited / 60:.0f} minutes.",
                holds="Nothing was loaded.",
                next_step="Load it again later; if it stays so, the Kinetic administrator starts the process that adds them (GL Batch Balances).",
            )
        waited += _PAUSE_SECONDS
        site.sleep(_PAUSE_SECONDS)


def _settled(site: Connection, feed: Feed[Any]) -> list[Any]:
    """Rows that all stood so at one moment: read again where one was written while the others were read. Raises TransientError when they never rest."""
    for _ in range(_ROUNDS):
        before = highest_revision(site, feed) if feed.revision else 0
        rows = [row for page in pages(site, feed) for row in page]
        if not feed.revision or max((row.revision for row in rows), default=0) <= before:
            return rows
    raise TransientError(
        f"{feed.what}: balances changed faster than they could be read.",
        holds="Nothing was loaded.",
        next_step="Load it again later.",
    )


def _frame(
    rows: Sequence[Any], books: Books, period: FiscalPeriod, of_year: Collection[str], family: str
) -> pd.DataFrame:
    """account, subaccount and the four figures of each row; a movement before the period counts as carried over."""

    def where(row: int) -> str:
        one = rows[row]
        return f"Balance of {one.account} type {one.type} in {one.year}{one.suffix or ''} period {one.number}"

    columns.require_of(rows, books, None, where)
    columns.require_only([row.year for row in rows], {period.year}, "FiscalYear", where)
    columns.require_only([row.suffix or "" for row in rows], {period.suffix}, "FiscalYearSuffix", where)
    columns.require_only([row.number for row in rows], range(period.number + 1), "FiscalPeriod", where)
    columns.require_only([row.coa for row in rows], {books.chart.code}, "COACode", where)
    columns.require_only([row.type for row in rows], {family, "B"}, "BalanceType", where)
    accounts = columns.account_column(rows, books.chart, where)
    number = np.array([row.number for row in rows], np.int64)
    movement, debit, credit = (
        minor(rows, name, books.currency, said, where)
        for name, said in (("movement", "BalanceAmt"), ("debit", "DebitAmt"), ("credit", "CreditAmt"))
    )
    _require_sums(np.where(number > 0, movement - debit + credit, 0), where, books.currency)
    carried = np.where(number < period.number, movement, 0)
    carried[number == 0] = _carried_over(rows, accounts, of_year, books, where)
    now = number == period.number
    frame = pd.DataFrame(
        {
            "account": pd.Series(accounts, dtype=object),
            "subaccount": pd.Series(columns.subaccount_column(rows, books.chart), dtype=object),
            "opening_minor": carried,
            "debit_minor": np.where(now, debit, 0),
            "credit_minor": np.where(now, credit, 0),
        }
    )
    frame["closing_minor"] = frame["opening_minor"] + frame["debit_minor"] - frame["credit_minor"]
    return frame


def _carried_over(
    rows: Sequence[Any], accounts: Sequence[str], of_year: Collection[str], books: Books, where: columns.Where
) -> Any:
    """The opening of the rows of period 0, in their order."""
    places = [at for at, row in enumerate(rows) if row.number == 0]
    opening = minor([rows[at] for at in places], "opening", books.currency, "OpenBalance", lambda at: where(places[at]))
    begins_anew = np.array([accounts[at] in of_year for at in places], bool)
    return np.where(begins_anew, 0, opening)


def _require_sums(gap_minor: Any, where: columns.Where, currency: str) -> None:
    if len(off := np.flatnonzero(gap_minor)):
        at = int(off[0])
        raise DataError(
            f"{where(at)} does not add up: BalanceAmt is {Money(int(gap_minor[at]), currency)} more than debit less credit.",
            holds="Nothing was loaded.",
            next_step=_NEXT_STEP,
        )
