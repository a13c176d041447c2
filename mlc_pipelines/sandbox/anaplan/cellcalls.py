"""Cells written one request at a time; what fails is told cell by cell, the others are written. Reference: anaplan 9 [S]."""

import json
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule, require_unlocked
from mlc_pipelines.sandbox.anaplan.imports import NUMBER
from mlc_pipelines.sandbox.anaplan.model import LineItem, Module
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, enveloped

BODY_BYTES_MAX = 15_000_000

CALCULATED = ("cellIsCalculated", "the cell is a calculated/aggregate cell and is not writeable")
UNRESOLVED = ("cellIsInvalid", "the cell could not be found or resolved")
BAD_VALUE = ("invalidValue", "the value does not fit the format of the line item")
"""Types and texts of the first two [S: help page on module cell data]; of the third [I]."""


class _CellError(Exception):
    """One cell cannot be written."""

    def __init__(self, why: tuple[str, str]) -> None:
        super().__init__(*why)
        self.type, self.text = why


def write_cells(call: Call) -> Response:
    """Write an array of cells; the last of several values for one cell stays."""
    module, cells = _module(call), _cells(call)
    require_unlocked(call, call.model)
    failures = []
    for index, cell in enumerate(cells):
        try:
            _write(module, cell)
        except _CellError as error:
            failures.append({"requestIndex": index, "failureType": error.type, "failureMessageDetails": error.text})
    call.model.saved(call.now, call.user.id)
    body = {"failures": failures} if failures or call.switches["cell_failures_key"] == "empty" else {}
    written = len(cells) - len(failures)
    return enveloped(call.request, "writeCellDataResponse", numberOfCellsChanged=written, **body)


def _module(call: Call) -> Module:
    found = call.model.modules.get(call.param("mod"))
    if found is None:
        raise RefusedError(404)
    return found


def _cells(call: Call) -> list[dict[str, Any]]:
    try:
        cells = json.loads(call.body, parse_float=Decimal)
    except ValueError:
        cells = None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise RefusedError(400, "The request body is not an array of cells")
    cap = call.switches["cell_write_cap"]
    if len(cells) > cap or len(call.body) > BODY_BYTES_MAX:
        raise RefusedError(400, f"One request writes at most {cap:,} cells and {BODY_BYTES_MAX:,} bytes")
    return cells


def _write(module: Module, cell: dict[str, Any]) -> None:
    item = _item(module, cell)
    key = tuple(_member(one, cell.get("dimensions")).key for one in module.dimensions)
    if item.year_to_date_of or any(part in one.totals for part, one in zip(key, module.dimensions, strict=True)):
        raise _CellError(CALCULATED)
    if item.text:
        module.texts[item.name][key] = str(cell.get("value", ""))
    else:
        module.inputs[item.name][key] = _number(cell.get("value"))


def _number(value: Any) -> Decimal:
    """A number, or the text of one."""
    text = value if isinstance(value, str) else ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = format(Decimal(value), "f")
    if not NUMBER.fullmatch(text):
        raise _CellError(BAD_VALUE)
    return Decimal(text)


def _item(module: Module, cell: dict[str, Any]) -> LineItem:
    named = {"id": cell.get("lineItemId"), "name": cell.get("lineItemName")}
    for item in module.items:
        if item.id == named["id"] or item.name == named["name"]:
            return item
    raise _CellError(UNRESOLVED)


def _member(dimension: Dimension, given: Any) -> Member:
    """The member that the request names for a dimension: by id, code or name."""
    for one in given if isinstance(given, list) else []:
        if dimension.id == one.get("dimensionId") or dimension.name == one.get("dimensionName"):
            found = dimension.by_id.get(one.get("itemId")) or _called(dimension, one)
            if found is not None:
                return found
    raise _CellError(UNRESOLVED)


def _called(dimension: Dimension, one: dict[str, Any]) -> Member | None:
    """By code, else by name. The key of a member is its code where it has one, so most are found without a search."""
    by_key = dimension.by_key.get(one.get("itemCode") or one.get("itemName") or "")
    if by_key is not None and (one.get("itemCode") or not by_key.code):
        return by_key
    return next((member for member in dimension.members if member.name == one.get("itemName")), None)


RULES = [Rule("POST", "/modules/{mod}/data", write_cells, waits=True)]
