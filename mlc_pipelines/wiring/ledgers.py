"""The ERP of a connection, opened: which client speaks to it, loaded only when it is the one."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mlc_pipelines.ledger.extracts import Extracts
from mlc_pipelines.ledger.ports import BudgetTable, GeneralLedger, Payables, PlanBooks
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.configs import (
    acumatica_config,
    acumatica_plan_rule,
    epicor_budget_rule,
    epicor_config,
    epicor_journals_rule,
)
from mlc_pipelines.wiring.connections import Named, read_all
from mlc_pipelines.wiring.credentials import acumatica_credential, epicor_credential
from mlc_pipelines.wiring.erps import AcumaticaErp, EpicorErp
from mlc_pipelines.wiring.plans import BudgetArticles, BudgetFigures, PlanBookJournal, StatisticalJournal

if TYPE_CHECKING:
    from mlc_pipelines.acumatica.client import Acumatica
    from mlc_pipelines.epicor.client import Epicor

Kind = TypeVar("Kind")
Books = TypeVar("Books")


@dataclass(frozen=True, slots=True)
class OpenBooks:
    """What an ERP can do for a flow; payables where its client reads them. journals, tables: destinations of plans, by the plan's name."""

    ledger: GeneralLedger
    extracts: Extracts
    payables: Payables | None = None
    journals: Mapping[str, PlanBooks] = field(default_factory=dict)
    tables: Mapping[str, BudgetTable] = field(default_factory=dict)


@contextmanager
def open_ledger(named: Named, store: Store, sleep: Callable[[float], None]) -> Iterator[OpenBooks]:
    """The connection's ERP; logs in at the first question and signs out when the block ends, however it ends."""
    erp = named.settings.erp
    opened = _epicor(named, erp, store, sleep) if isinstance(erp, EpicorErp) else _acumatica(named, erp, store, sleep)
    with opened as books:
        yield books


@contextmanager
def _acumatica(named: Named, erp: AcumaticaErp, store: Store, sleep: Callable[[float], None]) -> Iterator[OpenBooks]:
    from mlc_pipelines.acumatica.client import Acumatica

    config, credential = acumatica_config(erp), acumatica_credential(named, store)
    seats, contracts = store.seats(named.name), store.contracts
    with Acumatica(config, credential, sleep=sleep, seats=seats, contracts=contracts) as ledger:
        yield acumatica_books(named, erp, ledger)


def acumatica_books(named: Named, erp: AcumaticaErp, ledger: "Acumatica") -> OpenBooks:
    """The client, and the destinations of the connection's plans in its session."""
    journals = _opened(named, StatisticalJournal, lambda one: ledger.plan_journals(acumatica_plan_rule(erp, one)))
    tables = _opened(named, BudgetArticles, lambda one: ledger.budget_table(acumatica_plan_rule(erp, one)))
    return OpenBooks(ledger, ledger, journals=journals, tables=tables)


def _opened(named: Named, kind: type[Kind], open_one: Callable[[Kind], Books]) -> dict[str, Books]:
    """The plans' destinations of one kind, by the plan's name."""
    chosen = ((name, plan.destination) for name, plan in named.settings.plans.items())
    return {name: open_one(one) for name, one in chosen if isinstance(one, kind)}


@contextmanager
def _epicor(named: Named, erp: EpicorErp, store: Store, sleep: Callable[[float], None]) -> Iterator[OpenBooks]:
    from mlc_pipelines.epicor.client import Epicor

    config, credential = epicor_config(erp), epicor_credential(erp, store)
    with Epicor(config, credential, sleep=sleep, seats=store.seats(named.name)) as ledger:
        yield epicor_books(named, erp, ledger)


def epicor_books(named: Named, erp: EpicorErp, ledger: "Epicor") -> OpenBooks:
    """The same of Epicor, which reads payables as well."""
    journals = _opened(
        named, PlanBookJournal, lambda one: ledger.plan_journals(epicor_journals_rule(one, partial(books_read, erp)))
    )
    tables = _opened(named, BudgetFigures, lambda one: ledger.budget_table(epicor_budget_rule(one)))
    return OpenBooks(ledger, ledger, ledger, journals=journals, tables=tables)


def books_read(erp: EpicorErp) -> tuple[str, ...]:
    """The books of this company that the inbound flow of any connection of the folder reads: none of them ever takes a plan."""
    others = (one.settings.erp for one in read_all()[0])
    same = (one for one in others if isinstance(one, EpicorErp) and (one.url, one.company) == (erp.url, erp.company))
    return tuple(sorted({erp.book, *(one.book for one in same)}))


def close_left_sessions(named: Named, store: Store, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Close what runs of this installation that died left open at the connection's ERP; returns how many. Nothing is opened where nothing was left."""
    erp, seats = named.settings.erp, store.seats(named.name)
    if not any(one.site == erp.url.rstrip("/") and not one.alive for one in seats.all()):
        return 0
    if isinstance(erp, EpicorErp):
        from mlc_pipelines.epicor import client

        return client.close_left_sessions(epicor_config(erp), epicor_credential(erp, store), seats, sleep=sleep)
    from mlc_pipelines.acumatica.connection import sign_out_all_left

    return sign_out_all_left(acumatica_config(erp), seats, sleep)
