"""A connection -> a Desk: store, vault and both clients, opened for one piece of work and closed again on every path."""

import csv
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.connection import sign_out_all_left
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.flows.desk import ActualsTarget, Desk
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.extracts import ExtractRule
from mlc_pipelines.ledger.mapping import ACCOUNT, COST_CENTER, MemberRule, Suspense
from mlc_pipelines.ledger.members import ListRule
from mlc_pipelines.ledger.ports import ReadWay
from mlc_pipelines.store.budget import SharedBudget
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.budget import Budget
from mlc_pipelines.wiring import settings
from mlc_pipelines.wiring.configs import acumatica_config, anaplan_config
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.credentials import acumatica_credential, anaplan_credential


@contextmanager
def open_desk(
    named: Named,
    *,
    run: str = "",
    progress: Callable[[str], None] | None = None,
    store: Store | None = None,
    sleep: Callable[[float], None] = time.sleep,
    accept_shrunk: Collection[str] = (),
) -> Iterator[Desk]:
    """Everything a flow of this connection needs. Clients log in at their first call and sign out when the block ends, however it ends."""
    chosen = named.settings
    target = actuals_target(named)
    store = store or Store.open()
    progress = progress or (lambda _said: None)
    with (
        _acumatica(named, store, sleep) as ledger,
        _budget(chosen.anaplan, store, sleep) as budget,
        _anaplan(named, store, sleep, budget, progress) as plan,
    ):
        yield Desk(
            named.name,
            chosen.calendar.build(),
            ledger,
            plan,
            ledger,
            target,
            store,
            fence_wait_seconds=chosen.anaplan.wait_minutes * 60,
            run=run,
            lists=list_rules(named, target),
            accept_shrunk=frozenset({*chosen.actuals.accept_shrunk, *accept_shrunk}),
            extract_rules=extract_rules(named),
            progress=progress,
        )


def actuals_target(named: Named) -> ActualsTarget:
    chosen = named.settings
    actuals, mapping = chosen.actuals, chosen.mapping
    signs = {str(kind): -1 if sign == "credit_positive" else 1 for kind, sign in actuals.signs.items()}
    suspense = None if mapping.unmapped == "stop" else Suspense(mapping.unmapped.account, mapping.unmapped.cost_center)
    return ActualsTarget(
        import_name=actuals.import_,
        process=actuals.process,
        parameters=actuals.parameters,
        figures=actuals.figures,
        read_back=_read_way(chosen),
        columns=CellColumns(**actuals.columns.model_dump()),
        period_label=actuals.period_label,
        version=actuals.version,
        adjustment_version=actuals.adjustment_version,
        accounts=_rule(named, ACCOUNT, mapping.accounts, signs),
        cost_centers=_rule(named, COST_CENTER, mapping.cost_centers, {}),
        suspense=suspense,
    )


def _rule(named: Named, dimension: str, rule: settings.MappingRule, signs: Mapping[str, int]) -> MemberRule:
    table = read_mapping_file(named.file.parent / rule.file) if rule.file else {}
    return MemberRule(dimension, rule.list, rule.code, table, signs)


def _read_way(chosen: settings.Connection) -> ReadWay:
    actuals, mapping = chosen.actuals, chosen.mapping
    said = actuals.read_back or settings.ReadBack(by="export", name=actuals.export)
    return ReadWay(
        said.by,
        said.name,
        CellColumns(**actuals.columns.model_dump()),
        mapping.accounts.list,
        mapping.cost_centers.list,
        tuple(version for version in (actuals.version, actuals.adjustment_version) if version),
    )


def list_rules(named: Named, target: ActualsTarget) -> tuple[ListRule, ...]:
    """The lists that follow the ERP. Codes that the mapping file places by hand are not followed, and suspense members are never called gone."""
    mapped = {"accounts": target.accounts, "cost_centers": target.cost_centers}
    parked = {target.suspense.account, target.suspense.cost_center} if target.suspense else set()
    rules = []
    for source, one in named.settings.lists.items():
        rule = mapped.get(source)
        table = rule.table if rule else {}
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
                apart=frozenset(table),
                spared=frozenset({*parked, *table.values()}),
                file=str(named.file.parent / one.file) if one.file else "",
            )
        )
    return tuple(rules)


def extract_rules(named: Named) -> tuple[ExtractRule, ...]:
    return tuple(ExtractRule(name, **one.model_dump()) for name, one in named.settings.extracts.items())


def read_mapping_file(path: Path) -> dict[str, str]:
    """A hand-made table, header `code,member`. Codes are text. Raises DataError naming the lines of a code that stands twice."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise SetupError(
            f"The mapping file {path} cannot be read ({error.strerror}).",
            next_step="Correct its name under `mapping` in the connection file.",
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"The mapping file {path.name} is not CSV in UTF-8 ({error}).",
            holds="Nothing was read or sent.",
            next_step="Save it as CSV UTF-8, with commas.",
        ) from None
    if not rows or rows[0][:2] != ["code", "member"]:
        raise DataError(
            f"The mapping file {path.name} must begin with the header code,member.",
            holds="Nothing was read or sent.",
            next_step="Correct its first line.",
        )
    table: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) < 2 or not row[0] or not row[1]:
            raise DataError(
                f"Line {line} of the mapping file {path.name} does not name a code and a member.",
                holds="Nothing was read or sent.",
                next_step="Complete or delete the line.",
            )
        code, member = row[0], row[1]
        if code in table:
            raise DataError(
                f"The mapping file {path.name} names code {code} twice: line {lines[code]} says {table[code]}, line {line} says {member}.",
                holds="Nothing was read or sent.",
                next_step="Delete one of the two lines.",
            )
        table[code], lines[code] = member, line
    return table


def _acumatica(named: Named, store: Store, sleep: Callable[[float], None]) -> Acumatica:
    erp = named.settings.erp
    return Acumatica(
        acumatica_config(erp),
        acumatica_credential(named, store),
        sleep=sleep,
        seats=store.seats(named.name),
        contracts=store.contracts,
    )


def close_left_sessions(named: Named, store: Store, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Sign out what runs of this installation that died left open at the connection's ERP; returns how many."""
    return sign_out_all_left(acumatica_config(named.settings.erp), store.seats(named.name), sleep)


def _anaplan(
    named: Named, store: Store, sleep: Callable[[float], None], budget: Budget, say: Callable[[str], None]
) -> Anaplan:
    config, credential = anaplan_config(named.settings.anaplan), anaplan_credential(named, store)
    return Anaplan(config, credential, sleep=sleep, budget=budget, memory=store.known_ids, say=say)


def _budget(plan: settings.Anaplan, store: Store, sleep: Callable[[float], None]) -> SharedBudget:
    """One per tenant. Without a name of its own, all connections to one address count as one tenant: rather too careful than too fast."""
    name = plan.tenant or urlsplit(plan.addresses.api_url).netloc
    return store.budget(
        f"Anaplan {name}", plan.requests_per_minute, wait_seconds=max(plan.wait_minutes * 60, 300.0), sleep=sleep
    )
