"""Posted lines of one period summed, mapped to list members and added up to cells, from data already in memory.

Ours: journal.by_cost_center, journal.sum_lines, mapping.place and mapping.to_cells on the coded columns that Parquet gives back. The other: pandas with
Decimal objects, merges on text codes, groupby and sum. Two accounts have no member and land on a suspense member in both.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal

Work = tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]
ACCOUNTS, CENTERS, PRACTICES, BRANCHES = 400, 60, ("ADV", "TAX"), ("HQ", "WEST")
SUSPENSE = ("A_UNMAPPED", "CC_NONE")
_LACKING = ("1070", "3210")


def bench(lines: int, folder: Path) -> Bench:
    """Writes the lines to a Parquet file in the folder first."""
    file = folder / f"lines-{lines}.parquet"
    write_lines(file, lines)
    return Bench(
        "aggregate",
        f"sum and map {lines:,} lines of {ACCOUNTS} accounts and {CENTERS} cost centers",
        __name__,
        {"file": str(file)},
        (
            Contender("mlc_pipelines", "ours"),
            Contender("pandas, Decimal objects, merge", "pandas_decimals", (Goal("cpu_seconds", times=6),)),
        ),
    )


def write_lines(file: Path, lines: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    dice = np.random.default_rng(2026)
    subaccounts = [f"{center:03d}-{practice}" for center in _centers() for practice in PRACTICES]
    minor = dice.integers(1, 5_000_000, lines)
    debit = dice.integers(0, 2, lines).astype(bool)
    codes = {"branch": list(BRANCHES), "account": _accounts(), "subaccount": subaccounts}
    of_subaccount = dice.integers(0, len(subaccounts), lines, dtype="int32")
    rows = {
        "branch": of_subaccount % len(BRANCHES),  # each subaccount belongs to one branch
        "account": dice.integers(0, ACCOUNTS, lines, dtype="int32"),
        "subaccount": of_subaccount,
    }
    table = {name: pa.DictionaryArray.from_arrays(rows[name], values) for name, values in codes.items()}
    table |= {"debit_minor": np.where(debit, minor, 0), "credit_minor": np.where(debit, 0, minor)}
    pq.write_table(pa.table(table), file, compression="zstd")


def ours(setting: Mapping[str, Any]) -> Work:
    import pandas as pd
    import pyarrow.parquet as pq

    from mlc_pipelines.ledger.journal import AMOUNT_COLUMNS, AMOUNT_KEYS, by_cost_center, sum_lines
    from mlc_pipelines.ledger.mapping import CELL_KEYS, MAP_COLUMNS, Suspense, place, to_cells

    lines = pq.read_table(setting["file"], columns=AMOUNT_KEYS + AMOUNT_COLUMNS, read_dictionary=AMOUNT_KEYS)
    rows = [
        ("account", code, "", "", True, member, "", sign, "" if member else "none", "")
        for code, member, sign in _members()
    ]
    rows += [
        ("cost_center", code, "", "", True, f"CC_{code}", "", 1, "", "") for code in map("{:03d}".format, _centers())
    ]
    member_map = pd.DataFrame(rows, columns=MAP_COLUMNS)

    def centers_of(subaccounts: Sequence[str]) -> list[str]:
        return [subaccount.partition("-")[0] for subaccount in subaccounts]

    def work() -> pd.DataFrame:
        slice_ = sum_lines(by_cost_center(lines, centers_of), CELL_KEYS)
        return to_cells(place(slice_, member_map, Suspense(*SUSPENSE)))

    return work, lambda cells: summary(zip(cells["account"], cells["cost_center"], cells["amount_minor"], strict=True))


def pandas_decimals(setting: Mapping[str, Any]) -> Work:
    from decimal import Decimal

    import pandas as pd

    frame = pd.read_parquet(setting["file"])
    for name in ("branch", "account", "subaccount"):
        frame[name] = frame[name].astype(str)
    for side in ("debit", "credit"):
        frame[side] = [Decimal(minor).scaleb(-2) for minor in frame.pop(f"{side}_minor").tolist()]
    accounts = pd.DataFrame(_members(), columns=["account", "member", "sign"])
    accounts.loc[accounts["member"] == "", ["member", "sign"]] = [SUSPENSE[0], 1]
    centers = [(f"{center:03d}-{practice}", f"CC_{center:03d}") for center in _centers() for practice in PRACTICES]
    centers = pd.DataFrame(centers, columns=["subaccount", "center"])

    def work() -> pd.DataFrame:
        lines = frame.merge(accounts, on="account", how="left").merge(centers, on="subaccount", how="left")
        lines["amount"] = (lines["debit"] - lines["credit"]) * lines["sign"]
        return lines.groupby(["member", "center"])["amount"].sum().reset_index()

    def minor(cells: pd.DataFrame) -> Iterable[int]:
        return (int(amount.scaleb(2)) for amount in cells["amount"])

    return work, lambda cells: summary(zip(cells["member"], cells["center"], minor(cells), strict=True))


def summary(cells: Iterable[tuple[str, str, int]]) -> dict[str, Any]:
    """How many cells, their total, and a digest of every one of them."""
    each = sorted((account, center, int(minor)) for account, center, minor in cells)
    digest = hashlib.sha256("\n".join(map(repr, each)).encode()).hexdigest()
    return {"cells": len(each), "total_minor": sum(minor for *_, minor in each), "digest": digest[:16]}


def _accounts() -> list[str]:
    return [f"{1000 + 10 * number:04d}" for number in range(ACCOUNTS)]


def _centers() -> range:
    return range(10, 10 * CENTERS + 10, 10)


def _members() -> list[tuple[str, str, int]]:
    """Code, member ("" where there is none), sign in the plan (a code without a member counts as booked)."""
    return [
        (code, "", 1) if code in _LACKING else (code, f"A{code}", -1 if code < "3000" else 1) for code in _accounts()
    ]
