"""Several companies and branches in one connection: each by its own ledger and calendar, all of them or nothing."""

import csv
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.watch import look
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.store.history import Step
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.erps import CompanyBooks
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines.wiring.settings import SignProof
from mlc_pipelines_tests.conftest import briefly

PERIOD = "FY2025-P02"
HOME = CompanyBooks(company="MERIDIAN", ledger="ACTUAL", calendar="master")
EUROPE = CompanyBooks(company="MERIDIAN_EU", ledger="ACTUAL_EU")
EAST = CompanyBooks(company="MERIDIAN_EAST", ledger="ACTUAL")


def reading(demo: Named, *books: CompanyBooks, columns: dict[str, str] | None = None, **erp: Any) -> Named:
    """The demo connection with these books, and further columns in its file."""
    settings = demo.settings
    said = settings.erp.model_copy(update={"company": "", "ledger": "", "books": books, **erp})
    wide = settings.actuals.columns.model_copy(update=columns or {})
    no_proof = SignProof(waived="the second company posts by chance, on whichever side")
    actuals = settings.actuals.model_copy(update={"columns": wide, "sign_proof": no_proof})
    return Named("demo", demo.file, settings.model_copy(update={"erp": said, "actuals": actuals}))


def rows(desk: Desk, artefact: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = pq.read_table(desk.store.artefacts.path(artefact)).to_pylist()
    return kept


def truth(sandbox: Sandbox, ledger: str, branches: set[str], key: str = PERIOD) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in sandbox.books.truth(ledger, key):
        if row.branch in branches:
            found[row.account, row.subaccount[:3]] += row.debit_minor - row.credit_minor
    return {pair: minor for pair, minor in found.items() if minor}


def figures(found: list[dict[str, Any]], company: str = "") -> dict[tuple[str, str], int]:
    return {
        (row["account"], row["cost_center"]): row["amount_minor"]
        for row in found
        if row["amount_minor"] and row.get("company", "") == company
    }


def extract_of(desk: Desk, key: str = PERIOD) -> Step | None:
    return desk.store.history.latest_step("demo", "gl_actuals", key)


@pytest.mark.parametrize("lines_from", ["inquiry", pytest.param("transactions", marks=pytest.mark.prove)])
def test_two_companies_stand_apart_in_one_slice(demo: Named, sandbox: Sandbox, lines_from: str) -> None:
    """With a company column each company's figures are its own ledger's, in its own currency; every line kept names its books."""
    sandbox.set_switches(acumatica={"second_company": "own ledger"})
    named = reading(demo, HOME, EUROPE, columns={"company": "Company", "currency": "Currency"}, lines_from=lines_from)
    with open_desk(named, sleep=briefly) as desk:
        report = read_slice(desk, PERIOD)
        found = rows(desk, report.artefact)
        lines = rows(desk, report.texts["lines kept as"])
    assert truth(sandbox, "ACTUAL", {"HQ", "WEST"}) == figures(found, "MERIDIAN")
    assert truth(sandbox, "ACTUAL_EU", {"BERLIN"}) == figures(found, "MERIDIAN_EU")
    books = {("MERIDIAN", "ACTUAL", "USD"), ("MERIDIAN_EU", "ACTUAL_EU", "EUR")}
    assert books == {(row["company"], row["ledger"], row["currency"]) for row in lines}
    assert all(leg.agreed for leg in report.legs)
    assert "MERIDIAN Locked, MERIDIAN_EU Locked" == report.texts["period in the ERP"]


def test_the_file_keeps_companies_apart(demo: Named, sandbox: Sandbox) -> None:
    """Company and currency stand in the file beside each cell, as the ERP names them, and the file adds up by company."""
    sandbox.set_switches(acumatica={"second_company": "own ledger"})
    named = reading(demo, HOME, EUROPE, columns={"company": "Company", "currency": "Currency"})
    with open_desk(named, sleep=briefly) as desk:
        refresh_reference(desk)
        read_slice(desk, PERIOD)
        report = write_slice(desk, PERIOD)
        with desk.store.artefacts.path(report.artefact).open(encoding="utf-8", newline="") as file:
            cells = list(csv.DictReader(file))
    assert ["Account", "Cost Center", "Company", "Currency", "Period", "Version", "Amount"] == list(cells[0])
    assert {("MERIDIAN", "USD"), ("MERIDIAN_EU", "EUR")} == {(cell["Company"], cell["Currency"]) for cell in cells}
    berlin = {
        (cell["Account"], cell["Cost Center"]): Decimal(cell["Amount"])
        for cell in cells
        if cell["Company"] == "MERIDIAN_EU"
    }
    cash = {
        pair: minor
        for pair, minor in truth(sandbox, "ACTUAL_EU", {"BERLIN"}).items()
        if pair[0] in {"1010", "1030", "5010"}
    }
    assert cash
    assert {
        (f"A{account}", f"CC_{center}"): Decimal(minor) / 100 for (account, center), minor in cash.items()
    }.items() <= berlin.items()


def test_several_currencies_are_never_added_up(demo: Named, sandbox: Sandbox) -> None:
    """Without a column that keeps them apart, dollars and euros in one slice are refused by name before a figure is read."""
    sandbox.set_switches(acumatica={"second_company": "own ledger"})
    with (
        open_desk(reading(demo, HOME, EUROPE), sleep=briefly) as desk,
        pytest.raises(SetupError, match=r"(?s)MERIDIAN USD, MERIDIAN_EU EUR.*columns\.company"),
    ):
        read_slice(desk, PERIOD)
    assert not [one for one in sandbox.traffic.requests if "Inquiry" in one.path]


def test_a_period_counts_only_where_every_company_has_it(demo: Named, sandbox: Sandbox) -> None:
    """Each company goes by its own calendar: one that has not opened the period yet is named, and nothing is read; statuses stand side by side."""
    sandbox.set_switches(acumatica={"second_company": "own ledger"})
    with open_desk(reading(demo, HOME, EUROPE, columns={"company": "Company"}), sleep=briefly) as desk:
        with pytest.raises(DataError, match="FY2027-P02 is Inactive in the ERP for MERIDIAN_EU"):
            read_slice(desk, "FY2027-P02")
        assert extract_of(desk, "FY2027-P02") is None
        report = read_slice(desk, "FY2026-P10")
    assert "MERIDIAN Closed, MERIDIAN_EU Open" == report.texts["period in the ERP"]
    assert "provisional" in report.summary


def test_d14_one_company_fails_and_nothing_is_kept(demo: Named, sandbox: Sandbox) -> None:
    """The first company answers, the second does not: no figure of the first goes on, and the next run reads both."""
    sandbox.set_switches(acumatica={"second_company": "own ledger"})
    named = reading(demo, HOME, EUROPE, columns={"company": "Company"})
    refused = {"kind": "status", "status": 403, "body": '{"message":"no right"}'}
    sandbox.traffic.plant({"match": "AccountDetailsForPeriodInquiry", "skip": 1, "times": 1, "action": refused})
    with open_desk(named, sleep=briefly) as desk:
        with pytest.raises(PipelineError):
            read_slice(desk, PERIOD)
        assert extract_of(desk) is None
        assert {"MERIDIAN", "MERIDIAN_EU"} == {row["company"] for row in rows(desk, read_slice(desk, PERIOD).artefact)}


@pytest.mark.parametrize("read", ["journals", pytest.param("balances", marks=pytest.mark.prove)])
def test_a_shared_ledger_is_read_by_branch(demo: Named, sandbox: Sandbox, read: str) -> None:
    """A ledger that two companies keep is parted by their branches, in lines and balances; without a company column they are added up."""
    sandbox.set_switches(acumatica={"second_company": "shared ledger"})
    one_center = {"subaccount": None} if read == "balances" else {}
    with open_desk(reading(demo, EAST, read=read, **one_center), sleep=briefly) as desk:
        east = figures(rows(desk, read_slice(desk, PERIOD).artefact))
    with open_desk(reading(demo, HOME, EAST, read=read, **one_center), sleep=briefly) as desk:
        both = figures(rows(desk, read_slice(desk, PERIOD).artefact))
    of_east, of_all = truth(sandbox, "ACTUAL", {"BOSTON"}), truth(sandbox, "ACTUAL", {"HQ", "WEST", "BOSTON"})
    assert by_account(of_east) == by_account(east)
    assert by_account(of_all) == by_account(both)


def test_some_branches_of_a_company(demo: Named, sandbox: Sandbox) -> None:
    """Where branches are named, only their lines count, proved against the balances of just these; a wrong name is answered with those there are."""
    west = HOME.model_copy(update={"branches": ("WEST",)})
    with open_desk(reading(demo, west), sleep=briefly) as desk:
        assert truth(sandbox, "ACTUAL", {"WEST"}) == figures(rows(desk, read_slice(desk, PERIOD).artefact))
    nowhere = HOME.model_copy(update={"branches": ("NORTH",)})
    with (
        open_desk(reading(demo, nowhere), sleep=briefly) as desk,
        pytest.raises(SetupError, match=r"no branch NORTH.*it has HQ, WEST"),
    ):
        read_slice(desk, PERIOD)


def by_account(found: dict[tuple[str, str], int]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for (account, _), minor in found.items():
        sums[account] += minor
    return {account: minor for account, minor in sums.items() if minor}


def test_a_period_opened_again_by_one_company_is_noticed(demo: Named, sandbox: Sandbox) -> None:
    """The look for changes asks each company's own calendar, and the batches of every ledger."""
    sandbox.set_switches(acumatica={"second_company": "own ledger"})
    with open_desk(reading(demo, HOME, EUROPE, columns={"company": "Company"}), sleep=briefly) as desk:
        look(desk)
        sandbox.books.others["MERIDIAN_EU"].statuses["FY2026-P03"] = "Open"
        lines = [Line(1, "1010", "010-000", "BERLIN", 700, 0), Line(2, "1030", "010-000", "BERLIN", 0, 700)]
        now = sandbox.clock.now()
        late = sandbox.books.post("ACTUAL_EU", "FY2026-P03", "BERLIN", "Posted", "late", lines, now=now)
        found = look(desk)
    assert ("FY2026-P03",) == found.reopened
    assert [f"GL {late.number}"] == list(found.batches["batch"])
