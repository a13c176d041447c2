"""The sensor that takes up postings which waited, once nothing in the ERP holds them up any more. Off until somebody switches it on."""

import dagster as dg

from mlc_pipelines.flows.steps import PlanSteps
from mlc_pipelines.wiring.connections import Named

_PACE_SECONDS = 900


def postings_sensor(named: Named) -> dg.SensorDefinition | None:
    """One run for each period whose posting waited and could go on. None where no plan of the connection says `launch: resume`.

    Only what was approved and begun by a person is taken up: a period that nobody asked for is never posted by it.
    """
    plans = [name for name, plan in named.settings.plans.items() if plan.launch == "resume"]
    if not plans:
        return None
    keys = [dg.AssetKey([named.name, PlanSteps.of(name).posting]) for name in plans]

    @dg.sensor(
        name=f"{named.name}_postings",
        asset_selection=dg.AssetSelection.assets(*keys),
        minimum_interval_seconds=_PACE_SECONDS,
        description="Takes up postings of approved plans that waited: for a closed period, an approval in the ERP, a busy group, an ERP that did not answer.",
    )
    def postings() -> dg.SensorResult:
        from mlc_pipelines.flows.resume import resumable
        from mlc_pipelines.wiring.rooms import open_desk

        with open_desk(named) as desk:
            found = resumable(desk)
        requests = [
            dg.RunRequest(
                partition_key=one.period,
                run_key=f"posting-{one.plan}-{one.period}-{one.since}",
                asset_selection=[dg.AssetKey([named.name, PlanSteps.of(one.plan).posting])],
                tags={"mlc/asked_by": "a posting that waited"},
            )
            for one in found
        ]
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else "No posting could go on now.")

    return postings
