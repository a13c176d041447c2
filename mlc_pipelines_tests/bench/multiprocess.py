"""The same assets as mlc_pipelines.definitions, with Dagster's default executor: a process for every step."""

import dagster as dg

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.wiring.connections import find

defs = dg.Definitions.merge(connection_definitions(find("demo")), dg.Definitions(executor=dg.multiprocess_executor))
