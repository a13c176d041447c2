"""How much memory one reading takes beyond a client at rest: the program behind test_memory, a process of its own.

Arguments: one JSON object with erp (the sandbox's info), folder, period (key, first and last day) and what the connection says. Prints one JSON
object: idle_mb, peak_mb (both of the whole process), lines, debit_minor, credit_minor. The lines are kept as Parquet, as the flow keeps them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlc_pipelines.epicor.baq import SUGGESTED
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import Baqs, EpicorConfig, EpicorCredential
from mlc_pipelines.ledger.fiscal import from_iso
from mlc_pipelines.ledger.journal import LINES
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.bench.contender import forget_peak, peak_mb


def main(said: dict[str, Any]) -> None:
    erp = said["erp"]
    baqs = Baqs(lines=SUGGESTED["lines"]) if said["by_query"] else Baqs()
    names = {name: erp[name] for name in ("url", "company", "book")}
    config = EpicorConfig(**names, cost_center_segment=2, baqs=baqs)
    credential = EpicorCredential(*(Secret(erp[name], name) for name in ("api_key", "username", "password")))
    period = from_iso(*said["period"])
    told = {"lines": 0, "debit_minor": 0, "credit_minor": 0}
    with Epicor(config, credential) as ledger:
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
