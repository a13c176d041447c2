"""The site's master data as frames of ours. Every code stays text; nothing is guessed, odd records are named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from mlc_pipelines.acumatica import periods, wire
from mlc_pipelines.acumatica.config import AcumaticaConfig, BooksRule, SegmentRule
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.journal import LINE
from mlc_pipelines.ledger.ports import LedgerPeriod

ACTUAL = "Actual"
KINDS = ("Asset", "Liability", "Income", "Expense")
_READABLE = {"Open", "Closed", "Locked"}
_STATUSES = _READABLE | {"Inactive"}
SYSTEM = "Ask the Acumatica administrator whether the endpoint was changed or the site upgraded."


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger that is read, as the site describes it, and what the connection says about it.

    branches: those that keep the ledger; a company without branches has one of its own name [S UG CS101500].
    wanted: those whose figures are read, where the ledger has others as well; None reads all of them.
    own_calendar: periods and their statuses are the company's own (GL201100), not those of the master calendar.
    """

    company: str
    ledger: str
    ledger_type: str
    currency: str
    branches: frozenset[str]
    has_subaccounts: bool
    net_income_account: str
    page_batches: int
    wanted: frozenset[str] | None = None
    own_calendar: bool = False


def to_books(ledgers: Sequence[wire.Ledger], config: AcumaticaConfig, rule: BooksRule) -> Books:
    """The configured ledger. Raises SetupError, listing what there is, unless it exists, is Actual and belongs to the company."""
    ledger = _ledger_of(ledgers, config, rule)
    company = _company_of(ledger, ledgers, config, rule)
    if (kind := ledger.type.value) != ACTUAL:
        actual = [said(one.ledger_id) for one in ledgers if one.type.value == ACTUAL]
        raise _wrong_setup(
            f"Ledger {rule.ledger} has the type {kind}; actuals are read from a ledger of type {ACTUAL} only.",
            f"Write one of these into `erp.ledger`: {_listed(actual)}.",
        )
    if not (currency := ledger.currency.value):
        raise _wrong_setup(f"Ledger {rule.ledger} has no currency.", "Complete it on GL201500.")
    return Books(
        company=rule.company,
        ledger=rule.ledger,
        ledger_type=ACTUAL,
        currency=currency,
        branches=frozenset({*_branches(ledger), *(said(one.company) for one in ledger.companies)}),
        has_subaccounts=config.subaccount is not None,
        net_income_account=config.net_income_account,
        page_batches=config.page_batches,
        wanted=_wanted(ledger, company, rule),
        own_calendar=rule.calendar == "company",
    )


def _branches(ledger: wire.Ledger, *companies: str) -> set[str]:
    """Branches that keep the ledger: of these companies, or of all."""
    return {said(one.branch_id) for one in ledger.branches if not companies or said(one.company_name) in companies}


def _wanted(ledger: wire.Ledger, company: wire.LedgerCompany, rule: BooksRule) -> frozenset[str] | None:
    """The branches to read, or None where they are all that the ledger has. Raises SetupError for one that is none of the company's."""
    own = _branches(ledger, rule.company, said(company.company_name)) or {rule.company}
    if strange := sorted(set(rule.branches) - own):
        raise _wrong_setup(
            f"Company {rule.company} has no branch {_listed(strange)} in ledger {rule.ledger}; it has {_listed(own)}.",
            "Correct `branches` in the connection file.",
        )
    whole = own == _branches(ledger) or (len(ledger.companies) == 1 and own == {rule.company})
    wanted = set(rule.branches) or own
    return None if whole and wanted == own else frozenset(wanted)


def _ledger_of(ledgers: Sequence[wire.Ledger], config: AcumaticaConfig, rule: BooksRule) -> wire.Ledger:
    for ledger in ledgers:
        if ledger.ledger_id.value == rule.ledger:
            return ledger
    raise _wrong_setup(
        f"Tenant {config.tenant} has no ledger {rule.ledger}; it has {_listed(said(one.ledger_id) for one in ledgers)}.",
        "Correct `erp.ledger` in the connection file; if none of these is yours, the sign-in led to another tenant.",
    )


def _company_of(
    ledger: wire.Ledger, ledgers: Sequence[wire.Ledger], config: AcumaticaConfig, rule: BooksRule
) -> wire.LedgerCompany:
    """The configured company among those of the ledger: the proof that the sign-in led to the right tenant."""
    for company in ledger.companies:
        if company.company.value == rule.company:
            return company
    here = _listed(said(company.company) for company in ledger.companies)
    anywhere = _listed(said(company.company) for one in ledgers for company in one.companies)
    raise _wrong_setup(
        f"Company {rule.company} does not keep ledger {rule.ledger} in tenant {config.tenant}. "
        f"The ledger belongs to {here}; the tenant's ledgers belong to {anywhere}.",
        "Correct `erp.company` in the connection file; if none of these is yours, the sign-in led to another tenant.",
    )


