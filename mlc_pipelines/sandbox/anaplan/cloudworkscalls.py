"""The CloudWorks API: list integrations, their schedules and runs; start and cancel them. Reference: anaplan 10 [S].

It answers under /2/0 as on its own host, and under /cloudworks/2/0 as on the API's. What it does not know is an HTML page
of the web server, not JSON. An integration's own job, from a bucket of files, is not played: a run only takes its time.
"""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.anaplan.cloudworks import TYPES, Integration, Run, checked_schedule
from mlc_pipelines.sandbox.anaplan.gate import Call, Handler, Rule
from mlc_pipelines.sandbox.anaplan.model import ImportAction
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.wire import RefusedError

DEFAULT_PAGE = 25
TENANT_MAX = 500
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
GONE = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"


def cloudworks_routes(tenant: Tenant) -> list[BaseRoute]:
    """The routes below /2/0; whatever else is asked of them ends at the web server."""
    table: list[BaseRoute] = [rule.route(tenant, rule.path) for rule in RULES]
    dead = [
        Route(path, not_routed, methods=METHODS)
        for path in ("/integrations/{rest:path}", "/integrationflows/{rest:path}")
    ]
    return [Route("/integrations/anaplanModels/{m}", not_routed, methods=METHODS), *table, *dead]


async def not_routed(_request: Request, _error: Exception | None = None) -> Response:
    """The web server's own page."""
    return HTMLResponse(GONE, 404)


def _guarded(handler: Handler, *, entitled: bool = False) -> Handler:
    """The role that CloudWorks wants: 403 without it, 452 where the tenant must be entitled [S]."""

    def answer(call: Call) -> Response:
        if call.switches["cloudworks_access"] == "none":
            raise RefusedError(452, "Tenant not entitled") if entitled else RefusedError(403)
        return handler(call)

    return answer


# -- integrations -----------------------------------------------------------------------------------------------------


def list_integrations(call: Call) -> Response:
    """All of them, of all models: there is no filter by model. Empty for a user without a workspace."""
    found = list(call.tenant.cloudworks.integrations.values())
    if call.switches["cloudworks_access"] == "unassigned":
        found = []
    if call.request.query_params.get("myIntegrations") == "1":
        found = [one for one in found if one.creator == call.user]
    sort = call.request.query_params.get("sortBy", "")
    if sort.lstrip("+-") == "name":
        found.sort(key=lambda one: one.name.casefold(), reverse=sort.startswith("-"))
    rows = [{**_integration_json(one), "integrationType": one.type} for one in found]
    return _page(call, "integrations", rows, tenantCurrentCount=len(rows), tenantMaxAllowed=TENANT_MAX)


def show_integration(call: Call) -> Response:
    """One of them; its type is left out here [C]."""
    integration = _integration(call)
    body = _integration_json(integration)
    if integration.type != "Process":
        body["jobs"] = [_job(integration)]
    return _enveloped(integration=body)


def _integration(call: Call) -> Integration:
    found = call.tenant.cloudworks.integrations.get(call.param("i"))
    if found is None:
        raise RefusedError(404, "Integration not found")
    return found


def _integration_json(one: Integration) -> dict[str, Any]:
    body: dict[str, Any] = {
        "integrationId": one.id,
        "name": one.name,
        "createdBy": one.creator.email,
        "creationDate": _iso(one.created_at),
        "modifiedBy": one.creator.email,
        "modificationDate": _iso(one.created_at),
        "workspaceId": one.workspace,
        "modelId": one.model.id,
        "latestRun": _run_json(one.runs[-1]) if one.runs else {},
        "notificationId": "",
        "nuxVisible": False,
    }
    if one.type == "Process":
        body["processId"] = one.action
    if one.schedule is not None:
        body["schedule"] = one.schedule
    return body


