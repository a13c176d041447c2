"""Native budgets of Epicor Kinetic: the port `BudgetTable` over the budget tables, a figure for each balance account, year, budget code and period.

Kept by key [S SNO AccountBudgetSvc]: what stands there is read and compared, and only what differs is written; no key that was not given is touched, and
DeleteBudget is never called. Debits are positive, credits negative, as everywhere here [S SNO]. Only balance accounts hold budgets: the
segments that the chart keeps in its balances.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from mlc_pipelines.epicor import planwire
from mlc_pipelines.epicor.codec import listed
from mlc_pipelines.epicor.config import BudgetRule
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.datasets import Row, amount, dataset_of
from mlc_pipelines.epicor.journals import held_frame
from mlc_pipelines.epicor.odata import both, feed_of, pages, read_all, text
from mlc_pipelines.epicor.planbook import NOTHING, Accounts, PlanBook, not_open, read_book, read_periods, refused
from mlc_pipelines.epicor.refusals import NotThereError
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import split_key
from mlc_pipelines.ledger.money import Money, to_minor
from mlc_pipelines.ledger.ports import LedgerIdentity

BUDGET = "Erp.BO.AccountBudgetSvc"
PER_PERIOD = "P"
"""BudgetPerCode of a budget whose figures are per period; its values are not told [I]."""
_HEAD, _DETAIL = "GLBudgetHd", "GLBudgetDtl"
_CHANGED = "U"
_OTHER_FAMILY = {"D": "S", "S": "D"}

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Year:
    """Which budgets: of one year, and how its periods are told apart."""

    year: int
    suffix: str
    number: int


class NativeBudget:
    """The budget figures of one book under one budget code.

    The main book is allowed here: budgets stand beside the balances and never change them [S SNO], and it is where Kinetic's budget reports look.
    """

    def __init__(self, site: Connection, rule: BudgetRule) -> None:
        self._site, self._rule = site, rule
        self._checked: PlanBook | None = None

    def require_destination(self) -> LedgerIdentity:
        """The book and the budget code, both of them there and in use."""
        self._checked, said = None, self._require_code()
        book = self._checked = read_book(self._site, self._rule.book)
        about = f"native budget {self._rule.budget_code} {said}".strip()
        return LedgerIdentity(self._site.config.system, self._site.config.company, book.code, about, book.currency)

    def _require_code(self) -> str:
        wanted = self._rule.budget_code
        try:
            codes = read_all(self._site, planwire.BUDGET_CODES)
        except NotThereError:
            if wanted:
                raise refused(
                    f"this release of Kinetic has no budget codes, hence no {wanted}", "Declare no budget code."
                ) from None
            return ""
        in_use = listed(one.code for one in codes if not one.inactive)
        found = next((one for one in codes if one.code == wanted), None)
        if found is None:
            raise refused(f"there is no budget code {wanted or '(none is declared)'}; in use are {in_use}")
        if found.inactive:
            raise refused(f"budget code {wanted} is inactive; in use are {in_use}")
        return f"({found.description})" if found.description else ""

    @property
    def _book(self) -> PlanBook:
        if self._checked is None:
            self._require_code()
            self._checked = read_book(self._site, self._rule.book)
        return self._checked

    # -- what stands against it ---------------------------------------------------------------------------------------------

    def objections(self, keys: pd.DataFrame) -> list[str]:
        """By values of segments, their dates and control accounts; and by the balance accounts, which alone hold budgets [S SNO]."""
        book = self._book
        accounts, balances = Accounts(self._site, book, self._rule.control_accounts), self._balance_accounts()
        said = []
        for account, subaccount in zip(keys["account"], keys["subaccount"], strict=True):
            against = accounts.objection(account, subaccount)
            said.append(against or self._no_balance(balances, account, subaccount))
        return said

    def _no_balance(self, balances: Mapping[str, planwire.BalanceAccount], account: str, subaccount: str) -> str:
        values = self._book.account(account, subaccount)
        chart = self._book.chart
        if lost := [number for number, value in values.items() if value and number not in chart.kept]:
            named = " and ".join(f"{chart.names[number]} {values[number]}" for number in lost)
            return f"budgets are kept by balance account, which tells no {named} apart"
        name = self._book.in_full(values)
        if (found := balances.get(name)) is None:
            return f"{name} is no balance account of chart {chart.code}"
        return "" if found.active else f"balance account {name} is inactive"

    def _balance_accounts(self) -> dict[str, planwire.BalanceAccount]:
        """Balance accounts of the family that is read, by name. Their own type is the one that their budgets must have."""
        where = both(f"COACode eq {text(self._book.chart.code)}", "IsBalanceAcct eq true")
        rows = read_all(self._site, planwire.BALANCE_ACCOUNTS, where=where)
        return {one.code: one for one in rows if one.keeps_balance and self._of_family(one.type)}

    def _of_family(self, kind: str | None) -> bool:
        """Detail or summary balances, as the connection says: both together would count money twice."""
        return bool(kind) and kind != _OTHER_FAMILY[self._site.config.balance_type]

    def not_open(self, periods: Sequence[str]) -> dict[str, str]:
        """Periods that are not there, and closing periods: budgets have figures for ordinary ones alone [I]. A closed period takes budgets [I]."""
        book = self._book
        said = not_open(self._site, book, periods, earliest=False, closed=False)
        known = read_periods(self._site, book, {split_key(key)[0] for key in periods}) if periods else {}
        closing = {key: "budgets have no closing period" for key in periods if key in known and known[key].closing}
        return {**said, **closing}

    # -- figures ------------------------------------------------------------------------------------------------------------

    def read_held(self, period: str) -> pd.DataFrame:
        """The figures of the period under the budget code."""
        at = _Year(*split_key(period))
        held = {
            self._book.coded(head.account): figure
            for head in self._heads(at)
            if (figure := self._figure(head, at.number)) is not None
        }
        return held_frame(held)

    def write_held(self, period: str, cells: pd.DataFrame) -> None:
        """Set these figures, one account after the other, each sent once, after all of them were found to be writable.

        A zero for an account that has no budget writes nothing. Raises DataError, with nothing written, for one that can hold no such budget.
        """
        at, book = _Year(*split_key(period)), self._book
        heads = {book.coded(head.account): head for head in self._heads(at)}
        columns = cells[["account", "subaccount", "amount_minor"]]
        wanted = {(account, sub): int(figure) for account, sub, figure in columns.itertuples(index=False)}
        changed = {key: figure for key, figure in wanted.items() if figure != self._now(heads.get(key), at.number)}
        keys = self._keys(changed, heads, at)
        for key, figure in changed.items():
            ds = self._dataset(keys[key]) if key in heads else self._new(keys[key])
            self._set(ds, at, figure)

    def waits_for(self, period: str) -> str:  # noqa: ARG002
        """Nothing: budget figures of Kinetic hold as soon as they are stored."""
        return ""

    def _now(self, head: Any, number: int) -> int:
        return (self._figure(head, number) or 0) if head else 0

    def _figure(self, head: Any, number: int) -> int | None:
        found = [one for one in head.details if one.number == number]
        return to_minor(amount(found[0].amount), self._book.currency) if found else None

    def _heads(self, at: _Year) -> Iterator[Any]:
        """The budgets of a year with their periods, read through their parents. Raises DataError for one whose periods were cut off."""
        book, code = self._book, self._rule.budget_code
        conditions = [
            f"BookID eq {text(book.code)}",
            f"FiscalYear eq {at.year}",
            f"FiscalYearSuffix eq {text(at.suffix)}",
            f"FiscalCalendarID eq {text(book.calendar)}",
            f"BudgetCodeID eq {text(code)}" if code else "",
        ]
        feed = feed_of(self._site, planwire.BUDGETS, where=both(*conditions), of=f"{book.code} {at.year}{at.suffix}")
        whole = replace(feed, row=planwire.BudgetWhole, options={"$expand": planwire.BUDGET_DETAILS})
        for page in pages(self._site, whole):
            for head in page:
                if head.cut:
                    raise DataError(
                        f"Kinetic cut off the periods of the budget of {head.account} in {at.year}{at.suffix}.",
                        holds=NOTHING,
                        next_step="Ask the Kinetic administrator how many rows of a child table it gives at once.",
                    )
                named = (head.book, head.year, head.suffix or "", head.calendar)
                if named == (book.code, at.year, at.suffix, book.calendar) and self._of_family(head.type):
                    yield head

    # -- writing ------------------------------------------------------------------------------------------------------------

    def _keys(self, changed: Collection[Key], heads: Mapping[Key, Any], at: _Year) -> dict[Key, Row]:
        """The keys of these budgets, those of new ones with the type of their balance account."""
        balances = self._balance_accounts() if any(key not in heads for key in changed) else {}
        found = {}
        for key in changed:
            if (head := heads.get(key)) is not None:
                _require_per_period(head, self._book)
                found[key] = self._key(head.account, head.type, at)
                continue
            if against := self._no_balance(balances, *key):
                raise DataError(
                    f"The budget of {' '.join(key)} cannot be written: {against}.",
                    holds=NOTHING,
                    next_step="Correct the mapping of the plan's members.",
                )
            balance = balances[self._book.in_full(self._book.account(*key))]
            found[key] = self._key(balance.code, balance.type or "", at)
        return found

    def _key(self, account: str, kind: str, at: _Year) -> Row:
        """The key of a budget, by the names that its methods have for it [S SNO]."""
        code = {"budgetCodeID": self._rule.budget_code} if self._rule.budget_code else {}
        year = {"fiscalYear": at.year, "fiscalYearSuffix": at.suffix, "fiscalCalendarID": self._book.calendar}
        return {"bookID": self._book.code, "balanceAcct": account, "balanceType": kind, **year, **code}

    def _dataset(self, key: Row) -> Row:
        return dataset_of(self._site.ask(BUDGET, "GetByID", key))

    def _new(self, key: Row) -> Row:
        """A budget that is stored, its figures zero."""
        ds = dataset_of(self._site.ask(BUDGET, f"GetNew{_HEAD}{self._ex}", {"ds": {_HEAD: [], _DETAIL: []}, **key}))
        ds[_HEAD][-1]["BudgetPerCode"] = PER_PERIOD
        return dataset_of(self._site.write(BUDGET, "Update", {"ds": ds}), wrote=True)

    def _set(self, ds: Row, at: _Year, figure: int) -> None:
        """One period of a budget. Its row is asked for where Update of the header made none [I]."""
        row = next((one for one in ds[_DETAIL] if one["FiscalPeriod"] == at.number), None)
        if row is None:
            head = ds[_HEAD][0]
            key = {**self._key(head["BalanceAcct"], head["BalanceType"], at), "fiscalPeriod": at.number}
            ds = dataset_of(self._site.ask(BUDGET, f"GetNew{_DETAIL}{self._ex}", {"ds": ds, **key}))
            row = ds[_DETAIL][-1]
        row |= {"BudgetAmt": Money(figure, self._book.currency).decimal, "RowMod": row.get("RowMod") or _CHANGED}
        ds = dataset_of(self._site.ask(BUDGET, "ChangeDtlBudgetAmt", {"ds": ds}))
        self._site.write(BUDGET, "Update", {"ds": ds})

    @property
    def _ex(self) -> str:
        """The older methods know no budget code [S SNO]."""
        return "Ex" if self._rule.budget_code else ""


def _require_per_period(head: planwire.BudgetHead, book: PlanBook) -> None:
    if head.per and head.per != PER_PERIOD:
        raise DataError(
            f"The budget of {head.account} in book {book.code}, {head.year}, is not kept per period in Kinetic (BudgetPerCode {head.per}).",
            holds=NOTHING,
            next_step="Change it to a budget per period in Kinetic, or leave the account out of the plan.",
        )
