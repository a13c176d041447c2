"""What the answers of CloudWorks are made of: envelope, pages, a run as it is shown. Reference: anaplan 10 [S]."""

from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_pipelines.sandbox.anaplan.cloudworks import Integration, Run
from mlc_pipelines.sandbox.anaplan.gate import Call
from mlc_pipelines.sandbox.anaplan.wire import RefusedError

DEFAULT_PAGE = 25


def integration_of(call: Call) -> Integration:
    """The integration in the path, or 404."""
    found = call.tenant.cloudworks.integrations.get(call.param("i"))
    if found is None:
        raise RefusedError(404, "Integration not found")
    return found


def run_json(run: Run) -> dict[str, Any]:
    """A run as it stands in lists and in `latestRun`; without an end while it goes on."""
    successful, code = run.outcome()
    body: dict[str, Any] = {
        "triggeredBy": run.triggered_by,
        "startDate": iso(run.task.created_at),
        "success": successful,
        "message": run.message(),
        "executionErrorCode": code,
        "triggerSource": run.trigger,
    }
    if run.task.ended_at is not None and run.task.ending is not None:
        body["endDate"] = iso(run.task.ended_at)
    return body


def page_of(call: Call, key: str, rows: list[dict[str, Any]], **counts: int) -> Response:
    """One page of a list; `counts` stand beside the paging."""
    shown, offset = slice_of(call, rows), number_of(call, "offset", 0)
    paging = {"currentPageSize": len(shown), "totalSize": len(rows), "offset": offset}
    return enveloped({"paging": paging, **counts}, **{key: shown})


def slice_of(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that offset and limit ask for."""
    offset, limit = number_of(call, "offset", 0), number_of(call, "limit", DEFAULT_PAGE)
    return rows[offset : offset + limit]


def number_of(call: Call, name: str, default: int) -> int:
    """A number in the query; 400 when it is none."""
    text = call.request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise RefusedError(400, f"Invalid {name}: {text}")
    return int(text)


def enveloped(meta: dict[str, Any] | None = None, **body: Any) -> Response:
    """The envelope, which begins with the status."""
    return JSONResponse({"status": {"code": 200, "message": "Success"}, "meta": meta or {}, **body})


def iso(at: datetime) -> str:
    """An instant as CloudWorks writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
