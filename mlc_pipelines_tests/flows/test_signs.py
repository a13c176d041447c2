"""The signs are proved on a closed period before the first file is made, and again when they or the books change."""

from dataclasses import replace

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.steps import SIGN_PROOF, SIGNS_PROVED
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.sandbox.server import Sandbox

CLOSED_PERIOD, OPEN_PERIOD = "FY2026-P03", "FY2026-P11"


@pytest.fixture
def ready(desk: Desk) -> Desk:
    refresh_reference(desk)
    read_slice(desk, CLOSED_PERIOD)
    return desk


def declared(desk: Desk, **signs: int) -> Desk:
    accounts = replace(desk.target.accounts, signs=signs)
    return replace(desk, target=replace(desk.target, accounts=accounts))


def test_a_closed_period_proves_itself_once(ready: Desk) -> None:
    """The first file is made with the proof; later ones show the one that stands. Other signs must be proved anew."""
    report = write_slice(ready, CLOSED_PERIOD)
    assert (SIGNS_PROVED, True, 4) == (report.legs[0].name, report.legs[0].agreed, report.legs[0].compared)
    assert f"proved on {CLOSED_PERIOD}" == report.texts["signs"]
    held = ready.store.history.require_step("demo", SIGN_PROOF)
    write_slice(ready, CLOSED_PERIOD)
    assert held == ready.store.history.require_step("demo", SIGN_PROOF)
    with pytest.raises(DataError):
        write_slice(declared(ready, Income=1, Liability=-1), CLOSED_PERIOD)


@pytest.mark.parametrize(
    ("signs", "named"),
    [({"Income": 1, "Liability": -1}, "Income"), ({"Income": -1}, "Liability"), ({"Asset": -1}, "Asset")],
)
def test_flipped_signs_are_refused_with_the_class_named(
    ready: Desk, sandbox: Sandbox, signs: dict[str, int], named: str
) -> None:
    """Nothing is made or sent; the message says where the class stands and what the signs make of it."""
    with pytest.raises(DataError, match=f"{named} stands with") as refusal:
        write_slice(declared(ready, **signs), CLOSED_PERIOD)
    assert SIGNS_PROVED == refusal.value.leg
    assert named in set(refusal.value.legs[0].breaks["account_class"])
    assert ready.store.history.latest_step("demo", "actuals_csv", CLOSED_PERIOD) is None
    assert [] == sandbox.tenant.log()["uploads"]


def test_an_open_period_is_proved_on_the_newest_closed_one(ready: Desk) -> None:
    """Its own figures are provisional."""
    read_slice(ready, OPEN_PERIOD)
    assert "proved on FY2026-P10" == write_slice(ready, OPEN_PERIOD).texts["signs"]


def test_without_a_closed_period_a_person_must_say_why(
    ready: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company in its first month: refused, or waived with a reason that every report shows."""
    read_slice(ready, OPEN_PERIOD)
    every = ready.ledger.read_periods()
    monkeypatch.setattr(ready.ledger, "read_periods", lambda company="": [replace(one, status="Open") for one in every])
    with pytest.raises(SetupError, match="has no closed period"):
        write_slice(ready, OPEN_PERIOD)
    waived = replace(ready, target=replace(ready.target, signs_waived="founded this month"))
    report = write_slice(waived, OPEN_PERIOD)
    assert "not proved: founded this month" == report.texts["signs"]
    assert SIGNS_PROVED not in [leg.name for leg in report.legs]