def _job(one: Integration) -> dict[str, Any]:
    """Where the data of an import come from, or those of an export go."""
    action = one.model.action(TYPES[one.type], one.action)
    bucket = {
        "type": "AmazonS3",
        "connectionId": "0" * 32,
        "connectionName": "Nightly bucket",
        "isConnectionDeleted": False,
    }
    if isinstance(action, ImportAction):
        target = {"type": "Anaplan", "actionId": one.action, "fileId": action.file}
        return {"type": "AmazonS3ToAnaplan", "sources": [{**bucket, "file": "actuals.csv"}], "targets": [target]}
    source = {"type": "Anaplan", "actionId": one.action}
    return {
        "type": "AnaplanToAmazonS3",
        "sources": [source],
        "targets": [{**bucket, "file": "plan.csv", "overwrite": True}],
    }


# -- runs -------------------------------------------------------------------------------------------------------------


def start_run(call: Call) -> Response:
    """Start a job now; 409 while it runs. Another job of the same model is no obstacle: its task is queued [I]."""
    integration = _integration(call)
    if integration.running() is not None:
        raise RefusedError(409, "Integration is already running")
    seconds = call.switches["cloudworks_job_seconds"]
    run = call.tenant.cloudworks.run(
        integration, call.user, trigger="manual", seconds=seconds, ends="success", at=call.now
    )
    return _enveloped(run={"id": run.id})


def cancel_run(call: Call) -> Response:
    """Stop it; 409 when it does not run."""
    run = _integration(call).running()
    if run is None:
        raise RefusedError(409, "Integration is not running")
    model = _integration(call).model
    model.queue.cancel(run.task, call.user.email, call.now, call.switches["cancel_seconds"])
    return _enveloped(run={"id": run.id})


def list_runs(call: Call) -> Response:
    """The history of one integration, newest first."""
    integration, query = _integration(call), call.request.query_params
    if call.switches["cloudworks_run_paging"] == "required" and not {"offset", "limit"} <= set(query):
        raise RefusedError(400, "offset and limit are required")
    rows = [
        {"id": run.id, "lastRun": int(run.task.created_at.timestamp()), "traceId": run.trace, **_run_json(run)}
        for run in reversed(integration.runs)
    ]
    shown = _slice(call, rows)
    history = {"integrationId": integration.id, "totalRuns": len(rows), **({"runs": shown} if shown else {})}
    return _enveloped(history_of_runs=history)


def show_run(call: Call) -> Response:
    """One run."""
    integration, run = _run(call)
    return _enveloped(run={"id": run.id, "integrationId": integration.id, "traceId": run.trace, **_run_json(run)})


def show_run_error(call: Call) -> Response:
    """What went wrong in a run; an empty object when nothing did."""
    integration, run = _run(call)
    successful, code = run.outcome()
    if run.task.ending is None or (successful and code is None):
        return _enveloped(runs={})
    action = integration.model.action(TYPES[integration.type], integration.action)
    message = {
        "actionId": integration.action,
        "actionName": action.name if action else "",
        "errorMessage": [{"localMessageText": run.message()}],
        "failureDumpGenerated": False,
    }
    return _enveloped(runs={"taskId": run.task.id, "errorMessages": [message]})


def show_dump(call: Call) -> Response:
    """The rows that a run refused; a run that takes its time and no rows has none: JSON 404 [S]."""
    _run(call)
    raise RefusedError(404, "No dump was found for this run")


def _run(call: Call) -> tuple[Integration, Run]:
    found = call.tenant.cloudworks.find_run(call.param("r"))
    if found is None:
        raise RefusedError(404, "Run not found")
    return found


def _run_json(run: Run) -> dict[str, Any]:
    successful, code = run.outcome()
    body: dict[str, Any] = {
        "triggeredBy": run.triggered_by,
        "startDate": _iso(run.task.created_at),
        "success": successful,
        "message": run.message(),
        "executionErrorCode": code,
        "triggerSource": run.trigger,
    }
    if run.task.ended_at is not None and run.task.ending is not None:
        body["endDate"] = _iso(run.task.ended_at)
    return body


