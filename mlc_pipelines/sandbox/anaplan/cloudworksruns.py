"""Runs of CloudWorks: start and cancel them, their history and their errors. Reference: anaplan 10 [S]."""

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.cloudworks import TYPES, Integration, Run
from mlc_pipelines.sandbox.anaplan.cloudworkswire import enveloped, integration_of, run_json, slice_of
from mlc_pipelines.sandbox.anaplan.gate import Call
from mlc_pipelines.sandbox.anaplan.wire import RefusedError


def start_run(call: Call) -> Response:
    """Start a job now; 409 while it runs. Another job of the same model is no obstacle: its task is queued [I]."""
    integration = integration_of(call)
    if integration.running() is not None:
        raise RefusedError(409, "Integration is already running")
    seconds = call.switches["cloudworks_job_seconds"]
    run = call.tenant.cloudworks.run(
        integration, call.user, trigger="manual", seconds=seconds, ends="success", at=call.now
    )
    return enveloped(run={"id": run.id})


def cancel_run(call: Call) -> Response:
    """Stop it; 409 when it does not run."""
    run = integration_of(call).running()
    if run is None:
        raise RefusedError(409, "Integration is not running")
    model = integration_of(call).model
    model.queue.cancel(run.task, call.user.email, call.now, call.switches["cancel_seconds"])
    return enveloped(run={"id": run.id})


def list_runs(call: Call) -> Response:
    """The history of one integration, newest first."""
    integration, query = integration_of(call), call.request.query_params
    if call.switches["cloudworks_run_paging"] == "required" and not {"offset", "limit"} <= set(query):
        raise RefusedError(400, "offset and limit are required")
    rows = [
        {"id": run.id, "lastRun": int(run.task.created_at.timestamp()), "traceId": run.trace, **run_json(run)}
        for run in reversed(integration.runs)
    ]
    shown = slice_of(call, rows)
    history = {"integrationId": integration.id, "totalRuns": len(rows), **({"runs": shown} if shown else {})}
    return enveloped(history_of_runs=history)


def show_run(call: Call) -> Response:
    """One run."""
    integration, run = _run(call)
    return enveloped(run={"id": run.id, "integrationId": integration.id, "traceId": run.trace, **run_json(run)})


def show_run_error(call: Call) -> Response:
    """What went wrong in a run; an empty object when nothing did."""
    integration, run = _run(call)
    successful, code = run.outcome()
    if run.task.ending is None or (successful and code is None):
        return enveloped(runs={})
    action = integration.model.action(TYPES[integration.type], integration.action)
    message = {
        "actionId": integration.action,
        "actionName": action.name if action else "",
        "errorMessage": [{"localMessageText": run.message()}],
        "failureDumpGenerated": False,
    }
    return enveloped(runs={"taskId": run.task.id, "errorMessages": [message]})


def show_dump(call: Call) -> Response:
    """The rows that a run refused; a run that takes its time and no rows has none: JSON 404 [S]."""
    _run(call)
    raise RefusedError(404, "No dump was found for this run")


def _run(call: Call) -> tuple[Integration, Run]:
    found = call.tenant.cloudworks.find_run(call.param("r"))
    if found is None:
        raise RefusedError(404, "Run not found")
    return found
