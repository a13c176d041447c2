"""What is inside a model: lists and their members, modules and line items, versions, calendar.

Reference: anaplan 9 [S]; the fields that clients in the field insist on: 12.3 [C].
"""

from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule
from mlc_pipelines.sandbox.anaplan.model import LineItem, Module
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, enveloped, ordered, page

CALENDAR_TYPE = "Calendar Months/Quarters/Years"

# -- lists and dimensions ---------------------------------------------------------------------------------------------


def list_lists(call: Call) -> Response:
    """The lists, without Time and Versions."""
    rows = [{"id": one.id, "name": one.name} for one in call.model.lists.values()]
    rows = ordered(rows, call.request.query_params)
    return page(call.request, "list", "lists", rows, cap=call.switches["page_cap"])


def show_list(call: Call) -> Response:
    """The metadata of one list."""
    one = _list(call)
    body = {
        "id": one.id,
        "name": one.name,
        "hasSelectiveAccess": False,
        "properties": [],
        "productionData": False,
        "managedBy": "",
        "numberedList": False,
        "useTopLevelAsPageDefault": False,
        "itemCount": len(one.members),
        "nextItemIndex": len(one.members) + 1,
        "workflowEnabled": False,
        "permittedItems": 999_999_999,
        "usedInAppliesTo": "",
    }
    return enveloped(call.request, "list", metadata=body)


def list_items(call: Call) -> Response:
    """The members; parents and properties only with `includeAll=true`."""
    one = _list(call)
    full = call.request.query_params.get("includeAll") == "true"
    rows = [_item_json(one, member) if full else _short_json(member) for member in one.members]
    return page(call.request, "listItem", "listItems", rows, cap=max(call.switches["page_cap"], len(rows)))


def _item_json(one: Dimension, member: Member) -> dict[str, Any]:
    body = {**_short_json(member), "listId": one.id, "listName": one.name, "properties": {}, "subsets": {}}
    if member.parent:
        body |= {"parent": one.by_id[member.parent].name, "parentId": member.parent}
    return body


def _short_json(member: Member) -> dict[str, Any]:
    return {"id": member.id, "name": member.name, "code": member.code}


def _list(call: Call) -> Dimension:
    found = call.model.lists.get(call.param("l"))
    if found is None:
        raise RefusedError(404)
    return found


def all_dimension_items(call: Call) -> Response:
    """All members of a dimension; not of Time [S]."""
    dimension = _dimension(call)
    if dimension is call.model.time:
        raise RefusedError(400, "Items of Time cannot be listed")
    return _items(call, [_short_json(member) for member in dimension.members])


def find_dimension_items(call: Call) -> Response:
    """Those of the given codes and names that exist; the others are simply absent."""
    body, dimension = call.json(), _dimension(call)
    names, codes = body.get("names") or [], body.get("codes") or []
    if not names and not codes:
        raise RefusedError(400, "Give codes or names")
    found = {member.id: member for member in dimension.matching(codes, "code") if member.code}
    found |= {member.id: member for member in dimension.matching(names, "name")}
    return _items(call, [_short_json(member) for member in found.values()])


def _items(call: Call, rows: list[dict[str, Any]]) -> Response:
    body = {"items": rows} if rows else {}
    return enveloped(call.request, "dimensionItem", **body)


def _dimension(call: Call) -> Dimension:
    found = call.model.dimension(call.param("d"))
    if found is None:
        raise RefusedError(404)
    return found


# -- modules ----------------------------------------------------------------------------------------------------------


def list_modules(call: Call) -> Response:
    """The modules."""
    rows = [{"id": module.id, "name": module.name} for module in call.model.modules.values()]
    rows = ordered(rows, call.request.query_params)
    return page(call.request, "module", "modules", rows, cap=call.switches["page_cap"])


def list_line_items(call: Call) -> Response:
    """Line items of one module, or of all; format, formula and the rest only with `includeAll=true`."""
    modules = list(call.model.modules.values())
    if "mod" in call.request.path_params:
        modules = [module for module in modules if module.id == call.param("mod")]
        if not modules:
            raise RefusedError(404)
    full = call.request.query_params.get("includeAll") == "true"
    rows = [_line_item_json(module, item, full) for module in modules for item in module.items]
    return page(call.request, "lineItem", "items", rows, cap=call.switches["page_cap"])


