"""The sensor on postings: what waited is taken up once nothing holds it up, what nobody began is left alone."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.location import build_definitions
from mlc_pipelines.flows.approval import approve, withdraw
from mlc_pipelines.flows.approved import read_approved
from mlc_pipelines.flows.budgets import post_plan
from mlc_pipelines.flows.preview import preview_plan
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.sandbox.acumatica import budgets
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import clock
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import WAITING
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

YEAR, PERIOD = "FY2027", "FY2027-P01"


def declare(demo: Named, ledger: str, launch: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The demo connection, of which the plan in this ledger is launched so."""
    said, text = f"        ledger: {ledger}\n        branch: HQ\n", demo.file.read_text()
    assert said in text
    place.mkdir()
    (place / "demo.yaml").write_text(text.replace(said, f"{said}      launch: {launch}\n"))
    monkeypatch.setenv("MLC_CONNECTIONS", str(place))
    return find("demo")


def tick() -> tuple[list[tuple[str | None, list[str]]], str]:
    """Periods with the assets that are asked for, and why nothing was."""
    sensor = build_definitions().resolve_sensor_def("demo_postings")
    assert isinstance(sensor, dg.SensorDefinition)
    assert dg.DefaultSensorStatus.STOPPED == sensor.default_status
    seen = sensor.evaluate_tick(dg.build_sensor_context(definitions=build_definitions()))
    asked = [
        (one.partition_key, [key.path[-1] for key in one.asset_selection or []]) for one in seen.run_requests or []
    ]
    return asked, seen.skip_message or ""


@pytest.mark.prove
def test_a_budget_that_waited_for_its_release_is_taken_up_afterwards(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acumatica's articles wait for a person on GL505510; until then no run is asked for, afterwards one for each period that was begun. A try that ends waiting
    again is followed by a pause, so that an ERP that refuses for good is not asked every quarter of an hour."""
    declare(demo, "BUDGET", "resume", tmp_path / "own", monkeypatch)
    assert ([], "No posting could go on now.") == tick()
    monkeypatch.setenv("MLC_USER", "preparer")
    with open_desk(find("demo")) as desk:
        route = desk.route("forecast")
        read_approved(desk, route, YEAR)
        content = preview_plan(desk, route, YEAR).texts["content to approve"]
    monkeypatch.setenv("MLC_USER", "controller")
    with open_desk(find("demo")) as desk:
        route = desk.route("forecast")
        approve(desk, route, YEAR, content)
        with pytest.raises(WaitingError, match="GL505510"):
            post_plan(desk, route, YEAR, [PERIOD])
    assert ([], "No posting could go on now.") == tick()
    budgets.release(sandbox.site, "BUDGET", "2027")
    asked = ([(PERIOD, ["forecast_posting"])], "")
    assert asked == tick()
    register = Store.open().postings("demo", who="the sensor's run")
    [waits] = register.open()
    register.move(waits.reference, WAITING, note="The ERP refuses it for good.")
    assert ([], "No posting could go on now.") == tick()
    later = clock.now() + timedelta(minutes=61)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert asked == tick()
    with open_desk(find("demo")) as desk:
        assert "posted now" in post_plan(desk, desk.route("forecast"), YEAR, [PERIOD]).summary
    assert ([], "No posting could go on now.") == tick()


@pytest.fixture
def begins_itself(demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The demo connection, whose budget is posted once a controller has approved its preview."""
    return declare(demo, "PLAN", "approved", tmp_path / "own", monkeypatch)


@pytest.mark.prove
def test_a_budget_begins_by_itself_once_it_is_approved(begins_itself: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the plan says `launch: approved`: not by its preview, not once the approval is withdrawn; each period that the ERP takes, once."""
    monkeypatch.setenv("MLC_USER", "preparer")
    with open_desk(begins_itself, sleep=briefly) as desk:
        route = desk.route("budget")
        read_approved(desk, route, YEAR)
        content = preview_plan(desk, route, YEAR).texts["content to approve"]
    assert ([], "No posting could go on now.") == tick()
    monkeypatch.setenv("MLC_USER", "controller")
    with open_desk(begins_itself, sleep=briefly) as desk:
        route = desk.route("budget")
        approve(desk, route, YEAR, content)
        asked = [("FY2027-P01", ["budget_posting"]), ("FY2027-P02", ["budget_posting"])]
        assert (asked, "") == tick()
        withdraw(desk, route, YEAR, "a figure is to be looked at")
        assert ([], "No posting could go on now.") == tick()
        approve(desk, route, YEAR, content)
        post_plan(desk, route, YEAR, [PERIOD])
    assert (asked[1:], "") == tick()


def test_nothing_is_posted_while_the_fit_report_is_not_ready(begins_itself: Named) -> None:
    """As for everything that is asked for by itself."""
    facts = {"state": "not yet", "summary": "2 things are missing."}
    Store.open().history.record_step(begins_itself.name, "fit_report", "", "", facts)
    asked, said = tick()
    assert [] == asked
    assert "2 things are missing." in said
