"""The sensor that tells people, over real runs, a real store and a real web server: what is told once, what is over, and what it says in Dagit."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from mlc_pipelines.assets import screens
from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.assets.failures import audit_trail_changed, failed_runs, slots_left
from mlc_pipelines.assets.freshness import freshness_check
from mlc_pipelines.assets.notices import notices_sensor
from mlc_pipelines.assets.trail import CHECK, NAME, trail_definitions
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, folder, read_one
from mlc_pipelines_tests.assets.test_trail import change_an_old_entry, recorded
from mlc_pipelines_tests.messengers.conftest import Chat, chat  # noqa: F401  a fixture

PERIOD = "FY2026-P03"
NOTIFY = {"to": {"finance_chat": {"by": "webhook", "shape": "plain", "credential": "chat"}}}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp() as own:
        yield own


@pytest.fixture
def named(demo: Named, chat: Chat, tmp_path: Path) -> Named:  # noqa: F811
    """The demo connection, whose people sit in a chat."""
    Store.open().vault.put("chat", {"url": chat.url})
    said = yaml.safe_load((folder() / "demo.yaml").read_text())
    said["attributes"]["notify"] = NOTIFY
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(said))
    return read_one(tmp_path / "demo.yaml")


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


def run(named: Named, instance: dg.DagsterInstance, job: str, period: str = "") -> bool:
    found = connection_definitions(named).resolve_job_def(f"{named.name}_{job}")
    return found.execute_in_process(instance=instance, partition_key=period or None, raise_on_error=False).success


def tick(
    named: Named, instance: dg.DagsterInstance, clock: Callable[[], datetime], cursor: str = ""
) -> dg.SensorResult:
    jobs = [f"{named.name}_{job}" for job in ("reference", "actuals", "close")]
    sensor = notices_sensor(named, lambda: jobs, [named.settings.anaplan.pool], clock)
    assert sensor is not None
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


@pytest.mark.prove
def test_a_failed_load_is_told_until_it_is_made_good(
    named: Named,
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    chat: Chat,  # noqa: F811
) -> None:
    """The step, the period, what happened and what to do; nothing while it stays so; once more when a later run succeeded."""
    clock = Clock()
    assert run(named, instance, "reference")
    sandbox.set_switches(anaplan={"task_seconds": 0.05})
    sandbox.traffic.plant(
        {"match": "POST .*/imports/.*/tasks", "times": -1, "action": {"kind": "status", "status": 400}}
    )
    assert not run(named, instance, "actuals", PERIOD)
    tick(named, instance, clock)
    [first] = chat.got
    assert ["Loads that failed", "Codes without a member in the plan"] == [one["heading"] for one in first["sections"]]
    assert f"{PERIOD} actuals_import: Anaplan POST" in first["text"]
    assert "answered 400" in first["text"]
    clock.later(minutes=20)
    assert "Nothing new is to be told." == tick(named, instance, clock).skip_reason.skip_message
    sandbox.traffic.clear()
    assert run(named, instance, "actuals", PERIOD)
    clock.later(minutes=20)
    tick(named, instance, clock)
    assert ["demo: 2 new", "demo: 1 solved"] == [one["title"] for one in chat.got]
    assert f"{PERIOD} actuals_import" in chat.got[-1]["text"]


def test_a_run_that_waited_in_vain_is_told_unless_the_store_tells_of_it() -> None:
    """A load behind a person in the model ends red and is not started again by itself; a posting behind a closed period is told by its journals."""
    instance, now = dg.DagsterInstance.ephemeral(), datetime.now(UTC) + timedelta(minutes=1)

    def ends_waiting(name: str, period: str) -> None:
        @dg.asset(key=["demo", name], partitions_def=dg.StaticPartitionsDefinition([period]))
        def work() -> None:
            raise screens.failure(WaitingError("Ann is at work in the model."))

        dg.materialize([work], partition_key=period, instance=instance, raise_on_error=False)

    ends_waiting("actuals_import", PERIOD)
    ends_waiting("budget_posting", "FY2027-P01")
    ends_waiting("budget_posting", "FY2027-P02")
    [run_of, *_] = instance.get_runs()
    found = failed_runs(instance, "demo", [run_of.job_name], now, {"FY2027-P01 budget_posting"})
    assert {f"{PERIOD} actuals_import", "FY2027-P02 budget_posting"} == {one.about for one in found}
    assert {"WAITING: Ann is at work in the model."} == {one.what for one in found}


def test_a_changed_audit_trail_is_told_before_all_else(
    named: Named,
    chat: Chat,  # noqa: F811
) -> None:
    """What the nightly verification finds reaches the people of the connection, until one is clean; one that broke off is told as well."""
    store, clock, instance = Store.open(), Clock(), dg.DagsterInstance.ephemeral()
    recorded(store)
    change_an_old_entry(store)
    verification = trail_definitions().resolve_job_def("audit_trail_verification")
    verification.execute_in_process(instance=instance, raise_on_error=False)
    tick(named, instance, clock)
    assert ["Audit trail"] == [one["heading"] for one in chat.got[-1]["sections"]]
    assert "all connections: tampered: 4 entries" in chat.got[-1]["text"]
    assert "entry 3: " in chat.got[-1]["text"]
    clean = dg.AssetCheckEvaluation(asset_key=dg.AssetKey(NAME), check_name=CHECK, passed=True, metadata={})
    instance.report_runless_asset_event(clean)
    clock.later(minutes=20)
    tick(named, instance, clock)
    assert "demo: 1 solved" == chat.got[-1]["title"]
    (store.home / "keys").mkdir(exist_ok=True)
    (store.home / "keys" / "audit.key").write_text("not a key")
    verification.execute_in_process(instance=instance, raise_on_error=False)
    [broken_off] = audit_trail_changed(instance)
    assert "did not come to its end" in broken_off.what


def loaded(named: Named, period: str, at: datetime) -> None:
    """As if the period had been loaded and had agreed then."""
    import mlc_pipelines.store.clock as clock

    store, now = Store.open(), clock.now
    clock.now = lambda: at  # type: ignore[assignment]
    try:
        history = store.history
        history.end_load(history.begin_load(named.name, period, "0" * 64), AGREED)
    finally:
        clock.now = now


def test_a_period_that_is_late_is_told_and_shown_beside_the_calendar(
    named: Named,
    instance: dg.DagsterInstance,
    chat: Chat,  # noqa: F811
) -> None:
    """FY2026-P03 ends on 30 September 2025; its final step is on 7 October at 18:00 in Denver, and the grace is four hours."""
    clock = Clock()
    for period in ("FY2026-P01", "FY2026-P02", PERIOD):
        loaded(named, period, datetime(2025, 10, 1, 13, 0, tzinfo=UTC))
    clock.now = datetime(2025, 10, 8, 3, 0, tzinfo=UTC)
    loaded(named, "FY2026-P04", datetime(2025, 10, 7, 12, 5, tzinfo=UTC))
    before = tick(named, instance, clock)
    assert [True] == [one.passed for one in before.asset_events]
    assert [] == chat.got
    clock.later(hours=2)
    after = tick(named, instance, clock, before.cursor or "")
    [red] = after.asset_events
    assert (False, "loaded_in_time") == (red.passed, red.check_name)
    assert f"{PERIOD} should have been loaded on Tue 2025-10-07 18:00 (final, final)" in str(red.description)
    assert f"{PERIOD}: {PERIOD} should have been loaded" in chat.got[0]["text"]
    [check] = freshness_check(named, clock)
    assert not check().passed
    assert () == tuple(tick(named, instance, clock, after.cursor or "").asset_events), "told once"
    loaded(named, PERIOD, datetime(2025, 10, 8, 1, 0, tzinfo=UTC))
    clock.later(minutes=20)
    assert [True] == [one.passed for one in tick(named, instance, clock, after.cursor or "").asset_events]
    assert "demo: 1 solved" == chat.got[-1]["title"]


def test_H05_a_slot_that_outlives_its_run_is_told(instance: dg.DagsterInstance) -> None:
    """A run that ended more than a minute ago, and whose slot nobody freed: named with its pool. A slot of a run at work is none of that."""
    storage = instance.event_log_storage
    storage.set_concurrency_slots("model", 1)

    @dg.op
    def work() -> None: ...

    @dg.job
    def load() -> None:
        work()

    ended = load.execute_in_process(instance=instance)
    assert storage.claim_concurrency_slot("model", ended.run_id, "work").is_claimed
    now = datetime.now(UTC)
    assert [] == list(slots_left(instance, ["model"], now))
    [found] = slots_left(instance, ["model"], now + timedelta(seconds=90))
    assert ("pool model", True) == (found.about, ended.run_id[:8] in found.what)
