"""Materialize one connection's reference data and periods in this process, recorded in the Dagster instance of DAGSTER_HOME.

    python -m mlc_pipelines.assets.launch demo FY2026-P01 FY2026-P02

The runs show in Dagit like any other. Ends with 1 at the first run that fails.
"""

import sys

import dagster as dg

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.wiring.connections import find


def launch(connection: str, periods: list[str]) -> bool:
    """Run the reference job, then the actuals job of each period in order; True if all succeeded."""
    definitions = connection_definitions(find(connection))
    with dg.DagsterInstance.get() as instance:
        jobs = [(f"{connection}_reference", None), *((f"{connection}_actuals", period) for period in periods)]
        return all(
            definitions.resolve_job_def(job)
            .execute_in_process(instance=instance, partition_key=period, raise_on_error=False)
            .success
            for job, period in jobs
        )


if __name__ == "__main__":
    sys.exit(0 if launch(sys.argv[1], sys.argv[2:]) else 1)
