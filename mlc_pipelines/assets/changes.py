"""The sensor that watches over loaded periods: it asks for those that have changed in the ERP, and shows which sign-offs are suspended. Off until somebody switches it on."""

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from mlc_pipelines.assets.readiness import not_ready, quiet_now
from mlc_pipelines.flows.steps import ACTUALS, PERIOD_CHANGES, SIGN_OFF
from mlc_pipelines.store import clock
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.settings import Watch

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

    from mlc_pipelines.flows.again import Policy
    from mlc_pipelines.flows.signoff import SignOff
    from mlc_pipelines.store.home import Store

_PACE_SECONDS = 60
_RESULTS_MAX = 10_000


def changes_sensor(named: Named, job: "Job", compare_job: "Job", keys: list[str]) -> dg.SensorDefinition:
    """One run for each period that waits to be read again, whatever number of journals touched it.

    What waits follows from the store, so nothing is lost with Dagster's own memory; the cursor only says which suspensions were shown. The number of the
    notice is the run key: a period that changes again is asked for again; one whose run failed waits for a person, and is not asked for over and over.
    """

    @dg.sensor(
        name=f"{named.name}_changes",
        jobs=[job, compare_job],
        minimum_interval_seconds=_PACE_SECONDS,
        description="Watches over periods that were loaded. Late, back-dated and reversed journals, periods closed or opened again in the ERP, push "
        "notifications: the period is asked for again, whole; the open one at its own cadence. Where it was final its sign-off is suspended until it agrees once more, and the connection file "
        "says when it is asked for: at once, on the next business day, or by a person. Switch it on when the fit report of the connection is ready.",
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from mlc_pipelines.store.home import Store

        store = Store.open()
        if said := not_ready(store, named.name):
            return dg.SensorResult(skip_reason=said)
        _look(named, store)
        due, later, unlisted = _waiting(named, store, keys)
        if quiet := quiet_now(named, clock.now()):  # what is found meanwhile is shown at once, and asked for afterwards
            due, later, unlisted = [], [quiet, *later], []
        requests = [
            *(_request(job.name, f"change-{number}-{period}", period, reason, number) for period, reason, number in due),
            *(_request(compare_job.name, f"list-{number}-{period}", period, reason, number) for period, reason, number in unlisted),
        ]  # fmt: skip
        cursor = int(context.cursor or 0)
        shown, newest = _shown(named, store, cursor, keys, context)
        skipped = " ".join([*later, *_years(named, store, keys)]) or "No period waits to be read again."
        return dg.SensorResult(
            requests, skip_reason=None if requests else skipped, cursor=str(newest), asset_events=shown
        )

    return changes


def _request(job: str, key: str, period: str, reason: str, number: int) -> dg.RunRequest:
    tags = {"mlc/asked_by": reason, "mlc/notice": str(number)}
    return dg.RunRequest(job_name=job, partition_key=period, run_key=key, tags=tags)


def _look(named: Named, store: "Store") -> None:
    """Ask the ERP where the connection has it watched and the last look is long enough ago; suspend what is known to be touched, whoever told of it."""
    from mlc_pipelines.flows.signoff import suspend
    from mlc_pipelines.flows.watch import BATCHES
    from mlc_pipelines.wiring.rooms import open_desk
    from mlc_pipelines.wiring.watching import watch

    asked, looked_at = named.settings.watch, store.marks.looked_at(named.name, BATCHES)
    if asked and (looked_at is None or clock.now() - looked_at >= timedelta(minutes=asked.every_minutes)):
        with open_desk(named, store=store) as desk:
            watch(named, desk)
    suspend(store, named.name)


def _years(named: Named, store: "Store", keys: list[str]) -> list[str]:
    """What is to be said of fiscal years: one that is known and not yet among the partitions, one that is lacking."""
    from mlc_pipelines.store import standings

    said = []
    if unseen := sorted(
        {key.partition("-")[0] for key in named.calendar.keys} - {key.partition("-")[0] for key in keys}
    ):
        said.append(
            f"New in the ERP: {', '.join(unseen)}. Load the definitions again (Deployment, code location, Reload) to see its periods."
        )
    rows = [row for row in store.standings(named.name).after(0) if row.state in {standings.NEW_YEAR, standings.NO_YEAR}]
    if rows and rows[-1].state == standings.NO_YEAR:
        said.append(rows[-1].note)
    return said


Asked = tuple[str, str, int]


def _waiting(named: Named, store: "Store", keys: list[str]) -> tuple[list[Asked], list[str], list[Asked]]:
    """What is asked for now, what is said of the periods that are not, and those of them whose changed journals are still to be listed."""
    from mlc_pipelines.flows.again import asked_again
    from mlc_pipelines.flows.signoff import to_compare

    due, later = asked_again(store, named.name, policy_of(named), clock.now())
    unlisted = set(to_compare(store, named.name))
    return (
        [(one.period, one.reason, one.notice) for one in due if one.period in keys],
        [str(one) for one in later if one.waits.period in keys],
        [(one.waits.period, one.waits.reason, one.waits.notice) for one in later if one.waits.period in unlisted],
    )


def policy_of(named: Named) -> "Policy":
    """What the connection file says of periods that changed; what is usual, where it only listens to the ERP."""
    from mlc_pipelines.flows.again import Policy

    watch = named.settings.watch or Watch()
    at = time.fromisoformat(watch.at)

    def cadence(period: str, now: datetime) -> datetime | None:
        if named.settings.close is None or watch.open_period == "at_once":
            return None
        return named.close.next_load_of_open(period, now)

    return Policy(watch.again, lambda moment: named.close.next_business_day(moment, at), cadence)


def _shown(
    named: Named, store: "Store", cursor: int, keys: list[str], context: dg.SensorEvaluationContext
) -> tuple[list[dg.AssetCheckEvaluation], int]:
    """The sign-offs taken back since the cursor as red checks beside the period's figures in the plan, and the new cursor."""
    from mlc_pipelines.flows.signoff import AS_THEN, sign_off

    rows = store.standings(named.name).after(cursor)
    newest = {row.period: row for row in rows if row.period in keys}
    held = [sign_off(store, named.name, period) for period in newest]
    taken_back = [one for one in held if one.suspended or one.state == AS_THEN]
    red = [_evaluation(named, store, one, _place(named, one.period, context)) for one in taken_back]
    return red, max([cursor, *(row.number for row in rows)])


def _place(named: Named, period: str, context: dg.SensorEvaluationContext) -> str | None:
    """The partition beside which the check turns red; None where Dagster has kept such a result for it before.

    Of the results that belong to no run it keeps one for each partition, and a second one makes the tick fail, for ever [C dagster 1.13.27
    sql_event_log, index of asset_check_executions]. Without a partition it keeps any number, and a run may bring one as often as it likes:
    `period_changes` does.
    """
    from dagster._core.event_api import PartitionKeyFilter

    check = dg.AssetCheckKey(dg.AssetKey([named.name, ACTUALS.load]), SIGN_OFF)
    kept = context.instance.event_log_storage.get_asset_check_execution_history(
        check, limit=_RESULTS_MAX, partition_filter=PartitionKeyFilter(key=period)
    )
    return None if any(not one.run_id for one in kept) else period


def _evaluation(named: Named, store: "Store", held: "SignOff", partition: str | None) -> dg.AssetCheckEvaluation:
    """How a period stands, as a result of the check beside its figures in the plan."""
    from mlc_pipelines.assets.screens import table
    from mlc_pipelines.flows.signoff import FINAL, PROVISIONAL
    from mlc_pipelines.flows.since_agreed import journals_table

    shown: dict[str, dg.MetadataValue] = {}
    if held.suspended:
        shown["suspended since"] = dg.MetadataValue.text(f"{held.suspended_at[:16].replace('T', ' ')} UTC")
    if held.agreed:
        shown["what was agreed"] = dg.MetadataValue.text(held.agreed.note)
    if held.suspended and held.agreed and held.suspended.changes:
        lines = journals_table(store, held.suspended, str(held.agreed.reading["currency"]))
        shown["Journals that changed"] = table(lines)
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey([named.name, ACTUALS.load]),
        check_name=SIGN_OFF,
        passed=held.state in {PROVISIONAL, FINAL},
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{held.period} is {held.state}. {held.said}",
        metadata=shown,
        partition=partition,
    )


