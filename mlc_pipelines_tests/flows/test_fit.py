"""The fit report: one defect is planted at a time, and the report names that one, nothing else, and the person who can mend it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.flows.fit import all_checks, as_table
from mlc_pipelines.flows.fit_page import page_of
from mlc_pipelines.ledger.fit import (
    BEWARE,
    BROKEN,
    ERP_ADMINISTRATOR,
    MISSING,
    MODEL_BUILDER,
    NOT_CHECKED,
    NOT_YET,
    READY,
    FitReport,
)
from mlc_pipelines.sandbox.anaplan import mishaps
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.fit import open_premises
from mlc_pipelines_tests.flows.fit_bench import Bench, bench_of
from mlc_pipelines_tests.flows.fit_defects import ACUMATICA, DAILY, EPICOR, Defect

LOG_INS = (
    *("/identity/connect/token", "/entity/auth/login", "/entity/auth/logout"),
    *("/token/authenticate", "/token/logout", "SessionModSvc/Login", "SessionModSvc/Logout"),
)
ASKING = ("Inquiry?", "/dimensions/")
"""Sent by PUT and POST, and store nothing."""

Lines = dict[tuple[str, str, str], str]


def objections(report: FitReport) -> Lines:
    """What is to be mended: check, state and text -> person."""
    return {(one.check, one.state, one.said): one.who for one in report.findings if one.state in {MISSING, BEWARE}}


_HEALTHY: dict[str, Lines] = {}


def healthy(bench: Bench, name: str) -> Lines:
    """What the report says of the sample company as it is: it has codes without members on purpose."""
    if name not in _HEALTHY:
        _HEALTHY[name] = objections(bench.report(name))
    return _HEALTHY[name]


def require_nothing_left(sandbox: Sandbox, since: int = 0) -> None:
    """Nothing was written, nothing was started, and every session and token was given back."""
    sent = [(one.method, one.path, one.status) for one in sandbox.traffic.requests[since:]]
    writes = [(method, path) for method, path, _ in sent if method not in {"GET", "HEAD"}]
    assert [] == [one for one in writes if not any(part in one[1] for part in (*LOG_INS, *ASKING))]
    log = sandbox.tenant.log()
    assert ([], []) == (log["actions"], log["uploads"])
    assert (0, {}) == (sandbox.site.sessions_open(), sandbox.kinetic.sessions)
    log_ins = [path for _, path, status in sent if path == "/token/authenticate" and status == 201]
    assert len(log_ins) == sum(path == "/token/logout" for _, path, _ in sent)


def require_only(defect: Defect, name: str, bench: Bench) -> None:
    before = healthy(bench, name)
    defect.plant(bench)
    report = bench.report(name)
    found = {line: who for line, who in objections(report).items() if line not in before}
    assert [(defect.check, defect.state, defect.who)] == [(*line[:2], who) for line, who in found.items()], found
    assert defect.said in next(iter(found))[2]
    gate = any(one.gate for one in report.findings if one.state == MISSING)
    unchecked = report.count(NOT_CHECKED) > 0
    assert (BROKEN if gate else NOT_YET if unchecked or defect.state == MISSING else READY) == report.state


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One for all: its credentials are stored anew for each defect."""
    return Store.open(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def second_sandbox() -> Iterator[Sandbox]:
    """One for Epicor, whose books take seconds to be made: its switches are put back after each defect."""
    with Sandbox.start() as running:
        yield running


@pytest.fixture
def kinetic(second_sandbox: Sandbox) -> Iterator[Sandbox]:
    switches = second_sandbox.switches
    yield second_sandbox
    second_sandbox.traffic.clear_faults()
    second_sandbox.set_switches(**switches)


@pytest.mark.parametrize("defect", ACUMATICA)
def test_one_defect_is_named_alone_acumatica(defect: Defect, sandbox: Sandbox, store: Store, tmp_path: Path) -> None:
    """Exactly that one, with the right person; nothing is written, and no session stays open."""
    require_only(defect, "demo", bench_of(sandbox, "demo", store, tmp_path))
    require_nothing_left(sandbox)


@pytest.mark.parametrize("defect", EPICOR)
def test_one_defect_is_named_alone_epicor(defect: Defect, kinetic: Sandbox, store: Store, tmp_path: Path) -> None:
    """Likewise for the other ERP."""
    since = len(kinetic.traffic.requests)
    require_only(defect, "demo_epicor", bench_of(kinetic, "demo_epicor", store, tmp_path))
    require_nothing_left(kinetic, since)


def test_a_job_that_meets_the_close_calendar(sandbox: Sandbox, store: Store, tmp_path: Path) -> None:
    """A job of the customer's due within the margin of a load by the close calendar is named: the load would wait for it, each time."""
    bench = bench_of(sandbox, "demo", store, tmp_path)
    mishaps.add_integration(
        sandbox.tenant, {"name": "Night shift", "type": "Import", "action": "Load Accounts", "schedule": DAILY}
    )
    steps = [{"name": "final", "day": "WD+5", "at": "05:55"}]
    bench.set("close", {"time_zone": "UTC", "steps": steps, "open_period": {"every": "day", "at": "05:55"}})
    bench.later = datetime(2026, 3, 2, tzinfo=UTC) - datetime.now(UTC)  # a day within the connection's calendar
    [found] = [one for one in bench.report("demo").findings if "Night shift" in one.said]
    assert (BEWARE, MODEL_BUILDER) == (found.state, found.who)
    assert "Night shift is due at 2026-03-02 06:00 UTC, and a load by the close calendar at 05:55 UTC" in found.said


def test_a_clock_of_the_erp_alone_is_its_administrators(
    sandbox: Sandbox, kinetic: Sandbox, store: Store, tmp_path: Path
) -> None:
    """Where Anaplan agrees with this machine, the ERP's server is the one that is wrong."""
    bench = bench_of(sandbox, "demo", store, tmp_path)
    for name in ("auth_url", "api_url", "cloudworks_url"):
        bench.set(f"anaplan.{name}", kinetic.info["anaplan"][name])
    sandbox.clock.advance(3600)
    [found] = [one for one in bench.report("demo").findings if one.check == "clocks"]
    assert (MISSING, ERP_ADMINISTRATOR) == (found.state, found.who)
    assert found.said.startswith("The clocks differ: Acumatica is ")
    assert found.said.endswith(" ahead of this machine.")


OTHER_WAYS = [
    {"actuals.import": "", "actuals.process": "Nightly GL Actuals"},
    {"actuals.export": "", "actuals.read_back": {"by": "view", "name": "GL01 Actuals.Integration"}},
    {"actuals.export": "", "actuals.read_back": {"by": "large_read", "name": "GL01 Actuals.Integration"}},
    {"plans.budget.export": "", "plans.budget.view": "PL01 Plan.For the ERP"},
    {"erp.read": "balances"},
    {"erp.lines_from": "transactions"},
    {"lists": {"accounts": {"by": "items"}, "cost_centers": {"by": "items"}}},
]


@pytest.mark.parametrize(
    "said", OTHER_WAYS, ids=lambda said: next(iter(said)) + " " + str(list(said.values())[-1])[:30]
)
@pytest.mark.prove
def test_other_ways_are_fine_as_well(said: dict[str, Any], sandbox: Sandbox, store: Store, tmp_path: Path) -> None:
    """Whatever a connection chooses: a healthy one is ready, and everything could be looked at."""
    bench = bench_of(sandbox, "demo", store, tmp_path)
    for path, value in said.items():
        bench.set(path, value)
    report = bench.report("demo")
    assert (READY, []) == (report.state, [one for one in report.findings if one.state in {MISSING, NOT_CHECKED}])
    require_nothing_left(sandbox)


def test_the_page_is_for_a_finance_person(sandbox: Sandbox, store: Store, tmp_path: Path) -> None:
    """What to do stands first, by person; names are written as they are, never as markup; nothing is fetched from elsewhere."""
    bench = bench_of(sandbox, "demo", store, tmp_path)
    bench.set("anaplan.model", "<b>Model</b>")
    report = bench.report("demo")
    page = page_of([report])
    assert page.index("What is to be done") < page.index("Finance-systems engineer") < page.index("Everything")
    assert "&lt;b&gt;Model&lt;/b&gt;" in page
    assert [] == [one for one in ("<b>Model", "<script", "http-equiv", "@import", "src=", "href=") if one in page]
    table = as_table(report)
    assert (MISSING, len(report.findings)) == (table["state"].iloc[0], len(table))


def test_every_check_stands_behind_those_it_needs(demo: Named, demo_epicor: Named) -> None:
    """A name that no check has, or one that comes later, would be taken for passed."""
    for named in (demo, demo_epicor):
        with open_premises(named) as premises:
            checks = all_checks(premises)
        names = [check.name for check in checks]
        assert len(names) == len(set(names))
        for at, check in enumerate(checks):
            assert set(check.needs) <= set(names[:at]), check.name
