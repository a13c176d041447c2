"""The ledger that plans are written into, asked from the ERP before anything is written, and what stands against a key or a period.

A plan never touches the actual books: of the declared ledger the ERP itself must say that it is Statistical (journals) or Budget
(articles), whatever the connection says. Nothing here writes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from mlc_pipelines.acumatica import balances, codec, openapi, tenants, wire
from mlc_pipelines.acumatica.calendars import read_periods
from mlc_pipelines.acumatica.codec import Books, said
from mlc_pipelines.acumatica.config import AcumaticaConfig, PlanRule
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import from_iso
from mlc_pipelines.ledger.ports import LedgerIdentity, LedgerPeriod

_CORRECT = "Correct the destination of plans in the connection file."


@dataclass(frozen=True, slots=True)
class Target:
    """The plan ledger as the ERP describes it. books: it, in the shape that readers of periods and balances take; branch: where everything goes."""

    books: Books
    branch: str


class PlanLedger:
    """What both destinations share. kind: the type that the ledger must have; uses: entities and their fields beside those of the reading side."""

    kind: ClassVar[str]
    uses: ClassVar[Mapping[str, Mapping[str, Any]]]

    def __init__(self, site: Connection, rule: PlanRule) -> None:
        self._site, self._rule = site, rule
        self._target: Target | None = None

    def require_destination(self) -> LedgerIdentity:
        """The destination as the ERP itself describes it, asked anew each time. Raises SetupError before any write."""
        site, config = self._site, self._site.config
        ledgers = site.list("Ledger", wire.Ledger, expand="Branches,Companies")
        tenants.require_companies(ledgers, config)
        self._target = None
        target = to_target(ledgers, config, self._rule, self.kind)
        if config.check_fields:
            accounts = {"Account": openapi.fields_of(wire.PlanAccount)}
            openapi.require_published(site.contract(), {**accounts, **self.uses}, config)
        self._target = target
        warnings = () if config.check_fields else (openapi.NOT_CHECKED,)
        books = target.books
        return LedgerIdentity(config.system, books.company, books.ledger, books.ledger_type, books.currency, warnings)

    def target(self) -> Target:
        """The same as last asked; nothing is ever written that was not asked for."""
        if self._target is None:
            self.require_destination()
        if self._target is None:
            raise SetupError(
                f"Ledger {self._rule.ledger} was not found.", holds="Nothing was written.", next_step=_CORRECT
            )
        return self._target

    def objections(self, keys: pd.DataFrame) -> list[str]:
        """Why the ERP takes no plan figure on an account and subaccount, for each row of keys; "" where it does.

        A control account that takes no entry by hand is known only where the connection names it: the endpoint does not tell [C MD]; the ERP
        refuses it when the draft is made.
        """
        chart = Chart(self._accounts(), self._subaccounts(), self._taken(), self.target().books.currency)
        return [chart.objection(*key) for key in zip(keys["account"], keys["subaccount"], strict=True)]

    def not_open(self, periods: Sequence[str]) -> dict[str, str]:
        """The periods among these that take no posting into the destination now -> why."""
        known = self.periods()
        said_of = {key: self._refuses(known[key]) if key in known else self._unknown(key) for key in periods}
        return {key: why for key, why in said_of.items() if why}

    def periods(self) -> dict[str, LedgerPeriod]:
        """The ERP's own periods by key, asked anew."""
        return {period.key: period for period in read_periods(self._site, self.target().books)}

    def _refuses(self, period: LedgerPeriod) -> str:
        raise NotImplementedError

    def _unknown(self, key: str) -> str:
        return f"the ERP's calendar of {self._rule.company} has no period {key}"

    def _accounts(self) -> dict[str, wire.PlanAccount]:
        found = self._site.list("Account", wire.PlanAccount, select="AccountCD,Type,Active,CurrencyID")
        return {said(one.code): one for one in found}

    def _subaccounts(self) -> dict[str, bool] | None:
        """Code -> whether it is active; None on a site without subaccounts."""
        if not self.target().books.has_subaccounts:
            return None
        found = self._site.list("Subaccount", wire.Subaccount, select="SubaccountCD,Description,Active")
        return {said(one.code): bool(one.active.value) for one in found}

    def _taken(self) -> dict[str, str]:
        """Accounts that the ERP keeps for itself -> what they are."""
        named = dict.fromkeys(self._rule.control_accounts, "is a control account, which takes no entry by hand")
        return named | dict.fromkeys(self._net_income(), "is the YTD Net Income account, which the ERP keeps itself")

    def _net_income(self) -> Iterable[str]:
        """As declared, or by the figures of the actual ledger in the last period that it has."""
        if declared := self._site.config.net_income_account:
            return [declared]
        config = self._site.config
        rule = next((one for one in config.rules if one.company == self._rule.company), config.rules[0])
        books = codec.to_books(self._site.list("Ledger", wire.Ledger, expand="Branches,Companies"), config, rule)
        readable = [one for one in read_periods(self._site, books) if one.readable]
        if not readable:
            return []
        last = readable[-1]
        return balances.system_accounts(self._site, books, from_iso(last.key, last.start_on, last.end_on))


