"""The sensor that asks for the periods that have changed in the ERP. Off until somebody switches it on, like everything that writes."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from mlc_pipelines.wiring.connections import Named

_PACE_SECONDS = 60


def changes_sensor(named: Named, job: str, keys: list[str]) -> dg.SensorDefinition:
    """One run for each period that waits to be read again, whatever number of journals touched it.

    It keeps no cursor: what waits follows from the store, so nothing is lost with Dagster's own memory. The number of the notice is the run key: a
    period that changes again is asked for again; one whose run failed waits for a person, and is not asked for over and over.
    """

    @dg.sensor(
        name=f"{named.name}_changes",
        job_name=job,
        minimum_interval_seconds=_PACE_SECONDS,
        description="Asks for the fiscal periods that have changed in the ERP since they were loaded: late, back-dated or reversed journals, re-opened periods, push notifications. Every load still reads its period whole.",
    )
    def changes() -> dg.SensorResult:
        from mlc_pipelines.flows.watch import waiting
        from mlc_pipelines.store.home import Store

        store = Store.open()
        if _due(named, store.marks.looked_at(named.name)):
            _look(named)
        waits = [one for one in waiting(store, named.name) if one.period in keys]
        requests = [
            dg.RunRequest(
                partition_key=one.period,
                run_key=f"change-{one.notice}-{one.period}",
                tags={"mlc/asked_by": one.reason, "mlc/notice": str(one.notice)},
            )
            for one in waits
        ]
        return dg.SensorResult(
            run_requests=requests, skip_reason=None if requests else "No period waits to be read again."
        )

    return changes


def _due(named: Named, looked_at: datetime | None) -> bool:
    """Whether the connection has the ERP watched, and the last look is long enough ago."""
    watch = named.settings.watch
    return watch is not None and (
        looked_at is None or datetime.now(UTC) - looked_at >= timedelta(minutes=watch.every_minutes)
    )


def _look(named: Named) -> None:
    from mlc_pipelines.flows.watch import look
    from mlc_pipelines.wiring.rooms import open_desk

    with open_desk(named) as desk:
        look(desk)
