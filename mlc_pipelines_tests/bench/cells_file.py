"""Cells written as the CSV file that an import reads: one row per cell, amounts exact, the same rows by every contender.

Ours: ledger.cells.write_cells, with its refusal of repeated keys. The others: DataFrame.to_csv of Decimal objects and of floats.
"""

import csv
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlc_pipelines_tests.bench.aggregate import summary
from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
HEADER = ("Account", "Cost Center", "Period", "Version", "Amount")
_GOALS = (Goal("cpu_seconds", times=8),)


def bench(cells: int) -> Bench:
    return Bench(
        "csv",
        f"write {cells:,} cells as CSV",
        __name__,
        {"cells": cells},
        (
            Contender("mlc_pipelines", "ours"),
            Contender("DataFrame.to_csv, Decimal objects", "pandas_decimals", _GOALS),
            Contender("DataFrame.to_csv, floats", "pandas_floats", _GOALS),
        ),
    )


def ours(setting: Mapping[str, Any]) -> Work:
    from mlc_pipelines.ledger.cells import CellColumns, write_cells

    cells, file = _cells(setting["cells"]), _file()

    def work() -> Path:
        with file.open("wb") as sink:
            write_cells(sink, cells, CellColumns(*HEADER), period="Sep 25", version="Actual", currency="USD")
        return file

    return work, _read_back


def pandas_decimals(setting: Mapping[str, Any]) -> Work:
    from decimal import Decimal

    return _pandas(setting, lambda minor: Decimal(minor).scaleb(-2))


def pandas_floats(setting: Mapping[str, Any]) -> Work:
    return _pandas(setting, lambda minor: minor / 100)


def _pandas(setting: Mapping[str, Any], amount: Callable[[int], Any]) -> Work:
    cells, file = _cells(setting["cells"]), _file()
    cells["Period"], cells["Version"] = "Sep 25", "Actual"
    cells["Amount"] = [amount(minor) for minor in cells.pop("amount_minor").tolist()]
    frame = cells.set_axis(HEADER, axis=1)

    def work() -> Path:
        frame.to_csv(file, index=False)
        return file

    return work, _read_back


def _cells(count: int) -> Any:
    """Cells of 120 cost centers and as many accounts as it takes, amounts of both signs."""
    import numpy as np
    import pandas as pd

    number = np.arange(count)
    minor = np.random.default_rng(2026).integers(-50_000_000, 50_000_000, count)
    accounts = np.array([f"A{1000 + at:05d}" for at in range(count // 120 + 1)], dtype=object)[number // 120]
    centers = np.array([f"CC_{at:03d}" for at in range(120)], dtype=object)[number % 120]
    return pd.DataFrame({"account": accounts, "cost_center": centers, "amount_minor": minor})


def _file() -> Path:
    return Path(tempfile.mkdtemp(prefix="bench-")) / "gl_actuals.csv"


def _read_back(file: Path) -> dict[str, Any]:
    """What stands in the bytes, read by the standard library's reader; the file goes."""
    from decimal import Decimal

    with file.open(encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text)
    file.unlink()
    file.parent.rmdir()
    cells = summary((row[0], row[1], int(Decimal(row[4]).scaleb(2))) for row in rows)
    return {"header": header, "labels": sorted({(row[2], row[3]) for row in rows}), **cells}
