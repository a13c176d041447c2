"""Which periods the ERP lets be read: asked at most every quarter of an hour, so that a period that is not open yet is waited for without a session each time."""

from collections.abc import Callable
from datetime import timedelta

from mlc_pipelines.ledger.ports import GeneralLedger
from mlc_pipelines.store import clock
from mlc_pipelines.store.home import Store

READABLE = "readable periods"
_FRESH = timedelta(minutes=15)


def known_periods(store: Store, connection: str, read: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Key of each of the ERP's periods -> "" where it can be read, else the ERP's word for it. read: asks the ERP; what it said last is used while it is fresh."""
    held, now = store.marks.latest(connection, READABLE), clock.now()
    if held and timedelta() <= now - held.until < _FRESH:
        return {str(key): str(why) for key, why in held.facts["periods"].items()}
    found = read()
    store.marks.move(connection, READABLE, now, (), {"periods": found})
    return found


def periods_of(ledger: GeneralLedger) -> dict[str, str]:
    """The ERP's periods as `known_periods` tells them. Of several companies, each must have a period open."""
    found: dict[str, str] = {}
    for of in ledger.identities():
        for one in ledger.read_periods(of.company):
            found[one.key] = found.get(one.key, "") or ("" if one.readable else one.status or "not open")
    return found
