"""The CloudWorks API: list integrations, their schedules and runs; start and cancel them. Reference: anaplan 10 [S].

It answers under /2/0 as on its own host, and under /cloudworks/2/0 as on the API's. What it does not know is an HTML page
of the web server, not JSON. An integration's own job, from a bucket of files, is not played: a run only takes its time.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.anaplan import cloudworksruns as runs
from mlc_pipelines.sandbox.anaplan.built import ImportAction
from mlc_pipelines.sandbox.anaplan.cloudworks import TYPES, Integration, checked_schedule
from mlc_pipelines.sandbox.anaplan.cloudworkswire import enveloped, integration_of, iso, page_of, run_json
from mlc_pipelines.sandbox.anaplan.gate import Call, Handler, Rule
from mlc_pipelines.sandbox.anaplan.tenant import Tenant
from mlc_pipelines.sandbox.anaplan.wire import RefusedError

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
    return page_of(call, "integrations", rows, tenantCurrentCount=len(rows), tenantMaxAllowed=TENANT_MAX)


def show_integration(call: Call) -> Response:
    """One of them; its type is left out here [C]."""
    integration = integration_of(call)
    body = _integration_json(integration)
    if integration.type != "Process":
        body["jobs"] = [_job(integration)]
    return enveloped(integration=body)


def _integration_json(one: Integration) -> dict[str, Any]:
    body: dict[str, Any] = {
        "integrationId": one.id,
        "name": one.name,
        "createdBy": one.creator.email,
        "creationDate": iso(one.created_at),
        "modifiedBy": one.creator.email,
        "modificationDate": iso(one.created_at),
        "workspaceId": one.workspace,
        "modelId": one.model.id,
        "latestRun": run_json(one.runs[-1]) if one.runs else {},
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


# -- schedules --------------------------------------------------------------------------------------------------------


def put_schedule(call: Call) -> Response:
    """Give an integration a schedule, or another one."""
    integration, wish = integration_of(call), call.json().get("schedule")
    if not isinstance(wish, dict):
        raise RefusedError(400, "There is no schedule in the body")
    if (call.request.method == "PUT") != (integration.schedule is not None):
        raise RefusedError(400, "An integration has one schedule")
    try:
        integration.schedule = checked_schedule(wish.get("name", integration.name), wish)
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(400, f"Invalid schedule: {error}") from error
    return enveloped()


def delete_schedule(call: Call) -> Response:
    """Take it away."""
    _scheduled(call).schedule = None
    return enveloped()


def set_schedule_status(call: Call) -> Response:
    """Enable or disable it."""
    statuses = {"enabled": "Active", "disabled": "Inactive"}
    if call.param("status") not in statuses:
        raise RefusedError(400, "A schedule is enabled or disabled")
    integration = _scheduled(call)
    integration.schedule = {**(integration.schedule or {}), "status": statuses[call.param("status")]}
    return enveloped()


def _scheduled(call: Call) -> Integration:
    integration = integration_of(call)
    if integration.schedule is None:
        raise RefusedError(404, "There is no schedule")
    return integration


# -- what is not acted out --------------------------------------------------------------------------------------------


def no_connections(call: Call) -> Response:
    """The connections: none are told."""
    return page_of(call, "connections", [])


def no_flows(call: Call) -> Response:
    """The integration flows: there are none."""
    return page_of(call, "integrationFlows", [])


def _rule(method: str, path: str, handler: Handler, *, entitled: bool = False) -> Rule:
    return Rule(method, path, _guarded(handler, entitled=entitled))


RULES = [
    _rule("GET", "/integrations", list_integrations),
    _rule("GET", "/integrations/connections", no_connections),
    _rule("GET", "/integrationflows", no_flows),
    _rule("GET", "/integrations/runs/{i}", runs.list_runs),
    _rule("GET", "/integrations/run/{r}", runs.show_run),
    _rule("GET", "/integrations/runerror/{r}", runs.show_run_error),
    _rule("GET", "/integrations/run/{r}/dumps", runs.show_dump, entitled=True),
    _rule("GET", "/integrations/run/{r}/process/import/{a}/dumps", runs.show_dump, entitled=True),
    _rule("GET", "/integrations/{i}", show_integration),
    _rule("POST", "/integrations/{i}/run", runs.start_run),
    _rule("POST", "/integrations/{i}/cancel", runs.cancel_run),
    _rule("POST", "/integrations/{i}/schedule", put_schedule, entitled=True),
    _rule("PUT", "/integrations/{i}/schedule", put_schedule, entitled=True),
    _rule("DELETE", "/integrations/{i}/schedule", delete_schedule, entitled=True),
    _rule("POST", "/integrations/{i}/schedule/status/{status}", set_schedule_status, entitled=True),
]
