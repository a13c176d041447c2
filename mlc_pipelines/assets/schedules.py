"""The schedule of a connection's close: asks for each period when it is due. Off until somebody switches it on, like everything that writes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from mlc_pipelines.ledger.closing import OPEN, CloseCalendar, Due
from mlc_pipelines.wiring.connections import Named

CLOSE, FIGURES, ASKED_BY = "mlc/close", "mlc/figures", "mlc/asked_by"
_PARTITION = "dagster/partition"
_EVERY_FIVE_MINUTES = "*/5 * * * *"
_UNDER_WAY = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def close_schedule(
    named: Named, job: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dg.ScheduleDefinition:
    """One run for each period that is due and was not asked for; the moments themselves are worked out by `ledger.closing`.

    It keeps no memory of its own: what was asked for follows from the runs, by their tag. So a daemon killed between deciding and launching loses nothing,
    one that starts again after a week asks once for each period, and a run that failed waits for a person. The time is the clock's, not the tick's:
    ticks that are caught up after an outage find that the first of them has asked for everything.
    """
    close = named.settings.close
    if close is None:
        raise ValueError(f"connection {named.name} declares no close")
    back = timedelta(days=close.make_up_days)

    @cache
    def calendar() -> CloseCalendar:
        return named.close

    @dg.schedule(
        name=f"{named.name}_close",
        job_name=job,
        cron_schedule=_EVERY_FIVE_MINUTES,
        execution_timezone=close.time_zone,
        description="Loads the open fiscal period at its cadence, and each closed one on its days after the period's end, as the close calendar of the "
        f"connection says: `mlc calendar close {named.name}`. Looks every five minutes; what was missed is made up once.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        instance = context.instance
        due = calendar().missing(clock(), back, lambda one: _asked(instance, named.name, one))
        free = [one for one in due if not _under_way(instance, job, one.period)]
        if free:
            return [_request(named.name, one) for one in free]
        return dg.SkipReason(
            f"Still being loaded: {', '.join(one.period for one in due)}." if due else "No period is due."
        )

    return schedule


def _request(connection: str, due: Due) -> dg.RunRequest:
    what = "open period" if due.step == OPEN else due.step
    tags = {CLOSE: f"{connection}/{due.key}", FIGURES: due.figures, ASKED_BY: f"close calendar, {what}"}
    return dg.RunRequest(partition_key=due.period, run_key=due.key, tags=tags)


def _asked(instance: DagsterInstance, connection: str, due: Due) -> bool:
    return bool(instance.get_run_ids(RunsFilter(tags={CLOSE: f"{connection}/{due.key}"}), limit=1))


def _under_way(instance: DagsterInstance, job: str, period: str) -> bool:
    """Whether an earlier run of the close still works on the period, or waits to: another one behind it would only queue up."""
    chosen = RunsFilter(job_name=job, tags={_PARTITION: period}, statuses=_UNDER_WAY)
    return bool(instance.get_run_ids(chosen, limit=1))


def asked_for(tags: Mapping[str, str]) -> dict[str, dg.MetadataValue]:
    """What the close calendar asked a run for, to stand beside its figures; nothing for runs that a person started."""
    if CLOSE not in tags:
        return {}
    return {"asked for by": dg.MetadataValue.text(f"{tags[ASKED_BY]}, as {tags[FIGURES]} figures ({tags[CLOSE]})")}
