"""Each planted fault makes the right leg fail, by name, with period, account and difference; nothing else is sent, nothing is lost. On every ERP."""

import re
from typing import Any

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.battery.houses import PERIOD, House, nothing_reached_the_plan

MONEY = r"-?[\d,]+\.\d\d USD"


def refused(desk: Desk, kind: type[PipelineError] = DataError) -> PipelineError:
    """The failure of loading the period."""
    with pytest.raises(kind) as caught:
        load_actuals(desk, PERIOD)
    assert PERIOD in str(caught.value)
    return caught.value


def plant(house: House, times: int = 1, **action: Any) -> None:
    """A fault on the call that brings the lines."""
    house.sandbox.traffic.plant({"match": house.bulk_call, "times": times, "action": action})


@pytest.mark.parametrize("how", ["drop", "repeat"])
def test_D01_D02_D11_lines_lost_or_read_twice_are_found(desk: Desk, house: House, how: str) -> None:
    """Rows missing from, or doubled in, the ERP's answer: what is missing is named, by account and difference or by its own key, and nothing is sent."""
    house.misread(how, 3)
    error = refused(desk)
    by_leg = re.search(rf"account \S+ .*side (debit|credit): {MONEY} against {MONEY}, difference {MONEY}", error.what)
    by_key = re.search(
        r"[A-Z]{2} \d+ \d+, row version \d+, came twice|behind row version \d+, .* [A-Z]{2} \d+ \d+ with \d+",
        error.what,
    )
    assert ("lines_match_ledger" == error.leg and by_leg) or by_key
    assert re.search(r"Nothing was (sent|loaded)", error.holds)
    assert nothing_reached_the_plan(house)


def test_a_rejected_row_breaks_the_third_leg(desk: Desk, house: House) -> None:
    """E10: the refused row is shown with its reason, and the read-back names cell and difference."""
    house.sandbox.set_switches(anaplan={"reject_rows": [5], "reject_message": "Invalid list identifier: A1030"})
    error = refused(desk)
    assert "rows_all_taken" == error.leg
    assert "Invalid list identifier" in error.what
    assert re.search(rf"account A\S+ cost_center CC_\S+: {MONEY} against {MONEY}, difference {MONEY}", error.what)
    assert 1 == len(error.evidence["Refused rows"])
    [load] = desk.store.history.loads(house.named.name, PERIOD)
    assert (DIRTY, True, True) == (load.state, bool(load.dump), bool(load.read_back))


@pytest.mark.parametrize("counted", [True, False])
def test_E11_an_ignored_row_is_found_by_count_or_by_read_back(desk: Desk, house: House, counted: bool) -> None:
    """COMPLETE, successful, no dump, a row ignored: the counts tell, and where they do not, the read-back does."""
    house.sandbox.set_switches(anaplan={"ignore_rows": [5], "ignored_counted": counted})
    error = refused(desk)
    assert error.leg in {"rows_all_taken", "model_matches_cells"}
    assert re.search(rf"account A\S+ cost_center CC_\S+: {MONEY} against {MONEY}, difference {MONEY}", error.what)


@pytest.mark.parametrize("ending", ["CANCELLED", "UNSUCCESSFUL"])
def test_E10_an_import_that_does_not_succeed_says_what_the_model_holds(desk: Desk, house: House, ending: str) -> None:
    """CANCELLED, and COMPLETE with `successful: false`: the third leg fails and the read-back shows the cells still missing."""
    house.sandbox.set_switches(anaplan={"import_ends": ending})
    error = refused(desk)
    assert "rows_all_taken" == error.leg
    assert ("CANCELLED" if ending == "CANCELLED" else "not successful") in error.what
    assert re.search(rf"account A\S+ cost_center CC_\S+: {MONEY} against 0\.00 USD, difference {MONEY}", error.what)


@pytest.mark.parametrize("fetch", ["404", "500"])
def test_E14_a_dump_that_cannot_be_fetched_keeps_the_counts(desk: Desk, house: House, fetch: str) -> None:
    """The refusal of rows stays the failure; that their list is missing is said beside it."""
    house.sandbox.set_switches(anaplan={"reject_rows": 2, "dump_fetch": fetch})
    error = refused(desk)
    assert "rows_all_taken" == error.leg
    assert "could not be fetched" in error.what
    assert "refused 2" in error.what


def test_A07_an_answer_cut_short_once_is_read_again(desk: Desk, house: House) -> None:
    """A body shorter than announced is never used; reading it again gives the whole."""
    plant(house, kind="truncate", keep=0.5)
    load_actuals(desk, PERIOD)
    assert AGREED == desk.store.history.loads(house.named.name, PERIOD)[-1].state


def test_A07_an_answer_that_stays_cut_short_ends_the_run(house: House) -> None:
    """After the stated attempts the run ends as a transient failure and nothing was sent."""
    with open_desk(house.named, sleep=lambda _seconds: None) as desk:
        refresh_reference(desk)
        house.sandbox.traffic.requests.clear()
        plant(house, times=-1, kind="truncate", keep=0.5)
        with pytest.raises(TransientError):
            load_actuals(desk, PERIOD)
    assert nothing_reached_the_plan(house)


def test_B17_an_html_page_with_status_200_is_not_parsed(desk: Desk, house: House) -> None:
    """A sign-in page instead of figures stops the run with a word about the address."""
    plant(house, times=-1, kind="html", status=200)
    with pytest.raises(SetupError, match="web page"):
        load_actuals(desk, PERIOD)
    assert nothing_reached_the_plan(house)


@pytest.mark.parametrize(
    ("text", "why"),
    [("NaN", "NaN|number|JSON"), ("1e400", "1e400|number|digits"), ("12.345", "12.345"), ("12.3450001", "12.3450001")],
)
def test_C02_an_amount_that_is_none_or_too_fine_is_named(desk: Desk, house: House, text: str, why: str) -> None:
    """NaN, an endless number, a part of a cent: refused by record, never rounded, nothing sent."""
    before_number = house.amount.rpartition("[1-9]")[0]
    written = re.sub(r"\\s\*", "", before_number).replace("\\", "")
    plant(house, times=-1, kind="replace", pattern=house.amount, **{"with": written + text})
    with pytest.raises(DataError, match=why):
        load_actuals(desk, PERIOD)
    assert nothing_reached_the_plan(house)


def test_after_a_failed_load_the_next_one_heals_the_slice(desk: Desk, house: House) -> None:
    """A slice marked dirty is sent whole again; what the failed attempt may have left is covered by explicit zeros."""
    house.sandbox.set_switches(anaplan={"reject_rows": [5]})
    refused(desk)
    house.sandbox.set_switches(anaplan={"reject_rows": 0})
    load_actuals(desk, PERIOD)
    assert [DIRTY, AGREED] == [load.state for load in desk.store.history.loads(house.named.name, PERIOD)]
