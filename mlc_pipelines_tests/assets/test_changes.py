"""The sensor on push notifications: each touched period is asked for once, and asked for again when it changes again."""

from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.location import build_definitions
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import folder

PUSH = """    push: {credential: demo-push, query: MLC GL Changes, period_field: PostPeriod}

  anaplan:
"""


@pytest.fixture
def sensor(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> dg.SensorDefinition:
    """The demo connection with push notifications declared."""
    text = (folder() / "demo.yaml").read_text().replace("\n  anaplan:\n", PUSH, 1)
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections" / "demo.yaml").write_text(text)
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path / "connections"))
    found = build_definitions().resolve_sensor_def("demo_changes")
    assert isinstance(found, dg.SensorDefinition)
    return found


def look(
    sensor: dg.SensorDefinition, cursor: str | None
) -> tuple[list[tuple[str | None, str | None]], str | None, str]:
    """Periods with run keys, the next cursor, and why nothing was asked for."""
    tick = sensor.evaluate_tick(dg.build_sensor_context(cursor=cursor, definitions=build_definitions()))
    return [(one.partition_key, one.run_key) for one in tick.run_requests or []], tick.cursor, tick.skip_message or ""


def test_several_notices_of_one_period_ask_for_it_once(sensor: dg.SensorDefinition) -> None:
    """A closing day's hundred journals lead to one load of the period, and the next look asks for nothing."""
    notices = Store.open().notices
    for number, periods in enumerate((["FY2026-P03"], ["FY2026-P03", "FY2026-P02"], ["FY2026-P03"]), start=1):
        notices.keep("demo", "MLC GL Changes", f"n{number}", number, periods)
    asked, cursor, _ = look(sensor, None)
    assert [("FY2026-P02", "notice-2-FY2026-P02"), ("FY2026-P03", "notice-3-FY2026-P03")] == asked
    assert ([], "3", "No notification since the last look.") == look(sensor, cursor)


def test_a_period_that_changes_again_is_asked_for_again(sensor: dg.SensorDefinition) -> None:
    """The run key holds the notice's number, since Dagster runs a key only once for ever."""
    notices = Store.open().notices
    notices.keep("demo", "MLC GL Changes", "n1", 1, ["FY2026-P03"])
    _, cursor, _ = look(sensor, None)
    notices.keep("demo", "MLC GL Changes", "n2", 2, ["FY2026-P03"])
    assert [("FY2026-P03", "notice-2-FY2026-P03")] == look(sensor, cursor)[0]


def test_a_period_beyond_the_calendar_is_no_request(sensor: dg.SensorDefinition) -> None:
    """A period that this connection does not carry is passed over, and the sensor goes on behind it."""
    Store.open().notices.keep("demo", "MLC GL Changes", "n1", 1, ["FY2031-P01"])
    nothing = "The notifications name no period of this connection's calendar."
    assert ([], "1", nothing) == look(sensor, None)


def test_it_is_off_until_somebody_switches_it_on(sensor: dg.SensorDefinition) -> None:
    """What writes into the plan does not begin by itself on a fresh installation."""
    assert dg.DefaultSensorStatus.STOPPED == sensor.default_status
