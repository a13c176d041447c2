"""Whether anything may be asked for by itself now: by the fit report of the connection, and by the quiet times of its close."""

from datetime import datetime
from typing import TYPE_CHECKING

from mlc_pipelines.flows.steps import FIT
from mlc_pipelines.wiring.connections import Named

if TYPE_CHECKING:
    from mlc_pipelines.store.home import Store


def not_ready(store: "Store", connection: str) -> str:
    """Why nothing is asked for by itself: no fit report was made yet, or the last one found something missing. "" where it was ready."""
    from mlc_pipelines.ledger.fit import READY

    report = store.history.latest_step(connection, FIT)
    if report is None:
        return f"No fit report was made yet, so nothing is asked for by itself. Materialize {connection}/{FIT} first."
    if report.facts.get("state") == READY:
        return ""
    return f"The fit report of {report.made_at[:16].replace('T', ' ')} UTC is not ready, so nothing is asked for by itself. {report.facts.get('summary', '')} Mend it, then materialize fit_report again."


def quiet_now(named: Named, now: datetime) -> str:
    """Until when nothing is begun, as the close calendar says; "" where it declares no quiet time, or none now."""
    if named.settings.close is None or (until := named.close.quiet_until(now)) is None:
        return ""
    zone = named.close.zone
    return (
        f"A quiet time of the close: nothing is begun before {until.astimezone(zone):%a %Y-%m-%d %H:%M} ({zone.key})."
    )
