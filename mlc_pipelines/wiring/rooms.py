"""A connection -> a Desk: store, vault and both clients, opened for one piece of work and closed again on every path."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.flows.desk import Desk, Target
from mlc_pipelines.flows.steps import PERIODIC, SPEND
from mlc_pipelines.flows.trail import require_clean, signed_at_end
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.extracts import ExtractRule
from mlc_pipelines.ledger.mapping import ACCOUNT, COST_CENTER, VENDOR, MemberRule, Suspense
from mlc_pipelines.ledger.mapping_table import Entry
from mlc_pipelines.ledger.members import ListRule
from mlc_pipelines.ledger.ports import ReadWay
from mlc_pipelines.store.budget import SharedBudget
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.budget import Budget
from mlc_pipelines.wiring import settings
from mlc_pipelines.wiring.configs import anaplan_config
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.credentials import anaplan_credential
from mlc_pipelines.wiring.ledgers import open_ledger
from mlc_pipelines.wiring.people import log_in, who
from mlc_pipelines.wiring.routes import routes_of
from mlc_pipelines.wiring.tables import read_mapping_file
from mlc_pipelines.wiring.versions import code_version, configuration_hash


@contextmanager
def open_desk(
    named: Named,
    *,
    run: str = "",
    progress: Callable[[str], None] | None = None,
    store: Store | None = None,
    sleep: Callable[[float], None] = time.sleep,
    accept_shrunk: Collection[str] = (),
    only_if_needed: bool = False,
) -> Iterator[Desk]:
    """Everything a flow of this connection needs. Clients log in at their first call and sign out when the block ends, however it ends.

    The tail of the audit trail is verified first, and its head is signed at the end. Raises AuditTampered where it is not what it was.
    """
    chosen = named.settings
    store = store or Store.open()
    require_clean(store.trail)
    accepted = store.mappings(named.name).entries()
    target = actuals_target(named, accepted)
    progress = progress or (lambda _said: None)
    with (
        open_ledger(named, store, sleep) as books,
        shared_budget(chosen.anaplan, store, sleep) as budget,
        _anaplan(named, store, sleep, budget, progress) as plan,
        signed_at_end(store.trail),
    ):
        yield Desk(
            named.name,
            named.calendar,
            books.ledger,
            plan,
            books.extracts,
            target,
            store,
            fence_wait_seconds=chosen.anaplan.wait_minutes * 60,
            run=run,
            lists=list_rules(named, target),
            only_if_needed=only_if_needed,
            accept_shrunk=frozenset({*chosen.actuals.accept_shrunk, *accept_shrunk}),
            extract_rules=extract_rules(named),
            payables=books.payables,
            spend=spend_target(named, accepted) if chosen.ap_spend else None,
            routes=routes_of(named, books),
            who=who(),
            log_in=log_in(),
            system=chosen.erp.system,
            code_version=code_version(),
            configuration_hash=configuration_hash(named),
            progress=progress,
        )


def actuals_target(named: Named, accepted: Sequence[Entry] = ()) -> Target:
    """Where actuals go. accepted: entries of the mapping desk, which stand beside those of the files."""
    chosen = named.settings
    actuals, mapping = chosen.actuals, chosen.mapping
    suspense = None if mapping.unmapped == "stop" else Suspense(**mapping.unmapped.model_dump())
    return Target(
        import_name=actuals.import_,
        process=actuals.process,
        parameters=actuals.parameters,
        figures=actuals.figures,
        read_back=_read_way(chosen),
        columns=CellColumns(**actuals.columns.model_dump()),
        period_label=actuals.period_label,
        version=actuals.version,
        adjustment_version=actuals.adjustment_version,
        accounts=_rule(named, ACCOUNT, mapping.accounts, accepted, actuals.sign_of),
        cost_centers=_rule(named, COST_CENTER, mapping.cost_centers, accepted),
        suspense=suspense,
        signs_waived=actuals.sign_proof.waived if actuals.sign_proof else "",
    )


def spend_target(named: Named, accepted: Sequence[Entry] = ()) -> Target:
    """Where AP spend goes: accounts and cost centers as for actuals, and the vendors beside them."""
    spend, vendors = named.settings.ap_spend, named.settings.mapping.vendors
    if spend is None or vendors is None:
        raise SetupError(
            f"Connection {named.name} declares no AP spend.",
            holds="Nothing was read or sent.",
            next_step="Declare `ap_spend` and `mapping.vendors` in the connection file, or leave this step out.",
        )
    columns = CellColumns(**spend.columns.model_dump())
    of_actuals = actuals_target(named, accepted)
    shown = replace(columns, **spend.export_columns)
    way = replace(of_actuals.read_back, by="export", name=spend.export, columns=shown, versions=_versions(spend))
    return replace(
        of_actuals,
        import_name=spend.import_,
        process=spend.process,
        parameters=spend.parameters,
        figures=PERIODIC,
        read_back=way,
        columns=columns,
        period_label=spend.period_label,
        version=spend.version,
        adjustment_version=spend.adjustment_version,
        vendors=_rule(named, VENDOR, vendors, accepted),
        feed=SPEND,
    )


def _versions(landing: settings.Landing) -> tuple[str, ...]:
    return tuple(version for version in (landing.version, landing.adjustment_version) if version)


def _rule(
    named: Named,
    dimension: str,
    rule: settings.MappingRule,
    accepted: Sequence[Entry],
    signs: Mapping[str, int] = MappingProxyType({}),
) -> MemberRule:
    written = read_mapping_file(named.file.parent / rule.file, dimension) if rule.file else ()
    entries = (*written, *(one for one in accepted if one.dimension == dimension))
    table = {"": rule.none} if rule.none else {}
    return MemberRule(dimension, rule.list, rule.code, table, dict(signs), entries, rule.property)


def _read_way(chosen: settings.Connection) -> ReadWay:
    actuals, mapping = chosen.actuals, chosen.mapping
    said = actuals.read_back or settings.ReadBack(by="export", name=actuals.export)
    return ReadWay(
        said.by,
        said.name,
        replace(CellColumns(**actuals.columns.model_dump()), **actuals.export_columns),
        mapping.accounts.list,
        mapping.cost_centers.list,
        _versions(actuals),
    )


def list_rules(named: Named, target: Target) -> tuple[ListRule, ...]:
    """The lists that follow the ERP. Codes that a mapping table places by hand are not followed; its members, and suspense members, are never called gone."""
    mapped = {"accounts": target.accounts, "cost_centers": target.cost_centers}
    parked = {target.suspense.account, target.suspense.cost_center} if target.suspense else set()
    rules = []
    for source, one in named.settings.lists.items():
        rule = mapped.get(source)
        entries, table = (rule.entries, rule.table) if rule else ((), {})
        rules.append(
            ListRule(
                source,
                one.list or (rule.list_name if rule else ""),
                one.by,
                one.import_,
                one.columns,
                one.code or (rule.template if rule else ""),
                one.name,
                one.parent,
                one.properties,
                one.keep,
                apart=frozenset({*table, *(one.code for one in entries if not one.since)}),
                spared=frozenset({*parked, *table.values(), *(one.member for one in entries)}),
                file=str(named.file.parent / one.file) if one.file else "",
            )
        )
    return tuple(rules)


def extract_rules(named: Named) -> tuple[ExtractRule, ...]:
    return tuple(ExtractRule(name, **one.model_dump()) for name, one in named.settings.extracts.items())


def _anaplan(
    named: Named, store: Store, sleep: Callable[[float], None], budget: Budget, say: Callable[[str], None]
) -> Anaplan:
    config, credential = anaplan_config(named.settings.anaplan), anaplan_credential(named, store)
    return Anaplan(config, credential, sleep=sleep, budget=budget, memory=store.known_ids, say=say)


def shared_budget(plan: settings.Anaplan, store: Store, sleep: Callable[[float], None]) -> SharedBudget:
    """One per tenant. Without a name of its own, all connections to one address count as one tenant: rather too careful than too fast."""
    name = plan.tenant or urlsplit(plan.addresses.api_url).netloc
    return store.budget(
        f"Anaplan {name}", plan.requests_per_minute, wait_seconds=max(plan.wait_minutes * 60, 300.0), sleep=sleep
    )
