"""Quiet times of the close hold for everything that is asked for by itself, not for the schedule alone."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import clock
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find

PERIOD = "FY2026-P03"
FREEZE = "    blackouts:\n      - {begin: 2026-12-30T18:00, end: 2027-01-02T06:00}\n"
SAID = "A quiet time of the close: nothing is begun before Sat 2027-01-02 06:00 (America/Denver)."


@pytest.fixture
def frozen(demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    """The demo connection with a year-end freeze, in the middle of it; its postings begin by themselves."""
    text = demo.file.read_text()
    for before, more in (
        ("    holidays: [US]\n", FREEZE),
        ("        ledger: PLAN\n        branch: HQ\n", "      launch: approved\n"),
    ):
        assert before in text
        text = text.replace(before, before + more)
    (tmp_path / "demo.yaml").write_text(text)
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 31, 12, 0, tzinfo=UTC))
    return find("demo")


def tick(named: Named, sensor: str) -> tuple[list[str | None], str]:
    definitions = connection_definitions(named)
    found = definitions.resolve_sensor_def(f"demo_{sensor}")
    assert isinstance(found, dg.SensorDefinition)
    with dg.DagsterInstance.ephemeral() as instance:
        seen = found.evaluate_tick(dg.build_sensor_context(instance=instance, definitions=definitions))
    return [one.partition_key for one in seen.run_requests or []], seen.skip_message or ""


def test_what_changed_in_a_freeze_is_asked_for_after_it(frozen: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """The late journal is known meanwhile; no load begins over it."""
    Store.open().notices.keep("demo", "MLC GL Changes", "n1", 1, [PERIOD])
    asked, said = tick(frozen, "changes")
    assert ([], True) == (asked, said.startswith(SAID))
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 1, 2, 13, 0, tzinfo=UTC))
    assert [PERIOD] == tick(frozen, "changes")[0]


@pytest.mark.parametrize("sensor", ["approved_plans", "postings"])
def test_neither_system_is_asked_about_plans_in_a_freeze(frozen: Named, sandbox: Sandbox, sensor: str) -> None:
    """A preview or a posting would begin from there."""
    assert ([], SAID) == tick(frozen, sensor)
    assert [] == list(sandbox.traffic.requests)
