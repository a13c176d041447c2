"""AP spend travels from the vendors' invoices into the plan, proved against the ledger; what is not spend is told apart."""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.spend import load_spend, read_spend_slice
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.sandbox.ironvale import NO_PLAN_CENTER, NO_PLAN_MEMBER, NO_PLAN_VENDOR
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

PERIOD, LABEL, LATER = "FY2026-P03", "P03 FY26", "FY2026-P05"
MONEY = r"-?[\d,]+\.\d\d USD"
Cells = dict[tuple[str, str, str], Decimal]


@pytest.fixture
def desk(demo_epicor: Named) -> Iterator[Desk]:
    with open_desk(demo_epicor, sleep=briefly) as at_work:
        refresh_reference(at_work)
        yield at_work


def expected_cells(sandbox: Sandbox, period: str = PERIOD) -> Cells:
    """From the sandbox's own books: an independent recount of mapping and suspense."""
    cells: Cells = defaultdict(Decimal)
    for vendor, account, dept, minor in sandbox.ironvale.spend_truth(period, expense_only=True):
        key = (
            f"V_{vendor}" if vendor != NO_PLAN_VENDOR else "V_NONE",
            f"A{account}" if account not in NO_PLAN_MEMBER else "A_UNMAPPED",
            f"CC_{dept}" if dept not in {"", NO_PLAN_CENTER} else "CC_NONE",
        )
        cells[key] += Decimal(minor) / 100
    return {key: amount for key, amount in cells.items() if amount}


def held_cells(sandbox: Sandbox, label: str = LABEL, version: str = "Actual") -> Cells:
    info = sandbox.info["anaplan_ironvale"]
    return {
        (cell["vendor"], cell["account"], cell["cost_center"]): Decimal(cell["amount"])
        for cell in sandbox.tenant.truth_cells(info["model_id"], module=info["module_spend"])
        if (cell["period"], cell["version"]) == (label, version) and Decimal(cell["amount"])
    }


def bill(sandbox: Sandbox, number: str, minor: int, period: str = PERIOD, **more: int) -> None:
    """A vendor charges an amount to maintenance of department 110; below zero it is a credit memo."""
    vendor = next(one.code for one in sandbox.ironvale.vendors.values() if one.company == "IVM" and one.active)
    expenses = [("6010", "110", "MF", minor)] if minor else []
    sandbox.ironvale.post_invoice(vendor, number, period, expenses, now=sandbox.clock.now(), **more)


def test_spend_arrives_to_the_cent(desk: Desk, sandbox: Sandbox) -> None:
    """By vendor, expense account and cost center; all legs agreed; vendors without a member are parked with their money."""
    reports = load_spend(desk, PERIOD)
    assert expected_cells(sandbox) == held_cells(sandbox)
    legs = [
        "spend_matches_ledger",
        "invoices_match_ledger",
        "cells_match_lines",
        "rows_all_taken",
        "model_matches_cells",
    ]
    assert legs == [leg.name for report in reports for leg in report.legs if leg.agreed]
    assert NO_PLAN_VENDOR in set(reports[1].tables["Unmapped codes"]["vendor"])


def test_actuals_and_spend_do_not_disturb_each_other(desk: Desk, sandbox: Sandbox) -> None:
    """Each has loads of its own; loading one leaves the other's cells and history alone."""
    load_spend(desk, PERIOD)
    held = held_cells(sandbox)
    load_actuals(desk, PERIOD)
    assert held == held_cells(sandbox)
    history = desk.store.history
    for feed in ("actuals", "ap_spend"):
        assert [AGREED] == [load.state for load in history.loads("demo_epicor", PERIOD, feed=feed)]


def test_credit_memos_and_cancellations_count(desk: Desk, sandbox: Sandbox) -> None:
    """A credit memo lowers spend; a cancelled invoice stands in its own period and is taken back in that of its twin."""
    before = Decimal(sum(expected_cells(sandbox).values()))
    bill(sandbox, "B-1", 50_000)
    bill(sandbox, "B-2", -20_000)
    vendor = next(one.code for one in sandbox.ironvale.vendors.values() if one.company == "IVM" and one.active)
    sandbox.ironvale.cancel_invoice(vendor, "B-1", LATER, now=sandbox.clock.now())
    load_spend(desk, PERIOD)
    load_spend(desk, LATER)
    assert before + 300 == sum(held_cells(sandbox).values())
    assert expected_cells(sandbox, LATER) == held_cells(sandbox, "P05 FY26")


