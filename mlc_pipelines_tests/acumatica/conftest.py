"""The client pointed at the sandbox, as any test wants it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod, monthly_calendar
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.acumatica.plans import STAT, Posting

Connect = Callable[..., Acumatica]


@pytest.fixture
def calendar() -> FiscalCalendar:
    return monthly_calendar(2025, 2027, first_month=7, adjustment=True)


@pytest.fixture
def march(calendar: FiscalCalendar) -> FiscalPeriod:
    """The third period of the fiscal year 2026: September 2025."""
    return calendar.period("FY2026-P03")


@pytest.fixture
def credential(sandbox: Sandbox) -> AcumaticaCredential:
    erp = sandbox.info["acumatica"]
    return AcumaticaCredential(
        Secret(erp["username"], "username"),
        Secret(erp["password"], "password"),
        Secret(erp["client_id"], "client_id"),
        Secret(erp["client_secret"], "client_secret"),
        "demo-acumatica",
    )


@pytest.fixture
def config(sandbox: Sandbox) -> Callable[..., AcumaticaConfig]:
    """A connection to the sandbox; few attempts, so that a test of a lasting fault is short."""
    erp = sandbox.info["acumatica"]

    def build(**changes: Any) -> AcumaticaConfig:
        said = {name: erp[name] for name in ("url", "tenant", "company", "ledger")}
        return AcumaticaConfig(**{**said, "limits": Limits(attempts=3), **changes})

    return build


@pytest.fixture
def connect(config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential) -> Connect:
    """A client of the sandbox, to be used as a context manager; it does not wait between attempts."""

    def build(*, credential: AcumaticaCredential = credential, **changes: Any) -> Acumatica:
        return Acumatica(config(**changes), credential, sleep=lambda _: None)

    return build


@pytest.fixture
def ledger(connect: Connect) -> Iterator[Acumatica]:
    """A client that is signed out at the end of the test."""
    with ExitStack() as open_ones:
        yield open_ones.enter_context(connect())


@pytest.fixture(scope="module")
def posting_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = tmp_path_factory.mktemp("home")
    opened = Store.open(home, f"sqlite:///{home / 'mlc.db'}")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def register(posting_store: Store, request: pytest.FixtureRequest) -> Postings:
    """Empty for each test."""
    with posting_store.engine.begin() as db:
        for table in ("posting_events", "postings"):
            db.exec_driver_sql(f"delete from {table}")
    return posting_store.postings("demo", who="r.diaz", run=request.node.name)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def posting(connect, sandbox, register, opened) -> Posting:
    return Posting(sandbox, opened.enter_context(connect()).plan_journals(STAT), register)
