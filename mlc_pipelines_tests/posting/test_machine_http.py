"""P01 to P05, P13 and group G at random: real engine, real register, real HTTP. Over both that have plan books."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines_tests.posting.http_month import WORKERS, Month
from mlc_pipelines_tests.posting.network import Network
from mlc_pipelines_tests.posting.offices import Ironvale, Meridian, Office, few_journals

OFFICES = {"Acumatica": Meridian, "Epicor": Ironvale}
LONG = [("Acumatica", 490)] * 4 + [("Epicor", 40)]
"""Months of each share, 2,000 in all. A journal takes eight times the requests in Kinetic."""
STEPS = 60


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[Sandbox]:
    """Of this file alone: most of its journals are taken away."""
    with Sandbox.start() as sandbox:
        few_journals(sandbox)
        yield sandbox


@pytest.fixture
def quick_register(register):
    """The same database without waiting for the disk: no power is cut here."""
    register.engine.dispose()
    sa.event.listen(register.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return register


def run_in(name: str, sandbox: Sandbox, register, months: int, steps: int, share: int = 0) -> type[Month]:
    with ExitStack() as opened:
        return run(OFFICES[name](sandbox, len(WORKERS) + 1, opened), register, months, steps, share)


def run(office: Office, register, months: int, steps: int, share: int) -> type[Month]:
    """Each share has months of its own, the same ones each time: what was seen clean stays clean until somebody changes the engine."""
    network = Network(office.is_write)
    here = type("Here", (Month,), {"office": office, "shared": register, "network": network, "met": Counter()})
    seed(share)(here)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=months, stateful_step_count=steps, deadline=None, suppress_health_check=checks)
    with network.between():
        run_state_machine_as_test(here, settings=how)
    return here


@pytest.mark.parametrize(("name", "months"), [("Acumatica", 5), ("Epicor", 1)])
def test_no_month_over_http_doubles_or_loses_a_journal(name, months, own_sandbox, quick_register) -> None:
    """The short form."""
    run_in(name, own_sandbox, quick_register, months, 20)


@pytest.mark.prove
@pytest.mark.parametrize("share", range(len(LONG)))
def test_no_long_row_of_months_over_http_does(share, own_sandbox, quick_register, capsys) -> None:
    """The long form, in shares that run side by side."""
    (name, months), begun = LONG[share], time.monotonic()
    ran = run_in(name, own_sandbox, quick_register, months, STEPS, share)
    with capsys.disabled():
        print(f"\n{name}: {ran.steps:,} steps over HTTP in {time.monotonic() - begun:.0f} s: {dict(ran.met)}")  # noqa: T201
    assert months * STEPS * 85 // 100 <= ran.steps
    assert ran.met["SEALED"]