def test_an_invoice_that_only_clears_a_receipt_is_counted_and_is_no_spend(desk: Desk, sandbox: Sandbox) -> None:
    """It has lines in the ledger and no distribution: both sides know it."""
    before = read_spend_slice(desk.on_spend(), PERIOD)
    bill(sandbox, "R-1", 0, received_minor=77_700)
    after = read_spend_slice(desk.on_spend(), PERIOD)
    assert 1 == after.counts["invoices"] - before.counts["invoices"]
    assert before.amounts == after.amounts


def test_what_is_not_spend_is_told_apart(desk: Desk, sandbox: Sandbox) -> None:
    """Prepayments, machines and tax stand on balance-sheet accounts: they are listed, and not in the total."""
    report = read_spend_slice(desk.on_spend(), PERIOD)
    apart = report.tables["On other accounts, and payments: not spend"]
    expense = {row.account for row in sandbox.ironvale.spend_truth(PERIOD, expense_only=True)}
    assert len(apart)
    assert not set(apart["account"][apart["origin"] == "invoice"]) & expense
    assert (
        sum(row.net_minor for row in sandbox.ironvale.spend_truth(PERIOD, expense_only=True))
        == report.amounts["spend"].minor
    )


def test_a_line_recoded_in_the_ledger_alone_breaks_the_leg(desk: Desk, sandbox: Sandbox) -> None:
    """D11: the ledger says another account than the invoice: vendor, account, cost center and difference are named, nothing is sent."""
    bill(sandbox, "B-3", 12_345)
    [journal] = [one for one in sandbox.ironvale.journals_of("MAIN", PERIOD) if one.invoice == "B-3"]
    place = next(at for at, line in enumerate(journal.lines, start=1) if line.account == "6010")
    sandbox.ironvale.recode(PERIOD, journal.name, place, account="6020")
    with pytest.raises(DataError) as caught:
        load_spend(desk, PERIOD)
    assert "spend_matches_ledger" == caught.value.leg
    assert re.search(
        rf"vendor \S+ account 60\d0 cost_center 110: {MONEY} against {MONEY}, difference -?123\.45 USD",
        str(caught.value),
    )
    assert {} == held_cells(sandbox)


def test_an_invoice_that_is_missing_from_the_answer_is_found(desk: Desk, sandbox: Sandbox) -> None:
    """D04: invoices lost on the way stand in the ledger all the same: nothing is sent."""
    sandbox.set_switches(epicor={"drop_rows": {"APInvoices": 2}})
    with pytest.raises(DataError) as caught:
        load_spend(desk, PERIOD)
    assert PERIOD in str(caught.value)
    assert {} == held_cells(sandbox)


def test_stop_lists_vendors_without_a_member(demo_epicor: Named, sandbox: Sandbox) -> None:
    """With `unmapped: stop` the vendor is named with its money, and no byte reaches the plan."""
    mapping = demo_epicor.settings.mapping.model_copy(update={"unmapped": "stop"})
    stopping = Named(demo_epicor.name, demo_epicor.file, demo_epicor.settings.model_copy(update={"mapping": mapping}))
    with open_desk(stopping, sleep=briefly) as desk:
        refresh_reference(desk)
        read_spend_slice(desk.on_spend(), PERIOD)
        with pytest.raises(DataError, match="have no member in the plan") as caught:
            write_slice(desk.on_spend(), PERIOD)
    assert NO_PLAN_VENDOR in set(caught.value.evidence["Unmapped codes"]["vendor"])


def test_a_connection_without_spend_says_so(demo: Named) -> None:
    """Nothing is read for a kind of figures that nobody declared."""
    with open_desk(demo, sleep=briefly) as desk, pytest.raises(SetupError, match="declares no AP spend"):
        load_spend(desk, PERIOD)
