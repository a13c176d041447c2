"""AccountSummaryInquiry: the balances of one period. Reference: acumatica 3.6, 3.7.

Signs are those of the form, each account type positive on its own side. With trial balance sign Reversed, liability and
income balances are negated, but never PtdTotal, and the account for the year's result is left out; with Normal it stands
among the rows [C PX.Objects: AccountHistoryEnq, GLHistoryEnquiryResult; Normal seen live: a credit of 50,000 to equity
moved EndingBalance by +50,000, C acumatica-cli: scenario 10-seed-capital]. So the rows do not add up to zero.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlc_pipelines.sandbox.acumatica import entities, periods
from mlc_pipelines.sandbox.acumatica.question import Question, required_ledger, required_period, state_of
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value, record_id
from mlc_pipelines.sandbox.company import Balance, Batch, Period


def question(site: Site, given: Mapping[str, Value]) -> Question:
    """One row per account with history; when a subaccount mask is given, per account and subaccount [S GL401000], or by switch per account over the mask [I]."""
    period = required_period(site, given, "Period")
    ledger = required_ledger(site, given)
    asked = (ledger, period.key, *(given.get(name) for name in ("Branch", "Subaccount", "AccountClass")))
    state = state_of(site, _posted(site, ledger, period))
    return Question(asked, state, lambda: _records(site, ledger, period, given, state))


@dataclass(frozen=True, slots=True)
class _History:
    """What the books say of one ledger, period and branch, worked out once for all the questions about it."""

    rows: list[Balance]
    last_activity: Callable[[Balance], str | None]


def _history(site: Site, ledger: str, period: Period, branch: str | None, *, by_pair: bool, state: Any) -> _History:
    place = (ledger, period.key, branch, by_pair)
    if site.worked_out.get(place, (None, None))[0] != state:
        rows = site.books.balances(ledger, period.key, by_subaccount=by_pair, branch=branch)
        activity = _last_activity(site, ledger, period, by_subaccount=by_pair)
        site.worked_out[place] = (state, _History(rows, activity))
    kept: _History = site.worked_out[place][1]
    return kept


def _records(site: Site, ledger: str, period: Period, given: Mapping[str, Value], state: Any) -> Iterator[Record]:
    branch, mask = _text(given.get("Branch")), _text(given.get("Subaccount"))
    history = _history(site, ledger, period, branch, by_pair=mask is not None, state=state)
    last_activity = history.last_activity
    common: dict[str, Value] = {"Branch": branch, "LedgerID": entities.ledger_ids(site)[ledger]}
    for row in _shown(site, ledger, period, branch, mask, history.rows):
        if given.get("AccountClass") in (None, site.books.accounts[row.account].account_class):
            values = _values(site, row) | common | {"LastActivity": last_activity(row)}
            yield Record(record_id("AccountSummaryRow", row.account, row.subaccount), values)


def _shown(
    site: Site, ledger: str, period: Period, branch: str | None, mask: str | None, rows: list[Balance]
) -> list[Balance]:
    if mask is not None:
        return _masked(site, [row for row in rows if _like(mask, row.subaccount)])
    if site.switches["trial_balance_sign"] == "Reversed":
        return rows
    return sorted([*rows, site.books.year_result(ledger, period.key, branch=branch)])


def _masked(site: Site, rows: list[Balance]) -> list[Balance]:
    """The rows of a mask; the account for the year's result stands among them as it does in the whole [I]."""
    books = site.books
    if site.switches["trial_balance_sign"] == "Normal":
        results = [row for row in rows if books.accounts[row.account].type in ("Income", "Expense")]
        rows = [*rows, *(row._replace(account=books.net_income) for row in results)]
    summed = site.switches["summary_of_mask"] == "summed"
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        figures = sums.setdefault((row.account, "" if summed else row.subaccount), [0, 0, 0, 0])
        figures[:] = [one + other for one, other in zip(figures, row[2:], strict=True)]
    return [Balance(*keys, *figures) for keys, figures in sorted(sums.items())]


def _values(site: Site, row: Balance) -> dict[str, Value]:
    """One row; the currency columns are empty for an account not held in a currency of its own [C PX.Objects]."""
    account = site.books.accounts[row.account]
    own_side = 1 if account.type in ("Asset", "Expense") else -1
    sign = 1 if site.switches["trial_balance_sign"] == "Reversed" else own_side
    return {
        "Account": row.account,
        "AccountClass": account.account_class,
        "BeginningBalance": sign * row.beginning_minor,
        "CreditTotal": row.credit_minor,
        "DebitTotal": row.debit_minor,
        "Description": account.description,
        "EndingBalance": sign * row.ending_minor,
        "PtdTotal": own_side * (row.debit_minor - row.credit_minor),
        "Subaccount": row.subaccount or None,
        "Type": account.type,
    }


def _posted(site: Site, ledger: str, period: Period) -> Iterator[Batch]:
    last = period.key
    for batch in site.books.batches:
        if batch.period <= last and batch.ledger == ledger and batch.status == "Posted":
            yield batch


def _last_activity(site: Site, ledger: str, period: Period, *, by_subaccount: bool) -> Callable[[Balance], str | None]:
    """Finds the last period, up to this one, in which an account (and subaccount) was posted to."""
    latest: dict[tuple[str, str], str] = {}
    for batch in sorted(_posted(site, ledger, period), key=lambda batch: batch.period):
        for line in batch.lines:
            latest[line.account, line.subaccount if by_subaccount else ""] = batch.period

    def of(row: Balance) -> str | None:
        found = latest.get((row.account, row.subaccount))
        return periods.shown(site, site.books.periods[found]) if found else None

    return of


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _like(mask: str, subaccount: str) -> bool:
    """A subaccount mask: "?" stands for any character, a short one is filled up [C PX.Objects: SubCDWildcard]."""
    return all(wanted in ("?", given) for wanted, given in zip(mask, subaccount, strict=False))
