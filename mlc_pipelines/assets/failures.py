"""What Dagster knows of that people should look at: runs that failed and were not made good since, an audit trail that was changed, slots that outlive their run."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg
from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.execution.stats import StepEventStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Checked

from mlc_pipelines.assets.trail import CHECK, NAME
from mlc_pipelines.ledger.troubles import AUDIT, DAGSTER, RUN_FAILED, Trouble
from mlc_pipelines.transport.secret import redacted

_LOOKED_BACK = timedelta(days=62)
_RUNS_MAX = 200
_CHECKS_MAX = 10
_SLOT_SECONDS = 60.0
_PARTITION = "dagster/partition"
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_WILL_RETRY = "dagster/will_retry"
_WAITING = "WAITING: "


def failed_runs(
    instance: DagsterInstance, connection: str, jobs: Collection[str], now: datetime, waits: Collection[str] = ()
) -> list[Trouble]:
    """One for each step and period whose newest failure was not made good: by a later run, whoever started it, or by Dagster's own retry.

    waits: periods and steps of which the store itself tells that they wait, "FY2027-P01 budget_posting"; any other run that waited in vain is told here.
    """
    chosen = RunsFilter(statuses=[DagsterRunStatus.FAILURE], created_after=now - _LOOKED_BACK)
    found: dict[str, Trouble] = {}
    for record in instance.get_run_records(chosen, limit=_RUNS_MAX):  # newest first
        if not _of_connection(record, connection, jobs) or record.dagster_run.tags.get(_WILL_RETRY) == "true":
            continue
        steps = _failed_steps(instance, record)
        for about in [f"{period_of(record)} {name}".strip() for name in steps or [record.dagster_run.job_name]]:
            if about not in found and not _made_good(instance, record, connection, steps):
                found[about] = _told(instance, record, about)
    return [one for one in found.values() if not (one.what.startswith(_WAITING) and one.about in waits)]


def audit_trail_changed(instance: DagsterInstance) -> list[Trouble]:
    """What the newest look at the audit trail found; nothing where it was clean. One trail serves all connections, so the people of each are told.

    A verification that came to no end counts as well: nobody knows what it would have found. One that is under way leaves it at the one before.
    """
    key = dg.AssetCheckKey(dg.AssetKey(NAME), CHECK)
    for one in instance.event_log_storage.get_asset_check_execution_history(key, limit=_CHECKS_MAX):  # newest first
        if one.status == Checked.SUCCEEDED:
            return []
        if one.status == Checked.FAILED and one.evaluation:
            step = (
                "Stop loading. `mlc audit verify --full` tells all of it; the page on the audit trail says what to do."
            )
            return [Trouble(AUDIT, "all connections", redacted(one.evaluation.description or ""), step)]
        run = instance.get_run_by_id(one.run_id)
        if run and run.status == DagsterRunStatus.FAILURE:
            what = (
                f"Its verification did not come to its end (run {one.run_id[:8]}); nobody knows whether it was changed."
            )
            return [Trouble(AUDIT, "all connections", what, "`mlc audit verify --full` says why, or what it finds.")]
    return []


def slots_left(instance: DagsterInstance, pools: Collection[str], now: datetime) -> Iterator[Trouble]:
    """A slot whose run has ended, and that run monitoring should have freed: every other load of the model waits for it (H05)."""
    storage = instance.event_log_storage
    for pool in sorted(set(pools) & storage.get_concurrency_keys()):
        for slot in storage.get_concurrency_info(pool).claimed_slots:
            record = instance.get_run_record_by_id(slot.run_id)
            if record is None or (record.end_time and now.timestamp() - record.end_time > _SLOT_SECONDS):
                yield Trouble(
                    DAGSTER,
                    f"pool {pool}",
                    f"Its slot is held by run {slot.run_id[:8]}, which has ended. Loads of this model wait for it.",
                    "Is dagster-daemon running? Free the slot in Dagit: Deployment, Concurrency.",
                )


def period_of(record: RunRecord) -> str:
    tags = record.dagster_run.tags
    first, last = (tags.get(name, "") for name in _RANGE)
    return tags.get(_PARTITION) or (f"{first} to {last}" if first else "")


def _of_connection(record: RunRecord, connection: str, jobs: Collection[str]) -> bool:
    selected = record.dagster_run.asset_selection
    if selected:
        return any(key.path[0] == connection for key in selected)
    return record.dagster_run.job_name in jobs


def _failed_steps(instance: DagsterInstance, record: RunRecord) -> list[str]:
    """Names of the steps that failed; none for a run whose process ended without a word."""
    stats = instance.get_run_step_stats(record.dagster_run.run_id)
    return [one.step_key.partition("__")[2] or one.step_key for one in stats if one.status == StepEventStatus.FAILURE]


def _made_good(instance: DagsterInstance, record: RunRecord, connection: str, steps: Sequence[str]) -> bool:
    """Whether the same was run again with success, or what failed was materialized since."""
    run, ended = record.dagster_run, record.end_time or record.create_timestamp.timestamp()
    tags = {_PARTITION: run.tags[_PARTITION]} if _PARTITION in run.tags else {}
    again = RunsFilter(
        job_name=run.job_name, tags=tags, statuses=[DagsterRunStatus.SUCCESS], created_after=record.create_timestamp
    )
    if any(one.asset_selection == run.asset_selection for one in instance.get_runs(again, limit=_RUNS_MAX)):
        return True
    keys = [dg.AssetKey([connection, step]) for step in steps] or list(run.asset_selection or ())
    return bool(keys) and all(_materialized_since(instance, key, run.tags.get(_PARTITION), ended) for key in keys)


def _materialized_since(instance: DagsterInstance, key: dg.AssetKey, partition: str | None, ended: float) -> bool:
    wanted = dg.AssetRecordsFilter(
        asset_key=key, asset_partitions=[partition] if partition else None, after_timestamp=ended
    )
    return bool(instance.fetch_materializations(wanted, limit=1).records)


def _told(instance: DagsterInstance, record: RunRecord, about: str) -> Trouble:
    what, next_step = "The process that did the work ended without a word.", ""
    for event in instance.all_logs(record.dagster_run.run_id, of_type=DagsterEventType.STEP_FAILURE):
        data = event.dagster_event.step_failure_data if event.dagster_event else None
        if data is not None and data.user_failure_data is not None:
            told = data.user_failure_data
            what = told.description or what
            next_step = str(told.metadata["What to do next"].value) if "What to do next" in told.metadata else ""
        elif data is not None and data.error is not None:
            what = data.error.message.strip()
    return Trouble(RUN_FAILED, about, redacted(what), redacted(next_step))
