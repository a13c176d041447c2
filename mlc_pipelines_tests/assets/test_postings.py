"""The sensor on postings: what waited is taken up once nothing holds it up, what nobody began is left alone."""

from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.location import build_definitions
from mlc_pipelines.flows.approval import approve
from mlc_pipelines.flows.approved import read_approved
from mlc_pipelines.flows.budgets import post_plan
from mlc_pipelines.flows.preview import preview_plan
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.sandbox.acumatica import budgets
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk

YEAR, PERIOD = "FY2027", "FY2027-P01"


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


def test_a_budget_that_waited_for_its_release_is_taken_up_afterwards(
    demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acumatica's articles wait for a person on GL505510; until then no run is asked for, afterwards one for each period that was begun."""
    said = "        ledger: BUDGET\n        branch: HQ\n"
    text = demo.file.read_text()
    assert said in text
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "demo.yaml").write_text(text.replace(said, f"{said}      launch: resume\n"))
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path / "own"))
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
    assert ([(PERIOD, ["forecast_posting"])], "") == tick()
    with open_desk(find("demo")) as desk:
        assert "posted now" in post_plan(desk, desk.route("forecast"), YEAR, [PERIOD]).summary
    assert ([], "No posting could go on now.") == tick()
