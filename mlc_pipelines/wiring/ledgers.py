"""The ERP of a connection, opened: which client speaks to it, loaded only when it is the one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlc_pipelines.ledger.extracts import Extracts
from mlc_pipelines.ledger.ports import GeneralLedger, Payables
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.configs import acumatica_config, epicor_config
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.credentials import acumatica_credential, epicor_credential
from mlc_pipelines.wiring.erps import AcumaticaErp, EpicorErp


@dataclass(frozen=True, slots=True)
class OpenBooks:
    """What an ERP can do for a flow; payables where its client reads them."""

    ledger: GeneralLedger
    extracts: Extracts
    payables: Payables | None = None


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
        yield OpenBooks(ledger, ledger)


@contextmanager
def _epicor(named: Named, erp: EpicorErp, store: Store, sleep: Callable[[float], None]) -> Iterator[OpenBooks]:
    from mlc_pipelines.epicor.client import Epicor

    config, credential = epicor_config(erp), epicor_credential(erp, store)
    with Epicor(config, credential, sleep=sleep, seats=store.seats(named.name)) as ledger:
        yield OpenBooks(ledger, ledger, ledger)


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
