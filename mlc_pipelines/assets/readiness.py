"""Whether the fit report lets a connection run by itself."""

from typing import TYPE_CHECKING

from mlc_pipelines.flows.steps import FIT

if TYPE_CHECKING:
    from mlc_pipelines.store.home import Store


def not_ready(store: "Store", connection: str) -> str:
    """Why nothing is asked for by itself: the last fit report found something missing. "" where it was ready, or none was ever made."""
    from mlc_pipelines.ledger.fit import READY

    report = store.history.latest_step(connection, FIT)
    if report is None or report.facts.get("state") == READY:
        return ""
    return f"The fit report of {report.made_at[:16].replace('T', ' ')} UTC is not ready, so nothing is asked for by itself. {report.facts.get('summary', '')} Mend it, then materialize fit_report again."
