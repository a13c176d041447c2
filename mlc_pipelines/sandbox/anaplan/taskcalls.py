"""Actions: list and inspect them, start, poll and cancel tasks, fetch dumps. Reference: anaplan 3, 5, 6.4 [S]."""

from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_pipelines.sandbox.anaplan.built import (
    KINDS,
    Action,
    ExportAction,
    FileImport,
    ImportAction,
    ListImport,
    OtherAction,
    Process,
)
from mlc_pipelines.sandbox.anaplan.exports import header_of
from mlc_pipelines.sandbox.anaplan.filecalls import chunk_page, pick_chunk
from mlc_pipelines.sandbox.anaplan.files import PRIVATE_LIFE
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule, require_unlocked
from mlc_pipelines.sandbox.anaplan.mapping import objection_to
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.tasks import Task
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, binary, enveloped, milliseconds, ordered, page

LAYOUT = "TABULAR_MULTI_COLUMN"


def action_json(action: Action) -> dict[str, Any]:
    """An action as its list shows it."""
    body: dict[str, Any] = {"id": action.id, "name": action.name}
    if isinstance(action, ImportAction | ListImport):
        body |= {"importDataSourceId": action.file, "importType": action.target}
    elif isinstance(action, ExportAction):
        body |= {"exportType": LAYOUT, "exportFormat": "text/csv", "encoding": "UTF-8", "layout": LAYOUT}
    elif isinstance(action, OtherAction):
        body |= {"actionType": action.type}
    return body


def list_actions(call: Call) -> Response:
    """All actions of one kind."""
    kind = _kind(call)
    rows = ordered([action_json(action) for action in call.model.actions(kind)], call.request.query_params)
    return page(call.request, kind.removesuffix("s"), kind, rows, cap=call.switches["page_cap"])


def show_action(call: Call) -> Response:
    """The metadata of one action."""
    action = _action(call)
    if isinstance(action, ImportAction | ListImport):
        return enveloped(call.request, "importMetadata", importMetadata=_import_metadata(call.model, action))
    if isinstance(action, ExportAction):
        return enveloped(call.request, "exportMetadata", exportMetadata=_export_metadata(call.model, action))
    if isinstance(action, Process):
        return enveloped(call.request, "processMetadata", processMetadata=_process_metadata(call, action))
    return enveloped(call.request, "action", action=action_json(action))


def _import_metadata(model: Model, action: FileImport) -> dict[str, Any]:
    file = model.files[action.file]
    source = {
        "textEncoding": file.encoding,
        "columnSeparator": file.separator,
        "textDelimiter": file.delimiter,
        "headerRow": file.header_row,
        "firstDataRow": file.first_data_row,
        "decimalSeparator": ".",
        "headerNames": list(file.header_names),
        "columnCount": len(file.header_names),
    }
    return {"name": action.name, "type": "FILE", "source": source}


def _export_metadata(model: Model, action: ExportAction) -> dict[str, Any]:
    module = model.modules[action.module]
    entities = ["TIME_ENTITY" if dimension is module.time else "ENTITY" for dimension in module.dimensions]
    header = header_of(action, module)
    return {
        "columnCount": len(header),
        "dataTypes": entities + ["TEXT" if name in module.texts else "NUMBER" for name in action.items],
        "delimiter": '"',
        "encoding": "UTF-8",
        "exportFormat": "text/csv",
        "headerNames": header,
        "listNames": [dimension.name for dimension in module.dimensions] + [""] * len(action.items),
        "rowCount": max((len(module.written(name)) for name in (*module.inputs, *module.texts)), default=0),
        "separator": ",",
        "layout": LAYOUT,
    }


def _process_metadata(call: Call, action: Process) -> dict[str, Any]:
    steps = []
    for step in (one for step_id in action.steps for one in call.model.built if one.id == step_id):
        body = {**action_json(step)}
        if isinstance(step, ImportAction | ListImport):
            body["actionType"] = "IMPORT"
            if call.request.query_params.get("showImportDataSource") == "true":
                body["importDataSource"] = {"importDataSourceId": step.file, "type": "FILE"}
        elif isinstance(step, ExportAction):
            body["actionType"] = "EXPORT"
        steps.append(body)
    return {"name": action.name, "actions": steps}


def start_task(call: Call) -> Response:
    """Start an action. There is no idempotency key: a repeated call starts a second task."""
    body = call.json()
    if body.get("localeName") != "en_US":
        raise RefusedError(400, "localeName is missing or not en_US")
    asked = body.get("mappingParameters", [])
    if not isinstance(asked, list):
        raise RefusedError(400, "mappingParameters is not a list")
    action, model = _action(call), call.model
    objection = objection_to(model, action, asked)
    if objection and call.switches["mapping_refusal"] == "400":
        raise RefusedError(400, objection)
    if not isinstance(action, ExportAction):
        require_unlocked(call, model)
    if call.switches["busy_start"] == "409" and model.queue.waiting:
        raise RefusedError(409)
    task = call.tenant.start(model, _kind(call), action, call.user.id, call.token.id, asked)
    if call.switches["no_envelope_task"]:
        return JSONResponse({"taskId": task.id})
    summary = {"taskId": task.id, "taskState": "NOT_STARTED", "creationTime": milliseconds(task.created_at)}
    return enveloped(call.request, "task", task=summary)


