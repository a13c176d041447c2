"""Posted figures from the ERP's own balances, and figures to date: equal to the books in every cell, and proved by legs that can fail."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.explain import WHY_LINES
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.report import Report
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

SECOND, NEW_YEAR, ADJUSTED = "FY2025-P02", "FY2026-P01", "FY2025-P13"
JOURNALS = ["lines_match_ledger"]
TO_DATE = ["lines_match_ledger", "opening_matches_before", "closing_matches_ledger"]
FROM_BALANCES = ["balances_match_ledger", "opening_matches_before"]


def declared(demo: Named, figures: str = "periodic", **erp: Any) -> Named:
    """The demo connection with other words in `erp` and under `actuals.figures`."""
    actuals = demo.settings.actuals.model_copy(update={"figures": figures})
    changed = demo.settings.model_copy(update={"actuals": actuals, "erp": demo.settings.erp.model_copy(update=erp)})
    return Named("demo", demo.file, changed)


def figures_of(desk: Desk, report: Report) -> dict[tuple[str, str], int]:
    """Account and cost center -> the figure that goes on; without zeros."""
    import pyarrow.parquet as pq

    kept: Artefacts = desk.store.artefacts
    rows = pq.read_table(kept.path(report.artefact)).to_pylist()
    return {(row["account"], row["cost_center"]): row["amount_minor"] for row in rows if row["amount_minor"]}


def moved(sandbox: Sandbox, key: str) -> dict[tuple[str, str], int]:
    """What was posted in the period, from the books themselves."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in sandbox.books.truth("ACTUAL", key):
        found[row.account, row.subaccount[:3]] += row.debit_minor - row.credit_minor
    return {pair: minor for pair, minor in found.items() if minor}


def to_date(sandbox: Sandbox, key: str) -> dict[tuple[str, str], int]:
    """What stands on each account at the end of the period, from the books themselves."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in sandbox.books.balances("ACTUAL", key, by_subaccount=True):
        found[row.account, row.subaccount[:3]] += row.ending_minor
    return {pair: minor for pair, minor in found.items() if minor}


@pytest.mark.parametrize(
    ("read", "figures", "truth", "legs"),
    [
        ("journals", "periodic", moved, JOURNALS),
        ("journals", "ytd", to_date, TO_DATE),
        ("balances", "periodic", moved, FROM_BALANCES),
        ("balances", "ytd", to_date, FROM_BALANCES),
    ],
)
def test_either_way_gives_the_books(
    demo: Named, sandbox: Sandbox, read: str, figures: str, truth: Callable[..., dict[Any, int]], legs: list[str]
) -> None:
    """Lines or balances, movement or balance to date: each account and cost center is what the books hold, and each way proves its own legs."""
    with open_desk(declared(demo, figures, read=read), sleep=briefly) as desk:
        report = read_slice(desk, SECOND)
        assert truth(sandbox, SECOND) == figures_of(desk, report)
    assert legs == [leg.name for leg in report.legs if leg.agreed and leg.compared]


@pytest.mark.prove
@pytest.mark.parametrize(("sign", "of_mask"), [("Normal", "summed"), ("Reversed", "rows")])
def test_habits_of_a_site_change_nothing(demo: Named, sandbox: Sandbox, sign: str, of_mask: str) -> None:
    """Whether credits are shown positive, and whether rows of a subaccount name it, differs between sites; the figures do not."""
    sandbox.set_switches(acumatica={"trial_balance_sign": sign, "summary_of_mask": of_mask, "order": "scrambled"})
    with open_desk(declared(demo, "ytd", read="balances"), sleep=briefly) as desk:
        assert to_date(sandbox, "FY2025-P01") == figures_of(desk, read_slice(desk, "FY2025-P01"))


def test_a_year_begins_where_the_last_one_ended(demo: Named, sandbox: Sandbox) -> None:
    """Income and expense begin the year at zero, their result goes to retained earnings, and the adjustment period is the period before."""
    with open_desk(declared(demo, "ytd", subaccount=None, read="balances"), sleep=briefly) as desk:
        report = read_slice(desk, NEW_YEAR)
    opening = next(leg for leg in report.legs if leg.name == "opening_matches_before")
    assert f"closing of {ADJUSTED}" == opening.left
    assert opening.agreed
    kept = sum(row.beginning_minor for row in sandbox.books.balances("ACTUAL", NEW_YEAR) if row.account == "3900")
    assert kept != 0


def test_figures_to_date_arrive_in_the_plan(demo: Named, sandbox: Sandbox) -> None:
    """The plan holds the balances at the end of the period, in the planners' signs; a refused row is explained by balances, for no line was read."""
    with open_desk(declared(demo, "ytd", read="balances"), sleep=briefly) as desk:
        refresh_reference(desk)
        sandbox.set_switches(anaplan={"reject_rows": [5]})
        with pytest.raises(DataError, match="rows_all_taken") as caught:
            load_actuals(desk, "FY2025-P01")
        assert {"balance"} == set(caught.value.evidence[WHY_LINES]["batch"])
        sandbox.set_switches(anaplan={"reject_rows": []})
        load_actuals(desk, "FY2025-P01")
    held = {
        (cell["account"], cell["cost_center"]): Decimal(cell["amount"])
        for cell in sandbox.tenant.truth_cells()
        if (cell["period"], cell["version"]) == ("Jul 24", "Actual")
    }
    found = to_date(sandbox, "FY2025-P01")
    for account, sign in (("1030", 1), ("3010", -1)):
        of_account = {center: sign * Decimal(minor) / 100 for (code, center), minor in found.items() if code == account}
        assert of_account
        assert of_account == {center: held[f"A{account}", f"CC_{center}"] for center in of_account}


