"""Reading an entity set or a query whole, page by page, whatever the server makes of page sizes, order and links.

By row version where rows carry one: each page begins behind the last SysRevID of the one before, so nothing that is written meanwhile moves
rows from page to page [C SUG]; a row that is written again comes again at the end, with a higher version. By position otherwise: each page
begins with the last row of the one before, so a row that was put in or taken out before it shows at once.

What is not believed: that a short page is the last (a server may allow fewer rows than were asked for: 100 when nothing is said [S EPG]), that an
empty page is the end, that the order asked for was kept, that a page differs from the one before, and links to a next page, which are never followed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
import numpy as np

from mlc_pipelines.epicor import metadata
from mlc_pipelines.epicor.bulk import Bulk, Decoder, distinct, numbers, rows_of
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.refusals import TooSlowError
from mlc_pipelines.epicor.wire import Entity, Row, Versioned, columns_of
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError
from mlc_pipelines.transport.caller import AnswerTooLargeError

R = TypeVar("R", bound=Row)

REVISION = "SysRevID"
ADDRESS_BYTES_MAX = 7000
"""What stands in front of hosted instances refuses addresses of 8 KB (414) [C SUG]; a part is left for the host and the path."""

_LEAST_PAGE = 100
_SMALLER = 4
_GAVE_UP = (408, 504)


@dataclass(frozen=True)
class Feed(Generic[R]):
    """What is read. what: for messages, "GLJrnDtls of FY2026-P03". path: below the company. row: the type of a row.

    key: columns in whose order rows come when they are read by position. revision: the column with the row version, "" where there is none.
    options: further parts of the address, such as $expand or the parameters of a query. since: the parameter among them that takes the row
    version behind which rows are wanted, "" where the filter says it.
    page: rows per call at most, 0 for the connection's own. patient: a page that the server gives up on is not asked for in a smaller form.
    """

    what: str
    path: str
    row: type[R]
    key: tuple[str, ...]
    where: str = ""
    revision: str = REVISION
    select: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    since: str = ""
    page: int = 0
    patient: bool = False

    def narrowed(self, more: str) -> "Feed[R]":
        return replace(self, where=both(self.where, more))


def feed_of(site: Connection, entity: Entity[R], *, where: str = "", of: str = "") -> Feed[R]:
    """An entity set as a feed, once it is sure that the service publishes every column. of: what part of it, for messages."""
    columns = columns_of(entity.row)
    if site.config.check_fields:
        kind = site.published(entity.service).rows_of(entity.set)
        metadata.require_columns(columns, kind, f"{entity.name} of {site.config.system}")
    what = f"{entity.set}{f' of {of}' if of else ''}"
    return Feed(what, entity.name, entity.row, entity.key, where, select=tuple(columns))


def read_all(site: Connection, entity: Entity[R], *, where: str = "", of: str = "") -> list[R]:
    """All rows of a small set, each once: one that was written again while the others were read counts as it is now."""
    feed = feed_of(site, entity, where=where, of=of)
    names = {one.encode_name: one.name for one in msgspec.structs.fields(entity.row)}
    key = attrgetter(*(names[column] for column in entity.key))
    return list({key(row): row for page in pages(site, feed) for row in page}.values())


def pages(site: Connection, feed: Feed[R]) -> Iterator[list[R]]:
    """The rows, a page at a time, each of the company asked for; no page is empty.

    Raises DataError when the server does not page as it should, and when a row belongs to another company; TransientError when rows moved while
    they were read by position.
    """
    return _paged(_Reader(site, feed))


def bulk_pages(site: Connection, feed: Feed[R]) -> Iterator[Bulk]:
    """The same in columns, for feeds of very many rows."""
    return _paged(_Reader(site, feed, Decoder(feed.row)))


def _paged(reader: "_Reader[Any]") -> Iterator[Any]:
    way = _by_revision if reader.feed.revision else _by_position
    for page in way(reader):
        require_company(page, reader.company, reader.feed.what)
        yield page


def some(site: Connection, feed: Feed[R], most: int) -> list[R]:
    """The first rows by version, as many as one answer brings and no more than that: where it does no harm to miss some."""
    return [*_Reader(site, replace(feed, page=most)).after(0)[0]]


def highest_revision(site: Connection, feed: Feed[R]) -> int:
    """The highest row version that can be seen; 0 where there is no row."""
    return _Reader(site, feed).highest()


class _Reader(Generic[R]):
    """Asks for pages of one feed, of as many rows as the server manages in time."""

    def __init__(self, site: Connection, feed: Feed[R], decode: Callable[[bytes], Sequence[R]] | None = None) -> None:
        self.feed = feed
        self.company = site.config.company
        self._site = site
        self._decode = decode or rows_of(feed.row)
        self._page = min(feed.page or site.config.page, site.config.page)

    def after(self, revision: int) -> tuple[Sequence[R], int]:
        """The rows behind a version, in order of version, and how many were asked for."""
        feed = self.feed
        if feed.since:
            feed = replace(feed, options={**feed.options, feed.since: str(revision)})
            rows, asked = self._asked(feed, "", feed.revision)
            # Whether "since" takes in the version itself is up to whoever wrote the query.
            return rows[1:] if rows and numbers(rows[:1], "revision")[0] == revision else rows, asked
        return self._asked(feed, f"{feed.revision} gt {revision}" if revision else "", feed.revision)

    def at(self, position: int) -> tuple[Sequence[R], int]:
        """The rows from a position on, in order of their key."""
        return self._asked(self.feed, "", ",".join(self.feed.key), skip=position)

    def last(self) -> R | None:
        """The last row in the order of the key, asked for from behind."""
        rows = self._fetched(self.feed, "", ",".join(f"{name} desc" for name in self.feed.key), 1, 0, patient=True)
        return rows[0] if rows else None

    def highest(self) -> int:
        """The highest version there is; 0 for none."""
        feed = self.feed
        if REVISION in feed.select:  # an entity set: no more than the version is needed
            slim = Feed(feed.what, feed.path, Versioned, feed.key, feed.where, select=tuple(columns_of(Versioned)))
            return _Reader(self._site, slim)._highest()
        return self._highest()

    def _highest(self) -> int:
        rows = self._fetched(self.feed, "", f"{self.feed.revision} desc", 1, 0, patient=True)
        return max((self.version(row) for row in rows or ()), default=0)

    def newest(self) -> str:
        """The row with the highest version, by its key."""
        rows = self._fetched(self.feed, "", f"{self.feed.revision} desc", 1, 0, patient=True)
        return self.named(rows[0]) if rows else "one"

    def named(self, row: R) -> str:
        """A row by its key."""
        names = {one.encode_name: one.name for one in msgspec.structs.fields(self.feed.row)}
        parts = [str(getattr(row, names[column])) for column in self.feed.key if column in names]
        return " ".join(part for part in parts if part)

    def version(self, row: R) -> int:
        number: int = row.revision  # type: ignore[attr-defined]  # every row of a feed by version carries one
        return number

    def broken(self, complaint: str) -> DataError:
        return DataError(
            f"{self.feed.what}: {complaint}.",
            holds="Nothing was loaded.",
            next_step="Load it again; if it stays so, ask the Kinetic administrator, or whoever runs what stands between us, how pages are cut.",
        )

    def moved(self) -> TransientError:
        return TransientError(
            f"{self.feed.what}: rows were added or removed while it was read page by page.",
            holds="Nothing was loaded.",
            next_step="Load it again.",
        )

    def cut_off(self, rows: int, there: R | None) -> DataError:
        """there: the last row, asked for from behind."""
        last = self.named(there) if there else "none at all from behind"
        return self.broken(
            f"no rows come behind the first {rows:,}, although there is {last}: the server cuts the answer off, or one was added just now"
        )

    def _asked(self, feed: Feed[R], further: str, order: str, *, skip: int = 0) -> tuple[Sequence[R], int]:
        while True:
            asked = self._page
            rows = self._fetched(feed, further, order, asked, skip, patient=feed.patient or asked <= _LEAST_PAGE)
            if rows is not None:
                return rows, asked
            self._page = max(asked // _SMALLER, _LEAST_PAGE)

    def _fetched(
        self, feed: Feed[R], further: str, order: str, top: int, skip: int, *, patient: bool
    ) -> Sequence[R] | None:
        """One page; None when the server gave up on it and a smaller one is worth a try, which is left to a patient caller's own errors."""
        path = f"{feed.path}?{_options(feed, further, order, top, skip)}"
        if len(path) > ADDRESS_BYTES_MAX:
            raise SetupError(
                f"{feed.what} cannot be asked for: the address would have {len(path):,} characters.",
                holds="Nothing was read.",
                next_step="Shorten the filter in the connection file; if it has none, report this message as a defect.",
            )
        expect = (200,) if patient else (200, *_GAVE_UP)

        def fetch() -> Any:
            answer = self._site.read(path, expect=expect)
            if answer.status != 200:
                raise _GaveUpError
            return answer

        try:
            return self._site.decoded(fetch, self._decode)
        except (_GaveUpError, TooSlowError, AnswerTooLargeError):
            if patient:
                raise
            return None


