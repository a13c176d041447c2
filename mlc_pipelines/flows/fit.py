"""The fit report: what is there and what is missing before the first load, each line with the person who can mend it. Nothing is written.

opening_checks   the connection's own files and credentials
of each system   how far one comes: reachable, signed in, the right tenant, version, workspace, model, and every kind of record that is used
ledger_checks    clocks, calendar, open periods, trial balance
plan_checks      actions, columns, read-back, time, versions, members
return_checks    plans on their way back: export, approval, destination
other_checks     other people's schedules, the age of the log-in
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from mlc_pipelines.flows.fit_ledger import ledger_checks
from mlc_pipelines.flows.fit_others import other_checks
from mlc_pipelines.flows.fit_plan import plan_checks
from mlc_pipelines.flows.fit_return import return_checks
from mlc_pipelines.flows.premises import Premises, opening_checks
from mlc_pipelines.ledger.fit import Check, FitReport, look_at

COLUMNS = ("state", "system", "what", "found", "who mends it", "what to do")


def fit_report(premises: Premises, *, progress: Callable[[str], None] = lambda _said: None) -> FitReport:
    """Look at everything, in an order in which each check comes after those that it needs."""
    findings = look_at(all_checks(premises), progress=progress)
    return FitReport(premises.connection, premises.now(), tuple(findings))


def all_checks(premises: Premises) -> list[Check]:
    checks = opening_checks(premises)
    for system, opened in ((premises.ledger, "set_up.erp"), (premises.plan, "set_up.plan")):
        if system is not None:
            checks += _after(opened, system.checks())
    for more in (ledger_checks, plan_checks, return_checks, other_checks):
        checks += more(premises)
    return checks


def _after(opened: str, checks: list[Check]) -> list[Check]:
    """The system's own checks stand behind its credential."""
    return [replace(check, needs=(opened, *check.needs)) for check in checks]


def as_table(report: FitReport) -> pd.DataFrame:
    """One row per finding, what is to be mended first."""
    order = {"missing": 0, "beware": 1, "not checked": 2, "fine": 3}
    rows = sorted(report.findings, key=lambda one: order[one.state])
    shown = [(one.state, one.area, one.title, one.said, one.who, one.next_step) for one in rows]
    return pd.DataFrame(shown, columns=list(COLUMNS), dtype=object)
