"""Generic inquiries over OData: v4 below /t/{tenant}/api/odata/gi, and the older /odata/{tenant} with v3 literals. Reference: acumatica 3.9.

In v4 dates stand bare and `contains` takes the place of `substringof`; what it cannot read is a 400 with `error.message` [C live on 25R2].
"""

import json
import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote, urlencode

from mlc_pipelines.sandbox.acumatica import filters, meanwhile
from mlc_pipelines.sandbox.acumatica.errors import RefusalError, as_json, message
from mlc_pipelines.sandbox.acumatica.feeds import INQUIRIES, Inquiry
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value, literal
from mlc_pipelines.sandbox.acumatica.wire import quote as text_of

_CALL = re.compile(r"(?P<name>[^(]+?)(?:_WithParameters\((?P<given>.*)\))?")
_GIVEN = re.compile(r"(\w+)='((?:[^']|'')*)'")
_BARE_TIME = re.compile(r"('(?:[^']|'')*')|\b(\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)")
_CONTAINS = re.compile(r"\bcontains\(\s*(\w+)\s*,\s*('(?:[^']|'')*')\s*\)")
_ONLY_V3 = re.compile(r"substringof\(|datetimeoffset'|datetime'|guid'")
_OPTIONS = {"$filter", "$orderby", "$top", "$skip", "$select", "$count", "$format", "$skiptoken"}


def service(names_of: str) -> str:
    """The list of inquiries that there are."""
    sets = [{"name": one.name, "kind": "EntitySet", "url": one.name} for one in INQUIRIES.values() if one.exposed]
    return as_json({"@odata.context": f"{names_of}/$metadata", "value": sets})


def answer(site: Site, call: str, options: Mapping[str, str], address: str, *, legacy: bool = False) -> str:
    """Rows of an inquiry as JSON. `address` is that of the feed. Raises 404, 403 and 400 as a site does, as far as that is known."""
    inquiry, given = _called(call)
    if unknown := sorted(name for name in options if name.startswith("$") and name not in _OPTIONS):
        raise _wrong(f"The query parameter '{unknown[0]}' is not supported.")
    rows = list(inquiry.rows(site, given))
    if said := options.get("$filter", "").strip():
        rows = _filtered(site, inquiry, rows, said, legacy=legacy)
    count = len(rows)
    rows = _sorted(inquiry, rows, options["$orderby"]) if options.get("$orderby") else site.ordered(rows)
    skip, top = _number(options, "$skip", 0), _number(options, "$top", len(rows))
    rows = rows[skip : skip + top]
    begun = _number(options, "$skiptoken", 0)
    size = site.switches["odata_page"] or len(rows)
    page = rows[begun : begun + size]
    further = {**options, "$skiptoken": str(begun + size)} if begun + size < len(rows) else {}
    if inquiry.kind:
        meanwhile.happen(site, inquiry.kind)
    tail = f',"@odata.nextLink":{text_of(f"{address}/{quote(call)}?{urlencode(further)}")}' if further else ""
    tail += f',"@odata.count":{count}' if options.get("$count") == "true" else ""
    context = "odata.metadata" if legacy else "@odata.context"
    write = partial(_row, _columns(inquiry, options), texts=legacy or site.switches["odata_decimals"] == "text")
    return f'{{"{context}":"{address}/$metadata#{inquiry.name}","value":[{",".join(map(write, page))}]{tail}}}'


def _called(call: str) -> tuple[Inquiry, dict[str, str]]:
    match = _CALL.fullmatch(call)
    inquiry = INQUIRIES.get(match["name"]) if match else None
    if match is None or inquiry is None:
        raise message(404, "The resource is not found.")
    if not inquiry.exposed:
        raise message(403, f"The inquiry {inquiry.name} is not exposed via OData.")
    given = {name: value.replace("''", "'") for name, value in _GIVEN.findall(match["given"] or "")}
    if unknown := sorted(set(given) - set(inquiry.parameters)):
        raise _wrong(f"Could not find a parameter named '{unknown[0]}'.")
    return inquiry, given


def _filtered(site: Site, inquiry: Inquiry, rows: list[Record], said: str, *, legacy: bool) -> list[Record]:
    if not legacy:
        if found := _ONLY_V3.search(said):
            raise _wrong(f"Syntax error: '{found.group()}' is not known here.")
        said = _CONTAINS.sub(r"substringof(\2,\1)", said)
        said = _BARE_TIME.sub(lambda one: one[1] or f"datetimeoffset'{one[2]}'", said)
    try:
        test = filters.parse(said, inquiry.columns, ignore_case=site.switches["ignore_case"])
    except RefusalError as refusal:
        raise _wrong(json.loads(refusal.body)["exceptionMessage"]) from refusal
    return [row for row in rows if test(row)]


def _sorted(inquiry: Inquiry, rows: list[Record], order: str) -> list[Record]:
    """Sorted by several columns, the last one first; texts without regard to case, empty ones first."""
    for part in reversed(order.split(",")):
        name, _, way = part.strip().partition(" ")
        _require_column(inquiry, name)
        rows = sorted(rows, key=partial(_sortable, name), reverse=way.strip() == "desc")
    return rows


def _sortable(name: str, row: Record) -> tuple[bool, str | int | bool, str]:
    value = row.values.get(name)
    if isinstance(value, int):
        return True, value, ""
    text = "" if value is None else str(value)
    return value is not None, text.casefold(), text


def _columns(inquiry: Inquiry, options: Mapping[str, str]) -> dict[str, str]:
    names = [name.strip() for name in options.get("$select", "").split(",") if name.strip()] or list(inquiry.columns)
    for name in names:
        _require_column(inquiry, name)
    return {name: inquiry.columns[name] for name in names}


def _require_column(inquiry: Inquiry, name: str) -> None:
    if name not in inquiry.columns:
        raise _wrong(f"Could not find a property named '{name}' on type 'PX.Data.{inquiry.name}'.")


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name, "").strip() or str(default)
    if not text.isdecimal():
        raise _wrong(f"Invalid value '{text}' for {name}.")
    return int(text)


def _row(columns: Mapping[str, str], row: Record, *, texts: bool) -> str:
    cells = (f'"{name}":{_cell(letter, row.values.get(name), texts=texts)}' for name, letter in columns.items())
    return "{" + ",".join(cells) + "}"


def _cell(letter: str, value: Value, *, texts: bool) -> str:
    if value is None:
        return "null"
    shown = literal(letter, value)
    return f'"{shown}"' if texts and letter == "d" else shown


def _wrong(text: str) -> RefusalError:
    return RefusalError(400, as_json({"error": {"code": "", "message": text}}))
