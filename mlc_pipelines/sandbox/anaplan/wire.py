"""The envelope around every answer of the integration API, pages, and errors. Reference: anaplan 1.4, 1.5 [S]."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

DEFAULT_PAGE = 5000
BINARY = "application/octet-stream"


class RefusedError(Exception):
    """The call is answered with an error status."""

    def __init__(self, status: int, message: str = "") -> None:
        """Without a message, the usual phrase for the status."""
        super().__init__(status, message)
        self.status, self.message = status, message or HTTPStatus(status).phrase


def error_response(refused: RefusedError, path: str, now: datetime) -> JSONResponse:
    """The error body."""
    status = {"code": refused.status, "message": refused.message}
    timestamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    return JSONResponse({"status": status, "path": path, "timestamp": timestamp}, refused.status)


def enveloped(request: Request, schema: str, **body: Any) -> JSONResponse:
    """A single object in the envelope."""
    meta = {"schema": f"{request.url.scheme}://{request.url.netloc}/2/0/objects/{schema}"}
    return JSONResponse({"meta": meta, "status": {"code": 200, "message": "Success"}, **body})


def page(
    request: Request,
    schema: str,
    key: str,
    rows: list[dict[str, Any]],
    *,
    cap: int,
    keep_empty: bool = True,
    default: int = DEFAULT_PAGE,
) -> JSONResponse:
    """One page of a collection; `keep_empty` false leaves the key out when there is nothing [S].

    `default` is the length of a page when the caller names none.
    """
    offset, limit = _number(request.query_params, "offset", 0), _number(request.query_params, "limit", default)
    shown = rows[offset : offset + min(limit, cap)]
    paging: dict[str, Any] = {"currentPageSize": len(shown), "offset": offset, "totalSize": len(rows)}
    if offset + len(shown) < len(rows):
        paging["next"] = str(request.url.include_query_params(limit=limit, offset=offset + len(shown)))
    if offset > 0:
        paging["previous"] = str(request.url.include_query_params(limit=limit, offset=max(offset - limit, 0)))
    meta = {"schema": f"{request.url.scheme}://{request.url.netloc}/2/0/objects/{schema}", "paging": paging}
    body = {key: shown} if shown or keep_empty else {}
    return JSONResponse({"meta": meta, "status": {"code": 200, "message": "Success"}, **body})


def _number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise RefusedError(400, f"Invalid {name}: {text}")
    return int(text)


def ordered(rows: list[dict[str, Any]], query: QueryParams, *, strict: bool = False) -> list[dict[str, Any]]:
    """Rows sorted as `sort=+name` asks; strict lists want the prefix and a known field, others take anything [S]."""
    sort = query.get("sort", "")
    if not sort:
        return rows
    field = sort.lstrip("+- ")
    known = bool(rows) and field in rows[0]
    if strict and (sort[0] not in "+- " or (rows and not known)):
        raise RefusedError(400, f"Invalid sort: {sort}")
    return sorted(rows, key=lambda row: str(row[field]), reverse=sort.startswith("-")) if known else rows


def binary(content: bytes, media_type: str = BINARY) -> Response:
    """File content."""
    return Response(content, media_type=media_type)


def csv_table(rows: Iterable[Sequence[str]], *, quote_all: bool = False) -> bytes:
    """Rows as CSV in UTF-8, quoted where it is needed."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerows(rows)
    return stream.getvalue().encode()


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)
