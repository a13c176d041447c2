"""Balances: waited for until every line is in them, and refused where they do not add up."""

from collections.abc import Callable
from typing import Any

import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.ledger.errors import DataError, TransientError, WaitingError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Epicor]
BALANCES = r"GLPeriodBalSearches\?.*SegValue1"


@pytest.fixture
def closing() -> FiscalPeriod:
    """The closing period of 2026, the last one with lines whose year has been opened."""
    return from_iso("FY2026-P13", "2026-09-26", "2026-09-26", adjustment=True)


def spoil(sandbox: Sandbox, pattern: str, text: str, times: int = -1) -> Any:
    action = {"kind": "replace", "pattern": pattern, "with": text}
    return sandbox.traffic.plant({"match": BALANCES, "times": times, "action": action})


def test_d11_lines_that_are_not_in_the_balances_yet_are_waited_for(
    connect: Connect, sandbox: Sandbox, closing: FiscalPeriod
) -> None:
    """And when they do not come, the run ends as waiting and says how many are missing, and who can help."""
    sandbox.set_switches(epicor={"lagging_lines": 7})
    with connect(balance_wait_seconds=60) as ledger:
        with pytest.raises(
            WaitingError,
            match=r"^WAITING: Kinetic has not added \d+ posted lines of book MAIN up to FY2026-P13(?s:.*)GL Batch Balances",
        ):
            ledger.read_trial_balance(closing)
        assert ledger.identity().ledger


@pytest.mark.prove
def test_d11_lines_that_arrive_meanwhile(
    config: Callable[..., EpicorConfig], credential: EpicorCredential, sandbox: Sandbox, closing: FiscalPeriod
) -> None:
    """The run goes on by itself."""
    sandbox.set_switches(epicor={"lagging_lines": 7})

    def sleep(seconds: float) -> None:
        sandbox.set_switches(epicor={"lagging_lines": 0})

    with Epicor(config(), credential, sleep=sleep) as ledger:
        trial = ledger.read_trial_balance(closing)
    assert sum(debit for *_, debit, _ in sandbox.ironvale.truth("MAIN", closing.key)) == trial["debit_minor"].sum()


@pytest.mark.prove
def test_lines_that_lag_in_a_later_year_do_not_matter(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """The balances of a period rest on the lines of its year up to it."""
    sandbox.set_switches(epicor={"lagging_lines": 7})
    with connect(balance_wait_seconds=0) as ledger:
        assert ledger.read_trial_balance(december)["debit_minor"].sum() > 0


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        (r'("FiscalPeriod":2.*?"BalanceAmt":)-?[1-9]', r"\g<1>1", "does not add up: BalanceAmt is"),
        (r'"BalanceType":"[DB]"', '"BalanceType":"S"', "BalanceType is 'S', expected was B or D"),
        (r'"COACode":"MAIN"', '"COACode":"OTHER"', "COACode is 'OTHER'"),
        (r'"FiscalYearSuffix":""', '"FiscalYearSuffix":"T"', "FiscalYearSuffix is 'T'"),
        (r'"FiscalCalendarID":"F445"', '"FiscalCalendarID":"CAL12"', "FiscalCalendarID is 'CAL12'"),
        (r'"FiscalPeriod":2', '"FiscalPeriod":9', "FiscalPeriod is 9"),
        (r'"DebitAmt":[\d.]+', '"DebitAmt":"x"', "DebitAmt"),
    ],
)
def test_a_balance_that_is_wrong_or_was_not_asked_for_is_named(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, pattern: str, text: str, said: str
) -> None:
    """By account, type, year and period; rows of another family, chart, calendar or year are never mixed in."""
    fault = spoil(sandbox, pattern, text)
    with connect() as ledger, pytest.raises(DataError) as caught:
        ledger.read_balances(december)
    assert said in str(caught.value)
    assert "Balance of " in str(caught.value)
    assert fault.fired


def test_balances_that_change_while_they_are_read(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Read again, so that all rows stood so at one moment; told when they never rest."""
    sandbox.set_switches(epicor={"meanwhile": "insert", "meanwhile_times": 1})
    with connect() as ledger:
        trial = ledger.read_trial_balance(december)
    assert trial["debit_minor"].sum() == trial["credit_minor"].sum()


@pytest.mark.prove
def test_balances_that_never_rest(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Each reading finds a row newer than when it began."""
    spoil(sandbox, r'"SysRevID":(\d+)(?!.*SysRevID)', r'"SysRevID":9\1')
    with connect() as ledger, pytest.raises((TransientError, DataError)):
        ledger.read_balances(december)
