"""The declared extracts of a connection as assets: each a kept Parquet file, plain or by fiscal period."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from mlc_pipelines.assets.perform import perform
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.settings import Extract

if TYPE_CHECKING:
    from mlc_pipelines.flows.report import Report

CHECKS = (
    ("fields_published", "Every declared field is published by the ERP with a type that can be kept."),
    ("each_key_once", "Each key stands in the file once."),
    ("announced_came", "The keys in the file are those that the ERP announced: none is missing, none is left over."),
)


class ExtractConfig(dg.Config):
    """whole: read everything again, also what seems unchanged since it was kept last."""

    whole: bool = False


def extract_definitions(named: Named, periods: dg.StaticPartitionsDefinition) -> dg.Definitions:
    """The assets, and one job over all without a period; those by period are asked for by period."""
    declared = named.settings.extracts
    plain = [dg.AssetKey([named.name, name]) for name, one in declared.items() if not one.by_period]
    job = dg.define_asset_job(
        f"{named.name}_extracts",
        dg.AssetSelection.assets(*plain),
        description="Brings the extracts without a period up to date: what changed in the ERP is read, what is gone is dropped.",
    )
    assets = [_asset(named, name, one, periods) for name, one in declared.items()]
    return dg.Definitions(assets=assets, jobs=[job] if plain else [])


def _asset(named: Named, name: str, one: Extract, periods: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    key = dg.AssetKey([named.name, name])

    @dg.asset(
        key=key,
        description=_description(named, one),
        group_name=named.name,
        kinds={named.settings.erp.system, "parquet"},
        owners=list(named.settings.owners),
        partitions_def=periods if one.by_period else None,
        check_specs=[
            dg.AssetCheckSpec(
                check, asset=key, description=said, blocking=True, partitions_def=periods if one.by_period else None
            )
            for check, said in CHECKS
        ],
        output_required=False,
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def work(
        context: dg.AssetExecutionContext, config: ExtractConfig
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from mlc_pipelines.flows.extracts import read_extract

        period = context.partition_key if one.by_period else ""
        yield from perform(
            context, named, key, lambda desk: read_extract(desk, name, period, whole=config.whole), _columns
        )

    return work


def _description(named: Named, one: Extract) -> str:
    inquiry = "query" if named.settings.erp.system == "epicor" else "generic inquiry"
    what = f"entity {one.entity}" if one.entity else f"{inquiry} {one.inquiry}"
    keys = ", ".join(one.keys)
    how = (
        f"whole for each fiscal period ({one.by_period})"
        if one.by_period
        else f"kept up to date by {one.modified}"
        if one.modified
        else "whole each time"
    )
    chosen = f" where {one.filter}" if one.filter else ""
    return f"Records of the ERP's {what}{chosen}, {how}; one row per {keys}."


def _columns(report: "Report") -> Mapping[str, dg.MetadataValue]:
    """Row count and columns as Dagster itself shows them beside the asset."""
    from mlc_pipelines.flows.extracts import COLUMNS

    rows = report.tables[COLUMNS].itertuples(index=False)
    schema = dg.TableSchema(
        columns=[dg.TableColumn(column, kind, description=theirs or None) for column, kind, theirs in rows]
    )
    return {
        "dagster/row_count": dg.MetadataValue.int(report.counts["rows"]),
        "dagster/column_schema": dg.MetadataValue.table_schema(schema),
    }