@dataclass(frozen=True, slots=True)
class Chart:
    """The codes of the ERP as targets of plan figures; subaccounts: None where the site has none."""

    accounts: Mapping[str, wire.PlanAccount]
    subaccounts: Mapping[str, bool] | None
    taken: Mapping[str, str]
    currency: str

    def objection(self, account: str, subaccount: str) -> str:
        return "; ".join(filter(None, (self._of_account(account), self._of_subaccount(subaccount))))

    def _of_account(self, code: str) -> str:
        if (account := self.accounts.get(code)) is None:
            return f"account {code} does not exist"
        if not account.active.value:
            return f"account {code} is inactive"
        if code in self.taken:
            return f"account {code} {self.taken[code]}"
        if (currency := said(account.currency)) not in {"", self.currency}:
            return f"account {code} is held in {currency}, the plan's ledger in {self.currency}"
        return ""

    def _of_subaccount(self, code: str) -> str:
        if self.subaccounts is None:
            return f"there are no subaccounts here, so none is called {code}" if code else ""
        if code not in self.subaccounts:
            return f"subaccount {code} does not exist" if code else "a subaccount is missing"
        return "" if self.subaccounts[code] else f"subaccount {code} is inactive"


def to_target(ledgers: Sequence[wire.Ledger], config: AcumaticaConfig, rule: PlanRule, kind: str) -> Target:
    """The declared ledger. Raises SetupError unless it exists, has the one right type, is not read as actuals, and belongs to company and branch."""
    ledger = next((one for one in ledgers if one.ledger_id.value == rule.ledger), None)
    if ledger is None:
        raise _refused(f"There is no ledger {rule.ledger} for plans; there are {_listed(ledgers)}.")
    if rule.ledger in {one.ledger for one in config.rules}:
        raise _refused(f"Ledger {rule.ledger} is the one that actuals are read from; plans are never written there.")
    if (found := said(ledger.type)) != kind:
        fitting = _listed([one for one in ledgers if one.type.value == kind])
        complaint = f"has the type {found}; this plan goes into a ledger of type {kind} only"
        raise _refused(f"Ledger {rule.ledger} {complaint}. Of that type there are {fitting}.")
    company = next((one for one in ledger.companies if one.company.value == rule.company), None)
    if company is None:
        keepers = ", ".join(said(one.company) for one in ledger.companies) or "no company"
        raise _refused(
            f"Company {rule.company} does not keep ledger {rule.ledger}; it belongs to {keepers} (GL201500)."
        )
    if not (currency := said(ledger.currency)):
        raise _refused(f"Ledger {rule.ledger} has no currency (GL201500).")
    everybody = {said(one.branch_id) for one in ledger.branches}
    names = {rule.company, said(company.company_name)}
    own = {said(one.branch_id) for one in ledger.branches if said(one.company_name) in names} or {rule.company}
    branch = _branch(own, rule)
    books = Books(
        company=rule.company,
        ledger=rule.ledger,
        ledger_type=kind,
        currency=currency,
        branches=frozenset(everybody | {branch}),
        has_subaccounts=config.subaccount is not None,
        net_income_account=config.net_income_account,
        page_batches=config.page_batches,
        wanted=None if everybody <= {branch} else frozenset({branch}),
        own_calendar=rule.calendar == "company",
    )
    return Target(books, branch)


def _branch(own: set[str], rule: PlanRule) -> str:
    if rule.branch in own:
        return rule.branch
    if not rule.branch and len(own) == 1:
        return next(iter(own))
    named = f"has no branch {rule.branch}" if rule.branch else "has several branches"
    raise _refused(f"Company {rule.company} {named} in ledger {rule.ledger}; it has {', '.join(sorted(own))}.")


def _listed(ledgers: Sequence[wire.Ledger]) -> str:
    return ", ".join(f"{said(one.ledger_id)} ({said(one.type)})" for one in ledgers) or "none"


def _refused(what: str) -> SetupError:
    return SetupError(what, holds="Nothing was written.", next_step=_CORRECT)
