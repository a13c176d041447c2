"""The queue of refused records: with reason, age and money, until a load that agrees takes them or somebody waives them by name."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from mlc_pipelines.assets.refused import refused_definitions
from mlc_pipelines.cli import cli
from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.refusals import CODE, OPEN, RESOLVED, ROW, WAIVED, Refused
from mlc_pipelines.store.trail.logbook import Logbook
from mlc_pipelines.wiring.connections import Named

PERIOD = "FY2026-P03"


def test_refused_rows_wait_until_they_are_taken_or_waived(desk: Desk, demo: Named, sandbox: Sandbox) -> None:
    """A load that agrees resolves them; a waived one stays waived by its name; the check in Dagster is red as long as one waits."""
    refresh_reference(desk)
    sandbox.set_switches(anaplan={"reject_rows": 2})
    with pytest.raises(DataError, match="rows_all_taken"):
        load_actuals(desk, PERIOD)
    queue = desk.store.refusals("demo")
    first, second = queue.all()
    assert {(PERIOD, "actuals", ROW, OPEN)} == {(one.period, one.feed, one.kind, one.state) for one in (first, second)}
    assert all(one.reason and " / " in one.record for one in (first, second))
    assert abs(first.amount_minor) >= abs(second.amount_minor)
    assert not checked(demo)
    arguments = ["refused", "waive", "demo", str(second.number), "--because", "member comes in May"]
    done = CliRunner().invoke(cli, arguments, env={"MLC_USER": "c.ontroller"})
    assert (0, True) == (done.exit_code, "waived by c.ontroller" in done.output)
    [event] = desk.store.trail.entries(kind="refused_record_waived")
    assert ("c.ontroller", "member comes in May") == (event.event["who"], event.event["note"])
    sandbox.set_switches(anaplan={"reject_rows": 0})
    load_slice(desk, PERIOD)
    assert (RESOLVED, WAIVED) == (queue.find(first.number).state, queue.find(second.number).state)
    assert "(AGREED) did not refuse it" in queue.find(first.number).why
    assert checked(demo)


def test_codes_without_a_member_wait_too(desk: Desk) -> None:
    """Where an unmapped code stops the period, each stands in the queue with its money; where it goes to suspense members, nothing was refused."""
    refresh_reference(desk)
    read_slice(desk, PERIOD)
    write_slice(desk, PERIOD)
    queue = desk.store.refusals("demo")
    assert [] == queue.all()
    with pytest.raises(DataError, match="have no member in the plan"):
        write_slice(replace(desk, target=replace(desk.target, suspense=None)), PERIOD)
    assert {CODE} == {one.kind for one in queue.all()}
    assert all(one.reason and one.amount_minor for one in queue.all())


def checked(demo: Named) -> bool:
    """Whether the check in Dagster is green."""
    with dg.DagsterInstance.ephemeral() as instance:
        done = refused_definitions(demo).resolve_job_def("demo_refused").execute_in_process(instance=instance)
        [check] = done.get_asset_check_evaluations()
    return check.passed


@pytest.fixture
def store(furnished: Path) -> Store:
    return Store.open()


def settle(store: Store, *refused: Refused, why: str = "load 2 (DIRTY) did not refuse it") -> list[tuple[str, int]]:
    """What is open afterwards: record and money."""
    queue = store.refusals("demo")
    with store.engine.begin() as db:
        queue.settle(db, "actuals", PERIOD, ROW, refused, currency="USD", why=why)
    return [(one.record, one.amount_minor) for one in queue.all()]


A, B = Refused("A1 / C1", "no such member", 500), Refused("A2 / C1", "no such member", -900)


def test_age_counts_from_the_first_refusal(store: Store) -> None:
    """The same record again is the same entry; its money may change; one that was taken meanwhile is resolved by that load."""
    assert [("A2 / C1", -900), ("A1 / C1", 500)] == settle(store, A, B)
    since = {one.record: one.since for one in store.refusals("demo").all()}
    assert [("A1 / C1", 700)] == settle(store, Refused("A1 / C1", "no such member", 700))
    [left] = store.refusals("demo").all()
    assert since["A1 / C1"] == left.since <= left.seen_at
    [taken] = store.refusals("demo").all(RESOLVED)
    assert ("A2 / C1", "load 2 (DIRTY) did not refuse it") == (taken.record, taken.why)


def test_what_was_waived_comes_back_only_with_other_money_or_reason(store: Store) -> None:
    settle(store, A)
    store.refusals("demo").waive(1, "small", Logbook(store.trail, "demo", "c.ontroller"))
    assert [] == settle(store, A)
    assert [("A1 / C1", 90_000)] == settle(store, Refused("A1 / C1", "no such member", 90_000))
    with pytest.raises(DataError, match="no open refused record 1"):
        store.refusals("demo").waive(1, "again", Logbook(store.trail, "demo", "c.ontroller"))
    with pytest.raises(DataError, match="for a reason"):
        store.refusals("demo").waive(2, " ", Logbook(store.trail, "demo", "c.ontroller"))


def test_a_whole_file_that_was_refused_is_told_by_its_largest(store: Store) -> None:
    """A thousand of them, and one line for the rest; none of these is called resolved while it is refused."""
    many = [Refused(f"A{number}", "locked", number) for number in range(1200)]
    assert ("200 others", sum(range(200))) in settle(store, *many)
    assert [] == store.refusals("demo").all(RESOLVED)
    assert [] == settle(store)


def test_the_list_for_scripts(demo: Named) -> None:
    settle(Store.open(), A)
    done = CliRunner().invoke(cli, ["refused", "list", "demo", "--json"])
    [row] = json.loads(done.output)
    assert ("A1 / C1", "no such member", 500, "USD", PERIOD) == tuple(
        row[name] for name in ("record", "reason", "amount_minor", "currency", "period")
    )
    assert "A1 / C1" in CliRunner().invoke(cli, ["refused", "list", "demo"]).output
