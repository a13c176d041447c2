"""A period travels from ledger to plan and is proved equal; what changed in between is followed, what vanished becomes zero. On every ERP."""

from decimal import Decimal
from pathlib import Path

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import AGREED
from mlc_pipelines_tests.battery.houses import (
    ADJUSTMENT,
    PERIOD,
    House,
    expected_cells,
    held_cells,
    nothing_reached_the_plan,
    opened,
    place,
)


def test_a_period_arrives_to_the_cent(desk: Desk, house: House) -> None:
    """Afterwards the model holds exactly the posted figures, on the right members, in the planners' signs."""
    reports = load_actuals(desk, PERIOD)
    assert expected_cells(house, PERIOD) == held_cells(house, PERIOD)
    legs = ["lines_match_ledger", "signs_match_classes", "cells_match_lines", "rows_all_taken", "model_matches_cells"]
    assert legs == [leg.name for report in reports for leg in report.legs if leg.agreed]


@pytest.mark.prove
def test_the_adjustment_period_lands_on_its_own_version(desk: Desk, house: House) -> None:
    """P13 shares the label of P12; its version keeps it from overwriting it."""
    load_actuals(desk, "FY2026-P12")
    load_actuals(desk, ADJUSTMENT)
    assert place(house, "FY2026-P12")[0] == place(house, ADJUSTMENT)[0]
    assert expected_cells(house, "FY2026-P12") == held_cells(house, "FY2026-P12")
    assert expected_cells(house, ADJUSTMENT) == held_cells(house, ADJUSTMENT)
    assert held_cells(house, ADJUSTMENT)


def test_codes_are_texts(desk: Desk) -> None:
    """Account "0010" stays four characters, "NA" is no missing value; each account has a kind; names may hold anything."""
    accounts = desk.ledger.read_accounts()
    assert {"0010", "NA"} <= set(accounts["code"])
    assert {"Asset", "Liability", "Income", "Expense"} == set(accounts["kind"])
    assert any("," in name for name in accounts["name"])
    assert not accounts["active"].all()


def test_unmapped_codes_are_shown_with_their_money_and_parked(desk: Desk, house: House) -> None:
    """Accounts without a member are listed, and their money stands on the suspense member, to the cent."""
    load_actuals(desk, PERIOD)
    report = write_slice(desk, PERIOD)
    assert set(house.unplanned) <= set(report.tables["Unmapped codes"]["account"])
    parked = sum(minor for account, _, minor, _ in house.truth(PERIOD) if account in house.unplanned)
    held = sum(amount for (account, _), amount in held_cells(house, PERIOD).items() if account == "A_UNMAPPED")
    assert Decimal(parked) / 100 == held


def test_e17_recoding_a_line_moves_its_money_and_leaves_a_zero(desk: Desk, house: House) -> None:
    """E17, D10: re-coding the only line of a cell from cost center A to B and loading again leaves A at 0, B at the amount, total unchanged."""
    center_a, center_b = house.centers
    posted = house.post(PERIOD, house.expense, center_a, 12345)
    load_actuals(desk, PERIOD)
    before = held_cells(house, PERIOD)
    house.recode(posted, center_b)
    load_actuals(desk, PERIOD)
    after = held_cells(house, PERIOD)
    key_a, key_b = ((f"A{house.expense}", f"CC_{center}") for center in (center_a, center_b))
    assert before.get(key_a, Decimal(0)) - Decimal("123.45") == after.get(key_a, Decimal(0))
    assert before.get(key_b, Decimal(0)) + Decimal("123.45") == after.get(key_b, Decimal(0))
    assert sum(before.values()) == sum(after.values())
    assert expected_cells(house, PERIOD) == after


