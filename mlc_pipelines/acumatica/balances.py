"""Balances of a period from AccountSummaryInquiry (GL401000): one row per account, and one per account and subaccount.

The form gives one row per account unless a subaccount is asked for, so account and subaccount together take one call for each subaccount
[S UG GL401000; C acumatica-cli]; the sum over all of them must be the account's own row. Where a site has a generic inquiry with
account and subaccount, `read_balances` is the one place that would read it instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.codec import KINDS, SYSTEM, Books, said
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.amounts import minor_column
from mlc_pipelines.ledger.balances import FIGURES
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.money import require_summable

NAME = "AccountSummaryInquiry"


@dataclass(frozen=True, slots=True)
class _Habits:
    """How the site shows balances: whether credits are positive, and the accounts that only repeat others (YTD Net Income)."""

    credits_positive: bool
    copies: frozenset[str]


def read_trial_balance(site: Connection, books: Books, period: FiscalPeriod) -> pd.DataFrame:
    """One row per account in code order: account, opening_minor, debit_minor, credit_minor, closing_minor (debit positive).

    The site may show liabilities and income positive or negative, by a preference (GL102000, Sign of the Trial Balance);
    which of the two is read off the figures of the whole ledger, also where only some branches are wanted.
    """
    whole = _frame(_ask(site, books, period), books, _where(period))
    habits = _habits(whole, books, _where(period))
    rows = whole if books.wanted is None else _frame(_of_branches(site, books, period), books, _where(period))
    return _added_up(_in_our_sign(rows, habits, _where(period)), ["account"])


def read_balances(
    site: Connection, books: Books, period: FiscalPeriod, subaccounts: Sequence[str], calls_max: int
) -> pd.DataFrame:
    """One row per account and subaccount, in code order: account, subaccount and the four figures, debit positive.

    subaccounts: all of the chart, closed ones too, for balances stay on them; empty where the site has none.
    Raises SetupError, before the first call, when more calls were needed than the connection allows.
    """
    _require_few(books, len(subaccounts), calls_max)
    habits = _habits(_frame(_ask(site, books, period), books, _where(period)), books, _where(period))
    came = {one: _of_branches(site, books, period, one) for one in subaccounts or [""]}
    rows = _frame([row for of_one in came.values() for row in of_one], books, _where(period))
    rows["subaccount"] = pd.Series([one for one, of_one in came.items() for _ in of_one], dtype=object)
    return _added_up(_in_our_sign(rows, habits, _where(period)), ["account", "subaccount"])


def has_movement(site: Connection, books: Books, period: FiscalPeriod) -> bool:
    """Whether anything was posted in the period, by the ledger's own word."""
    rows = _of_branches(site, books, period)
    said = [row.debit_total.value for row in rows] + [row.credit_total.value for row in rows]
    return any(minor_column(said, books.currency, "DebitTotal or CreditTotal", lambda _row: _where(period)).to_pylist())


def system_accounts(site: Connection, books: Books, period: FiscalPeriod) -> frozenset[str]:
    """The account that only repeats profit and loss (YTD Net Income), as declared or as its figures of the period give it away."""
    return _habits(_frame(_ask(site, books, period), books, _where(period)), books, _where(period)).copies


def _require_few(books: Books, subaccounts: int, calls_max: int) -> None:
    needed = max(subaccounts, 1) * len(_asked(books))
    if needed > calls_max:
        raise SetupError(
            f"The balances of {books.company} by subaccount take {needed:,} calls, one for each of {subaccounts:,} subaccounts"
            f"{f' in each of {len(_asked(books))} branches' if books.wanted else ''}; the connection allows {calls_max:,}.",
            holds="Nothing was read.",
            next_step="Write `read: journals` under `erp` in the connection file, which reads a period in a few calls; or raise `erp.balance_calls`.",
        )


def _asked(books: Books) -> list[str]:
    """The branches to ask for one by one; one question without a branch where all are wanted."""
    return [""] if books.wanted is None else sorted(books.wanted)


def _of_branches(site: Connection, books: Books, period: FiscalPeriod, subaccount: str = "") -> list[wire.Balance]:
    return [row for branch in _asked(books) for row in _ask(site, books, period, branch, subaccount)]


def _ask(
    site: Connection, books: Books, period: FiscalPeriod, branch: str = "", subaccount: str = ""
) -> list[wire.Balance]:
    """The rows as the site shows them. Raises DataError when the answer is not to what was asked."""
    asked = {"Ledger": books.ledger, "Period": periods.spelled(period)}
    asked |= {name: text for name, text in (("Branch", branch), ("Subaccount", subaccount)) if text}
    where = " ".join(
        [_where(period), *(f"{name} {text}" for name, text in asked.items() if name in {"Branch", "Subaccount"})]
    )
    answer = site.ask(NAME, asked, wire.Balances)
    if answer.results is None:
        raise DataError(f"{where} answered without Results.", next_step=SYSTEM)
    if answer.ledger.value != books.ledger or periods.to_key(answer.period.value, where) != period.key:
        raise DataError(
            f"{where} answered for ledger {answer.ledger.value}, period {answer.period.value}.", next_step=SYSTEM
        )
    for row in answer.results:
        if subaccount and row.subaccount.value not in {None, "", subaccount}:
            raise DataError(f"{where} answered with subaccount {row.subaccount.value}.", next_step=SYSTEM)
        if branch and row.branch.value not in {None, "", branch}:
            raise DataError(f"{where} answered with branch {row.branch.value}.", next_step=SYSTEM)
    return answer.results


