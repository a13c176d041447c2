"""How much memory one reading takes beyond a signed-in client at rest: the program behind test_memory, a process of its own.

Arguments: one JSON object with erp (the sandbox's info), folder, period, and what the connection says. Prints one JSON object:
idle_mb, peak_mb (both of the whole process), lines, debit_minor, credit_minor. The lines are kept as Parquet, as the flow keeps them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.fiscal import monthly_calendar
from mlc_pipelines.ledger.journal import LINES
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.bench.contender import forget_peak, peak_mb


def main(said: dict[str, Any]) -> None:
    erp = said["erp"]
    config = AcumaticaConfig(**{name: erp[name] for name in ("url", "tenant", "company", "ledger")}, **said["config"])
    names = ("username", "password", "client_id", "client_secret")
    credential = AcumaticaCredential(*(Secret(erp[name], name) for name in names), "demo")
    period = monthly_calendar(2025, 2027, first_month=7, adjustment=True).period(said["period"])
    told = {"lines": 0, "debit_minor": 0, "credit_minor": 0}
    with Acumatica(config, credential) as ledger:
        ledger.identity()
        with pq.ParquetWriter(Path(said["folder"]) / "lines.parquet", LINES, compression="zstd") as writer:
            writer.write_batch(pa.RecordBatch.from_pylist([], schema=LINES))
            forget_peak()
            idle = peak_mb()
            for batch in ledger.read_posted(period):
                writer.write_batch(batch)
                told["lines"] += len(batch)
                for side in ("debit_minor", "credit_minor"):
                    told[side] += pc.sum(batch[side]).as_py()
    sys.stdout.write(json.dumps({**told, "idle_mb": idle, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
