"""The export writer: a module as a table with one row per combination and the line items as columns.

UTF-8 whatever else is set; a row stands there when one of its values is not zero or was ever written. With the switches
it shows what a planner's saved export may show too: parents and quarters among the leaves (which post twice if taken),
names instead of codes, and unrounded doubles. Reference: anaplan 11.6 [S].
"""

import csv
import io
from decimal import Decimal

from mlc_pipelines.sandbox.anaplan.built import ExportAction
from mlc_pipelines.sandbox.anaplan.model import Cells, Key, Module
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.totals import shown_cells


def header_of(action: ExportAction, module: Module) -> list[str]:
    """Column names: the dimensions in the singular of their list, then the line items."""
    return [dimension.singular for dimension in module.dimensions] + list(action.items)


def write_table(action: ExportAction, module: Module, how: Switches) -> bytes:
    """The whole file."""
    columns = [_numbers(module, name, how) for name in action.items]
    written = set().union(*(module.written(name) for name in action.items if not module.item(name).year_to_date_of))
    keys = _limited(action, module, written.union(*({key for key, amount in one.items() if amount} for one in columns)))
    number = noisy_text if how["float_noise"] else exact_text
    names = _member_texts(module, how["export_members"])
    shows = [
        (cells, module.bare(name), _nothing(module, name)) for name, cells in zip(action.items, columns, strict=True)
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header_of(action, module))
    for key in sorted(keys, key=module.sort_key):
        texts = [name[part] for name, part in zip(names, key, strict=True)]
        writer.writerow(
            texts + [number(cells[key]) if key in cells else bare.get(key, none) for cells, bare, none in shows]
        )
    return stream.getvalue().encode()


def _numbers(module: Module, name: str, how: Switches) -> Cells:
    if module.item(name).text:
        return {}
    return shown_cells(module, name, {}) if how["export_totals"] else module.values(name)


def _nothing(module: Module, name: str) -> str:
    return "" if module.item(name).text else "0"


def _limited(action: ExportAction, module: Module, keys: set[Key]) -> set[Key]:
    limits = [
        (place, dict(action.shown)[one.id])
        for place, one in enumerate(module.dimensions)
        if one.id in dict(action.shown)
    ]
    return {key for key in keys if all(key[place] in members for place, members in limits)}


def exact_text(amount: Decimal) -> str:
    """The number without trailing zeros, as "64.6"."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def noisy_text(amount: Decimal) -> str:
    """What an IEEE double shows that a formula of the model has split into shares and added up again."""
    whole = float(amount)
    return repr(whole * 0.07 + whole * 0.93).removesuffix(".0")


def _member_texts(module: Module, members: str) -> list[dict[str, str]]:
    def text_of(code: str, name: str) -> str:
        return name if members == "name" or not code else code

    return [
        {member.key: text_of(member.code, member.name) for member in dimension.members}
        for dimension in module.dimensions
    ]
