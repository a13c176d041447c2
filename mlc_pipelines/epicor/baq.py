"""Business Activity Queries in place of entity sets: one SQL statement instead of a business object for each row [S KLB; C SUG].

Columns are named Table_Field [S EPG]; a connection says which ones are named otherwise. Parameters are plain query-string names, applied
within the SQL; $filter is applied to the finished result only [S EPG, KLB], so none is sent; $select spares columns [S EPG]. Nothing is believed: a query may mix companies,
books and periods, may be cut off by the server (QueryMaxResultSet), and is given up after 30 s where nothing else is set [S EPG].
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import field

from mlc_pipelines.epicor import wire
from mlc_pipelines.epicor.bulk import kept
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.epicor.config import BaqRule
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.invoices import WITH_AMOUNTS
from mlc_pipelines.epicor.lines import Source, minor
from mlc_pipelines.epicor.odata import Feed, bulk_pages, highest_revision, pages, query_string
from mlc_pipelines.epicor.payables import Control, Piece, spend_batch
from mlc_pipelines.epicor.refusals import TooSlowError
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod

_BOOK = {"Company": "{company}", "BookID": "{book}", "FiscalYear": "{year}"}
SUGGESTED = {
    "lines": BaqRule("ML_GLJrnDtl", {**_BOOK, "FiscalPeriod": "{period}", "SinceRev": "{since}"}),
    "balances": BaqRule("ML_GLPeriodBal", _BOOK),
    "ap_spend": BaqRule("ML_APSpend", {"Company": "{company}", "FromDate": "{from}", "ToDate": "{to}"}),
}
"""The queries that the documentation suggests, with their parameters."""

_NAMED = 8


@dataclass(frozen=True)
class Query:
    """What a query stands for: a type of rows, the table of each column, and the columns in whose order its rows are read.

    may_lack: columns whose value is known by the question, so that a query need not show them.
    """

    row: type[Any]
    tables: Mapping[str, str]
    key: tuple[str, ...]
    may_lack: frozenset[str]

    def columns(self, segments: int) -> list[str]:
        return [*wire.columns_of(self.row), *(f"SegValue{number}" for number in range(1, segments + 1))]

    def named(self, column: str, rule: BaqRule) -> str:
        """The query's own name for a column."""
        return rule.columns.get(column) or f"{self.tables.get(column, self.tables[''])}_{column}"


_BY_THE_QUESTION = frozenset({"FiscalCalendarID", "COACode", "FiscalYearSuffix", "Posted", "SysRevID"})
_HEADER = ("Company", "InvoiceNum", "ApplyDate", "Posted", "FiscalCalendarID", "FiscalYear", "FiscalYearSuffix")
QUERIES = {
    "lines": Query(wire.LINES.row, {"": "GLJrnDtl"}, wire.LINES.key, _BY_THE_QUESTION),
    "balances": Query(wire.BALANCES.row, {"": "GLPeriodBal"}, wire.BALANCES.key, _BY_THE_QUESTION),
    "ap_spend": Query(
        wire.Spent,
        {"": "APInvExpTGLC", "VendorID": "Vendor", "InvoiceLine": "APInvExp"}
        | dict.fromkeys((*_HEADER, "FiscalPeriod", "InvoiceAmt"), "APInvHed"),
        ("VendorID", "InvoiceNum", "InvoiceLine", "SegValue1", "SegValue2", "BookDebitAmount", "BookCreditAmount"),
        _BY_THE_QUESTION | {"RecordType", "InvoiceAmt"},
    ),
}


@dataclass(frozen=True)
class Shown:
    """The columns of a query. seen: they were seen in a row; else they are those that it should have."""

    names: frozenset[str]
    seen: bool = True

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __bool__(self) -> bool:
        return bool(self.names)


