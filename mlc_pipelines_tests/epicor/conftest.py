"""The client pointed at the sandbox, as any test wants it."""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential, PlanJournalsRule
from mlc_pipelines.epicor.journals import PlanJournals
from mlc_pipelines.flows.clerk import PostingDesk
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.epicor.planning import Clock, Door, Person, desk_of

Connect = Callable[..., Epicor]


@pytest.fixture(scope="session", autouse=True)
def _books_at_rest(running_sandbox: Sandbox) -> Iterator[None]:
    """The seeded books are millions of objects that never go away: the collector need not look through them in each test."""
    assert running_sandbox.ironvale
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


_SEEDED: dict[str, Any] = {}
_DEEDS = {"meanwhile", "lagging_lines", "uncommitted", "balance_segments"}
"""Switches that leave traces in the tables."""


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The sample company as it was seeded: made anew where a test changed the books, and only tidied up where none did."""
    books, now = running_sandbox.ironvale, running_sandbox.switches["epicor"]
    changed = {name: value for name, value in _SEEDED.get("switches", {}).items() if now[name] != value}
    if books is not _SEEDED.get("books") or books.revision != _SEEDED["revision"] or changed.keys() & _DEEDS:
        running_sandbox.reset()
        books = running_sandbox.ironvale
        _SEEDED.update(books=books, revision=books.revision, switches=running_sandbox.switches["epicor"])
        return running_sandbox
    running_sandbox.set_switches(epicor=changed)
    running_sandbox.kinetic.end_sessions()
    running_sandbox.kinetic.revoke()
    running_sandbox.clock.reset()
    running_sandbox.traffic.clear()
    return running_sandbox


@pytest.fixture
def december() -> FiscalPeriod:
    """The third period of the fiscal year 2026: five weeks to 27 December 2025."""
    return from_iso("FY2026-P03", "2025-11-23", "2025-12-27")


@pytest.fixture
def credential(sandbox: Sandbox) -> EpicorCredential:
    erp = sandbox.info["epicor"]
    names = ("api_key", "username", "password", "client_id", "client_secret")
    return EpicorCredential(*(Secret(erp[name], name) for name in names), "demo-epicor")


@pytest.fixture
def config(sandbox: Sandbox) -> Callable[..., EpicorConfig]:
    """A connection to the sandbox; few attempts, so that a test of a lasting fault is short."""
    erp = sandbox.info["epicor"]

    def build(**changes: Any) -> EpicorConfig:
        said = {name: erp[name] for name in ("url", "company", "book")}
        return EpicorConfig(**{**said, "cost_center_segment": 2, "limits": Limits(attempts=3), **changes})

    return build


@pytest.fixture
def connect(config: Callable[..., EpicorConfig], credential: EpicorCredential) -> Connect:
    """A client of the sandbox, to be used as a context manager; it does not wait between attempts."""

    def build(*, credential: EpicorCredential = credential, **changes: Any) -> Epicor:
        return Epicor(config(**changes), credential, sleep=lambda _: None)

    return build


@pytest.fixture
def ledger(connect: Connect) -> Iterator[Epicor]:
    """A client whose session is closed at the end of the test."""
    with ExitStack() as open_ones:
        yield open_ones.enter_context(connect())


# -- plans --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def door(sandbox: Sandbox) -> Door:
    return Door(sandbox)


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    return Person(sandbox)


@pytest.fixture
def books(ledger: Epicor) -> PlanJournals:
    """The plan book of the sample company."""
    return ledger.plan_journals(PlanJournalsRule(book="PLAN", journal_code="BU"))


@pytest.fixture
def register(fresh_database: Path, tmp_path: Path) -> Iterator[Postings]:
    shutil.copy(fresh_database, tmp_path / "mlc.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'mlc.db'}")
    yield Postings(engine, "demo_epicor", who="r.diaz", run="run-1")
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(books: PlanJournals, register: Postings, clock: Clock) -> PostingDesk:
    """The engine over the plan book: waiting takes no time."""
    return desk_of(books, register, clock)
