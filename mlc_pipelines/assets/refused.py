"""The queue of refused records as an asset: a table with reason, age and money, and a check that is green when nothing waits."""

from collections.abc import Iterator

import dagster as dg

from mlc_pipelines.flows.steps import REFUSED
from mlc_pipelines.wiring.connections import Named

CHECK = "nothing_refused"


def refused_definitions(named: Named) -> dg.Definitions:
    """The asset, and a job of it alone."""
    asset = _asset(named)
    job = dg.define_asset_job(
        f"{named.name}_refused",
        dg.AssetSelection.assets(asset.key),
        description="Shows which records were refused and wait for somebody. Neither system is asked.",
    )
    return dg.Definitions(assets=[asset], jobs=[job])


def _asset(named: Named) -> dg.AssetsDefinition:
    key = dg.AssetKey([named.name, REFUSED])

    @dg.asset(
        key=key,
        description="Records that the plan refused, and codes without a member: which period, why, since when, with how much money. Each stays until a load "
        "that agrees takes it, or until somebody waives it by name (`mlc refused waive`).",
        group_name=named.name,
        kinds={"anaplan"},
        owners=list(named.settings.owners),
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key, description="No record waits for somebody.")],
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def work(_context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        # pandas is loaded by the process that works, not by the servers that only show definitions.
        from mlc_pipelines.assets.screens import table
        from mlc_pipelines.flows.refused import as_table
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.store.refusals import OPEN, WAIVED

        queue = Store.open().refusals(named.name)
        waiting = queue.all(OPEN)
        oldest = f", the oldest since {min(one.since for one in waiting)[:10]}" if waiting else ""
        periods = ", ".join(dict.fromkeys(one.period for one in waiting))
        said = f"{len(waiting):,} records of {periods} are refused{oldest}." if waiting else "Nothing is refused."
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "summary": dg.MetadataValue.md(said),
                "records": dg.MetadataValue.int(len(waiting)),
                "Refused": table(as_table(waiting)),
                "Waived": table(as_table(queue.all(WAIVED))),
            },
            check_results=[dg.AssetCheckResult(passed=not waiting, check_name=CHECK, asset_key=key, description=said)],
        )

    return work