# -- schedules --------------------------------------------------------------------------------------------------------


def put_schedule(call: Call) -> Response:
    """Give an integration a schedule, or another one."""
    integration, wish = _integration(call), call.json().get("schedule")
    if not isinstance(wish, dict):
        raise RefusedError(400, "There is no schedule in the body")
    if (call.request.method == "PUT") != (integration.schedule is not None):
        raise RefusedError(400, "An integration has one schedule")
    try:
        integration.schedule = checked_schedule(wish.get("name", integration.name), wish)
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(400, f"Invalid schedule: {error}") from error
    return _enveloped()


def delete_schedule(call: Call) -> Response:
    """Take it away."""
    _scheduled(call).schedule = None
    return _enveloped()


def set_schedule_status(call: Call) -> Response:
    """Enable or disable it."""
    statuses = {"enabled": "Active", "disabled": "Inactive"}
    if call.param("status") not in statuses:
        raise RefusedError(400, "A schedule is enabled or disabled")
    integration = _scheduled(call)
    integration.schedule = {**(integration.schedule or {}), "status": statuses[call.param("status")]}
    return _enveloped()


def _scheduled(call: Call) -> Integration:
    integration = _integration(call)
    if integration.schedule is None:
        raise RefusedError(404, "There is no schedule")
    return integration


# -- answers ----------------------------------------------------------------------------------------------------------


def no_connections(call: Call) -> Response:
    """The connections: none are told."""
    return _page(call, "connections", [])


def no_flows(call: Call) -> Response:
    """The integration flows: there are none."""
    return _page(call, "integrationFlows", [])


def _page(call: Call, key: str, rows: list[dict[str, Any]], **counts: int) -> Response:
    shown, offset = _slice(call, rows), _number(call, "offset", 0)
    paging = {"currentPageSize": len(shown), "totalSize": len(rows), "offset": offset}
    return _enveloped({"paging": paging, **counts}, **{key: shown})


def _slice(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    offset, limit = _number(call, "offset", 0), _number(call, "limit", DEFAULT_PAGE)
    return rows[offset : offset + limit]


def _number(call: Call, name: str, default: int) -> int:
    text = call.request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise RefusedError(400, f"Invalid {name}: {text}")
    return int(text)


def _enveloped(meta: dict[str, Any] | None = None, **body: Any) -> Response:
    return JSONResponse({"status": {"code": 200, "message": "Success"}, "meta": meta or {}, **body})


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _rule(method: str, path: str, handler: Handler, *, entitled: bool = False) -> Rule:
    return Rule(method, path, _guarded(handler, entitled=entitled))


RULES = [
    _rule("GET", "/integrations", list_integrations),
    _rule("GET", "/integrations/connections", no_connections),
    _rule("GET", "/integrationflows", no_flows),
    _rule("GET", "/integrations/runs/{i}", list_runs),
    _rule("GET", "/integrations/run/{r}", show_run),
    _rule("GET", "/integrations/runerror/{r}", show_run_error),
    _rule("GET", "/integrations/run/{r}/dumps", show_dump, entitled=True),
    _rule("GET", "/integrations/run/{r}/process/import/{a}/dumps", show_dump, entitled=True),
    _rule("GET", "/integrations/{i}", show_integration),
    _rule("POST", "/integrations/{i}/run", start_run),
    _rule("POST", "/integrations/{i}/cancel", cancel_run),
    _rule("POST", "/integrations/{i}/schedule", put_schedule, entitled=True),
    _rule("PUT", "/integrations/{i}/schedule", put_schedule, entitled=True),
    _rule("DELETE", "/integrations/{i}/schedule", delete_schedule, entitled=True),
    _rule("POST", "/integrations/{i}/schedule/status/{status}", set_schedule_status, entitled=True),
]
