"""A period travels from ledger to plan and is proved equal; what changed in between is followed, what vanished becomes zero."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.ledger.errors import DataError, PipelineError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly, store_demo_credentials

PERIOD, LABEL = "FY2026-P03", "Sep 25"
CREDIT_POSITIVE = {"Income", "Liability"}


def expected_cells(sandbox: Sandbox, period: str) -> dict[tuple[str, str], Decimal]:
    """What the model must hold, from the sandbox's own books: an independent recount of mapping, signs and suspense."""
    cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for account, subaccount, _branch, debit, credit in sandbox.books.truth("ACTUAL", period):
        known = account not in {"7770", "8880"}
        member = f"A{account}" if known else "A_UNMAPPED"
        sign = -1 if known and sandbox.books.accounts[account].type in CREDIT_POSITIVE else 1
        cells[member, f"CC_{subaccount.split('-')[0]}"] += sign * (Decimal(debit - credit) / 100)
    return {key: amount for key, amount in cells.items() if amount}


def held_cells(sandbox: Sandbox, label: str, version: str = "Actual") -> dict[tuple[str, str], Decimal]:
    """What the model holds, by the sandbox's own word."""
    cells = sandbox.tenant.truth_cells()
    return {
        (cell["account"], cell["cost_center"]): Decimal(cell["amount"])
        for cell in cells
        if (cell["period"], cell["version"]) == (label, version) and Decimal(cell["amount"])
    }


def test_a_period_arrives_to_the_cent(desk: Desk, sandbox: Sandbox) -> None:
    """Afterwards the model holds exactly the posted figures, on the right members, in the planners' signs."""
    refresh_reference(desk)
    reports = load_actuals(desk, PERIOD)
    assert expected_cells(sandbox, PERIOD) == held_cells(sandbox, LABEL)
    assert ["lines_match_ledger", "cells_match_lines", "rows_all_taken", "model_matches_cells"] == [
        leg.name for report in reports for leg in report.legs if leg.agreed
    ]


def test_the_adjustment_period_lands_on_its_own_version(desk: Desk, sandbox: Sandbox) -> None:
    """P13 shares June's label; its version keeps it from overwriting P12."""
    refresh_reference(desk)
    load_actuals(desk, "FY2026-P12")
    load_actuals(desk, "FY2026-P13")
    assert expected_cells(sandbox, "FY2026-P12") == held_cells(sandbox, "Jun 26")
    assert expected_cells(sandbox, "FY2026-P13") == held_cells(sandbox, "Jun 26", "Actual Adj")


def test_unmapped_codes_are_shown_with_their_money_and_parked(desk: Desk, sandbox: Sandbox) -> None:
    """7770 and 8880 have no member: they are listed, and their money stands on the suspense member, to the cent."""
    refresh_reference(desk)
    load_actuals(desk, PERIOD)
    report = write_slice(desk, PERIOD)
    parked = [row for row in sandbox.books.truth("ACTUAL", PERIOD) if row[0] in {"7770", "8880"}]
    assert {"7770", "8880"} == set(report.tables["Unmapped codes"]["account"])
    assert sum(row[3] - row[4] for row in parked) == sum(
        int(amount * 100) for (account, _), amount in held_cells(sandbox, LABEL).items() if account == "A_UNMAPPED"
    )


def test_e17_recoding_a_line_moves_its_money_and_leaves_a_zero(desk: Desk, sandbox: Sandbox) -> None:
    """E17: re-coding the only line of a cell from cost center A to B and loading again leaves A at 0, B at the amount, total unchanged."""
    late = sandbox.books.post(
        "ACTUAL",
        PERIOD,
        "HQ",
        "Posted",
        "One line that will move",
        [Line(1, "5010", "110-TEC", "HQ", 12345, 0), Line(2, "1010", "010-000", "HQ", 0, 12345)],
        now=sandbox.clock.now(),
    )
    moved = late.lines[0]
    refresh_reference(desk)
    load_actuals(desk, PERIOD)
    before = held_cells(sandbox, LABEL)
    sandbox.books.recode(late.number, moved.number, subaccount="120-TEC", now=sandbox.clock.now())
    load_actuals(desk, PERIOD)
    after = held_cells(sandbox, LABEL)
    key_a, key_b = (f"A{moved.account}", "CC_110"), (f"A{moved.account}", "CC_120")
    assert before.get(key_a, Decimal(0)) - Decimal("123.45") == after.get(key_a, Decimal(0))
    assert before.get(key_b, Decimal(0)) + Decimal("123.45") == after.get(key_b, Decimal(0))
    assert sum(before.values()) == sum(after.values())
    assert expected_cells(sandbox, PERIOD) == after


