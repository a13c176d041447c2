"""Rows of a large JSON array, block by block, so that memory does not grow with the answer.

Some systems answer a whole period in one body without paging. The body is downloaded first (so it is complete before any row
is used) and then decoded a few megabytes at a time: a block may end only where its records decode as a whole array, so a
bracket inside a text can never be mistaken for the end of a record.
"""

import mmap
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from mlc_pipelines.ledger.errors import DataError

T = TypeVar("T")

BLOCK_BYTES = 4 << 20
_LARGEST_BLOCK_BYTES = 64 << 20
_TRIES = 16
_NEAR_BYTES = 4 << 10
_BETWEEN = re.compile(rb"\}\s*,\s*\{")
_ARRAY_END = re.compile(rb"\]")


def read_rows(
    path: Path,
    decode: Callable[[bytes], Sequence[T]],
    *,
    member: str = "",
    what: str = "the answer",
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Sequence[T]]:
    """The records of the array in a JSON file, in order, a block at a time.

    member: the name of the array inside the top-level object, or "" when the file itself is the array.
    decode: bytes of a JSON array to its records; raises msgspec.MsgspecError on anything it does not accept.
    Raises DataError, naming the first record of the block at fault, on a record or an envelope that does not decode.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise DataError(f"{what} is empty.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body, memoryview(body) as view:
            yield from _blocks(body, lambda start, end: decode(array_of(view[start:end])), member, what, block_bytes)


def rows_in(
    body: bytes,
    decode: Callable[[memoryview], Sequence[T]],
    *,
    member: str = "",
    what: str = "the answer",
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Sequence[T]]:
    """The same of an answer that is in memory, where small blocks pay: rows that fit into the processor's cache cost half as much [measured].

    decode: what stands between the brackets of an array, where it lies in the answer; `array_of` puts brackets around it.
    """
    with memoryview(body) as view:
        yield from _blocks(body, lambda start, end: decode(view[start:end]), member, what, block_bytes)


def array_of(records: memoryview) -> bytes:
    """A JSON array of these records."""
    return b"".join((b"[", records, b"]"))


def _blocks(
    body: mmap.mmap | bytes,
    decode: Callable[[int, int], Sequence[T]],
    member: str,
    what: str,
    block_bytes: int,
) -> Iterator[Sequence[T]]:
    start = at = _array_start(body, member, what)
    done = 0
    while True:
        size = block_bytes
        while True:  # a record larger than a block is met with ever larger ones
            last = at + size >= len(body)
            mark = _ARRAY_END if last else _BETWEEN
            records, end, problem = _longest_whole(body, at, min(at + size, len(body)), decode, mark)
            if problem is None or last or size >= _LARGEST_BLOCK_BYTES:
                break
            size *= 2
        if problem is not None:
            raise DataError(
                f"{what} holds a record that cannot be read, among those from record {done + 1:,} on: {problem}."
            ) from None
        yield records
        done += len(records)
        if last:
            _require_envelope(body[:start] + b"]" + body[end + 1 :], member, what)
            return
        at = body.find(b"{", end)
        if isinstance(body, mmap.mmap):
            body.madvise(mmap.MADV_DONTNEED, 0, at // mmap.PAGESIZE * mmap.PAGESIZE)


def _array_start(body: mmap.mmap | bytes, member: str, what: str) -> int:
    """Position just after the opening bracket of the array."""
    opening = re.compile(rb'"%s"\s*:\s*\[' % re.escape(member.encode()) if member else rb"\A\s*\[")
    if not (match := opening.search(body)):
        raise DataError(f"{what} has no list of {member or 'records'}: {body[:200].decode('utf-8', 'replace')}")
    return match.end()


def _longest_whole(
    body: mmap.mmap | bytes,
    start: int,
    limit: int,
    decode: Callable[[int, int], Sequence[T]],
    mark: re.Pattern[bytes],
) -> tuple[Sequence[T], int, msgspec.MsgspecError | None]:
    """The records from start up to the last mark before limit at which they are a whole array, where that is, or why there are none."""
    problem: msgspec.MsgspecError | None = msgspec.DecodeError("the list is cut off")
    first: msgspec.MsgspecError | None = None
    for position in islice(_marks_backwards(body, start, limit, mark), _TRIES):
        end = position if mark is _ARRAY_END else position + 1
        try:
            return decode(start, end), end, None
        except msgspec.MsgspecError as error:
            first = _plainest(first, error)
    return [], start, first or problem


def _marks_backwards(body: mmap.mmap | bytes, start: int, limit: int, mark: re.Pattern[bytes]) -> Iterator[int]:
    """Where the mark stands, last one first; usually one is near the end, so all of the rest is looked through only if need be."""
    near = max(start, limit - _NEAR_BYTES)
    found = [match.start() for match in mark.finditer(body, near, limit)]
    yield from reversed(found or [match.start() for match in mark.finditer(body, start, limit)])


def _plainest(kept: msgspec.MsgspecError | None, error: msgspec.MsgspecError) -> msgspec.MsgspecError:
    """Of the refusals met while looking for a block's end, a complaint about a value says more than one about a cut."""
    return (
        error
        if kept is None
        or (isinstance(error, msgspec.ValidationError) and not isinstance(kept, msgspec.ValidationError))
        else kept
    )


def _require_envelope(envelope: bytes, member: str, what: str) -> None:
    """What stands around the list must be whole JSON, with that list and no other in the member's place."""
    try:
        said = msgspec.json.decode(envelope)
    except msgspec.DecodeError as error:
        raise DataError(f"{what} is not whole JSON around its list ({error}).") from None
    if (said.get(member) if member and isinstance(said, dict) else said) != []:
        raise DataError(f"{what} has another list of {member or 'records'} beside the one that was read.")
