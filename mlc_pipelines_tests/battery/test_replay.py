"""A load done again, from what the ERP says now or from the files of then; what is finished stays as it is, and that is said. On every ERP."""

import json

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.already import NOTHING_TO_DO, REPLAYED
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.replay import NOW, THEN, replay
from mlc_pipelines.flows.watch import waiting
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.battery.houses import PERIOD, House, expected_cells, held_cells

pytestmark = pytest.mark.quickly(1)


@pytest.mark.quickly(1)
def test_a_replay_of_something_finished_changes_nothing_and_says_so(desk: Desk, house: House) -> None:
    """From the ERP and from the kept files: no byte is sent, no load is added, the trail says that there was nothing to do."""
    load_actuals(desk, PERIOD)
    held = held_cells(house, PERIOD)
    house.sandbox.traffic.requests.clear()
    now, then = replay(desk, PERIOD), replay(desk, PERIOD, figures=THEN, mapping=THEN)
    assert all(
        "Nothing to do: load 1 of" in reports[-1].summary and "Nothing was sent" in reports[-1].summary
        for reports in (now, then)
    )
    written = [row.path for row in house.sandbox.traffic.requests if row.method in {"PUT", "POST"}]
    assert not [path for path in written if "/chunks/" in path or "/imports/" in path]
    assert held == held_cells(house, PERIOD)
    assert [AGREED] == [load.state for load in desk.store.history.loads(desk.connection, PERIOD)]
    said = [entry.event["outcome"] for entry in desk.store.trail.entries(connection=desk.connection, kind=REPLAYED)]
    assert [NOTHING_TO_DO] * 2 == said
    assert Kind.CLEAN == verify(desk.store.trail, full=True).kind


def test_a_period_that_waited_waits_no_more_when_its_replay_found_nothing_to_do(desk: Desk) -> None:
    """What the ERP told of is taken in by the new reading, though nothing had to be sent."""
    load_actuals(desk, PERIOD)
    desk.store.notices.keep(desk.connection, "push", "one", 1, [PERIOD])
    assert [PERIOD] == [one.period for one in waiting(desk.store, desk.connection)]
    assert "Nothing to do" in replay(desk, PERIOD)[-1].summary
    assert [] == waiting(desk.store, desk.connection)


@pytest.mark.quickly(1)
def test_a_suspect_period_is_replayed_as_then_and_as_now(desk: Desk, house: House) -> None:
    """After a late journal: as then brings the figures of then, from the files alone; as now brings the ledger's."""
    load_actuals(desk, PERIOD)
    then = held_cells(house, PERIOD)
    house.post(PERIOD, house.expense, house.centers[0], 999)
    load_actuals(desk, PERIOD)
    now = held_cells(house, PERIOD)
    house.sandbox.traffic.requests.clear()
    reports = replay(desk, PERIOD, figures=THEN, mapping=THEN, load=1)
    assert "as load 1 took them" in reports[0].summary
    assert not [
        row.path for row in house.sandbox.traffic.requests if "AccountDetails" in row.path or "GLJrnDtls" in row.path
    ]
    assert then == held_cells(house, PERIOD) != now
    desk.store.history.doubt(desk.connection, PERIOD, "somebody looked at it and wondered")
    replay(desk, PERIOD)
    assert now == held_cells(house, PERIOD) == expected_cells(house, PERIOD)
    assert [AGREED, AGREED, AGREED, DIRTY, AGREED] == [
        load.state for load in desk.store.history.loads(desk.connection, PERIOD)
    ]
    with pytest.raises(DataError, match="there is no load 77 of actuals to be replayed"):
        replay(desk, PERIOD, figures=THEN, load=77)


@pytest.mark.quickly(1)
def test_mlc_replay_says_from_what_and_with_which_mapping(house: House) -> None:
    """One command, its choices named in the answer; a second time there is nothing to do."""
    run = CliRunner().invoke
    first = json.loads(run(cli, ["replay", house.named.name, PERIOD, "--json"]).stdout)
    assert (True, NOW, NOW) == (first["sent"], first["figures"], first["mapping"])
    again = run(cli, ["replay", house.named.name, PERIOD, "--as-then", "--mapping", "then"])
    assert 0 == again.exit_code
    assert "figures of then, mapping of then: nothing was changed" in again.output
