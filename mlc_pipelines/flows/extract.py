"""Ledger -> posted figures: one period, read once, proved equal to the ERP's own trial balance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame
from mlc_pipelines.flows.posted import Asked, Posted, read_balances, read_both, read_journals
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.since_agreed import compare
from mlc_pipelines.flows.steps import BALANCES, EXTRACT, JOURNALS, NOTHING_SENT, YTD
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.ledger.money import Money, minor_digits
from mlc_pipelines.ledger.ports import LedgerIdentity, LedgerPeriod
from mlc_pipelines.store.clock import timestamp


def read_slice(desk: Desk, key: str) -> Report:
    """Read one period of every company of the connection, and hold it against the ERP's own trial balance. All companies, or nothing."""
    period = desk.calendar.period(key)
    books = desk.ledger.identities()
    unit = _one_unit(desk, books)
    calendars = {one.company: desk.ledger.read_periods(one.company) for one in books}
    statuses = {
        company: require_readable(periods, period, company if len(books) > 1 else "").status
        for company, periods in calendars.items()
    }
    begun: dict[str, Any] = {
        "begun_at": timestamp(),
        "read_at": now.isoformat() if (now := desk.ledger.now()) else "",
        "cursor": desk.ledger.cursor(),
        "notice": desk.store.notices.newest(desk.connection),
    }
    before = {company: _before(periods, key) for company, periods in calendars.items()}
    asked = Asked(period, books, before, unit, desk.target.columns.keys)
    names = ", ".join(f"{one.ledger} of {one.company}" for one in books)
    figures = desk.ledger.figures_from()
    desk.progress(f"{key}: reading {figures.source} of ledger {names}{f'; {figures.why}' if figures.why else ''}")
    by_balances = read_both if figures.both else read_balances
    posted = (by_balances if figures.source == BALANCES else read_journals)(desk, asked)
    facts = {
        "extract": posted.extract,
        "balances": posted.balances,
        "centers": posted.centers,
        "opening": posted.opening,
        "books": "; ".join(
            f"{one.system} {one.company}, ledger {one.ledger} ({one.ledger_type}), {one.currency}" for one in books
        ),
        "from": period.start_on.isoformat(),
        "to": period.end_on.isoformat(),
        "currency": unit,
        "erp_status": _told(statuses),
        "read": figures.source,
        "read_why": figures.why,
        "counted": JOURNALS if figures.both else figures.source,
        **begun,
    }
    report = _read_report(desk, key, posted, set(statuses.values()), facts)
    if (found := compare(desk, key, facts)) is not None:
        report = replace(report, texts={**report.texts, "since it was agreed": found.note})
    told = [one.warnings for one in desk.ledger.identities()]  # only now: some tell of the reading itself
    warnings = " ".join(dict.fromkeys(warning for of_one in told for warning in of_one))
    return replace(report, texts={**report.texts, "beware": warnings}) if warnings else report


def _one_unit(desk: Desk, books: Sequence[LedgerIdentity]) -> str:
    """The currency of all figures, or their currencies in one word where the file keeps them apart.

    Raises SetupError where figures of several currencies would be added up, or have different decimals.
    """
    currencies = sorted({one.currency for one in books})
    if len(currencies) == 1:
        return currencies[0]
    said = ", ".join(f"{one.company} {one.currency}" for one in books)
    if not {"company", "currency"} & set(desk.target.columns.keys):
        raise SetupError(
            f"The companies of this connection keep their ledgers in several currencies ({said}), which cannot be added up.",
            holds=NOTHING_SENT,
            next_step="Name the column that keeps them apart under `actuals.columns.company` or `actuals.columns.currency`, or make a connection "
            "for each currency.",
        )
    if len({minor_digits(currency) for currency in currencies}) > 1:
        raise SetupError(
            f"The currencies of this connection's companies ({said}) have different numbers of decimals.",
            holds=NOTHING_SENT,
            next_step="Make a connection for each of them.",
        )
    return "/".join(currencies)


def _before(periods: Sequence[LedgerPeriod], key: str) -> FiscalPeriod | None:
    """The ERP's own period before that one, adjustment periods included."""
    keys = [
        one.key for one in periods
    ]  # in fiscal order, which the order of the texts need not be where a year has a suffix
    if not (place := keys.index(key)):
        return None
    last = periods[place - 1]
    return from_iso(last.key, last.start_on, last.end_on, adjustment=last.adjustment)


