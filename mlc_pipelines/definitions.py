"""Front door: what Dagster loads. Joins the assets of all connections; holds no logic."""

import dagster as dg

from mlc_pipelines.assets.location import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions()