def comparison(named: Named, periods: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """What changed in a period since it was agreed, as a table; asked for by the sensor where the period itself waits, and by people."""

    @dg.asset(
        key=dg.AssetKey([named.name, PERIOD_CHANGES]),
        description="The journals of a final period that are not what was agreed: new, changed and removed ones, line by line with what was and what is. The ERP "
        "is read; nothing is sent to the plan.",
        group_name=named.name,
        kinds={named.settings.erp.system, "table"},
        owners=list(named.settings.owners),
        partitions_def=periods,
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def period_changes(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from mlc_pipelines.assets.screens import failure, table
        from mlc_pipelines.flows.signoff import sign_off
        from mlc_pipelines.flows.since_agreed import compare, journals_table
        from mlc_pipelines.ledger.errors import PipelineError
        from mlc_pipelines.wiring.rooms import open_desk

        period = context.partition_key
        try:
            with open_desk(named, run=context.run.run_id, progress=context.log.info) as desk:
                found = compare(desk, period)
                held = sign_off(desk.store, named.name, period)
        except PipelineError as error:
            raise failure(error) from None
        if held.agreed:
            context.log_event(_evaluation(named, desk.store, held, period))
        said = (
            found.note if found else "Nothing differs from what was agreed." if held.agreed else "Nothing is final yet."
        )
        shown: dict[str, dg.MetadataValue] = {
            "summary": dg.MetadataValue.md(said),
            "sign-off": dg.MetadataValue.text(str(held)),
        }
        if found and found.changes and held.agreed:
            shown["Journals that changed"] = table(
                journals_table(desk.store, found, str(held.agreed.reading["currency"]))
            )
        return dg.MaterializeResult(metadata=shown)

    return period_changes
