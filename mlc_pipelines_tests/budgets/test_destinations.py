"""Where a plan may never go, whatever the connection file says: no write request, and the actual books are byte for byte what they were."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_pipelines.flows.budgets import post_plan
from mlc_pipelines.flows.steps import DESTINATION_ALLOWED
from mlc_pipelines.ledger.drafts import ApprovalVoid
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.sandbox.ironvale.chart import COMPANY
from mlc_pipelines_tests.budgets.office import Office, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, YEAR, Articles, Native, PlanBook, Statistical, Way, ways

FORBIDDEN: list[Any] = [
    (Statistical, {"destination__ledger": "ACTUAL"}, "is the one that actuals are read from"),
    pytest.param(Statistical, {"destination__ledger": "BUDGET"}, "has the type Budget", marks=pytest.mark.prove),
    pytest.param(Articles, {"destination__ledger": "ACTUAL"}, "actuals are read from", marks=pytest.mark.prove),
    pytest.param(Articles, {"destination__ledger": "PLAN"}, "has the type Statistical", marks=pytest.mark.prove),
    (PlanBook, {"destination__book": "MAIN"}, "main book"),
    pytest.param(Native, {"destination__budget_code": "OLD"}, "inactive", marks=pytest.mark.prove),
    pytest.param(Native, {"destination__book": "NONE"}, "no book NONE", marks=pytest.mark.prove),
]


@pytest.mark.parametrize(("way", "wrong", "said"), FORBIDDEN, indirect=["way"])
def test_forbidden_books_are_refused(way: Way, wrong: dict[str, Any], said: str) -> None:
    """By the destination's own check at the preview; where the file was changed after it, the preview was for other books, and nothing is even asked of them."""
    before = way.trial_balance()
    with open_office(way, **wrong) as office:
        with pytest.raises(SetupError, match=said) as caught:
            office.preview()
        assert DESTINATION_ALLOWED == caught.value.leg
        assert all((caught.value.what, caught.value.holds, caught.value.next_step))
    with open_office(way) as office:
        office.previewed_and_approved()
    with open_office(way, **wrong) as office, pytest.raises(ApprovalVoid, match="was made for"):
        post_plan(office.desk, office.route, YEAR)
    assert ([], before) == (way.writes(), way.trial_balance())


def _make_actual(way: Way) -> None:
    """Somebody in the ERP turns the plan's own books into actual ones."""
    if isinstance(way, Statistical | Articles):
        way.sandbox.books.ledgers["PLAN" if isinstance(way, Statistical) else "BUDGET"].type = "Actual"
    else:
        books = way.sandbox.ironvale
        books.alter(books.ledgers[COMPANY, "PLAN"], main=True)


@ways(Statistical, also=[Articles, PlanBook])
def test_books_that_became_actual_ones_after_the_approval_are_refused(office: Office, way: Way) -> None:
    """The ERP is asked anew at the posting: what it was when it was approved does not count."""
    office.previewed_and_approved()
    _make_actual(way)
    with pytest.raises(SetupError, match=r"has the type Actual|is the main book") as caught:
        office.post()
    assert all((caught.value.holds, caught.value.next_step))
    assert [] == way.writes()


@pytest.mark.parametrize(
    ("way", "other"),
    [
        pytest.param(Statistical, {"destination__ledger": "STAT"}, marks=pytest.mark.prove),
        (Native, {"destination__budget_code": "ORIG"}),
    ],
    indirect=["way"],
)
def test_an_approval_holds_for_the_books_that_were_previewed(way: Way, other: dict[str, Any]) -> None:
    """Another destination, however allowed, is another preview."""
    with open_office(way) as office:
        content = office.previewed_and_approved()
    with open_office(way, **other) as office:
        for work in (lambda: office.approve(content), office.post):
            with pytest.raises(ApprovalVoid, match="was made for"):
                work()
    assert [] == way.writes()


@pytest.mark.parametrize("way", [PlanBook], indirect=True)
def test_a_book_that_another_connection_reads_is_refused(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one connection of the folder reads as actuals, no other one may write plans into."""
    text = way.named.file.read_text()
    (tmp_path / "demo_epicor.yaml").write_text(text)
    other = yaml.safe_load(text)
    other["attributes"]["erp"]["book"] = "PLAN"
    del other["attributes"]["plans"]
    (tmp_path / "reader.yaml").write_text(yaml.safe_dump(other))
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    before = way.trial_balance()
    with open_office(way) as office, pytest.raises(SetupError, match="PLAN") as caught:
        office.preview()
    assert DESTINATION_ALLOWED == caught.value.leg
    assert ([], before) == (way.writes(), way.trial_balance())


@ways()
def test_the_actual_books_are_untouched_by_a_posting(office: Office, way: Way) -> None:
    """The trial balance of every period of the actual ledger, or of the main book, is byte for byte what it was."""
    before = way.trial_balance()
    office.issue()
    assert way.totals(FIRST)
    assert before == way.trial_balance()


@pytest.mark.parametrize("way", [Statistical], indirect=True)
def test_a_plan_in_another_currency_is_refused(office: Office, way: Way) -> None:
    """Figures are never converted on the way."""
    way.sandbox.books.ledgers["PLAN"].currency = "EUR"
    with pytest.raises(DataError, match=r"The plan is in USD, PLAN of MERIDIAN is in EUR") as caught:
        office.preview()
    assert DESTINATION_ALLOWED == caught.value.leg
    assert [] == way.writes()
