"""Where a CSV file may be cut: at the end of a record, never inside a quoted text; and how large its chunks must be."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mlc_pipelines.ledger.errors import DataError

CHUNKS_MAX = 1000  # [S HELP-chunks]
CHUNK_BYTES_MAX = 50_000_000  # uncompressed [S HELP-chunks]
_REACH = 1 << 16  # how far before the end of a chunk a line end is looked for
_BLOCK = 1 << 22
_QUOTE, _NEWLINE = b'"', b"\n"


def fitting(path: Path, chunk_bytes: int) -> int:
    """The size of a chunk with which the file keeps within a thousand chunks: as asked for, or larger for a large file.

    Raises DataError for a file that does not fit into a thousand chunks of 50 MB.
    """
    size = path.stat().st_size
    if size <= CHUNKS_MAX * (chunk_bytes - _reach(chunk_bytes)):
        return chunk_bytes
    needed = -(-size // CHUNKS_MAX) + _REACH
    if needed > CHUNK_BYTES_MAX:
        raise DataError(
            f"The file to load is too large: it has {size:,} bytes, and Anaplan takes {CHUNKS_MAX:,} chunks of at most {CHUNK_BYTES_MAX:,}.",
            holds="Nothing was sent.",
            next_step="Load fewer periods or members at once.",
        )
    return needed


def cut(path: Path, chunk_bytes: int) -> Iterator[memoryview]:
    """Pieces of at most chunk_bytes, without a copy; together exactly the file. Each ends with a record, except where a record is longer than 64 kB.

    Such a one is cut anywhere, as other clients always do: the server joins the bytes [C SDK, ORM, apapi].
    Raises DataError, once the last piece was handed out, for a file that ends inside a quoted text.
    """
    rest, quotes = memoryview(b""), 0
    with path.open("rb") as file:
        while block := _filled(file, rest, chunk_bytes):
            whole = len(block) == chunk_bytes
            end, quotes = _record_end(block, quotes) if whole else (len(block), quotes + block.count(_QUOTE))
            piece, rest = memoryview(block)[:end], memoryview(block)[end:]
            yield piece
    if quotes % 2:
        raise DataError(
            f"The file {path.name} ends inside a quoted text: one that begins in line {_open_line(path)} is never closed.",
            holds="Nothing was loaded.",
            next_step="Close the text with a quotation mark, and double every mark within it.",
        )


def _filled(file: BinaryIO, rest: memoryview, size: int) -> bytearray:
    """The rest of the piece before and as much of the file as makes up the size; no more memory than the file has bytes."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    block = bytearray(min(size, len(rest) + left))
    block[: len(rest)] = rest
    with memoryview(block) as view:
        read, at = -1, len(rest)
        while read and at < len(block):
            read = file.readinto(view[at:])  # type: ignore[attr-defined]
            at += read
    del block[at:]
    return block


def _reach(chunk_bytes: int) -> int:
    return min(_REACH, chunk_bytes // 2)


def _record_end(block: bytearray, quotes: int) -> tuple[int, int]:
    """Where the last record in the block ends, and the quotation marks up to there; quotes: those before the block.

    A line end with an odd number of marks before it lies inside a quoted text. Without an end in reach the block is taken whole.
    """
    start, end = len(block) - _reach(len(block)), len(block)
    counted = total = quotes + block.count(_QUOTE)
    while line_end := block.rfind(_NEWLINE, start, end) + 1:
        counted -= block.count(_QUOTE, line_end, len(block) if end == len(block) else end)
        if not counted % 2:
            return line_end, counted
        end = line_end - 1
    return len(block), total


def _open_line(path: Path) -> int:
    """The line, from 1, of the last quotation mark that opens a text: in a file with an odd number of them, the one left open."""
    line, opened, inside = 1, 0, False
    for block in _blocks(path):
        for part in block.split(_QUOTE)[:-1]:
            line += part.count(_NEWLINE)
            inside = not inside
            opened = line if inside else opened
        line += block.rpartition(_QUOTE)[2].count(_NEWLINE)
    return opened


def count_records(path: Path) -> int:
    """Records of a CSV file, the header among them. Line ends inside a quoted text do not count, nor do empty lines at the end."""
    import numpy as np

    ends, inside, tail = 0, 0, b""
    for block in _blocks(path):
        letters = np.frombuffer(block, dtype=np.uint8)
        quoted = (np.cumsum(letters == _QUOTE[0], dtype=np.uint8) + np.uint8(inside)) & 1
        ends += int(np.count_nonzero((letters == _NEWLINE[0]) & (quoted == 0)))
        inside, tail = int(quoted[-1]), (tail + block)[-_REACH:]
    if not tail.strip():
        return 0
    after_last_record = tail[len(tail.rstrip(b"\r\n")) :].count(_NEWLINE)
    return ends - after_last_record + 1


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
