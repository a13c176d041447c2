"""Posted lines of a period from GLJrnDtl: a page at a time into columns, each line once, each journal in balance.

A line that is matched or reconciled while we read gets a new row version and comes a second time, at the end; it is left out then, provided
that it says the same [I]. Lines that count no money (statistical) are left out [domain sheet 3.3].
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.epicor import columns, wire
from mlc_pipelines.epicor.bulk import Bulk
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.epicor.columns import Where
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.odata import both, bulk_pages, feed_of, highest_revision
from mlc_pipelines.ledger.amounts import minor_column, minor_of
from mlc_pipelines.ledger.errors import DataError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import LINE
from mlc_pipelines.ledger.money import Money

_NAMED = 5
POSTED = "Posted eq true"
_STRIDE = np.uint64(0x9E3779B97F4A7C15)
_STATISTICAL = {"True", "1"}
_REFERENCES = {
    "vendor_invoice": pa.array([""]),
    "customer_invoice": pa.array(["", "0"]),  # a number, which is 0 where there is none
    "legal_number": pa.array([""]),
    "group": pa.array([""]),
}
_LINES_MOST = 2**31 - 1


@dataclass(frozen=True)
class Priced:
    """Lines of one page that count money, each with its journal, and what they amount to."""

    rows: Bulk
    names: pa.DictionaryArray
    accounts: pa.DictionaryArray
    subaccounts: pa.DictionaryArray
    debit_minor: npt.NDArray[np.int64]
    credit_minor: npt.NDArray[np.int64]

    def taken(self, which: npt.NDArray[np.bool_]) -> "Priced":
        if which.all():
            return self
        mask = pa.array(which)
        return Priced(
            self.rows.taken(which),
            self.names.filter(mask),
            self.accounts.filter(mask),
            self.subaccounts.filter(mask),
            self.debit_minor[which],
            self.credit_minor[which],
        )


@dataclass(frozen=True)
class Source:
    """Where lines come from: pages of rows. known_until: the highest row version when reading began, 0 where no row can come twice."""

    what: str
    pages: Iterator[Bulk]
    known_until: int = 0


def read_lines(site: Connection, books: Books, period: FiscalPeriod, source: Source) -> Iterator[pa.RecordBatch]:
    """The lines in batches of journal.LINE. Raises DataError for a journal that is not in balance."""
    for page in read_pages(site, books, period, source):
        yield _batch(page)


def ledger(
    site: Connection, books: Books, period: FiscalPeriod, more: str = "", entity: wire.Entity[Any] = wire.LINES
) -> Source:
    """The entity set itself. more: a further condition."""
    feed = feed_of(
        site,
        wire.with_segments(entity, books.chart.size),
        where=both(books.of_period(period), POSTED, more),
        of=period.key,
    )
    return Source(feed.what, bulk_pages(site, feed), highest_revision(site, feed))


def read_pages(
    site: Connection, books: Books, period: FiscalPeriod, source: Source, *, whole: bool = True
) -> Iterator[Priced]:
    """The lines that count money, page by page, each once. whole: all lines of the journals come, so they must be in balance."""
    seen, journals = _Seen(), _Journals(books.currency)
    for rows in source.pages:
        page = _priced(rows, books, period, source.what)
        ids = journals.numbered(page)
        fresh = seen.fresh(page, ids, source.known_until)
        page = page.taken(fresh)
        journals.add(page)
        if page.rows:
            yield page
    seen.require_once(source.what, [*journals.numbers])
    if whole:
        journals.require_balance(site, source.what)


def _priced(rows: Bulk, books: Books, period: FiscalPeriod, what: str) -> Priced:
    def where(row: int) -> str:
        return f"{what}, {_named(rows[row])}"

    columns.require_of(rows, books, period, where)
    columns.require(rows, "posted", {True}, "Posted", where)
    rows = _money(rows)
    columns.require(rows, "coa", {books.chart.code}, "COACode", where)
    _require_numbers(rows, where)
    return Priced(
        rows,
        columns.coded_together([rows.coded("journal"), rows.column("journal_number").dictionary_encode()], " "),
        columns.coded_accounts(rows, books.chart, where),
        columns.coded_subaccounts(rows, books.chart),
        _minor_texts(rows.column("debit"), books.currency, "BookDebitAmount", where),
        _minor_texts(rows.column("credit"), books.currency, "BookCreditAmount", where),
    )


def _money(rows: Bulk) -> Bulk:
    """The lines that do not count something else than money; 2 says that one counts both [I]."""
    if _STATISTICAL.isdisjoint(rows.distinct("statistical")):
        return rows
    counts = pc.is_in(rows.column("statistical"), pa.array([*_STATISTICAL]))
    return rows.taken(~counts.to_numpy(zero_copy_only=False))


def _require_numbers(rows: Bulk, where: Where) -> None:
    """The number of a line within its journal is one that we can hold."""
    numbers = rows.column("line").to_numpy()
    if len(strange := np.flatnonzero((numbers < 0) | (numbers > _LINES_MOST))):
        at = int(strange[0])
        raise DataError(
            f"{where(at)}: JournalLine is no number of a line.",
            holds="Nothing was loaded.",
            next_step=columns.NEXT_STEP,
        )


def minor(rows: Sequence[Any], name: str, currency: str, field: str, where: Where) -> npt.NDArray[np.int64]:
    """One attribute of all rows in minor units; an amount may be sent as a text [I]."""
    said = [getattr(row, name) for row in rows]
    if said and bytes(said[0]).startswith(b'"'):
        said = [msgspec.Raw(bytes(one).strip(b'"')) for one in said]
    amounts: npt.NDArray[np.int64] = minor_column(said, currency, field, where).to_numpy()
    return amounts


def _minor_texts(texts: pa.StringArray, currency: str, field: str, where: Where) -> npt.NDArray[np.int64]:
    """The same of amounts as they were written."""
    if len(texts) and texts[0].as_py().startswith('"'):
        texts = pc.utf8_trim(texts, '"')
    try:
        amounts = minor_of(texts, currency) if len(texts) else pa.array([], pa.int64())
    except pa.ArrowInvalid:  # named by whoever looks at one after the other
        amounts = minor_column([msgspec.Raw(one.encode()) for one in texts.to_pylist()], currency, field, where)
    minor_units: npt.NDArray[np.int64] = amounts.to_numpy()
    return minor_units


def _batch(page: Priced) -> pa.RecordBatch:
    rows = page.rows
    of = {
        "batch": page.names,
        "line": rows.column("line").cast(pa.int32()),
        "branch": rows.coded("plant"),
        "account": page.accounts,
        "subaccount": page.subaccounts,
        "reference": _references(rows),
        "transaction_on": columns.days(rows.column("day"), "JEDate", lambda row: _named(rows[row])),
        "description": rows.column("description").fill_null(""),
        "modified_at": rows.column("posted_on").fill_null(""),
        "debit_minor": pa.array(page.debit_minor),
        "credit_minor": pa.array(page.credit_minor),
    }
    return pa.RecordBatch.from_arrays([of[one.name] for one in LINE], schema=LINE)


def _named(row: Any) -> str:
    return f"journal {row.journal} {row.journal_number} line {row.line}"


def _references(rows: Bulk) -> pa.StringArray:
    """What a person would look for: the invoice, else the legal number, else the group the journal was entered in."""
    said = [
        pc.if_else(pc.is_in(rows.column(name), nothing), None, rows.column(name))
        for name, nothing in _REFERENCES.items()
        if (same := rows.same(name)) is None or same.value not in {None, *nothing.to_pylist()}
    ]
    return pc.coalesce(*said, "") if said else pa.repeat("", len(rows))


def no_lines() -> pa.RecordBatch:
    """What a period without a posted line gives."""
    return pa.RecordBatch.from_pylist([], schema=LINE)


@dataclass
class _Seen:
    """Which lines have come, and what they said: sixteen bytes a line."""

    keys: list[npt.NDArray[np.int64]] = field(default_factory=list)
    prints: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    def fresh(self, page: Priced, journals: npt.NDArray[np.int64], known_until: int) -> npt.NDArray[np.bool_]:
        """Which lines have not come before. known_until: the highest row version when reading began: up to it none can come twice.

        Raises TransientError for a line that says something else now.
        """
        keys = (journals << 32) | page.rows.column("line").to_numpy()
        prints = _prints(page)
        late = bool(known_until) and bool(page.rows) and page.rows.column("revision")[-1].as_py() > known_until
        fresh = self._unseen(page, keys, prints) if late else np.ones(len(keys), bool)
        self.keys.append(keys[fresh])
        self.prints.append(prints[fresh])
        return fresh

    def _unseen(
        self, page: Priced, keys: npt.NDArray[np.int64], prints: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.bool_]:
        every, said_before = np.concatenate([*self.keys, keys[:0]]), np.concatenate([*self.prints, prints[:0]])
        again = np.isin(every, keys)
        before = dict(zip(every[again].tolist(), said_before[again].tolist(), strict=True))
        fresh = np.ones(len(keys), bool)
        for at, (key, said) in enumerate(zip(keys.tolist(), prints.tolist(), strict=True)):
            if key in before and before[key] != said:
                raise TransientError(
                    f"Journal {page.names[at]} line {page.rows.column('line')[at]} was changed while its period was read.",
                    holds="Nothing was loaded.",
                    next_step="Load it again.",
                )
            fresh[at] = key not in before
            before[key] = said
        return fresh

    def require_once(self, what: str, journals: Sequence[str]) -> None:
        """Raises DataError naming lines that came more than once. journals: their names, by number."""
        every = np.sort(np.concatenate([*self.keys, np.zeros(0, np.int64)]))
        twice = every[1:][every[1:] == every[:-1]]
        if len(twice):
            named = [f"journal {journals[key >> 32]} line {key & _LINES_MOST}" for key in twice[:_NAMED].tolist()]
            more = f" and {len(twice) - _NAMED:,} more" if len(twice) > _NAMED else ""
            raise DataError(
                f"{what}: {len(twice):,} lines came twice: {', '.join(named)}{more}.",
                holds="Nothing was loaded.",
                next_step="Load it again. If a query is read, one of its joins probably repeats lines: ask its author.",
            )


def _prints(page: Priced) -> npt.NDArray[np.uint64]:
    """Account, subaccount and both amounts of each line as one number."""
    texts = [_hashes(page.accounts), _hashes(page.subaccounts)]
    parts = [*texts, page.debit_minor.view(np.uint64), page.credit_minor.view(np.uint64)]
    prints = np.zeros(len(page.rows), np.uint64)
    for part in parts:
        prints = prints * _STRIDE ^ part
    return prints


def _hashes(codes: pa.DictionaryArray) -> npt.NDArray[np.uint64]:
    texts = codes.dictionary.to_pylist()
    hashes = np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64)
    of_each: npt.NDArray[np.uint64] = hashes[codes.indices.to_numpy()]
    return of_each


@dataclass
class _Journals:
    """Which journals there are, and what those add up to that are not in balance on a page of their own."""

    currency: str
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(count().__next__))
    net_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def numbered(self, page: Priced) -> npt.NDArray[np.int64]:
        """The number of each line's journal in this reading."""
        names = page.names.dictionary.to_pylist()
        ids = np.fromiter(map(self.numbers.__getitem__, names), np.int64, len(names))
        of_each: npt.NDArray[np.int64] = ids[page.names.indices.to_numpy()]
        return of_each

    def add(self, page: Priced) -> None:
        names = page.names.dictionary
        sums = np.zeros(len(names), np.int64)
        np.add.at(sums, page.names.indices.to_numpy(), page.debit_minor - page.credit_minor)
        for at in np.flatnonzero(sums).tolist():
            self.net_minor[names[at].as_py()] += int(sums[at])

    def require_balance(self, site: Connection, what: str) -> None:
        """Raises DataError naming journals whose lines do not add up to zero, or only remarks it where the connection says so."""
        amiss = [(name, net) for name, net in self.net_minor.items() if net]
        if not amiss:
            return
        named = "; ".join(f"{name} by {Money(net, self.currency)}" for name, net in sorted(amiss)[:_NAMED])
        more = f"; and {len(amiss) - _NAMED:,} more" if len(amiss) > _NAMED else ""
        total = Money(sum(net for _, net in amiss), self.currency)
        told = f"{what}: {len(amiss):,} journals do not balance (debits less credits): {named}{more}; {total} in all."
        if site.config.unbalanced == "warn":
            site.remark(told)
            return
        raise DataError(
            told,
            holds="Nothing was loaded.",
            next_step="Have the journals corrected in Kinetic; or write `unbalanced: warn` under `erp` in the connection file to load them as they are.",
        )
