"""A load done again, from what the ERP says now or from the files of then; what is finished stays as it is, and that is said. On every ERP."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.already import NOTHING_TO_DO, REPLAYED
from mlc_pipelines.flows.as_then import FIGURES_OF, LOADED_AS_THEN, NOW, REPLAYED_FROM, THEN
from mlc_pipelines.flows.attempts import LOAD_BEGUN, LOAD_ENDED
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.evidence.pack import export_pack
from mlc_pipelines.flows.replay import replay
from mlc_pipelines.flows.signoff import AS_THEN, FINAL, SignOff, sign_off, suspend
from mlc_pipelines.flows.steps import IMPORT, MODEL_MATCHES_CELLS, ROWS_ALL_TAKEN, SIGN_OFF
from mlc_pipelines.flows.watch import waiting
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines.wiring.columns import columns_of
from mlc_pipelines_tests.battery.houses import PERIOD, House, expected_cells, held_cells


def stands(desk: Desk) -> SignOff:
    return sign_off(desk.store, desk.connection, PERIOD)


def waits(desk: Desk) -> list[tuple[str, str]]:
    return [(one.period, one.reason) for one in waiting(desk.store, desk.connection)]


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


@pytest.mark.prove
def test_a_period_that_waited_waits_no_more_when_its_replay_found_nothing_to_do(desk: Desk) -> None:
    """What the ERP told of is taken in by the new reading, though nothing had to be sent."""
    load_actuals(desk, PERIOD)
    desk.store.notices.keep(desk.connection, "push", "one", 1, [PERIOD])
    assert [PERIOD] == [one.period for one in waiting(desk.store, desk.connection)]
    assert "Nothing to do" in replay(desk, PERIOD)[-1].summary
    assert [] == waiting(desk.store, desk.connection)


def test_a_suspect_period_is_replayed_as_then_and_as_now(desk: Desk, house: House) -> None:
    """After a late journal: as then brings the figures of then, from the files alone; as now brings the ledger's."""
    load_actuals(desk, PERIOD)
    then = held_cells(house, PERIOD)
    house.post(PERIOD, house.expense, house.centers[0], 999)
    load_actuals(desk, PERIOD)
    now = held_cells(house, PERIOD)
    house.sandbox.traffic.requests.clear()
    reports = replay(desk, PERIOD, figures=THEN, mapping=THEN, load=1)
    assert "The figures of load 1, read from the ERP at" in reports[0].summary
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


@pytest.mark.prove
def test_figures_of_then_are_signed_off_by_nobody(desk: Desk, house: House, tmp_path: Path) -> None:
    """The ERP was not asked: the report says so, a final period is final no more, and it waits until it is read again; then it is signed anew."""
    house.close(PERIOD)
    load_actuals(desk, PERIOD)
    house.post(PERIOD, house.expense, house.centers[0], 999)
    load_actuals(desk, PERIOD)
    assert FINAL == stands(desk).state
    done = replay(desk, PERIOD, figures=THEN, mapping=THEN, load=1)[-1]
    assert "agree" not in done.summary
    assert "The figures of load 1, read from the ERP at" in done.summary
    assert "the ERP was not asked" in done.summary
    [check] = [one for one in done.notices if one.name == SIGN_OFF]
    assert (True, True) == (check.serious, f"{PERIOD} is as then: The figures of load 1" in check.said)
    assert not check.said.endswith("..")
    (account, center), _ = max(held_cells(house, PERIOD).items())
    told = CliRunner().invoke(cli, ["trace", desk.connection, PERIOD, account, center]).output
    assert "load 3, AGREED with the figures of load 1 as then (the ERP was not asked)" in told
    held = stands(desk)
    assert (AS_THEN, 2) == (held.state, held.agreed.load if held.agreed else 0)
    assert [(PERIOD, LOADED_AS_THEN)] == waits(desk)
    assert ([], AS_THEN) == (suspend(desk.store, desk.connection), stands(desk).state)
    begun, ended = (
        [one.event["query"] for one in desk.store.trail.entries(connection=desk.connection, kind=kind)][-1]
        for kind in (LOAD_BEGUN, LOAD_ENDED)
    )
    assert ("load 1", THEN) == (begun[REPLAYED_FROM], begun[FIGURES_OF]) == (ended[REPLAYED_FROM], ended[FIGURES_OF])
    period, columns = desk.calendar.period(PERIOD), columns_of(house.named)
    page = (
        export_pack(desk.store, desk.connection, period, columns, tmp_path / "then").place / "index.html"
    ).read_text()
    assert "the plan holds kept figures of load 1" in page
    assert "sign-off: as then: The figures of load 1" in page
    assert "plan and ledger agreed" not in page
    load_actuals(desk, PERIOD)
    assert (FINAL, []) == (stands(desk).state, waits(desk))
    assert expected_cells(house, PERIOD) == held_cells(house, PERIOD)


@pytest.mark.prove
def test_kept_figures_that_are_in_the_plan_already_change_no_sign_off(desk: Desk, house: House) -> None:
    """Nothing is sent: what was agreed stays agreed. Of an unsure load they are sent, and stay unsigned, however often, until the ERP is asked and says the same."""
    house.close(PERIOD)
    load_actuals(desk, PERIOD)
    agreed = stands(desk)
    assert "stands as it stood" in replay(desk, PERIOD, figures=THEN)[-1].summary
    assert (agreed, []) == (stands(desk), waits(desk))
    desk.store.history.doubt(desk.connection, PERIOD, "somebody looked at it and wondered")
    for _ in range(2):
        replay(desk, PERIOD, figures=THEN, load=1)
        assert (AS_THEN, [(PERIOD, LOADED_AS_THEN)]) == (stands(desk).state, waits(desk))
    assert "Nothing to do" in replay(desk, PERIOD)[-1].summary
    assert (FINAL, []) == (stands(desk).state, waits(desk))


@pytest.mark.prove
def test_only_what_was_proved_now_stands_as_proved_now(desk: Desk) -> None:
    """Nothing was sent, so that no rows are counted: the load that counted them is named, and its leg is not told once more."""
    load_actuals(desk, PERIOD)
    [*_, again] = replay(desk, PERIOD)
    assert [MODEL_MATCHES_CELLS] == [leg.name for leg in again.legs]
    [rows] = [one for one in again.notices if one.name == ROWS_ALL_TAKEN]
    assert "nothing to count; load 1 of" in rows.said
    newest = desk.store.history.require_step(desk.connection, IMPORT, PERIOD)
    assert [MODEL_MATCHES_CELLS] == [leg["leg"] for leg in newest.facts["legs"]]


def test_mlc_replay_says_from_what_and_with_which_mapping(house: House) -> None:
    """One command, its choices named in the answer; a second time there is nothing to do."""
    run = CliRunner().invoke
    first = json.loads(run(cli, ["replay", house.named.name, PERIOD, "--json"]).stdout)
    assert (True, NOW, NOW) == (first["sent"], first["figures"], first["mapping"])
    again = run(cli, ["replay", house.named.name, PERIOD, "--as-then", "--mapping", "then"])
    assert 0 == again.exit_code
    assert "figures of then, mapping of then: nothing was changed" in again.output