def _told(statuses: Mapping[str, str]) -> str:
    """One status, or each company's own."""
    if len(statuses) == 1:
        return next(iter(statuses.values()))
    return ", ".join(f"{company} {status}" for company, status in statuses.items())


def require_readable(erp_periods: Sequence[LedgerPeriod], period: FiscalPeriod, company: str = "") -> LedgerPeriod:
    """The ERP's own period of that key, in the calendar of the company where there are several. Raises DataError when it does not exist there, has other dates, or cannot hold postings yet."""
    whose = f" for {company}" if company else ""
    found = {one.key: one for one in erp_periods}.get(period.key)
    if found is None:
        raise DataError(
            f"Period {period.key} does not exist in the ERP{whose}, whose periods run from {erp_periods[0].key} to {erp_periods[-1].key}."
            if erp_periods
            else f"Period {period.key} does not exist in the ERP{whose}: it lists no fiscal periods at all.",
            holds=NOTHING_SENT,
            next_step="Choose another period, or have the period generated in the ERP's financial calendar.",
        )
    if (found.start_on, found.end_on) != (period.start_on.isoformat(), period.end_on.isoformat()):
        raise DataError(
            f"Period {period.key} runs from {found.start_on} to {found.end_on} in the ERP{whose}, from {period.start_on} to {period.end_on} in the connection file.",
            holds=NOTHING_SENT,
            next_step="Correct `calendar` in the connection file.",
        )
    if not found.readable:
        raise DataError(
            f"Period {period.key} is {found.status} in the ERP{whose}: nothing can be posted in it yet.",
            holds=NOTHING_SENT,
            next_step="Load it after it was opened.",
        )
    return found


def _read_report(desk: Desk, key: str, posted: Posted, statuses: set[str], known: Mapping[str, Any]) -> Report:
    """Record the step, and tell it. known: extract (hash of what was read), currency, read, status in the ERP, and when reading began."""
    amounts, currency = posted.amounts, known["currency"]
    debit, credit, lines = (int(amounts[column].sum()) for column in ("debit_minor", "credit_minor", "lines"))
    facts = {
        **known,
        "lines": lines,
        "debit_minor": debit,
        "credit_minor": credit,
        "figures": desk.target.figures,
        "legs": [leg.facts for leg in posted.legs],
    }
    artefact = keep_frame(desk, amounts)
    record_step(desk, EXTRACT, key, artefact, facts)
    provisional = (
        "" if statuses <= {"Closed", "Locked"} else " The period is still open in the ERP: the figures are provisional."
    )
    rows = "balances of accounts and subaccounts" if known["counted"] == BALANCES else "posted lines"
    carried = (
        " The figures are balances at the end of the period, not its movement." if desk.target.figures == YTD else ""
    )
    return Report(
        EXTRACT,
        key,
        f"{lines:,} {rows}, debits {Money(debit, currency)}, credits {Money(credit, currency)}, equal to the trial balance.{carried}{provisional}",
        artefact,
        counts={
            "lines": lines,
            "accounts": amounts["account"].nunique(),
            "cost centers": amounts["cost_center"].nunique(),
        },
        amounts={"debits": Money(debit, currency), "credits": Money(credit, currency)},
        texts={
            "period in the ERP": known["erp_status"],
            "read from": known["read"] + (f": {known['read_why']}" if known["read_why"] else ""),
            "lines kept as": known["extract"],
            "proved": "; ".join(f"{leg.left} = {leg.right}" for leg in posted.legs),
        },
        tables={"Largest accounts": money_table(_largest(amounts), currency)},
        legs=posted.legs,
    )


def _largest(amounts: pd.DataFrame) -> pd.DataFrame:
    keys = [key for key in ("company", "currency", "account") if key in amounts]
    summed = amounts.groupby(keys, sort=True)[["debit_minor", "credit_minor", "amount_minor", "lines"]].sum()
    return summed.reset_index().sort_values("amount_minor", key=abs, ascending=False, kind="stable").head(15)
