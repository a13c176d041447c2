"""A connection -> a Desk: store, vault and both clients, opened for one piece of work and closed again on every path."""

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential, SegmentRule
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.flows.desk import ActualsTarget, Desk
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.mapping import ACCOUNT, COST_CENTER, MemberRule, Suspense
from mlc_pipelines.ledger.members import ListRule
from mlc_pipelines.ledger.ports import ReadWay
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines.wiring import settings
from mlc_pipelines.wiring.connections import Named


@contextmanager
def open_desk(
    named: Named,
    *,
    run: str = "",
    progress: Callable[[str], None] | None = None,
    store: Store | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Desk]:
    """Everything a flow of this connection needs. Clients log in at their first call and sign out when the block ends, however it ends."""
    chosen = named.settings
    target = actuals_target(named)
    store = store or Store.open()
    with _acumatica(chosen.erp, store, sleep) as ledger, _anaplan(chosen.anaplan, store, sleep) as plan:
        yield Desk(
            named.name,
            chosen.calendar.build(),
            ledger,
            plan,
            target,
            store,
            fence_wait_seconds=chosen.anaplan.wait_minutes * 60,
            run=run,
            lists=list_rules(named, target),
            progress=progress or (lambda _said: None),
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


def _acumatica(erp: settings.AcumaticaErp, store: Store, sleep: Callable[[float], None]) -> Acumatica:
    config = AcumaticaConfig(
        url=erp.url,
        tenant=erp.tenant,
        company=erp.company,
        ledger=erp.ledger,
        endpoint=erp.endpoint,
        version=erp.version,
        auth=erp.auth,
        subaccount=SegmentRule(**erp.subaccount.model_dump()) if erp.subaccount else None,
        lines_from=erp.lines_from,
        net_income_account=erp.net_income_account,
        page_batches=erp.page_batches,
        ca_file=erp.ca_file,
    )
    needed = (
        ("username", "password", "client_id", "client_secret")
        if erp.auth == "oauth_password"
        else ("username", "password")
    )
    opened = _credential(store, erp.credential, needed)
    return Acumatica(config, _acumatica_credential(opened), sleep=sleep)


def _acumatica_credential(opened: Mapping[str, Secret]) -> AcumaticaCredential:
    nothing = Secret("", "not needed")
    return AcumaticaCredential(
        username=opened["username"].reveal(),
        password=opened["password"],
        client_id=opened.get("client_id", nothing).reveal(),
        client_secret=opened.get("client_secret", nothing),
    )


def _anaplan(plan: settings.Anaplan, store: Store, sleep: Callable[[float], None]) -> Anaplan:
    config = AnaplanConfig(
        auth_url=plan.auth_url,
        api_url=plan.api_url,
        workspace=plan.workspace,
        model=plan.model,
        wait_seconds=plan.wait_minutes * 60,
        task_seconds=plan.task_minutes * 60,
        chunk_bytes=plan.chunk_mb * 1_000_000,
        upload_workers=plan.upload_workers,
        poll_floor_seconds=plan.poll_floor_seconds,
        poll_cap_seconds=plan.poll_cap_seconds,
        cancel_when_stuck=plan.cancel_when_stuck,
        ca_file=plan.ca_file,
    )
    opened = _credential(store, plan.credential, ("username", "password"))
    return Anaplan(config, AnaplanCredential(opened["username"].reveal(), opened["password"]), sleep=sleep)


def _credential(store: Store, name: str, needed: tuple[str, ...]) -> dict[str, Secret]:
    opened = store.vault.open(name)
    if missing := [field for field in needed if field not in opened]:
        raise SetupError(
            f"Credential {name!r} lacks {', '.join(missing)}.",
            next_step=f"Store it again with `mlc secrets set {name}`.",
        )
    return opened
