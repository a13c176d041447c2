"""Acumatica as a general ledger: the port `GeneralLedger` fulfilled over one site's REST API."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from mlc_pipelines.acumatica import (
    changes,
    codec,
    extracts,
    inquiry,
    odata,
    openapi,
    periods,
    tenants,
    transactions,
    wire,
)
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.sessions import Seats
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, Stamps
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.ports import Changes, LedgerIdentity, LedgerPeriod


class Acumatica:
    """The posted figures of one ledger of one company. Nothing is called before the first question; always signs out at the end.

    Before the first figure: the site lists the pinned endpoint version, the tenant knows the company, and the ledger is Actual.
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
        self._books: codec.Books | None = None
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

    def identity(self) -> LedgerIdentity:
        books = self._open_books()
        warnings = (*(() if self._config.check_fields else (openapi.NOT_CHECKED,)), *self._remarks)
        return LedgerIdentity(
            self._config.system, books.company, books.ledger, books.ledger_type, books.currency, warnings
        )

    def read_periods(self) -> list[LedgerPeriod]:
        """The master calendar's periods in fiscal order; readable when Open, Closed or Locked [S UG GL201000]."""
        self._open_books()
        years = self._site.list("FinancialPeriod", wire.FinancialYear, expand="Details")
        return codec.to_periods(years, self._config)

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

    def cost_centers_of(self, subaccounts: Sequence[str]) -> list[str]:
        """The cost center segment of each subaccount; "" for all where the connection declares none."""
        rule = self._config.subaccount
        return [rule.cost_center(subaccount) if rule else "" for subaccount in subaccounts]

    def read_posted(self, period: FiscalPeriod) -> Iterator[pa.RecordBatch]:
        """Posted lines of one period in batches of the shape `journal.LINES`, in ledger currency; at least one batch."""
        found = self._readings.enter_context(closing(self._lines_of(period)))
        empty = True
        for batch in found:
            empty = False
            yield batch
        if empty:
            yield codec.no_lines()

    def _lines_of(self, period: FiscalPeriod) -> Generator[pa.RecordBatch]:
        if self._config.lines_from == "inquiry":
            yield from inquiry.read_lines(self._site, self._open_books(), period)
        else:
            yield from transactions.read_lines(self._site, self._open_books(), period, self._remark)

    def _remark(self, text: str) -> None:
        self._remarks[text] = None

    def now(self) -> datetime | None:
        return self._site.now()

    def read_changes(self, since: datetime) -> Changes:
        """By LastModifiedDateTime of the batches, in windows of a week; see `changes`."""
        return changes.read_changes(self._site, self._open_books(), since)

    def read_trial_balance(self, period: FiscalPeriod) -> pd.DataFrame:
        """Balances per account in code order: account, opening_minor, debit_minor, credit_minor, closing_minor (debit positive).

        The site may show liabilities and income positive or negative, by a preference (GL102000, Sign of the Trial Balance);
        which of the two is read off the figures themselves.
        """
        books = self._open_books()
        asked = {"Ledger": books.ledger, "Period": periods.spelled(period)}
        return codec.to_trial_balance(self._site.ask("AccountSummaryInquiry", asked, wire.Balances), books, period)

    def read_extract(self, rule: ExtractRule, period: FiscalPeriod | None, held: Stamps) -> ExtractRead:
        """A declared extract, from the same tenant as everything else: an entity of the endpoint, or a generic inquiry over OData."""
        self._open_books()
        way = extracts.read_entity if rule.entity else odata.read_inquiry
        return way(self._site, rule, period, held)

    def _open_books(self) -> codec.Books:
        """The ledger and its company, read once, before anything else is."""
        if self._books is None:
            ledgers = self._site.list("Ledger", wire.Ledger, expand="Branches,Companies")
            tenants.require_companies(ledgers, self._config)
            self._books = codec.to_books(ledgers, self._config)
        return self._books
