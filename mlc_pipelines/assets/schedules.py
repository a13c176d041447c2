"""The schedule of a connection's close: asks for each period when it is due. Off until somebody switches it on, like everything that writes."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from mlc_pipelines.ledger.closing import OPEN, CloseCalendar, Due
from mlc_pipelines.store import clock as our_clock
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
    named: Named, job: str, clock: Callable[[], datetime] = lambda: our_clock.now()
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
        "connection says (asset close_calendar). Looks every five minutes; what was missed is made up once; a period that is not open in the ERP yet is "
        "waited for. Switch it on when the fit report of the connection is ready.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        instance = context.instance
        due = calendar().missing(clock(), back, lambda one: _asked(instance, named.name, one))
        if not due:
            return dg.SkipReason("No period is due.")
        free = [one for one in due if not _under_way(instance, job, one.period)]
        waiting = _not_yet(named, free) if free else {}
        if asked := [one for one in free if one.period not in waiting]:
            return [_request(named.name, one) for one in asked]
        busy = [one.period for one in due if one not in free]
        said = [*waiting.values(), *([f"Still being loaded: {', '.join(busy)}."] if busy else [])]
        return dg.SkipReason(" ".join(dict.fromkeys(said)))

    return schedule


def _not_yet(named: Named, due: list[Due]) -> dict[str, str]:
    """Periods that are due and cannot be loaded yet, each with why: the fit report is not ready, or the ERP has not opened the period."""
    from mlc_pipelines.assets.readiness import not_ready
    from mlc_pipelines.flows.opened import known_periods, periods_of
    from mlc_pipelines.store.home import Store
    from mlc_pipelines.wiring.ledgers import open_ledger

    store = Store.open()
    if said := not_ready(store, named.name):
        return {one.period: said for one in due}

    def ask() -> dict[str, str]:
        with open_ledger(named, store, time.sleep) as books:
            return periods_of(books.ledger)

    known = known_periods(store, named.name, ask)
    status = {one.period: known.get(one.period, "not there") for one in due}
    return {
        period: f"{period} is due and is waited for: it is not open in the ERP yet ({word})."
        for period, word in status.items()
        if word
    }


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
