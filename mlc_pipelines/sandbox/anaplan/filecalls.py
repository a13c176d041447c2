"""Uploads and downloads. Reference: anaplan 4 [S]."""

import gzip
import zlib
from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.files import CHUNK_BYTES_MAX, CHUNKS_MAX, DataFile
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, binary, enveloped, ordered, page


def file_json(file: DataFile, chunk_count: int) -> dict[str, Any]:
    """A file as the list shows it."""
    return {
        "id": file.id,
        "name": file.name,
        "chunkCount": chunk_count,
        "delimiter": file.delimiter,
        "encoding": file.encoding,
        "firstDataRow": file.first_data_row,
        "format": "txt",
        "headerRow": file.header_row,
        "separator": file.separator,
    }


def list_files(call: Call) -> Response:
    """Import sources and export outputs."""
    rows = [file_json(file, file.chunk_count(call.user.id, call.now)) for file in call.model.files.values()]
    return page(call.request, "file", "files", ordered(rows, call.request.query_params), cap=call.switches["page_cap"])


def announce(call: Call) -> Response:
    """Say how many chunks will come, -1 for "not known". An unknown id makes a new file with another id [C]."""
    count = call.json().get("chunkCount")
    if not isinstance(count, int) or isinstance(count, bool) or not -1 <= count <= CHUNKS_MAX:
        raise RefusedError(400, "Invalid chunkCount")
    model = call.model
    file = model.files.get(call.param("f"))
    if file is None:
        newest = max(int(one) for one in model.files if one.startswith("113"))
        file = DataFile(str(newest + 1), str(call.json().get("name", call.param("f"))))
        model.files[file.id] = file
    file.announce(call.user.id, count, call.now)
    call.tenant.evidence.begin(model.id, file.id, call.user.id, call.token.id, call.now)
    echo = {"sent": count, "zero": 0, "one": 1}[call.switches["chunk_echo"]]
    return enveloped(call.request, "file", file=file_json(file, echo))


def put_chunk(call: Call) -> Response:
    """Store one chunk, raw or gzipped on its own."""
    content, number = call.body, call.param("n")
    if "gzip" in call.request.headers.get("content-type", ""):
        content = _unzipped(content)
    if len(content) > CHUNK_BYTES_MAX:
        raise RefusedError(400, "A chunk holds at most 50 MB")
    file = _file(call)
    if not number.isdigit() or not file.put(call.user.id, int(number), content, call.now):
        raise RefusedError(400, f"No upload was announced that has a chunk {number}")
    _note(call, file, chunks=1)
    return Response(status_code=204)


def complete(call: Call) -> Response:
    """End an upload of an unknown number of chunks."""
    file = _file(call)
    if not file.finish(call.user.id, call.now):
        raise RefusedError(400, "There is no upload to complete")
    _note(call, file, chunks=0)
    return enveloped(call.request, "file", file=file_json(file, file.chunk_count(call.user.id, call.now)))


def put_whole(call: Call) -> Response:
    """Store a small file in one call, uncompressed. With a default version the count must be announced first."""
    file = _file(call)
    if file.default is not None and file.of(call.user.id, call.now) is None:
        raise RefusedError(400, "Set the chunk count first: the file has a default version")
    file.replace(call.user.id, [call.body], call.now)
    call.tenant.evidence.begin(call.model.id, file.id, call.user.id, call.token.id, call.now)
    return Response(status_code=204)


def list_chunks(call: Call) -> Response:
    """The chunks that this user sees; no key at all when there are none."""
    return chunk_page(call, len(_chunks(call)))


def chunk_page(call: Call, count: int) -> Response:
    """A list of so many chunks."""
    rows = [{"id": str(number), "name": f"Chunk {number}"} for number in range(count)]
    return page(call.request, "chunk", "chunks", rows, cap=call.switches["page_cap"], keep_empty=False)


def get_chunk(call: Call) -> Response:
    """One chunk."""
    return binary(pick_chunk(_chunks(call), call.param("n")))


def pick_chunk(chunks: list[bytes], number: str) -> bytes:
    """The chunk of this number, or 404."""
    if not number.isdigit() or int(number) >= len(chunks):
        raise RefusedError(404)
    return chunks[int(number)]


def get_whole(call: Call) -> Response:
    """The whole file; 404 when it is empty."""
    chunks = _chunks(call)
    if not chunks:
        raise RefusedError(404)
    return binary(b"".join(chunks))


def delete(call: Call) -> Response:
    """Remove the caller's private content."""
    _file(call).private.pop(call.user.id, None)
    return Response(status_code=204)


def _file(call: Call) -> DataFile:
    file = call.model.files.get(call.param("f"))
    if file is None:
        raise RefusedError(404)
    return file


def _chunks(call: Call) -> list[bytes]:
    return _file(call).chunks(call.user.id, call.now, call.switches["unfinished_upload"])


def _note(call: Call, file: DataFile, *, chunks: int) -> None:
    call.tenant.evidence.touch(call.model.id, file.id, call.user.id, call.token.id, call.now, chunks=chunks)


def _unzipped(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedError(400, f"The chunk is not gzip: {error}") from error


RULES = [
    Rule("GET", "/files", list_files, waits=True),
    Rule("POST", "/files/{f}", announce, files=True),
    Rule("PUT", "/files/{f}", put_whole, files=True),
    Rule("GET", "/files/{f}", get_whole, files=True),
    Rule("DELETE", "/files/{f}", delete, files=True),
    Rule("POST", "/files/{f}/complete", complete, files=True),
    Rule("GET", "/files/{f}/chunks", list_chunks, files=True),
    Rule("PUT", "/files/{f}/chunks/{n}", put_chunk, files=True),
    Rule("GET", "/files/{f}/chunks/{n}", get_chunk, files=True),
]
