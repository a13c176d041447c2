"""What is inside a model: modules and line items, versions, calendar. Lists stand in `listcalls` and `dimensioncalls`.

Reference: anaplan 9 [S]; the fields that clients in the field insist on: 12.3 [C].
"""

from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.gate import Call, Rule, require_unlocked
from mlc_pipelines.sandbox.anaplan.model import LineItem, Module
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, enveloped, ordered, page

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
        "format": "TEXT" if item.text else "NUMBER",
        "formatMetadata": _TEXT_FORMAT if item.text else _NUMBER_FORMAT,
        "summary": "None" if item.text else "Sum",
        "appliesTo": [{"id": one.id, "name": one.name} for one in listed],
        "dataTags": [],
        "referencedBy": [],
        "timeScale": "Month" if module.time in module.dimensions else "Not Applicable",
        "timeRange": "Model Calendar",
        "version": {"id": "20000000020", "name": "All"},
        "style": "Normal",
        "cellCount": len(module.values(item.name) if item.year_to_date_of else module.written(item.name)),
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


_TEXT_FORMAT = {"dataType": "TEXT", "textType": "GENERAL"}
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
    return enveloped(
        call.request, "currentPeriod", currentPeriod={**_current(call), "calendarType": call.model.time.kind}
    )


def set_current_period(call: Call) -> Response:
    """The month of a date becomes the month in progress; 400 for one outside the calendar."""
    _require_admin(call)
    require_unlocked(call, call.model)
    date = str(call.json().get("date", ""))
    months = call.model.time.months.values()
    found = next((month for month in months if month.start.isoformat() <= date <= month.end.isoformat()), None)
    if found is None:
        raise RefusedError(400, f"Invalid date: {date}")
    call.model.current_month = found.label
    call.model.saved(call.now, call.user.id)
    return show_current_period(call)


def show_calendar(call: Call) -> Response:
    """The fiscal year in progress and how many stand before and after it."""
    _require_admin(call)
    time = call.model.time
    year = time.months[call.model.current_month].year
    months = [month for month in time.months.values() if month.year == year]
    start, end = months[0].start.isoformat(), months[-1].end.isoformat()
    body = {
        "calendarType": time.kind,
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
    Rule("GET", "/modules", list_modules, waits=True),
    Rule("GET", "/modules/{mod}/lineItems", list_line_items, waits=True),
    Rule("GET", "/lineItems", list_line_items, waits=True),
    Rule("GET", "/versions", list_versions, waits=True),
    Rule("GET", "/currentPeriod", show_current_period, waits=True),
    Rule("PUT", "/currentPeriod", set_current_period, waits=True),
    Rule("GET", "/modelCalendar", show_calendar, waits=True),
]
