"""Each planted fault makes the right leg fail, by name, with period, account and difference; nothing else is sent, nothing is lost."""

import io
import re
from typing import Any

import pandas as pd
import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.cells import CellColumns, write_cells
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk

PERIOD, LABEL = "FY2026-P03", "Sep 25"
MONEY = r"-?[\d,]+\.\d\d USD"


def refused(desk: Desk, kind: type[PipelineError] = DataError) -> PipelineError:
    """The failure of loading the period."""
    with pytest.raises(kind) as caught:
        load_actuals(desk, PERIOD)
    assert PERIOD in str(caught.value)
    return caught.value


def nothing_reached_the_plan(sandbox: Sandbox) -> bool:
    touched = [row.path for row in sandbox.traffic.requests if row.method in {"PUT", "POST"}]
    return not any("/chunks/" in path or "/tasks" in path for path in touched)


@pytest.fixture
def ready(desk: Desk) -> Desk:
    refresh_reference(desk)
    return desk


def transactions(demo: Named) -> Named:
    """The same connection, reading batches instead of the inquiry."""
    erp = demo.settings.erp.model_copy(update={"lines_from": "transactions"})
    return Named("demo", demo.file, demo.settings.model_copy(update={"erp": erp}))


@pytest.mark.parametrize("switch", ["drop_rows", "repeat_rows"])
def test_D01_D02_D11_lines_lost_or_read_twice_break_the_first_leg(ready: Desk, sandbox: Sandbox, switch: str) -> None:
    """Rows missing from, or doubled in, the ERP's answer: account and difference are named and nothing is sent."""
    sandbox.set_switches(acumatica={switch: 3})
    error = refused(ready)
    assert "lines_match_ledger" == error.leg
    assert re.search(rf"account \S+ side (debit|credit): {MONEY} against {MONEY}, difference {MONEY}", error.what)
    assert "Nothing was sent" in error.holds
    assert nothing_reached_the_plan(sandbox)


@pytest.mark.parametrize("switch", ["drop_batches", "repeat_batches"])
def test_D01_D02_batches_lost_or_read_twice_are_named(demo: Named, sandbox: Sandbox, switch: str) -> None:
    """Reading batches: a lost page or a page read twice is refused by batch number before anything is sent."""
    with open_desk(transactions(demo)) as desk:
        refresh_reference(desk)
        sandbox.set_switches(acumatica={switch: 2})
        error = refused(desk, PipelineError)
    assert re.search(r"\b[A-Z]{2}\d{6}\b|lines_match_ledger", error.what)
    assert nothing_reached_the_plan(sandbox)


def test_a_rejected_row_breaks_the_third_leg(ready: Desk, sandbox: Sandbox) -> None:
    """E10: the refused row is shown with its reason, and the read-back names cell and difference."""
    sandbox.set_switches(anaplan={"reject_rows": [5], "reject_message": "Invalid list identifier: A1030"})
    error = refused(ready)
    assert "rows_all_taken" == error.leg
    assert "Invalid list identifier" in error.what
    assert re.search(rf"account A\S+ cost_center CC_\S+: {MONEY} against {MONEY}, difference {MONEY}", error.what)
    assert 1 == len(error.evidence["Refused rows"])
    [load] = ready.store.history.loads("demo", PERIOD)
    assert (DIRTY, True, True) == (load.state, bool(load.dump), bool(load.read_back))


@pytest.mark.parametrize("counted", [True, False])
def test_E11_an_ignored_row_is_found_by_count_or_by_read_back(ready: Desk, sandbox: Sandbox, counted: bool) -> None:
    """COMPLETE, successful, no dump, a row ignored: the counts tell, and where they do not, the read-back does."""
    sandbox.set_switches(anaplan={"ignore_rows": [5], "ignored_counted": counted})
    error = refused(ready)
    assert error.leg in {"rows_all_taken", "model_matches_cells"}
    assert re.search(rf"account A\S+ cost_center CC_\S+: {MONEY} against {MONEY}, difference {MONEY}", error.what)


def test_E16_a_repeated_key_never_leaves(sandbox: Sandbox) -> None:
    """A file with the same cell twice is refused while it is written: the model would add the two up."""
    twice = pd.DataFrame({"account": ["A1", "A1"], "cost_center": ["C", "C"], "amount_minor": [1, 2]})
    columns = CellColumns("Account", "Cost Center", "Period", "Version", "Amount")
    with pytest.raises(DataError, match="cell A1 / C stands in the file more than once"):
        write_cells(io.BytesIO(), twice, columns, period=LABEL, version="Actual", currency="USD")