def test_a_pair_that_is_missing_breaks_the_sum(demo: Named, sandbox: Sandbox) -> None:
    """A subaccount that the site does not list (hidden from the user) is noticed: its accounts' own rows are larger than the sum."""
    del sandbox.books.subaccounts["010-000"]
    with (
        open_desk(declared(demo, read="balances"), sleep=briefly) as desk,
        pytest.raises(DataError, match="balances_match_ledger") as caught,
    ):
        read_slice(desk, "FY2025-P01")
    assert "Nothing was sent" in str(caught.value)


def test_an_opening_that_is_not_the_closing_before_is_refused(demo: Named, sandbox: Sandbox) -> None:
    """A posting into the period before, between two questions, shows as a leg that does not agree; the next reading agrees."""
    sides = [("1010", "debit"), ("1030", "credit")]
    late = {
        "period": "FY2025-P01",
        "lines": [{"account": account, "subaccount": "010-000", side: "5.00"} for account, side in sides],
    }
    post = {"kind": "control", "path": "/control/journals", "body": late}
    sandbox.traffic.plant({"match": "AccountSummaryInquiry", "skip": 3, "times": 1, "action": post})
    with open_desk(declared(demo, read="balances", subaccount=None), sleep=briefly) as desk:
        with pytest.raises(DataError, match=r"opening_matches_before.*1010.*5\.00 USD"):
            read_slice(desk, SECOND)
        assert FROM_BALANCES == [leg.name for leg in read_slice(desk, SECOND).legs if leg.agreed]


def test_too_many_calls_are_refused_before_the_first(demo: Named, sandbox: Sandbox) -> None:
    """A chart with more subaccounts than calls are allowed is refused by number, with what to write instead."""
    with (
        open_desk(declared(demo, read="balances", balance_calls=10), sleep=briefly) as desk,
        pytest.raises(SetupError, match=r"(?s)48 subaccounts.*allows 10.*read: journals"),
    ):
        read_slice(desk, SECOND)
    assert not [one for one in sandbox.traffic.requests if "AccountSummaryInquiry" in one.path]
