"""The site's master data and balances as frames of ours. Every code stays text; nothing is guessed, odd records are named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.amounts import minor_column
from mlc_pipelines.acumatica.config import AcumaticaConfig, SegmentRule
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import LINES
from mlc_pipelines.ledger.ports import LedgerPeriod

ACTUAL = "Actual"
KINDS = ("Asset", "Liability", "Income", "Expense")
_READABLE = {"Open", "Closed", "Locked"}
_STATUSES = _READABLE | {"Inactive"}
_SYSTEM = "Ask the Acumatica administrator whether the endpoint was changed or the site upgraded."


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger that is read, as the site describes it, and what the connection says about it.

    branches: those of the company; a company without branches has one of its own name [S UG CS101500].
    """

    company: str
    ledger: str
    ledger_type: str
    currency: str
    branches: frozenset[str]
    has_subaccounts: bool
    net_income_account: str
    page_batches: int


def to_books(ledgers: Sequence[wire.Ledger], config: AcumaticaConfig) -> Books:
    """The configured ledger. Raises SetupError, listing what there is, unless it exists, is Actual and belongs to the company."""
    ledger = _ledger_of(ledgers, config)
    company = _company_of(ledger, ledgers, config)
    if (kind := ledger.type.value) != ACTUAL:
        actual = [_said(one.ledger_id) for one in ledgers if one.type.value == ACTUAL]
        raise _wrong_setup(
            f"Ledger {config.ledger} has the type {kind}; actuals are read from a ledger of type {ACTUAL} only.",
            f"Write one of these into `erp.ledger`: {_listed(actual)}.",
        )
    if not (currency := ledger.currency.value):
        raise _wrong_setup(f"Ledger {config.ledger} has no currency.", "Complete it on GL201500.")
    names = {config.company, _said(company.company_name)}
    branches = {_said(branch.branch_id) for branch in ledger.branches if _said(branch.company_name) in names}
    return Books(
        company=config.company,
        ledger=config.ledger,
        ledger_type=ACTUAL,
        currency=currency,
        branches=frozenset(branches | {config.company}),
        has_subaccounts=config.subaccount is not None,
        net_income_account=config.net_income_account,
        page_batches=config.page_batches,
    )


def _ledger_of(ledgers: Sequence[wire.Ledger], config: AcumaticaConfig) -> wire.Ledger:
    for ledger in ledgers:
        if ledger.ledger_id.value == config.ledger:
            return ledger
    raise _wrong_setup(
        f"Tenant {config.tenant} has no ledger {config.ledger}; it has {_listed(_said(one.ledger_id) for one in ledgers)}.",
        "Correct `erp.ledger` in the connection file; if none of these is yours, the sign-in led to another tenant.",
    )


def _company_of(ledger: wire.Ledger, ledgers: Sequence[wire.Ledger], config: AcumaticaConfig) -> wire.LedgerCompany:
    """The configured company among those of the ledger: the proof that the sign-in led to the right tenant."""
    for company in ledger.companies:
        if company.company.value == config.company:
            return company
    here = _listed(_said(company.company) for company in ledger.companies)
    anywhere = _listed(_said(company.company) for one in ledgers for company in one.companies)
    raise _wrong_setup(
        f"Company {config.company} does not keep ledger {config.ledger} in tenant {config.tenant}. "
        f"The ledger belongs to {here}; the tenant's ledgers belong to {anywhere}.",
        "Correct `erp.company` in the connection file; if none of these is yours, the sign-in led to another tenant.",
    )


def to_periods(years: Sequence[wire.FinancialYear], config: AcumaticaConfig) -> list[LedgerPeriod]:
    """The master calendar in fiscal order. Raises DataError on an unknown status, a period without dates or one that stands twice."""
    found = [_to_period(period) for year in years for period in year.details]
    if not found:
        raise _wrong_setup(
            f"{config.system} shows no financial periods.",
            "Generate the master calendar (GL201000), or give the API user access to one company only: without a company "
            "context the list can be empty.",
        )
    _require_once((period.key for period in found), "Period")
    return sorted(found, key=lambda period: period.key)


def _to_period(period: wire.Period) -> LedgerPeriod:
    key = periods.to_key(period.period_id.value, "The master calendar (GL201000)")
    start, end, status = period.start_date.value, period.end_date.value, period.status.value
    if not start or not end or status not in _STATUSES:
        raise DataError(
            f"Period {key} of the master calendar has start {start}, end {end} and status {status!r}; "
            f"expected are two dates and one of {_listed(_STATUSES)}.",
            next_step=_SYSTEM,
        )
    return LedgerPeriod(
        key, start[:10], end[:10], status, bool(period.adjustment_period.value), readable=status in _READABLE
    )


def to_accounts(accounts: Sequence[wire.Account]) -> pd.DataFrame:
    """Chart of accounts in code order. Raises DataError on an account without code or of another kind than the four."""
    for account in accounts:
        if not account.code.value or account.type.value not in KINDS:
            raise DataError(
                f"Account {_said(account.code)!r} has the type {account.type.value!r}; expected is one of {_listed(KINDS)}.",
                next_step=_SYSTEM,
            )
    _require_once((_said(account.code) for account in accounts), "Account")
    columns: dict[str, list[str] | list[bool]] = {
        "code": [_said(account.code) for account in accounts],
        "name": [_said(account.description) for account in accounts],
        "account_class": [_said(account.account_class) for account in accounts],
        "kind": [_said(account.type) for account in accounts],
        "active": [bool(account.active.value) for account in accounts],
    }
    return _in_code_order(columns)


