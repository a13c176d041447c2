"""An asset that only shows something: tables and counts, one check that says whether all is well, and a job of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import dagster as dg

from mlc_pipelines.wiring.connections import Named


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found: a sentence for people, whether it is well, and what stands beside it."""

    said: str
    well: bool
    shown: Mapping[str, dg.MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """name: of the asset. job: of the connection's job over it alone, and what a person reads about that. check: name, and what it says when green."""

    name: str
    description: str
    kinds: frozenset[str]
    job: tuple[str, str]
    check: tuple[str, str]


def overview_definitions(
    named: Named, overview: Overview, look: Callable[[dg.AssetExecutionContext], Seen]
) -> dg.Definitions:
    """The asset, and a job of it alone."""
    key = dg.AssetKey([named.name, overview.name])
    check, when_green = overview.check

    @dg.asset(
        key=key,
        description=overview.description,
        group_name=named.name,
        kinds=set(overview.kinds),
        owners=list(named.settings.owners),
        check_specs=[dg.AssetCheckSpec(check, asset=key, description=when_green)],
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def work(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        seen = look(context)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={"summary": dg.MetadataValue.md(seen.said), **seen.shown},
            check_results=[
                dg.AssetCheckResult(passed=seen.well, check_name=check, asset_key=key, description=seen.said)
            ],
        )

    name, said = overview.job
    job = dg.define_asset_job(f"{named.name}_{name}", dg.AssetSelection.assets(key), description=said)
    return dg.Definitions(assets=[work], jobs=[job])
