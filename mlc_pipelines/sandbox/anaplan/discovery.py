"""What there is around a model: the user, workspaces, models, and who is inside a model right now.

Reference: anaplan 3, 7.2 [S]; the fields that clients in the field insist on: 12.3 [C].
"""

from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_pipelines.sandbox.anaplan.gate import Call, Rule, require_admin
from mlc_pipelines.sandbox.anaplan.logins import User
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.tenant import Workspace
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, enveloped, milliseconds, ordered, page

GIGABYTE = 1 << 30


def show_me(call: Call) -> Response:
    """The caller."""
    return enveloped(call.request, "user", user=_user_json(call, call.user))


def list_users(call: Call) -> Response:
    """Everybody; administrators only. `s` looks for a part of an address or a name."""
    require_admin(call)
    part = call.request.query_params.get("s", "").casefold()
    rows = [_user_json(call, user) for user in call.tenant.world.users if part in _full_name(user).casefold()]
    rows = ordered(rows, call.request.query_params)
    return page(call.request, "user", "users", rows, cap=call.switches["page_cap"])


def show_user(call: Call) -> Response:
    """One user; oneself, or for administrators anybody."""
    found = next((user for user in call.tenant.world.users if user.id == call.param("u")), None)
    if found is None or (found is not call.user and not call.user.admin):
        raise RefusedError(404)
    return enveloped(call.request, "user", user=_user_json(call, found))


def _user_json(call: Call, user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "active": True,
        "lastLoginDate": _iso(call.now),
        "emailOptIn": False,
        "customerId": "8a80cb8163b4ab2e0163b5a1c7d20001",
    }


def _workspace_json(call: Call, workspace: Workspace) -> dict[str, Any]:
    body: dict[str, Any] = {"id": workspace.id, "name": workspace.name, "active": True}
    if call.request.query_params.get("tenantDetails") == "true":
        used = sum(_memory(model) for model in workspace.models.values())
        body |= {"sizeAllowance": 20 * GIGABYTE, "currentSize": used}
    return body


def list_workspaces(call: Call) -> Response:
    """The workspaces; sizes only with `tenantDetails=true`."""
    rows = [_workspace_json(call, workspace) for workspace in call.tenant.world.workspaces]
    rows = ordered(rows, call.request.query_params, strict=True)
    return page(call.request, "workspace", "workspaces", rows, cap=call.switches["page_cap"])


def show_workspace(call: Call) -> Response:
    """One workspace; 404 for those who are no administrators, even if it is in their list."""
    workspace = call.tenant.workspace(call.param("w"))
    if workspace is None or not call.user.admin:
        raise RefusedError(404)
    return enveloped(call.request, "workspace", workspace=_workspace_json(call, workspace))


def _model_json(call: Call, model: Model) -> dict[str, Any]:
    workspace = call.tenant.workspace_of(model)
    body: dict[str, Any] = {
        "id": model.id,
        "name": model.name,
        "activeState": call.switches["model_state"],
        "currentWorkspaceId": workspace.id,
        "currentWorkspaceName": workspace.name,
        "modelUrl": f"https://us1a.app.anaplan.com/core3/open?modelGuid={model.id}",
        "categoryValues": [],
    }
    if call.request.query_params.get("modelDetails") == "true":
        body |= {
            "isoCreationDate": _iso(model.created_at),
            "lastModified": _iso(model.changed_at or model.created_at),
            "lastModifiedByUserGuid": model.changed_by or call.tenant.world.users[0].id,
            "lastSavedSerialNumber": model.serial,
            "memoryUsage": _memory(model),
        }
    return body


def list_models(call: Call) -> Response:
    """All models, or those of one workspace."""
    workspaces = call.tenant.world.workspaces
    if "w" in call.request.path_params:
        workspaces = [workspace for workspace in workspaces if workspace.id == call.param("w")]
        if not workspaces:
            raise RefusedError(404)
    rows = [_model_json(call, model) for workspace in workspaces for model in workspace.models.values()]
    rows = ordered(rows, call.request.query_params, strict=True)
    return page(call.request, "model", "models", rows, cap=call.switches["page_cap"])


