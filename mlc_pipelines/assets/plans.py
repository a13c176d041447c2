"""The sensor that asks for the preview of a plan once it is approved in Anaplan. Nothing is posted by it. Off until somebody switches it on."""

import dagster as dg

from mlc_pipelines.assets.readiness import not_ready, quiet_now
from mlc_pipelines.flows.steps import PlanSteps
from mlc_pipelines.store import clock
from mlc_pipelines.wiring.connections import Named

_PACE_SECONDS = 900
_FIRST, _LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def plans_sensor(named: Named) -> dg.SensorDefinition | None:
    """One run for each approval, over all periods of its fiscal year. None where the connection has no plans.

    What was previewed follows from the store, and the run key from what the approval says: a preview that failed waits for a person.
    """
    if not named.settings.plans:
        return None
    selections = {
        name: [dg.AssetKey([named.name, step]) for step in (PlanSteps.of(name).approved, PlanSteps.of(name).preview)]
        for name in named.settings.plans
    }

    @dg.sensor(
        name=f"{named.name}_approved_plans",
        asset_selection=dg.AssetSelection.assets(*(key for keys in selections.values() for key in keys)),
        minimum_interval_seconds=_PACE_SECONDS,
        description="Looks every quarter of an hour whether a budget or forecast was approved in Anaplan, and asks for its preview, once for each approval. Nothing "
        "is written into the ERP: a controller approves the preview first. Switch it on when the fit report of the connection is ready.",
    )
    def approved_plans() -> dg.SensorResult:
        from mlc_pipelines.flows import seen
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.wiring.rooms import open_desk

        store = Store.open()
        if said := not_ready(store, named.name) or quiet_now(named, clock.now()):
            return dg.SensorResult(skip_reason=said)
        with open_desk(named, store=store) as desk:
            found, unread = seen.approved_plans(desk, clock.now().date())
        requests = [
            dg.RunRequest(
                run_key=one.key,
                asset_selection=selections[one.plan],
                tags={
                    _FIRST: one.periods[0],
                    _LAST: one.periods[-1],
                    "mlc/asked_by": f"approved in Anaplan: {one.approval}",
                },
            )
            for one in found
        ]
        skipped = " ".join(["No plan was approved anew.", *unread])
        return dg.SensorResult(requests, skip_reason=None if requests else skipped)

    return approved_plans
