"""The sensor that tells people: what the store and Dagster know is put into one message and delivered. Off until somebody switches it on."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from hashlib import sha256

import dagster as dg

from mlc_pipelines.assets.failures import audit_trail_changed, failed_runs, slots_left
from mlc_pipelines.assets.freshness import evaluation, late_now
from mlc_pipelines.wiring.connections import Named

_PACE_MAX_SECONDS = 300


def notices_sensor(
    named: Named,
    jobs: Callable[[], Collection[str]],
    pools: Collection[str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.SensorDefinition | None:
    """None where the connection tells nobody (`notify`).

    It looks at how things stand instead of listening to single runs: so nothing is told twice or lost with Dagster's memory, and what is over is seen.
    No call goes to the ERP or the plan. A delivery that fails makes no load fail; it is tried again, and said in the tick and by the other messengers.
    """
    if named.settings.notify is None:
        return None

    loaded, plans = named.calendar.keys, {name: plan.version for name, plan in named.settings.plans.items()}

    @dg.sensor(
        name=f"{named.name}_notices",
        minimum_interval_seconds=min(max(60 * named.settings.notify.every_minutes, 60), _PACE_MAX_SECONDS),
        description="Tells people what they should look at, by webhook, e-mail or a command: an audit trail that was changed, loads that failed or are late, suspended sign-offs, re-opened periods, "
        "codes without a member, previews and postings that wait, new fiscal years. One message for all of it, none while nothing changes; what is over is told as well.",
    )
    def notices(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from mlc_pipelines.flows.freshness import late_troubles
        from mlc_pipelines.flows.notify import tell
        from mlc_pipelines.flows.troubles import troubles_of, waiting_postings, years_to_load
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.store.outbox import Outbox
        from mlc_pipelines.wiring.messengers import messengers_of, rules_of

        store, now = Store.open(), clock()
        late = late_now(named, now)
        found = [
            *audit_trail_changed(context.instance),
            *failed_runs(context.instance, named.name, jobs(), now, waiting_postings(store, named.name, plans)),
            *slots_left(context.instance, pools, now),
            *(late_troubles(named.name, late, named.close) if late else ()),
            *troubles_of(store, named.name, named.calendar.keys, plans),
            *years_to_load(named.calendar.keys, loaded),
        ]
        delivery = tell(Outbox(store.engine, named.name), found, messengers_of(named, store), now, rules_of(named))
        for problem in delivery.problems:
            context.log.warning("Not delivered: %s", problem)
        changed = sha256(repr(late).encode()).hexdigest() if named.settings.close else ""
        return dg.SensorResult(
            skip_reason=str(delivery),
            asset_events=[evaluation(named, late)] if changed and changed != context.cursor else [],
            cursor=changed,
        )

    return notices
