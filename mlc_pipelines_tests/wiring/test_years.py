"""New fiscal years appear by themselves: taken over from the ERP as a whole, in order, held against the rule; a year that is lacking is told."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.flows.steps import FIT
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import clock
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines.wiring.watching import watch
from mlc_pipelines_tests.conftest import briefly

Open = Callable[[str, str], Named]


@pytest.fixture
def own(demo: Named, demo_epicor: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """A connection of the demo folder with its last declared year changed."""
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))

    def make(name: str, last: str) -> Named:
        file = {"demo": demo, "demo_epicor": demo_epicor}[name].file
        (tmp_path / file.name).write_text(file.read_text().replace("last_year: 2027", f"last_year: {last}"))
        return find(name)

    return make


def looked(named: Named) -> list[str]:
    told: list[str] = []
    with open_desk(named, sleep=briefly) as desk:
        watch(named, desk, told.append)
    return told


@pytest.mark.parametrize(("name", "last"), [("demo", "FY2026-P13"), ("demo_epicor", "FY2026-P13")])
def test_a_new_year_of_the_erp_becomes_partitions(own: Open, name: str, last: str) -> None:
    """In fiscal order, behind what was declared, the adjustment period too; told once it is there, and not again."""
    named = own(name, "2026")
    before = named.calendar.keys
    assert last == before[-1]
    [told] = looked(named)
    assert "FY2027" in told
    assert "was taken over" in told
    anew = find(name)
    assert [*before, *(f"FY2027-P{number:02d}" for number in range(1, 14))] == anew.calendar.keys
    assert anew.calendar.period("FY2027-P13").adjustment
    assert 12 == anew.calendar.period("FY2027-P13").beside
    [asset] = [one for one in connection_definitions(anew).assets or [] if isinstance(one, dg.AssetsDefinition) and one.key.path[-1] == "gl_actuals"]  # fmt: skip
    assert asset.partitions_def is not None
    assert anew.calendar.keys == list(asset.partitions_def.get_partition_keys())
    assert [] == looked(anew)


def test_a_sensor_that_was_loaded_before_says_that_the_definitions_are_to_be_loaded_again(own: Open) -> None:
    """Its own partitions are those of its start."""
    Store.open().history.record_step("demo", FIT, "", "", {"state": "ready", "summary": ""})
    definitions = connection_definitions(own("demo", "2026"))
    sensor = definitions.resolve_sensor_def("demo_changes")
    seen = sensor.evaluate_tick(dg.build_sensor_context(definitions=definitions))
    assert "New in the ERP: FY2027. Load the definitions again" in str(seen.skip_message)


def test_a_year_that_is_not_what_the_rule_says_is_refused(own: Open, sandbox: Sandbox) -> None:
    """The ERP's days and those of the rule are named; nothing is taken over, and it is told at each look."""
    named = own("demo", "2026")
    period = sandbox.books.periods["FY2027-P02"]
    sandbox.books.periods["FY2027-P03"].start += timedelta(days=3)
    period.end += timedelta(days=3)
    for _ in range(2):
        [told] = looked(named)
        assert (
            "FY2027-P02 runs from 2026-08-01 to 2026-09-03 in the ERP; by the connection's rule it runs from 2026-08-01 to 2026-08-31"
            in told
        )
    assert "FY2026-P13" == find("demo").calendar.keys[-1]


def test_half_a_year_is_not_taken_over(own: Open, sandbox: Sandbox) -> None:
    """Periods that are still being generated: partitions come as whole years, in order."""
    named = own("demo", "2026")
    for number in range(7, 14):
        del sandbox.books.periods[f"FY2027-P{number:02d}"]
    [told] = looked(named)
    assert "the ERP has 6 of its periods; FY2026 has 12" in told
    assert "FY2026-P13" == find("demo").calendar.keys[-1]


def test_a_year_that_is_lacking_is_told(demo: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two months before the calendar ends, where the ERP has no later year either."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 4, 30, tzinfo=UTC))
    assert [] == looked(demo)
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 5, 5, tzinfo=UTC))
    [told] = looked(demo)
    assert f"The fiscal calendar ends with FY2027-P13 on {date(2027, 6, 30)}, and the ERP has no later year" in told


def test_declared_years_come_first(own: Open) -> None:
    """A year that is declared after it was taken over stands there once."""
    looked(own("demo", "2026"))
    assert own("demo", "2027").calendar.keys == list(dict.fromkeys(own("demo", "2027").calendar.keys))
