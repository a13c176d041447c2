"""Ledger -> posted lines: one period, read once, proved equal to the ERP's own trial balance."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame, keep_lines, read_line_amounts
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.steps import EXTRACT, LINES_MATCH_LEDGER, NOTHING_SENT
from mlc_pipelines.ledger.control import Leg, compare, debits_and_credits
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import by_cost_center, sum_lines, turnover_by_account
from mlc_pipelines.ledger.mapping import CELL_KEYS
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import LedgerPeriod
from mlc_pipelines.store.history import timestamp


def read_slice(desk: Desk, key: str) -> Report:
    """Read the posted lines of one period and hold their sums against the ERP's own trial balance, debit and credit of each account."""
    period = desk.calendar.period(key)
    books = desk.ledger.identity()
    erp_period = require_readable(desk.ledger.read_periods(), period)
    begun = {"begun_at": timestamp(), "read_at": now.isoformat() if (now := desk.ledger.now()) else ""}
    desk.progress(f"{key}: reading posted lines of ledger {books.ledger}")
    extract = keep_lines(desk, desk.ledger.read_posted(period))
    lines = by_cost_center(read_line_amounts(desk, extract), desk.ledger.cost_centers_of)
    amounts = sum_lines(lines, CELL_KEYS)
    trial_balance = desk.ledger.read_trial_balance(period)
    leg = compare(
        LINES_MATCH_LEDGER,
        key,
        ("trial balance", debits_and_credits(trial_balance)),
        ("lines read", debits_and_credits(turnover_by_account(amounts))),
        keys=["account", "side"],
        unit=books.currency,
    )
    leg.require_agreed(
        holds=NOTHING_SENT,
        next_step=f"Materialize gl_actuals for {key} again: figures may have been posted while they were read. If it fails again, compare the accounts named above in the ERP.",
    )
    facts = {"extract": extract, "currency": books.currency, "erp_status": erp_period.status, **begun}
    report = _read_report(desk, key, amounts, leg, facts)
    warnings = desk.ledger.identity().warnings  # only now: some tell of the reading itself
    return replace(report, texts={**report.texts, "beware": " ".join(warnings)}) if warnings else report


def require_readable(erp_periods: list[LedgerPeriod], period: FiscalPeriod) -> LedgerPeriod:
    """The ERP's own period of that key. Raises DataError when it does not exist there, has other dates, or cannot hold postings yet."""
    found = {one.key: one for one in erp_periods}.get(period.key)
    if found is None:
        raise DataError(
            f"Period {period.key} does not exist in the ERP, whose periods run from {erp_periods[0].key} to {erp_periods[-1].key}."
            if erp_periods
            else f"Period {period.key} does not exist in the ERP: it lists no fiscal periods at all.",
            holds=NOTHING_SENT,
            next_step="Choose another period, or have the period generated in the ERP's financial calendar.",
        )
    if (found.start_on, found.end_on) != (period.start_on.isoformat(), period.end_on.isoformat()):
        raise DataError(
            f"Period {period.key} runs from {found.start_on} to {found.end_on} in the ERP, from {period.start_on} to {period.end_on} in the connection file.",
            holds=NOTHING_SENT,
            next_step="Correct `calendar` in the connection file.",
        )
    if not found.readable:
        raise DataError(
            f"Period {period.key} is {found.status} in the ERP: nothing can be posted in it yet.",
            holds=NOTHING_SENT,
            next_step="Load it after it was opened.",
        )
    return found


def _read_report(desk: Desk, key: str, amounts: pd.DataFrame, leg: Leg, known: Mapping[str, str]) -> Report:
    """Record the step, and tell it. known: extract (hash of the lines), currency, status in the ERP, and when reading began."""
    debit, credit, lines = (int(amounts[column].sum()) for column in ("debit_minor", "credit_minor", "lines"))
    facts = {**known, "lines": lines, "debit_minor": debit, "credit_minor": credit}
    artefact, currency = keep_frame(desk, amounts), known["currency"]
    desk.store.history.record_step(desk.connection, EXTRACT, key, artefact, facts, run=desk.run)
    largest = (
        amounts.groupby("account", sort=True)[["debit_minor", "credit_minor", "amount_minor", "lines"]]
        .sum()
        .reset_index()
    )
    largest = largest.sort_values("amount_minor", key=abs, ascending=False, kind="stable").head(15)
    provisional = (
        ""
        if known["erp_status"] in {"Closed", "Locked"}
        else " The period is still open in the ERP: the figures are provisional."
    )
    return Report(
        EXTRACT,
        key,
        f"{lines:,} posted lines, debits {Money(debit, currency)}, credits {Money(credit, currency)}, equal to the trial balance.{provisional}",
        artefact,
        counts={
            "lines": lines,
            "accounts": amounts["account"].nunique(),
            "cost centers": amounts["cost_center"].nunique(),
        },
        amounts={"debits": Money(debit, currency), "credits": Money(credit, currency)},
        texts={"period in the ERP": known["erp_status"], "lines kept as": known["extract"]},
        tables={"Largest accounts": money_table(largest, currency)},
        legs=(leg,),
    )