def to_cost_centers(subaccounts: Sequence[wire.Subaccount], rule: SegmentRule) -> pd.DataFrame:
    """Cost centers in code order, from the subaccounts that carry them."""
    _require_once((_said(subaccount.code) for subaccount in subaccounts), "Subaccount")
    of: dict[str, list[wire.Subaccount]] = {}
    for subaccount in subaccounts:
        of.setdefault(rule.cost_center(_said(subaccount.code)), []).append(subaccount)
    return _in_code_order(
        {
            "code": list(of),
            "name": [_name_among(carriers, rule) for carriers in of.values()],
            "active": [any(carrier.active.value for carrier in carriers) for carriers in of.values()],
            "subaccounts": [len(carriers) for carriers in of.values()],
        }
    )


def no_cost_centers() -> pd.DataFrame:
    """The one cost center "" of a site without subaccounts."""
    return pd.DataFrame({"code": [""], "name": [""], "active": [True], "subaccounts": [0]})


def _name_among(carriers: Sequence[wire.Subaccount], rule: SegmentRule) -> str:
    names = [_said(one.description) for one in carriers if rule.stands_for_its_cost_center(_said(one.code))]
    return names[0] if names else ""


def to_trial_balance(balances: wire.Balances, books: Books, period: FiscalPeriod) -> pd.DataFrame:
    """One row per account in code order: account, opening_minor, debit_minor, credit_minor, closing_minor (debit positive).

    Raises DataError when the answer is for another ledger or period, or a row does not add up.
    """
    where = f"AccountSummaryInquiry of {period.key}"
    if balances.results is None:
        raise DataError(f"{where} answered without Results.", next_step=_SYSTEM)
    if balances.ledger.value != books.ledger or periods.to_key(balances.period.value, where) != period.key:
        raise DataError(
            f"{where} answered for ledger {balances.ledger.value}, period {balances.period.value}.", next_step=_SYSTEM
        )
    frame = _balance_frame(balances.results, books, where)
    shown_positive = _credits_shown_positive(frame, where)
    flipped = frame["kind"].isin(["Liability", "Income"]) & shown_positive
    for column in ("opening_minor", "closing_minor"):
        frame[column] = frame[column].where(~flipped, -frame[column])
    _require_sums(frame, where)
    summed = frame.groupby(["account", "kind"], as_index=False, sort=True).sum()
    return _without_net_income(summed, books).drop(columns="kind").reset_index(drop=True)


def _balance_frame(rows: Sequence[wire.Balance], books: Books, where: str) -> pd.DataFrame:
    def record(row: int) -> str:
        return f"{where}, account {rows[row].account.value}"

    for number, row in enumerate(rows):
        if not row.account.value or row.type.value not in KINDS:
            raise DataError(f"{record(number)} has the type {row.type.value!r}.", next_step=_SYSTEM)
    amounts = {
        "opening_minor": ("BeginningBalance", [row.beginning_balance.value for row in rows]),
        "debit_minor": ("DebitTotal", [row.debit_total.value for row in rows]),
        "credit_minor": ("CreditTotal", [row.credit_total.value for row in rows]),
        "closing_minor": ("EndingBalance", [row.ending_balance.value for row in rows]),
    }
    columns: dict[str, list[str] | pd.Series[int]] = {
        "account": [_said(row.account) for row in rows],
        "kind": [_said(row.type) for row in rows],
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


def _without_net_income(summed: pd.DataFrame, books: Books) -> pd.DataFrame:
    """Without the YTD Net Income account: the site keeps it as a copy of all profit and loss accounts, with no line of its own.

    Where it is not declared it is the one liability whose four figures are exactly those of profit and loss together.
    """
    if books.net_income_account:
        return summed[summed["account"] != books.net_income_account]
    figures = ["opening_minor", "debit_minor", "credit_minor", "closing_minor"]
    result = summed[summed["kind"].isin(["Income", "Expense"])][figures].sum()
    copies = summed[(summed["kind"] == "Liability") & (summed[figures] == result).all(axis=1)]
    return summed.drop(copies.index) if len(copies) == 1 and result.any() else summed


def no_lines() -> pa.RecordBatch:
    """What a period without a posted line gives."""
    return pa.RecordBatch.from_pylist([], schema=LINES)


def _in_code_order(columns: Mapping[str, Sequence[str] | Sequence[bool] | Sequence[int]]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    texts = {name: "object" for name in columns if name in {"code", "name", "account_class", "kind"}}
    return frame.astype(texts).sort_values("code", ignore_index=True)


def _require_once(codes: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise DataError(
                f"{what} {code} stands twice in the answer of the site.", holds="Nothing was loaded.", next_step=_SYSTEM
            )
        seen.add(code)


def _said(text: wire.Text) -> str:
    return text.value or ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted({name for name in names if name})) or "none"


def _wrong_setup(what: str, next_step: str) -> SetupError:
    return SetupError(what, holds="Nothing was read.", next_step=next_step)