def to_company_periods(years: Sequence[wire.CompanyYear], books: Books, config: AcumaticaConfig) -> list[LedgerPeriod]:
    """The company's own calendar in fiscal order; errors as `to_periods`. Years of other companies are left aside."""
    own = [year for year in years if year.company.value == books.company]
    found = [_to_period(period, f"calendar of {books.company} (GL201100)") for year in own for period in year.details]
    if not found:
        others = _listed(said(year.company) for year in years)
        raise _wrong_setup(
            f"{config.system} shows no financial periods of company {books.company}; it shows those of {others}.",
            f"Generate the calendar of {books.company} (GL201100), give the API user access to it, or write `calendar: master` where all "
            "companies use the master calendar.",
        )
    _require_once((period.key for period in found), "Period")
    return sorted(found, key=lambda period: period.key)


def to_periods(years: Sequence[wire.FinancialYear], config: AcumaticaConfig) -> list[LedgerPeriod]:
    """The master calendar in fiscal order. Raises DataError on an unknown status, a period without dates or one that stands twice."""
    found = [_to_period(period, "master calendar (GL201000)") for year in years for period in year.details]
    if not found:
        raise _wrong_setup(
            f"{config.system} shows no financial periods.",
            "Generate the master calendar (GL201000), or give the API user access to one company only: without a company "
            "context the list can be empty.",
        )
    _require_once((period.key for period in found), "Period")
    return sorted(found, key=lambda period: period.key)


def _to_period(period: wire.Period, calendar: str) -> LedgerPeriod:
    key = periods.to_key(period.period_id.value, f"The {calendar}")
    start, end, status = period.start_date.value, period.end_date.value, period.status.value
    if not start or not end or status not in _STATUSES:
        raise DataError(
            f"Period {key} of the {calendar} has start {start}, end {end} and status {status!r}; "
            f"expected are two dates and one of {_listed(_STATUSES)}.",
            next_step=SYSTEM,
        )
    return LedgerPeriod(
        key, start[:10], end[:10], status, bool(period.adjustment_period.value), readable=status in _READABLE
    )


def to_accounts(accounts: Sequence[wire.Account]) -> pd.DataFrame:
    """Chart of accounts in code order. Raises DataError on an account without code or of another kind than the four."""
    for account in accounts:
        if not account.code.value or account.type.value not in KINDS:
            raise DataError(
                f"Account {said(account.code)!r} has the type {account.type.value!r}; expected is one of {_listed(KINDS)}.",
                next_step=SYSTEM,
            )
    _require_once((said(account.code) for account in accounts), "Account")
    columns: dict[str, list[str] | list[bool]] = {
        "code": [said(account.code) for account in accounts],
        "name": [said(account.description) for account in accounts],
        "account_class": [said(account.account_class) for account in accounts],
        "kind": [said(account.type) for account in accounts],
        "active": [bool(account.active.value) for account in accounts],
    }
    return _in_code_order(columns)


def to_cost_centers(subaccounts: Sequence[wire.Subaccount], rule: SegmentRule) -> pd.DataFrame:
    """Cost centers in code order, from the subaccounts that carry them."""
    _require_once((said(subaccount.code) for subaccount in subaccounts), "Subaccount")
    of: dict[str, list[wire.Subaccount]] = {}
    for subaccount in subaccounts:
        of.setdefault(rule.cost_center(said(subaccount.code)), []).append(subaccount)
    return _in_code_order(
        {
            "code": list(of),
            "name": [_name_among(carriers, rule) for carriers in of.values()],
            "active": [any(carrier.active.value for carrier in carriers) for carriers in of.values()],
            "subaccounts": [len(carriers) for carriers in of.values()],
        }
    )


def to_codes(subaccounts: Sequence[wire.Subaccount]) -> list[str]:
    """The codes in order. Raises DataError where one is missing or stands twice."""
    codes = [said(subaccount.code) for subaccount in subaccounts]
    _require_once(codes, "Subaccount")
    if "" in codes:
        raise DataError("A subaccount came without its code.", holds="Nothing was loaded.", next_step=SYSTEM)
    return sorted(codes)


def no_cost_centers() -> pd.DataFrame:
    """The one cost center "" of a site without subaccounts."""
    return pd.DataFrame({"code": [""], "name": [""], "active": [True], "subaccounts": [0]})


def _name_among(carriers: Sequence[wire.Subaccount], rule: SegmentRule) -> str:
    names = [said(one.description) for one in carriers if rule.stands_for_its_cost_center(said(one.code))]
    return names[0] if names else ""


def no_lines() -> pa.RecordBatch:
    """What a period without a posted line gives."""
    return pa.RecordBatch.from_pylist([], schema=LINE)


def _in_code_order(columns: Mapping[str, Sequence[str] | Sequence[bool] | Sequence[int]]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    texts = {name: "object" for name in columns if name in {"code", "name", "account_class", "kind"}}
    return frame.astype(texts).sort_values("code", ignore_index=True)


def _require_once(codes: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise DataError(
                f"{what} {code} stands twice in the answer of the site.", holds="Nothing was loaded.", next_step=SYSTEM
            )
        seen.add(code)


def said(text: wire.Text) -> str:
    return text.value or ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted({name for name in names if name})) or "none"


def _wrong_setup(what: str, next_step: str) -> SetupError:
    return SetupError(what, holds="Nothing was read.", next_step=next_step)
