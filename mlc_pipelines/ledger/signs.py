"""On which side the classes of account stand in the books, and what the declared signs make of them. Pure."""

from collections.abc import Mapping

import pandas as pd

from mlc_pipelines.ledger.control import Leg, compare

NORMAL = {"Asset": 1, "Liability": -1, "Income": -1, "Expense": 1}
"""The side a class grows on: 1 debit, -1 credit. Equity is a liability here, as in the ERPs' own charts."""
CLASSES = ["account_class", "side", "declared", "ledger_minor", "plan_minor"]


def by_class(closing: pd.DataFrame, kinds: Mapping[str, str], signs: Mapping[str, int]) -> pd.DataFrame:
    """Each class with its balance at the end of a period: CLASSES; ledger_minor debit positive, plan_minor as planners would see it.

    closing: account, closing_minor. Without any declared sign the plan takes the ledger's own: nothing is turned.
    """
    held = closing.groupby(closing["account"].map(kinds))["closing_minor"].sum()
    rows = []
    for kind, normal in NORMAL.items():
        minor, sign = int(held.get(kind, 0)), signs.get(kind, 1)
        side = "debit" if minor > 0 else "credit" if minor < 0 else "nothing"
        declared = ("credits positive" if sign < 0 else "debits positive") if signs else "as in the ledger"
        rows.append((kind, side, declared, minor, minor * (sign if signs else normal)))
    return pd.DataFrame(rows, columns=CLASSES)


def proof(name: str, key: str, classes: pd.DataFrame, unit: str) -> Leg:
    """Every class comes out positive in the plan. Where no sign is declared, every class stands on its own side of the ledger."""
    wanted = classes.assign(amount_minor=classes["ledger_minor"].abs())
    seen = classes.assign(amount_minor=classes["plan_minor"])
    sides = ("classes as positive figures", wanted), ("as the declared signs make them", seen)
    return compare(name, key, *sides, keys=["account_class"], unit=unit)
