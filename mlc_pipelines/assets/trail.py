"""The audit trail of the installation in Dagster: its full verification as an asset with a check, each night, and a look at its tail in between, where somebody switches that on."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from mlc_pipelines.store.trail.verify import Verdict

NAME, CHECK = "audit_trail", "trail_is_clean"
_EACH_NIGHT = "30 2 * * *"
_TAIL_EACH_SECONDS = 15 * 60
_SHOWN = 50


def trail_definitions(owners: Sequence[str] = ()) -> dg.Definitions:
    """One asset for all connections, its job, a schedule and a sensor, both off until somebody switches them on. owners: of the connections."""
    job = dg.define_asset_job(
        f"{NAME}_verification",
        dg.AssetSelection.assets(dg.AssetKey(NAME)),
        description="Holds every entry and every record of the audit trail against what was chained and signed. Nothing is asked of the ERP or of the plan.",
    )
    schedule = dg.ScheduleDefinition(
        name=f"{NAME}_each_night",
        job=job,
        cron_schedule=_EACH_NIGHT,
        description="The full verification of the audit trail, at night. The tail is verified at every run's start all the same.",
    )
    return dg.Definitions(assets=[_asset(owners)], jobs=[job], schedules=[schedule], sensors=[_tail_sensor()])


def _asset(owners: Sequence[str]) -> dg.AssetsDefinition:
    key = dg.AssetKey(NAME)

    @dg.asset(
        key=key,
        description="The audit trail of this installation, all of it: which posted line went into which cell, which journal was posted under whose approval. "
        "Verified from its first entry on, and its head signed anew.",
        group_name=NAME,
        kinds={"table"},
        owners=list(owners),
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key,
                description="Every entry and record is what was written, and what the signed heads witness is there.",
            )
        ],
        output_required=False,
        code_version="1",
    )
    def work() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.store.trail.verify import Kind, verify

        trail = Store.open().trail
        verdict = verify(trail, full=True)
        check = _check(verdict)
        if verdict.kind is not Kind.CLEAN:
            yield check
            raise dg.Failure(check.description, metadata=dict(check.metadata), allow_retries=False)
        signed = trail.checkpoint()
        said = f"The trail is {check.description} Every one is what was written, and what the signed heads witness is there."
        metadata = {"summary": dg.MetadataValue.md(said), **(signed.metadata() if signed else {})}
        yield dg.MaterializeResult(asset_key=key, metadata=metadata, check_results=[check])

    return work


def _tail_sensor() -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{NAME}_tail",
        minimum_interval_seconds=_TAIL_EACH_SECONDS,
        description="Holds the newest entries of the audit trail against its signed heads, also while nothing runs. Turns the check red where they were changed; "
        "only the full verification turns it green again.",
    )
    def tail(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.store.trail.verify import verify

        verdict = verify(Store.open().trail)
        seen = sha256("\n".join(map(str, verdict.findings)).encode()).hexdigest() if verdict.findings else ""
        return dg.SensorResult(
            skip_reason=_check(verdict).description,
            asset_events=[_evaluation(verdict)] if seen and seen != context.cursor else [],
            cursor=seen,
        )

    return tail


def _evaluation(verdict: "Verdict") -> dg.AssetCheckEvaluation:
    """The check's result as the sensor reports it without a run."""
    check = _check(verdict)
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(NAME),
        check_name=CHECK,
        passed=check.passed,
        metadata=check.metadata,
        description=check.description,
    )


def _check(verdict: "Verdict") -> dg.AssetCheckResult:
    found = "; ".join(str(one) for one in verdict.findings[:_SHOWN])
    counts = {"entries": verdict.entries, "records": verdict.records, "witnessed entries": verdict.anchored}
    shown: dict[str, str | int] = {**counts, **({"findings": found} if found else {})}
    said = f"{verdict.kind}: {verdict.entries:,} entries, {verdict.records:,} records"
    return dg.AssetCheckResult(
        passed=not verdict.findings,
        check_name=CHECK,
        asset_key=dg.AssetKey(NAME),
        description=f"{said}. {found}" if found else f"{said}.",
        metadata=shown,
    )