def _where(period: FiscalPeriod) -> str:
    return f"{NAME} of {period.key}"


def _habits(whole: pd.DataFrame, books: Books, where: str) -> _Habits:
    positive = _credits_shown_positive(whole, where)
    ours = _in_our_sign(whole, _Habits(positive, frozenset()), where)
    return _Habits(positive, _copies(_added_up(ours, ["account", "kind"]), books))


def _copies(summed: pd.DataFrame, books: Books) -> frozenset[str]:
    """The YTD Net Income account: the site keeps it as a copy of all profit and loss accounts, with no line of its own.

    Where it is not declared it is the one liability whose four figures are exactly those of profit and loss together.
    """
    if books.net_income_account:
        return frozenset({books.net_income_account})
    result = summed[summed["kind"].isin(["Income", "Expense"])][FIGURES].sum()
    same = summed[(summed["kind"] == "Liability") & (summed[FIGURES] == result).all(axis=1)]
    return frozenset(same["account"]) if len(same) == 1 and result.any() else frozenset()


def _in_our_sign(rows: pd.DataFrame, habits: _Habits, where: str) -> pd.DataFrame:
    """Debit positive, without copies. Raises DataError unless opening plus debit minus credit is closing in every row."""
    ours = rows[~rows["account"].isin(habits.copies)].copy()
    flipped = ours["kind"].isin(["Liability", "Income"]) & habits.credits_positive
    for column in ("opening_minor", "closing_minor"):
        ours[column] = ours[column].where(~flipped, -ours[column])
    _require_sums(ours, where)
    return ours


def _added_up(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    for figure in FIGURES:
        require_summable(rows[figure].to_numpy())
    return rows.groupby(keys, as_index=False, sort=True)[FIGURES].sum()


def _frame(rows: Sequence[wire.Balance], books: Books, where: str) -> pd.DataFrame:
    def record(row: int) -> str:
        return f"{where}, account {rows[row].account.value}"

    for number, row in enumerate(rows):
        if not row.account.value or row.type.value not in KINDS:
            raise DataError(f"{record(number)} has the type {row.type.value!r}.", next_step=SYSTEM)
    amounts = {
        "opening_minor": ("BeginningBalance", [row.beginning_balance.value for row in rows]),
        "debit_minor": ("DebitTotal", [row.debit_total.value for row in rows]),
        "credit_minor": ("CreditTotal", [row.credit_total.value for row in rows]),
        "closing_minor": ("EndingBalance", [row.ending_balance.value for row in rows]),
    }
    columns: dict[str, list[str] | pd.Series[int]] = {
        "account": [said(row.account) for row in rows],
        "kind": [said(row.type) for row in rows],
    }
    for name, (field, values) in amounts.items():
        columns[name] = pd.Series(minor_column(values, books.currency, field, record).to_numpy())
    return pd.DataFrame(columns).astype({"account": object, "kind": object})


def _credits_shown_positive(frame: pd.DataFrame, where: str) -> bool:
    """Whether liabilities and income are shown positive: read off the accounts that moved, on which both readings differ.

    "Normal", the usual preference, shows them positive, "Reversed" negative [S UG GL102000; C PX GLHistoryEnquiryResult].
    Where nothing moved, all balances must add up to zero under one of the two; where that does not tell either, Normal.
    """
    own = frame[frame["kind"].isin(["Liability", "Income"])]
    shown = own["closing_minor"] - own["opening_minor"]
    moved = own["debit_minor"] - own["credit_minor"]
    telling = moved != 0
    positive, negative = (shown == -moved)[telling], (shown == moved)[telling]
    if positive.all():
        others = int(frame.drop(own.index)["closing_minor"].sum())
        mine = int(own["closing_minor"].sum())
        return bool(telling.any()) or others + mine != 0 or mine == 0
    if negative.all():
        return False
    account = own["account"][telling][~positive & ~negative]
    named = f"account {account.iloc[0]} does not add up" if len(account) else "signs are mixed"
    raise DataError(
        f"{where}: {named} (beginning, debit, credit and ending balance).",
        holds="Nothing was loaded.",
        next_step="Run Validate Account History (GL509900) in Acumatica, then load again.",
    )


def _require_sums(frame: pd.DataFrame, where: str) -> None:
    """Opening plus debit minus credit is closing, in every row."""
    gap = frame["opening_minor"] + frame["debit_minor"] - frame["credit_minor"] - frame["closing_minor"]
    if (gap != 0).any():
        row = frame[gap != 0].iloc[0]
        raise DataError(
            f"{where}: account {row['account']} does not add up, by {gap[gap != 0].iloc[0]} minor units.",
            holds="Nothing was loaded.",
            next_step="Run Validate Account History (GL509900) in Acumatica, then load again.",
        )
