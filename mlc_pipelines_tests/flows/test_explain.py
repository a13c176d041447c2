"""What was refused, why, with which money and which journal lines behind it: shown, kept, and adding up to the difference of the leg."""

import re
from decimal import Decimal

import pandas as pd
import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.explain import WHY, WHY_LINES, refused_rows
from mlc_pipelines.flows.files import read_kept_frame
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.steps import EXPLANATION
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.differences import NOT_EXPLAINED, OTHER, UNKNOWN_MEMBER
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import to_minor
from mlc_pipelines.sandbox.server import Sandbox

PERIOD = "FY2026-P03"


@pytest.fixture
def ready(desk: Desk) -> Desk:
    refresh_reference(desk)
    return desk


def refused(desk: Desk) -> DataError:
    with pytest.raises(DataError) as caught:
        load_actuals(desk, PERIOD)
    return caught.value


def minor(texts: pd.Series) -> int:
    return sum(to_minor(Decimal(text.replace(",", "")), "USD") for text in texts)


def test_refused_rows_are_joined_with_codes_and_journal_lines(ready: Desk, sandbox: Sandbox) -> None:
    """Member, ERP code, lines: the lines behind a refused cell add up to the figure that was sent for it."""
    sandbox.set_switches(anaplan={"reject_rows": [5, 9], "reject_message": "Invalid Accounts identifier: A1030"})
    error = refused(ready)
    cells, shown = error.evidence[WHY], error.evidence[WHY_LINES]
    kept = ready.store.history.require_step("demo", EXPLANATION, PERIOD)
    lines = read_kept_frame(ready, kept.facts["lines"])
    assert [UNKNOWN_MEMBER] * 2 == cells["cause"].tolist()
    model = next(leg for leg in error.legs if leg.name == "model_matches_cells")
    assert model.difference_minor == minor(cells["difference"])
    for cell in cells.to_dict("records"):
        own = lines[(lines["account"] == cell["account"]) & (lines["cost_center"] == cell["cost center"])]
        assert cell["lines"] == len(own)
        assert abs(minor(cells.loc[cells["line"] == cell["line"], "sent"])) == abs(
            int(own["debit_minor"].sum() - own["credit_minor"].sum())
        )
        assert set(own["ledger_account"]) <= set(cell["ledger account"].split(", "))
    assert {"batch", "transaction on", "reference", "description"} <= set(shown.columns)
    assert 0 < len(shown) <= min(len(lines), 10 * len(cells))
    assert re.search(
        r"Why, of the difference of \S+ USD: unknown member \S+ USD \(2 rows\); nothing is left unexplained", error.what
    )


def test_a_row_dropped_without_a_word_is_left_unexplained(ready: Desk, sandbox: Sandbox) -> None:
    """E11, S HELP-ignore: neither counted nor listed. The money is named, and that nobody can say why."""
    sandbox.set_switches(anaplan={"ignore_rows": [5], "ignored_counted": False})
    error = refused(ready)
    cells = error.evidence[WHY]
    assert [NOT_EXPLAINED] == cells["cause"].tolist()
    assert "not explained" in error.what
    assert (cells["lines"] > 0).all()


def test_an_ignored_row_that_was_counted_is_explained(ready: Desk, sandbox: Sandbox) -> None:
    """One ignored by its count, one cell without its figure: the two belong together."""
    sandbox.set_switches(anaplan={"ignore_rows": [5]})
    error = refused(ready)
    assert [OTHER] == error.evidence[WHY]["cause"].tolist()
    assert "nothing is left unexplained" in error.what


def test_the_explanation_is_kept_as_evidence(ready: Desk, sandbox: Sandbox) -> None:
    """Both tables lie as kept files in the history, with the sums that add up to the difference."""
    sandbox.set_switches(anaplan={"reject_rows": [5]})
    error = refused(ready)
    kept = ready.store.history.require_step("demo", EXPLANATION, PERIOD)
    model = next(leg for leg in error.legs if leg.name == "model_matches_cells")
    assert model.difference_minor == kept.facts["explained_minor"] + kept.facts["unexplained_minor"]
    cells, lines = read_kept_frame(ready, kept.artefact), read_kept_frame(ready, kept.facts["lines"])
    assert model.difference_minor == cells["difference_minor"].sum()
    assert len(lines) == cells["lines"].sum()


def test_a_cancelled_import_is_explained_by_its_end(ready: Desk, sandbox: Sandbox) -> None:
    """Nothing arrived, for one reason; each cell names it."""
    sandbox.set_switches(anaplan={"import_ends": "CANCELLED"})
    cells = refused(ready).evidence[WHY]
    assert {"The import ended CANCELLED."} == set(cells["reason"])


def test_a_refused_row_is_found_by_its_texts_or_by_its_line() -> None:
    """A row that was cut shows no usable texts: line 3 of the file is its second row."""
    sent = pd.DataFrame({"account": ["A1", "A2"], "cost_center": ["C", "C"], "amount_minor": [1, 2]})
    dump = pd.DataFrame(
        [("E", "A1", "C", "2", "x"), ("E", "A2,C", "", "3", "y"), ("E", "", "", "99", "z")],
        columns=["status", "Account", "Cost Center", "line", "reason"],
    )
    found = refused_rows(dump, sent, CellColumns("Account", "Cost Center", "Period", "Version", "Amount"))
    assert [("A1", "C", "x"), ("A2", "C", "y"), ("", "", "z")] == list(
        found[["account", "cost_center", "reason"]].itertuples(index=False, name=None)
    )
