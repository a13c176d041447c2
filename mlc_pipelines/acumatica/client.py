"""Acumatica as a general ledger: the port `GeneralLedger` fulfilled over one site's REST API."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from mlc_pipelines.acumatica import (
    balances,
    calendars,
    changes,
    codec,
    extracts,
    odata,
    openapi,
    posted,
    tenants,
    wire,
)
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential, PlanRule
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.plan_budget import BudgetArticles
from mlc_pipelines.acumatica.plan_journals import PlanJournals
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, Stamps
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import of_books
from mlc_pipelines.ledger.ports import BudgetTable, Changes, FiguresFrom, LedgerIdentity, LedgerPeriod, PlanBooks
from mlc_pipelines.transport.seats import Seats


class Acumatica:
    """The posted figures of one ledger of one company, or of several companies. Nothing is called before the first question; always signs out at the end.

    Before the first figure: the site lists the pinned endpoint version, the tenant knows the companies, and their ledgers are Actual.
    """

    def __init__(
        self,
        config: AcumaticaConfig,
        credential: AcumaticaCredential,
        *,
        sleep: Callable[[float], None] = time.sleep,
        seats: Seats | None = None,
        contracts: openapi.Contracts | None = None,
    ) -> None:
        """seats: who remembers open sessions beyond this process, and shares them with others; contracts: who keeps what a site publishes."""
        self._config = config
        self._site = Connection(config, credential, sleep=sleep, seats=seats, contracts=contracts)
        self._books: dict[str, codec.Books] = {}
        self._readings = ExitStack()
        self._remarks: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._readings.close()  # one that nobody followed to its end holds sessions
        finally:
            self._site.close(error)

    def identities(self) -> list[LedgerIdentity]:
        warnings = (*(() if self._config.check_fields else (openapi.NOT_CHECKED,)), *self._remarks)
        return [
            LedgerIdentity(self._config.system, one.company, one.ledger, one.ledger_type, one.currency, warnings)
            for one in self._open_books().values()
        ]

    def identity(self) -> LedgerIdentity:
        return self.identities()[0]

    def figures_from(self) -> FiguresFrom:
        return FiguresFrom(self._config.read)

    def read_periods(self, company: str = "") -> list[LedgerPeriod]:
        return calendars.read_periods(self._site, self._books_of(company))

    def read_accounts(self) -> pd.DataFrame:
        """Chart of accounts in code order: code, name, account_class, kind, active."""
        self._open_books()
        select = "AccountCD,Description,AccountClass,Type,Active"
        return codec.to_accounts(self._site.list("Account", wire.Account, select=select))

    def read_cost_centers(self) -> pd.DataFrame:
        """Cost centers in code order: code, name, active, subaccounts (how many carry it).

        The name is the description of the subaccount whose other segments are all zeros, else "". A cost center is active when one of its subaccounts is.
        """
        self._open_books()
        if self._config.subaccount is None:
            return codec.no_cost_centers()
        select = "SubaccountCD,Description,Active"
        return codec.to_cost_centers(
            self._site.list("Subaccount", wire.Subaccount, select=select), self._config.subaccount
        )

    def read_subaccounts(self) -> list[str]:
        """All subaccounts in code order, closed ones too."""
        return codec.to_codes(self._site.list("Subaccount", wire.Subaccount, select="SubaccountCD,Description,Active"))

    def cost_centers_of(self, subaccounts: Sequence[str]) -> list[str]:
        """The cost center segment of each subaccount; "" for all where the connection declares none."""
        rule = self._config.subaccount
        return [rule.cost_center(subaccount) if rule else "" for subaccount in subaccounts]

    def read_posted(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:
        """Posted lines of one period in batches of the shape `journal.LINES`, in ledger currency; at least one batch."""
        books = self._books_of(company)
        found = self._readings.enter_context(closing(posted.read_lines(self._site, books, period, self._remark)))
        empty = True
        for batch in found:
            empty = False
            yield of_books(batch, books.company, books.ledger, books.currency)
        if empty:
            yield of_books(codec.no_lines(), books.company, books.ledger, books.currency)

    def read_balances(self, period: FiscalPeriod, company: str = "") -> pd.DataFrame:
        """Balances per account and subaccount; see `balances`. Closed subaccounts are asked for as well, for balances stay on them."""
        books = self._books_of(company)
        codes = self.read_subaccounts() if books.has_subaccounts else []
        return balances.read_balances(self._site, books, period, codes, self._config.balance_calls)

    def _remark(self, text: str) -> None:
        self._remarks[text] = None

    def now(self) -> datetime | None:
        return self._site.now()

    def cursor(self) -> str:
        return ""

    def read_changes(self, since: datetime, cursor: str = "") -> Changes:  # noqa: ARG002  (this site dates its changes)
        """By LastModifiedDateTime of the batches, in windows of a week; see `changes`."""
        ledgers = {one.ledger: one for one in self._open_books().values()}
        found = [changes.read_changes(self._site, one, since) for one in ledgers.values()]
        batches = pd.concat([one.batches for one in found], ignore_index=True) if len(found) > 1 else found[0].batches
        return Changes(min(one.until for one in found), batches)

    def read_trial_balance(self, period: FiscalPeriod, company: str = "") -> pd.DataFrame:
        """Balances per account; see `balances`."""
        return balances.read_trial_balance(self._site, self._books_of(company), period)

    def plan_journals(self, rule: PlanRule) -> PlanBooks:
        """The Statistical ledger that plan journals go into, in the session of this client; see `plan_journals`."""
        return PlanJournals(self._site, rule)

    def budget_table(self, rule: PlanRule) -> BudgetTable:
        """The Budget ledger whose articles take plan figures, likewise; see `plan_budget`."""
        return BudgetArticles(self._site, rule)

    def _books_of(self, company: str) -> codec.Books:
        """The books of that company; of the first one where none is named."""
        books = self._open_books()
        return books[company] if company else next(iter(books.values()))

    def read_extract(self, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
        """A declared extract, from the same tenant as everything else: an entity of the endpoint, or a generic inquiry over OData."""
        self._open_books()
        way = extracts.read_entity if rule.entity else odata.read_inquiry
        return way(self._site, rule, period, held)

    def _open_books(self) -> dict[str, codec.Books]:
        """Each company's ledger, read once, before anything else is."""
        if not self._books:
            ledgers = self._site.list("Ledger", wire.Ledger, expand="Branches,Companies")
            tenants.require_companies(ledgers, self._config)
            self._books = {rule.company: codec.to_books(ledgers, self._config, rule) for rule in self._config.rules}
        return self._books
