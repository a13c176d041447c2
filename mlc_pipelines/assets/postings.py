"""The sensor that takes up postings which waited, once nothing in the ERP holds them up any more, and begins those that may begin once they are approved.
Off until somebody switches it on.
"""

import dagster as dg

from mlc_pipelines.assets.readiness import not_ready, quiet_now
from mlc_pipelines.flows.steps import PlanSteps
from mlc_pipelines.store import clock
from mlc_pipelines.wiring.connections import Named

_PACE_SECONDS = 900


def postings_sensor(named: Named) -> dg.SensorDefinition | None:
    """One run for each period whose posting waited and could go on. None where every plan of the connection says `launch: by_person`.

    With `launch: resume` only what a person began is taken up: a period that nobody asked for is never posted by it. With `launch: approved` it begins what a
    controller has approved; nothing is ever posted that nobody approved.
    """
    plans = [name for name, plan in named.settings.plans.items() if plan.launch != "by_person"]
    if not plans:
        return None
    keys = [dg.AssetKey([named.name, PlanSteps.of(name).posting]) for name in plans]

    @dg.sensor(
        name=f"{named.name}_postings",
        asset_selection=dg.AssetSelection.assets(*keys),
        minimum_interval_seconds=_PACE_SECONDS,
        description="Takes up postings of approved plans that waited: for a closed period, an approval in the ERP, a busy group, an ERP that did not answer. "
        "Where the connection file says `launch: approved`, it begins them as well, once a controller has approved the preview.",
    )
    def postings() -> dg.SensorResult:
        from mlc_pipelines.flows.resume import resumable
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.wiring.rooms import open_desk

        store = Store.open()
        if said := not_ready(store, named.name) or quiet_now(named, clock.now()):
            return dg.SensorResult(skip_reason=said)
        with open_desk(named, store=store) as desk:
            found = resumable(desk)
        requests = [
            dg.RunRequest(
                partition_key=one.period,
                run_key=f"posting-{one.plan}-{one.period}-{one.since}",
                asset_selection=[dg.AssetKey([named.name, PlanSteps.of(one.plan).posting])],
                tags={"mlc/asked_by": "an approved posting that can go on"},
            )
            for one in found
        ]
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else "No posting could go on now.")

    return postings
