"""Posted lines of a period from GLJrnDtl: a page at a time into columns, each line once, each journal in balance.

A line that is matched or reconciled while we read gets a new row version and comes a second time, at the end; it is left out then, provided
that it says the same [I]. Lines that count no money (statistical) are left out [domain sheet 3.3].
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlc_pipelines.epicor import columns, wire
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.epicor.columns import Where
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.odata import both, feed_of, highest_revision, pages
from mlc_pipelines.ledger.amounts import minor_column
from mlc_pipelines.ledger.errors import DataError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import LINE
from mlc_pipelines.ledger.money import Money

_NAMED = 5
POSTED = "Posted eq true"
_STRIDES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)


@dataclass(frozen=True)
class Priced:
    """Lines of one page that count money, with what they amount to. where names a line for messages."""

    rows: Sequence[Any]
    names: list[str]
    accounts: list[str]
    subaccounts: list[str]
    debit_minor: npt.NDArray[np.int64]
    credit_minor: npt.NDArray[np.int64]

    def taken(self, which: npt.NDArray[np.bool_]) -> "Priced":
        if which.all():
            return self
        places = np.flatnonzero(which).tolist()
        return Priced(
            [self.rows[at] for at in places],
            [self.names[at] for at in places],
            [self.accounts[at] for at in places],
            [self.subaccounts[at] for at in places],
            self.debit_minor[which],
            self.credit_minor[which],
        )


@dataclass(frozen=True)
class Source:
    """Where lines come from: pages of rows. known_until: the highest row version when reading began, 0 where no row can come twice."""

    what: str
    pages: Iterator[list[Any]]
    known_until: int = 0


def read_lines(site: Connection, books: Books, period: FiscalPeriod, source: Source) -> Iterator[pa.RecordBatch]:
    """The lines in batches of journal.LINE. Raises DataError for a journal that is not in balance."""
    for page in read_pages(site, books, period, source):
        yield _batch(page)


def ledger(site: Connection, books: Books, period: FiscalPeriod, more: str = "") -> Source:
    """The entity set itself. more: a further condition."""
    entity = wire.with_segments(wire.LINES, books.chart.size)
    feed = feed_of(site, entity, where=both(books.of_period(period), POSTED, more), of=period.key)
    return Source(feed.what, pages(site, feed), highest_revision(site, feed))


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
        journals.add(ids[fresh], page)
        if page.rows:
            yield page
    seen.require_once(source.what)
    if whole:
        journals.require_balance(site, source.what)


def _priced(rows: Sequence[Any], books: Books, period: FiscalPeriod, what: str) -> Priced:
    def where(row: int) -> str:
        return f"{what}, {_named(rows[row])}"

    columns.require_of(rows, books, period, where)
    columns.require_only([row.posted for row in rows], {True}, "Posted", where)
    rows = [row for row in rows if not columns.is_statistical(row)]
    columns.require_only([row.coa for row in rows], {books.chart.code}, "COACode", where)
    return Priced(
        rows,
        [f"{row.journal} {row.journal_number}" for row in rows],
        columns.account_column(rows, books.chart, where),
        columns.subaccount_column(rows, books.chart),
        minor(rows, "debit", books.currency, "BookDebitAmount", where),
        minor(rows, "credit", books.currency, "BookCreditAmount", where),
    )


def minor(rows: Sequence[Any], name: str, currency: str, field: str, where: Where) -> npt.NDArray[np.int64]:
    """One attribute of all rows in minor units; an amount may be sent as a text [I]."""
    said = [getattr(row, name) for row in rows]
    if said and bytes(said[0]).startswith(b'"'):
        said = [msgspec.Raw(bytes(one).strip(b'"')) for one in said]
    amounts: npt.NDArray[np.int64] = minor_column(said, currency, field, where).to_numpy()
    return amounts


def _batch(page: Priced) -> pa.RecordBatch:
    rows = page.rows
    of = {
        "batch": columns.codes(page.names),
        "line": pa.array([row.line for row in rows], pa.int32()),
        "branch": columns.codes([row.plant or "" for row in rows]),
        "account": columns.codes(page.accounts),
        "subaccount": columns.codes(page.subaccounts),
        "reference": columns.texts([_reference(row) for row in rows]),
        "transaction_on": columns.days([row.day for row in rows], "JEDate", lambda row: _named(rows[row])),
        "description": columns.texts([row.description or "" for row in rows]),
        "modified_at": columns.texts([row.posted_on or "" for row in rows]),
        "debit_minor": pa.array(page.debit_minor),
        "credit_minor": pa.array(page.credit_minor),
    }
    return pa.RecordBatch.from_arrays([of[one.name] for one in LINE], schema=LINE)


def _named(row: Any) -> str:
    return f"journal {row.journal} {row.journal_number} line {row.line}"


def _reference(row: Any) -> str:
    """What a person would look for: the invoice, else the legal number, else the group the journal was entered in."""
    invoice = row.vendor_invoice or (str(row.customer_invoice) if row.customer_invoice else "")
    return str(invoice or row.legal_number or row.group or "")


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
        keys = (journals << 32) | np.array([row.line for row in page.rows], np.int64)
        prints = _prints(page)
        late = bool(known_until) and bool(page.rows) and page.rows[-1].revision > known_until
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
                    f"Journal {page.names[at]} line {page.rows[at].line} was changed while its period was read.",
                    holds="Nothing was loaded.",
                    next_step="Load it again.",
                )
            fresh[at] = key not in before
            before[key] = said
        return fresh

    def require_once(self, what: str) -> None:
        every = np.concatenate(self.keys) if self.keys else np.zeros(0, np.int64)
        if twice := len(every) - len(np.unique(every)):
            raise DataError(
                f"{what}: {twice:,} lines came twice.",
                holds="Nothing was loaded.",
                next_step="Load it again. If a query is read, one of its joins probably repeats lines: ask its author.",
            )


def _prints(page: Priced) -> npt.NDArray[np.uint64]:
    """Account, subaccount and both amounts of each line as one number."""
    said = np.fromiter(map(hash, zip(page.accounts, page.subaccounts, strict=True)), np.int64, len(page.rows)).view(
        np.uint64
    )
    debit, credit = page.debit_minor.view(np.uint64) * _STRIDES[0], page.credit_minor.view(np.uint64) * _STRIDES[1]
    prints: npt.NDArray[np.uint64] = said ^ debit ^ credit
    return prints


@dataclass
class _Journals:
    """What each journal adds up to."""

    currency: str
    numbers: dict[str, int] = field(default_factory=dict)
    net_minor: list[int] = field(default_factory=list)

    def numbered(self, page: Priced) -> npt.NDArray[np.int64]:
        """The number of each line's journal in this reading."""
        numbers = self.numbers
        ids = np.fromiter((numbers.setdefault(name, len(numbers)) for name in page.names), np.int64, len(page.names))
        self.net_minor += [0] * (len(numbers) - len(self.net_minor))
        return ids

    def add(self, ids: npt.NDArray[np.int64], page: Priced) -> None:
        here, at = np.unique(ids, return_inverse=True)
        sums = np.zeros(len(here), np.int64)
        np.add.at(sums, at, page.debit_minor - page.credit_minor)
        for journal, net in zip(here.tolist(), sums.tolist(), strict=True):
            self.net_minor[journal] += net

    def require_balance(self, site: Connection, what: str) -> None:
        """Raises DataError naming journals whose lines do not add up to zero, or only remarks it where the connection says so."""
        amiss = [(name, net) for name, net in zip(self.numbers, self.net_minor, strict=True) if net]
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
