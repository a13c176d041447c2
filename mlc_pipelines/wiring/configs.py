"""A connection's settings -> what its rooms want to be told. Light: nothing that computes or talks is loaded for it."""

from collections.abc import Callable, Sequence

from mlc_pipelines.acumatica.config import AcumaticaConfig, BooksRule, PlanRule, SegmentRule
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.epicor.config import BaqRule, Baqs, BudgetRule, EpicorConfig, PlanJournalsRule
from mlc_pipelines.wiring import settings
from mlc_pipelines.wiring.erps import AcumaticaErp, EpicorErp
from mlc_pipelines.wiring.plans import BudgetFigures, OfAcumatica, PlanBookJournal


def acumatica_config(erp: AcumaticaErp) -> AcumaticaConfig:
    return AcumaticaConfig(
        url=erp.url,
        tenant=erp.tenant,
        company=erp.every_book[0].company,
        ledger=erp.every_book[0].ledger,
        books=tuple(BooksRule(one.company, one.ledger, one.branches, one.calendar) for one in erp.every_book),
        read=erp.read,
        balance_calls=erp.balance_calls,
        endpoint=erp.endpoint,
        version=erp.version,
        auth=erp.auth,
        subaccount=SegmentRule(**erp.subaccount.model_dump()) if erp.subaccount else None,
        lines_from=erp.lines_from,
        net_income_account=erp.net_income_account,
        page_batches=erp.page_batches,
        branch=erp.branch,
        locale=erp.locale,
        companies=erp.companies,
        sessions=erp.sessions,
        parallel=erp.parallel,
        session_wait_seconds=erp.session_wait_minutes * 60,
        check_fields=erp.check_fields,
        odata_auth=erp.odata_auth,
        ca_file=erp.ca_file,
    )


def epicor_config(erp: EpicorErp) -> EpicorConfig:
    rules = {} if erp.baqs == "auto" else {kind: BaqRule(**one.model_dump()) for kind, one in erp.baqs.items()}
    return EpicorConfig(
        url=erp.url,
        company=erp.company,
        book=erp.book,
        auth=erp.auth,
        identity_url=erp.identity_url,
        identity_form=erp.identity_form,
        scope=erp.scope,
        account_segment=erp.account_segment,
        cost_center_segment=erp.cost_center_segment,
        read=erp.read,
        balance_type=erp.balance_type,
        fiscal_calendar=erp.fiscal_calendar,
        unbalanced=erp.unbalanced,
        payables_accounts=erp.payables_accounts,
        page=erp.page,
        license=erp.license,
        session=erp.session,
        sessions=erp.sessions,
        session_wait_seconds=erp.session_wait_minutes * 60,
        balance_wait_seconds=erp.balance_wait_minutes * 60,
        plant=erp.plant,
        baqs=Baqs(**rules, auto=erp.baqs == "auto"),
        ca_file=erp.ca_file,
    )


def acumatica_plan_rule(erp: AcumaticaErp, destination: OfAcumatica) -> PlanRule:
    said = destination.model_dump(exclude={"kind"})
    return PlanRule(**{**said, "company": destination.company or erp.every_book[0].company})


def epicor_journals_rule(destination: PlanBookJournal, read_books: Callable[[], Sequence[str]]) -> PlanJournalsRule:
    return PlanJournalsRule(**destination.model_dump(exclude={"kind"}), read_books=read_books)


def epicor_budget_rule(destination: BudgetFigures) -> BudgetRule:
    return BudgetRule(**destination.model_dump(exclude={"kind"}))


def anaplan_config(plan: settings.Anaplan) -> AnaplanConfig:
    where = plan.addresses
    return AnaplanConfig(
        auth_url=where.auth_url,
        api_url=where.api_url,
        oauth_url=where.oauth_url,
        cloudworks_url=where.cloudworks_url if plan.cloudworks else "",
        workspace=plan.workspace,
        model=plan.model,
        wait_seconds=plan.wait_minutes * 60,
        task_seconds=plan.task_minutes * 60,
        chunk_bytes=plan.chunk_mb * 1_000_000,
        upload_workers=plan.upload_workers,
        poll_floor_seconds=plan.poll_floor_seconds,
        poll_cap_seconds=plan.poll_cap_seconds,
        cancel_when_stuck=plan.cancel_when_stuck,
        quiet=plan.quiet_hours.build() if plan.quiet_hours else None,
        job_margin_seconds=plan.job_margin_minutes * 60,
        ca_file=plan.ca_file,
    )