@pytest.mark.parametrize("ending", ["CANCELLED", "UNSUCCESSFUL"])
def test_E10_an_import_that_does_not_succeed_says_what_the_model_holds(
    ready: Desk, sandbox: Sandbox, ending: str
) -> None:
    """CANCELLED, and COMPLETE with `successful: false`: the third leg fails and the read-back shows the cells still missing."""
    sandbox.set_switches(anaplan={"import_ends": ending})
    error = refused(ready)
    assert "rows_all_taken" == error.leg
    assert ("CANCELLED" if ending == "CANCELLED" else "not successful") in error.what
    assert re.search(rf"account A\S+ cost_center CC_\S+: {MONEY} against 0\.00 USD, difference {MONEY}", error.what)


@pytest.mark.parametrize("fetch", ["404", "500"])
def test_E14_a_dump_that_cannot_be_fetched_keeps_the_counts(ready: Desk, sandbox: Sandbox, fetch: str) -> None:
    """The refusal of rows stays the failure; that their list is missing is said beside it."""
    sandbox.set_switches(anaplan={"reject_rows": 2, "dump_fetch": fetch})
    error = refused(ready)
    assert "rows_all_taken" == error.leg
    assert "could not be fetched" in error.what
    assert "refused 2" in error.what


def plant(sandbox: Sandbox, match: str, times: int = 1, **action: Any) -> dict[str, Any]:
    fault = {"match": match, "times": times, "action": action}
    sandbox.traffic.plant(fault)
    return fault


INQUIRY = "PUT .*AccountDetailsForPeriodInquiry"


def test_A07_an_answer_cut_short_once_is_read_again(ready: Desk, sandbox: Sandbox) -> None:
    """A body shorter than announced is never used; reading it again gives the whole."""
    plant(sandbox, INQUIRY, kind="truncate", keep=0.5)
    load_actuals(ready, PERIOD)
    assert AGREED == ready.store.history.loads("demo", PERIOD)[-1].state


def test_A07_an_answer_that_stays_cut_short_ends_the_run(demo: Named, sandbox: Sandbox) -> None:
    """After the stated attempts the run ends as a transient failure and nothing was sent."""
    with open_desk(demo, sleep=lambda _seconds: None) as desk:
        refresh_reference(desk)
        plant(sandbox, INQUIRY, times=-1, kind="truncate", keep=0.5)
        with pytest.raises(TransientError):
            load_actuals(desk, PERIOD)
    assert nothing_reached_the_plan(sandbox)


def test_B17_an_html_page_with_status_200_is_not_parsed(ready: Desk, sandbox: Sandbox) -> None:
    """A sign-in page instead of figures stops the run with a word about the address."""
    plant(sandbox, INQUIRY, times=-1, kind="html", status=200)
    with pytest.raises(SetupError, match="web page"):
        load_actuals(ready, PERIOD)
    assert nothing_reached_the_plan(sandbox)


@pytest.mark.parametrize(
    ("text", "why"),
    [("NaN", "NaN|number|JSON"), ("1e400", "1e400|number|digits"), ("12.345", "12.345"), ("12.3450001", "12.3450001")],
)
def test_C02_an_amount_that_is_none_or_too_fine_is_named(ready: Desk, sandbox: Sandbox, text: str, why: str) -> None:
    """NaN, an endless number, a part of a cent: refused by record, never rounded, nothing sent."""
    plant(
        sandbox,
        INQUIRY,
        times=-1,
        kind="replace",
        pattern=r'"DebitAmountInBaseCurrency":\s*\{"value":\s*[1-9][\d.]*',
        **{"with": f'"DebitAmountInBaseCurrency":{{"value":{text}'},
    )
    with pytest.raises(DataError, match=why):
        load_actuals(ready, PERIOD)
    assert nothing_reached_the_plan(sandbox)


def test_after_a_failed_load_the_next_one_heals_the_slice(ready: Desk, sandbox: Sandbox) -> None:
    """A slice marked dirty is sent whole again; what the failed attempt may have left is covered by explicit zeros."""
    sandbox.set_switches(anaplan={"reject_rows": [5]})
    refused(ready)
    sandbox.set_switches(anaplan={"reject_rows": 0})
    load_actuals(ready, PERIOD)
    assert [DIRTY, AGREED] == [load.state for load in ready.store.history.loads("demo", PERIOD)]
