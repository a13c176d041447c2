"""Datasets of Kinetic's business objects: one list of rows a table. The one that came back is always sent on [C MCP, GLC1, GLC2]."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mlc_pipelines.ledger.errors import DataError, UncertainError

GROUP, ENTRY = "Erp.BO.GLJrnGrpSvc", "Erp.BO.GLJournalEntrySvc"
_TABLES = {"GLJrnGrp", "GLJrnHed", "GLBudgetHd", "ExtensionTables"}

Row = dict[str, Any]


def dataset_of(answer: Any, *, wrote: bool = False) -> Row:
    """The dataset of an answer: of its parameters, its return value, or the body itself [C KERI, SUG, KDV].

    Raises DataError where there is none, UncertainError after a write: it was carried out, with what result only a look tells.
    """
    for found in _places(answer):
        if isinstance(found, dict) and not _TABLES.isdisjoint(found):
            return found
    kind = UncertainError if wrote else DataError
    raise kind(
        "Kinetic answered without a dataset.", next_step="Ask the Kinetic administrator whether it was upgraded."
    )


def _places(answer: Any) -> Iterable[Any]:
    if isinstance(answer, dict):
        parameters = answer.get("parameters")
        yield parameters.get("ds") if isinstance(parameters, dict) else None
        yield answer.get("returnObj")
        yield answer


def amount(said: Any) -> Decimal:
    """An amount, as a number or as a text [I]."""
    return Decimal(str(bytes(said), "ascii").strip('"') if not isinstance(said, (Decimal, int, str)) else said)
