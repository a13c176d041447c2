"""Views of modules: what there is, their axes, their members, their values in one call. Reference: anaplan 9 [S]."""

from itertools import islice, product
from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_pipelines.sandbox.anaplan.built import View
from mlc_pipelines.sandbox.anaplan.dimension import LINE_ITEMS_ID, Member
from mlc_pipelines.sandbox.anaplan.dimensioncalls import items_answer
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule
from mlc_pipelines.sandbox.anaplan.grid import TABLES, Axis, Layout, default_view, grid_rows, laid_out
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, binary, csv_table, enveloped, ordered, page

GRID_NOW = "GRID_CURRENT_PAGE"


def list_views(call: Call) -> Response:
    """Default views, which carry the module's id and name, and saved views, of one module or of all."""
    modules = list(call.model.modules.values())
    if "mod" in call.request.path_params:
        modules = [module for module in modules if module.id == call.param("mod")]
        if not modules:
            raise RefusedError(404)
    ids = {module.id for module in modules}
    views = [*map(default_view, modules), *(view for view in call.model.views if view.module in ids)]
    rows = [{"code": "", "id": view.id, "name": view.name, "moduleId": view.module} for view in views]
    rows = ordered(rows, call.request.query_params)
    return page(call.request, "view", "views", rows, cap=call.switches["page_cap"])


def show_view(call: Call) -> Response:
    """The dimensions on each axis; an axis without any is left out."""
    layout = the_layout(call)
    axes = {"rows": layout.rows, "columns": layout.columns, "pages": layout.pages}
    body = {name: [{"id": one.id, "name": one.name} for one in found] for name, found in axes.items() if found}
    return enveloped(call.request, "view", viewId=layout.view.id, viewName=layout.view.name, **body)


def view_items(call: Call) -> Response:
    """The members of a dimension as the view shows them, of Time too."""
    layout = the_layout(call)
    found = next((axis for axis in layout.axes if axis.id == call.param("d")), None)
    if found is None:
        raise RefusedError(404)
    if found.id == LINE_ITEMS_ID:
        return items_answer(call, [Member(entry.id, entry.label) for entry in found.entries])
    dimension = call.model.dimension(found.id)
    by_id = dimension.by_id if dimension else {}
    return items_answer(call, [by_id[entry.id] for entry in found.entries])


def view_data(call: Call) -> Response:
    """The values: as CSV, or as JSON when both the header and `format=v1` ask for it."""
    query, accept = call.request.query_params, call.request.headers.get("accept", "")
    kind = query.get("exportType", GRID_NOW)
    if kind not in TABLES or (kind.startswith("TABULAR") and "moduleId" not in query):
        raise RefusedError(400, f"Invalid exportType {kind}, or moduleId is missing")
    layout = the_layout(call)
    here = _on_page(call, layout)
    one_page = kind == GRID_NOW or (kind.startswith("TABULAR") and call.switches["table_pages"] == "one")
    shown = here if one_page else layout
    if shown.size() > call.switches["view_cell_cap"]:
        raise RefusedError(400, f"The view has more than {call.switches['view_cell_cap']:,} cells")
    if accept.startswith("application/json") and query.get("format") == "v1":
        return _as_json(here)
    escaped = "escaped=true" in accept
    if call.switches["plain_csv"] == "refused" and not escaped:
        raise RefusedError(406, "Use Accept: text/csv;escaped=true")
    table = TABLES[kind](shown)
    if "maxRows" in query:
        table = islice(table, _head_lines(here, kind) + _number(query["maxRows"]))
    return binary(csv_table(table, quote_all=escaped), "text/csv")


def _as_json(layout: Layout) -> JSONResponse:
    """Cells are texts; there is no envelope."""
    columns = product(*(axis.entries for axis in layout.columns))
    body: dict[str, Any] = {
        "pages": [axis.entries[0].label for axis in layout.pages],
        "columnCoordinates": [[entry.label for entry in column] for column in columns],
        "rows": [{"rowCoordinates": labels, "cells": texts} for labels, texts in grid_rows(layout)],
    }
    return JSONResponse(body)


def _head_lines(layout: Layout, kind: str) -> int:
    """Lines before the first row of data."""
    return bool(layout.pages) + len(layout.columns) if kind.startswith("GRID") else 1


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise RefusedError(400, f"Invalid maxRows: {text}")
    return int(text)


def _on_page(call: Call, layout: Layout) -> Layout:
    """The page that `pages=dimension:item` selects, repeated or with commas; without it the first of everything."""
    chosen: dict[str, str] = {}
    on_pages = {axis.id: axis for axis in layout.pages}
    for selector in [one for text in call.request.query_params.getlist("pages") for one in text.split(",") if one]:
        dimension, _, item = selector.partition(":")
        if dimension not in on_pages:
            raise RefusedError(400, f"Invalid page selector [{dimension}]")
        if not _has(on_pages[dimension], item):
            raise RefusedError(400, f"Invalid page selector [{selector}]")
        chosen[dimension] = item
    return layout.on_page(chosen)


def _has(axis: Axis, item: str) -> bool:
    return any(entry.id == item for entry in axis.entries)


def the_layout(call: Call) -> Layout:
    """The view in the path: a saved view, the default view of a module, or that of a line item's module."""
    view = _view(call.model, call.param("v"))
    if view is None:
        raise RefusedError(404)
    return laid_out(call.model, view)


def _view(model: Model, view_id: str) -> View | None:
    saved = next((view for view in model.views if view.id == view_id), None)
    if saved is not None:
        return saved
    for module in model.modules.values():
        if module.id == view_id or any(item.id == view_id for item in module.items):
            return default_view(module)
    return None


RULES = [
    Rule("GET", "/views", list_views, waits=True),
    Rule("GET", "/modules/{mod}/views", list_views, waits=True),
    Rule("GET", "/views/{v}", show_view, waits=True),
    Rule("GET", "/views/{v}/dimensions/{d}/items", view_items, waits=True),
    Rule("GET", "/views/{v}/data", view_data, waits=True),
]
