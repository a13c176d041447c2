"""Posted actuals into the plan: read the slice, sum it, map it, send it whole, read it back, prove it equal.

The slice is one connection and one fiscal period, always whole, in absolute figures. Each leg of the tie-out raises before its
step returns, so nothing later can build on a figure that does not agree:

    lines_match_ledger    the ERP's trial balance     = the lines that were read
    cells_match_lines     those lines, mapped         = the file that will be sent, read again from its bytes
    rows_all_taken        the rows of the file        = the rows the model took; none ignored, none refused
    model_matches_cells   the cells of the file       = the cells the model holds afterwards
"""

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.shape import write_slice


def load_actuals(desk: Desk, period: str) -> list[Report]:
    """Bring one period's posted amounts into the planning model, proved equal on every leg."""
    return [read_slice(desk, period), write_slice(desk, period), load_slice(desk, period)]
