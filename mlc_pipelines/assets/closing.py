"""The close of a connection in Dagit: its calendar as a table, the job that loads a period with everything it needs, and its schedule."""

from collections.abc import Callable, Mapping
from datetime import datetime

import dagster as dg

from mlc_pipelines.assets.schedules import asked_for, close_schedule
from mlc_pipelines.flows.steps import ACTUALS, CLOSE_CALENDAR
from mlc_pipelines.store import clock as our_clock
from mlc_pipelines.wiring.connections import Named

Clock = Callable[[], datetime]


def close_definitions(named: Named, steps: list[dg.AssetKey], clock: Clock = lambda: our_clock.now()) -> dg.Definitions:
    """Nothing where the connection declares no close. steps: reference data and figures, which one run brings up to date in this order."""
    if named.settings.close is None:
        return dg.Definitions()
    job = dg.define_asset_job(
        f"{named.name}_close",
        dg.AssetSelection.assets(*steps),
        description="Reads codes and members again, then brings the posted figures of a fiscal period from the ledger into the plan and proves them equal. "
        "What the close calendar asks for.",
    )
    return dg.Definitions(
        assets=[_calendar(named, clock)], jobs=[job], schedules=[close_schedule(named, job.name, clock)]
    )


def _calendar(named: Named, clock: Clock) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey([named.name, CLOSE_CALENDAR]),
        description="When which fiscal period is loaded by itself in the coming twelve months: the open one at its cadence, each closed one on its days. "
        "Materialize it to see the table; nothing is read from the ERP or sent.",
        group_name=named.name,
        kinds={"table"},
        owners=list(named.settings.owners),
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def close_calendar() -> dg.MaterializeResult:  # type: ignore[type-arg]
        import pandas as pd

        from mlc_pipelines.assets.screens import failure, table
        from mlc_pipelines.flows.closing import TITLES, coming, ends_early, year_after
        from mlc_pipelines.ledger.errors import PipelineError

        try:
            close, start = named.close, clock()
            lines = coming(close, start, year_after(start))
        except PipelineError as error:
            raise failure(error) from None
        shown = {
            "The coming twelve months": table(pd.DataFrame([one.cells(close) for one in lines], columns=list(TITLES))),
            "time zone": dg.MetadataValue.text(close.zone.key),
            "loads": dg.MetadataValue.int(sum(one.times for one in lines)),
        }
        if warning := ends_early(close, year_after(start)):
            shown["beware"] = dg.MetadataValue.text(warning)
        return dg.MaterializeResult(metadata=shown)

    return close_calendar


def close_metadata(named: Named, step: str, period: str, tags: Mapping[str, str]) -> dict[str, dg.MetadataValue]:
    """What stands beside figures: what the close calendar asked for, and, when they are in the plan, how the period's sign-off stands."""
    shown = asked_for(tags)
    if step == ACTUALS.load:
        from mlc_pipelines.flows.signoff import sign_off
        from mlc_pipelines.store.home import Store

        shown["sign-off"] = dg.MetadataValue.text(str(sign_off(Store.open(), named.name, period)))
    return shown
