"""Single defects, one a line: how it is planted, which check must name it, who mends it, and what the line must say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from mlc_pipelines.ledger.fit import (
    BEWARE,
    CONTROLLER,
    ENGINEER,
    ERP_ADMINISTRATOR,
    MISSING,
    MODEL_BUILDER,
    WORKSPACE_ADMINISTRATOR,
)
from mlc_pipelines.sandbox.anaplan import mishaps
from mlc_pipelines_tests.flows.fit_bench import Bench

NOBODY = "http://127.0.0.1:9"
DAILY = {"type": "daily", "time": "06:00", "timezone": "UTC", "startDate": "2026-01-01"}
HOURLY = {**DAILY, "type": "hourly", "repeatEvery": 1, "fromTime": "00:00", "toTime": "23:59"}


@dataclass(frozen=True)
class Defect:
    """A defect, the check that must name it, who mends it, and a word that the line must say. state: how bad it is."""

    name: str
    plant: Callable[[Bench], object]
    check: str
    who: str
    said: str
    state: str = MISSING


def case(
    name: str,
    plant: Callable[[Bench], object],
    check: str,
    who: str,
    said: str,
    state: str = MISSING,
    *,
    prove: bool = False,
) -> Any:
    marks = [pytest.mark.prove] if prove else []
    return pytest.param(Defect(name, plant, check, who, said, state), id=name, marks=marks)


def switch(**changes: Any) -> Callable[[Bench], None]:
    """{system}__{switch}."""

    def plant(bench: Bench) -> None:
        for name, value in changes.items():
            system, _, one = name.partition("__")
            bench.sandbox.set_switches(**{system: {one: value}})

    return plant


def says(path: str, value: Any) -> Callable[[Bench], None]:
    return lambda bench: bench.set(path, value)


def both(*plants: Callable[[Bench], object]) -> Callable[[Bench], None]:
    def plant(bench: Bench) -> None:
        for one in plants:
            one(bench)

    return plant


def member(name: str, code: str) -> Callable[[Bench], None]:
    return lambda bench: bench.sandbox.tenant.edit_member(name, code, remove=True)


def job(**wish: Any) -> Callable[[Bench], object]:
    return lambda bench: mishaps.add_integration(bench.sandbox.tenant, wish)


def gone(kind: str, name: str) -> Callable[[Bench], object]:
    return lambda bench: mishaps.change_action(bench.sandbox.tenant, kind, name, "remove")


def certificate(days: float) -> Callable[[Bench], None]:
    def plant(bench: Bench) -> None:
        issued = mishaps.issue_certificate(bench.sandbox.tenant, days_from=-400, days=days)
        bench.store.vault.put("demo-anaplan", {"certificate": issued.certificate, "private_key": issued.private_key})
        bench.set("anaplan.auth", "certificate")

    return plant


def shut(bench: Bench) -> None:
    """Somebody closes every open period of both ERPs."""
    for period in bench.sandbox.books.periods.values():
        if period.status == "Open":
            period.status = "Closed"


def aged(days: float) -> Callable[[Bench], None]:
    """Time goes by, everywhere."""

    def plant(bench: Bench) -> None:
        bench.later = timedelta(days=days)
        bench.sandbox.clock.advance(days * 86_400)

    return plant


def fast(bench: Bench) -> None:
    bench.later = timedelta(hours=1)


# fmt: off
ACUMATICA = [
    case("the site does not answer", says("erp.url", f"{NOBODY}/AcumaticaERP"), "erp.reach", ENGINEER, "127.0.0.1:9", prove=True),
    case("the address has another virtual directory", says("erp.url", "{url}/Acumatica"), "erp.reach", ENGINEER, "/entity", prove=True),
    case("the ERP's password is wrong", lambda bench: bench.credential("demo-acumatica", password="old"), "erp.log_in", ENGINEER, "demo-acumatica"),
    case("no credential of the ERP is stored", says("erp.credential", "nobody"), "set_up.erp", ENGINEER, "'nobody'", prove=True),
    case("all API sessions are taken", switch(acumatica__max_sessions=0), "erp.log_in", ERP_ADMINISTRATOR, "session", prove=True),
    case("the sign-in leads to another tenant", both(says("erp.auth", "cookie"), switch(acumatica__tenant_map_stale=True)), "erp.tenant", ENGINEER, "'Company'"),
    case("the application belongs to another tenant", says("erp.tenant", "Other"), "set_up.erp", ENGINEER, "'Other'", prove=True),
    case("the version is not served", says("erp.version", "17.200.001"), "erp.version", ENGINEER, "17.200.001"),
    case("an upgrade removed a field", switch(acumatica__removed=["Account/Type"]), "erp.records.Account", ERP_ADMINISTRATOR, "Account/Type"),
    case("no right to subaccounts", lambda bench: bench.refuse("GET .*/Subaccount"), "erp.records.Subaccount", ERP_ADMINISTRATOR, "Subaccount"),
    case("no right to journals", lambda bench: bench.refuse("GET .*/JournalTransaction"), "erp.records.JournalTransaction", ERP_ADMINISTRATOR, "JournalTransaction", prove=True),
    case("no right to balances", lambda bench: bench.refuse("PUT .*/AccountSummaryInquiry"), "erp.balances", ERP_ADMINISTRATOR, "AccountSummaryInquiry", prove=True),
    case("the inquiry of lines is hidden", switch(acumatica__inquiry_hidden=403), "erp.records.AccountDetailsForPeriodInquiry", ERP_ADMINISTRATOR, "AccountDetailsForPeriodInquiry", prove=True),
    case("the ledger does not exist", says("erp.ledger", "ACTUALS"), "erp.ledger", ENGINEER, "ACTUALS"),
    case("the ledger is not of type Actual", says("erp.ledger", "PLAN"), "erp.ledger", ENGINEER, "Statistical", prove=True),
    case("the fiscal year begins in another month", says("calendar.first_month", 1), "erp.calendar", ENGINEER, "FY2025-P01"),
    case("every period is closed", shut, "erp.open", CONTROLLER, "FY2027-P02", BEWARE),
    case("Anaplan does not answer", says("anaplan.api_url", f"{NOBODY}/2/0"), "plan.reach", ENGINEER, "127.0.0.1:9", prove=True),
    case("Anaplan's password is wrong", lambda bench: bench.credential("demo-anaplan", password="old"), "plan.log_in", ENGINEER, "demo-anaplan"),
    case("single sign-on is enforced", switch(anaplan__sso_enforced=True), "plan.log_in", ENGINEER, "demo-anaplan", prove=True),
    case("no credential of Anaplan is stored", says("anaplan.credential", "nobody"), "set_up.plan", ENGINEER, "'nobody'", prove=True),
    case("the workspace does not exist", says("anaplan.workspace", "Finances"), "plan.workspace", ENGINEER, "Finances", prove=True),
    case("the model does not exist", says("anaplan.model", "Meridian FPA"), "plan.model", ENGINEER, "Meridian FP&A"),
    case("the model is archived", switch(anaplan__model_state="ARCHIVED"), "plan.state", WORKSPACE_ADMINISTRATOR, "archived"),
    case("the model is locked", switch(anaplan__model_state="LOCKED"), "plan.state", WORKSPACE_ADMINISTRATOR, "locked", prove=True),
    case("the model is offline", switch(anaplan__model_state="MAINTENANCE"), "plan.state", WORKSPACE_ADMINISTRATOR, "maintenance", prove=True),
    case("the user has no access to the model", switch(anaplan__no_access=True), "plan.role", WORKSPACE_ADMINISTRATOR, "no access"),
    case("the import was renamed", switch(anaplan__rename_import="Load Actuals"), "plan.import.actuals", MODEL_BUILDER, "Load Actuals"),
    case("the import has another column", lambda bench: bench.replace(f"GET .*/imports/{bench.action_id('imports', 'Load GL Actuals')}$", "Cost Center", "Department" ), "plan.columns.actuals", MODEL_BUILDER, "Department"),
    case("the read-back lacks a column", lambda bench: bench.replace(f"GET .*/exports/{bench.action_id('exports', 'Export GL Actuals')}$", "Version", "Scenario" ), "plan.read_back.actuals", MODEL_BUILDER, "Scenario", prove=True),
    case("the export of the read-back is gone", gone("exports", "Export GL Actuals"), "plan.read_back.actuals", MODEL_BUILDER, "Export GL Actuals", prove=True),
    case("the period label has another pattern", says("actuals.period_label", "%B %Y"), "plan.time", ENGINEER, "%B %Y"),
    case("the model's time is too short", says("calendar.last_year", 2029), "plan.time", MODEL_BUILDER, "Jul 27"),
    case("a version does not exist", says("actuals.version", "Actuals"), "plan.versions", MODEL_BUILDER, "Actuals", prove=True),
    case("a list does not exist", both(says("mapping.cost_centers.list", "Departments"), says("plans", {})), "plan.list.Departments", MODEL_BUILDER, "Departments", prove=True),
    case("a member is missing", member("Accounts", "A6100"), "members.account", MODEL_BUILDER, "3 of 169", BEWARE),
    case("codes without a member stop the load", says("mapping.unmapped", "stop"), "members.account", MODEL_BUILDER, "2 of 169", prove=True),
    case("the suspense member is missing", member("Accounts", "A_UNMAPPED"), "plan.parked.account", MODEL_BUILDER, "A_UNMAPPED", prove=True),
    case("the mapping file is missing", both(says("mapping.accounts.file", "nowhere.csv"), says("plans", {})), "set_up.mapping", ENGINEER, "nowhere.csv", prove=True),
    case("the calendar file is missing", both(says("calendar", {"kind": "file", "file": "nowhere.csv"}), says("plans", {})), "set_up.calendar", ENGINEER, "nowhere.csv", prove=True),
    case("the approved plan is not exported", gone("exports", "Export Approved Budget"), "return.source.budget", MODEL_BUILDER, "Export Approved Budget"),
    case("the approval has no such property", says("plans.budget.approval.status", "State"), "return.approval.budget", MODEL_BUILDER, "State", prove=True),
    case("the approval has no such member", says("plans.budget.approval.member", "FY{year} Plan"), "return.approval.budget", MODEL_BUILDER, "FY2027 Plan", prove=True),
    case("a plan would go into the actual ledger", says("plans.budget.destination.ledger", "ACTUAL"), "return.destination.budget", ENGINEER, "ACTUAL"),
    case("a plan would go into a ledger of another type", says("plans.forecast.destination.ledger", "PLAN"), "return.destination.forecast", ENGINEER, "Statistical", prove=True),
    case("the targets of a plan are missing", says("plans.budget.targets.accounts.file", "nowhere.csv"), "set_up.budget", ENGINEER, "nowhere.csv", prove=True),
    case("a CloudWorks job runs our import", job(name="Nightly", type="Import", action="Load GL Actuals", schedule=DAILY), "plan.jobs", MODEL_BUILDER, "Nightly", BEWARE, prove=True),
    case("CloudWorks leaves no room", both(job(name="Hourly", type="Import", action="Load Accounts", schedule=HOURLY), says("anaplan.job_margin_minutes", 90)), "plan.jobs", MODEL_BUILDER, "Hourly"),
    case("CloudWorks may not be seen", switch(anaplan__cloudworks_access="none"), "plan.jobs", WORKSPACE_ADMINISTRATOR, "CloudWorks", BEWARE, prove=True),
    case("this machine's clock is wrong", fast, "clocks", ENGINEER, "behind this machine"),
    case("the password is old", aged(100), "plan.age", ENGINEER, "100 days ago", BEWARE),
    case("the certificate ends soon", certificate(410), "plan.age", ENGINEER, "9 days from now", BEWARE, prove=True),
    case("the certificate has ended", certificate(399), "plan.log_in", ENGINEER, "expired", prove=True),
]

EPICOR = [
    case("there is no such instance", says("erp.url", "{url}/Kinetics"), "erp.reach", ENGINEER, "404", prove=True),
    case("the API key is wrong", lambda bench: bench.credential("demo-epicor", api_key="old"), "erp.log_in", ENGINEER, "API key"),
    case("the user may not enter the company", switch(epicor__user_companies=[]), "erp.log_in", ERP_ADMINISTRATOR, "IVM" , prove=True),
    case("all licences are taken", switch(epicor__max_sessions=0), "erp.log_in", ERP_ADMINISTRATOR, "licences", prove=True),
    case("no right to invoices", switch(epicor__denied=["Erp.BO.APInvoiceSvc"]), "erp.records.Erp.BO.APInvoiceSvc", ERP_ADMINISTRATOR, "APInvoice"),
    case("no right to journal groups", switch(epicor__denied=["Erp.BO.GLJrnGrpSvc"]), "erp.records.Erp.BO.GLJrnGrpSvc", ERP_ADMINISTRATOR, "GLJrnGrp", prove=True),
    case("an upgrade removed a column", switch(epicor__removed=["GLJrnDtl/BookDebitAmount"]), "erp.records.Erp.BO.GLJrnDtlSvc", ERP_ADMINISTRATOR, "BookDebitAmount", prove=True),
    case("the book does not exist", says("erp.book", "MAJOR"), "erp.ledger", ENGINEER, "MAJOR"),
    case("the chart has no such segment", says("erp.cost_center_segment", 7), "erp.ledger", ENGINEER, "segment 7", prove=True),
    case("the weeks follow another pattern", says("calendar.pattern", "4-5-4"), "erp.calendar", ENGINEER, "FY2025-P02"),
    case("a plan would go into the main book", says("plans.budget.destination.book", "MAIN"), "return.destination.budget", ENGINEER, "main book", prove=True),
    case("the journal code does not exist", says("plans.budget.destination.journal_code", "XX"), "return.destination.budget", ENGINEER, "XX", prove=True),
    case("the budget code does not exist", says("plans.forecast.destination.budget_code", "XX"), "return.destination.forecast", ENGINEER, "XX", prove=True),
    case("a declared query is not there", both(says("erp.baqs", {"lines": {"name": "OUR_Lines"}})), "erp.query.OUR_Lines", ERP_ADMINISTRATOR, "OUR_Lines", prove=True),
    case("the model calls its weeks by months", switch(anaplan__week_labels="month"), "plan.time", ENGINEER, "P01 FY25", prove=True),
]
# fmt: on
