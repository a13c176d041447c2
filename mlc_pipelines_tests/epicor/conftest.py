"""The client pointed at the sandbox, as any test wants it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret

Connect = Callable[..., Epicor]


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