def list_tasks(call: Call) -> Response:
    """Everybody's tasks of one action; an unknown action has an empty list, not 404 [S]."""
    tasks = call.model.queue.of(_kind(call), call.param("a"))
    rows = [
        {"taskId": task.id, "taskState": task.state(call.now), "creationTime": milliseconds(task.created_at)}
        for task in tasks
    ]
    return page(
        call.request, "task", "tasks", _tasks_ordered(rows, call.request.query_params.get("sort", "")), cap=_cap(call)
    )


def _tasks_ordered(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    field = {"creationDate": "creationTime"}.get(sort.lstrip("+- "), sort.lstrip("+- "))
    if not rows or field not in rows[0]:
        return rows
    return sorted(rows, key=lambda row: row[field], reverse=sort.startswith("-"))


def no_tasks(call: Call) -> Response:
    """What a role without access sees."""
    return page(call.request, "task", "tasks", [], cap=_cap(call))


def show_task(call: Call) -> Response:
    """The state of a task, and its result once it has ended."""
    return enveloped(call.request, "task", task=_task_json(call, _task(call)))


def cancel_task(call: Call) -> Response:
    """Ask a task to stop; it may go on to its end."""
    task = _task(call)
    if call.switches["cancel"] == "ok":
        call.model.queue.cancel(task, call.user.email, call.now, call.switches["cancel_seconds"])
    return enveloped(call.request, "task", task=_task_json(call, task))


def _task_json(call: Call, task: Task) -> dict[str, Any]:
    state = task.state(call.now)
    body: dict[str, Any] = {
        "type": "taskInformation",
        "taskId": task.id,
        "taskState": state,
        "currentStep": _step(state),
        "progress": task.progress(call.now),
        "creationTime": milliseconds(task.created_at),
    }
    if task.cancelled_by:
        body["cancelledBy"] = task.cancelled_by
    if state in ("COMPLETE", "CANCELLED") and task.ending and task.ending.result:
        body["result"] = _timed(call, task, task.ending.result)
        if state == "COMPLETE" and not task.ending.result["successful"]:
            body["currentStep"] = call.switches["failed_step"]
    return body


def _step(state: str) -> str:
    return {"COMPLETE": "Complete.", "CANCELLED": "Cancelled.", "NOT_STARTED": "Pending."}.get(state, "Processing ...")


def _timed(call: Call, task: Task, result: dict[str, Any]) -> dict[str, Any]:
    """With `includeProcessDetails=true` each step of a process says when it started and how long it took."""
    asked = call.request.query_params.get("includeProcessDetails") == "true"
    if not asked or "nestedResults" not in result or task.started_at is None:
        return result
    timing = {"startTime": milliseconds(task.started_at), "duration": round(task.work_seconds * 1000)}
    return {**result, "nestedResults": [{**step, **timing} for step in result["nestedResults"]]}


# -- dumps ------------------------------------------------------------------------------------------------------------


def dump_whole(call: Call) -> Response:
    """The whole dump."""
    return binary(_dump(call), "text/plain")


def dump_chunks(call: Call) -> Response:
    """The list of its chunks."""
    return chunk_page(call, len(_dump_chunks(call)))


def dump_chunk(call: Call) -> Response:
    """One chunk of it."""
    return binary(pick_chunk(_dump_chunks(call), call.param("n")), "text/plain")


def _dump(call: Call) -> bytes:
    """The dump, if the caller's own latest failing task made it no longer than 48 hours ago; 404 otherwise [S]."""
    if call.switches["dump_fetch"] != "ok":
        raise RefusedError(int(call.switches["dump_fetch"]))
    model, task = call.model, _task(call)
    key = (call.user.id, str(call.request.path_params.get("o", task.action)))
    dump = model.dumps.get(key)
    if dump is None or dump.task != task.id or _expired(dump.touched_at, call.now):
        raise RefusedError(404)
    dump.touched_at = call.now
    return dump.content


def _dump_chunks(call: Call) -> list[bytes]:
    content, size = _dump(call), call.switches["dump_chunk_bytes"]
    return [content[start : start + size] for start in range(0, len(content), size)]


def _expired(touched_at: datetime, now: datetime) -> bool:
    return now - touched_at >= PRIVATE_LIFE


def _cap(call: Call) -> int:
    return int(call.switches["page_cap"])


def _kind(call: Call) -> str:
    """imports, exports, processes or actions: the part of the path after the model."""
    return call.request.url.path.split(f"/models/{call.param('m')}/")[1].split("/")[0]


def _action(call: Call) -> Action:
    action = call.model.action(_kind(call), call.param("a"))
    if action is None:
        raise RefusedError(404)
    return action


def _task(call: Call) -> Task:
    task = call.model.queue.find(_kind(call), call.param("a"), call.param("t"))
    if task is None:
        raise RefusedError(404)
    return task


def _rules(kind: str) -> list[Rule]:
    task = f"/{kind}/{{a}}/tasks/{{t}}"
    dumps = ["/dumps/{o}"] + (["/dump"] if kind == "imports" else [])
    return [
        Rule("GET", f"/{kind}", list_actions),
        Rule("GET", f"/{kind}/{{a}}", show_action),
        Rule("POST", f"/{kind}/{{a}}/tasks", start_task),
        Rule("GET", f"/{kind}/{{a}}/tasks", list_tasks, empty_when_hidden=no_tasks),
        Rule("GET", task, show_task),
        Rule("DELETE", task, cancel_task),
        *[Rule("GET", task + dump, dump_whole) for dump in dumps],
        *[Rule("GET", f"{task}{dump}/chunks", dump_chunks) for dump in dumps],
        *[Rule("GET", f"{task}{dump}/chunks/{{n}}", dump_chunk) for dump in dumps],
    ]


RULES = [rule for kind in KINDS for rule in _rules(kind)]