@dataclass(frozen=True)
class Baq:
    """A query of a connection, and what it stands for."""

    rule: BaqRule
    query: Query

    def columns(self, site: Connection, books: Books, period: FiscalPeriod) -> Shown:
        """The columns of its first row for a period; none where it has no row. Raises SetupError naming the columns that it lacks."""
        options = self._options(books, period, period.start_on, period.end_on)
        path = f"{self._path}?{query_string({**options, '$top': '1'})}"
        try:
            first = site.decoded(lambda: site.read(path), msgspec.json.Decoder(_FirstRow).decode).value
        except TooSlowError as slow:
            if not self._has_windows:
                raise self._too_slow(slow) from None
            return Shown(frozenset(self._named(self.query.columns(books.chart.size))), seen=False)
        if not first:
            return Shown(frozenset())
        found = frozenset(first[0])
        required = {one.encode_name for one in msgspec.structs.fields(self.query.row) if one.required} | {
            f"SegValue{number}" for number in {books.chart.account, books.chart.center} - {None}
        }
        wanted = self._named(sorted(required - self.query.may_lack))
        if lacking := [name for name in wanted if name not in found]:
            more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
            raise SetupError(
                f"Query {self.rule.name} has no column {', '.join(lacking[:_NAMED])}{more}.",
                holds="Nothing was read.",
                next_step="Have the columns added to the query in Kinetic, or say under `erp.baqs` in the connection file how it names them "
                "(`columns`). A query that was changed may show its old columns for a while.",
            )
        return Shown(found)

    def read(
        self,
        site: Connection,
        books: Books,
        period: FiscalPeriod,
        columns: Shown | None = None,
        *,
        bulk: bool = False,
    ) -> Iterator[Any]:
        """Rows of this book and this period alone (for balances: of the year up to it), a page at a time; bulk: each page in columns.

        A query that the server gives up on is asked for in halves of the period, where it takes {from} and {to}.
        Raises SetupError naming the query and what would mend it where that does not help, or the columns that it lacks.
        """
        of, pages_of = self._conditions(site, books, period), bulk_pages if bulk else pages
        columns = self.columns(site, books, period) if columns is None else columns
        waiting = [(period.start_on, period.end_on)] if columns else []
        while waiting:
            first, last = waiting.pop(0)
            feed = self._feed(columns, books, period, first, last)
            empty = True
            try:
                for page in pages_of(site, feed):
                    empty = False
                    if wanted := kept(page, of):
                        yield wanted
            except TooSlowError as slow:
                if not (empty and feed.patient and first < last):
                    raise self._too_slow(slow) from None
                middle = first + (last - first) // 2
                waiting[:0] = [(first, middle), (middle + timedelta(days=1), last)]

    def source(self, site: Connection, books: Books, period: FiscalPeriod) -> Source:
        """Posted lines in place of the entity set."""
        columns, known_until = self.columns(site, books, period), 0
        if self._since and columns:
            known_until = highest_revision(site, self._feed(columns, books, period, period.start_on, period.end_on))
        return Source(self._what(period), self.read(site, books, period, columns, bulk=True), known_until)

    def spend(self, site: Connection, books: Books, period: FiscalPeriod, control: Control) -> Iterator[pa.RecordBatch]:
        """Distributions in batches of journal.SPENT; an invoice stays together."""
        held: list[Any] = []
        for page in self.read(site, books, period):
            rows = held + page
            last = (rows[-1].vendor, rows[-1].invoice)
            held = [row for row in rows if (row.vendor, row.invoice) == last]
            if whole := [row for row in rows if (row.vendor, row.invoice) != last]:
                yield spend_batch(_pieces(whole, books), books, control)
        if held:
            yield spend_batch(_pieces(held, books), books, control)

    @property
    def _path(self) -> str:
        return f"BaqSvc/{self.rule.name}/Data"

    @property
    def _since(self) -> str:
        """The parameter that takes the row version behind which rows are wanted; "" where there is none."""
        return next((name for name, value in self.rule.parameters.items() if value == "{since}"), "")

    @property
    def _has_windows(self) -> bool:
        return self.rule.uses("from") and self.rule.uses("to")

    def _what(self, period: FiscalPeriod) -> str:
        return f"Query {self.rule.name} for {period.key}"

    def _named(self, columns: Iterable[str]) -> list[str]:
        return [self.query.named(column, self.rule) for column in columns]

    def _selected(self, columns: Shown, books: Books) -> tuple[str, ...]:
        """The columns to ask for: those that are used. None by name where none was seen, or where rows may leave out a segment."""
        segments = [f"SegValue{number}" for number in range(1, books.chart.size + 1)]
        if not columns.seen or not columns.names.issuperset(self._named(segments)):
            return ()
        used = dict.fromkeys(self._named(self.query.columns(books.chart.size)))
        return tuple(name for name in used if name in columns)

    def _feed(self, columns: Shown, books: Books, period: FiscalPeriod, first: date, last: date) -> Feed[Any]:
        revision = self.query.named("SysRevID", self.rule)
        key = self._named(self.query.key)
        return Feed(
            what=self._what(period),
            path=self._path,
            row=self._row(columns, books, period),
            key=tuple(name for name in key if name in columns),
            revision=revision if self._since and revision in columns else "",
            select=self._selected(columns, books),
            options=self._options(books, period, first, last),
            since=self._since if revision in columns else "",
            patient=self._has_windows,
        )

    def _conditions(self, site: Connection, books: Books, period: FiscalPeriod) -> dict[str, Collection[Any]]:
        """What makes a row one that was asked for: its attributes and their values. A query may show more than that."""
        balances = self.query.row is wire.BALANCES.row
        of: dict[str, Collection[Any]] = {
            "book": {books.ledger, None},
            "calendar": {books.calendar},
            "year": {period.year},
            "suffix": {period.suffix, period.suffix or None},
            "number": range(period.number + 1) if balances else {period.number},
            "posted": {True},
            "record_type": {WITH_AMOUNTS, None},
            "coa": {books.chart.code},
            "type": {site.config.balance_type, "B"},
        }
        names = {one.name for one in msgspec.structs.fields(self.query.row)}
        return {name: known for name, known in of.items() if name in names}

    def _row(self, columns: Shown, books: Books, period: FiscalPeriod) -> type[Any]:
        """The same attributes as a row of the entity set, under the query's own names. What it does not show has the value that the question had."""
        known: dict[str, Any] = {
            "FiscalCalendarID": books.calendar,
            "COACode": books.chart.code,
            "FiscalYearSuffix": period.suffix,
            "Posted": True,
            "RecordType": WITH_AMOUNTS,
            "InvoiceAmt": msgspec.Raw(b"0"),
            "SysRevID": 0,
        }
        fields: list[tuple[str, Any, Any]] = []
        for one in msgspec.structs.fields(self.query.row):
            name = self.query.named(one.encode_name, self.rule)
            default = known.get(one.encode_name, one.default)
            always = name in columns and one.required
            fields.append((one.name, one.type, field(name=name) if always else field(name=name, default=default)))
        for number in range(1, books.chart.size + 1):
            name = self.query.named(f"SegValue{number}", self.rule)
            fields.append((f"s{number}", str | None, field(name=name, default=None)))
        return msgspec.defstruct("BaqRow", fields, kw_only=True, gc=False)

    def _options(self, books: Books, period: FiscalPeriod, first: date, last: date) -> dict[str, str]:
        known = {
            "company": books.company,
            "book": books.ledger,
            "calendar": books.calendar,
            "year": period.year,
            "suffix": period.suffix,
            "period": period.number,
            "from": first,
            "to": last,
            "since": 0,
        }
        return {name: value.format(**known) for name, value in self.rule.parameters.items()}

    def _too_slow(self, slow: TooSlowError) -> SetupError:
        windows = (
            ""
            if self.rule.uses("from")
            else ", or give it parameters for a span of days and name them with {from} and {to}"
        )
        return SetupError(
            f"Query {self.rule.name} takes longer than the server allows, also for the smallest part that can be asked for. {slow.what}",
            holds="Nothing was loaded.",
            next_step="Have the query's author raise its Query Timeout (Execution Settings; 30 seconds where nothing is set), "
            f"have it filtered by its parameters{windows}.",
        )


class _FirstRow(msgspec.Struct):
    value: list[dict[str, Any]]


def _pieces(rows: Sequence[Any], books: Books) -> list[Piece]:
    """Rows as distributions; one without an account says that its invoice was distributed to nothing, unless others say more."""
    totals = minor(rows, "amount", books.currency, "InvoiceAmt", lambda row: f"Invoice {rows[row].invoice}").tolist()
    pieces: list[Piece] = []
    for _, of_one in groupby(zip(rows, totals, strict=True), lambda pair: (pair[0].vendor, pair[0].invoice)):
        own = list(of_one)
        with_account = [pair for pair in own if getattr(pair[0], f"s{books.chart.account}")]
        pieces += [Piece(row.vendor, row.invoice, row.line, row.day, total, row) for row, total in with_account]
        if not with_account:
            row, total = own[0]
            pieces.append(Piece(row.vendor, row.invoice, None, row.day, total, None))
    return pieces
