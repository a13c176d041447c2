"""AccountSummaryInquiry: the balances of one period. Reference: acumatica 3.6, 3.7.

Signs are those of the form, each account type positive on its own side. With trial balance sign Reversed, liability and
income balances are negated, but never PtdTotal, and the account for the year's result is left out; with Normal it stands
among the rows [C PX.Objects: AccountHistoryEnq, GLHistoryEnquiryResult; Normal seen live: a credit of 50,000 to equity
moved EndingBalance by +50,000, C acumatica-cli: scenario 10-seed-capital]. So the rows do not add up to zero.
"""

from collections.abc import Callable, Iterator, Mapping

from mlc_pipelines.sandbox.acumatica import entities, periods
from mlc_pipelines.sandbox.acumatica.question import Question, required_ledger, required_period, state_of
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value, record_id
from mlc_pipelines.sandbox.company import Balance, Batch, Period


def question(site: Site, given: Mapping[str, Value]) -> Question:
    """One row per account with history; per account and subaccount when a subaccount mask is given [S GL401000]."""
    period = required_period(site, given, "Period")
    ledger = required_ledger(site, given)
    asked = (ledger, period.key, *(given.get(name) for name in ("Branch", "Subaccount", "AccountClass")))
    state = state_of(site, _posted(site, ledger, period))
    return Question(asked, state, lambda: _records(site, ledger, period, given))


def _records(site: Site, ledger: str, period: Period, given: Mapping[str, Value]) -> Iterator[Record]:
    branch, mask = _text(given.get("Branch")), _text(given.get("Subaccount"))
    last_activity = _last_activity(site, ledger, period, by_subaccount=mask is not None)
    common: dict[str, Value] = {"Branch": branch, "LedgerID": entities.ledger_ids(site)[ledger]}
    for row in _balances(site, ledger, period, branch, mask):
        if given.get("AccountClass") in (None, site.books.accounts[row.account].account_class):
            values = _values(site, row) | common | {"LastActivity": last_activity(row)}
            yield Record(record_id("AccountSummaryRow", row.account, row.subaccount), values)


def _balances(site: Site, ledger: str, period: Period, branch: str | None, mask: str | None) -> list[Balance]:
    books = site.books
    if mask is not None:
        rows = books.balances(ledger, period.key, by_subaccount=True, branch=branch)
        return [row for row in rows if _like(mask, row.subaccount)]
    rows = books.balances(ledger, period.key, branch=branch)
    if site.switches["trial_balance_sign"] == "Reversed":
        return rows
    return sorted([*rows, books.year_result(ledger, period.key, branch=branch)])


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
    for batch in site.books.batches:
        if batch.ledger == ledger and batch.status == "Posted" and batch.period <= period.key:
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
