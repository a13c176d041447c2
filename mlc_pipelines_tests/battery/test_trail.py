"""Every figure that travels leaves a record: which line it was, which cell it went into, what the cell held before and afterwards. On every ERP."""

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.attempts import LEFT, LOAD_BEGUN, LOAD_ENDED, reference_of
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.moved import LOADED, ZERO
from mlc_pipelines.flows.trail import AuditTampered
from mlc_pipelines.store.history import AGREED, BEGUN, DIRTY
from mlc_pipelines.store.trail.trail import Entry
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.battery.houses import PERIOD, House, expected_cells, nothing_reached_the_plan, opened


def records(desk: Desk, entry: Entry) -> pd.DataFrame:
    return pa.concat_tables(desk.store.trail.records(entry)).to_pandas()


def ended(desk: Desk) -> list[Entry]:
    return list(desk.store.trail.entries(connection=desk.connection, kind=LOAD_ENDED, period=PERIOD))


def test_every_line_and_every_cell_is_recorded(desk: Desk, house: House) -> None:
    """The lines of a cell add up to it, each line is there once, and the second load's cells begin where the first one's ended."""
    late = house.post(PERIOD, house.expense, house.centers[1], 12_345)
    load_actuals(desk, PERIOD)
    house.recode(late, house.centers[0])
    load_actuals(desk, PERIOD)
    first, second = (records(desk, entry) for entry in ended(desk))
    is_cell = second["source"] == desk.feed.file
    cells, lines = second[is_cell].set_index("target"), second[~is_cell]
    sums = lines.groupby("target", observed=True)["amount_minor"].sum().reindex(cells.index).fillna(0)
    assert cells["amount_minor"].tolist() == sums.tolist() == cells["after_minor"].tolist()
    assert len(list(house.truth(PERIOD))) <= len(lines) == ended(desk)[1].event["counts"]["lines"]
    assert {
        f"{account}|{center}|{PERIOD}": int(amount * 100)
        for (account, center), amount in expected_cells(house, PERIOD).items()
    } == {target: amount for target, amount in cells["amount_minor"].items() if amount}
    assert {LOADED} == set(second["outcome"])
    moved = f"A{house.expense}|{house.center_member(house.centers[0])}|{PERIOD}"
    assert 12_345 == cells.loc[moved, "amount_minor"] - cells.loc[moved, "before_minor"]
    was = first[first["source"] == desk.feed.file].set_index("target")["after_minor"]
    assert was.get(moved, 0) == cells.loc[moved, "before_minor"]
    assert {0} >= set(cells.loc[cells["reason"] == ZERO, "amount_minor"])
    assert Kind.CLEAN == verify(desk.store.trail, full=True).kind


def test_a_load_that_its_process_left_behind_is_closed_by_the_next(desk: Desk) -> None:
    """Nobody knows what came of it; that is written down once, and the slice is sent whole again. An intent stands before each load."""
    load_actuals(desk, PERIOD)
    left = desk.store.history.begin_load(desk.connection, PERIOD, ended(desk)[0].event["artefacts"]["file"])
    load_actuals(desk, PERIOD)
    begun, *_ = desk.store.trail.entries(connection=desk.connection, kind=LOAD_BEGUN)
    said = {entry.event["reference"]: entry.event["outcome"] for entry in ended(desk)}
    assert {reference_of(1): AGREED, reference_of(left): LEFT, reference_of(3): AGREED} == said
    assert 3 == len(ended(desk))
    assert [AGREED, DIRTY, AGREED] == [load.state for load in desk.store.history.loads(desk.connection, PERIOD)]
    assert (BEGUN, reference_of(1)) == (begun.event["outcome"], begun.event["reference"])
    assert ended(desk)[0].event["artefacts"]["file"] == begun.event["request_hash"]
    who, code, configuration = (begun.event[name] for name in ("who", "code_version", "configuration_hash"))
    assert (desk.who, desk.code_version, desk.configuration_hash) == (who, code, configuration)
    assert all((who, code, configuration))


@pytest.mark.parametrize("fault", ["L05 rewritten", "L08 trigger dropped"])
def test_a_trail_that_was_changed_stops_the_next_run_before_anything_is_asked(
    desk: Desk, house: House, fault: str
) -> None:
    """L05, L08: what is wrong is named, and neither the ERP nor the plan hears anything."""
    with desk.store.engine.begin() as db:
        db.execute(sa.text("DROP TRIGGER trail_no_update"))
        if fault.startswith("L05"):
            db.execute(sa.text("UPDATE trail SET event = replace(event, 'MADE', 'DONE') WHERE number = 3"))
    house.sandbox.traffic.requests.clear()
    with pytest.raises(AuditTampered, match="trail_no_update is missing"), opened(house):
        pass
    assert nothing_reached_the_plan(house)
    assert not house.sandbox.traffic.requests
