"""Values of leaves and of the totals above them, as far as somebody looks at them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import product

from mlc_pipelines.sandbox.anaplan.dimension import Dimension
from mlc_pipelines.sandbox.anaplan.model import Cells, Module

Shown = Mapping[str, frozenset[str]]
"""Dimension id -> the member keys that are looked at; a dimension that is not named is looked at as a whole."""


def shown_cells(module: Module, name: str, shown: Shown) -> Cells:
    """The cells of a line item among the shown members, totals summed up.

    Over time an accumulated line item is closed, not summed: a quarter shows its last month.
    """
    closing = bool(module.item(name).year_to_date_of)
    ways = [_way(module, one, shown.get(one.id), closing) for one in module.dimensions]
    sums: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for key, amount in module.values(name).items():
        for combination in product(*(way(part) for way, part in zip(ways, key, strict=True))):
            sums[combination] += amount
    return dict(sums)


def _way(
    module: Module, dimension: Dimension, shown: frozenset[str] | None, closing: bool
) -> Callable[[str], list[str]]:
    """From a leaf to those members, itself among them, to which its amount is added."""
    known: dict[str, list[str]] = {}

    def members(leaf: str) -> list[str]:
        if leaf not in known:
            chain = [key for key in dimension.chain(leaf) if shown is None or key in shown]
            if closing and dimension is module.time:
                chain = [key for key in chain if key == leaf or (leaf, key) in module.time.closing]
            known[leaf] = chain
        return known[leaf]

    return members