def _line_item_json(module: Module, item: LineItem, full: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"id": item.id, "name": item.name, "moduleId": module.id, "moduleName": module.name}
    if not full:
        return body
    listed = [one for one in module.dimensions if one is not module.time]
    return {
        **body,
        "format": "NUMBER",
        "formatMetadata": _NUMBER_FORMAT,
        "summary": "Sum",
        "appliesTo": [{"id": one.id, "name": one.name} for one in listed],
        "dataTags": [],
        "referencedBy": [],
        "timeScale": "Month",
        "timeRange": "Model Calendar",
        "version": {"id": "20000000020", "name": "All"},
        "style": "Normal",
        "cellCount": len(module.values(item.name)),
        "notes": "",
        "code": "",
        "isSummary": False,
        "formula": item.formula,
        "formulaScope": "All Versions",
        "useSwitchover": False,
        "breakback": False,
        "broughtForward": False,
        "startOfSection": False,
    }


_NUMBER_FORMAT = {
    "dataType": "NUMBER",
    "comparisonIncrease": "GOOD",
    "customUnits": None,
    "decimalPlaces": 2,
    "decimalSeparator": "FULL_STOP",
    "unitsDisplayType": "NONE",
    "unitsType": "NONE",
    "zeroFormat": "ZERO",
    "groupingSeparator": "NONE",
    "minimumSignificantDigits": 4,
    "negativeNumberNotation": "MINUS_SIGN",
}

# -- versions and calendar --------------------------------------------------------------------------------------------


def list_versions(call: Call) -> Response:
    """The versions; only the first holds actuals."""
    _require_admin(call)
    rows = [
        {
            "id": member.id,
            "name": member.name,
            "isActual": member.name == "Actual",
            "isCurrent": member.name == "Forecast",
            "switchover": {},
            "editFrom": {},
            "editTo": {},
        }
        for member in call.model.versions.members
    ]
    return enveloped(call.request, "version", versionMetadata=rows)


def show_current_period(call: Call) -> Response:
    """The month in progress."""
    _require_admin(call)
    return enveloped(call.request, "currentPeriod", currentPeriod={**_current(call), "calendarType": CALENDAR_TYPE})


def show_calendar(call: Call) -> Response:
    """The fiscal year in progress and how many stand before and after it."""
    _require_admin(call)
    time = call.model.time
    year = time.months[call.model.current_month].year
    months = [month for month in time.months.values() if month.year == year]
    start, end = months[0].start.isoformat(), months[-1].end.isoformat()
    body = {
        "calendarType": CALENDAR_TYPE,
        "fiscalYear": {"year": time.year_label(year), "startDate": start, "endDate": end},
        "pastYearsCount": year - time.first_year,
        "futureYearsCount": time.last_year - year,
        "currentPeriod": _current(call),
        "totalsSelection": {
            "quarterTotals": True,
            "halfYearTotals": False,
            "yearToDateSummary": False,
            "yearToGoSummary": False,
            "totalOfAllPeriods": False,
        },
    }
    return enveloped(call.request, "modelCalendar", modelCalendar=body)


def _current(call: Call) -> dict[str, str]:
    month = call.model.time.months[call.model.current_month]
    return {"periodText": month.label, "lastDay": month.end.isoformat()}


def _require_admin(call: Call) -> None:
    if not call.user.admin:
        raise RefusedError(403)


RULES = [
    Rule("GET", "/lists", list_lists, waits=True),
    Rule("GET", "/lists/{l}", show_list, waits=True),
    Rule("GET", "/lists/{l}/items", list_items, waits=True),
    Rule("GET", "/dimensions/{d}/items", all_dimension_items, waits=True),
    Rule("POST", "/dimensions/{d}/items", find_dimension_items, waits=True),
    Rule("GET", "/modules", list_modules, waits=True),
    Rule("GET", "/modules/{mod}/lineItems", list_line_items, waits=True),
    Rule("GET", "/lineItems", list_line_items, waits=True),
    Rule("GET", "/versions", list_versions, waits=True),
    Rule("GET", "/currentPeriod", show_current_period, waits=True),
    Rule("GET", "/modelCalendar", show_calendar, waits=True),
]
