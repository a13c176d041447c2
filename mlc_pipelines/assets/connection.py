"""The assets of one connection. Each only translates: a partition key in, a report out; the work is in flows/."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import dagster as dg

from mlc_pipelines.assets.changes import changes_sensor
from mlc_pipelines.assets.extracts import extract_definitions
from mlc_pipelines.assets.perform import perform
from mlc_pipelines.flows.steps import EXTRACT, legs_of_extract
from mlc_pipelines.wiring.connections import Named

if TYPE_CHECKING:
    from mlc_pipelines.flows.desk import Desk
    from mlc_pipelines.flows.report import Report

warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def.*")


@dataclass(frozen=True, slots=True)
class Step:
    """One asset: what a person reads about it, what it needs, and which legs of the tie-out it proves."""

    name: str
    description: str
    deps: tuple[str, ...]
    kinds: tuple[str, ...]
    by_period: bool = False
    legs: tuple[tuple[str, str], ...] = ()
    in_model: bool = False
    notices: tuple[tuple[str, str], ...] = ()


STEPS = (
    Step(
        "chart_of_accounts",
        "The accounts of the ledger, read from the ERP: code, name, class, active or not.",
        (),
        ("acumatica",),
    ),
    Step(
        "cost_centers", "The cost centers of the ledger, read from the ERP's subaccount segments.", (), ("acumatica",)
    ),
    Step("plan_members", "The members of the account and cost-center lists in the Anaplan model.", (), ("anaplan",)),
    Step(
        "member_map",
        "Which list member each account and cost center lands on, and every code that has none. Make it again when codes or members have changed.",
        ("chart_of_accounts", "cost_centers", "plan_members"),
        ("table",),
        notices=(
            (
                "codes_unchanged",
                "Codes and members since the last map: renamed, moved, switched off, new, vanished. A warning; red where a code lost its member.",
            ),
        ),
    ),
    Step(
        "gl_actuals",
        "Posted figures of one fiscal period, read from the ERP and equal to its own trial balance in every account.",
        (),
        ("acumatica", "parquet"),
        by_period=True,
    ),
    Step(
        "actuals_csv",
        "The period's figures on the plan's members, whole, as the file that the Anaplan import expects. Codes without a member are listed with their money.",
        ("gl_actuals", "member_map"),
        ("csv",),
        by_period=True,
        legs=(
            ("cells_match_lines", "Every plan account: mapped lines = cells in the file, read again from its bytes."),
        ),
    ),
    Step(
        "actuals_import",
        "The period in the Anaplan model: file sent, import run, figures read back and equal in every cell.",
        ("actuals_csv",),
        ("anaplan",),
        by_period=True,
        legs=(
            ("rows_all_taken", "Rows of the file = rows the import took; none ignored, none refused."),
            ("model_matches_cells", "Every cell: sent = held by the model afterwards, read back by export."),
        ),
        in_model=True,
    ),
)


LIST_SYNC = Step(
    "list_sync",
    "The declared Anaplan lists brought up to the ERP's codes: new members, names, parents, properties; read back. Nothing is deleted; "
    "members that are gone from the ERP are listed.",
    ("chart_of_accounts", "cost_centers"),
    ("anaplan",),
    in_model=True,
)


def steps_of(named: Named) -> tuple[Step, ...]:
    """The steps of a connection; lists are synchronized, before they are read, only where the connection declares some."""
    legs = legs_of_extract(named.settings.erp.read, named.settings.actuals.figures)
    steps = tuple(replace(step, legs=legs) if step.name == EXTRACT else step for step in STEPS)
    if not named.settings.lists:
        return steps
    later = [replace(step, deps=(LIST_SYNC.name,)) if step.name == "plan_members" else step for step in steps]
    return (LIST_SYNC, *later)


def connection_definitions(named: Named) -> dg.Definitions:
    """Assets, checks and jobs of one connection under its name. Partition keys come from the declared calendar alone."""
    periods = dg.StaticPartitionsDefinition(named.settings.calendar.build().keys)
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
        dg.AssetSelection.assets(*(keys[step.name] for step in steps if step.by_period)),
        description="Brings the posted figures of a fiscal period from the ledger into the plan and proves them equal.",
    )
    watched = named.settings.watch or named.settings.erp.push
    sensors = [changes_sensor(named, actuals.name, list(periods.get_partition_keys()))] if watched else []
    own = dg.Definitions(assets=assets, jobs=[reference, actuals], sensors=sensors)
    return dg.Definitions.merge(own, extract_definitions(named, periods))


def _asset(named: Named, step: Step, periods: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    key = dg.AssetKey([named.name, step.name])
    partitions = periods if step.by_period else None

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([named.name, dep]) for dep in step.deps],
        description=step.description,
        group_name=named.name,
        kinds=set(step.kinds),
        owners=list(named.settings.owners),
        partitions_def=partitions,
        pool=named.settings.anaplan.pool if step.in_model else None,
        check_specs=[
            dg.AssetCheckSpec(leg, asset=key, description=said, blocking=True, partitions_def=periods)
            for leg, said in step.legs
        ]
        + [dg.AssetCheckSpec(name, asset=key, description=said) for name, said in step.notices],
        output_required=False,
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def work(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        period = context.partition_key if step.by_period else ""
        yield from perform(context, named, key, lambda desk: _report(step.name, desk, period))

    return work


def _report(step: str, desk: "Desk", period: str) -> "Report":
    from mlc_pipelines.flows import extract, lists, load, reference, shape

    of_reference = {
        "chart_of_accounts": reference.read_chart,
        "cost_centers": reference.read_cost_centers,
        "list_sync": lists.sync_lists,
        "plan_members": reference.read_members,
        "member_map": reference.map_members,
    }
    of_period = {
        "gl_actuals": extract.read_slice,
        "actuals_csv": shape.write_slice,
        "actuals_import": load.load_slice,
    }
    return of_period[step](desk, period) if step in of_period else of_reference[step](desk)
