"""A connection -> the columns of each feed's file: all that is needed to read what was sent, without opening anything."""

from mlc_pipelines.flows.steps import ACTUALS, SPEND
from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.wiring.connections import Named


def columns_of(named: Named) -> dict[str, CellColumns]:
    """By the feed's name, as the connection file declares them now."""
    chosen = named.settings
    declared = {ACTUALS.name: CellColumns(**chosen.actuals.columns.model_dump())}
    return declared | ({SPEND.name: CellColumns(**chosen.ap_spend.columns.model_dump())} if chosen.ap_spend else {})
