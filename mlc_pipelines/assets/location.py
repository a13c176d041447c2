"""Everything that Dagster shows: all connections of the folder, and a plain sign for each one that cannot be loaded."""

import logging

import dagster as dg

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.assets.executor import one_process
from mlc_pipelines.assets.fit import fit_definitions
from mlc_pipelines.assets.refused import refused_definitions
from mlc_pipelines.assets.trail import trail_definitions
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.wiring.connections import Broken, read_all


def build_definitions() -> dg.Definitions:
    """Definitions of all usable connections. No network, no clock, no secret is touched here.

    Steps of one run share one process: one token for its whole life and one owner of the model's lock.
    """
    named, broken = read_all()
    parts = []
    for one in named:
        parts += [fit_definitions(one), refused_definitions(one)]
        try:
            parts.append(connection_definitions(one))
        except PipelineError as error:  # its calendar file is missing or wrong
            broken.append(Broken(one.name, one.file, error))
    owners = sorted({owner for one in named for owner in one.settings.owners})
    signs = dg.Definitions(assets=[_sign(one) for one in broken], executor=one_process)
    return dg.Definitions.merge(signs, trail_definitions(owners), *parts)


def _sign(broken: Broken) -> dg.AssetSpec:
    """Shows the broken connection by name, with its error, where people look for its assets."""
    logging.getLogger(__name__).warning("%s", broken.error)
    return dg.AssetSpec(
        [broken.name, "connection_error"],
        description=f"**Connection {broken.name} is not loaded.**\n\n{broken.error.what}\n\n{broken.error.next_step}",
        group_name=broken.name if broken.name.isidentifier() else "broken_connections",
        kinds={"error"},
        tags={"mlc/broken": "true"},
    )
