"""Files of a model: per user, in chunks, with a shared default behind them.

An upload always makes a private file that only this user's imports read. It is dropped 48 hours after its last use, and
then the default is used without a word, if there is one. Nothing locks a file. Reference: anaplan 4 [S].
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

PRIVATE_LIFE = timedelta(hours=48)
CHUNKS_MAX = 1000
CHUNK_BYTES_MAX = 50_000_000


@dataclass(slots=True)
class PrivateFile:
    """What one user uploaded. `declared` is the announced number of chunks, -1 when it was left open."""

    declared: int
    touched_at: datetime
    chunks: dict[int, bytes] = field(default_factory=dict)
    complete: bool = False

    @property
    def content(self) -> bytes:
        """The chunks that are there, in the order of their numbers: a missing one leaves a hole, not an error."""
        return b"".join(self.chunks[number] for number in sorted(self.chunks))

    def readable(self, unfinished: str) -> bool:
        """Whether an import would read it. A count of 0 leaves a file unreadable [C anaplan-sdk tests]."""
        if self.declared == -1 and not self.complete and unfinished == "hidden":
            return False
        return bool(self.chunks)


@dataclass(slots=True)
class DataFile:
    """A data source of imports (113...) or the output of an export (116...)."""

    id: str
    name: str
    header_names: tuple[str, ...] = ()
    separator: str = ","
    delimiter: str = '"'
    encoding: str = "UTF-8"
    header_row: int = 1
    first_data_row: int = 2
    default: bytes | None = None
    private: dict[str, PrivateFile] = field(default_factory=dict)

    def announce(self, user: str, chunks: int, at: datetime) -> None:
        """Start a new upload; what the user had before is gone."""
        self.private[user] = PrivateFile(chunks, at)

    def put(self, user: str, number: int, content: bytes, at: datetime) -> bool:
        """Store one chunk; False when no upload with room for it was announced."""
        mine = self.of(user, at)
        if mine is None or not 0 <= number < (mine.declared if mine.declared >= 0 else CHUNKS_MAX):
            return False
        mine.chunks[number], mine.touched_at = content, at
        return True

    def replace(self, user: str, chunks: list[bytes], at: datetime) -> None:
        """Put a whole file in place at once."""
        self.private[user] = PrivateFile(len(chunks), at, dict(enumerate(chunks)), complete=True)

    def finish(self, user: str, at: datetime) -> bool:
        """Mark an upload as complete; False when there is none."""
        mine = self.of(user, at)
        if mine is None:
            return False
        mine.complete, mine.touched_at = True, at
        return True

    def of(self, user: str, at: datetime) -> PrivateFile | None:
        """The user's private file, unless it has expired by then."""
        mine = self.private.get(user)
        if mine and at - mine.touched_at >= PRIVATE_LIFE:
            del self.private[user]
            return None
        return mine

    def chunks(self, user: str, at: datetime, unfinished: str) -> list[bytes]:
        """What this user would read, in order: the private file, else the default, else nothing. Counts as a use."""
        mine = self.of(user, at)
        if mine and mine.readable(unfinished):
            mine.touched_at = at
            return [mine.chunks[number] for number in sorted(mine.chunks)]
        return [] if self.default is None else [self.default]

    def chunk_count(self, user: str, at: datetime) -> int:
        """Number of chunks that this user sees; looking is no use of the file."""
        mine = self.of(user, at)
        if mine is not None:
            return len(mine.chunks)
        return 0 if self.default is None else 1