class _GaveUpError(Exception):
    """A proxy or the server gave up on a page."""


def _by_revision(reader: _Reader[R]) -> Iterator[Sequence[R]]:
    last = empty_pages = 0
    while True:
        rows, asked = reader.after(last)
        if rows:
            last, empty_pages = _require_onward(reader, rows, last), 0
            yield rows
            if len(rows) >= asked:
                continue
        highest = reader.highest()
        # A highest version below the last one seen says that this row has gone, or that the order was not heeded: then an empty page decides.
        if highest == last or (highest < last and not rows):
            return
        empty_pages += not rows
        if empty_pages > 1:
            raise reader.broken(
                f"no rows come behind row version {last}, although there is {reader.newest()} with {highest}"
            )


def _require_onward(reader: _Reader[R], rows: Sequence[R], last: int) -> int:
    """The last version; they rise from row to row, and begin behind the last page."""
    versions = numbers(rows, "revision")
    if versions[0] <= last:
        raise reader.broken(
            f"the page behind row version {last} begins with {reader.named(rows[0])}, version {versions[0]}: the filter or the page was not heeded"
        )
    if len(back := np.flatnonzero(versions[:-1] >= versions[1:])):
        at = int(back[0])
        how = "came twice" if versions[at] == versions[at + 1] else "came before rows of lower versions"
        raise reader.broken(f"{reader.named(rows[at])}, row version {versions[at]}, {how}")
    return int(versions[-1])


