"""A flow run within an asset: its report on the screen, or its failure with the legs that did not agree."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.wiring.connections import Named

if TYPE_CHECKING:
    from mlc_pipelines.flows.desk import Desk
    from mlc_pipelines.flows.report import Report

_BACKFILL = "dagster/backfill"
More = Callable[["Report"], Mapping[str, dg.MetadataValue]]


def perform(
    context: dg.AssetExecutionContext,
    named: Named,
    key: dg.AssetKey,
    flow: Callable[["Desk"], "Report"],
    more: More = lambda _report: {},
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Run the flow and show its report, with more metadata where an asset has some. A leg that does not agree is shown as a failed check,
    and the step fails: nothing is materialized.
    """
    # pandas and pyarrow are loaded by the process that works, not by the servers that only show definitions.
    from mlc_pipelines.assets import screens
    from mlc_pipelines.flows.trail import sign_head
    from mlc_pipelines.wiring.rooms import open_desk

    try:
        again = _BACKFILL in context.run.tags  # over periods that are loaded already it changes nothing, and says so
        with open_desk(named, run=context.run.run_id, progress=context.log.info, only_if_needed=again) as desk:
            report = flow(desk)
            signed = sign_head(desk.store.trail)
    except PipelineError as error:
        yield from (screens.leg_check(leg, key, error) for leg in error.legs)
        declared = {spec.name for spec in context.assets_def.check_specs}
        if error.leg in declared - {leg.name for leg in error.legs}:
            yield screens.failed_check(error, key)
        raise screens.failure(error) from None
    yield dg.MaterializeResult(
        asset_key=key,
        metadata={**screens.report_metadata(report), **more(report), **(signed.metadata() if signed else {})},
        check_results=[
            *(screens.leg_check(leg, key) for leg in report.legs),
            *(screens.notice_check(notice, key) for notice in report.notices),
        ],
        data_version=dg.DataVersion(report.artefact),
    )
