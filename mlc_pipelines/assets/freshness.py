"""Whether every fiscal period was loaded by its day of the close calendar: a check beside the calendar, with what is late and since when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from mlc_pipelines.flows.steps import CLOSE_CALENDAR
from mlc_pipelines.wiring.connections import Named

if TYPE_CHECKING:
    from mlc_pipelines.flows.freshness import Late

LOADED_IN_TIME = "loaded_in_time"
_USUAL_GRACE_HOURS = 4.0

Clock = Callable[[], datetime]


def freshness_check(named: Named, clock: Clock = lambda: datetime.now(UTC)) -> list[dg.AssetChecksDefinition]:
    """None where the connection declares no close.

    Dagster's own freshness policies know intervals and crons; a working day after a fiscal period's end, with holidays, is neither.
    """
    if named.settings.close is None:
        return []
    key = dg.AssetKey([named.name, CLOSE_CALENDAR])

    @dg.asset_check(
        asset=key,
        name=LOADED_IN_TIME,
        description="Every fiscal period has agreed since its newest day of the close calendar, or is not yet so late that somebody should look.",
    )
    def loaded_in_time() -> dg.AssetCheckResult:
        passed, description = told(named, late_now(named, clock()))
        return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, description=description)

    return [loaded_in_time]


def late_now(named: Named, now: datetime) -> "list[Late]":
    """What should have been loaded and was not; nothing where the connection declares no close."""
    from mlc_pipelines.flows.freshness import late
    from mlc_pipelines.store.home import Store

    if named.settings.close is None:
        return []
    return late(Store.open(), named.name, named.close, now, grace_of(named))


def grace_of(named: Named) -> timedelta:
    notify = named.settings.notify
    return timedelta(hours=notify.late_hours if notify else _USUAL_GRACE_HOURS)


def told(named: Named, found: "list[Late]") -> tuple[bool, str]:
    """Passed or not, and what it says."""
    said = " ".join(one.said(named.close) for one in found)
    return not found, said or "Every period that is due has been loaded."


def evaluation(named: Named, found: "list[Late]") -> dg.AssetCheckEvaluation:
    """The same, as the sensor reports it without a run."""
    passed, description = told(named, found)
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey([named.name, CLOSE_CALENDAR]),
        check_name=LOADED_IN_TIME,
        passed=passed,
        metadata={},
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
    )
