"""The sensor on changes: each touched period is asked for once, and asked for again when it changes again."""

import dagster as dg
import pytest

from mlc_pipelines.assets.location import build_definitions
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named


@pytest.fixture
def watched(demo: Named) -> dg.SensorDefinition:
    """The sensor of the demo connection, whose ERP is watched."""
    found = build_definitions().resolve_sensor_def("demo_changes")
    assert isinstance(found, dg.SensorDefinition)
    return found


def tick(sensor: dg.SensorDefinition) -> tuple[list[tuple[str | None, str | None]], str]:
    """Periods with run keys, and why nothing was asked for."""
    seen = sensor.evaluate_tick(dg.build_sensor_context(definitions=build_definitions()))
    return [(one.partition_key, one.run_key) for one in seen.run_requests or []], seen.skip_message or ""


def test_several_notices_of_one_period_ask_for_it_once(watched: dg.SensorDefinition) -> None:
    """A closing day's hundred journals lead to one load of the period; what is still unloaded at the next tick has the same run key."""
    notices = Store.open().notices
    for number, periods in enumerate((["FY2026-P03"], ["FY2026-P03", "FY2026-P02"], ["FY2026-P03"]), start=1):
        notices.keep("demo", "MLC GL Changes", f"n{number}", number, periods)
    asked = [("FY2026-P02", "change-2-FY2026-P02"), ("FY2026-P03", "change-3-FY2026-P03")]
    assert (asked, "") == tick(watched)
    assert (asked, "") == tick(watched)


def test_a_late_journal_is_found_by_looking(watched: dg.SensorDefinition, sandbox: Sandbox) -> None:
    """Without any notification the ERP itself is asked, at most once in the stated time."""
    assert ([], "No period waits to be read again.") == tick(watched)
    lines = [Line(0, "6100", "010-000", "HQ", 1000, 0, "", ""), Line(0, "1010", "010-000", "HQ", 0, 1000, "", "")]
    sandbox.books.post("ACTUAL", "FY2026-P03", "HQ", "Posted", "late", lines, now=sandbox.clock.now())
    calls = sandbox.traffic.counts()["acumatica"]
    assert ([], "No period waits to be read again.") == tick(watched)
    assert calls == sandbox.traffic.counts()["acumatica"]
    with Store.open().engine.begin() as db:
        db.exec_driver_sql("UPDATE marks SET made_at = '2026-01-01T00:00:00+00:00'")
    assert ["FY2026-P03"] == [period for period, _ in tick(watched)[0]]


def test_a_period_beyond_the_calendar_is_no_request(watched: dg.SensorDefinition) -> None:
    """A period that this connection does not carry is passed over."""
    Store.open().notices.keep("demo", "MLC GL Changes", "n1", 1, ["FY2031-P01"])
    assert ([], "No period waits to be read again.") == tick(watched)


def test_it_is_off_until_somebody_switches_it_on(watched: dg.SensorDefinition) -> None:
    """What writes into the plan does not begin by itself on a fresh installation."""
    assert dg.DefaultSensorStatus.STOPPED == watched.default_status
