"""A connection -> what a fit report looks at. Each part is opened by itself; one that cannot be is a line of the report, not the end of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from mlc_pipelines.anaplan.survey import AnaplanSurvey
from mlc_pipelines.flows.desk import Target
from mlc_pipelines.flows.premises import DAYS_AHEAD, PlanAsked, Premises
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.ledger.fit import LedgerSurvey
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.wiring.configs import acumatica_config, anaplan_config, epicor_config
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.credentials import acumatica_credential, anaplan_credential, epicor_credential
from mlc_pipelines.wiring.erps import EpicorErp
from mlc_pipelines.wiring.ledgers import OpenBooks, acumatica_books, epicor_books
from mlc_pipelines.wiring.rooms import actuals_target, list_rules, shared_budget, spend_target
from mlc_pipelines.wiring.routes import evidence_of, route_of

T = TypeVar("T")

# A person waits for the report: nothing is tried for long.
_LIMITS = Limits(connect_seconds=5.0, read_seconds=60.0, deadline_seconds=120.0, attempts=2, retry_seconds=20.0)


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def open_premises(
    named: Named,
    *,
    store: Store | None = None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = _now,
) -> Iterator[Premises]:
    """Both systems log in when they are looked at, and are signed out of when the block ends, however it ends."""
    store = store or Store.open()
    problems: dict[str, PipelineError] = {}
    with ExitStack() as stack:
        erp = _tried("erp", problems, lambda: stack.enter_context(_erp(named, store, sleep)))
        plan = _tried("plan", problems, lambda: stack.enter_context(_plan(named, store, sleep, now)))
        books = erp[1] if erp else None
        routes = _routes(named, books, problems) if books else {}
        targets = _tried("mapping", problems, lambda: _targets(named, store)) or ()
        calendar = _tried("calendar", problems, lambda: named.calendar)
        loads_at = _tried("close", problems, lambda: _loads_at(named, now())) if calendar else None
        yield Premises(
            named.name,
            named.settings.erp.system.capitalize(),
            problems,
            now,
            ledger=erp[0] if erp else None,
            plan=plan,
            payables=books.payables if books else None,
            calendar=calendar,
            targets=targets,
            lists=list_rules(named, targets[0]) if targets else (),
            asked=tuple(_asked(named)),
            routes=routes,
            loads_at=loads_at or (),
            margin_seconds=named.settings.anaplan.job_margin_minutes * 60,
            password_stored_at=_stored_at(named, store),
            certificate_ends_at=_tried("certificate", problems, lambda: _certificate_ends(named, store)),
        )


def _tried(part: str, problems: dict[str, PipelineError], opening: Callable[[], T]) -> T | None:
    try:
        return opening()
    except PipelineError as problem:
        problems[part] = problem
        return None


@contextmanager
def _erp(named: Named, store: Store, sleep: Callable[[float], None]) -> Iterator[tuple[LedgerSurvey, OpenBooks]]:
    """The ERP's client that can be looked at, and the destinations of plans; waits for nobody's session."""
    erp, seats = named.settings.erp, store.seats(named.name)
    if isinstance(erp, EpicorErp):
        from mlc_pipelines.epicor.survey import EpicorSurvey

        config, key = (
            replace(epicor_config(erp), limits=_LIMITS, session_wait_seconds=0.0),
            epicor_credential(erp, store),
        )
        spend = named.settings.ap_spend is not None
        with EpicorSurvey(config, key, spend=spend, sleep=sleep, seats=seats) as ledger:
            books = epicor_books(named, erp, ledger)
            ledger.write_into([*books.journals.values(), *books.tables.values()])
            yield ledger, books
        return
    from mlc_pipelines.acumatica.survey import AcumaticaSurvey

    plain, credential = acumatica_config(erp), acumatica_credential(named, store)
    config_of_site = replace(plain, check_fields=False, limits=_LIMITS, session_wait_seconds=0.0)
    with AcumaticaSurvey(config_of_site, credential, check_fields=plain.check_fields, sleep=sleep, seats=seats) as site:
        books = acumatica_books(named, erp, site)
        site.write_into([*books.journals.values(), *books.tables.values()])
        yield site, books


@contextmanager
def _plan(
    named: Named, store: Store, sleep: Callable[[float], None], now: Callable[[], datetime]
) -> Iterator[AnaplanSurvey]:
    config = replace(anaplan_config(named.settings.anaplan), limits=_LIMITS)
    credential = anaplan_credential(named, store)
    with (
        shared_budget(named.settings.anaplan, store, sleep) as budget,
        AnaplanSurvey(config, credential, sleep=sleep, now=now, budget=budget) as plan,
    ):
        yield plan


def _targets(named: Named, store: Store) -> tuple[Target, ...]:
    accepted = store.mappings(named.name).entries()
    spend = (spend_target(named, accepted),) if named.settings.ap_spend else ()
    return (actuals_target(named, accepted), *spend)


def _asked(named: Named) -> Iterator[PlanAsked]:
    for name, plan in named.settings.plans.items():
        label = plan.period_label or named.settings.actuals.period_label
        columns = CellColumns(**plan.columns.model_dump())
        yield PlanAsked(name, plan.export, plan.view, columns, plan.version, label, evidence_of(plan.approval))


def _routes(named: Named, books: OpenBooks, problems: dict[str, PipelineError]) -> dict[str, PlanRoute]:
    found = {}
    for name in named.settings.plans:
        if route := _tried(name, problems, partial(route_of, named, name, books)):
            found[name] = route
    return found


def _loads_at(named: Named, now: datetime) -> tuple[datetime, ...]:
    """When the close calendar has loads begin; none where the connection has no such calendar."""
    if named.settings.close is None:
        return ()
    return tuple(due.at for due in named.close.between(now, now + timedelta(days=DAYS_AHEAD)))


def _stored_at(named: Named, store: Store) -> datetime | None:
    """When the password of the Anaplan log-in was stored; None for other ways to log in."""
    plan = named.settings.anaplan
    stored = {name: made_at for name, _, made_at in store.vault.names()}
    if plan.auth != "basic" or plan.credential not in stored:
        return None
    return datetime.fromisoformat(stored[plan.credential])


def _certificate_ends(named: Named, store: Store) -> datetime | None:
    """The last moment of the certificate that the Anaplan log-in uses; None for other ways to log in."""
    if named.settings.anaplan.auth != "certificate":
        return None
    from mlc_pipelines.anaplan.certificate import CertificateLogIn

    credential = anaplan_credential(named, store)
    return credential.opened()[0].not_valid_after_utc if isinstance(credential, CertificateLogIn) else None