def test_loading_twice_changes_nothing(desk: Desk, house: House) -> None:
    """The same slice gives the same bytes and the same model."""
    first = load_actuals(desk, PERIOD)
    held = held_cells(house, PERIOD)
    second = load_actuals(desk, PERIOD)
    assert held == held_cells(house, PERIOD)
    assert [report.artefact for report in first[:1]] == [report.artefact for report in second[:1]]


def test_e17_cells_of_an_earlier_filling_become_zero(desk: Desk, house: House) -> None:
    """A figure that stood in the slice before the first load of this installation, and that the ledger does not have, is set to zero."""
    label, version = place(house, PERIOD)
    model = next(one for one in house.sandbox.tenant.models() if one.name == house.named.settings.anaplan.model)
    house.sandbox.tenant.edit_cell((f"A{house.bank}", "CC_120", label, version), Decimal("77.00"), model.id)
    load_actuals(desk, PERIOD)
    assert expected_cells(house, PERIOD) == held_cells(house, PERIOD)


def test_stop_lists_the_codes_and_sends_nothing(house: House) -> None:
    """With `unmapped: stop` the slice stops, naming codes and money, and no byte reaches the plan."""
    mapping = house.named.settings.mapping.model_copy(update={"unmapped": "stop"})
    with opened(house, mapping=mapping) as desk:
        refresh_reference(desk)
        with pytest.raises(DataError, match="have no member in the plan") as caught:
            load_actuals(desk, PERIOD)
    assert "Nothing was sent" in str(caught.value)
    assert set(house.unplanned) <= set(caught.value.evidence["Unmapped codes"]["account"])
    assert {} == held_cells(house, PERIOD)


@pytest.mark.prove
def test_the_import_refuses_a_file_older_than_the_figures(desk: Desk, house: House) -> None:
    """A late journal read by gl_actuals makes the file stale: the import says which step to run and sends nothing."""
    read_slice(desk, PERIOD)
    write_slice(desk, PERIOD)
    house.post(PERIOD, house.expense, house.centers[0], 100)
    read_slice(desk, PERIOD)
    with pytest.raises(DataError, match="other figures than the newest"):
        load_slice(desk, PERIOD)
    assert {} == held_cells(house, PERIOD)


def test_every_attempt_is_remembered(desk: Desk, house: House) -> None:
    """The file is written down before it is sent, and how the attempt ended afterwards."""
    reports = load_actuals(desk, PERIOD)
    loads = desk.store.history.loads(house.named.name, PERIOD)
    assert [AGREED] == [load.state for load in loads]
    assert reports[-1].artefact == loads[0].sent


def test_a_period_that_is_not_there_or_not_open_yet_is_refused(desk: Desk, house: House) -> None:
    """The calendar's own range is named; a period that exists but holds nothing yet is not loaded as an empty one."""
    with pytest.raises(DataError, match="FY2030-P01 does not exist"):
        read_slice(desk, "FY2030-P01")
    with pytest.raises(DataError, match="FY2027-P11"):
        read_slice(desk, "FY2027-P11")
    assert nothing_reached_the_plan(house)


def test_the_report_says_which_books_and_what_they_are_read_from(desk: Desk, house: House) -> None:
    """A person sees company, currency, whether the period is still open, and what the figures are read from."""
    report = read_slice(desk, PERIOD)
    assert report.texts["read from"]
    assert report.texts["period in the ERP"]
    books = desk.ledger.identity()
    assert (house.named.settings.erp.company, "USD") == (books.company, books.currency)
    open_now = read_slice(desk, "FY2027-P01")
    assert "provisional" in open_now.summary


def test_the_home_holds_no_secret(desk: Desk, home: Path) -> None:
    """After a load, nothing below the state folder holds a password, a token or a key in clear."""
    load_actuals(desk, PERIOD)
    secrets = [secret.encode() for secret in ("sandbox-password", "Plan-4-Meridian!")]
    files = [file for file in home.rglob("*") if file.is_file()]
    assert files
    assert not [file.name for file in files for secret in secrets if secret in file.read_bytes()]
