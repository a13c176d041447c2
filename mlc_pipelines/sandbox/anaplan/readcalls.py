"""Large reads: a view or a list as pages of CSV that are made in the background. Reference: anaplan 9 [S]."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.gate import Call, Rule
from mlc_pipelines.sandbox.anaplan.grid import TABLES
from mlc_pipelines.sandbox.anaplan.listcalls import list_table, the_list
from mlc_pipelines.sandbox.anaplan.reads import TIMER_PAGES, ReadRequest
from mlc_pipelines.sandbox.anaplan.viewcalls import the_layout
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, binary, csv_table, enveloped


def start_view_read(call: Call) -> Response:
    """A large read of a view, in one of the layouts of exports."""
    kind = call.json().get("exportType") if call.body else "GRID_ALL_PAGES"
    if kind not in TABLES:
        raise RefusedError(400, f"Invalid exportType: {kind}")
    layout = the_layout(call)
    if kind == "GRID_CURRENT_PAGE":
        layout = layout.on_page({})
    return _start(call, "view", call.param("v"), TABLES[kind](layout))


def start_list_read(call: Call) -> Response:
    """A large read of a list."""
    target = the_list(call)
    return _start(call, "list", target.id, iter(list_table(target)))


def _start(call: Call, kind: str, subject: str, rows: Iterator[Sequence[str]]) -> Response:
    if call.switches["read_requests_admin"] and not call.user.admin:
        raise RefusedError(403)
    model, now = call.model, call.now
    ready_at = now + timedelta(seconds=call.switches["read_request_seconds"])
    request_id = hashlib.sha256(f"{model.id} read {len(model.reads) + 1}".encode()).hexdigest()[:32].upper()
    good = call.switches["read_request_ends"] == "COMPLETE"
    read = ReadRequest(request_id, kind, subject, _pages(call, rows), now, ready_at, good, now)
    model.reads[read.id] = read
    return _answer(call, read, status=False)


def _pages(call: Call, rows: Iterator[Sequence[str]]) -> list[bytes]:
    """The header stands on the first page, or on every one."""
    head, size, every = next(rows, []), call.switches["read_page_rows"], call.switches["read_page_header"] == "every"
    pages = [csv_table([head, *islice(rows, size)])]
    while part := list(islice(rows, size)):
        pages.append(csv_table([head, *part] if every else part))
    return pages


def show_read(call: Call) -> Response:
    """How far it is."""
    return _answer(call, _read(call))


def get_page(call: Call) -> Response:
    """One page, counted from 0."""
    read, number = _read(call), call.param("n")
    if read.cancelled or not number.isdigit() or int(number) >= read.available(call.now):
        raise RefusedError(404)
    if int(number) % TIMER_PAGES == 0:
        read.touched_at = call.now
    return binary(read.pages[int(number)], "text/csv")


def delete_read(call: Call) -> Response:
    """Stop it, or clear its pages away."""
    read = _read(call)
    done = read.state(call.now) == "COMPLETE"
    read.cancelled, read.pages = True, []
    return _answer(call, read, state="COMPLETE" if done else "CANCELLED")


def _answer(call: Call, read: ReadRequest, *, state: str = "", status: bool = True) -> Response:
    root = str(call.request.url).split("?")[0].rstrip("/").split("/readRequests")[0]
    body: dict[str, Any] = {
        "requestId": read.id,
        "requestState": state or read.state(call.now),
        "url": f"{root}/readRequests/{read.id}",
    }
    if status:
        finished = body["requestState"] == "COMPLETE"
        body |= {
            f"{read.kind}Id": int(read.subject),
            "availablePages": 0 if read.cancelled else read.available(call.now),
            "successful": finished and read.good,
        }
    schema = f"{read.kind}ReadRequest"
    return enveloped(call.request, schema, **{schema: body})


def _read(call: Call) -> ReadRequest:
    """The request in the path, under the view or list that it was made for."""
    read = call.model.reads.get(call.param("r"))
    subject = call.request.path_params.get("v") or call.request.path_params.get("l")
    if read is None or read.subject != subject:
        raise RefusedError(404)
    return read


def _rules(place: str, start: Callable[[Call], Response]) -> list[Rule]:
    one = f"{place}/readRequests/{{r}}"
    return [
        Rule("POST", f"{place}/readRequests", start, waits=True),
        Rule("GET", one, show_read),
        Rule("DELETE", one, delete_read),
        Rule("GET", f"{one}/pages/{{n}}", get_page),
    ]


RULES = [*_rules("/views/{v}", start_view_read), *_rules("/lists/{l}", start_list_read)]
