"""Three connections by the sandbox's clock: every close on its day, every late posting found at the next look and only its period suspended and loaded again, every
approval previewed once; nothing twice, nothing missed, with faults on the way.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance

from mlc_pipelines.flows.signoff import FINAL, sign_off
from mlc_pipelines.flows.steps import FIT
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import clock
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import find
from mlc_pipelines_tests.assets.offices import Office, expected_closes, files, utc
from mlc_pipelines_tests.assets.year import PLANS_LOOK, Script, Year, held
from mlc_pipelines_tests.battery.houses import Ironvale, Meridian
from mlc_pipelines_tests.conftest import store_demo_credentials, store_epicor_credentials

EVENTS_IN_MEMORY = {
    "event_log_storage": {
        "module": "dagster._core.storage.event_log",
        "class": "InMemoryEventLogStorage",
        "config": {},
    }
}
"""A database file for each of hundreds of runs takes longer than the runs themselves."""


@pytest.fixture
def offices(
    sandbox: Sandbox, furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Office]]:
    """Three connections on two companies; our own clock is the sandbox's."""
    place = tmp_path / "connections"
    place.mkdir()
    files(place)
    monkeypatch.setenv("MLC_SANDBOX_URL", sandbox.url)
    monkeypatch.setenv("MLC_CONNECTIONS", str(place))
    monkeypatch.setattr(clock, "now", sandbox.clock.now)
    store_demo_credentials(sandbox, Store.open())
    store_epicor_credentials(sandbox, Store.open())
    houses = [
        Meridian(find("demo"), sandbox),
        Ironvale(find("demo_epicor"), sandbox),
        Meridian(find("demo_berlin"), sandbox),
    ]
    for house in houses:
        Store.open().history.record_step(house.named.name, FIT, "", "", {"state": "ready", "summary": ""})
    with DagsterInstance.local_temp(str(tmp_path), overrides=EVENTS_IN_MEMORY) as instance:
        yield [Office(house, instance) for house in houses]


def require_right(year: Year) -> None:
    """What was asked for and what came of it, held against what happened, for each connection."""
    postings = {row.path for row in year.sandbox.traffic.requests if row.method in {"PUT", "POST"}}
    assert not [path for path in postings if "JournalTransaction" in path or "GLJournalEntry" in path]
    for office in year.offices:
        _require_closed_on_time(year, office)
        _require_late_found(year, office)
        _require_previewed_once(year, office)
        every = [one.key for one in office.runs]
        assert len(set(every)) == len(every)


def _require_closed_on_time(year: Year, office: Office) -> None:
    """Each moment of the calendar once, what fell into a day without a daemon the day after; at the end all that ended is final, and the plan holds it."""
    start, end = utc(year.start, time()), utc(year.start + timedelta(days=year.days), time())
    asked = sorted((one.key, one.at) for one in office.of("_close"))
    assert expected_closes(office, start, end, year.script.away) == asked
    failed = [one for one in office.runs if not one.success]
    assert {day for day in year.script.plan_down if office.name == "demo"} == {one.at.date() for one in failed}
    loads = Counter(
        load.state for one in office.named.calendar.keys for load in Store.open().history.loads(office.name, one)
    )
    assert {AGREED} == set(loads)
    for one in office.named.calendar.periods:
        ended = year.start <= one.end_on < end.date() - timedelta(days=10)
        if ended and (not one.adjustment or any(due.at < end for due in office.named.close.of_period(one.key))):
            assert held(office, one.key), (office.name, one.key)
            assert FINAL == sign_off(Store.open(), office.name, one.key).state, (office.name, one.key)


def _require_late_found(year: Year, office: Office) -> None:
    """Suspended by the next look, its period alone, and loaded again by the same tick; what changes in the open period waits for its cadence."""
    rows = Store.open().standings(office.name).after(0)
    first = [row for row in rows if row.state == "SUSPENDED" and "still to be read" in row.note]
    mine = [late for late in year.late if office in late.offices]
    assert Counter((late.period, str(late.found_on)) for late in mine) == Counter(
        (one.period, one.at[:10]) for one in first
    )
    again = [(one.period, one.at.date()) for one in office.of("_actuals")]
    assert all((late.period, late.found_on) in again for late in mine)
    if office.named.settings.close and office.named.settings.close.open_period:
        assert not [
            one
            for one in office.of("_actuals")
            if (opened := office.named.close.open_at(one.at)) and opened.key == one.period
        ]


def _require_previewed_once(year: Year, office: Office) -> None:
    approved = [
        (f"{name}_{plan}_preview", year.next_look(day, (PLANS_LOOK,)))
        for day, name, plan, _ in year.script.approvals
        if name == office.name
    ]
    assert sorted(approved) == sorted((one.job, one.at.date()) for one in office.of("_preview"))


def test_H04_a_close_on_its_days(sandbox: Sandbox, offices: list[Office]) -> None:
    """August 2025 at Meridian: WD+1 after Labor Day, the ERP's own close, WD+5, a late posting after it; a day without a daemon, and faults."""
    script = Script(
        late=(date(2025, 9, 10),),
        away=frozenset({date(2025, 9, 5)}),
        faults={date(2025, 9, 2): "B14", date(2025, 9, 6): "A04"},
    )
    year = Year(sandbox, offices[:1], date(2025, 8, 31), 11, script)
    year.live()
    require_right(year)
    assert ["FY2026-P02"] == [late.period for late in year.late]
    assert {"B14": 1, "A04": 1} == {name: fault.fired for name, fault in year.planted.items()}


@pytest.mark.prove
def test_H04_J01_a_year_of_three_connections(sandbox: Sandbox, offices: list[Office]) -> None:
    """From September 2025 to August 2026, with both nights in which the clocks are set, in Denver, Chicago and Berlin, and a closing period on each ERP."""
    script = Script(
        late=(date(2025, 10, 9), date(2025, 12, 18), date(2026, 2, 19), date(2026, 4, 14), date(2026, 7, 21)),
        reopened={date(2026, 3, 19): date(2026, 3, 25)},
        away=frozenset({date(2025, 11, 7), date(2026, 3, 9)}),
        faults=dict(
            zip(
                (
                    date(2025, 9, 6),
                    date(2025, 10, 7),
                    date(2025, 12, 5),
                    date(2026, 1, 9),
                    date(2026, 4, 3),
                    date(2026, 6, 5),
                ),
                ("A04", "A07", "B02", "B10", "B14", "E05"),
                strict=True,
            )
        ),
        plan_down=frozenset({date(2026, 1, 16)}),
        erp_down=frozenset({date(2026, 2, 20)}),
        approvals=(
            (date(2026, 2, 11), "demo", "budget", 0),
            (date(2026, 3, 17), "demo_epicor", "budget", 0),
            (date(2026, 5, 13), "demo", "budget", 1_250),
            (date(2026, 6, 10), "demo", "forecast", 0),
            (date(2026, 6, 24), "demo_epicor", "forecast", 0),
            (date(2026, 7, 15), "demo_epicor", "budget", 0),
        ),
    )
    year = Year(sandbox, offices, date(2025, 8, 31), 365, script)
    year.live()
    require_right(year)
    assert {"A04", "A07", "B02", "B10", "B14", "B17", "E05"} == {
        name for name, fault in year.planted.items() if fault.fired
    }
    assert [1, 1, 1] == [office.failed_ticks for office in offices]