def show_model(call: Call) -> Response:
    """One model; it answers whatever its state."""
    body = _model_json(call, call.model)
    if call.request.query_params.get("modelDetails") == "true":
        body["modelTransactionRunning"] = call.model.queue.running() is not None
    return enveloped(call.request, "model", model=body)


def show_status(call: Call) -> Response:
    """Who is inside the model right now; without the envelope."""
    task, now = call.model.queue.running(), milliseconds(call.now)
    step = "Open" if call.model.loaded(call.now) else "Closed"
    status: dict[str, Any] = {"currentStep": step, "progress": -1.0, "taskId": None, "tooltip": None}
    if task is not None and task.started_at is not None:
        user = next((user for user in call.tenant.world.users if user.id == task.user), None)
        status = {
            "currentStep": "Processing ...",
            "progress": task.progress(call.now),
            "taskId": task.id,
            "tooltip": _tooltip(task.kind, _full_name(user) if user else task.user, task.started_at),
        }
        now = milliseconds(task.created_at)
    unknown = {"exportTaskType": None, "peakMemoryUsageEstimate": None, "peakMemoryUsageTime": None}
    return JSONResponse({"requestStatus": {**status, "creationTime": now, **unknown}})


def open_model(call: Call) -> Response:
    """Begin to open a model: 202 while it opens, 200 when it is open."""
    require_admin(call)
    call.model.wake(call.now)
    if call.model.loaded(call.now):
        return JSONResponse({"status": {"code": 200, "message": "Success"}})
    return JSONResponse({"status": {"code": 202, "message": "Accepted"}}, 202)


def close_model(call: Call) -> Response:
    """Close a model; 409 while a task has it [I]."""
    require_admin(call)
    if call.model.queue.waiting:
        raise RefusedError(409)
    call.model.closed, call.model.opens_at = True, None
    return Response(status_code=204)


def set_online_status(call: Call) -> Response:
    """Take the model offline or back: it keeps being deployed if it was."""
    require_admin(call)
    state, wanted = call.switches["model_state"], call.json().get("status")
    if state == "LOCKED" or wanted not in ("online", "offline"):
        raise RefusedError(400)
    states = ("PRODUCTION", "PRODUCTION_MAINTENANCE") if state.startswith("PRODUCTION") else ("UNLOCKED", "MAINTENANCE")
    call.switches["model_state"] = states[wanted == "offline"]
    return Response(status_code=204)


def _tooltip(kind: str, user: str, started_at: datetime) -> str:
    what = {"imports": "Import", "exports": "Export", "processes": "Process"}.get(kind, "Action")
    return (
        f"The system is currently processing an {what}:\n\n{what} started by user {user}\n\n"
        f"{what} started at {started_at:%H:%M} (UTC)\nTasks can be cancelled in Model Management."
    )


def _full_name(user: User) -> str:
    return f"{user.first_name} {user.last_name} ({user.email})"


def _memory(model: Model) -> int:
    return 1_000_000 + 8 * sum(len(cells) for module in model.modules.values() for cells in module.inputs.values())


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


OUTER_RULES = [
    Rule("GET", "/users/me", show_me),
    Rule("GET", "/users", list_users),
    Rule("GET", "/users/{u}", show_user),
    Rule("GET", "/workspaces", list_workspaces),
    Rule("GET", "/workspaces/{w}", show_workspace),
    Rule("GET", "/workspaces/{w}/models", list_models),
    Rule("GET", "/models", list_models),
    Rule("GET", "/models/{m}", show_model, outside=True),
]
STATUS_RULES = [
    Rule("GET", "/status", show_status, unloaded=True),
    Rule("POST", "/status", show_status, unloaded=True),
    Rule("POST", "/open", open_model, unloaded=True),
    Rule("POST", "/close", close_model, unloaded=True),
    Rule("PUT", "/onlineStatus", set_online_status, unloaded=True),
    Rule("POST", "/onlineStatus", set_online_status, unloaded=True),
]
