"""An instance looked at step by step, before the first load: how far one comes, and which services may be used. Nothing is written."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from mlc_pipelines.epicor import baq, planwire, wire
from mlc_pipelines.epicor.budget import NativeBudget
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.epicor.journals import PlanJournals
from mlc_pipelines.epicor.odata import feed_of, some
from mlc_pipelines.epicor.refusals import NoRightError
from mlc_pipelines.epicor.wire import Entity
from mlc_pipelines.ledger.errors import DataError, WaitingError
from mlc_pipelines.ledger.fiscal import from_iso
from mlc_pipelines.ledger.fit import ENGINEER, ERP, ERP_ADMINISTRATOR, Check, Found, fine, missing
from mlc_pipelines.transport.seats import Seats

_BOOKS = (wire.BOOKS, wire.CHARTS, wire.SEGMENTS)
_PERIODS = (wire.CALENDAR_PERIODS, wire.BOOK_PERIODS)
_ACCOUNTS = (wire.CATEGORIES, wire.SEGMENT_VALUES)
_BALANCES = (wire.BALANCES, wire.LINES)
_SPEND = (wire.VENDORS, wire.INVOICES, wire.PAYABLES_LINES)
_PLAN_BOOKS = (
    *(planwire.SEGMENTS, planwire.FULL_ACCOUNTS, planwire.JOURNAL_CODES, planwire.EARLIEST),
    *(planwire.GROUPS, planwire.HEADERS, planwire.POSTED_LINES, planwire.REVIEWS),
)
_PLAN_BUDGETS = (planwire.SEGMENTS, planwire.BALANCE_ACCOUNTS, planwire.BUDGETS)

_LARGE = {one.service for one in (wire.BALANCES, wire.LINES)}
_NOWHERE = "FiscalYear eq 1"
"""Whether rows may be read at all shows without one of them; to find the first of millions takes long."""


class EpicorSurvey(Epicor):
    """The same client. spend: whether AP spend is read as well."""

    def __init__(
        self,
        config: EpicorConfig,
        credential: EpicorCredential,
        *,
        spend: bool,
        sleep: Callable[[float], None],
        seats: Seats | None = None,
    ) -> None:
        super().__init__(config, credential, sleep=sleep, seats=seats)
        self._spend = spend
        self._plans: tuple[Entity[Any], ...] = ()

    def write_into(self, destinations: Iterable[object]) -> None:
        """The places of plans, whose services are looked at as well."""
        for one in destinations:
            if isinstance(one, PlanJournals):
                self._plans += _PLAN_BOOKS
            elif isinstance(one, NativeBudget):
                self._plans += _PLAN_BUDGETS

    def clock(self) -> datetime | None:
        return self._site.now()

    def needs(self, what: str) -> tuple[str, ...]:
        own: dict[str, tuple[Entity[Any], ...]] = {
            "books": (),
            "periods": _PERIODS,
            "accounts": _ACCOUNTS,
            "cost_centers": (wire.ACCOUNTS, wire.SEGMENT_VALUES),
            "vendors": (wire.VENDORS,),
            "balances": (*_PERIODS, *_ACCOUNTS, *_BALANCES),
            "plans": self._plans,
        }
        return ("erp.ledger", *dict.fromkeys(_name(entity.service) for entity in own[what]))

    def checks(self) -> list[Check]:
        opened = ("erp.log_in",)
        services: dict[str, list[Entity[Any]]] = {}
        for entity in self._used():
            services.setdefault(entity.service, []).append(entity)
        checks = [
            Check("erp.reach", "Reachable", ERP, ENGINEER, self._reach, gate=True),
            Check("erp.log_in", "Log-in and company", ERP, ENGINEER, self._log_in, ("erp.reach",), gate=True),
            *(self._service_check(service, entities, opened) for service, entities in services.items()),
            Check("erp.ledger", "Book, chart and currency", ERP, ENGINEER, self._ledger, _names(_BOOKS)),
        ]
        queries = {part: rule for part in baq.QUERIES if (rule := getattr(self._config.baqs, part))}
        for part, rule in queries.items():
            needs = (*self.needs("periods"), *opened)
            look = _looking(self._tried, part)
            checks.append(Check(f"erp.query.{rule.name}", f"Query: {rule.name}", ERP, ERP_ADMINISTRATOR, look, needs))
        return checks

    def _used(self) -> tuple[Entity[Any], ...]:
        centers = (wire.ACCOUNTS,) if self._config.cost_center_segment is not None else ()
        spend = _SPEND if self._spend else ()
        return (*_BOOKS, *_PERIODS, *_ACCOUNTS, *centers, *_BALANCES, *spend, *self._plans)

    def _service_check(self, service: str, entities: list[Entity[Any]], needs: tuple[str, ...]) -> Check:
        def look() -> Iterator[Found]:
            for entity in entities:
                where = _NOWHERE if entity.service in _LARGE else ""
                some(self._site, feed_of(self._site, entity, where=where), 1)
            yield fine(f"{', '.join(dict.fromkeys(entity.set for entity in entities))} may be read.")

        return Check(_name(service), f"Service: {service}", ERP, ERP_ADMINISTRATOR, look, needs)

    # -- looking ------------------------------------------------------------------------------------------------------------

    def _reach(self) -> Iterator[Found]:
        self._site.look()
        yield fine(f"{self._config.site} answers.")

    def _log_in(self) -> Iterator[Found]:
        try:
            self._site.sign_in()
        except (NoRightError, WaitingError) as refused:
            yield missing(refused.what, refused.next_step, ERP_ADMINISTRATOR)
            return
        yield fine(f"Signed in ({self._config.auth}) for company {self._config.company}.")

    def _ledger(self) -> Iterator[Found]:
        one, figures = self.identity(), self.figures_from()
        yield fine(
            f"Book {one.ledger} of {one.company}: {one.ledger_type}, currency {one.currency}. {figures.why}".strip()
        )

    def _tried(self, part: str) -> Iterator[Found]:
        """It is there, may be run, and shows its columns in the newest period that has begun."""
        begun = [one for one in self.read_periods() if one.readable and not one.adjustment]
        if not begun:
            raise DataError(
                "No period has begun yet, so no query can be tried.",
                next_step="Check the fiscal calendar that the company uses in Kinetic.",
            )
        period = from_iso(begun[-1].key, begun[-1].start_on, begun[-1].end_on)
        rule = getattr(self._config.baqs, part)
        baq.Baq(rule, baq.QUERIES[part]).columns(self._site, self._books(), period)
        yield fine(f"{rule.name} may be run.")


def _looking(look: Callable[[str], Iterator[Found]], part: str) -> Callable[[], Iterator[Found]]:
    return lambda: look(part)


def _name(service: str) -> str:
    return f"erp.records.{service}"


def _names(entities: Iterable[Entity[Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(entity.service) for entity in entities))
