"""Materialize the reference data and periods of some connections in this process, recorded in the Dagster instance of DAGSTER_HOME.

    python -m mlc_pipelines.assets.launch demo,demo_epicor FY2026-P01 FY2026-P02

The runs show in Dagit like any other. A connection ends at its first run that fails; the exit code is then 1, after the others have had their turn.
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
    succeeded = [launch(connection, sys.argv[2:]) for connection in sys.argv[1].split(",")]
    sys.exit(0 if all(succeeded) else 1)
