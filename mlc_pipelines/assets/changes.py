"""The sensor that asks for the periods an ERP said have changed. Off until somebody switches it on, like everything that writes."""

import dagster as dg

from mlc_pipelines.wiring.connections import Named

_PACE_SECONDS = 60


def changes_sensor(named: Named, job: str, keys: list[str]) -> dg.SensorDefinition:
    """One run per period named by new push notifications, however many named it. The cursor is the number of the last notice seen.

    A notice's number is part of the run key: a period that changes again is asked for again, a tick that is repeated asks for nothing twice.
    """

    @dg.sensor(
        name=f"{named.name}_changes",
        job_name=job,
        minimum_interval_seconds=_PACE_SECONDS,
        description="Asks for the fiscal periods that push notifications of the ERP say have changed. A hint to read: every load still reads the period whole.",
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from mlc_pipelines.store.home import Store

        notices = Store.open().notices.after(named.name, int(context.cursor or 0))
        if not notices:
            return dg.SensorResult(skip_reason="No notification since the last look.", cursor=context.cursor)
        last_of = {period: notice.number for notice in notices for period in notice.periods}
        requests = [
            dg.RunRequest(
                partition_key=period,
                run_key=f"notice-{number}-{period}",
                tags={"mlc/asked_by": "push notification", "mlc/notice": str(number)},
            )
            for period, number in sorted(last_of.items())
            if period in keys
        ]
        if beyond := sorted(set(last_of) - set(keys)):
            context.log.warning("Periods outside the connection's calendar were named: %s.", ", ".join(beyond))
        nothing = None if requests else "The notifications name no period of this connection's calendar."
        return dg.SensorResult(run_requests=requests, skip_reason=nothing, cursor=str(notices[-1].number))

    return changes