def test_loading_twice_changes_nothing(desk: Desk, sandbox: Sandbox) -> None:
    """The same slice gives the same bytes and the same model."""
    refresh_reference(desk)
    first = load_actuals(desk, PERIOD)
    held = held_cells(sandbox, LABEL)
    second = load_actuals(desk, PERIOD)
    assert held == held_cells(sandbox, LABEL)
    assert [report.artefact for report in first[:1]] == [report.artefact for report in second[:1]]


def test_e17_cells_of_an_earlier_filling_become_zero(desk: Desk, sandbox: Sandbox) -> None:
    """A figure that stood in the slice before the first load of this installation, and that the ledger does not have, is set to zero."""
    refresh_reference(desk)
    sandbox.tenant.edit_cell(("A1010", "CC_120", LABEL, "Actual"), Decimal("77.00"))
    load_actuals(desk, PERIOD)
    assert expected_cells(sandbox, PERIOD) == held_cells(sandbox, LABEL)


def test_stop_lists_the_codes_and_sends_nothing(demo: Named, sandbox: Sandbox) -> None:
    """With `unmapped: stop` the slice stops, naming codes and money, and no byte reaches the plan."""
    stopping = demo.settings.model_copy(
        update={"mapping": demo.settings.mapping.model_copy(update={"unmapped": "stop"})}
    )
    with open_desk(Named("demo", demo.file, stopping)) as desk:
        refresh_reference(desk)
        with pytest.raises(DataError, match="account 7770") as caught:
            load_actuals(desk, PERIOD)
    assert "Nothing was sent" in str(caught.value)
    assert {"7770", "8880"} == set(caught.value.evidence["Unmapped codes"]["account"])
    assert {} == held_cells(sandbox, LABEL)


def test_the_import_refuses_a_file_older_than_the_figures(desk: Desk, sandbox: Sandbox) -> None:
    """A late journal read by gl_actuals makes the file stale: the import says which step to run and sends nothing."""
    refresh_reference(desk)
    read_slice(desk, PERIOD)
    write_slice(desk, PERIOD)
    late = [Line(1, "1010", "010-000", "HQ", 100, 0), Line(2, "5010", "010-000", "HQ", 0, 100)]
    sandbox.books.post("ACTUAL", PERIOD, "HQ", "Posted", "late", late, now=sandbox.clock.now())
    read_slice(desk, PERIOD)
    with pytest.raises(DataError, match="older figures"):
        load_slice(desk, PERIOD)
    assert {} == held_cells(sandbox, LABEL)


def test_every_attempt_is_remembered(desk: Desk) -> None:
    """The file is written down before it is sent, and how the attempt ended afterwards."""
    refresh_reference(desk)
    reports = load_actuals(desk, PERIOD)
    loads = desk.store.history.loads("demo", PERIOD)
    assert [AGREED] == [load.state for load in loads]
    assert reports[-1].artefact == loads[0].sent


def test_the_whole_way_over_tls(home: Path) -> None:
    """Both systems behind https with an authority of their own, which the connection names; without it the certificate is refused."""
    with Sandbox.start(tls=True) as secure:
        store_demo_credentials(secure, Store.open())
        demo = find("demo").settings
        own = {"ca_file": secure.info["ca_file"]}
        erp = demo.erp.model_copy(update={"url": secure.info["acumatica"]["url"], **own})
        addresses = {name: secure.info["anaplan"][name] for name in ("auth_url", "api_url")}
        plan = demo.anaplan.model_copy(update={**addresses, **own})
        trusting = Named("demo", home, demo.model_copy(update={"erp": erp, "anaplan": plan}))
        with open_desk(trusting, sleep=briefly) as desk:
            refresh_reference(desk)
            load_actuals(desk, PERIOD)
        assert expected_cells(secure, PERIOD) == held_cells(secure, LABEL)
        doubting = Named(
            "demo", home, trusting.settings.model_copy(update={"erp": erp.model_copy(update={"ca_file": None})})
        )
        with pytest.raises(PipelineError, match="certificate"), open_desk(doubting, sleep=briefly) as desk:
            refresh_reference(desk)
