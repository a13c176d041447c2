"""The plans of a connection as the flow wants to be told: from which export, by whose approval, into which books."""

from mlc_pipelines.flows.route import EvidenceWay, PlanRoute
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.issues import REPLACE, Offset
from mlc_pipelines.ledger.mapping import ACCOUNT, COST_CENTER
from mlc_pipelines.ledger.plans import TargetRule
from mlc_pipelines.ledger.ports import TextsWay
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.destinations import destination_of
from mlc_pipelines.wiring.ledgers import OpenBooks
from mlc_pipelines.wiring.plans import Plan, PlanEvidence, Target
from mlc_pipelines.wiring.tables import read_targets_file


def route_of(named: Named, name: str, books: OpenBooks) -> PlanRoute:
    """One of them. Raises SetupError or DataError where its targets cannot be read."""
    return _route(named, name, named.settings.plans[name], books)


def routes_of(named: Named, books: OpenBooks) -> dict[str, PlanRoute]:
    """Every plan that the connection declares, by its name."""
    return {name: _route(named, name, plan, books) for name, plan in named.settings.plans.items()}


def _route(named: Named, name: str, plan: Plan, books: OpenBooks) -> PlanRoute:
    chosen = named.settings
    destination, company = destination_of(named, plan)
    return PlanRoute(
        name=name,
        export=plan.export,
        view=plan.view,
        columns=CellColumns(**plan.columns.model_dump()),
        version=plan.version,
        period_label=plan.period_label or chosen.actuals.period_label,
        evidence=evidence_of(plan.approval),
        accounts=_target(named, ACCOUNT, plan.targets.accounts, chosen.mapping.accounts.list),
        cost_centers=_target(named, COST_CENTER, plan.targets.cost_centers, chosen.mapping.cost_centers.list),
        signs=chosen.actuals.sign_of,
        destination=destination,
        company=company.name,
        journals=books.journals.get(name),
        table=books.tables.get(name),
        offset=Offset(plan.offset.account, plan.offset.subaccount) if plan.offset else None,
        lines_max=plan.lines_per_journal,
        rounding=plan.rounding,
        blank=plan.blank,
        reissue=REPLACE if plan.native else plan.reissue,
        shared=plan.shared,
        mode=plan.mode,
        same_person=plan.approval.same_person,
        post_too=plan.post,
        quiet_seconds=plan.quiet_seconds,
        automatic=plan.launch != "by_person",
        launched=plan.launch == "approved",
    )


def evidence_of(said: PlanEvidence) -> EvidenceWay:
    """Where the plan says that it is approved."""
    return EvidenceWay(
        TextsWay(said.by, said.name),
        said.member,
        said.status,
        said.approved_by,
        said.approved_at,
        said.revision,
        said.approved,
    )


def _target(named: Named, dimension: str, said: Target, list_name: str) -> TargetRule:
    table = read_targets_file(named.file.parent / said.file) if said.file else {}
    return TargetRule(dimension, said.list or list_name, said.member, said.target, table)
