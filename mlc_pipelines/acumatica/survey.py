"""A site looked at step by step, before the first load: how far one comes, and which entities may be read. Nothing is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from mlc_pipelines.acumatica import balances, inquiry, openapi, periods, plan_budget, wire
from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.connection import Offered
from mlc_pipelines.acumatica.plan_ledger import PlanLedger
from mlc_pipelines.acumatica.refusals import SeatsTakenError
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.ledger.fit import ENGINEER, ERP, ERP_ADMINISTRATOR, Check, Found, fine, missing
from mlc_pipelines.transport.caller import AnswerTooLargeError
from mlc_pipelines.transport.seats import Seats

_LATER = {balances.NAME, plan_budget.NAME}
"""Balances are asked for later, of a period. Lists of budgets are not served on every build [C ACU]: their ledger is looked at instead."""

_NOWHERE = {"JournalTransaction": "BatchNbr eq '0'"}
"""Whether records may be read at all shows without one of them; to find the first of millions takes long."""


class AcumaticaSurvey(Acumatica):
    """The same client; its checks of fields are done one entity at a time here, so the configuration given does none."""

    def __init__(
        self,
        config: AcumaticaConfig,
        credential: AcumaticaCredential,
        *,
        check_fields: bool,
        sleep: Callable[[float], None],
        seats: Seats | None = None,
    ) -> None:
        super().__init__(config, credential, sleep=sleep, seats=seats)
        self._check_fields = check_fields
        self._offered: Offered | None = None
        self._contract: openapi.Contract = {}
        self._destinations: list[PlanLedger] = []

    def write_into(self, destinations: Iterable[object]) -> None:
        """The places of plans, whose entities are looked at as well."""
        self._destinations = [one for one in destinations if isinstance(one, PlanLedger)]

    def clock(self) -> datetime | None:
        if self._offered is None or self._offered.said_at is None:
            return None
        return self._offered.said_at + timedelta(seconds=monotonic() - self._offered.heard_at)

    def needs(self, what: str) -> tuple[str, ...]:
        own = {
            "books": (),
            "periods": [one for one in self._used() if one.endswith("FinancialPeriod")],
            "accounts": ["Account"],
            "cost_centers": ["Subaccount"] if self._config.subaccount else [],
            "balances": [balances.NAME],
            "plans": [entity for one in self._destinations for entity in one.uses],
        }[what]
        return ("erp.ledger", *(_name(entity) for entity in own))

    def checks(self) -> list[Check]:
        within = ("erp.log_in", "erp.version", "erp.tenant")
        opened = (*within, "erp.fields") if self._check_fields else within
        checks = [
            Check("erp.reach", "Reachable", ERP, ENGINEER, self._reach, gate=True),
            Check("erp.log_in", "Log-in", ERP, ENGINEER, self._log_in, ("erp.reach",), gate=True),
            Check("erp.tenant", "Tenant", ERP, ENGINEER, self._tenant, ("erp.log_in",)),
            Check("erp.version", "Endpoint version", ERP, ENGINEER, self._version, self._before_version()),
        ]
        if self._check_fields:
            checks.append(Check("erp.fields", "Published fields", ERP, ERP_ADMINISTRATOR, self._fields, within))
        used = self._used()
        first = [self._entity_check(entity, used[entity], opened) for entity in used if entity != inquiry.NAME]
        checks += [*first, Check("erp.ledger", "Ledger and currency", ERP, ENGINEER, self._ledger, (_name("Ledger"),))]
        if inquiry.NAME in used:  # it is asked about a ledger and a period
            checks.append(self._entity_check(inquiry.NAME, used[inquiry.NAME], (*opened, *self.needs("periods"))))
        return checks

    def _before_version(self) -> tuple[str, ...]:
        """Endpoints of the tenant's own are listed for a signed-in user only [S DOC Basic_Get_List_of_Endpoints]."""
        return ("erp.reach",) if self._config.endpoint == openapi.SYSTEM_ENDPOINT else ("erp.reach", "erp.log_in")

    def _used(self) -> Mapping[str, Mapping[str, Any]]:
        """Entity -> fields, those of plans among them."""
        found = {entity: dict(fields) for entity, fields in openapi.used(self._config).items()}
        for one in self._destinations:
            for entity, fields in {"Account": openapi.fields_of(wire.PlanAccount), **one.uses}.items():
                found[entity] = {**found.get(entity, {}), **fields}
        return found

    # -- looking ------------------------------------------------------------------------------------------------------------

    def _reach(self) -> Iterator[Found]:
        self._offered = self._site.look()
        build = f", build {self._offered.build}" if self._offered.build else ""
        yield fine(f"{self._config.site} answers{build}.")

    def _log_in(self) -> Iterator[Found]:
        try:
            self._site.sign_in()
        except (SeatsTakenError, WaitingError) as busy:
            yield missing(busy.what, busy.next_step, ERP_ADMINISTRATOR)
            return
        yield fine(f"Signed in ({self._config.auth}).")

    def _tenant(self) -> Iterator[Found]:
        self._site.require_tenant()
        yield fine(f"Tenant {self._config.tenant}.")

    def _version(self) -> Iterator[Found]:
        self._site.require_version()
        yield fine(f"Endpoint {self._config.endpoint} is served in version {self._config.version}.")

    def _fields(self) -> Iterator[Found]:
        self._contract = self._site.contract()
        yield fine(f"The endpoint publishes {len(self._contract):,} kinds of records.")

    def _entity_check(self, entity: str, fields: Mapping[str, Any], needs: Sequence[str]) -> Check:
        return Check(
            _name(entity),
            f"Records: {entity}",
            ERP,
            ERP_ADMINISTRATOR,
            lambda: self._entity(entity, fields),
            tuple(needs),
        )

    def _entity(self, entity: str, fields: Mapping[str, Any]) -> Iterator[Found]:
        """Its fields are published, and it may be read."""
        if self._check_fields:
            openapi.require_published(self._contract, {entity: fields}, self._config)
        if entity in _LATER:
            yield fine(f"{entity} is published.")
            return
        if entity == inquiry.NAME:
            self._ask_lines()
        else:
            self._site.sample(entity, _NOWHERE.get(entity, ""))
        yield fine(f"{entity} may be read.")

    def _ask_lines(self) -> None:
        """The inquiry of lines, for the first year that the company has: few lines, or none."""
        first = periods.spelled_key(self.read_periods()[0].key)
        asked = {"FromPeriod": first, "ToPeriod": first, "Ledger": self._config.rules[0].ledger}
        try:
            self._site.ask(inquiry.NAME, asked, wire.PostedLines)
        except AnswerTooLargeError:
            return  # it may be read, and that was the question

    def _ledger(self) -> Iterator[Found]:
        for one in self.identities():
            yield fine(f"Ledger {one.ledger} of {one.company}: type {one.ledger_type}, currency {one.currency}.")


def _name(entity: str) -> str:
    return f"erp.records.{entity}"
