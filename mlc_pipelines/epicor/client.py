"""Epicor Kinetic as a general ledger and as payables, over REST API version 2: all reads. From here also the places that plans are written into."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from operator import attrgetter
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from mlc_pipelines.epicor import (
    balances,
    baq,
    changes,
    chart,
    codec,
    extracts,
    invoices,
    lines,
    metadata,
    payables,
    wire,
)
from mlc_pipelines.epicor.budget import NativeBudget
from mlc_pipelines.epicor.chart import BETWEEN
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.epicor.config import BudgetRule, EpicorConfig, EpicorCredential, PlanJournalsRule
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.journals import PlanJournals
from mlc_pipelines.epicor.odata import both, feed_of, pages, read_all, text
from mlc_pipelines.epicor.refusals import NotThereError
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, Stamps
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.ledger.journal import of_books
from mlc_pipelines.ledger.ports import Changes, FiguresFrom, LedgerIdentity, LedgerPeriod
from mlc_pipelines.transport.seats import Seats


class Epicor:
    """The posted figures of one book of one company. Nothing is called before the first question; the session is always closed at the end.

    Before the first figure: the book exists and is in use, and its chart has the declared segments.
    """

    def __init__(
        self,
        config: EpicorConfig,
        credential: EpicorCredential,
        *,
        sleep: Callable[[float], None] = time.sleep,
        seats: Seats | None = None,
    ) -> None:
        """seats: who remembers open sessions beyond this process, and shares them with others."""
        self._config = config
        self._site = Connection(config, credential, sleep=sleep, seats=seats)
        self._opened: Books | None = None
        self._accounts: pd.DataFrame | None = None
        self._vendors: list[wire.Vendor] | None = None
        self._queries: dict[str, baq.Baq | None] = {}
        self._readings = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._readings.close()
        finally:
            self._site.close(error)

    def close_left_sessions(self) -> int:
        """Close the sessions that runs which died left open; returns how many."""
        return self._site.close_left()

    def identities(self) -> list[LedgerIdentity]:
        """The one book. warnings: what was noticed up to now, also of the reading itself."""
        books = self._books()
        unchecked = () if self._config.check_fields else (metadata.NOT_CHECKED,)
        warnings = (*unchecked, *books.warnings, *self._site.remarks)
        return [
            LedgerIdentity(
                self._config.system, books.company, books.ledger, books.ledger_type, books.currency, warnings
            )
        ]

    def identity(self) -> LedgerIdentity:
        return self.identities()[0]

    def figures_from(self) -> FiguresFrom:
        """As declared; with `auto`, balances where the chart keeps the cost center in them, held against the lines, and else the lines."""
        return self._books().chart.figures_from(self._config.read)

    def read_periods(self, company: str = "") -> list[LedgerPeriod]:  # noqa: ARG002  (there is one company)
        """The periods of the book's calendar with their state in the book."""
        books = self._books()
        of_calendar = f"FiscalCalendarID eq {text(books.calendar)}"
        days = read_all(self._site, wire.CALENDAR_PERIODS, where=of_calendar)
        states = read_all(self._site, wire.BOOK_PERIODS, where=both(f"BookID eq {text(books.ledger)}", of_calendar))
        now = self._site.now()
        return codec.periods_of(days, states, books, now.date() if now else None)

    def read_accounts(self) -> pd.DataFrame:
        """Values of the account segment in code order: code, name, account_class, kind, active."""
        if self._accounts is None:
            books = self._books()
            of_chart = f"COACode eq {text(books.chart.code)}"
            categories = read_all(self._site, wire.CATEGORIES, where=of_chart)
            self._accounts = chart.to_accounts(self._segment_values(books.chart.account), categories, self._today())
        return self._accounts.copy()

    def read_cost_centers(self) -> pd.DataFrame:
        """Values of the cost center segment in code order: code, name, active, subaccounts (how many the chart's accounts combine it with)."""
        books = self._books()
        if books.chart.center is None:
            return chart.no_cost_centers()
        entity = wire.with_segments(wire.ACCOUNTS, books.chart.size)
        feed = feed_of(self._site, entity, where=f"COACode eq {text(books.chart.code)}")
        others = attrgetter(*(f"s{number}" for number in (*books.chart.others, books.chart.account)))
        at = books.chart.others.index(books.chart.center)
        found: dict[str, set[str]] = defaultdict(set)
        for page in pages(self._site, feed):
            for parts in map(others, page):
                found[parts[at] or ""].add(BETWEEN.join(part or "" for part in parts[:-1]))
        carriers = {center: len(subaccounts) for center, subaccounts in found.items()}
        return chart.to_cost_centers(self._segment_values(books.chart.center), carriers, self._today())

    def cost_centers_of(self, subaccounts: Sequence[str]) -> list[str]:
        """The declared segment of each subaccount; "" for all where the connection declares none."""
        return self._books().chart.cost_centers_of(subaccounts)

    def read_posted(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        """Posted lines of one period in batches of the shape `journal.LINES`, in the currency of the book; at least one batch."""
        books = self._books()
        query = self._query("lines", period)
        source = query.source(self._site, books, period) if query else lines.ledger(self._site, books, period)
        return self._told(books, lines.read_lines(self._site, books, period, source), lines.no_lines())

    def read_balances(self, period: FiscalPeriod, company: str = "") -> pd.DataFrame:  # noqa: ARG002
        """Balances per account and subaccount; see `balances`. Waits, within the stated limit, for lines that Kinetic has not added to them yet.

        A year has no opening balances before the one before is closed [S SNO]: they are carried over from there, and the report says so.
        """
        books = self._books()
        balances.require_up_to_date(self._site, books, period)
        query = self._query("balances", period)
        rows = [row for page in query.read(self._site, books, period) for row in page] if query else None
        accounts = self.read_accounts()
        of_year = set(accounts["code"][accounts["kind"].isin(["Income", "Expense"])])
        read = balances.read_balances(self._site, books, period, of_year, rows)
        if read.opened or (last := self._last_before_year(period)) is None:
            return read.frame
        self._site.remark(
            f"Fiscal year {period.year}{period.suffix} has no opening balances in Kinetic yet, because the year before is not closed: they were "
            f"carried over from {last.key}, its result to account {books.retained[0] or '(none is named for the book)'}."
        )
        return balances.carried_into(read.frame, self.read_balances(last), of_year, books)

    def _last_before_year(self, period: FiscalPeriod) -> FiscalPeriod | None:
        """The last period of the fiscal year before."""
        every = [from_iso(one.key, one.start_on, one.end_on, adjustment=one.adjustment) for one in self.read_periods()]
        first = min(
            (one.start_on for one in every if (one.year, one.suffix) == (period.year, period.suffix)), default=None
        )
        earlier = [one for one in every if first and one.end_on < first]
        return earlier[-1] if earlier else None

    def read_trial_balance(self, period: FiscalPeriod, company: str = "") -> pd.DataFrame:
        """Balances per account: the sum over their subaccounts."""
        return balances.by_account(self.read_balances(period, company))

    def now(self) -> datetime | None:
        self._books()  # the clock is told with any answer
        return self._site.now()

    def cursor(self) -> str:
        return changes.cursor_now(self._site, self._books())

    def read_changes(self, since: datetime, cursor: str = "") -> Changes:
        """By row versions behind the cursor; see `changes`."""
        return changes.read_changes(self._site, self._books(), since, cursor)

    def read_vendors(self) -> pd.DataFrame:
        """Vendors in code order: code, name, active."""
        return payables.to_vendors(self._vendor_rows())

    def read_spend(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        """What the invoices posted in the period were distributed to, in batches of the shape `journal.SPEND`; see `invoices`."""
        books, control = self._books(), self._control()
        if query := self._query("ap_spend", period):
            found = query.spend(self._site, books, period, control)
        else:
            found = invoices.read_spend(self._site, books, period, self._vendor_codes(), control)
        return self._told(books, found, payables.nothing_spent())

    def read_ledger_spend(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        """The ledger's lines of the period that came from payables, in the same shape; see `payables`."""
        books = self._books()
        found = payables.read_ledger_spend(self._site, books, period, self._vendor_codes(), self._control())
        return self._told(books, found, payables.nothing_spent())

    def read_extract(self, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
        """A declared extract, from the same company as everything else: an entity set, or a query as the inquiry."""
        self._books()
        way = extracts.read_entity if rule.entity else extracts.read_query
        return way(self._site, rule, period, held)

    def plan_journals(self, rule: PlanJournalsRule) -> PlanJournals:
        """A book for plan journals of the same company, in the same session."""
        return PlanJournals(self._site, rule)

    def budget_table(self, rule: BudgetRule) -> NativeBudget:
        """Native budget figures of a book of the same company, in the same session."""
        return NativeBudget(self._site, rule)

    def _told(self, books: Books, found: Iterator[pa.RecordBatch], nothing: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The batches, each saying whose books it stands in; one without rows where there is none."""
        followed = self._readings.enter_context(closing(found))  # type: ignore[type-var]  # all of them are generators
        empty = True
        for batch in followed:
            empty = False
            yield of_books(batch, books.company, books.ledger, books.currency)
        if empty:
            yield of_books(nothing, books.company, books.ledger, books.currency)

    def _books(self) -> Books:
        """The book and its chart, read once, before anything else is."""
        if self._opened is None:
            book = codec.book_of(read_all(self._site, wire.BOOKS), self._config)
            of_chart = f"COACode eq {text(book.coa)}"
            charts = [one for one in read_all(self._site, wire.CHARTS, where=of_chart) if one.code == book.coa]
            if not charts:
                raise SetupError(
                    f"Book {book.code} belongs to chart {book.coa}, which the user may not see.",
                    holds="Nothing was read.",
                    next_step="Ask the Kinetic security manager to give the user access to the chart of accounts.",
                )
            segments = read_all(self._site, wire.SEGMENTS, where=of_chart)
            books = codec.books_of(book, chart.chart_of(charts[0], segments, self._config), self._config)
            books.chart.figures_from(self._config.read)
            self._opened = books
        return self._opened

    def _segment_values(self, segment: int) -> list[wire.SegmentValue]:
        books = self._books()
        where = both(f"COACode eq {text(books.chart.code)}", f"SegmentNbr eq {segment}")
        return read_all(self._site, wire.SEGMENT_VALUES, where=where, of=f"segment {segment}")

    def _vendor_rows(self) -> list[wire.Vendor]:
        if self._vendors is None:
            self._books()
            self._vendors = read_all(self._site, wire.VENDORS)
        return self._vendors

    def _vendor_codes(self) -> payables.Vendors:
        return payables.Vendors({row.number: row.code for row in self._vendor_rows()})

    def _control(self) -> payables.Control:
        accounts = self.read_accounts()
        return payables.Control(self._config.payables_accounts, set(accounts["code"][accounts["kind"] == "Liability"]))

    def _query(self, part: str, period: FiscalPeriod) -> baq.Baq | None:
        """The query that answers in place of an entity set: the declared one, or with `auto` the suggested one where it is there and serves."""
        if part not in self._queries:
            declared = getattr(self._config.baqs, part)
            suggested = None if declared or not self._config.baqs.auto else self._suggested(part, period)
            self._queries[part] = baq.Baq(declared, baq.QUERIES[part]) if declared else suggested
        return self._queries[part]

    def _suggested(self, part: str, period: FiscalPeriod) -> baq.Baq | None:
        query = baq.Baq(baq.SUGGESTED[part], baq.QUERIES[part])
        try:
            return query if query.columns(self._site, self._books(), period) else None
        except NotThereError:
            return None
        except SetupError as problem:
            self._site.remark(f"Query {query.rule.name} was not used: {problem.what}")
            return None

    def _today(self) -> str:
        """By the server's clock; by ours where it does not tell the time."""
        return (self._site.now() or datetime.now(UTC)).date().isoformat()


def close_left_sessions(
    config: EpicorConfig, credential: EpicorCredential, seats: Seats, *, sleep: Callable[[float], None] = time.sleep
) -> int:
    """Close what runs that died left open at this instance; returns how many. Kinetic asks for key and sign-in even to leave."""
    with Epicor(config, credential, sleep=sleep, seats=seats) as ledger:
        return ledger.close_left_sessions()
