"""P01 to P05, P13 and group G at random: real engine, real register, real HTTP. 2,000 months of 60 steps, over all that have plan books."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines_tests.posting.http_month import WORKERS, Month
from mlc_pipelines_tests.posting.network import Network
from mlc_pipelines_tests.posting.offices import Meridian, Office, few_journals

OFFICES = {"Acumatica": Meridian}
MONTHS, STEPS, SHARES = 2_000, 60, 4


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[Sandbox]:
    """Of this file alone: most of its journals are taken away."""
    with Sandbox.start() as sandbox:
        few_journals(sandbox)
        yield sandbox


@pytest.fixture(params=OFFICES)
def office(request: pytest.FixtureRequest, own_sandbox: Sandbox) -> Iterator[Office]:
    with ExitStack() as opened:
        yield OFFICES[request.param](own_sandbox, len(WORKERS) + 1, opened)


@pytest.fixture
def quick_register(register):
    """The same database without waiting for the disk: no power is cut here."""
    register.engine.dispose()
    sa.event.listen(register.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return register


def run(office: Office, register, months: int, steps: int) -> type[Month]:
    network = Network(office.is_write)
    here = type("Here", (Month,), {"office": office, "shared": register, "network": network, "met": Counter()})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=months, stateful_step_count=steps, deadline=None, suppress_health_check=checks)
    with network.between():
        run_state_machine_as_test(here, settings=how)
    return here


def test_no_month_over_http_doubles_or_loses_a_journal(office, quick_register) -> None:
    """The short form."""
    run(office, quick_register, 6, 20)


@pytest.mark.prove
@pytest.mark.parametrize("share", range(SHARES))
def test_no_long_row_of_months_over_http_does(office, quick_register, share, capsys) -> None:
    """The long form, in shares that run side by side."""
    begun = time.monotonic()
    ran = run(office, quick_register, MONTHS // SHARES // len(OFFICES), STEPS)
    with capsys.disabled():
        print(f"\n{ran.steps:,} steps over HTTP in {time.monotonic() - begun:.0f} s: {dict(ran.met)}")  # noqa: T201
    assert MONTHS // SHARES // len(OFFICES) * STEPS * 9 // 10 <= ran.steps
