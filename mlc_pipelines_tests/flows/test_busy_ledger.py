"""Somebody posts between the lines and the trial balance: the leg fails and says so, and the next reading agrees."""

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.steps import LINES_MATCH_LEDGER
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.sandbox.server import Sandbox

YEAR = [f"FY2026-P{number:02d}" for number in range(1, 13)]


def post_before(sandbox: Sandbox, call: str, period: str) -> None:
    """A journal of 10.00 on 6100, booked at the moment when this call arrives."""
    lines = [
        {"account": "6100", "subaccount": "010-000", "debit": "10.00"},
        {"account": "1010", "subaccount": "010-000", "credit": "10.00"},
    ]
    deed = {"kind": "control", "path": "/control/journals", "body": {"period": period, "lines": lines}}
    sandbox.traffic.plant({"match": call, "action": deed})


def require_read_over(desk: Desk, sandbox: Sandbox, period: str) -> int:
    """How many lines the second reading has."""
    sandbox.traffic.clear_faults()
    post_before(sandbox, "AccountSummaryInquiry", period)
    with pytest.raises(DataError, match=r"(?s)6100.*figures may have been posted while they were read") as caught:
        read_slice(desk, period)
    assert LINES_MATCH_LEDGER == caught.value.leg
    report = read_slice(desk, period)
    truth = sandbox.books.truth("ACTUAL", period)
    assert (True,) == tuple(leg.agreed for leg in report.legs)
    assert sum(row.debit_minor for row in truth) == report.amounts["debits"].minor
    assert len(sandbox.books.posted_lines("ACTUAL", period)) == report.counts["lines"]
    return report.counts["lines"]


def test_d01_d11_a_journal_between_lines_and_trial_balance(desk: Desk, sandbox: Sandbox) -> None:
    """The inquiry is one answer; what comes after it is missing in the lines alone, to the cent."""
    sandbox.set_switches(acumatica={"order": "scrambled"})
    assert require_read_over(desk, sandbox, "FY2026-P03")


@pytest.mark.prove
def test_d01_d11_a_year_of_100_000_lines(desk: Desk, sandbox: Sandbox) -> None:
    """In each of twelve periods of a year somebody posts in between; the next reading of each agrees, 100,000 lines in all."""
    from mlc_pipelines_tests.acumatica.test_busy import fill

    for key in YEAR:
        fill(sandbox.books, key, 100, 76)
    sandbox.set_switches(acumatica={"order": "scrambled"})
    assert 100_000 <= sum(require_read_over(desk, sandbox, key) for key in YEAR)