def _by_position(reader: _Reader[R]) -> Iterator[Sequence[R]]:
    first = last = None
    seen = 0
    while True:
        rows, _ = reader.at(max(seen - 1, 0))
        if last is not None:
            if not rows or rows[0] != last:
                if rows and rows[0] == first:
                    raise reader.broken(
                        "each page begins with the first row again: the position asked for is not heeded"
                    )
                raise reader.moved()
            rows = rows[1:]
        if not rows:
            if (there := reader.last()) != last:
                raise reader.cut_off(seen, there)
            return
        first = rows[0] if first is None else first
        yield rows
        last = rows[-1]
        seen += len(rows)


def require_company(rows: Sequence[Row], company: str, what: str) -> None:
    """Refuse rows of another company: a query is not limited to the company of its address [domain sheet 3.3]."""
    for found in distinct(rows, "company"):
        if found != company and found.casefold() != company.casefold():
            raise SetupError(
                f"{what} brought a row of company {found}; asked for was company {company}.",
                holds="Nothing was loaded.",
                next_step="If this is a query, limit it to the company by a parameter ({company}) or in its own conditions; else ask the Kinetic administrator.",
            )


# -- the filter language ------------------------------------------------------------------------------------------------


def text(value: str) -> str:
    """A text in a filter; a quote inside is doubled [S OData v4; C KDV]."""
    return "'" + value.replace("'", "''") + "'"


def moment(day: date) -> str:
    """A day in a filter: the full date-time, for a bare date is answered with 500 [C SUG]."""
    return f"{day.isoformat()}T00:00:00Z"


def both(*conditions: str) -> str:
    """All of these conditions; an empty one says nothing."""
    return " and ".join(one for one in conditions if one)


def any_of(column: str, values: Sequence[int | str], *, room: int = ADDRESS_BYTES_MAX - 2500) -> Iterator[str]:
    """Conditions for some values by name, as many in one as an address has room for."""
    spelled = [f"{column} eq {text(one) if isinstance(one, str) else one}" for one in values]
    chunk: list[str] = []
    used = 0
    for one in spelled:
        size = len(quote(f" or {one}", safe=_SAFE))
        if chunk and used + size > room:
            yield f"({' or '.join(chunk)})"
            chunk, used = [], 0
        chunk.append(one)
        used += size
    if chunk:
        yield f"({' or '.join(chunk)})"


_SAFE = ",()/:'"


def _options(feed: Feed[Any], further: str, order: str, top: int, skip: int) -> str:
    said = {
        **feed.options,
        "$select": ",".join(feed.select),
        "$filter": both(feed.where, further),
        "$orderby": order,
        "$top": str(top),
        "$skip": str(skip) if skip else "",
    }
    return query_string(said)


def query_string(said: Mapping[str, str]) -> str:
    """Options as they stand in an address, blanks as %20 [C ZEN]; those without a value are left out, save a query's own parameters."""
    return "&".join(
        f"{quote(name, safe='$')}={quote(value, safe=_SAFE)}"
        for name, value in said.items()
        if value or not name.startswith("$")
    )
