"""The assets of one connection. Each only translates: a partition key in, a report out; the work is in flows/."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from mlc_pipelines.assets.changes import changes_sensor, comparison
from mlc_pipelines.assets.closing import close_definitions, close_metadata
from mlc_pipelines.assets.extracts import extract_definitions
from mlc_pipelines.assets.freshness import freshness_check
from mlc_pipelines.assets.notices import notices_sensor
from mlc_pipelines.assets.perform import perform
from mlc_pipelines.assets.plans import plans_sensor
from mlc_pipelines.assets.postings import postings_sensor
from mlc_pipelines.assets.steps import Step, steps_of
from mlc_pipelines.flows.steps import PlanSteps
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.destinations import destination_of

if TYPE_CHECKING:
    from mlc_pipelines.flows.desk import Desk
    from mlc_pipelines.flows.report import Report

warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def.*")
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")


def connection_definitions(named: Named) -> dg.Definitions:
    """Assets, checks and jobs of one connection under its name. Partition keys come from the declared calendar alone."""
    periods = dg.StaticPartitionsDefinition(named.calendar.keys)
    steps = steps_of(named)
    assets = [_asset(named, step, periods) for step in steps]
    keys = {step.name: dg.AssetKey([named.name, step.name]) for step in steps}
    reference = dg.define_asset_job(
        f"{named.name}_reference",
        dg.AssetSelection.assets(*(keys[step.name] for step in steps if not step.by_period)),
        description="Reads accounts, cost centers and list members again and pairs them up. Run it before figures.",
    )
    actuals = dg.define_asset_job(
        f"{named.name}_actuals",
        dg.AssetSelection.assets(*(keys[step.name] for step in steps if step.by_period and not step.plan)),
        description="Brings the posted figures of a fiscal period from the ledger into the plan, AP spend too where the connection declares it, and proves them equal.",
    )
    watch = _watch(named, periods, actuals)
    sensors = []
    if resume := postings_sensor(named):
        sensors.append(resume)
    if approved := plans_sensor(named):
        sensors.append(approved)
    jobs: list[str] = []
    pools = {pool for step in steps if (pool := _pool(named, step))}
    if notices := notices_sensor(named, lambda: jobs, pools):
        sensors.append(notices)
    own = dg.Definitions(
        assets=assets,
        jobs=[reference, actuals, *_plan_jobs(named)],
        sensors=sensors,
        asset_checks=freshness_check(named),
    )
    closing = close_definitions(named, [keys[step.name] for step in steps if not step.plan])
    merged = dg.Definitions.merge(own, watch, closing, extract_definitions(named, periods))
    jobs += [job.name for job in merged.jobs or ()] + [f"{named.name}_fit"]
    return merged


def _watch(named: Named, periods: dg.StaticPartitionsDefinition, job: Any) -> dg.Definitions:
    """The watch over loaded periods, where the ERP is looked at or tells by itself. job: what brings a period's figures in again."""
    if not (named.settings.watch or named.settings.erp.push):
        return dg.Definitions()
    asset = comparison(named, periods)
    compare = dg.define_asset_job(
        f"{named.name}_changes_listed",
        dg.AssetSelection.assets(asset.key),
        description="Lists the journals of a final period that are not what was agreed. Nothing is sent to the plan.",
    )
    sensor = changes_sensor(named, job, compare, list(periods.get_partition_keys()))
    return dg.Definitions(assets=[asset], jobs=[compare], sensors=[sensor])


def _plan_jobs(named: Named) -> list[Any]:
    """Two jobs for each plan, since a person looks at the preview and approves it before anything is posted."""
    jobs = []
    for name in named.settings.plans:
        steps = PlanSteps.of(name)
        preview = dg.AssetSelection.assets(
            *(dg.AssetKey([named.name, step]) for step in (steps.approved, steps.preview))
        )
        posting = dg.AssetSelection.assets(dg.AssetKey([named.name, steps.posting]))
        jobs += [
            dg.define_asset_job(
                f"{named.name}_{name}_preview",
                preview,
                description=f"Exports the approved {name} and works out its journals, beside what the ERP holds. Nothing is written.",
            ),
            dg.define_asset_job(
                f"{named.name}_{name}_posting",
                posting,
                description=f"Posts the approved {name}, each journal once, and proves that the ERP holds it.",
            ),
        ]
    return jobs


def _asset(named: Named, step: Step, periods: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    key = dg.AssetKey([named.name, step.name])
    partitions = periods if step.by_period else None
    # One result for all periods of such a run: Dagit would call the check of each single period skipped.
    checked = None if step.plan else partitions

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([named.name, dep]) for dep in step.deps],
        description=step.description,
        group_name=named.name,
        kinds=set(step.kinds),
        owners=list(named.settings.owners),
        partitions_def=partitions,
        pool=_pool(named, step),
        # A plan's figures, approval and rounding are those of a fiscal year: one run takes all chosen periods.
        backfill_policy=dg.BackfillPolicy.single_run() if step.plan else None,
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=said, blocking=blocking, partitions_def=checked)
            for those, blocking in ((step.legs, True), (step.notices, False))
            for name, said in those
        ],
        output_required=False,
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def work(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        if step.plan:
            periods = list(context.partition_keys)
            yield from perform(context, named, key, lambda desk: _plan_report(step, desk, periods))
            return
        period = context.partition_key if step.by_period else ""
        yield from perform(
            context,
            named,
            key,
            lambda desk: _report(step.name, desk, period),
            lambda _report: close_metadata(named, step.name, period, context.run.tags),
        )

    return work


def _pool(named: Named, step: Step) -> str | None:
    """One slot per Anaplan model, and one per ERP company that is written into."""
    if step.in_company:
        return destination_of(named, named.settings.plans[step.plan])[1].pool
    return named.settings.anaplan.pool if step.in_model else None


def _plan_report(step: Step, desk: "Desk", periods: list[str]) -> "Report":
    """The step for every fiscal year that the chosen periods belong to."""
    from mlc_pipelines.flows import approved, budgets, preview
    from mlc_pipelines.flows.report import together
    from mlc_pipelines.flows.route import year_of

    route = desk.route(step.plan)
    years = list(dict.fromkeys(year_of(period) for period in periods))
    if step.name == route.steps.posting:
        return together(
            [budgets.post_plan(desk, route, year, [one for one in periods if year_of(one) == year]) for year in years]
        )
    of_year = approved.read_approved if step.name == route.steps.approved else preview.preview_plan
    return together([of_year(desk, route, year) for year in years])


def _report(step: str, desk: "Desk", period: str) -> "Report":
    from mlc_pipelines.flows import extract, lists, load, reference, shape, spend

    of_reference = {
        "chart_of_accounts": reference.read_chart,
        "cost_centers": reference.read_cost_centers,
        "ap_vendors": reference.read_vendors,
        "list_sync": lists.sync_lists,
        "plan_members": reference.read_members,
        "member_map": reference.map_members,
    }
    of_period = {
        "gl_actuals": extract.read_slice,
        "actuals_csv": shape.write_slice,
        "actuals_import": load.load_slice,
        "ap_spend": spend.read_spend_slice,
        "ap_spend_csv": shape.write_slice,
        "ap_spend_import": load.load_slice,
    }
    if step in of_reference:
        return of_reference[step](desk)
    return of_period[step](desk.on_spend() if step.startswith("ap_spend") else desk, period)
