"""Reading records whole while others insert, change and delete them: for batches of the ledger as for any other entity or inquiry.

No order is promised and pages shift while somebody works [S Parameter_top], so nothing is paged by position. All keys are read
first, then the records in closed ranges of keys, and what comes back must be what was announced. Then the keys are read again:
what is new is read too, and only when two readings of the keys agree is the reading whole. No clock decides what is new.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mlc_pipelines.acumatica.parallel import in_turn
from mlc_pipelines.ledger.errors import DataError, TransientError

R = TypeVar("R")

Key = tuple[str | int, ...]

ROUNDS_MAX = 3
NAMED_AT_ONCE = 10
_NAMED = 5
_SPARSE = 3  # a range that holds so many times more records than are wanted is not worth reading


class Source(ABC, Generic[R]):
    """Where records of one kind come from.

    one, many: what a record is called, "Batch", "Batches". scope: what is read, "FY2026-P03". busy: what others do to it meanwhile.
    changes_void: whether a record that changes while we read makes the reading void, or is simply read again.
    """

    one: str
    many: str
    scope: str
    busy: str
    changes_void: bool

    @abstractmethod
    def headers(self) -> Iterable[R]:
        """Every record, with no more than its key and its stamp of change."""

    @abstractmethod
    def between(self, first: Key, last: Key) -> list[R]:
        """The whole records of a closed range of keys."""

    @abstractmethod
    def named(self, keys: Sequence[Key]) -> list[R]:
        """These few whole records, asked for by their keys."""

    @abstractmethod
    def key(self, record: R) -> Key: ...

    @abstractmethod
    def stamp(self, record: R) -> str:
        """What changes when the record changes; "" where nothing tells."""

    def broken(self, complaint: str, keys: Collection[Key], *, times: int) -> DataError:  # noqa: ARG002
        """Records that did not come exactly once. times: how often they came instead."""
        return DataError(
            f"{self.some(keys)} of {self.scope} {complaint}.",
            holds="Nothing was loaded.",
            next_step="Load it again; if it stays so, ask the Acumatica administrator about these records.",
        )

    def some(self, keys: Collection[Key]) -> str:
        """The first few keys in words, "Batches GL GL000001, GL GL000002 and 7 more"."""
        named = [" ".join(map(str, key)) for key in sorted(keys, key=in_order)[:_NAMED]]
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        return f"{self.one if len(keys) == 1 else self.many} {', '.join(named)}{more}"


@dataclass
class Reading(Generic[R]):
    """One reading: which records have been read, as of which change, and which came without being announced.

    others: up to so many more sources of the same records, to read pages side by side; by default there are none.
    """

    source: Source[R]
    page: int
    others: Callable[[int], AbstractContextManager[Sequence[Source[R]]]] = lambda _: nullcontext(())
    read: dict[Key, str] = field(default_factory=dict)
    announced: dict[Key, str] = field(default_factory=dict)
    unannounced: set[Key] = field(default_factory=set)
    place: dict[Key, int] = field(default_factory=dict)

    def pages(self, held: Mapping[Key, str] | None = None) -> Generator[list[R]]:
        """The records not held yet, some at a time; afterwards `announced` is what there is.

        Raises DataError, naming them, for announced records that do not come or come twice, and TransientError when they change faster
        than they can be read, or one changed after it was read and that makes the reading void.
        """
        self._announce()
        self.read = {key: stamp for key, stamp in (held or {}).items() if self.announced.get(key) == stamp}
        for number in range(ROUNDS_MAX):
            fresh = self._fresh(again=number > 0)
            if not fresh and number > 0:
                self._require_nobody_else()
                return
            yield from self._pages([fresh[at : at + self.page] for at in range(0, len(fresh), self.page)])
        if self._fresh(again=True):
            raise TransientError(
                f"{self.source.scope} was still being {self.source.busy} after {ROUNDS_MAX} readings.",
                holds="Nothing was loaded.",
                next_step="Load it again when that has ended.",
            )
        self._require_nobody_else()

    def _fresh(self, *, again: bool) -> list[Key]:
        """Keys of records not read yet, in order; the list of keys is read again where it is not new."""
        if again:
            self._announce()
        moved = [key for key, stamp in self.read.items() if self.announced.get(key) != stamp]
        self._require_allowed(moved)
        for key in moved:
            del self.read[key]
        return [key for key in self.place if key not in self.read]

    def _announce(self) -> None:
        self.announced = self._listed()
        self.place = {key: at for at, key in enumerate(sorted(self.announced, key=in_order))}

    def _listed(self) -> dict[Key, str]:
        """All keys with their stamps; read once more when one stands there twice."""
        listed, twice = self._headers()
        if twice:
            listed, twice = self._headers()
        if twice:
            raise self.source.broken(f"stand twice in the list of {self.source.many.lower()}", twice, times=2)
        return listed

    def _headers(self) -> tuple[dict[Key, str], set[Key]]:
        """Keys with their stamps, and the keys that came more than once."""
        listed: dict[Key, str] = {}
        twice: set[Key] = set()
        for record in self.source.headers():
            key = self.source.key(record)
            if key in listed:
                twice.add(key)
            listed[key] = self.source.stamp(record)
        return listed, twice

    def _pages(self, ranges: Sequence[Sequence[Key]]) -> Generator[list[R]]:
        """The records of each range, in order, read side by side where there are sources for it."""
        with (
            self.others(len(ranges) - 1) as others,
            closing(in_turn(self._page, ranges, [self.source, *others])) as pages,
        ):
            for page in pages:
                self._require_gone(page.missing)
                self.unannounced |= page.unannounced
                self.read |= {key: self.source.stamp(record) for key, record in page.records.items()}
                yield list(page.records.values())

    def _page(self, source: Source[R], keys: Sequence[Key]) -> "_Page[R]":
        """These records, each exactly once; asked for once more, by name, where they did not come so. Changes nothing here."""
        came = [] if self._far_apart(keys) else source.between(keys[0], keys[-1])
        found = {source.key(record): record for record in came}
        unannounced = found.keys() - self.announced.keys()
        twice = self._twice(came)
        amiss = [key for key in keys if key not in found or key in twice]
        found |= {source.key(record): record for record in self._by_name(source, amiss)}
        return _Page({key: found[key] for key in keys if key in found}, set(keys) - found.keys(), unannounced)

    def _far_apart(self, keys: Sequence[Key]) -> bool:
        return self.place[keys[-1]] - self.place[keys[0]] >= _SPARSE * len(keys)

    def _by_name(self, source: Source[R], keys: Sequence[Key]) -> list[R]:
        """These records asked for by their keys, a few in one call: web servers limit the length of an address."""
        came: list[R] = []
        for at in range(0, len(keys), NAMED_AT_ONCE):
            came += source.named(keys[at : at + NAMED_AT_ONCE])
        if twice := self._twice(came):
            raise self.source.broken("came twice, also when asked for by name", twice, times=2)
        return came

    def _require_gone(self, missing: set[Key]) -> None:
        """What was announced and did not come, also when asked for by name, must have gone away meanwhile."""
        if not missing:
            return
        if there := missing & self._listed().keys():
            many = self.source.many.lower()
            raise self.source.broken(
                f"are in the list of {many} but did not come, also when asked for by name", there, times=0
            )
        self._require_allowed(missing)

    def _require_allowed(self, moved: Collection[Key]) -> None:
        """Raises TransientError when records changed or went away, and that makes the reading void."""
        if moved and self.source.changes_void:
            raise TransientError(
                f"{self.source.some(moved)} of {self.source.scope} changed while it was read.",
                holds="Nothing was loaded.",
                next_step="Load it again.",
            )

    def _require_nobody_else(self) -> None:
        """What came unannounced must have been announced by now: else the list of keys cannot be relied on."""
        if strangers := self.unannounced - self.announced.keys():
            many = self.source.many.lower()
            raise self.source.broken(f"came with the others but never stood in the list of {many}", strangers, times=1)

    def _twice(self, records: Sequence[R]) -> set[Key]:
        return {key for key, times in Counter(map(self.source.key, records)).items() if times > 1}


@dataclass(frozen=True, slots=True)
class _Page(Generic[R]):
    """What one range of keys brought, by key and in order; what did not come, and what came without being announced."""

    records: dict[Key, R]
    missing: set[Key]
    unannounced: set[Key]


def in_order(key: Key) -> tuple[tuple[int, str, str], ...]:
    """As most sites sort: numbers by size, texts without regard to case. Where a site sorts otherwise, more is asked for by name."""
    return tuple((part, "", "") if isinstance(part, int) else (0, part.casefold(), part) for part in key)


def within(names: Sequence[str], first: Sequence[str], last: Sequence[str]) -> str:
    """A filter for the closed range of keys from first to last, in the order of their fields; values are literals of the filter language."""
    same = next((at for at, pair in enumerate(zip(first, last, strict=True)) if pair[0] != pair[1]), len(names))
    equal = [f"{name} eq {value}" for name, value in zip(names[:same], first, strict=False)]
    rest = names[same:]
    if not rest:
        return " and ".join(equal)
    return " and ".join([*equal, beyond(rest, first[same:], "ge"), beyond(rest, last[same:], "le")])


def beyond(names: Sequence[str], values: Sequence[str], operator: str) -> str:
    """A filter for the keys beyond (gt, lt) or from (ge, le) one key on, field by field: (A gt 1 or (A eq 1 and B ge 2))."""
    if len(names) == 1:
        return f"{names[0]} {operator} {values[0]}"
    further = beyond(names[1:], values[1:], operator)
    return f"({names[0]} {operator[0]}t {values[0]} or ({names[0]} eq {values[0]} and {further}))"


def any_of(names: Sequence[str], keys: Sequence[Sequence[str]]) -> str:
    """A filter for some keys by name."""
    one = (" and ".join(f"{name} eq {value}" for name, value in zip(names, key, strict=True)) for key in keys)
    return " or ".join(f"({text})" for text in one)


def quoted(text: str) -> str:
    """A text in a filter; a quote inside is doubled [S OData v4; I for the contract-based API]."""
    return "'" + text.replace("'", "''") + "'"
